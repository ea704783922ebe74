//! How many events a second each publisher may publish, over all instances.
//!
//! Each instance has a token bucket for each publisher and tells the others, once a second, what it gave out; they take
//! as much out of theirs. A bucket may be overdrawn by that, so over more than some seconds a publisher has its rate and
//! no more, however many instances it publishes at. What it can gain by going to many is one burst at each, once.

pub mod exchange;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tidewatch_events::access::Actor;

use crate::commands::publish::MAX_BATCH;
use crate::error::Error;

/// A token bucket for each publisher. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PublishLimit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    per_second: NonZeroU32,
    /// What a full bucket holds.
    burst: f64,
    buckets: Mutex<HashMap<Actor, Bucket>>,
}

/// One publisher's events that it may still publish now.
#[derive(Debug)]
struct Bucket {
    /// Below zero where others gave out what this one had not been told of yet.
    level: f64,
    /// When that was so.
    at: Instant,
    /// Given out here, and the others do not know yet.
    untold: u64,
}

impl Bucket {
    fn refill(&mut self, now: Instant, per_second: NonZeroU32, burst: f64) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + passed * f64::from(per_second.get())).min(burst);
        self.at = now;
    }
}

impl PublishLimit {
    /// So many events a second each; who was silent may publish as many as two seconds' worth at once,
    /// and a whole batch in any case.
    #[must_use]
    pub fn new(per_second: NonZeroU32) -> Self {
        let batch = u32::try_from(MAX_BATCH).unwrap_or(u32::MAX);
        let burst = f64::from(per_second.get().saturating_mul(2).max(batch));
        Self(Arc::new(Inner { per_second, burst, buckets: Mutex::default() }))
    }

    /// Takes so many events out of the publisher's bucket.
    ///
    /// # Errors
    /// 429 that says when there is enough in it.
    pub fn take(&self, publisher: &Actor, events: usize) -> Result<(), Error> {
        self.take_at(Instant::now(), publisher, events)
    }

    fn take_at(&self, now: Instant, publisher: &Actor, events: usize) -> Result<(), Error> {
        // No request is larger than a batch, and a bucket holds one.
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        let per_second = self.0.per_second;
        self.change(now, publisher, |bucket| {
            let missing = f64::from(events) - bucket.level;
            if missing > 0.0 {
                let wait = Duration::try_from_secs_f64(missing / f64::from(per_second.get()));
                let wait_seconds =
                    wait.map_or(u32::MAX, |wait| u32::try_from(wait.as_secs() + 1).unwrap_or(u32::MAX));
                return Err(Error::TooManyPublishes { wait_seconds, per_second: per_second.get() });
            }
            bucket.level -= f64::from(events);
            bucket.untold += u64::from(events);
            Ok(())
        })
    }

    /// What each publisher published here that the others have not been told of; it counts as told from now on.
    #[must_use]
    pub fn take_untold(&self) -> Vec<(Actor, u64)> {
        let mut buckets = self.0.buckets.lock();
        let busy = buckets.iter_mut().filter(|(_, bucket)| bucket.untold > 0);
        busy.map(|(actor, bucket)| (actor.clone(), std::mem::take(&mut bucket.untold))).collect()
    }

    /// This could not be told.
    pub fn put_back(&self, untold: Vec<(Actor, u64)>) {
        let now = Instant::now();
        for (publisher, events) in untold {
            self.change(now, &publisher, |bucket| bucket.untold += events);
        }
    }

    /// So many events the publisher published at another instance.
    pub fn taken_elsewhere(&self, publisher: &Actor, events: u64) {
        self.taken_elsewhere_at(Instant::now(), publisher, events);
    }

    fn taken_elsewhere_at(&self, now: Instant, publisher: &Actor, events: u64) {
        let burst = self.0.burst;
        // Whoever was let in twice pays that back, and no more: a wrong count must not shut anybody out for long.
        self.change(now, publisher, |bucket| bucket.level = (bucket.level - events as f64).max(-burst));
    }

    fn change<T>(&self, now: Instant, publisher: &Actor, change: impl FnOnce(&mut Bucket) -> T) -> T {
        let Inner { per_second, burst, buckets } = &*self.0;
        let mut buckets = buckets.lock();
        let bucket =
            buckets.entry(publisher.clone()).or_insert_with(|| Bucket { level: *burst, at: now, untold: 0 });
        bucket.refill(now, *per_second, *burst);
        change(bucket)
    }

    /// Forgets publishers whose buckets are full.
    pub fn forget_idle(&self) {
        let now = Instant::now();
        let Inner { per_second, burst, buckets } = &*self.0;
        buckets.lock().retain(|_, bucket| {
            bucket.refill(now, *per_second, *burst);
            bucket.level < *burst || bucket.untold > 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(name: &'static str) -> Actor {
        Actor::System(name.into())
    }

    fn limit(per_second: u32) -> PublishLimit {
        PublishLimit::new(NonZeroU32::new(per_second).expect("above zero"))
    }

    #[test]
    fn a_bucket_holds_a_batch_and_each_publisher_has_its_own() {
        let limit = limit(1);
        assert!(limit.take(&actor("one"), MAX_BATCH).is_ok());
        let refused = limit.take(&actor("one"), 1);
        assert!(
            matches!(refused, Err(Error::TooManyPublishes { wait_seconds: 1..=2, per_second: 1 })),
            "{refused:?}"
        );
        assert!(limit.take(&actor("two"), 1).is_ok());
    }

    #[test]
    fn a_bucket_fills_as_time_goes_on_and_not_beyond_its_burst() {
        let (limit, one, begin) = (limit(1_000), actor("one"), Instant::now());
        assert!(limit.take_at(begin, &one, 2_000).is_ok());
        assert!(limit.take_at(begin, &one, 1).is_err());
        assert!(limit.take_at(begin + Duration::from_millis(500), &one, 500).is_ok());
        assert!(limit.take_at(begin + Duration::from_millis(500), &one, 1).is_err());
        let much_later = begin + Duration::from_secs(3_600);
        assert!(limit.take_at(much_later, &one, 2_001).is_err());
        assert!(limit.take_at(much_later, &one, 2_000).is_ok());
    }

    #[test]
    fn what_others_gave_out_is_missing_here_and_never_more_than_a_burst() {
        let (limit, one, begin) = (limit(1_000), actor("one"), Instant::now());
        limit.taken_elsewhere_at(begin, &one, 1_500);
        assert!(limit.take_at(begin, &one, 501).is_err());
        assert!(limit.take_at(begin, &one, 500).is_ok());
        limit.taken_elsewhere_at(begin, &one, u64::MAX);
        let in_two_seconds = begin + Duration::from_secs(2);
        assert!(limit.take_at(in_two_seconds, &one, 1).is_err(), "what was overdrawn is paid back first");
        assert!(limit.take_at(begin + Duration::from_secs(3), &one, 1_000).is_ok());
    }

    #[test]
    fn what_was_given_out_is_told_once_and_again_where_that_failed() {
        let (limit, one) = (limit(1_000), actor("one"));
        assert!(limit.take(&one, 3).is_ok());
        assert!(limit.take(&one, 4).is_ok());
        let untold = limit.take_untold();
        assert_eq!(untold, [(one.clone(), 7)]);
        assert_eq!(limit.take_untold(), []);
        limit.put_back(untold);
        assert!(limit.take(&one, 1).is_ok());
        assert_eq!(limit.take_untold(), [(one, 8)]);
    }
}
