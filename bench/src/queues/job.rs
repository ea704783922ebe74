//! The job that all queues carry.

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use tidewatch_jobs::JobPayload;

/// What a job carries.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BenchJob {
    /// When it was enqueued: see [`now`].
    pub(super) sent_at: u64,
    /// Whether its handler reports how long ago that was.
    pub(super) report: bool,
}

impl JobPayload for BenchJob {
    const KIND: &'static str = "bench.job";
}

/// So many jobs that are enqueued now, of which the last one reports.
pub(super) fn jobs(count: usize) -> impl Iterator<Item = BenchJob> {
    let sent_at = now();
    (1..=count).map(move |number| BenchJob { sent_at, report: number == count })
}

/// Microseconds by CLOCK_MONOTONIC, which all processes of a machine share.
pub(super) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000 + now.tv_nsec.unsigned_abs() / 1_000
}
