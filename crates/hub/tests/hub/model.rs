//! The hub against a model: a plain list of events, filtered.
//!
//! Random events are published, random subscribers come, read a little, lose their future in the
//! middle of a read, and go; each must receive exactly what the list says.

use std::sync::Arc;

use crate::support::{Log, event, project, request, subject};
use futures::FutureExt;
use proptest::prelude::*;
use tidewatch_events::position::Epoch;
use tidewatch_events::{Event, EventFilter, Position, visible};
use tidewatch_hub::{Delivery, Hub, HubConfig, StartAt, Subscription};

#[derive(Debug, Clone)]
enum Op {
    Publish(Vec<(usize, bool)>),
    Subscribe { back: u64, filter: usize, permitted: bool },
    Read(usize),
    Leave(usize),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => prop::collection::vec((0..3usize, any::<bool>()), 1..8).prop_map(Op::Publish),
        2 => (0..40u64, 0..3usize, any::<bool>())
            .prop_map(|(back, filter, permitted)| Op::Subscribe { back, filter, permitted }),
        6 => (0..6usize).prop_map(Op::Read),
        1 => (0..6usize).prop_map(Op::Leave),
    ];
    prop::collection::vec(op, 1..60)
}

const TYPES: [&str; 3] = ["settlement.created", "payment.created", "order.created"];
const FILTERS: [&str; 3] = ["*", "settlement.*", "payment.created,order.*"];

struct Reader {
    subscription: Subscription,
    filter: EventFilter,
    permitted: bool,
    from: Position,
    got: Vec<Position>,
}

impl Reader {
    /// Everything that the model says it must have received up to `position`.
    fn expected(&self, log: &[Event], position: Position) -> Vec<Position> {
        let subject = subject(self.permitted);
        log.iter()
            .filter(|event| event.envelope.position > self.from && event.envelope.position <= position)
            .filter(|event| self.filter.matches(event) && visible(&event.routing, &subject))
            .map(|event| event.envelope.position)
            .collect()
    }

    /// Reads what is there; `pauses` times the history makes it wait, and the future is dropped.
    fn read(&mut self) {
        let mut idle = 0;
        // The history answers at the second look, so an idle stream needs three in vain.
        while idle < 3 {
            match self.subscription.next().now_or_never() {
                Some(Delivery::Events(events)) => {
                    idle = 0;
                    self.got.extend(events.iter().map(|event| event.position()));
                }
                Some(other) => panic!("unexpected {other:?}"),
                None => idle += 1,
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_reader_receives_what_is_its_own_once_and_in_order(ops in ops(), ring in 1..20usize) {
        let log = Arc::new(Log::default());
        let config = HubConfig { ring_events: ring, ..HubConfig::default() };
        let hub = Hub::new(config, log.clone());
        hub.open_project(project(), Position::START, Epoch(1));
        let mut readers: Vec<Reader> = Vec::new();
        for op in ops {
            match op {
                Op::Publish(events) => {
                    let first = log.len() as u64 + 1;
                    let events: Vec<Event> = events
                        .into_iter()
                        .zip(first..)
                        .map(|((kind, secret), number)| event(number, TYPES[kind], secret))
                        .collect();
                    log.extend(&events);
                    hub.publish(project(), events).expect("no hole");
                }
                Op::Subscribe { back, filter, permitted } if readers.len() < 6 => {
                    let from = Position::new((log.len() as u64).saturating_sub(back)).expect("small");
                    let filter = EventFilter {
                        types: EventFilter::parse_types(FILTERS[filter]).expect("types"),
                        ..EventFilter::default()
                    };
                    let subscription = hub.subscribe(request(permitted, filter.clone(), StartAt::After(from)));
                    readers.push(Reader { subscription, filter, permitted, from, got: Vec::new() });
                }
                Op::Read(index) => {
                    if let Some(reader) = readers.get_mut(index) {
                        reader.read();
                        let position = reader.subscription.position();
                        prop_assert_eq!(position.get(), log.len() as u64, "an idle reader stands at the head");
                    }
                }
                Op::Leave(index) if index < readers.len() => drop(readers.swap_remove(index)),
                Op::Subscribe { .. } | Op::Leave(_) => {}
            }
            for reader in &readers {
                // At any moment: all up to its position, and nothing behind it.
                let expected = reader.expected(&log.all(), reader.subscription.position());
                prop_assert_eq!(&reader.got, &expected);
            }
        }
        prop_assert_eq!(hub.connection_count(), readers.len());
        for mut reader in readers {
            reader.read();
            let expected = reader.expected(&log.all(), Position::MAX);
            prop_assert_eq!(&reader.got, &expected);
        }
        prop_assert_eq!(hub.connection_count(), 0);
    }
}
