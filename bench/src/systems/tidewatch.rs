//! Tidewatch itself: the real server on a real Postgres, published to by the outbox in a transaction.
//!
//! Its figures are those of a durable, ordered, authorized publish: they include the relay, the
//! follower and the check of each reader's rights. Peers only hold events in memory.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tidewatch_events::ProjectId;
use tidewatch_outbox::{Outbox, Waker};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Running, System, TIDEWATCH};
use crate::child::{Child, Program, free_address};
use crate::clock::Clock;
use crate::context::Context;
use crate::event::{BenchEvent, aggregate_of_topic};
use crate::http::HttpConnection;
use crate::publish::{Publisher, Publishers};

/// The project of all events.
const PROJECT: &str = "bench";
/// The project of the demo.
const DEMO: &str = "demo";
/// The file with the demo's accounts.
const ACCOUNTS: &str = "demo.env";
/// Connections of the publishers.
const CONNECTIONS: u32 = 40;

/// A Postgres in which databases may be made.
#[derive(Debug, Clone)]
pub struct Database {
    /// A database of it.
    pub url: String,
    /// Its first process, where it is known.
    pub postgres: Option<u32>,
}

impl Database {
    /// Its version.
    ///
    /// # Errors
    /// Postgres cannot be reached.
    pub async fn version(&self) -> anyhow::Result<String> {
        let mut connection =
            PgConnection::connect(&self.url).await.context("cannot reach the benchmark's Postgres")?;
        let version = sqlx::query_scalar("show server_version").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(version)
    }

    /// Makes an empty database, in place of one of the same name, and says its address.
    ///
    /// # Errors
    /// Postgres cannot be reached, or the role may not make databases.
    pub async fn create(&self, name: &str) -> anyhow::Result<String> {
        let mut connection =
            PgConnection::connect(&self.url).await.context("cannot reach the benchmark's Postgres")?;
        // The names are constants of this program.
        let mut execute =
            async |statement: String| sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await;
        // Who is no superuser may not force autovacuum out. Without force Postgres sends it away itself.
        if execute(format!("drop database if exists {name} with (force)")).await.is_err() {
            execute(format!("drop database if exists {name}")).await?;
        }
        execute(format!("create database {name}")).await?;
        connection.close().await?;
        self.address_of(name)
    }

    fn address_of(&self, name: &str) -> anyhow::Result<String> {
        let (server, _) = self.url.rsplit_once('/').context("the address of Postgres names no database")?;
        Ok(format!("{server}/{name}"))
    }
}

/// Which moment counts as the sending of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentAt {
    /// Before the transaction begins.
    Publish,
    /// When the commit is sent.
    Commit,
}

/// Tidewatch, with a database of its own.
#[derive(Debug, Clone)]
pub struct Tidewatch {
    database: Database,
    name: &'static str,
    /// Which database.
    pub database_name: &'static str,
    /// Settings beside those of every run.
    pub settings: Vec<(&'static str, String)>,
    /// Which moment counts as the sending.
    pub sent_at: SentAt,
}

/// A database with schema, project and key.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The database.
    pub url: String,
    /// The project.
    pub project: ProjectId,
    key: String,
}

/// A database with the demo's project.
#[derive(Debug, Clone)]
pub struct Demo {
    /// The database.
    pub prepared: Prepared,
    /// Who may sign in.
    pub account: Account,
}

/// The demo's operator, and its API key.
#[derive(Debug, Clone)]
pub struct Account {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: String,
    /// A key with every right.
    pub api_key: String,
}

