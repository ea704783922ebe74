//! Services that take events by HTTP as Tidewatch's own API does, so that the SDK publishes to all of them alike.

mod hono;
mod tidewatch;

use async_trait::async_trait;

use crate::context::Context;
use crate::rounds::Contender;

/// Hono with an outbox in Postgres.
pub const HONO_OUTBOX: &str = "Hono, outbox in Postgres";

/// Connections to Postgres that a service has for its requests: what Tidewatch has by default.
const CONNECTIONS: u32 = 20;

/// A service that can be started.
#[async_trait(?Send)]
pub trait Service {
    /// Its name in the results.
    fn name(&self) -> &'static str;

    /// Why it cannot be measured here; `None` when it can.
    fn missing(&self, context: &Context) -> Option<String>;

    /// Starts it on the server's core, on a database with nothing in it.
    ///
    /// # Errors
    /// It did not come up.
    async fn start(&self, context: &Context) -> anyhow::Result<Box<dyn RunningService>>;
}

/// A service that runs. Dropped, its processes are killed.
#[async_trait(?Send)]
pub trait RunningService {
    /// Its address, as the SDK is given it.
    fn url(&self) -> String;

    /// The key to publish with.
    fn key(&self) -> &str;

    /// The first of its processes.
    fn pid(&self) -> u32;

    /// Lets Postgres know its tables, as autovacuum would in time.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    async fn analyze(&self) -> anyhow::Result<()>;

    /// Waits until all that follows an answer is done for so many events, all since its start.
    ///
    /// # Errors
    /// Postgres refused or could not be reached, or that took too long.
    async fn until_through(&self, events: u64) -> anyhow::Result<()>;

    /// Ends it.
    async fn stop(self: Box<Self>);
}

impl Contender for Box<dyn Service> {
    fn name(&self) -> &'static str {
        Service::name(&**self)
    }

    fn missing(&self, context: &Context) -> Option<String> {
        Service::missing(&**self, context)
    }
}

/// Every service, Tidewatch last.
#[must_use]
pub fn all() -> Vec<Box<dyn Service>> {
    vec![Box::new(hono::HonoOutbox), Box::new(tidewatch::TidewatchApi)]
}
