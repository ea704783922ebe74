//! How many events a second each publisher may publish.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tidewatch_events::access::Actor;

use crate::commands::publish::MAX_BATCH;
use crate::error::Error;

/// A token bucket for each publisher, on this instance. Cheap to clone.
#[derive(Clone)]
pub struct PublishLimit {
    buckets: Arc<DefaultKeyedRateLimiter<Actor>>,
    per_second: NonZeroU32,
}

impl std::fmt::Debug for PublishLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublishLimit").field("per_second", &self.per_second).finish_non_exhaustive()
    }
}

impl PublishLimit {
    /// So many events a second each; who was silent may publish as many as two seconds' worth at once,
    /// and a whole batch in any case.
    #[must_use]
    pub fn new(per_second: NonZeroU32) -> Self {
        let batch = u32::try_from(MAX_BATCH).unwrap_or(u32::MAX);
        let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1)).get().max(batch);
        let quota = Quota::per_second(per_second).allow_burst(NonZeroU32::MIN.saturating_add(burst - 1));
        Self { buckets: Arc::new(RateLimiter::keyed(quota)), per_second }
    }

    /// Takes so many events out of the publisher's bucket.
    ///
    /// # Errors
    /// 429 that says when there is enough in it.
    pub fn take(&self, publisher: &Actor, events: usize) -> Result<(), Error> {
        let Some(events) = u32::try_from(events).ok().and_then(NonZeroU32::new) else { return Ok(()) };
        match self.buckets.check_key_n(publisher, events) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                let wait_seconds = u32::try_from(wait.as_secs() + 1).unwrap_or(u32::MAX);
                Err(Error::TooManyPublishes { wait_seconds, per_second: self.per_second.get() })
            }
            // No request is larger than a batch, and a bucket holds one.
            Err(_) => Err(Error::Internal("a batch is larger than a bucket".to_owned())),
        }
    }

    /// Forgets publishers whose buckets are full.
    pub fn forget_idle(&self) {
        self.buckets.retain_recent();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(name: &'static str) -> Actor {
        Actor::System(name.into())
    }

    #[test]
    fn a_bucket_holds_a_batch_and_each_publisher_has_its_own() {
        let limit = PublishLimit::new(NonZeroU32::MIN);
        assert!(limit.take(&actor("one"), MAX_BATCH).is_ok());
        let refused = limit.take(&actor("one"), 1);
        assert!(
            matches!(refused, Err(Error::TooManyPublishes { wait_seconds: 1..=2, per_second: 1 })),
            "{refused:?}"
        );
        assert!(limit.take(&actor("two"), 1).is_ok());
    }
}
