//! The load generator: thousands of readers of event streams on one thread, the same for every
//! system under test.

mod fleet;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::process::cpu_of_thread;
use fleet::{Command, Fleet};

/// How long connections may take to be answered, and events to arrive.
const PATIENCE: Duration = Duration::from_secs(120);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(2);

/// One reader to be connected.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Whom to connect to.
    pub address: SocketAddr,
    /// The request, whole.
    pub request: Arc<[u8]>,
    /// Whether it reads at all. One that does not has the smallest receive buffer.
    pub reads: bool,
}

/// What the readers have seen, counted by their thread.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    connected: AtomicUsize,
    ended: AtomicUsize,
    failed: AtomicUsize,
    deliveries: AtomicU64,
    /// Reads that brought an event or more.
    reads: AtomicU64,
    bytes: AtomicU64,
    /// The count of deliveries at which the time is noted, and that time.
    mark: AtomicU64,
    marked_at: AtomicU64,
    failure: Mutex<Option<String>>,
    silent_ports: Mutex<Vec<u16>>,
}

/// Readers of event streams. Dropped, all of them are closed.
#[derive(Debug)]
pub struct Readers {
    commands: mpsc::Sender<Command>,
    waker: mio::Waker,
    counts: Arc<Counts>,
    thread: Option<std::thread::JoinHandle<()>>,
    thread_id: u32,
}

/// Latencies in microseconds.
pub type Latencies = Histogram<u64>;

impl Readers {
    /// A generator with no reader yet.
    ///
    /// # Errors
    /// The thread or its poll could not be made.
    pub fn start(clock: Arc<Clock>) -> anyhow::Result<Self> {
        let counts = Arc::<Counts>::default();
        let (commands, received) = mpsc::channel();
        let (mut fleet, waker) = Fleet::new(Arc::clone(&counts), clock)?;
        let (tell, told) = mpsc::channel();
        let thread = std::thread::Builder::new().name("readers".to_owned()).spawn(move || {
            // Nobody waits for it only when this process ends.
            let _ = tell.send(rustix::thread::gettid().as_raw_nonzero().get());
            if let Err(error) = fleet.run(&received) {
                tracing::error!(%error, "the load generator failed");
            }
        })?;
        let thread_id = u32::try_from(told.recv()?)?;
        Ok(Self { commands, waker, counts, thread: Some(thread), thread_id })
    }

    /// Connects these readers and waits until each is answered.
    ///
    /// # Errors
    /// One was refused, or they were not all answered in time.
    pub async fn connect(&self, readers: Vec<Reader>) -> anyhow::Result<()> {
        let wanted = self.connected() + readers.len();
        self.open(readers)?;
        self.until("all readers are connected", || self.connected() >= wanted).await
    }

    /// Begins to connect these readers.
    ///
    /// # Errors
    /// The generator's thread has ended.
    pub fn open(&self, readers: Vec<Reader>) -> anyhow::Result<()> {
        self.send(Command::Open(readers))
    }

    /// Closes the `count` readers that were connected first.
    ///
    /// # Errors
    /// The generator's thread has ended.
    pub fn close_oldest(&self, count: usize) -> anyhow::Result<()> {
        self.send(Command::CloseOldest(count))
    }

    /// Forgets latencies and counts of deliveries; readers stay.
    ///
    /// # Errors
    /// The generator's thread has ended.
    pub async fn reset(&self) -> anyhow::Result<()> {
        self.take_latencies().await?;
        self.counts.deliveries.store(0, Ordering::Relaxed);
        self.counts.reads.store(0, Ordering::Relaxed);
        self.counts.bytes.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// The latencies since this was asked last.
    ///
    /// # Errors
    /// The generator's thread has ended.
    pub async fn take_latencies(&self) -> anyhow::Result<Latencies> {
        let (give, given) = oneshot::channel();
        self.send(Command::TakeLatencies(give))?;
        given.await.context("the load generator ended")
    }

    /// Waits until that many deliveries were counted since the last reset, or nothing has come for
    /// `silence`; says how many there were.
    pub async fn until_deliveries(&self, wanted: u64, silence: Duration) -> u64 {
        let mut seen = self.deliveries();
        let mut quiet_since = tokio::time::Instant::now();
        while seen < wanted && quiet_since.elapsed() < silence {
            tokio::time::sleep(LOOK).await;
            let now = self.deliveries();
            if now != seen {
                seen = now;
                quiet_since = tokio::time::Instant::now();
            }
        }
        seen
    }

    /// Has the time noted at which the delivery of this number since the last reset arrives.
    pub fn mark(&self, delivery: u64) {
        self.counts.marked_at.store(0, Ordering::Relaxed);
        self.counts.mark.store(delivery, Ordering::Relaxed);
    }

    /// The time of [`Self::mark`], by the clock; `None` when it has not come.
    #[must_use]
    pub fn marked_at(&self) -> Option<u64> {
        Some(self.counts.marked_at.load(Ordering::Acquire)).filter(|time| *time > 0)
    }

    /// Readers that were answered, all told, also those that have ended since.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.counts.connected.load(Ordering::Relaxed)
    }

    /// Readers whom the server has cut.
    #[must_use]
    pub fn ended(&self) -> usize {
        self.counts.ended.load(Ordering::Relaxed)
    }

    /// Events that arrived since the last reset.
    #[must_use]
    pub fn deliveries(&self) -> u64 {
        self.counts.deliveries.load(Ordering::Relaxed)
    }

    /// Reads that brought an event or more since the last reset.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.counts.reads.load(Ordering::Relaxed)
    }

    /// Bytes that arrived since the last reset, with everything around the events.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.counts.bytes.load(Ordering::Relaxed)
    }

    /// Ports of the readers that do not read.
    #[must_use]
    pub fn silent_ports(&self) -> Vec<u16> {
        self.counts.silent_ports.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// CPU seconds of the generator's thread.
    #[must_use]
    pub fn cpu(&self) -> f64 {
        cpu_of_thread(self.thread_id)
    }

    async fn until(&self, what: &str, condition: impl Fn() -> bool) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !condition() {
            if self.counts.failed.load(Ordering::Relaxed) > 0 {
                let failure = self.counts.failure.lock().unwrap_or_else(PoisonError::into_inner);
                bail!("a reader was refused: {}", failure.as_deref().unwrap_or("the connection failed"));
            }
            if tokio::time::Instant::now() > deadline {
                bail!("waited in vain until {what}: {} are connected", self.connected());
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    fn send(&self, command: Command) -> anyhow::Result<()> {
        self.commands.send(command).ok().context("the load generator ended")?;
        Ok(self.waker.wake()?)
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        if self.send(Command::Stop).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}
