//! Hono on Node: a route that writes what it is sent to an outbox table.

use std::net::SocketAddr;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};

use super::{CONNECTIONS, HONO_OUTBOX, RunningService, Service};
use crate::child::Child;
use crate::context::Context;
use crate::systems::Hono;

const OUTBOX: &str = "create table outbox (
    id             bigint generated always as identity primary key,
    event_id       uuid not null,
    channel        text not null,
    type           text not null,
    aggregate_type text not null,
    aggregate_id   text not null,
    payload        jsonb not null,
    recorded_at    timestamptz not null default now(),
    published_at   timestamptz
);
create index outbox_pending on outbox (id) where published_at is null;";

/// `publish.mjs` in `bench/peers/hono`.
pub(super) struct HonoOutbox;

#[async_trait(?Send)]
impl Service for HonoOutbox {
    fn name(&self) -> &'static str {
        HONO_OUTBOX
    }

    fn missing(&self, context: &Context) -> Option<String> {
        Hono::lacks(context)
    }

    async fn start(&self, context: &Context) -> anyhow::Result<Box<dyn RunningService>> {
        let url = context.database.create("bench_hono_publish").await?;
        let mut connection = PgConnection::connect(&url).await?;
        sqlx::raw_sql(OUTBOX).execute(&mut connection).await?;
        connection.close().await?;
        let variables = [("DATABASE_URL", url.clone()), ("CONNECTIONS", CONNECTIONS.to_string())];
        let (child, address) = Hono::start_node(context, "publish.mjs", variables).await?;
        Ok(Box::new(Running { child, address, database: url }))
    }
}

struct Running {
    child: Child,
    address: SocketAddr,
    database: String,
}

#[async_trait(?Send)]
impl RunningService for Running {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Any: it looks at none.
    fn key(&self) -> &str {
        "bench"
    }

    fn pid(&self) -> u32 {
        self.child.pid()
    }

    async fn analyze(&self) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.database).await?;
        sqlx::raw_sql("analyze").execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// Nothing follows.
    async fn until_through(&self, _: u64) -> anyhow::Result<()> {
        Ok(())
    }

    async fn stop(self: Box<Self>) {
        self.child.stop().await;
    }
}
