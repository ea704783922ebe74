//! Processes that the suite starts, breaks and ends by their own id.

use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A process. Dropped, it is killed; it is killed as well where the suite itself is.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
}

impl Child {
    /// Starts a program; what it prints is added to `log`.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(&str, String)],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(program).args(arguments);
        for (name, _) in std::env::vars() {
            // The settings of a server that this shell runs are not those of the ones that are broken.
            if name.starts_with("TIDEWATCH_") || name.starts_with("LEPTOS_") {
                command.env_remove(name);
            }
        }
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
        let process = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { process })
    }

    /// Its id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        signal_to(self.pid(), signal);
    }

    /// Kills it, as an operator's `kill -9` or the kernel's out-of-memory killer does.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        let _ = self.process.wait();
    }

    /// Asks it to end, and says how long that took and whether it ended well; kills it behind `patience`.
    pub async fn terminate(mut self, patience: Duration) -> (Duration, bool) {
        let begin = Instant::now();
        self.signal(Signal::TERM);
        while begin.elapsed() < patience {
            if let Ok(Some(status)) = self.process.try_wait() {
                return (begin.elapsed(), status.success() && status.signal().is_none());
            }
            sleep(LOOK).await;
        }
        self.kill();
        (begin.elapsed(), false)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // What is stopped takes no other signal.
        self.signal(Signal::KILL);
        let _ = self.process.wait();
    }
}

/// Sends a signal to a process that was started here or by a child of this one.
pub fn signal_to(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // What has ended already needs no signal.
        let _ = kill_process(pid, signal);
    }
}
