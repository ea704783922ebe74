//! The jobs that a worker holds, each under its lease.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tidewatch_events::job::Progress;
use tokio::task::AbortHandle;

use crate::claim::Lease;
use crate::context::Signs;

/// Which jobs this worker holds: each from its claim until its outcome is written.
#[derive(Debug, Default)]
pub(crate) struct Roster(Mutex<HashMap<Lease, Run>>);

#[derive(Debug)]
struct Run {
    signs: Arc<Signs>,
    /// `None` until a place is free for it.
    task: Option<AbortHandle>,
}

impl Roster {
    /// Enters a job that was claimed.
    pub(crate) fn enter(&self, lease: Lease, signs: Arc<Signs>) {
        self.0.lock().insert(lease, Run { signs, task: None });
    }

    /// Notes the run that `start` starts. Under the lock: it cannot have ended before it is noted.
    pub(crate) fn start(&self, lease: Lease, start: impl FnOnce() -> AbortHandle) {
        if let Some(run) = self.0.lock().get_mut(&lease) {
            run.task = Some(start());
        }
    }

    /// Forgets a run: its outcome is written.
    pub(crate) fn leave(&self, lease: Lease) {
        self.0.lock().remove(&lease);
    }

    /// The leases to be extended. A run that ended has its outcome on the way, or none for ever.
    pub(crate) fn leases(&self) -> Vec<Lease> {
        self.those(|run| run.task.as_ref().is_none_or(|task| !task.is_finished()))
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
        for task in self.0.lock().values().filter_map(|run| run.task.as_ref()) {
            task.abort();
        }
    }

    /// The jobs that do not run, or no more, and whose outcome was not written.
    pub(crate) fn idle(&self) -> Vec<Lease> {
        self.those(|run| run.task.as_ref().is_none_or(AbortHandle::is_finished))
    }

    fn those(&self, which: impl Fn(&Run) -> bool) -> Vec<Lease> {
        let runs = self.0.lock();
        runs.iter().filter(|(_, run)| which(run)).map(|(lease, _)| *lease).collect()
    }
}
