//! Hono's `streamSSE` on Node: given events by HTTP, or polling an outbox table in Postgres.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::http_peer::{HttpPeer, request};
use super::{Database, HONO_POLLER, Running, System};
use crate::child::{Child, Program, find_program, free_address};
use crate::clock::Clock;
use crate::context::Context;
use crate::event::{BenchEvent, EVENT_TYPE};
use crate::publish::{Publisher, Publishers};

/// The number (up to five digits), the event's type and the lines' ends.
const FRAMING: usize = "event: settlement.status_changed\ndata: \nid: 1234\n\n".len();
const OUTBOX: &str = "create table outbox (
    id           bigint generated always as identity primary key,
    topic        text not null,
    type         text not null,
    data         text not null,
    recorded_at  timestamptz not null default now(),
    published_at timestamptz
);
create index outbox_pending on outbox (id) where published_at is null;";

/// The application in `bench/peers/hono`.
pub struct Hono {
    /// With the server of a database, it polls an outbox there.
    pub database: Option<Database>,
}

impl Hono {
    /// Why nothing of its folder can run here; `None` when it can.
    pub(crate) fn lacks(context: &Context) -> Option<String> {
        if find_program("node").is_none() {
            return Some("Node is not installed".to_owned());
        }
        (!context.bench_folder.join("peers/hono/node_modules").exists())
            .then(|| "its packages are not installed (npm ci in bench/peers/hono)".to_owned())
    }

    /// Starts a script of its folder on the server's core, and says where it listens.
    pub(crate) async fn start_node(
        context: &Context,
        script: &str,
        variables: impl IntoIterator<Item = (&'static str, String)>,
    ) -> anyhow::Result<(Child, SocketAddr)> {
        let node = find_program("node").context("node is missing")?;
        let address = free_address()?;
        let folder = context.bench_folder.join("peers/hono");
        let mut program = Program::new(&node)
            .argument(script)
            .variable("NODE_ENV", "production")
            .variable("PORT", address.port().to_string());
        for (name, value) in variables {
            program = program.variable(name, value);
        }
        program.directory = Some(&folder);
        let mut child = Child::start(&context.cores.server, &program, context.log("hono"))?;
        child.until_listening(address).await?;
        Ok((child, address))
    }

    /// Starts the one that fans out.
    async fn start_server(context: &Context, database: Option<&str>) -> anyhow::Result<HttpPeer> {
        let variables = [("DATABASE_URL", database.unwrap_or_default().to_owned())];
        let (child, address) = Self::start_node(context, "server.mjs", variables).await?;
        let clock = context.clock.clone();
        Ok(HttpPeer { child, helper: None, address, clock, framing: FRAMING })
    }
}

#[async_trait(?Send)]
impl System for Hono {
    fn name(&self) -> &'static str {
        if self.database.is_some() { HONO_POLLER } else { "Hono" }
    }

    fn missing(&self, context: &Context) -> Option<String> {
        Self::lacks(context)
    }

    async fn start(&self, context: &Context) -> anyhow::Result<Box<dyn Running>> {
        let Some(database) = &self.database else {
            return Ok(Box::new(Self::start_server(context, None).await?));
        };
        let url = database.create("bench_hono").await?;
        let pool = PgPoolOptions::new().max_connections(40).connect(&url).await?;
        sqlx::raw_sql(OUTBOX).execute(&pool).await?;
        let node = Self::start_server(context, Some(&url)).await?;
        Ok(Box::new(Polling { node, pool, postgres: database.postgres }))
    }
}

/// Hono behind its poller: published by a transaction.
struct Polling {
    node: HttpPeer,
    pool: PgPool,
    postgres: Option<u32>,
}

#[async_trait(?Send)]
impl Running for Polling {
    fn address(&self) -> SocketAddr {
        self.node.address
    }

    /// From the beginning on, so that a reader that comes late is given what was published: nobody
    /// who is connected before the first event is given anything by that.
    fn request(&self, topic: Option<u32>) -> String {
        request(topic, "Last-Event-ID: 0\r\n")
    }

    async fn publishers(&self, count: usize) -> anyhow::Result<Publishers> {
        Ok((0..count)
            .map(|_| -> Box<dyn Publisher> {
                Box::new(TablePublisher { pool: self.pool.clone(), clock: Arc::clone(&self.node.clock) })
            })
            .collect())
    }

    fn pid(&self) -> u32 {
        self.node.pid()
    }

    fn helper(&self) -> Option<u32> {
        self.postgres
    }

    async fn stop(self: Box<Self>) {
        self.node.child.stop().await;
        self.pool.close().await;
    }
}

struct TablePublisher {
    pool: PgPool,
    clock: Arc<Clock>,
}

#[async_trait]
impl Publisher for TablePublisher {
    async fn publish(&mut self, event: BenchEvent) -> anyhow::Result<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("insert into outbox (topic, type, data) values ($1, $2, $3)")
            .bind(event.topic.map_or_else(String::new, |topic| topic.to_string()))
            .bind(EVENT_TYPE.as_str())
            .bind(event.data(FRAMING))
            .execute(&mut *transaction)
            .await?;
        self.clock.sent(event.number);
        Ok(transaction.commit().await?)
    }
}
