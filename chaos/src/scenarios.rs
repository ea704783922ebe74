//! What is broken, one fault after the other, each with readers of its own and a verdict.

mod broker;
mod clients;
mod clock;
mod instances;
mod log;
mod network;
mod postgres;
mod soak;

use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::ValueEnum;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use crate::Options;
use crate::judge::{Verdict, judge};
use crate::readers::Readers;
use crate::report::{Outcome, Report};
use crate::world::{INSTANCES, World};

/// Longest wait until events flow again behind a fault.
const UNTIL_RECOVERED: Duration = Duration::from_secs(120);

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Nothing is broken: what the others are compared with.
    Calm,
    /// An instance is killed (`kill -9`) again and again, and started anew.
    Kill,
    /// Each instance is asked to end and started anew, one after the other, behind a load balancer.
    Rolling,
    /// The instance that gives positions is stopped (SIGSTOP) and wakes up again.
    LeaderPaused,
    /// The clock of the leader is stepped by more than a day, forth and back; then another's.
    ClockStepped,
    /// The broker is killed and started, flushed and stopped.
    Broker,
    /// Postgres is restarted in order.
    PostgresRestart,
    /// Postgres crashes and recovers.
    PostgresCrash,
    /// Postgres is stopped (SIGSTOP) and wakes up again.
    PostgresPaused,
    /// Others use up all connections of Postgres.
    PostgresConnections,
    /// The disk that Postgres writes to is full.
    DiskFull,
    /// One instance is cut off from Postgres, another from the broker.
    NetworkCut,
    /// All lines to Postgres and the broker are slow and lossy.
    NetworkSlow,
    /// The lines of an instance hang: nothing comes through and nobody is told.
    NetworkSilent,
    /// Clients that never read.
    Deaf,
    /// All readers lose their connections at one moment.
    Herd,
    /// An event whose row no program can read.
    Poison,
    /// A transaction that is open for long has recorded an event.
    LongTransaction,
    /// Events recorded while nobody publishes.
    Backlog,
    /// Nothing is broken for long, and what is used must not grow: half an hour where it is asked for by name.
    Soak,
}

/// Runs what is asked for, writes the report, and says whether all is as it should be.
///
/// # Errors
/// The suite itself does not work.
pub async fn run_all(options: &Options) -> anyhow::Result<bool> {
    // A soak is worth nothing while it is short.
    let faults: Vec<Scenario> =
        Scenario::value_variants().iter().copied().filter(|scenario| *scenario != Scenario::Soak).collect();
    let all = if options.only.is_empty() { &faults } else { &options.only };
    let mut world = World::create(options).await?;
    let mut report = Report::new(options);
    for scenario in all {
        let name = scenario.to_possible_value().map(|it| it.get_name().to_owned()).unwrap_or_default();
        eprintln!("── {name}");
        let outcome = run(*scenario, &mut world).await.unwrap_or_else(|error| Outcome::failed(&error));
        eprintln!("   {}", outcome.line());
        report.add(&name, scenario.help(), outcome);
        report.write()?;
        // Whatever it left, the next one begins with all of them.
        restore(&mut world).await?;
    }
    let verified = world.verify().await;
    report.verified(verified.as_ref().err());
    report.write()?;
    world.remove().await?;
    Ok(report.is_good())
}

impl Scenario {
    fn help(self) -> String {
        self.to_possible_value().and_then(|it| it.get_help().map(ToString::to_string)).unwrap_or_default()
    }

    /// Whether readers come through the load balancer.
    const fn is_balanced(self) -> bool {
        matches!(self, Self::Rolling | Self::ClockStepped)
    }

    async fn inflict(self, world: &mut World, readers: &Readers) -> anyhow::Result<Vec<String>> {
        match self {
            Self::Calm => {
                sleep(world.options.span()).await;
                Ok(Vec::new())
            }
            Self::Kill => instances::kill(world).await,
            Self::Rolling => instances::roll(world, readers).await,
            Self::LeaderPaused => instances::pause_leader(world).await,
            Self::ClockStepped => clock::step(world).await,
            Self::Broker => broker::break_it(world).await,
            Self::PostgresRestart => postgres::restart(world).await,
            Self::PostgresCrash => postgres::crash(world).await,
            Self::PostgresPaused => postgres::pause(world).await,
            Self::PostgresConnections => postgres::use_up_connections(world).await,
            Self::DiskFull => postgres::fill_disk(world).await,
            Self::NetworkCut => network::cut(world).await,
            Self::NetworkSlow => network::slow(world).await,
            Self::NetworkSilent => network::silence(world).await,
            Self::Deaf => clients::deaf(world).await,
            Self::Herd => clients::herd(world, readers).await,
            Self::Poison => log::poison(world).await,
            Self::LongTransaction => log::long_transaction(world).await,
            Self::Backlog => log::backlog(world).await,
            Self::Soak => soak::watch(world).await,
        }
    }
}

async fn run(scenario: Scenario, world: &mut World) -> anyhow::Result<Outcome> {
    let readers = Readers::start(world.options.readers, &world.access(scenario.is_balanced()));
    readers.until_connected().await?;
    world.start_simulator()?;
    until_heard(&readers, OffsetDateTime::now_utc()).await?;
    let before = world.usage().await?;
    let notes = scenario.inflict(world, &readers).await;
    let ended = OffsetDateTime::now_utc();
    let recovered = until_heard(&readers, ended).await;
    // A while of the ordinary, so that what recovers late is seen.
    sleep(Duration::from_secs(3)).await;
    world.stop_simulator().await;
    let mut connection = world.connect().await?;
    let verdict: Verdict = judge(&mut connection, world.project, &readers).await?;
    let after = world.usage().await?;
    let tally = &readers.tally;
    let mut notes = notes?;
    notes.extend(tally.said.lock().iter().map(|(code, count)| format!("{code} {count}")));
    let outcome = Outcome {
        verdict: Some(verdict),
        recovered: Some(recovered?),
        connected: tally.connected.load(Ordering::Relaxed),
        refused: tally.refused.load(Ordering::Relaxed),
        broken: tally.broken.load(Ordering::Relaxed),
        usage: Some((before, after)),
        notes,
        error: None,
    };
    readers.stop().await;
    Ok(outcome)
}

/// Waits until everybody who asks for everything has an event of that time or later, and says how long it took.
async fn until_heard(readers: &Readers, since: OffsetDateTime) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    while !readers.watching().all(|reader| reader.has_since(since)) {
        anyhow::ensure!(begin.elapsed() < UNTIL_RECOVERED, "events do not flow again in {UNTIL_RECOVERED:?}");
        sleep(Duration::from_millis(10)).await;
    }
    Ok(begin.elapsed())
}

/// Has every instance run and every line be clear.
async fn restore(world: &mut World) -> anyhow::Result<()> {
    world.stop_simulator().await;
    for number in 0..INSTANCES {
        let instance = &world.instances[number];
        instance.database.set(crate::line::Weather::Clear);
        instance.broker.set(crate::line::Weather::Clear);
        if world.instances[number].process.is_none() {
            world.start(number).await?;
        }
    }
    world.until_ready(INSTANCES).await
}
