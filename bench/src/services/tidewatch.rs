//! Tidewatch's own API: the real server, with its relay and all that is behind it.

use std::time::Duration;

use anyhow::ensure;
use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::{CONNECTIONS, RunningService, Service};
use crate::context::Context;
use crate::systems::tidewatch::RunningTidewatch;
use crate::systems::{Running, TIDEWATCH, Tidewatch};

/// Events a second that a key may publish: more than any does here.
const PUBLISHES_PER_SECOND: u32 = 10_000_000;
/// Longest wait for the relay.
const PATIENCE: Duration = Duration::from_mins(1);
/// Pause between two looks at the relay.
const LOOK: Duration = Duration::from_millis(10);

pub(super) struct TidewatchApi;

#[async_trait(?Send)]
impl Service for TidewatchApi {
    fn name(&self) -> &'static str {
        TIDEWATCH
    }

    fn missing(&self, _: &Context) -> Option<String> {
        None
    }

    async fn start(&self, context: &Context) -> anyhow::Result<Box<dyn RunningService>> {
        let tidewatch = Tidewatch::new(context.database.clone())
            .with("TIDEWATCH_DATABASE_CONNECTIONS", CONNECTIONS.to_string())
            .with("TIDEWATCH_PUBLISHES_PER_SECOND", PUBLISHES_PER_SECOND.to_string());
        let prepared = tidewatch.prepare(context).await?;
        let key = prepared.make_key(context, "publishers", &["events.publish"]).await?;
        let server = tidewatch.serve(context, prepared).await?;
        Ok(Box::new(RunningApi { server: Box::new(server), key }))
    }
}

struct RunningApi {
    server: Box<RunningTidewatch>,
    key: String,
}

#[async_trait(?Send)]
impl RunningService for RunningApi {
    fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    fn key(&self) -> &str {
        &self.key
    }

    fn pid(&self) -> u32 {
        self.server.pid()
    }

    async fn analyze(&self) -> anyhow::Result<()> {
        sqlx::raw_sql("analyze").execute(&self.server.pool).await?;
        Ok(())
    }

    /// The relay follows, and gives each event the next position.
    async fn until_through(&self, events: u64) -> anyhow::Result<()> {
        let last = i64::try_from(events)?;
        let deadline = Instant::now() + PATIENCE;
        while self.server.last_position().await? < last {
            ensure!(Instant::now() < deadline, "the relay has not published {events} events");
            sleep(LOOK).await;
        }
        Ok(())
    }

    async fn stop(self: Box<Self>) {
        self.server.stop().await;
    }
}
