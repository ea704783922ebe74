//! Postgres: whether it can be reached, is as it has to be, and does what a server needs of it.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};
use tidewatch_events::job::JobState;
use tidewatch_outbox::LEADER_LOCK;
use time::OffsetDateTime;
use tokio::time::timeout;

use super::Finding;
use crate::config::{DatabaseConfig, DatabaseUrl};
use crate::db::checkup::{self, ServerRow};
use crate::db::{overview, system};
use crate::installation::{Lacking, Tidewatch};
use crate::serve::{MIGRATIONS, connections_of};

/// How long each step has.
const PATIENCE: Duration = Duration::from_secs(5);
/// The oldest version that is supported.
const OLDEST_VERSION: i32 = 150_000;
/// Clocks that differ by more make times in logs and pages wrong enough to be noticed.
const SKEW: Duration = Duration::from_secs(2);
/// An event that waits for longer waits for somebody who does not come.
const LATE_MS: i64 = 5_000;
/// Nobody else notifies on it.
const CHANNEL: &str = "tidewatch_doctor";

pub(super) async fn examine(config: &DatabaseConfig, tidewatch: &Tidewatch) -> Vec<Finding> {
    let DatabaseUrl(options) = &config.database_url;
    let options = options.clone().application_name("tidewatch doctor").disable_statement_logging();
    let mut connection = match timeout(PATIENCE, PgConnection::connect_with(&options)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return vec![unreachable(&config.database_url, &error)],
        Err(_) => {
            return vec![Finding::problem(
                "database",
                format!("{:?} did not answer within 5 s", config.database_url),
                "Look whether DATABASE_URL is right, and whether a firewall lets this machine reach it.",
            )];
        }
    };
    let mut findings = Vec::new();
    if let Err(error) = look(&mut connection, config, tidewatch, &mut findings).await {
        findings.push(Finding::problem(
            "database",
            format!("Postgres refuses what was asked: {error}"),
            "The user in DATABASE_URL must own the database's tables: it is the one that runs `tidewatch migrate`.",
        ));
    }
    // All that there was to ask is asked.
    let _ = connection.close().await;
    findings.push(wake_up(config).await);
    findings
}

async fn look(
    connection: &mut PgConnection,
    config: &DatabaseConfig,
    tidewatch: &Tidewatch,
    findings: &mut Vec<Finding>,
) -> Result<(), sqlx::Error> {
    let asked = Instant::now();
    let server = checkup::server(&mut *connection).await?;
    let took = asked.elapsed();
    findings.push(version(&server, &config.database_url));
    findings.extend(durability(&server));
    findings.push(clock(server.now, OffsetDateTime::now_utc(), took));
    findings.push(room(&server, connections_of(config)));
    let lacking = tidewatch.lacking(&mut *connection).await?;
    let applied = checkup::migrations(&mut *connection, checkup::MIGRATIONS_TABLE).await?.unwrap_or_default();
    findings.extend(schema(&lacking, &applied));
    if lacking.is_empty() {
        findings.push(role(checkup::app_role(&mut *connection).await?));
        machinery(connection, findings).await?;
    }
    Ok(())
}

/// What publishes events, and what does work.
async fn machinery(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<(), sqlx::Error> {
    let (has_partitions, beside) = checkup::event_partitions(&mut *connection).await?;
    let instances = system::instances(&mut *connection).await?.len();
    findings.push(partitions(has_partitions, beside, instances > 0));
    let leader = system::leader(&mut *connection, LEADER_LOCK).await?;
    let lag = overview::outbox_lag_ms(&mut *connection).await?;
    findings.push(publishing(leader.map(|(name, _)| name), lag, instances));
    let dead = tidewatch_jobs::counts_of(&mut *connection, &[JobState::Dead]).await?;
    let dead: u64 = dead.iter().map(|count| count.jobs).sum();
    findings.push(match dead {
        0 => Finding::ok("jobs", "none has been given up"),
        dead => Finding::warning(
            "jobs",
            format!("{dead} have been given up after all their tries"),
            "Look at them on the page Jobs, or with GET /api/v1/jobs?state=dead, and retry or discard them.",
        ),
    });
    Ok(())
}

fn unreachable(url: &DatabaseUrl, error: &sqlx::Error) -> Finding {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // PostgreSQL, Appendix A: error codes.
    let advice = match code.as_deref() {
        Some("28P01" | "28000") => "Look at user and password in DATABASE_URL, and at pg_hba.conf.",
        Some("3D000") => "Make it: createdb, with the name in DATABASE_URL; then `tidewatch migrate`.",
        Some("53300") => "Postgres has no connection left: raise max_connections, or end what holds them.",
        Some("57P03") => "Postgres is starting: try again in a moment.",
        Some(_) => "See what the code of the error says in PostgreSQL's Appendix A.",
        None => "Look whether Postgres runs there, and whether DATABASE_URL is right.",
    };
    Finding::problem("database", format!("{url:?} cannot be reached: {error}"), advice)
}

fn version(server: &ServerRow, url: &DatabaseUrl) -> Finding {
    let said = format!("PostgreSQL {} at {url:?}", server.version);
    if server.version_number < OLDEST_VERSION {
        return Finding::problem("database", said, "Tidewatch needs PostgreSQL 15 or later.");
    }
    if server.is_standby {
        return Finding::problem(
            "database",
            format!("{said} is a standby"),
            "Name the primary in DATABASE_URL.",
        );
    }
    if server.encoding != "UTF8" {
        return Finding::problem(
            "database",
            format!("{said} keeps text as {}", server.encoding),
            "Make a database with the encoding UTF8.",
        );
    }
    Finding::ok("database", said)
}

fn durability(server: &ServerRow) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !server.fsync || server.synchronous_commit == "off" {
        let what = if server.fsync { "synchronous_commit" } else { "fsync" };
        findings.push(Finding::warning(
            "durability",
            format!("{what} is off: a crash of the machine takes events along that were committed"),
            format!("Set {what} = on in postgresql.conf, unless this is a database for tests."),
        ));
    }
    if !server.autovacuum {
        findings.push(Finding::warning(
            "autovacuum",
            "autovacuum is off: tables grow, and everything becomes slow",
            "Set autovacuum = on in postgresql.conf.",
        ));
    }
    findings
}

