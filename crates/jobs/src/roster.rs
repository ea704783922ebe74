//! The runs of this process, each under its lease.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tidewatch_events::job::Progress;
use tokio::task::AbortHandle;

use crate::claim::Lease;
use crate::context::Signs;

/// Who runs. A run is in it from its start until its outcome is written.
#[derive(Debug, Default)]
pub(crate) struct Roster(Mutex<HashMap<Lease, Run>>);

#[derive(Debug)]
struct Run {
    signs: Arc<Signs>,
    task: AbortHandle,
}

impl Roster {
    /// Enters the run that `start` starts. Under the lock: it cannot have ended before it is entered.
    pub(crate) fn enter(&self, lease: Lease, signs: Arc<Signs>, start: impl FnOnce() -> AbortHandle) {
        let mut runs = self.0.lock();
        runs.insert(lease, Run { signs, task: start() });
    }

    /// Forgets a run: its outcome is written.
    pub(crate) fn leave(&self, lease: Lease) {
        self.0.lock().remove(&lease);
    }

    /// The leases to be extended. A run that ended has its outcome on the way, or none for ever.
    pub(crate) fn leases(&self) -> Vec<Lease> {
        let runs = self.0.lock();
        runs.iter().filter(|(_, run)| !run.task.is_finished()).map(|(lease, _)| *lease).collect()
    }

    /// Tells a run to stop.
    pub(crate) fn cancel(&self, lease: Lease) {
        if let Some(run) = self.0.lock().get(&lease) {
            run.signs.cancelled.cancel();
        }
    }

    /// Tells all runs to stop.
    pub(crate) fn cancel_all(&self) {
        for run in self.0.lock().values() {
            run.signs.cancelled.cancel();
        }
    }

    /// What a run said of its progress since it was asked last.
    pub(crate) fn progress_of(&self, lease: Lease) -> Option<Progress> {
        self.0.lock().get(&lease)?.signs.progress.lock().take()
    }

    /// What all runs said of their progress since they were asked last.
    pub(crate) fn progress(&self) -> Vec<(Lease, Progress)> {
        let runs = self.0.lock();
        runs.iter().filter_map(|(lease, run)| Some((*lease, run.signs.progress.lock().take()?))).collect()
    }

    /// Drops all runs where they stand: at their next await.
    pub(crate) fn abort_all(&self) {
        for run in self.0.lock().values() {
            run.task.abort();
        }
    }

    /// The runs that ended and whose outcome was not written.
    pub(crate) fn ended(&self) -> Vec<Lease> {
        let runs = self.0.lock();
        runs.iter().filter(|(_, run)| run.task.is_finished()).map(|(lease, _)| *lease).collect()
    }
}
