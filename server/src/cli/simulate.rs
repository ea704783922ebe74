//! `tidewatch simulate`: a customer like any other, with an HTTP client and an API key.

mod api;
mod business;
mod described;
mod dice;
mod people;
mod settlements;
mod world;

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use rand::SeedableRng;
use rand::rngs::StdRng;
use secrecy::SecretString;
use tidewatch_client::Error;
use tokio::time::{Instant, MissedTickBehavior};

use api::Api;
use people::People;
use world::{Step, Who, World};

use crate::domain::Modules;

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// Where the server is
    #[arg(long, env = "TIDEWATCH_URL", default_value = "http://127.0.0.1:3000")]
    url: String,

    /// API key that may read and act on the modules that live, or *
    #[arg(long, env = "TIDEWATCH_API_KEY", hide_env_values = true)]
    api_key: SecretString,

    /// API key of a second person, who releases what is above the limit; without it, that waits
    #[arg(long, env = "TIDEWATCH_SUPERVISOR_API_KEY", hide_env_values = true)]
    supervisor_api_key: Option<SecretString>,

    /// Changes in a time: 5/s, 90/m
    #[arg(long, default_value = "5/s", value_parser = parse_rate)]
    rate: Rate,

    /// Most changes; without it, until Ctrl-C
    #[arg(long)]
    count: Option<u64>,

    /// Settlements that are on their way at once; of the others there are fewer
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    open: u32,

    /// The modules that live, with commas between them; without it, all
    #[arg(long, value_delimiter = ',')]
    modules: Vec<String>,

    /// Seed of the dice, for the same lives again
    #[arg(long)]
    seed: Option<u64>,
}

/// How often something is done.
#[derive(Debug, Clone, Copy)]
struct Rate {
    every: Duration,
}

fn parse_rate(text: &str) -> Result<Rate, String> {
    let error = || {
        "must be a number of changes in a second or minute, such as 5/s or 90/m, at most 1000/s".to_owned()
    };
    let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
    let number: f64 = number.trim().parse().map_err(|_| error())?;
    let per_second = match unit.trim() {
        "s" => number,
        "m" | "min" => number / 60.0,
        _ => return Err(error()),
    };
    if (0.001..=1000.0).contains(&per_second) {
        Ok(Rate { every: Duration::from_secs_f64(1.0 / per_second) })
    } else {
        Err(error())
    }
}

/// How often to say how it goes.
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// Pause after the server could not be reached.
const BACKOFF: Duration = Duration::from_millis(500);

/// What was done so far.
#[derive(Debug, Default)]
struct Tally {
    changes: u64,
    conflicts: u64,
    failures: u64,
}

pub(super) async fn run(command: Simulate, modules: &Modules) -> anyhow::Result<()> {
    let shutdown = super::shutdown_signal()?;
    let api = Api::new(&command.url, &command.api_key)?;
    let second = command.supervisor_api_key.as_ref().map(|key| Api::new(&command.url, key)).transpose()?;
    let keys = Keys { first: api, second };
    let api = &keys.first;
    let mut dice = command.seed.map_or_else(|| StdRng::from_rng(&mut rand::rng()), StdRng::seed_from_u64);
    let mut people = People::new(StdRng::from_rng(&mut dice));
    let mut world = World::new(
        dice,
        command.open as usize,
        modules,
        &command.modules,
        keys.second.is_some(),
        &command.url,
    )?;
    for module in world.modules() {
        match api.newest(module).await {
            Ok(records) => world.adopt(module, records),
            Err(error) if error.status().is_some() => return Err(error).context(command.url),
            Err(error) => tracing::warn!(%error, "there is no answer yet"),
        }
    }

    let mut tally = Tally::default();
    let mut ticks = tokio::time::interval(command.rate.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reported = Instant::now();
    while command.count.is_none_or(|count| tally.changes < count) {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.cancelled() => break,
        }
        step(&keys, &mut world, &mut people, &mut tally).await.context("the server refuses this API key")?;
        if reported.elapsed() >= REPORT_EVERY {
            reported = Instant::now();
            report(&tally, &world);
        }
    }
    report(&tally, &world);
    Ok(())
}

/// Whose keys the simulator has.
struct Keys {
    first: Api,
    second: Option<Api>,
}

/// One change: the next step of some record, or a new one.
async fn step(
    keys: &Keys,
    world: &mut World<'_>,
    people: &mut People,
    tally: &mut Tally,
) -> Result<(), Error> {
    let api = &keys.first;
    let done = match world.choose() {
        Step::Create { module, new } => {
            api.create(module, &new).await.map(|record| world.take_in(module, record))
        }
        Step::People => match people.step(api).await {
            Ok(true) => Ok(()),
            Ok(false) => return Ok(()),
            Err(error) => Err(error),
        },
        Step::Move { module, id, body, by } => match keys.of(by).make_move(module, &id, &body).await {
            Ok(record) => {
                world.take_in(module, record);
                Ok(())
            }
            // Somebody else moved it, or an answer of ours was lost: look, and go on from there.
            Err(error) if matches!(error.status(), Some(404 | 409)) => {
                tally.conflicts += 1;
                match api.read(module, &id).await {
                    Ok(record) => world.take_in(module, record),
                    Err(_) => world.forget(module, &id),
                }
                return Ok(());
            }
            Err(error) => Err(error),
        },
        Step::Look { module, id } => {
            let seen = api.read(module, &id).await;
            return seen.map(|record| world.take_in(module, record)).or_else(tolerate);
        }
        Step::LookAround { module } => {
            let seen = api.newest(module).await;
            return seen.map(|records| world.adopt(module, records)).or_else(tolerate);
        }
    };
    match done {
        Ok(()) => tally.changes += 1,
        Err(error) if matches!(error.status(), Some(401 | 403)) => return Err(error),
        Err(error) => {
            tally.failures += 1;
            tracing::warn!(%error, "a change was not made; will go on");
            tokio::time::sleep(BACKOFF).await;
        }
    }
    Ok(())
}

impl Keys {
    fn of(&self, who: Who) -> &Api {
        match who {
            Who::First => &self.first,
            Who::Second => self.second.as_ref().unwrap_or(&self.first),
        }
    }
}

/// What cannot be seen now is seen later; a key that is refused is refused for good.
fn tolerate(error: Error) -> Result<(), Error> {
    if matches!(error.status(), Some(401 | 403)) { Err(error) } else { Ok(()) }
}

fn report(tally: &Tally, world: &World<'_>) {
    tracing::info!(
        changes = tally.changes,
        conflicts = tally.conflicts,
        failures = tally.failures,
        open = world.open_count(),
        "simulating"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rates() {
        for (text, millis) in [("5/s", 200), ("2", 500), ("60/m", 1000), ("0.5/s", 2000)] {
            assert_eq!(parse_rate(text).map(|rate| rate.every.as_millis()), Ok(millis), "{text}");
        }
        for text in ["", "0/s", "-1/s", "5/h", "fast", "1e9/s", "NaN/s"] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
    }
}
