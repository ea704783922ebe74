//! The hub against a model: a plain list of events, filtered.
//!
//! Random events are published: of several types and things, open, secret or addressed to somebody,
//! some of them urgent. Random readers come from any place, read a little, lose their future in the
//! middle of a read, are cut for their slowness, gain and lose rights, leave, and resume. The ring
//! holds only some of the events, so that a replay crosses from the history through the ring into
//! live. Each reader must have received exactly what the list says, at every moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::FutureExt;
use proptest::prelude::*;
use tidewatch_events::access::SubjectRef;
use tidewatch_events::event::Priority;
use tidewatch_events::position::Epoch;
use tidewatch_events::{Event, EventFilter, Position, Subject, visible};
use tidewatch_hub::{Delivery, Handout, Hub, HubConfig, Run, Span, StartAt, SubscribeRequest, Subscription};

use crate::support::{Log, Sink, event, project, reader, request, subject};

#[derive(Debug, Clone)]
enum Op {
    Publish(Vec<NewEvent>),
    Subscribe {
        back: u64,
        filter: usize,
        who: Who,
    },
    /// Takes one delivery.
    Look(usize),
    /// Takes all there are.
    Read(usize),
    /// Leaves a sink with the hub that takes this many deliveries.
    Attach(usize, usize),
    /// Gives handouts that lie about, or drops them.
    Give(bool),
    ChangeRights(usize, Who),
    /// The connection is lost; the reader comes back behind its position.
    Resume(usize),
    Leave(usize),
}

#[derive(Debug, Clone, Copy)]
struct NewEvent {
    kind: usize,
    thing: usize,
    secret: bool,
    audience: Option<usize>,
    urgent: bool,
}

#[derive(Debug, Clone, Copy)]
struct Who {
    permitted: bool,
    name: usize,
}

const TYPES: [&str; 3] = ["settlement.created", "payment.created", "order.created"];
const FILTERS: [&str; 4] = ["*", "settlement.*", "payment.created,order.*", "settlement.created,*"];
const NAMES: [&str; 3] = ["role:one", "role:two", "role:three"];
const READERS: usize = 6;

fn whos() -> impl Strategy<Value = Who> {
    (any::<bool>(), 0..3usize).prop_map(|(permitted, name)| Who { permitted, name })
}

fn new_events() -> impl Strategy<Value = NewEvent> {
    let audience = prop::option::weighted(0.2, 0..3usize);
    (0..3usize, 0..3usize, any::<bool>(), audience, prop::bool::weighted(0.2)).prop_map(
        |(kind, thing, secret, audience, urgent)| NewEvent { kind, thing, secret, audience, urgent },
    )
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        8 => prop::collection::vec(new_events(), 1..8).prop_map(Op::Publish),
        4 => (0..40u64, 0..FILTERS.len(), whos())
            .prop_map(|(back, filter, who)| Op::Subscribe { back, filter, who }),
        6 => (0..READERS).prop_map(Op::Look),
        6 => (0..READERS).prop_map(Op::Read),
        2 => ((0..READERS), 0..6usize).prop_map(|(index, room)| Op::Attach(index, room)),
        4 => any::<bool>().prop_map(Op::Give),
        1 => ((0..READERS), whos()).prop_map(|(index, who)| Op::ChangeRights(index, who)),
        1 => (0..READERS).prop_map(Op::Resume),
        1 => (0..READERS).prop_map(Op::Leave),
    ];
    prop::collection::vec(op, 1..80)
}

fn make(number: u64, new: NewEvent) -> Event {
    let mut event = event(number, TYPES[new.kind], new.secret);
    event.envelope.aggregate_id = format!("thing-{}", new.thing);
    event.routing.audience.extend(new.audience.map(name));
    if new.urgent {
        event.routing.priority = Priority::High;
    }
    event
}

fn name(index: usize) -> SubjectRef {
    NAMES[index].parse().expect("a name")
}

fn person(who: Who) -> Subject {
    Subject { identities: BTreeSet::from([name(who.name)]), ..subject(who.permitted) }
}

fn subscribe(
    hub: &Hub,
    name: &Arc<tidewatch_hub::Reader>,
    filter: &EventFilter,
    subject: &Subject,
    after: Position,
) -> Subscription {
    hub.subscribe(SubscribeRequest {
        subject: subject.clone(),
        reader: Some(Arc::clone(name)),
        ..request(true, filter.clone(), StartAt::After(after))
    })
}

