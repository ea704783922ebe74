//! Instances on one Postgres, with a simulator before them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use sqlx::{Connection, PgConnection};
use tidewatch_bench::child::free_address;
use tidewatch_bench::process::{memory_of_tree, tree};
use tokio::process::Command;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::Options;
use crate::child::Child;
use crate::entry::Entry;
use crate::line::Line;
use crate::readers::{Access, HEARTBEAT};
use crate::services::{Broker, Postgres};

/// How many instances there are.
pub const INSTANCES: usize = 3;
/// Longest wait for anything to come up.
const UNTIL_UP: Duration = Duration::from_secs(60);
/// Behind it, an instance that was asked to end is killed.
const UNTIL_ENDED: Duration = Duration::from_secs(32);

/// What all instances use together.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Resident memory in bytes.
    pub memory: u64,
    /// Open files.
    pub files: usize,
    /// Connections to Postgres.
    pub connections: i64,
}

/// An instance, whether it runs or not.
#[derive(Debug)]
pub struct Instance {
    /// Its name, which it tells the others.
    pub name: String,
    /// Where it serves.
    pub address: SocketAddr,
    /// Its way to Postgres.
    pub database: Line,
    /// Its way to the broker.
    pub broker: Line,
    /// Its process.
    pub process: Option<Child>,
}

/// Everything that can be broken.
#[derive(Debug)]
pub struct World {
    /// What was asked for.
    pub options: Options,
    /// The database.
    pub postgres: Postgres,
    /// The broker.
    pub broker: Broker,
    /// The instances.
    pub instances: Vec<Instance>,
    /// All of them under one address.
    pub entry: Entry,
    /// The project whose events are read.
    pub project: Uuid,
    key: String,
    simulator: Option<Child>,
}

