//! Events by a broker: each once and in order, whatever the broker does, and without the log as long as it does well.
//!
//! The broker here is one whose faults can be had at will; real ones are in `crates/broker/tests` and `server/tests`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use parking_lot::Mutex;
use rand::RngExt;
use sqlx::PgPool;
use tidewatch_broker::{Broker, BrokerError, Messages};
use tidewatch_events::ProjectId;
use tidewatch_outbox::{Carrier, Follower, FollowerConfig, PublishedLog, Relay, RelayConfig, Waker};
use tokio::sync::broadcast;

use crate::fixture::{Background, commit, event, events, eventually, ids, new_project, options, until_led};
use crate::follower::Kept;

/// Looks at the log by itself so seldom that no test waits for it.
const SELDOM: Duration = Duration::from_secs(3_600);

/// Carries messages inside this process, as badly as it is told to.
#[derive(Debug)]
struct Memory {
    messages: broadcast::Sender<Bytes>,
    /// Loses every message.
    is_mute: AtomicBool,
    /// Of each message that follows, what becomes of it; then all arrive.
    fates: Mutex<Vec<Fate>>,
    held: Mutex<Option<Bytes>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Arrives,
    IsLost,
    ArrivesTwice,
    /// Arrives behind the next one.
    IsOvertaken,
    ArrivesAsNonsense,
}

impl Memory {
    fn new() -> Arc<Self> {
        let (is_mute, fates, held) = (AtomicBool::default(), Mutex::default(), Mutex::default());
        Arc::new(Self { messages: broadcast::channel(4_096).0, is_mute, fates, held })
    }

    fn send(&self, message: Bytes) {
        // Who is not there hears nothing.
        let _ = self.messages.send(message);
    }
}

impl Broker for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn publish(&self, message: Bytes) -> BoxFuture<'_, Result<(), BrokerError>> {
        if self.is_mute.load(Ordering::SeqCst) {
            return async { Ok(()) }.boxed();
        }
        // A sign of life is none of what a test counts.
        let fate = if message.is_empty() { None } else { self.fates.lock().pop() };
        match fate.unwrap_or(Fate::Arrives) {
            Fate::Arrives => self.send(message),
            Fate::IsLost => {}
            Fate::ArrivesTwice => [message.clone(), message].into_iter().for_each(|it| self.send(it)),
            Fate::IsOvertaken => drop(self.held.lock().replace(message)),
            Fate::ArrivesAsNonsense => self.send(Bytes::from_static(b"{}\n[]")),
        }
        let held = if fate == Some(Fate::IsOvertaken) { None } else { self.held.lock().take() };
        held.into_iter().for_each(|message| self.send(message));
        async { Ok(()) }.boxed()
    }

    fn subscribe(&self) -> BoxFuture<'_, Result<Messages, BrokerError>> {
        let messages = futures::stream::unfold(self.messages.subscribe(), |mut messages| async {
            let message = messages.recv().await.map_err(BrokerError::new);
            Some((message, messages))
        });
        async { Ok(messages.boxed()) }.boxed()
    }
}

/// A process with a relay, a follower and a carrier between it and the others.
struct Process {
    kept: Kept,
    carrier: Carrier,
    background: Background,
}

/// How a process is woken.
#[derive(Clone, Copy)]
enum Woken {
    /// By `NOTIFY`, as in a service.
    Yes,
    /// By nothing but the broker.
    No,
}

impl Process {
    /// One that may lead, and looks at the log as one does.
    async fn leader(pool: &PgPool, broker: &Arc<Memory>) -> Self {
        let quick = Duration::from_millis(10);
        Self::start(pool, broker, FollowerConfig { poll: quick, batch: 7 }, Woken::Yes, true).await
    }

    /// One that never leads.
    async fn other(pool: &PgPool, broker: &Arc<Memory>, woken: Woken) -> Self {
        Self::start(pool, broker, FollowerConfig { poll: SELDOM, batch: 7 }, woken, false).await
    }

    /// One that never leads, and looks at the log now and then, as in a service.
    async fn of_a_service(pool: &PgPool, broker: &Arc<Memory>) -> Self {
        let poll = Duration::from_millis(500);
        Self::start(pool, broker, FollowerConfig { poll, batch: 7 }, Woken::Yes, false).await
    }

    async fn start(
        pool: &PgPool,
        broker: &Arc<Memory>,
        config: FollowerConfig,
        woken: Woken,
        leads: bool,
    ) -> Self {
        let background = Background::default();
        let (waker, kept) = (Waker::default(), Kept::default());
        let poll = Duration::from_millis(20);
        let relay_config = RelayConfig { poll, batch: 5, takeover: poll };
        let relay = Relay::new(options(pool), relay_config, waker.clone());
        let broker = Arc::clone(broker) as Arc<dyn Broker>;
        let carrier = Carrier::new(broker, relay.status());
        let log = PublishedLog::new(pool.clone());
        let mut follower =
            Follower::new(log, config, waker.clone(), kept.clone()).with_carrier(carrier.clone());
        follower.open().await.expect("opened");
        if leads {
            background.spawn(relay.run(background.shutdown()));
        }
        if matches!(woken, Woken::Yes) {
            background.spawn(waker.run(options(pool), background.shutdown()));
        }
        background.spawn(carrier.clone().run(background.shutdown()));
        background.spawn(follower.run(background.shutdown()));
        Self { kept, carrier, background }
    }

