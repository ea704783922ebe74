//! Giving on the spot: who takes it is not woken, and nothing comes twice, late or out of its order.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::task::noop_waker_ref;
use tidewatch_events::position::Epoch;
use tidewatch_events::{EventFilter, Position};
use tidewatch_hub::{Delivery, Handout, Hub, HubConfig, Run, StartAt, Subscription};

use crate::support::{Log, Sink, event, project, request, subject};

/// A hub with one subscriber that waits and has left a sink.
struct World {
    hub: Hub,
    subscription: Subscription,
    sink: Arc<Sink>,
}

fn world(room: usize) -> World {
    let hub = Hub::new(HubConfig::default(), Arc::new(Log::default()));
    hub.open_project(project(), Position::START, Epoch(1));
    let mut subscription = hub.subscribe(request(true, EventFilter::default(), StartAt::Head));
    assert!(poll(&mut subscription).is_none());
    let sink = Arc::new(Sink::default());
    sink.attach(&hub, &subscription, room);
    World { hub, subscription, sink }
}

fn poll(subscription: &mut Subscription) -> Option<Delivery> {
    match subscription.poll_next(&mut Context::from_waker(noop_waker_ref())) {
        Poll::Ready(delivery) => Some(delivery),
        Poll::Pending => None,
    }
}

fn numbers(run: &Run) -> Vec<u64> {
    run.iter().map(|event| event.position().get()).collect()
}

impl World {
    fn publish(&self, number: u64) -> Vec<Handout> {
        self.hub.publish(project(), vec![event(number, "settlement.created", true)]).expect("no hole")
    }

    fn taken(&self) -> Vec<Vec<u64>> {
        self.sink.taken().iter().map(numbers).collect()
    }

    fn poll_events(&mut self) -> Option<Vec<u64>> {
        match poll(&mut self.subscription)? {
            Delivery::Events(run) => Some(numbers(&run)),
            other => panic!("unexpected {other:?}"),
        }
    }
}

#[test]
fn who_takes_it_has_caught_up_and_is_given_what_came_meanwhile_as_well() {
    let mut world = world(9);
    let first = world.publish(1);
    assert!(world.publish(2).is_empty(), "it is claimed already");
    assert_eq!(world.poll_events(), None, "a claimed subscriber has nothing to take itself");
    first.into_iter().for_each(Handout::give);
    assert_eq!(world.taken(), [[1], [2]]);
    assert_eq!(world.subscription.position().get(), 2);
    assert_eq!(world.poll_events(), None);
}

#[test]
fn who_does_not_take_it_and_whom_nobody_gives_it_take_it_themselves() {
    let mut world = world(0);
    world.publish(1).into_iter().for_each(Handout::give);
    assert_eq!(world.poll_events(), Some(vec![1]));
    assert_eq!(world.poll_events(), None);
    drop(world.publish(2));
    assert_eq!(world.poll_events(), Some(vec![2]));
}

#[test]
fn a_subscriber_with_something_in_its_hands_is_not_overtaken() {
    let mut world = world(9);
    drop(world.publish(1));
    assert_eq!(world.poll_events(), Some(vec![1]));
    // It writes that now.
    assert!(world.publish(2).is_empty());
    assert_eq!(world.poll_events(), Some(vec![2]));
    assert_eq!(world.poll_events(), None);
    world.publish(3).into_iter().for_each(Handout::give);
    assert_eq!(world.taken(), [[3]]);
}

#[test]
fn a_position_that_is_told_is_never_behind_what_was_given() {
    let mut world = world(9);
    let handouts = world.publish(1);
    assert_eq!(world.subscription.hold(), None, "it is being given the event");
    handouts.into_iter().for_each(Handout::give);
    assert_eq!(world.subscription.hold().map(Position::get), Some(1));
    assert!(world.publish(2).is_empty(), "its sink is not used while it tells where it stands");
    assert_eq!(world.poll_events(), Some(vec![2]));
}

#[test]
fn rights_that_are_lost_while_something_is_given_hold_for_all_that_comes_later() {
    let mut world = world(9);
    let under_way = world.publish(1);
    assert!(world.hub.set_subject(world.subscription.id(), &subject(false)));
    assert!(world.publish(2).is_empty());
    under_way.into_iter().for_each(Handout::give);
    assert_eq!(world.taken(), [[1]], "it was decided on by the rights of its time");
    assert!(matches!(poll(&mut world.subscription), Some(Delivery::PermissionsChanged(_))));
    assert!(world.publish(3).is_empty());
    assert_eq!(world.poll_events(), None);
    assert_eq!(world.taken(), Vec::<Vec<u64>>::new());
}

#[test]
fn one_who_leaves_while_something_is_given_takes_nobody_s_place() {
    let World { hub, subscription, sink } = world(9);
    let handouts = hub.publish(project(), vec![event(1, "settlement.created", true)]).expect("no hole");
    drop(subscription);
    let mut next = hub.subscribe(request(true, EventFilter::default(), StartAt::After(Position::START)));
    handouts.into_iter().for_each(Handout::give);
    assert_eq!(sink.taken().len(), 1);
    assert!(matches!(poll(&mut next), Some(Delivery::Events(run)) if numbers(&run) == [1]));
}
