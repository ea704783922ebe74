//! How Tidewatch itself does.

use tidewatch_app::model::{
    BrokerStatus, DatabaseStatus, InstanceStatus, JobCount, Partition, RelayLeader, Setting, StreamStatus,
    SystemStatus,
};
use tidewatch_events::{Permission, Position};
use tidewatch_outbox::{LEADER_LOCK, read_head};

use crate::access::Caller;
use crate::config::ServeConfig;
use crate::db;
use crate::error::Error;
use crate::state::AppState;

/// A relay that is so far behind needs a person, in milliseconds.
const LATE_MS: i64 = 5_000;
/// So does a transaction that is open for so long: it holds up its own events, and vacuum.
const LONG_MS: i64 = 60_000;

/// How Tidewatch does, as this instance sees it.
///
/// # Errors
/// 403 without `jobs.read`, or for somebody who is not of the project's staff; 503 where Postgres is away.
pub async fn system(state: &AppState, caller: &Caller) -> Result<SystemStatus, Error> {
    caller.require_manager(&Permission::JOBS_READ)?;
    let project = caller.project();
    let mut snapshot = db::begin_snapshot(&state.pool, project).await?;
    let head = read_head(&mut snapshot, project).await?;
    let jobs = tidewatch_jobs::counts(&mut snapshot).await?;
    drop(snapshot);
    let mut machinery = state.access.acquire().await?;
    let lag_ms = db::overview::outbox_lag_ms(&mut machinery).await?;
    let waiting = db::system::waiting_events(&mut machinery).await?;
    let relay = db::system::leader(&mut machinery, LEADER_LOCK).await?;
    let instances = db::system::instances(&mut machinery).await?;
    let database = db::system::database(&mut machinery).await?;
    let partitions = db::system::partitions(&mut machinery).await?;
    let mut status = SystemStatus {
        concerns: Vec::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        instance: state.config.instance_name(),
        instances: instances
            .into_iter()
            .map(|instance| InstanceStatus {
                name: instance.name,
                seen_at: instance.seen_at.into(),
                connections: instance.connections.unsigned_abs(),
                broker: instance.broker.map(|name| BrokerStatus { name, heard: instance.broker_heard }),
            })
            .collect(),
        stream: StreamStatus {
            last_position: head.last,
            oldest_position: head.oldest,
            waiting: waiting.min(db::system::COUNTED).unsigned_abs(),
            more_waiting: waiting > db::system::COUNTED,
            lag_ms,
            relay: relay.map(|(instance, since)| RelayLeader { instance, since: since.into() }),
            instance_position: state.hub.head(project).map_or(Position::START, |head| head.position),
        },
        jobs: jobs
            .into_iter()
            .map(|count| JobCount {
                state: count.state,
                queue: count.queue,
                jobs: count.jobs,
                more: count.more,
            })
            .collect(),
        database: DatabaseStatus {
            version: database.version,
            bytes: database.bytes.unsigned_abs(),
            connections: u32::try_from(database.connections).unwrap_or(u32::MAX),
            max_connections: database.max_connections.unsigned_abs(),
            oldest_transaction_ms: database.oldest_transaction_ms,
            schema_version: database.schema_version,
        },
        // Days to come are prepared and empty.
        partitions: partitions
            .into_iter()
            .filter(|(_, events, _)| *events > 0)
            .map(|(name, events, bytes)| Partition {
                name,
                events: events.unsigned_abs(),
                bytes: bytes.unsigned_abs(),
            })
            .collect(),
        settings: settings(&state.config),
    };
    status.concerns = concerns(&status);
    Ok(status)
}

