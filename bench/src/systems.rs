//! The systems under test. Each is started, told where its readers connect, published to, and ended
//! in the same way.

mod axum_shared;
mod bare_tcp;
mod hono;
mod http_peer;
mod nchan;
mod nestjs;
pub mod tidewatch;

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;

use crate::context::Context;
use crate::publish::Publishers;
use crate::readers::Reader;

pub use hono::Hono;
pub use nchan::Nchan;
pub use tidewatch::{Database, Tidewatch};

/// A system that can be started.
#[async_trait(?Send)]
pub trait System {
    /// Its name in the results.
    fn name(&self) -> &'static str;

    /// Why it cannot be measured here; `None` when it can.
    fn missing(&self, context: &Context) -> Option<String>;

    /// Starts it on the server's core, with nothing left of an earlier run.
    ///
    /// # Errors
    /// It did not come up.
    async fn start(&self, context: &Context) -> anyhow::Result<Box<dyn Running>>;
}

/// A system that runs. Dropped, its processes are killed.
#[async_trait(?Send)]
pub trait Running {
    /// Where its readers connect.
    fn address(&self) -> SocketAddr;

    /// The request of a reader, whole.
    fn request(&self, topic: Option<u32>) -> String;

    /// The request of a reader that wants everything that is kept. What keeps nothing has none.
    fn replay_request(&self) -> String {
        self.request(None)
    }

    /// New publishers.
    ///
    /// # Errors
    /// They could not connect.
    async fn publishers(&self, count: usize) -> anyhow::Result<Publishers>;

    /// The first of its processes: it and all below it are the server.
    fn pid(&self) -> u32;

    /// The first process of what it needs besides, such as a database.
    fn helper(&self) -> Option<u32> {
        None
    }

    /// Ends it in order.
    async fn stop(self: Box<Self>);

    /// One reader.
    fn reader(&self, topic: Option<u32>, reads: bool) -> Reader {
        let request: Arc<[u8]> = Arc::from(self.request(topic).into_bytes());
        Reader { address: self.address(), request, reads }
    }

    /// As many readers of everything.
    fn readers(&self, count: usize) -> Vec<Reader> {
        vec![self.reader(None, true); count]
    }

    /// As many readers, of one of so many topics each.
    fn readers_of_topics(&self, count: usize, topics: u32) -> Vec<Reader> {
        let kinds: Vec<Reader> = (0..topics).map(|topic| self.reader(Some(topic), true)).collect();
        kinds.iter().cycle().take(count).cloned().collect()
    }
}

/// Tidewatch, by the name under which the results know it.
pub const TIDEWATCH: &str = "Tidewatch";
/// The limit.
pub const BARE_TCP: &str = "bare TCP";
/// The limit when writes are gathered.
pub const BARE_TCP_GATHERING: &str = "bare TCP, 2 ms gathered";
/// Hono behind a poller.
pub const HONO_POLLER: &str = "Hono, 500 ms poller";

/// Every system that fans out what it is given: the limit, also when it gathers, peers, and
/// Tidewatch last.
#[must_use]
pub fn all(context: &Context) -> Vec<Box<dyn System>> {
    let mut systems = all_once(context);
    systems.insert(1, Box::new(bare_tcp::BareTcp { gather_ms: 2 }));
    systems
}

/// The same without the limit that gathers: where connections are what is measured, it is the limit
/// once more.
#[must_use]
pub fn all_once(context: &Context) -> Vec<Box<dyn System>> {
    vec![
        Box::new(bare_tcp::BareTcp { gather_ms: 0 }),
        Box::new(axum_shared::AxumShared),
        Box::new(Nchan::default()),
        Box::new(Hono { database: None }),
        Box::new(nestjs::NestJs),
        Box::new(Tidewatch::new(context.database.clone())),
    ]
}
