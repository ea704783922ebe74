//! Processes that the benchmark starts, each pinned to a core, and ends by their own id.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::time::{Instant, sleep};

/// How long a server may take until it answers.
const UNTIL_UP: Duration = Duration::from_secs(30);
/// How long it may take to end when asked.
const UNTIL_DOWN: Duration = Duration::from_secs(5);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A server in a process group of its own. Dropped, the group is killed.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    log: PathBuf,
}

/// What to start, and with what.
#[derive(Debug)]
pub struct Program<'a> {
    /// The program.
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its environment, beside what is inherited.
    pub environment: Vec<(&'a str, String)>,
    /// Where it runs.
    pub directory: Option<&'a Path>,
}

impl<'a> Program<'a> {
    /// A program with no arguments.
    #[must_use]
    pub const fn new(program: &'a Path) -> Self {
        Self { program, arguments: Vec::new(), environment: Vec::new(), directory: None }
    }

    /// The same with one more argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The same with one more variable of the environment.
    #[must_use]
    pub fn variable(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }
}

impl Child {
    /// Starts a program on `core`; what it prints goes to `log`.
    ///
    /// It is killed as well when this process ends without having had a chance to do so. That holds
    /// by the thread that starts it, which therefore is always the main one.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(core: &str, program: &Program<'_>, log: PathBuf) -> anyhow::Result<Self> {
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "taskset", "-c", core]);
        command.arg(program.program).args(&program.arguments);
        for (name, _) in std::env::vars() {
            // The settings of a server that this shell runs are not those of the one that is measured.
            if name.starts_with("TIDEWATCH_") || name.starts_with("LEPTOS_") {
                command.env_remove(name);
            }
        }
        command.envs(program.environment.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = program.directory {
            command.current_dir(directory);
        }
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
        let process =
            command.spawn().with_context(|| format!("cannot start {}", program.program.display()))?;
        Ok(Self { process, log })
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until something listens on `address`.
    ///
    /// # Errors
    /// The process ended, or nothing listens after half a minute.
    pub async fn until_listening(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let deadline = Instant::now() + UNTIL_UP;
        while tokio::net::TcpStream::connect(address).await.is_err() {
            if let Some(status) = self.process.try_wait()? {
                bail!("it ended ({status}): {}", self.last_words());
            }
            if Instant::now() > deadline {
                bail!("nothing listens on {address}: {}", self.last_words());
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Asks the process group to end, waits, and then insists.
    pub async fn stop(mut self) {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + UNTIL_DOWN;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < deadline {
            sleep(LOOK).await;
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            // What has ended already needs no signal.
            let _ = kill_process_group(group, signal);
        }
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.process.wait();
    }
}

/// An address of this machine that nothing listens on.
///
/// # Errors
/// There is none.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A program out of the search path.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|folder| folder.join(name)).find(|file| file.is_file())
}
