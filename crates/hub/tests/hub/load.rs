//! What a subscriber had and lacks can be told from outside, however it takes it.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::task::noop_waker_ref;
use tidewatch_events::position::Epoch;
use tidewatch_events::{EventFilter, Position};
use tidewatch_hub::{Delivery, Handout, Hub, HubConfig, Load, StartAt, Subscription};

use crate::support::{Log, Sink, event, project, request};

fn hub() -> Hub {
    let hub = Hub::new(HubConfig::default(), Arc::new(Log::default()));
    hub.open_project(project(), Position::START, Epoch(1));
    hub
}

fn publish(hub: &Hub, number: u64) -> Vec<Handout> {
    hub.publish(project(), vec![event(number, "settlement.created", true)]).expect("no hole")
}

fn take(subscription: &mut Subscription) -> usize {
    match subscription.poll_next(&mut Context::from_waker(noop_waker_ref())) {
        Poll::Ready(Delivery::Events(run)) => run.len(),
        other => panic!("unexpected {other:?}"),
    }
}

#[test]
fn what_waits_and_what_was_taken_is_counted() {
    let hub = hub();
    let mut subscription = hub.subscribe(request(true, EventFilter::default(), StartAt::Head));
    let id = subscription.id();
    publish(&hub, 1);
    publish(&hub, 2);
    assert_eq!(hub.load(id), Some(Load { given: 0, waiting: 2 }));
    assert_eq!(take(&mut subscription), 2);
    assert_eq!(hub.load(id), Some(Load { given: 2, waiting: 0 }));
    drop(subscription);
    assert_eq!(hub.load(id), None);
}

#[test]
fn what_a_sink_takes_counts_as_given() {
    let hub = hub();
    let mut subscription = hub.subscribe(request(true, EventFilter::default(), StartAt::Head));
    assert!(subscription.poll_next(&mut Context::from_waker(noop_waker_ref())).is_pending());
    let sink = Arc::new(Sink::default());
    sink.attach(&hub, &subscription, 1);
    publish(&hub, 1).into_iter().for_each(Handout::give);
    assert_eq!(hub.load(subscription.id()), Some(Load { given: 1, waiting: 0 }));
}

#[test]
fn what_is_replayed_counts_as_given() {
    let hub = hub();
    let _keeps_the_ring = hub.subscribe(request(true, EventFilter::default(), StartAt::Head));
    publish(&hub, 1);
    publish(&hub, 2);
    let mut late = hub.subscribe(request(true, EventFilter::default(), StartAt::After(Position::START)));
    assert_eq!(hub.load(late.id()), Some(Load { given: 0, waiting: 2 }));
    assert_eq!(take(&mut late), 2);
    assert_eq!(hub.load(late.id()), Some(Load { given: 2, waiting: 0 }));
}