    async fn until_heard(&self) {
        eventually("the broker is heard", async || self.carrier.is_heard().then_some(())).await;
    }
}

/// One that has led for an event, and one that hears the broker and nothing else.
async fn leader_and_other(pool: &PgPool, broker: &Arc<Memory>, project: ProjectId) -> (Process, Process) {
    commit(pool, &[event(project, "a", 1)]).await;
    let leader = Process::leader(pool, broker).await;
    leader.kept.until_handed_on(project, 1).await;
    let other = Process::other(pool, broker, Woken::No).await;
    other.until_heard().await;
    (leader, other)
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_the_leader_reads_reaches_the_others_without_the_log(pool: PgPool) {
    let broker = Memory::new();
    let project = new_project();
    let (leader, other) = leader_and_other(&pool, &broker, project).await;

    let recorded = commit(&pool, &events(project, "a", 2..=40)).await;
    assert_eq!(ids(&other.kept.until_handed_on(project, 39).await), recorded);
    assert_eq!(other.carrier.counts(), (39, 0), "all by the broker");
    assert_eq!(leader.carrier.counts(), (0, 40), "all out of the log");
    leader.background.stop().await;
    other.background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_broker_that_says_nothing_costs_no_event(pool: PgPool) {
    let broker = Memory::new();
    broker.is_mute.store(true, Ordering::SeqCst);
    let project = new_project();
    let leader = Process::leader(&pool, &broker).await;
    let other = Process::other(&pool, &broker, Woken::Yes).await;
    until_led(&pool).await;
    let recorded = commit(&pool, &events(project, "a", 1..=20)).await;
    assert_eq!(ids(&other.kept.until_handed_on(project, 20).await), recorded);
    assert!(!other.carrier.is_heard(), "and it says so");
    assert_eq!(other.carrier.counts(), (0, 20));

    broker.is_mute.store(false, Ordering::SeqCst);
    other.until_heard().await;
    commit(&pool, &events(project, "a", 21..=40)).await;
    other.kept.until_handed_on(project, 40).await;
    assert_ne!(other.carrier.counts().0, 0, "it is used again");
    leader.background.stop().await;
    other.background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_lost_is_read_from_the_log_once_something_comes_behind_it(pool: PgPool) {
    let broker = Memory::new();
    let project = new_project();
    let (leader, other) = leader_and_other(&pool, &broker, project).await;
    for (version, fate) in
        (2..).zip([Fate::IsLost, Fate::ArrivesTwice, Fate::IsOvertaken, Fate::ArrivesAsNonsense])
    {
        broker.fates.lock().push(fate);
        commit(&pool, &[event(project, "a", version)]).await;
        leader.kept.until_handed_on(project, version as usize).await;
        eventually("its fate", async || broker.fates.lock().is_empty().then_some(())).await;
    }
    commit(&pool, &[event(project, "a", 6)]).await;
    other.kept.until_handed_on(project, 5).await;
    leader.background.stop().await;
    other.background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn whatever_becomes_of_messages_and_leaders_each_event_is_handed_on_once_and_in_order(pool: PgPool) {
    let broker = Memory::new();
    let projects = [new_project(), new_project()];
    let mut leaders = vec![Process::leader(&pool, &broker).await, Process::leader(&pool, &broker).await];
    // What the last message of one project said may be lost while another project's arrives: the next look finds it.
    let others = [Process::of_a_service(&pool, &broker).await, Process::of_a_service(&pool, &broker).await];
    const ROUNDS: i64 = 60;
    for version in 1..=ROUNDS {
        {
            let all =
                [Fate::Arrives, Fate::IsLost, Fate::ArrivesTwice, Fate::IsOvertaken, Fate::ArrivesAsNonsense];
            let mut fates = broker.fates.lock();
            fates.push(all[rand::rng().random_range(0..all.len())]);
        }
        for project in projects {
            commit(&pool, &events(project, "a", [version])).await;
        }
        if version % 20 == 0 {
            // Another leads from now on.
            let ended = leaders.remove(0);
            ended.background.stop().await;
            leaders.push(Process::leader(&pool, &broker).await);
        }
    }
    let log = PublishedLog::new(pool.clone());
    for project in projects {
        eventually("all is published", async || {
            let head = log.head(project).await.expect("the head");
            (head.last.get() == ROUNDS.unsigned_abs()).then_some(())
        })
        .await;
    }
    for process in others.iter() {
        for project in projects {
            // `events` refuses holes and repeats.
            let handed_on = process.kept.until_handed_on(project, ROUNDS as usize).await;
            assert_eq!(handed_on.len(), ROUNDS as usize);
        }
    }
    for process in leaders.into_iter().chain(others) {
        process.background.stop().await;
    }
}
