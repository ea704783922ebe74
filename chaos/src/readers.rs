//! Readers over Server-Sent Events, each on an instance at random, each going on where it was cut.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rand::seq::IndexedRandom;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::sse::{Frame, Parser};

/// Time between two heartbeats of the servers here.
pub const HEARTBEAT: Duration = Duration::from_secs(2);
/// Two heartbeats that did not come: the connection is dead, whatever the system says.
const SILENCE: Duration = Duration::from_secs(5);
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// Most that a pause grows to, in milliseconds.
const MOST_PAUSE_MS: u64 = 4_000;

/// What a reader asks for. Every one asks for events of the modules, which the suite's key may all see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    /// Everything that the simulator's modules and the suite itself say.
    All,
    /// One module's.
    Module(&'static str),
}

/// The modules whose events readers ask for.
pub const MODULES: [&str; 10] = [
    "settlement",
    "payment",
    "order",
    "incident",
    "server",
    "automation",
    "log",
    "ticket",
    "invoice",
    "user",
];

/// What the types of events begin with that the suite records itself.
pub const OWN: &str = "chaos";

impl Wish {
    /// As the parameter `types`, and as patterns of the log.
    #[must_use]
    pub fn types(self) -> Vec<String> {
        match self {
            Self::All => MODULES.iter().chain([&OWN]).map(|module| format!("{module}.*")).collect(),
            Self::Module(module) => vec![format!("{module}.*")],
        }
    }
}

/// What a reader has received.
#[derive(Debug, Default, Clone)]
pub struct Received {
    /// Where it began: what is behind that is its to see.
    pub began: Option<u64>,
    /// Positions in the order in which they came, without those that overtook others.
    pub in_order: Vec<u64>,
    /// Positions that overtook others.
    pub overtaking: Vec<u64>,
    /// The longest time between an event's own time and its arrival.
    pub worst: Duration,
}

/// A reader, as others see it.
#[derive(Debug)]
pub struct Reader {
    /// What it asks for.
    pub wish: Wish,
    received: Mutex<Received>,
    /// When the latest event that it has was recorded, in milliseconds since 1970.
    latest: AtomicI64,
}

impl Reader {
    /// What it has received.
    #[must_use]
    pub fn received(&self) -> Received {
        self.received.lock().clone()
    }

    /// The last position that it has, or where it began.
    #[must_use]
    pub fn last(&self) -> u64 {
        let received = self.received.lock();
        let last = received.in_order.last().copied().into_iter().chain(received.overtaking.iter().copied());
        last.max().or(received.began).unwrap_or_default()
    }

    /// Whether it has an event that was recorded at that time or later.
    #[must_use]
    pub fn has_since(&self, at: OffsetDateTime) -> bool {
        self.latest.load(Ordering::Relaxed) >= milliseconds(at)
    }
}

