//! The paths of the machine, one by one, and all of them at random.

mod paths;
mod world;

use serde_json::Value;
use tidewatch_events::EventId;

use super::{Effect, Input, Machine, Millis, Polled};
use crate::live::testing::{at, event};

fn connected(number: u64) -> Input {
    Input::Connected { position: at(number), heartbeat: 15_000, recovered: true }
}

fn arrives(number: u64) -> Input {
    Input::Event { id: event(number).event_id.to_string(), envelope: Box::new(event(number)) }
}

fn page(numbers: &[u64], position: u64) -> Input {
    let events = numbers.iter().copied().map(event).collect();
    Input::Polled(Polled::Page { events, position: at(position), has_more: false })
}

/// A machine with its clock.
struct Bench {
    machine: Machine,
    now: Millis,
}

impl Bench {
    /// Started behind position 10, its stream being opened.
    fn opening() -> Self {
        let mut bench = Self { machine: Machine::default(), now: 1_000 };
        bench.step(Input::Start { after: "10".into(), position: at(10) });
        bench
    }

    /// Connected behind position 10.
    fn live() -> Self {
        let mut bench = Self::opening();
        bench.step(connected(10));
        bench
    }

    /// Three attempts failed, the polls of the session get through.
    fn polling() -> Self {
        let mut bench = Self::opening();
        for _ in 0..3 {
            bench.step(Input::Failed);
            bench.step(page(&[], 10));
            if bench.machine.status() != super::Status::Polling {
                bench.pass(20_000);
            }
        }
        bench
    }

    /// What is to be done, without the alarm clock.
    fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = self.machine.step(input, self.now, 0.5);
        effects.retain(|effect| !matches!(effect, Effect::Schedule { .. }));
        effects
    }

    fn pass(&mut self, milliseconds: Millis) -> Vec<Effect> {
        self.now += milliseconds;
        self.step(Input::Tick)
    }
}

fn delivered(effects: &[Effect]) -> Vec<u64> {
    let numbers = effects.iter().filter_map(|effect| match effect {
        Effect::Deliver(envelope) => Some(envelope.position.get()),
        _ => None,
    });
    numbers.collect()
}