struct Reader {
    /// Under which the hub keeps what it was given.
    name: Arc<tidewatch_hub::Reader>,
    sink: Option<Arc<Sink>>,
    subscription: Subscription,
    filter: EventFilter,
    /// The rights that it had, each up to the position where they changed.
    rights_before: Vec<(Position, Subject)>,
    rights: Subject,
    from: Position,
    /// In the order of arrival, but those that came early.
    got: Vec<Position>,
    early: BTreeMap<Position, String>,
    /// Of each thing, the position that arrived last on this connection.
    latest: HashMap<String, Position>,
}

impl Reader {
    fn wants(&self, event: &Event) -> bool {
        let position = event.envelope.position;
        let past = self.rights_before.iter().find(|(until, _)| position <= *until);
        let rights = past.map_or(&self.rights, |(_, rights)| rights);
        self.filter.matches(event) && visible(&event.routing, rights)
    }

    /// Everything that the model says it must have received up to its position, but what came early.
    fn check(&self, log: &[Event]) -> Result<(), TestCaseError> {
        let position = self.subscription.position();
        let expected: Vec<Position> = log
            .iter()
            .filter(|event| event.envelope.position > self.from && event.envelope.position <= position)
            .filter(|event| self.wants(event))
            .filter(|event| !self.was_overtaken(event))
            .map(|event| event.envelope.position)
            .collect();
        prop_assert_eq!(&self.got, &expected);
        Ok(())
    }

    /// The hub's record of what it was given is what it has received.
    fn check_spans(&self, spans: &[Span], log: &[Event]) -> Result<(), TestCaseError> {
        let own: Vec<&Span> = spans.iter().filter(|span| span.reader == self.name).collect();
        for event in log.iter().filter(|event| !self.was_overtaken(event)) {
            let has = self.got.contains(&event.envelope.position);
            let times = own.iter().filter(|span| span.gave(event)).count();
            prop_assert_eq!(times, usize::from(has), "of the event at {}", event.envelope.position);
        }
        Ok(())
    }

    /// It came early, or a later one of its thing came before it could be seen: then it stays hidden,
    /// for a thing's events come in order.
    fn was_overtaken(&self, event: &Event) -> bool {
        let position = event.envelope.position;
        !self.got.contains(&position)
            && self.early.range(position..).any(|(_, thing)| *thing == event.envelope.aggregate_id)
    }

    /// What came into its sink came before whatever comes next.
    fn empty_the_sink(&mut self, log: &[Event]) -> Result<(), TestCaseError> {
        let runs: Vec<Run> = self.sink.iter().flat_map(|sink| sink.taken()).collect();
        runs.iter().try_for_each(|run| self.take(log, run, false))
    }

    fn attach(&mut self, hub: &Hub, room: usize) {
        // One a connection: what is under way to it still comes.
        self.sink.get_or_insert_default().attach(hub, &self.subscription, room);
    }

    /// Takes one delivery, if there is one; the future is dropped where the history makes it wait.
    fn look(&mut self, hub: &Hub, log: &[Event]) -> Result<bool, TestCaseError> {
        self.empty_the_sink(log)?;
        match self.subscription.next().now_or_never() {
            Some(Delivery::Events(events)) => self.take(log, &events, false)?,
            Some(Delivery::Urgent(events)) => self.take(log, &events, true)?,
            Some(Delivery::Lagged) => self.resume(hub),
            Some(Delivery::PermissionsChanged(_)) => {}
            Some(other) => prop_assert!(false, "unexpected {:?}", other),
            None => return Ok(false),
        }
        Ok(true)
    }

    fn take(&mut self, log: &[Event], events: &Run, urgent: bool) -> Result<(), TestCaseError> {
        prop_assert!(!events.is_empty());
        for event in events.iter() {
            let position = event.position();
            // After a resume an urgent one comes once more in its place: a reader knows it by its id.
            if self.early.contains_key(&position) {
                continue;
            }
            let thing = event.event().envelope.aggregate_id.clone();
            let last = self.latest.insert(thing.clone(), position);
            prop_assert!(last.is_none_or(|last| last < position), "out of order");
            if urgent {
                prop_assert!(event.event().routing.priority == Priority::High && self.wants(event.event()));
                let overtakes = log.iter().filter(|other| {
                    let place = other.envelope.position;
                    place > self.from && place < position && other.envelope.aggregate_id == thing
                });
                for other in overtakes.filter(|other| self.wants(other) && !self.was_overtaken(other)) {
                    let place = other.envelope.position;
                    prop_assert!(self.got.contains(&place), "{place} waits, and is of the same thing");
                }
                self.early.insert(position, thing);
            } else {
                self.got.push(position);
            }
        }
        Ok(())
    }