fn milliseconds(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// What happened to all readers together.
#[derive(Debug, Default)]
pub struct Tally {
    /// Connections that were opened.
    pub connected: AtomicU64,
    /// Connections that could not be opened, or were answered with something else than a stream.
    pub refused: AtomicU64,
    /// Streams that ended without a word.
    pub broken: AtomicU64,
    /// What streams said of themselves, by its code.
    pub said: Mutex<BTreeMap<String, u64>>,
    /// Connections by the second in which they were opened.
    pub by_second: Mutex<BTreeMap<i64, u64>>,
}

impl Tally {
    /// Most connections that were opened in one second from that time on.
    #[must_use]
    pub fn most_in_a_second(&self, from: OffsetDateTime) -> u64 {
        self.by_second
            .lock()
            .range(from.unix_timestamp()..)
            .map(|(_, count)| *count)
            .max()
            .unwrap_or_default()
    }
}

/// Where readers may connect, and with what.
#[derive(Debug, Clone)]
pub struct Access {
    /// Addresses of which each draws one whenever it connects.
    pub addresses: Arc<Vec<SocketAddr>>,
    /// An API key.
    pub key: Arc<str>,
}

/// Readers at work.
#[derive(Debug)]
pub struct Readers {
    /// Each of them.
    pub all: Vec<Arc<Reader>>,
    /// What happened to them.
    pub tally: Arc<Tally>,
    cut: Arc<watch::Sender<u64>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Readers {
    /// So many: every twentieth asks for everything, the others for one module each.
    #[must_use]
    pub fn start(count: usize, access: &Access) -> Self {
        let (stop, tasks, tally) = (CancellationToken::new(), TaskTracker::new(), Arc::<Tally>::default());
        let cut = Arc::new(watch::Sender::new(0));
        let mut all = Vec::new();
        for number in 0..count {
            let module = MODULES[number % MODULES.len()];
            let wish = if number % 20 == 0 { Wish::All } else { Wish::Module(module) };
            let reader =
                Arc::new(Reader { wish, received: Mutex::default(), latest: AtomicI64::new(i64::MIN) });
            all.push(Arc::clone(&reader));
            let work = read(reader, access.clone(), Arc::clone(&tally), cut.subscribe());
            let stop = stop.clone();
            tasks.spawn(async move {
                tokio::select! {
                    () = work => {}
                    () = stop.cancelled() => {}
                }
            });
        }
        tasks.close();
        Self { all, tally, cut, stop, tasks }
    }

    /// Those that ask for everything: they hear something all the time.
    pub fn watching(&self) -> impl Iterator<Item = &Arc<Reader>> {
        self.all.iter().filter(|reader| reader.wish == Wish::All)
    }

    /// Ends all connections at one moment, as where a switch is restarted.
    pub fn cut_all(&self) {
        self.cut.send_modify(|times| *times += 1);
    }

    /// Waits until each has a stream.
    ///
    /// # Errors
    /// That takes more than a minute.
    pub async fn until_connected(&self) -> anyhow::Result<()> {
        let begin = Instant::now();
        while self.all.iter().any(|reader| reader.received.lock().began.is_none()) {
            anyhow::ensure!(begin.elapsed() < Duration::from_secs(60), "readers do not get in");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Ends them.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

/// Reads for ever.
async fn read(reader: Arc<Reader>, access: Access, tally: Arc<Tally>, mut cut: watch::Receiver<u64>) {
    let (mut failures, mut last_id) = (0_u32, None);
    loop {
        let Some(address) = access.addresses.choose(&mut rand::rng()).copied() else { return };
        let mut retry = None;
        let was_open = tokio::select! {
            was_open = read_one_stream(&reader, address, &access.key, &tally, &mut last_id, &mut retry) => was_open,
            _ = cut.changed() => true,
        };
        failures = if was_open { 0 } else { failures + 1 };
        // As the server says; where it could not, full jitter.
        let most = (500_u64 << failures.min(3)).min(MOST_PAUSE_MS);
        let pause = retry.unwrap_or_else(|| rand::random_range(0..most));
        sleep(Duration::from_millis(pause)).await;
    }
}

/// Whether there was a stream. `last_id` is what to go on behind, `retry` is what it said last of when to come again, where it ended with a word.
async fn read_one_stream(
    reader: &Reader,
    address: SocketAddr,
    key: &str,
    tally: &Tally,
    last_id: &mut Option<String>,
    retry: &mut Option<u64>,
) -> bool {
    // Also a heartbeat's id moves the place: who hears little is not the further behind for it.
    let after = last_id.as_deref().unwrap_or("latest");
    let request = format!(
        "GET /api/v1/events?types={}&after={after} HTTP/1.1\r\nHost: chaos\r\nAccept: text/event-stream\r\n\
         Authorization: Bearer {key}\r\n\r\n",
        reader.wish.types().join(","),
    );
    let connecting = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        Ok::<_, std::io::Error>(stream)
    };
    let Ok(Ok(mut stream)) = timeout(CONNECT, connecting).await else {
        tally.refused.fetch_add(1, Ordering::Relaxed);
        return false;
    };
    let (mut parser, mut buffer) = (Parser::default(), vec![0; 16 * 1024]);
    let (mut is_open, mut has_ended, mut offered) = (false, false, None);
    while let Ok(Ok(length @ 1..)) = timeout(SILENCE, stream.read(&mut buffer)).await {
        parser.take(&buffer[..length], |frame| match frame {
            Frame::Connected(position) => {
                is_open = true;
                tally.connected.fetch_add(1, Ordering::Relaxed);
                let second = OffsetDateTime::now_utc().unix_timestamp();
                *tally.by_second.lock().entry(second).or_default() += 1;
                reader.received.lock().began.get_or_insert(position);
            }
            Frame::Event { position, has_id, occurred_at } => reader.note(position, has_id, occurred_at),
            Frame::System(code) => {
                has_ended = true;
                *tally.said.lock().entry(code).or_default() += 1;
            }
            Frame::Retry(milliseconds) => offered = Some(milliseconds),
            Frame::Heartbeat => {}
        });
        if let Some(id) = parser.last_id() {
            last_id.replace(id.to_owned());
        }
    }
    if !is_open {
        tally.refused.fetch_add(1, Ordering::Relaxed);
    } else if !has_ended {
        tally.broken.fetch_add(1, Ordering::Relaxed);
    }
    *retry = offered.filter(|_| has_ended);
    is_open
}

impl Reader {
    fn note(&self, position: u64, has_id: bool, occurred_at: Option<OffsetDateTime>) {
        let mut received = self.received.lock();
        if has_id { &mut received.in_order } else { &mut received.overtaking }.push(position);
        if let Some(at) = occurred_at {
            let late = OffsetDateTime::now_utc() - at;
            received.worst = received.worst.max(late.try_into().unwrap_or_default());
            self.latest.fetch_max(milliseconds(at), Ordering::Relaxed);
        }
    }
}
