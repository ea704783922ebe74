//! Giving on the spot: what saves a caught-up subscriber from being woken for each event.
//!
//! A subscriber that is woken runs as a task, and a thousand tasks are a thousand times the cache misses
//! of a loop. So one that has caught up and waits can leave a [`DirectSink`] with the hub. When an event
//! comes, the hub *claims* all such subscribers of a view at once and hands them out in parts, each of
//! which offers the same bytes to one sink after the other. Who takes them has caught up again and was
//! never woken; who does not, because its socket is full, is woken and goes on by itself.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::run::Run;
use crate::stream::ProjectStream;

/// Subscribers of one part: enough to be worth a task, few enough to let others have their turn.
pub(crate) const PART: usize = 128;

/// Takes events without being waited for.
pub trait DirectSink: Send + Sync + 'static {
    /// Takes all of these events, or none: `false` when something that came before has to be done with
    /// first. Then the subscriber is woken and given them by [`crate::Subscription::next`].
    fn offer(&self, events: &Run) -> bool;
}

/// A subscriber that is claimed: until it is settled, nothing else gives it anything.
pub(crate) struct Claim {
    pub(crate) key: usize,
    /// Tells it from a later subscriber in the same place.
    pub(crate) number: NonZeroU32,
    pub(crate) sink: Arc<dyn DirectSink>,
    pub(crate) events: Run,
}

/// Some subscribers, and what each is to be given. Dropped without [`Handout::give`], they are woken
/// and take it themselves.
#[must_use = "subscribers wait for it"]
pub struct Handout {
    stream: Arc<ProjectStream>,
    claims: Vec<Claim>,
}

impl std::fmt::Debug for Handout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handout").field("claims", &self.claims.len()).finish_non_exhaustive()
    }
}

impl Handout {
    pub(crate) const fn new(stream: Arc<ProjectStream>, claims: Vec<Claim>) -> Self {
        Self { stream, claims }
    }

    /// Offers to each what waits for it, and what has come meanwhile, until all have caught up or are
    /// woken. Never waits; takes a few microseconds for each subscriber.
    pub fn give(mut self) {
        while !self.claims.is_empty() {
            let given: Vec<(Claim, bool)> = std::mem::take(&mut self.claims)
                .into_iter()
                .map(|claim| {
                    let taken = claim.sink.offer(&claim.events);
                    (claim, taken)
                })
                .collect();
            self.claims = self.stream.settle(given);
        }
    }
}

impl Drop for Handout {
    fn drop(&mut self) {
        if self.claims.is_empty() {
            return;
        }
        let not_given = std::mem::take(&mut self.claims).into_iter().map(|claim| (claim, false)).collect();
        drop(self.stream.settle(not_given));
    }
}