impl Tidewatch {
    /// With the usual settings.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            database,
            name: TIDEWATCH,
            database_name: "bench_tidewatch",
            settings: Vec::new(),
            sent_at: SentAt::Publish,
        }
    }

    /// The same under another name in the results and with one more setting.
    #[must_use]
    pub fn variant(mut self, name: &'static str, (setting, value): (&'static str, String)) -> Self {
        self.name = name;
        self.with(setting, value)
    }

    /// The same with one more setting.
    #[must_use]
    pub fn with(mut self, setting: &'static str, value: String) -> Self {
        self.settings.push((setting, value));
        self
    }

    /// Makes the database, with schema, project and key, by Tidewatch's own commands.
    ///
    /// # Errors
    /// One of them failed.
    pub async fn prepare(&self, context: &Context) -> anyhow::Result<Prepared> {
        let url = self.database.create(self.database_name).await?;
        command(context, &url, &["migrate"]).await?;
        command(context, &url, &["projects", "create", PROJECT, "--name", "Benchmarks"]).await?;
        let key = make_key(context, &url, "readers", &["events.read", "settlements.read"]).await?;
        let project = project_of(&url, PROJECT).await?;
        Ok(Prepared { url, project, key })
    }

    /// Makes the database with the demo's project, by Tidewatch's own commands.
    ///
    /// # Errors
    /// One of them failed.
    pub async fn prepare_demo(&self, context: &Context) -> anyhow::Result<Demo> {
        let url = self.database.create(self.database_name).await?;
        // Accounts of another database.
        let _ = std::fs::remove_file(context.run_folder.join(ACCOUNTS));
        self.reopen_demo(context, url).await
    }

    /// The database as an earlier run left it, with the schema of today.
    ///
    /// # Errors
    /// There is none, or a command failed.
    pub async fn find_demo(&self, context: &Context) -> anyhow::Result<Demo> {
        let url = self.database.address_of(self.database_name)?;
        self.reopen_demo(context, url).await
    }

    async fn reopen_demo(&self, context: &Context, url: String) -> anyhow::Result<Demo> {
        command(context, &url, &["migrate"]).await?;
        let file = context.run_folder.join(ACCOUNTS);
        command(context, &url, &["seed", "--write-env", &file.to_string_lossy()]).await?;
        let text = std::fs::read_to_string(&file)?;
        let value = |name: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            found.map(ToOwned::to_owned).with_context(|| format!("the demo has no {name}"))
        };
        let account = Account {
            email: value("TIDEWATCH_EMAIL")?,
            password: value("TIDEWATCH_PASSWORD")?,
            api_key: value("TIDEWATCH_API_KEY")?,
        };
        let project = project_of(&url, DEMO).await?;
        Ok(Demo { prepared: Prepared { url, project, key: account.api_key.clone() }, account })
    }

    /// Has Tidewatch compare all tables with the events.
    ///
    /// # Errors
    /// They do not say the same.
    pub async fn verify(&self, context: &Context, prepared: &Prepared) -> anyhow::Result<()> {
        command(context, &prepared.url, &["verify"]).await.map(drop)
    }

    /// Starts the server on what was prepared.
    ///
    /// # Errors
    /// It did not come up.
    pub async fn serve(&self, context: &Context, prepared: Prepared) -> anyhow::Result<RunningTidewatch> {
        let address = free_address()?;
        let many = "1000000".to_owned();
        let mut program = Program::new(&context.server_program)
            .argument("serve")
            .variable("DATABASE_URL", prepared.url.as_str())
            .variable("TIDEWATCH_LISTEN", address.to_string())
            .variable("TIDEWATCH_LOG", "warn")
            .variable("TIDEWATCH_STREAMS_PER_KEY", many.as_str())
            .variable("TIDEWATCH_STREAMS_PER_USER", many.as_str())
            .variable("TIDEWATCH_STREAMS_PER_ADDRESS", many.as_str());
        for (name, value) in &self.settings {
            program = program.variable(name, value.as_str());
        }
        let mut child = Child::start(&context.cores.server, &program, context.log("tidewatch"))?;
        child.until_listening(address).await?;
        HttpConnection::connect(address).await?.get("/readyz").await.context("the server is not ready")?;

        let options: PgConnectOptions = prepared.url.parse()?;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options.clone()).await?;
        let waker = Waker::default();
        let shutdown = CancellationToken::new();
        tokio::spawn(waker.clone().run(options, shutdown.clone()));
        let outbox = Outbox::new(pool.clone(), waker);
        let (clock, sent_at) = (Arc::clone(&context.clock), self.sent_at);
        Ok(RunningTidewatch {
            child,
            address,
            prepared,
            pool,
            outbox,
            shutdown,
            clock,
            sent_at,
            postgres: self.database.postgres,
        })
    }
}

impl Prepared {
    /// Makes one more key, with these scopes.
    ///
    /// # Errors
    /// The command failed.
    pub async fn make_key(&self, context: &Context, name: &str, scopes: &[&str]) -> anyhow::Result<String> {
        make_key(context, &self.url, name, scopes).await
    }
}

