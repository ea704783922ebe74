//! Turns at endpoints: one that hangs must not take the place of all the others.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tidewatch_events::id::WebhookId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most webhooks that are on their way to one endpoint at one time, from this instance.
const AT_ONCE: usize = 8;
/// Longest wait for a turn: who waits has a worker's place.
const WAIT: Duration = Duration::from_millis(250);
/// So many endpoints are remembered before those at which nobody is are forgotten.
const REMEMBERED: usize = 1_000;

/// Says whose turn it is at each endpoint.
#[derive(Debug, Default)]
pub struct Turns(Mutex<HashMap<WebhookId, Arc<Semaphore>>>);

impl Turns {
    /// A turn at the endpoint, until it is dropped; `None` when none comes up in time.
    pub async fn take(&self, endpoint: WebhookId) -> Option<OwnedSemaphorePermit> {
        let turns = {
            let mut all = self.0.lock();
            if all.len() >= REMEMBERED {
                // Whoever has a turn, or is about to take one, holds the semaphore too.
                all.retain(|_, turns| Arc::strong_count(turns) > 1);
            }
            Arc::clone(all.entry(endpoint).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
        };
        tokio::time::timeout(WAIT, turns.acquire_owned()).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn an_endpoint_has_so_many_turns_and_takes_none_from_others() {
        let turns = Turns::default();
        let [one, other] = [1, 2].map(|n| WebhookId::from_uuid(Uuid::from_u128(n)));
        let mut taken = Vec::new();
        for _ in 0..AT_ONCE {
            taken.push(turns.take(one).await.expect("a turn"));
        }
        assert!(turns.take(one).await.is_none());
        assert!(turns.take(other).await.is_some());
        taken.pop();
        assert!(turns.take(one).await.is_some(), "one is free again");
    }

    #[tokio::test]
    async fn only_endpoints_at_which_nobody_is_are_forgotten() {
        let turns = Turns::default();
        let id = |n: usize| WebhookId::from_uuid(Uuid::from_u128(n as u128));
        let held = turns.take(id(0)).await.expect("a turn");
        for n in 1..=REMEMBERED {
            drop(turns.take(id(n)).await.expect("a turn"));
        }
        let all = turns.0.lock();
        assert!(all.len() <= 2 && all.contains_key(&id(0)), "{}", all.len());
        drop(held);
    }
}
