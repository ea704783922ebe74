//! Which core this process runs on.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, Pid, sched_setaffinity};

/// Pins the calling thread, which is the one of all clients and publishers, to one core.
///
/// # Errors
/// There is no such core.
pub fn run_on_core(core: &str) -> Result<()> {
    let mut cores = CpuSet::new();
    for number in core.split(',') {
        cores.set(number.trim().parse().with_context(|| format!("`{core}` is no list of cores"))?);
    }
    sched_setaffinity(None::<Pid>, &cores).with_context(|| format!("cannot run on core {core}"))
}