impl World {
    /// Makes all of it anew, and waits until every instance is ready.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn create(options: &Options) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&options.folder)?;
        let folder = options.folder.canonicalize()?;
        let postgres = Postgres::create(&options.postgres, options.database_folder.clone()).await?;
        let url = postgres.url().await?;
        tidewatch(options, &url, &["migrate"]).await?;
        let accounts = folder.join("demo.env");
        let _ = std::fs::remove_file(&accounts);
        tidewatch(options, &url, &["seed", "--write-env", &accounts.to_string_lossy()]).await?;
        let text = std::fs::read_to_string(&accounts)?;
        let key = text.lines().find_map(|line| line.strip_prefix("TIDEWATCH_API_KEY="));
        let key = key.context("the demo has no key")?.to_owned();
        let mut connection = PgConnection::connect(&url).await?;
        let project = sqlx::query_scalar("select id from projects where slug = 'demo'")
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        let broker = Broker::start(options.broker, &folder)?;
        let database = address_of(&url)?;
        let mut instances = Vec::new();
        for number in 1..=INSTANCES {
            instances.push(Instance {
                name: format!("chaos-{number}"),
                address: free_address()?,
                database: Line::to(database).await?,
                broker: Line::to(broker.address()).await?,
                process: None,
            });
        }
        let entry = Entry::before(instances.iter().map(|instance| instance.address).collect()).await?;
        let options = Options { folder, ..options.clone() };
        let mut world = Self { options, postgres, broker, instances, entry, project, key, simulator: None };
        for number in 0..INSTANCES {
            world.start(number).await?;
        }
        world.until_ready(INSTANCES).await?;
        Ok(world)
    }

    /// Starts an instance.
    ///
    /// # Errors
    /// It could not be started.
    pub async fn start(&mut self, number: usize) -> anyhow::Result<()> {
        self.start_with(number, &[]).await
    }

    /// Ends an instance and starts it anew, with these settings as well; waits until all are ready. Says how long it took to
    /// end.
    ///
    /// # Errors
    /// It does not end, or could not be started.
    pub async fn restart(&mut self, number: usize, more: &[(&str, String)]) -> anyhow::Result<Duration> {
        let process = self.instances[number].process.take().context("an instance does not run")?;
        let (took, is_good) = process.terminate(UNTIL_ENDED).await;
        ensure!(is_good, "{} had to be killed", self.instances[number].name);
        self.start_with(number, more).await?;
        self.until_ready(INSTANCES).await?;
        Ok(took)
    }

    async fn start_with(&mut self, number: usize, more: &[(&str, String)]) -> anyhow::Result<()> {
        let url = self.postgres.url().await?;
        let instance = &mut self.instances[number];
        let direct = address_of(&url)?;
        let many = "1000000".to_owned();
        let mut environment = vec![
            ("DATABASE_URL", url.replace(&direct.to_string(), &instance.database.address.to_string())),
            ("TIDEWATCH_LISTEN", instance.address.to_string()),
            ("TIDEWATCH_INSTANCE", instance.name.clone()),
            ("TIDEWATCH_LOG", "info".to_owned()),
            ("TIDEWATCH_HEARTBEAT_SECONDS", HEARTBEAT.as_secs().to_string()),
            ("TIDEWATCH_STREAMS_PER_KEY", many.clone()),
            ("TIDEWATCH_STREAMS_PER_ADDRESS", many),
            ("TIDEWATCH_WITNESS_MINUTES", "0".to_owned()),
        ];
        environment.extend(self.broker.setting(instance.broker.address));
        environment.extend(more.iter().cloned());
        let log = self.options.folder.join(format!("{}.log", instance.name));
        instance.process =
            Some(Child::start(&self.options.server, &["serve".to_owned()], &environment, &log)?);
        Ok(())
    }

    /// Kills an instance where it stands.
    pub fn kill(&mut self, number: usize) {
        if let Some(process) = self.instances[number].process.take() {
            process.kill();
        }
    }

    /// Waits until so many instances are ready.
    ///
    /// # Errors
    /// That takes longer than a minute.
    pub async fn until_ready(&self, count: usize) -> anyhow::Result<()> {
        let begin = Instant::now();
        while self.entry.ready() < count {
            ensure!(begin.elapsed() < UNTIL_UP, "{} of {count} instances are ready", self.entry.ready());
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// The instance that gives positions.
    ///
    /// # Errors
    /// Postgres cannot be reached, or none does.
    pub async fn leader(&self) -> anyhow::Result<usize> {
        let mut connection = self.connect().await?;
        let name: Option<String> =
            sqlx::query_scalar("select leader from relay_leadership").fetch_one(&mut connection).await?;
        connection.close().await?;
        self.instances.iter().position(|it| Some(&it.name) == name.as_ref()).context("nobody leads")
    }

    /// A connection to Postgres beside the instances' lines.
    ///
    /// # Errors
    /// Postgres cannot be reached.
    pub async fn connect(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&self.postgres.url().await?).await?)
    }

    /// Where readers connect: each instance by itself, as clients of a balancer that knows nothing, or all by one that asks.
    #[must_use]
    pub fn access(&self, is_balanced: bool) -> Access {
        let addresses = if is_balanced {
            vec![self.entry.address]
        } else {
            self.instances.iter().map(|instance| instance.address).collect()
        };
        Access { addresses: Arc::new(addresses), key: self.key.as_str().into() }
    }

    /// Starts the simulator on all instances together.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start_simulator(&mut self) -> anyhow::Result<()> {
        let arguments = ["simulate", "--rate", &format!("{}/s", self.options.rate)].map(str::to_owned);
        let environment = [
            ("TIDEWATCH_URL", format!("http://{}", self.entry.address)),
            ("TIDEWATCH_API_KEY", self.key.clone()),
            ("TIDEWATCH_LOG", "info".to_owned()),
        ];
        let log = self.options.folder.join("simulator.log");
        self.simulator = Some(Child::start(&self.options.server, &arguments, &environment, &log)?);
        Ok(())
    }

    /// Ends the simulator.
    pub async fn stop_simulator(&mut self) {
        if let Some(simulator) = self.simulator.take() {
            simulator.terminate(Duration::from_secs(5)).await;
        }
    }

    /// What all instances use together.
    ///
    /// # Errors
    /// Postgres cannot be reached.
    pub async fn usage(&self) -> anyhow::Result<Usage> {
        let pids = || self.instances.iter().filter_map(|it| it.process.as_ref()).map(Child::pid);
        let memory = pids().map(memory_of_tree).sum();
        let open = |pid: u32| std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        let files = pids().flat_map(tree).map(open).sum();
        let mut connection = self.connect().await?;
        let connections =
            sqlx::query_scalar("select count(*) from pg_stat_activity where datname = current_database()")
                .fetch_one(&mut connection)
                .await?;
        connection.close().await?;
        Ok(Usage { memory, files, connections })
    }

    /// Compares all tables with the events, by `tidewatch verify`.
    ///
    /// # Errors
    /// They do not say the same.
    pub async fn verify(&self) -> anyhow::Result<()> {
        tidewatch(&self.options, &self.postgres.url().await?, &["verify"]).await.map(drop)
    }

    /// Ends all of it.
    ///
    /// # Errors
    /// Postgres does not end.
    pub async fn remove(mut self) -> anyhow::Result<()> {
        self.stop_simulator().await;
        self.instances.clear();
        self.broker.kill();
        self.postgres.remove().await
    }
}

/// Host and port of a database's address.
fn address_of(url: &str) -> anyhow::Result<SocketAddr> {
    let (_, rest) = url.split_once('@').context("the address of Postgres has no user")?;
    let (address, _) = rest.split_once('/').context("the address of Postgres names no database")?;
    address.parse().context("Postgres is not on an address of this machine")
}

/// Runs a command of the program.
async fn tidewatch(options: &Options, url: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let program: &PathBuf = &options.server;
    let output = Command::new(program)
        .args(arguments)
        .env("DATABASE_URL", url)
        .env("TIDEWATCH_LOG", "warn")
        .output()
        .await
        .with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(
        output.status.success(),
        "tidewatch {} failed: {}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