async fn make_key(context: &Context, url: &str, name: &str, scopes: &[&str]) -> anyhow::Result<String> {
    let mut arguments = vec!["keys", "--project", PROJECT, "create", name];
    arguments.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
    Ok(command(context, url, &arguments).await?.trim().to_owned())
}

async fn project_of(url: &str, slug: &str) -> anyhow::Result<ProjectId> {
    let mut connection = PgConnection::connect(url).await?;
    let project: Uuid = sqlx::query_scalar("select id from projects where slug = $1")
        .bind(slug)
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(ProjectId::from_uuid(project))
}

/// Runs a command of the program and gives what it printed.
async fn command(context: &Context, url: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(&context.server_program)
        .args(arguments)
        .env("DATABASE_URL", url)
        .env("TIDEWATCH_LOG", "warn")
        .output()
        .await
        .with_context(|| format!("cannot run {}", context.server_program.display()))?;
    if !output.status.success() {
        bail!("tidewatch {} failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[async_trait(?Send)]
impl System for Tidewatch {
    fn name(&self) -> &'static str {
        self.name
    }

    fn missing(&self, _: &Context) -> Option<String> {
        None
    }

    async fn start(&self, context: &Context) -> anyhow::Result<Box<dyn Running>> {
        let prepared = self.prepare(context).await?;
        Ok(Box::new(self.serve(context, prepared).await?))
    }
}

/// Tidewatch, serving.
pub struct RunningTidewatch {
    child: Child,
    address: SocketAddr,
    prepared: Prepared,
    /// Connections to its database.
    pub pool: PgPool,
    outbox: Outbox,
    shutdown: CancellationToken,
    clock: Arc<Clock>,
    sent_at: SentAt,
    postgres: Option<u32>,
}

impl RunningTidewatch {
    fn request_with(&self, query: &str) -> String {
        format!(
            "GET /api/v1/events{query} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\
             Authorization: Bearer {}\r\n\r\n",
            self.prepared.key
        )
    }

    /// The position of the newest published event.
    ///
    /// # Errors
    /// Postgres could not be reached.
    pub async fn last_position(&self) -> anyhow::Result<i64> {
        let last: Option<i64> =
            sqlx::query_scalar("select last_position from project_streams where project_id = $1")
                .bind(self.prepared.project.uuid())
                .fetch_optional(&self.pool)
                .await?;
        Ok(last.unwrap_or(0))
    }
}

#[async_trait(?Send)]
impl Running for RunningTidewatch {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn request(&self, topic: Option<u32>) -> String {
        let query = topic.map(|topic| format!("?resourceId={}", aggregate_of_topic(topic)));
        self.request_with(&query.unwrap_or_default())
    }

    fn replay_request(&self) -> String {
        self.request_with("?after=earliest")
    }

    async fn publishers(&self, count: usize) -> anyhow::Result<Publishers> {
        Ok((0..count)
            .map(|_| -> Box<dyn Publisher> {
                Box::new(OutboxPublisher {
                    outbox: self.outbox.clone(),
                    project: self.prepared.project,
                    clock: Arc::clone(&self.clock),
                    sent_at: self.sent_at,
                })
            })
            .collect())
    }

    fn pid(&self) -> u32 {
        self.child.pid()
    }

    fn helper(&self) -> Option<u32> {
        self.postgres
    }

    async fn stop(self: Box<Self>) {
        self.shutdown.cancel();
        self.pool.close().await;
        // Killed, not drained: nothing is measured any more, and a drain takes its time.
        drop(self.child);
    }
}

struct OutboxPublisher {
    outbox: Outbox,
    project: ProjectId,
    clock: Arc<Clock>,
    sent_at: SentAt,
}

#[async_trait]
impl Publisher for OutboxPublisher {
    async fn publish(&mut self, event: BenchEvent) -> anyhow::Result<()> {
        let recorded = event.recorded(self.project);
        self.clock.sent(event.number);
        let mut transaction = self.outbox.begin(self.project).await?;
        transaction.record(recorded).await?;
        if self.sent_at == SentAt::Commit {
            self.clock.sent(event.number);
        }
        Ok(transaction.commit().await?)
    }
}
