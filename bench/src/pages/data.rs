//! The data behind the pages: records and their events as the server would have written them, made by SQL in sets.
//!
//! The log is one block of lines over and over (`sql/lines.sql`), each time about other records; see there.

use anyhow::{Context as _, Result, ensure};
use sqlx::{Connection, PgConnection};
use tidewatch_events::ProjectId;
use time::{Duration, OffsetDateTime, Time};

/// Settlements of a block.
const SETTLEMENTS: u64 = 100;
/// Records of each other module of a block.
const OTHERS: u64 = 10;
/// Blocks that are written in one statement.
const TOGETHER: u64 = 500;
/// Days of the log before today.
const DAYS: i64 = 6;

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Published events.
    pub events: u64,
    /// Settlements; of the records of each other module there are a tenth of that.
    pub settlements: u64,
}

impl Sizes {
    const fn blocks(self) -> u64 {
        self.settlements / SETTLEMENTS
    }

    /// Whether a whole number of blocks comes to these sizes.
    ///
    /// # Errors
    /// It does not.
    pub fn check(self) -> Result<()> {
        let Self { events, settlements } = self;
        ensure!(
            settlements > 0 && settlements % SETTLEMENTS == 0,
            "the settlements must be hundreds, not {settlements}"
        );
        ensure!(events % self.blocks() == 0, "the events must be a multiple of {}", self.blocks());
        Ok(())
    }
}

/// Fills a database that has a schema and a project with nothing in it.
///
/// # Errors
/// The sizes will not do, or Postgres refused.
pub async fn fill(url: &str, project: ProjectId, sizes: Sizes) -> Result<()> {
    sizes.check()?;
    let mut connection = PgConnection::connect(url).await?;
    prepare(&mut connection, project, sizes).await?;
    step(&mut connection, "an empty table each", include_str!("sql/begin.sql")).await?;
    step(&mut connection, "people", include_str!("sql/people.sql")).await?;
    step(&mut connection, "lines", include_str!("sql/lines.sql")).await?;
    let block = sizes.events / sizes.blocks();
    let lines: i64 =
        sqlx::query_scalar("select count(*) from bench_lines").fetch_one(&mut connection).await?;
    ensure!(
        u64::try_from(lines)? == block,
        "{} events for {} settlements are too few: a block of {SETTLEMENTS} needs {lines}",
        sizes.events,
        sizes.settlements
    );
    step(&mut connection, "records", include_str!("sql/records.sql")).await?;
    let mut first = 1;
    while first <= sizes.blocks() {
        let last = sizes.blocks().min(first + TOGETHER - 1);
        sqlx::query(include_str!("sql/events.sql"))
            .bind(i64::try_from(first)?)
            .bind(i64::try_from(last)?)
            .execute(&mut connection)
            .await
            .context("the events")?;
        tracing::info!(of = sizes.events, "{} events", last * block);
        first = last + 1;
    }
    step(&mut connection, "tables", include_str!("sql/tables.sql")).await?;
    step(&mut connection, "what stands around", include_str!("sql/around.sql")).await?;
    step(&mut connection, "indexes", include_str!("sql/end.sql")).await?;
    step(&mut connection, "statistics", "vacuum analyze").await?;
    Ok(connection.close().await?)
}

async fn prepare(connection: &mut PgConnection, project: ProjectId, sizes: Sizes) -> Result<()> {
    let now = OffsetDateTime::now_utc();
    let begin = now.replace_time(Time::MIDNIGHT) - Duration::days(DAYS);
    let settings = [
        ("timezone", "UTC".to_owned()),
        ("synchronous_commit", "off".to_owned()),
        ("work_mem", "512MB".to_owned()),
        ("maintenance_work_mem", "1GB".to_owned()),
        ("jit", "off".to_owned()),
        ("bench.project", project.uuid().to_string()),
        ("bench.project_name", project.to_string()),
        ("bench.events", sizes.events.to_string()),
        ("bench.blocks", sizes.blocks().to_string()),
        ("bench.block", (sizes.events / sizes.blocks()).to_string()),
        ("bench.others", (sizes.blocks() * OTHERS).to_string()),
        ("bench.begin", (begin.unix_timestamp() * 1000).to_string()),
        // The last event is a second old, and published.
        ("bench.span", (now - begin - Duration::SECOND).whole_milliseconds().to_string()),
    ];
    for (name, value) in settings {
        sqlx::query("select set_config($1, $2, false)")
            .bind(name)
            .bind(value)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn step(connection: &mut PgConnection, what: &'static str, statements: &'static str) -> Result<()> {
    tracing::info!("{what}");
    sqlx::raw_sql(statements).execute(connection).await.context(what)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_blocks() {
        let check = |events, settlements| Sizes { events, settlements }.check().is_ok();
        assert!(check(10_000_000, 1_000_000));
        assert!(check(100_000, 10_000));
        assert!(!check(100_000, 0));
        assert!(!check(100_000, 150));
        assert!(!check(100_001, 10_000));
    }
}