    fn read(&mut self, hub: &Hub, log: &[Event]) -> Result<(), TestCaseError> {
        let mut idle = 0;
        // The history answers at the second look, so an idle stream needs three in vain.
        while idle < 3 {
            idle = if self.look(hub, log)? { 0 } else { idle + 1 };
        }
        Ok(())
    }

    fn resume(&mut self, hub: &Hub) {
        let after = self.subscription.position();
        self.sink = None;
        self.subscription = subscribe(hub, &self.name, &self.filter, &self.rights, after);
        // Rights that changed meanwhile can show what an early one overtook unseen.
        self.latest.clear();
    }

    fn change_rights(&mut self, hub: &Hub, rights: Subject) {
        self.rights_before.push((self.subscription.position(), std::mem::replace(&mut self.rights, rights)));
        assert!(hub.set_subject(self.subscription.id(), &self.rights));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_reader_receives_what_is_its_own_once_and_in_order(
        ops in ops(), ring in 1..20usize, queue in prop_oneof![1..6usize, Just(1_000)],
    ) {
        let log = Arc::new(Log::default());
        let config = HubConfig { ring_events: ring, queue_events: queue, ..HubConfig::default() };
        let hub = Hub::new(config, log.clone());
        hub.open_project(project(), Position::START, Epoch(1));
        let mut readers: Vec<Reader> = Vec::new();
        let mut handouts: Vec<Handout> = Vec::new();
        let mut subscribed = 0;
        for op in ops {
            match op {
                Op::Publish(events) => {
                    let first = log.len() as u64 + 1;
                    let events: Vec<Event> =
                        events.into_iter().zip(first..).map(|(new, number)| make(number, new)).collect();
                    log.extend(&events);
                    handouts.extend(hub.publish(project(), events).expect("no hole"));
                }
                Op::Subscribe { back, filter, who } if readers.len() < READERS => {
                    let from = Position::new((log.len() as u64).saturating_sub(back)).expect("small");
                    let filter = EventFilter {
                        types: EventFilter::parse_types(FILTERS[filter]).expect("types"),
                        ..EventFilter::default()
                    };
                    let rights = person(who);
                    subscribed += 1;
                    let name = reader(&subscribed.to_string());
                    readers.push(Reader {
                        sink: None,
                        subscription: subscribe(&hub, &name, &filter, &rights, from),
                        name,
                        filter,
                        rights_before: Vec::new(),
                        rights,
                        from,
                        got: Vec::new(),
                        early: BTreeMap::new(),
                        latest: HashMap::new(),
                    });
                }
                Op::Leave(index) if index < readers.len() => drop(readers.swap_remove(index)),
                Op::Give(true) => handouts.drain(..).for_each(Handout::give),
                Op::Give(false) => handouts.clear(),
                Op::Look(index)
                | Op::Read(index)
                | Op::Resume(index)
                | Op::Attach(index, _)
                | Op::ChangeRights(index, _) => {
                    let Some(reader) = readers.get_mut(index) else { continue };
                    match op {
                        Op::Look(_) => drop(reader.look(&hub, &log.all())?),
                        Op::Resume(_) => {
                            reader.empty_the_sink(&log.all())?;
                            reader.resume(&hub);
                        }
                        Op::Attach(_, room) => {
                            reader.empty_the_sink(&log.all())?;
                            reader.attach(&hub, room);
                        }
                        Op::ChangeRights(_, who) => {
                            // What is under way by the rights of before still comes: see `direct.rs`.
                            handouts.drain(..).for_each(Handout::give);
                            reader.empty_the_sink(&log.all())?;
                            reader.change_rights(&hub, person(who));
                        }
                        _ => {
                            handouts.drain(..).for_each(Handout::give);
                            reader.read(&hub, &log.all())?;
                            let position = reader.subscription.position();
                            prop_assert_eq!(position.get(), log.len() as u64, "an idle reader stands at the head");
                        }
                    }
                }
                Op::Subscribe { .. } | Op::Leave(_) => {}
            }
            let log = log.all();
            for reader in &mut readers {
                reader.empty_the_sink(&log)?;
                reader.check(&log)?;
            }
        }
        prop_assert_eq!(hub.connection_count(), readers.len());
        drop(handouts);
        prop_assert!(hub.view_count() <= readers.len());
        for reader in &mut readers {
            reader.read(&hub, &log.all())?;
            reader.check(&log.all())?;
            prop_assert_eq!(reader.subscription.position().get(), log.len() as u64);
        }
        let mut spans = hub.take_ended_spans();
        spans.extend(hub.open_spans(project()));
        for reader in readers {
            reader.check_spans(&spans, &log.all())?;
        }
        prop_assert_eq!(hub.connection_count(), 0);
        prop_assert_eq!(hub.view_count(), 0);
    }
}