/// What needs a person, and what they can do about it.
fn concerns(status: &SystemStatus) -> Vec<String> {
    let mut concerns = Vec::new();
    let (stream, database) = (&status.stream, &status.database);
    if stream.relay.is_none() {
        concerns.push(
            "Nobody publishes events: no instance holds the relay's lock. A second instance takes over within 5 s; \
             if this stays, look at the log for what keeps the relay from Postgres."
                .to_owned(),
        );
    }
    if let Some(lag) = stream.lag_ms.filter(|lag| *lag > LATE_MS) {
        concerns.push(format!(
            "The oldest event has waited for {} s to be published: the relay does not keep up, or Postgres is slow.",
            lag / 1_000
        ));
    }
    for instance in &status.instances {
        if let Some(BrokerStatus { name, heard: false }) = &instance.broker {
            concerns.push(format!(
                "{} does not hear {name}: it reads events from Postgres until it does. Nothing is lost by that; look \
                 whether {name} runs and can be reached.",
                instance.name
            ));
        }
    }
    if let Some(open) = database.oldest_transaction_ms.filter(|open| *open > LONG_MS) {
        concerns.push(format!(
            "A transaction has been open for {} s: its own events wait for it, and vacuum does. \
             pg_stat_activity tells whose it is.",
            open / 1_000
        ));
    }
    if u64::from(database.connections) * 10 >= u64::from(database.max_connections) * 8 {
        concerns.push(format!(
            "{} of {} connections of Postgres are in use: raise max_connections, or lower \
             TIDEWATCH_DATABASE_CONNECTIONS.",
            database.connections, database.max_connections
        ));
    }
    concerns
}

/// What can be told of how the instance is set.
fn settings(config: &ServeConfig) -> Vec<Setting> {
    [
        ("TIDEWATCH_DATABASE_CONNECTIONS", config.database.database_connections.to_string()),
        ("TIDEWATCH_HEARTBEAT_SECONDS", config.heartbeat.0.as_secs_f64().to_string()),
        ("TIDEWATCH_POLL_MS", config.poll_ms.to_string()),
        ("TIDEWATCH_RING_EVENTS", config.ring_events.to_string()),
        ("TIDEWATCH_REPLAY_EVENTS", config.replay_events.to_string()),
        ("TIDEWATCH_STREAMS_PER_USER", config.streams_per_user.to_string()),
        ("TIDEWATCH_STREAMS_PER_KEY", config.streams_per_key.to_string()),
        ("TIDEWATCH_STREAMS_PER_ADDRESS", config.streams_per_address.to_string()),
        ("TIDEWATCH_PUBLISHES_PER_SECOND", config.publishes_per_second.to_string()),
        ("TIDEWATCH_STALL_SECONDS", config.stall_seconds.to_string()),
        ("TIDEWATCH_RETENTION_DAYS", config.retention_days.to_string()),
        ("TIDEWATCH_DRAIN_NOTICE_SECONDS", config.drain_notice_seconds.to_string()),
        ("TIDEWATCH_DRAIN_SECONDS", config.drain_seconds.to_string()),
        ("TIDEWATCH_APPROVAL_LIMIT_MINOR", config.approval_limit_minor.to_string()),
    ]
    .map(|(name, value)| Setting { name: name.to_owned(), value })
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> SystemStatus {
        SystemStatus {
            concerns: Vec::new(),
            version: String::new(),
            instance: String::new(),
            instances: Vec::new(),
            stream: StreamStatus {
                last_position: Position::START,
                oldest_position: Position::START,
                waiting: 0,
                more_waiting: false,
                lag_ms: Some(LATE_MS),
                relay: Some(RelayLeader {
                    instance: "one".to_owned(),
                    since: "2026-11-20T20:00:00Z".parse().expect("a time"),
                }),
                instance_position: Position::START,
            },
            jobs: Vec::new(),
            database: DatabaseStatus {
                version: String::new(),
                bytes: 0,
                connections: 79,
                max_connections: 100,
                oldest_transaction_ms: Some(LONG_MS),
                schema_version: 1,
            },
            partitions: Vec::new(),
            settings: Vec::new(),
        }
    }

    #[test]
    fn says_what_needs_a_person_and_nothing_else() {
        assert_eq!(concerns(&status()), [] as [String; 0]);
        let mut bad = status();
        bad.stream.relay = None;
        bad.stream.lag_ms = Some(61_000);
        bad.database.oldest_transaction_ms = Some(125_000);
        bad.database.connections = 80;
        let broker = |heard| Some(BrokerStatus { name: "redis".to_owned(), heard });
        bad.instances = [("well", broker(true)), ("alone", None), ("deaf", broker(false))]
            .map(|(name, broker)| InstanceStatus {
                name: name.to_owned(),
                seen_at: "2026-11-20T20:00:00Z".parse().expect("a time"),
                connections: 0,
                broker,
            })
            .into();
        let said = concerns(&bad);
        assert_eq!(said.len(), 5, "{said:?}");
        for part in ["Nobody publishes", "61 s", "125 s", "80 of 100", "deaf does not hear redis"] {
            assert!(said.iter().any(|concern| concern.contains(part)), "{part}: {said:?}");
        }
    }
}