/// `asked` was here when the question was answered, `took` after it was put.
fn clock(there: OffsetDateTime, here: OffsetDateTime, took: Duration) -> Finding {
    let apart = (here - took / 2 - there).unsigned_abs();
    if apart > SKEW {
        return Finding::warning(
            "clocks",
            format!("this machine's and that of Postgres are {:.1} s apart", apart.as_secs_f64()),
            "Have both follow NTP. Nothing is lost by it: times on pages and in logs are wrong.",
        );
    }
    Finding::ok("clocks", format!("this machine's and that of Postgres are {} ms apart", apart.as_millis()))
}

fn room(server: &ServerRow, needed: u32) -> Finding {
    let left = i64::from(server.most_connections) - server.connections;
    let said = format!(
        "{} of {} connections are in use; an instance takes up to {needed}",
        server.connections, server.most_connections
    );
    if left < i64::from(needed) {
        return Finding::warning(
            "connections",
            said,
            "Raise max_connections in postgresql.conf, or lower TIDEWATCH_DATABASE_CONNECTIONS.",
        );
    }
    Finding::ok("connections", said)
}

/// Whether the schema is this binary's.
fn schema(lacking: &[Lacking], applied: &[(i64, bool)]) -> Vec<Finding> {
    if !lacking.is_empty() {
        let problem = |lacking: &Lacking| Finding::problem("schema", lacking.to_string(), lacking.advice());
        return lacking.iter().map(problem).collect();
    }
    let newest = applied.iter().map(|(version, _)| *version).max().unwrap_or_default();
    let own = MIGRATIONS.iter().map(|own| own.version).max().unwrap_or_default();
    let finding = if newest > own {
        Finding::note(
            "schema",
            format!("it is of a later version (migration {newest}; this binary knows {own})"),
        )
    } else {
        Finding::ok("schema", format!("up to date (migration {newest})"))
    };
    vec![finding]
}

fn role(found: Option<(bool, bool)>) -> Finding {
    match found {
        None => Finding::problem("role", "there is no role tidewatch_app", "Run `tidewatch migrate` again."),
        Some((true, _)) => Finding::problem(
            "role",
            "row-level security does not hold tidewatch_app, which serves requests",
            "alter role tidewatch_app nosuperuser nobypassrls;",
        ),
        Some((_, false)) => Finding::problem(
            "role",
            "the user in DATABASE_URL may not become tidewatch_app",
            "grant tidewatch_app to that user;",
        ),
        Some((false, true)) => Finding::ok("role", "requests are served under row-level security"),
    }
}

fn partitions(is_there: bool, beside: i64, is_served: bool) -> Finding {
    if beside > 0 {
        return Finding::warning(
            "partitions",
            format!("{beside} events stand beside all days' partitions, where retention does not find them"),
            "Nothing is lost, and retention deletes none of them: move them into partitions of their days.",
        );
    }
    match (is_there, is_served) {
        (true, _) => Finding::ok("partitions", "events of today and tomorrow have theirs"),
        (false, true) => Finding::warning(
            "partitions",
            "events of today or tomorrow have no partition, though a server runs",
            "Its log says why it cannot make them.",
        ),
        (false, false) => {
            Finding::note("partitions", "the next server that starts makes those of the coming days")
        }
    }
}

