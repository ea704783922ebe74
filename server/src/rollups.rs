//! Keeps sums over the published log by steps of time, and how many records stand where: what the overview would
//! otherwise count out of millions of rows each time.
//!
//! Every instance goes through the log, and nobody is elected: whoever locks a project's cursor goes on with it, and the
//! others pass by. Sums and cursor are one transaction, so each event counts once, whatever becomes of the process. That
//! this is behind costs its readers time and never truth: they add what lies behind the cursor (`db::rollups`).

use std::time::Duration;

use sqlx::PgPool;
use tidewatch_events::ProjectId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::db;

/// The widths of the steps that are summed up, in seconds: those of the charts' ranges.
pub const WIDTHS: [u32; 4] = [60, 5 * 60, 30 * 60, 3 * 60 * 60];
/// Events of one transaction.
const BATCH: i64 = 5_000;
/// Between two looks. What was published meanwhile is read with the sums, which costs little more.
const LOOK: Duration = Duration::from_secs(1);
/// How often what nobody reads any longer is deleted.
const FORGET: Duration = Duration::from_secs(10 * 60);

/// How long events waited for their publication, by size. Classes are at most a ninth wider than where they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LagClass(u16);

/// The number is of no class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no class of lags")]
pub struct UnknownLagClass(i16);

impl TryFrom<i16> for LagClass {
    type Error = UnknownLagClass;

    fn try_from(number: i16) -> Result<Self, UnknownLagClass> {
        u16::try_from(number).map(Self).map_err(|_| UnknownLagClass(number))
    }
}

impl LagClass {
    /// Up to there each millisecond has a class of its own.
    const FINE: u16 = 8;
    /// Classes of a doubling.
    const PER_DOUBLING: f64 = 8.0;

    /// The longest wait of this class, in milliseconds. `lag_class` of the migrations says which class a wait is of.
    #[must_use]
    pub fn longest_ms(self) -> u64 {
        let Self(number) = self;
        if number < Self::FINE {
            return u64::from(number);
        }
        // The next class begins at 2^((number + 1 + 16) / 8).
        let next = ((f64::from(number) + 17.0) / Self::PER_DOUBLING).exp2();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; saturates")]
        let longest = next.ceil() as u64;
        longest.saturating_sub(1)
    }
}

/// Keeps the sums up to date until `shutdown`. Errors are logged and tried again: the cursor is kept, so nothing is lost
/// by them.
pub async fn run(pool: PgPool, shutdown: CancellationToken) {
    let work = async {
        let mut forgotten = Instant::now();
        loop {
            if let Err(error) = catch_up(&pool).await {
                tracing::warn!(%error, "cannot sum up what was published; will try again");
            }
            if forgotten.elapsed() >= FORGET {
                forgotten = Instant::now();
                if let Err(error) = forget_old(&pool).await {
                    tracing::warn!(%error, "cannot delete old sums; will try again");
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = shutdown.cancelled() => {}
    }
}

/// Sums up everything that is published now.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn catch_up(pool: &PgPool) -> Result<(), sqlx::Error> {
    let projects = db::rollups::projects_behind(&mut *pool.acquire().await?).await?;
    for project in projects {
        while advance(pool, project).await? >= BATCH {}
    }
    Ok(())
}

async fn advance(pool: &PgPool, project: ProjectId) -> Result<i64, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let events = db::rollups::advance(&mut transaction, project, BATCH).await?;
    transaction.commit().await?;
    Ok(events)
}

async fn forget_old(pool: &PgPool) -> Result<(), sqlx::Error> {
    let projects = db::rollups::projects(&mut *pool.acquire().await?).await?;
    for project in projects {
        let mut transaction = pool.begin().await?;
        db::rollups::forget_old(&mut transaction, project).await?;
        transaction.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tidewatch_app::model::TimeRange;

    use super::*;

    #[test]
    fn every_range_has_its_steps() {
        assert_eq!(TimeRange::ALL.map(TimeRange::bucket_seconds), WIDTHS);
    }

    #[test]
    fn a_class_ends_where_the_next_one_begins() {
        let class = |ms: u64| {
            // As `lag_class` of the migrations.
            let number = if ms < 8 { ms as i16 } else { (8.0 * (ms as f64).log2()).floor() as i16 - 16 };
            LagClass::try_from(number).expect("a class")
        };
        let mut last = class(0);
        for ms in 1..100_000 {
            let here = class(ms);
            assert!(here >= last, "{ms}");
            if here > last {
                assert!(ms - 1 <= last.longest_ms(), "{ms}");
            }
            assert!(here.longest_ms() >= ms && here.longest_ms() <= ms + ms / 9 + 1, "{ms}: {here:?}");
            last = here;
        }
        assert!(LagClass::try_from(-1).is_err());
    }
}
