//! The machine against a service that fails in every way at random: what reaches the pages is the
//! log, every event once.

use proptest::prelude::*;

use super::super::Status;
use super::*;

/// The service as the machine's outside sees it.
struct World {
    machine: Machine,
    now: Millis,
    alarm: Option<Millis>,
    /// The log is the numbers 1 to `head`.
    head: u64,
    /// The next number that an open stream sends.
    stream: Option<u64>,
    connected: bool,
    poll: Option<String>,
    got: Vec<u64>,
}

#[derive(Debug, Clone)]
enum Turn {
    Publish(u64),
    Connect,
    Send(u64),
    Heartbeat,
    Break,
    AnswerPoll(bool),
    Pass(Millis),
    Hide,
    Show,
    Offline,
    Online,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        3 => (1u64..5).prop_map(Turn::Publish),
        4 => Just(Turn::Connect),
        5 => (1u64..6).prop_map(Turn::Send),
        2 => Just(Turn::Heartbeat),
        2 => Just(Turn::Break),
        3 => any::<bool>().prop_map(Turn::AnswerPoll),
        4 => (1u64..40_000).prop_map(Turn::Pass),
        1 => Just(Turn::Hide),
        1 => Just(Turn::Show),
        1 => Just(Turn::Offline),
        1 => Just(Turn::Online),
    ];
    proptest::collection::vec(turn, 1..200)
}

/// Where `after` stands: a number, or the id of an event.
fn place(after: &str) -> u64 {
    let by_id = || after.parse::<EventId>().ok().map(|id| id.uuid().as_u128() as u64);
    after.parse().ok().or_else(by_id).expect("a place that the service gave out")
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            machine: Machine::default(),
            now: 0,
            alarm: None,
            head: 0,
            stream: None,
            connected: false,
            poll: None,
            got: Vec::new(),
        };
        world.feed(Input::Start { after: "0".into(), position: at(0) });
        world
    }

    fn feed(&mut self, input: Input) {
        for effect in self.machine.step(input, self.now, 0.3) {
            match effect {
                Effect::OpenStream { after } => {
                    assert_eq!(self.stream, None, "one stream at a time");
                    self.stream = Some(place(&after) + 1);
                    self.connected = false;
                }
                Effect::CloseStream => assert!(self.stream.take().is_some(), "only an open stream is closed"),
                Effect::Poll { after, .. } => {
                    assert_eq!(self.poll.replace(after), None, "one poll at a time");
                }
                Effect::CancelPoll => {
                    assert!(self.poll.take().is_some(), "only a poll under way is given up")
                }
                Effect::Schedule { at } => {
                    assert!(at > self.now, "no busy loop");
                    self.alarm = Some(at);
                }
                Effect::Deliver(envelope) => self.got.push(envelope.position.get()),
                Effect::Refetch { .. } => panic!("nothing was lost"),
            }
        }
    }

    fn turn(&mut self, turn: Turn) {
        match (turn, self.stream) {
            (Turn::Publish(count), _) => self.head += count,
            (Turn::Connect, Some(next)) if !self.connected => {
                self.connected = true;
                self.feed(connected(next - 1));
            }
            (Turn::Send(count), Some(next)) if self.connected => {
                let upto = self.head.min(next + count - 1);
                for number in next..=upto {
                    self.stream = Some(number + 1);
                    self.feed(arrives(number));
                }
            }
            (Turn::Heartbeat, Some(next)) if self.connected => {
                self.feed(Input::Heartbeat { id: (next - 1).to_string(), position: at(next - 1) });
            }
            (Turn::Break, Some(_)) => self.feed(Input::Failed),
            (Turn::AnswerPoll(well), _) => self.answer_poll(well),
            (Turn::Pass(milliseconds), _) => {
                self.now += milliseconds;
                if self.alarm.is_some_and(|alarm| alarm <= self.now) {
                    self.feed(Input::Tick);
                }
            }
            (Turn::Hide, _) => self.feed(Input::Hidden),
            (Turn::Show, _) => self.feed(Input::Visible),
            (Turn::Offline, _) => self.feed(Input::Offline),
            (Turn::Online, _) => self.feed(Input::Online),
            _ => {}
        }
    }

    fn answer_poll(&mut self, well: bool) {
        let Some(after) = self.poll.take() else { return };
        if well {
            let numbers: Vec<u64> = (place(&after) + 1..=self.head).collect();
            let head = self.head;
            self.feed(page(&numbers, head));
        } else {
            self.feed(Input::Polled(Polled::Failed { retry_after: None }));
        }
    }

    /// All is well again: a stream comes up and sends what is left.
    fn recover(&mut self) {
        self.turn(Turn::Show);
        self.turn(Turn::Online);
        for _ in 0..6 {
            self.turn(Turn::Pass(21_000));
            self.turn(Turn::AnswerPoll(true));
            self.turn(Turn::Connect);
            self.turn(Turn::Send(1_000_000));
            self.turn(Turn::Heartbeat);
        }
    }
}

proptest! {
    #[test]
    fn every_event_reaches_the_pages_once_and_in_order(turns in turns()) {
        let mut world = World::new();
        for turn in turns {
            world.turn(turn);
        }
        world.recover();
        prop_assert_eq!(world.machine.status(), Status::Live);
        prop_assert_eq!(world.got, (1..=world.head).collect::<Vec<_>>());
    }
}