fn publishing(leader: Option<String>, lag_ms: Option<i64>, instances: usize) -> Finding {
    let late = lag_ms.filter(|lag| *lag > LATE_MS).map(|lag| lag / 1_000);
    match (leader, late, instances) {
        (None, None, 0) => Finding::note("publishing", "no server runs, and no event waits"),
        (None, Some(seconds), 0) => Finding::note(
            "publishing",
            format!("no server runs, and an event has waited for {seconds} s for one"),
        ),
        (None, ..) => Finding::problem(
            "publishing",
            "servers run, and none of them publishes events",
            "Another takes over within 5 s. If this stays, see in their logs what keeps them from Postgres.",
        ),
        (Some(name), Some(seconds), _) => Finding::warning(
            "publishing",
            format!("{name} publishes, and the oldest event has waited for {seconds} s"),
            "Look for a transaction that has been open for long (pg_stat_activity), and whether Postgres is slow.",
        ),
        (Some(name), None, _) => {
            Finding::ok("publishing", format!("{name} publishes events, and none waits"))
        }
    }
}

/// Whether a notification arrives: behind a pooler that hands out connections by transaction it does not.
async fn wake_up(config: &DatabaseConfig) -> Finding {
    let DatabaseUrl(options) = &config.database_url;
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options.clone().application_name("tidewatch doctor"));
    let heard = async {
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(CHANNEL).await?;
        sqlx::query("select pg_notify($1, '')").bind(CHANNEL).execute(&pool).await?;
        listener.recv().await.map(drop)
    };
    let heard = timeout(PATIENCE, heard).await;
    pool.close().await;
    match heard {
        Ok(Ok(())) => Finding::ok("wake-ups", "LISTEN hears NOTIFY"),
        Ok(Err(error)) => Finding::warning("wake-ups", format!("LISTEN is refused: {error}"), POOLER),
        Err(_) => Finding::warning("wake-ups", "LISTEN does not hear NOTIFY", POOLER),
    }
}

/// What to do where notifications do not arrive.
const POOLER: &str = "Connect to Postgres itself, not to a pooler that pools by transaction. Events come all the same, up \
                      to TIDEWATCH_POLL_MS later.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    fn server() -> ServerRow {
        ServerRow {
            version: "15.4".to_owned(),
            version_number: 150_004,
            is_standby: false,
            fsync: true,
            synchronous_commit: "on".to_owned(),
            autovacuum: true,
            encoding: "UTF8".to_owned(),
            most_connections: 97,
            connections: 10,
            now: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn postgres_is_as_it_has_to_be_or_it_is_said_what_is_not() {
        let url = DatabaseUrl("postgres://ann:hunter2@db:5432/tidewatch".parse().expect("an address"));
        assert_eq!(version(&server(), &url).level, Level::Ok);
        let wrong = [
            ServerRow { version_number: 140_009, ..server() },
            ServerRow { is_standby: true, ..server() },
            ServerRow { encoding: "SQL_ASCII".to_owned(), ..server() },
        ];
        for server in wrong {
            let found = version(&server, &url);
            assert!(found.level == Level::Problem && found.advice.is_some(), "{found:?}");
            assert!(!found.said.contains("hunter2"), "{found:?}");
        }
        assert_eq!(durability(&server()), []);
        let risky = ServerRow { synchronous_commit: "off".to_owned(), autovacuum: false, ..server() };
        assert_eq!(durability(&risky).len(), 2);
        assert!(durability(&ServerRow { fsync: false, ..server() })[0].said.contains("fsync"));
        assert_eq!(room(&server(), 87).level, Level::Ok);
        assert_eq!(room(&server(), 88).level, Level::Warning);
    }

    #[test]
    fn clocks_are_compared_at_the_moment_of_the_question() {
        let there = OffsetDateTime::UNIX_EPOCH;
        let took = Duration::from_secs(4);
        assert_eq!(clock(there, there + Duration::from_secs(2), took).level, Level::Ok);
        assert_eq!(clock(there, there + Duration::from_secs(5), took).level, Level::Warning);
        assert_eq!(clock(there, there - Duration::from_secs(5), Duration::ZERO).level, Level::Warning);
    }

    #[test]
    fn who_publishes_is_told_from_nobody() {
        let leader = || Some("one".to_owned());
        let levels = [
            (publishing(None, None, 0), Level::Note),
            (publishing(None, Some(60_000), 0), Level::Note),
            (publishing(None, None, 2), Level::Problem),
            (publishing(leader(), Some(60_000), 1), Level::Warning),
            (publishing(leader(), Some(900), 1), Level::Ok),
        ];
        for (found, level) in levels {
            assert_eq!(found.level, level, "{found:?}");
        }
    }

    #[test]
    fn a_schema_is_this_binary_s_an_older_or_a_later_one() {
        let own: Vec<(i64, bool)> = MIGRATIONS.iter().map(|own| (own.version, true)).collect();
        let seen = |lacking: &[Lacking], applied: &[(i64, bool)]| schema(lacking, applied)[0].level;
        for lacking in [Lacking::Schema, Lacking::Finished(9), Lacking::Module("no table".to_owned())] {
            assert_eq!(seen(&[lacking], &own), Level::Problem);
        }
        assert_eq!(seen(&[], &own), Level::Ok);
        assert_eq!(seen(&[], &[own, vec![(9_999, true)]].concat()), Level::Note);
    }
}
