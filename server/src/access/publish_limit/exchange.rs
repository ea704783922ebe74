//! Instances tell each other, through Postgres, what they let publishers publish.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::PublishLimit;
use crate::db::publish_counts::{self, PublishCount};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// How far each publisher had come at each other instance at the last look.
type Seen = HashMap<(Uuid, String), i64>;

/// Exchanges counts with the other instances until `shutdown`; `instance` is under what the others know this one.
pub async fn run(limit: PublishLimit, pool: PgPool, instance: Uuid, shutdown: CancellationToken) {
    // What others counted before this one was there is no debt of anybody's here.
    let mut seen: Option<Seen> = None;
    loop {
        match look(&limit, &pool, instance, seen.as_ref()).await {
            Ok(now_seen) => seen = Some(now_seen),
            Err(error) => {
                tracing::warn!(%error, "cannot tell other instances what was published; will try again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

async fn look(
    limit: &PublishLimit,
    pool: &PgPool,
    instance: Uuid,
    seen: Option<&Seen>,
) -> Result<Seen, sqlx::Error> {
    let told = publish_counts::told_by_others(pool, instance).await?;
    let untold = limit.take_untold();
    // An instance that is alone has nobody to tell, and whoever comes begins with what it sees then.
    if !told.is_empty() && !untold.is_empty() {
        let rows: Vec<(String, i64)> = untold
            .iter()
            .map(|(actor, events)| (actor.to_string(), i64::try_from(*events).unwrap_or(i64::MAX)))
            .collect();
        if let Err(error) = publish_counts::tell(pool, instance, &rows).await {
            limit.put_back(untold);
            return Err(error);
        }
    }
    let mut now_seen = Seen::new();
    for PublishCount { instance, actor, taken } in told {
        let Some(actor) = actor else { continue };
        if let (Some(seen), Ok(publisher)) = (seen, actor.parse()) {
            let before = seen.get(&(instance, actor.clone())).copied().unwrap_or_default();
            // It counts from nothing again where it had forgotten a publisher that was silent.
            let more = if taken >= before { taken - before } else { taken };
            if more > 0 {
                limit.taken_elsewhere(&publisher, more.unsigned_abs());
            }
        }
        now_seen.insert((instance, actor), taken);
    }
    Ok(now_seen)
}
