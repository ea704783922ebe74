//! Expensive reads, once for all who ask at the same moment.
//!
//! What is kept is whole: data, position and token of one repeatable-read snapshot. A page that is given one from a
//! moment ago is right as of then, and goes on behind its position as any other.
//!
//! It is kept under the whole subject, with every permission and name that it goes by, so that nobody is ever shown
//! what was read for somebody who sees more. It is used until an event of its project is published (see
//! [`Generations`]), and no longer than [`KEEP`], for what no event tells.

mod generations;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moka::future::Cache;
use moka::policy::EvictionPolicy;
use tidewatch_app::model::{Overview, Snapshot, TimeRange};
use tidewatch_events::Subject;

pub use self::generations::Generations;
use crate::error::Error;
use crate::metrics::{Metrics, Outcome};

/// How long a read is used when nothing is published: connections, lag and time go on without events.
const KEEP: Duration = Duration::from_secs(2);
/// How many are kept. One is some ten kilobytes.
const MOST: u64 = 256;

/// The expensive reads of this instance. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reads {
    /// Overviews.
    pub overview: OverviewReads,
    /// Told of what is published.
    pub generations: Generations,
}

impl Reads {
    /// Nothing read yet.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self::keeping(metrics, KEEP)
    }

    fn keeping(metrics: Metrics, keep: Duration) -> Self {
        let generations = Generations::default();
        let kept = Cache::builder()
            .name("overview")
            .max_capacity(MOST)
            .time_to_live(keep)
            // Those of past generations go first; how often they were used says nothing.
            .eviction_policy(EvictionPolicy::lru())
            .build();
        let overview = OverviewReads { kept, generations: generations.clone(), metrics };
        Self { overview, generations }
    }
}

/// For whom, over which range, as of which generation of the project.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct OverviewKey {
    subject: Subject,
    range: TimeRange,
    generation: u64,
}

/// Overviews that were read a moment ago or are being read. Cheap to clone.
#[derive(Debug, Clone)]
pub struct OverviewReads {
    kept: Cache<OverviewKey, Arc<Snapshot<Overview>>>,
    generations: Generations,
    metrics: Metrics,
}

impl OverviewReads {
    /// What is kept for this subject and range, or what `read` reads now. Whoever asks meanwhile waits for it; should
    /// the one who reads be gone, the next one in line reads.
    ///
    /// # Errors
    /// What reading it failed with, for all who waited. It is not kept.
    pub async fn get(
        &self,
        subject: &Subject,
        range: TimeRange,
        read: impl Future<Output = Result<Snapshot<Overview>, Error>>,
    ) -> Result<Arc<Snapshot<Overview>>, Error> {
        // Before anything is read: an event that is published from now on makes another generation.
        let generation = self.generations.current(subject.project_id);
        let key = OverviewKey { subject: subject.clone(), range, generation };
        if let Some(kept) = self.kept.get(&key).await {
            self.metrics.overview_read(Outcome::Hit);
            return Ok(kept);
        }
        let reads_itself = AtomicBool::new(false);
        let _waiting = self.metrics.overview_waits();
        let read = async {
            reads_itself.store(true, Ordering::Relaxed);
            read.await.map(Arc::new)
        };
        let answer = self.kept.try_get_with(key, read).await;
        let was_read = reads_itself.load(Ordering::Relaxed);
        self.metrics.overview_read(if was_read { Outcome::Miss } else { Outcome::Coalesced });
        answer.map_err(|error| for_each_waiter(&error))
    }
}

/// The same error for everybody who waited. Of a read there are no others than these two kinds.
fn for_each_waiter(error: &Error) -> Error {
    match error {
        Error::Unavailable(reason) => Error::Unavailable(reason),
        other => Error::Internal(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
