//! A service that does anything at any time, and what holds all the same.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// What the service does next.
#[derive(Debug, Clone)]
enum Act {
    /// Publishes.
    Publish,
    /// Sends so many of the events that the stream lacks.
    Send(usize),
    /// Sends the last one of them first.
    SendUrgent,
    Heartbeat,
    /// Sends an event of before once more.
    Repeat(prop::sample::Index),
    Break,
    Drain,
    /// Nothing for so long.
    Pass(Millis),
    /// Drops its history up to the present.
    Forget,
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => Just(Act::Publish),
        6 => (1usize..5).prop_map(Act::Send),
        2 => Just(Act::SendUrgent),
        2 => Just(Act::Heartbeat),
        1 => any::<prop::sample::Index>().prop_map(Act::Repeat),
        1 => Just(Act::Break),
        1 => Just(Act::Drain),
        3 => (1u64..30_000).prop_map(Act::Pass),
        1 => Just(Act::Forget),
    ]
}

/// The service and its one reader.
struct World {
    bench: Bench,
    head: u64,
    oldest: u64,
    /// The open stream: the last position sent in order, and what overtook it.
    stream: Option<(u64, BTreeSet<u64>)>,
    /// The id that the next message without one has.
    id: ResumePoint,
    got: BTreeMap<u64, u32>,
    /// Up to where the reader was told to read anew.
    excused: u64,
}

impl World {
    fn new() -> Self {
        let mut bench =
            Bench { machine: Machine::new(ResumePoint::Position(at(0)), Backoff::default()), now: 0 };
        let todo = bench.step(Input::Start);
        let mut world = Self {
            bench,
            head: 0,
            oldest: 1,
            stream: None,
            id: ResumePoint::Latest,
            got: BTreeMap::new(),
            excused: 0,
        };
        world.carry_out(todo);
        world
    }

    fn step(&mut self, input: Input) {
        let todo = self.bench.step(input);
        self.carry_out(todo);
    }

    fn carry_out(&mut self, todo: Vec<Effect>) {
        for effect in todo {
            match effect {
                Effect::Open { after } => self.open(after),
                Effect::Close => self.stream = None,
                Effect::Deliver(envelope) => *self.got.entry(envelope.position.get()).or_default() += 1,
                Effect::Gap(gap) => self.excused = gap.behind.get(),
                _ => {}
            }
        }
    }

    fn open(&mut self, after: ResumePoint) {
        let place = match after {
            ResumePoint::Position(position) => position.get(),
            ResumePoint::Token(token) => token.position.get(),
            ResumePoint::Event(id) => {
                (1..=self.head).find(|n| event(*n).event_id == id).expect("an event of ours")
            }
            other => panic!("never a place to resume from: {other:?}"),
        };
        let recovered = place + 1 >= self.oldest;
        let start = if recovered { place } else { self.head };
        self.stream = Some((start, BTreeSet::new()));
        self.id = token(start);
        self.step(connected_with(start, recovered, ""));
    }

    fn send(&mut self) {
        let Some((sent, ahead)) = &mut self.stream else { return };
        *sent = (*sent + 1).min(self.head);
        if *sent == 0 || ahead.remove(sent) {
            return;
        }
        let number = *sent;
        self.id = ResumePoint::Event(event(number).event_id);
        self.step(arrives(number));
    }

    fn send_urgent(&mut self) {
        let head = self.head;
        if let Some((sent, ahead)) = &mut self.stream
            && head > *sent
            && ahead.insert(head)
        {
            self.step(overtakes(head, self.id));
        }
    }

    /// Everything up to there was sent, but for what overtook.
    fn beat(&mut self) {
        if let Some((sent, ahead)) = &self.stream
            && ahead.is_empty()
        {
            self.id = token(*sent);
            self.step(heartbeat(*sent));
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Publish => self.head += 1,
            Act::Send(count) => (0..count).for_each(|_| self.send()),
            Act::SendUrgent => self.send_urgent(),
            Act::Heartbeat => self.beat(),
            Act::Repeat(index) if self.stream.is_some() && !self.got.is_empty() => {
                let number = *self.got.keys().nth(index.index(self.got.len())).expect("one of them");
                self.step(overtakes(number, self.id));
            }
            Act::Repeat(_) => {}
            Act::Break => self.step(lost()),
            Act::Drain => self.step(says(SystemCode::ServerDraining, serde_json::json!({ "retryMs": 100 }))),
            Act::Pass(milliseconds) => {
                let todo = self.bench.pass(milliseconds);
                self.carry_out(todo);
            }
            Act::Forget => self.oldest = self.head + 1,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Each event reaches the reader exactly once, or lies before a gap that it was told of.
    #[test]
    fn nothing_is_lost_and_nothing_repeated(acts in prop::collection::vec(any_act(), 0..120)) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
            prop_assert!(world.got.values().all(|count| *count == 1), "{:?}", world.got);
        }
        // The service recovers, and has time.
        while world.stream.is_none() {
            world.act(Act::Pass(20_000));
        }
        while world.stream.as_ref().is_some_and(|(sent, _)| *sent < world.head) {
            world.send();
        }
        for number in world.excused + 1..=world.head {
            prop_assert_eq!(world.got.get(&number), Some(&1), "event {}", number);
        }
    }
}
