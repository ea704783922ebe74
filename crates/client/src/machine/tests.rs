//! The paths of the machine, one by one, and all of them at random.

mod paths;
mod places;
mod world;

use tidewatch_events::id::ConnectionId;
use tidewatch_events::position::{Epoch, PositionToken};
use tidewatch_events::stream::{Connected, Heartbeat, SystemCode, SystemMessage};
use tidewatch_events::{Backoff, Envelope, ResumePoint};

use super::testing::{at, event};
use super::{Effect, Input, Machine, Millis};
use crate::notice::{Gap, Loss, State, Unreadable};

/// The place as the service gives it with what is no event.
fn token(number: u64) -> ResumePoint {
    ResumePoint::Token(PositionToken { epoch: Epoch(7), position: at(number) })
}

fn connection() -> ConnectionId {
    ConnectionId::from_uuid(event(1).event_id.uuid())
}

fn connected_with(number: u64, recovered: bool, rights: &str) -> Input {
    let connected = Connected {
        connection_id: connection(),
        position: at(number),
        heartbeat_seconds: 15.0,
        instance: "one".into(),
        recovered,
        rights: rights.into(),
        traced: false,
    };
    Input::Connected { id: Some(token(number)), connected }
}

fn connected(number: u64) -> Input {
    connected_with(number, true, "")
}

fn arrives(number: u64) -> Input {
    Input::Events { id: Some(ResumePoint::Event(event(number).event_id)), events: vec![Ok(event(number))] }
}

/// An urgent event, which has the id of the message before it.
fn overtakes(number: u64, id: ResumePoint) -> Input {
    Input::Events { id: Some(id), events: vec![Ok(event(number))] }
}

fn heartbeat(number: u64) -> Input {
    Input::Heartbeat { id: Some(token(number)), heartbeat: Heartbeat { position: at(number) } }
}

fn says(code: SystemCode, data: serde_json::Value) -> Input {
    let message = SystemMessage { code, message: String::new(), data: Some(data) };
    Input::System { id: None, message }
}

fn lost() -> Input {
    Input::Lost { loss: Loss::Ended, retry_after: None }
}

/// A machine with its clock.
struct Bench {
    machine: Machine,
    now: Millis,
}

impl Bench {
    /// Being opened behind this place.
    fn opening_behind(after: ResumePoint) -> Self {
        let mut bench = Self { machine: Machine::new(after, Backoff::default()), now: 1_000 };
        assert_eq!(bench.step(Input::Start), [Effect::State(State::Connecting), Effect::Open { after }]);
        bench
    }

    fn opening() -> Self {
        Self::opening_behind(ResumePoint::Position(at(10)))
    }

    /// Connected behind position 10.
    fn live() -> Self {
        let mut bench = Self::opening();
        bench.step(connected(10));
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

/// The wait and the reason of the loss among the effects.
fn wait_of(effects: &[Effect]) -> Option<(Millis, Loss)> {
    effects.iter().find_map(|effect| match effect {
        Effect::State(State::Reconnecting { wait, loss }) => Some((wait.as_millis() as Millis, loss.clone())),
        _ => None,
    })
}

fn opened_behind(effects: &[Effect]) -> Option<ResumePoint> {
    effects.iter().find_map(|effect| match effect {
        Effect::Open { after } => Some(*after),
        _ => None,
    })
}

fn gaps(effects: &[Effect]) -> Vec<Gap> {
    effects
        .iter()
        .filter_map(|effect| if let Effect::Gap(gap) = effect { Some(*gap) } else { None })
        .collect()
}

fn batch(numbers: &[u64]) -> Input {
    let events: Vec<Result<Envelope, Unreadable>> = numbers.iter().map(|number| Ok(event(*number))).collect();
    let id = numbers.last().map(|number| ResumePoint::Event(event(*number).event_id));
    Input::Events { id, events }
}
