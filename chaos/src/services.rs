//! What the instances stand on: a Postgres and a broker of the suite's own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use rustix::process::Signal;
use tidewatch_bench::child::{find_program, free_address};
use tidewatch_bench::process::tree;
use tokio::process::Command;

use crate::child::{Child, signal_to};

/// A Postgres, by the project's script.
#[derive(Debug, Clone)]
pub struct Postgres {
    script: PathBuf,
    folder: PathBuf,
}

impl Postgres {
    /// Makes one anew and starts it, as it is run in production: what is committed is on the disk.
    ///
    /// # Errors
    /// The script failed.
    pub async fn create(script: &Path, folder: PathBuf) -> anyhow::Result<Self> {
        let postgres = Self { script: script.to_owned(), folder };
        postgres.script("remove").await?;
        postgres.script("start").await?;
        Ok(postgres)
    }

    async fn script(&self, command: &str) -> anyhow::Result<String> {
        let output = Command::new(&self.script).arg(command).arg(&self.folder).output().await?;
        ensure!(
            output.status.success(),
            "{} {command} failed: {}",
            self.script.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Its address for the application.
    ///
    /// # Errors
    /// The script failed.
    pub async fn url(&self) -> anyhow::Result<String> {
        self.script("url").await
    }

    /// The same for its superuser.
    ///
    /// # Errors
    /// The script failed.
    pub async fn admin_url(&self) -> anyhow::Result<String> {
        self.script("admin-url").await
    }

    /// Kills it as a crash of the machine would, and starts it: it recovers out of its log.
    ///
    /// # Errors
    /// It does not come up again.
    pub async fn crash(&self) -> anyhow::Result<()> {
        let all = self.processes().await?;
        all.iter().for_each(|pid| signal_to(*pid, Signal::KILL));
        self.script("start").await.map(drop)
    }

    /// Restarts it in order.
    ///
    /// # Errors
    /// It does not end or come up again.
    pub async fn restart(&self) -> anyhow::Result<()> {
        self.script("stop").await?;
        self.script("start").await.map(drop)
    }

    /// Sends a signal to each of its processes.
    ///
    /// # Errors
    /// It does not run.
    pub async fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        self.processes().await?.into_iter().for_each(|pid| signal_to(pid, signal));
        Ok(())
    }

    async fn processes(&self) -> anyhow::Result<Vec<u32>> {
        Ok(tree(self.script("pid").await?.parse()?))
    }

    /// Ends it and deletes its data.
    ///
    /// # Errors
    /// The script failed.
    pub async fn remove(&self) -> anyhow::Result<()> {
        self.script("remove").await.map(drop)
    }
}

/// What carries events between instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BrokerKind {
    /// The log alone.
    Postgres,
    /// Redis.
    Redis,
    /// NATS with JetStream.
    Nats,
}

/// A broker of the suite's own.
#[derive(Debug)]
pub struct Broker {
    kind: BrokerKind,
    address: SocketAddr,
    folder: PathBuf,
    process: Option<Child>,
}

impl Broker {
    /// Starts one; with Postgres alone, none.
    ///
    /// # Errors
    /// Its program is not on this machine, or there is no port.
    pub fn start(kind: BrokerKind, folder: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut broker = Self { kind, address, folder: folder.to_owned(), process: None };
        broker.start_again()?;
        Ok(broker)
    }

    /// Starts it where it was.
    ///
    /// # Errors
    /// Its program is not on this machine.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let port = self.address.port().to_string();
        let (name, arguments) = match self.kind {
            BrokerKind::Postgres => return Ok(()),
            BrokerKind::Redis => (
                "redis-server",
                vec!["--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--port", &port],
            ),
            BrokerKind::Nats => ("nats-server", vec!["--jetstream", "--addr", "127.0.0.1", "--port", &port]),
        };
        let Some(program) = find_program(name) else { bail!("there is no {name} on this machine") };
        let mut arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        if self.kind == BrokerKind::Nats {
            arguments
                .extend(["--store_dir".to_owned(), self.folder.join("nats").to_string_lossy().into_owned()]);
        }
        self.process = Some(Child::start(&program, &arguments, &[], &self.folder.join("broker.log"))?);
        Ok(())
    }

    /// Kills it.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }

    /// How an instance is told of it, over this line.
    #[must_use]
    pub fn setting(&self, line: SocketAddr) -> Option<(&'static str, String)> {
        match self.kind {
            BrokerKind::Postgres => None,
            BrokerKind::Redis => Some(("TIDEWATCH_REDIS_URL", format!("redis://{line}"))),
            BrokerKind::Nats => Some(("TIDEWATCH_NATS_URL", format!("nats://{line}"))),
        }
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forgets all that it keeps: `FLUSHALL`, which a broker of messages has nothing to lose by.
    ///
    /// # Errors
    /// Redis cannot be reached.
    pub async fn flush(&self) -> anyhow::Result<()> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        if self.kind != BrokerKind::Redis {
            return Ok(());
        }
        let mut stream = tokio::net::TcpStream::connect(self.address).await?;
        stream.write_all(b"FLUSHALL\r\nCLIENT KILL TYPE pubsub\r\n").await?;
        stream.read(&mut [0; 64]).await.map(drop).context("Redis does not answer")
    }
}
