//! Rights that change while a subscriber waits.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt;
use tidewatch_events::position::Epoch;
use tidewatch_events::{Channel, Event, EventFilter, Position, Subject, SubjectRef};
use tidewatch_hub::{
    CloseReason, Delivery, Hub, HubConfig, RightsChange, StartAt, SubscribeRequest, Subscription,
};

use crate::support::{Log, event, project, request, subject};

fn hub() -> Hub {
    let hub = Hub::new(HubConfig::default(), Arc::new(Log::default()));
    hub.open_project(project(), Position::START, Epoch(1));
    hub
}

fn subscribe(hub: &Hub, subject: Subject) -> Subscription {
    hub.subscribe(SubscribeRequest { subject, ..request(true, EventFilter::default(), StartAt::Head) })
}

fn channel(name: &str) -> Channel {
    name.parse().expect("a channel")
}

/// One who was let into these private channels.
fn inside(permitted: bool, channels: &[&str]) -> Subject {
    let identities = channels.iter().map(|name| SubjectRef::Channel(channel(name))).collect();
    Subject { identities, ..subject(permitted) }
}

fn on_channel(number: u64, name: &str) -> Event {
    let mut event = event(number, "message.published", false);
    event.routing = event.routing.on_channel(channel(name));
    event
}

/// The next delivery, which is there already: a change, or the positions of events.
fn next(subscription: &mut Subscription) -> Result<Vec<u64>, RightsChange> {
    match subscription.next().now_or_never().expect("a delivery") {
        Delivery::Events(events) => Ok(events.iter().map(|event| event.position().get()).collect()),
        Delivery::PermissionsChanged(change) => Err(change),
        other => panic!("unexpected {other:?}"),
    }
}

#[test]
fn lost_rights_take_effect_on_what_waits() {
    let hub = hub();
    let mut subscription = subscribe(&hub, subject(true));
    let secret = |number| event(number, "settlement.created", true);
    hub.publish(project(), vec![secret(1), secret(2)]).expect("no hole");
    assert!(hub.set_subject(subscription.id(), &subject(false)));
    hub.publish(project(), vec![secret(3), event(4, "settlement.created", false)]).expect("no hole");
    assert_eq!(next(&mut subscription), Err(RightsChange { others: true, ..RightsChange::default() }));
    assert_eq!(next(&mut subscription), Ok(vec![4]));
}

#[test]
fn the_same_rights_once_more_are_no_news() {
    let hub = hub();
    let mut subscription = subscribe(&hub, subject(true));
    assert!(hub.set_subject(subscription.id(), &subject(true)));
    hub.publish(project(), vec![event(1, "settlement.created", true)]).expect("no hole");
    assert_eq!(next(&mut subscription), Ok(vec![1]));
}

#[test]
fn a_private_channel_is_for_those_who_were_let_in() {
    let hub = hub();
    let mut guest = subscribe(&hub, inside(false, &["private-a"]));
    let mut master = subscribe(&hub, subject(true));
    let events = vec![on_channel(1, "private-a"), on_channel(2, "private-b"), on_channel(3, "open")];
    hub.publish(project(), events).expect("no hole");
    assert_eq!(next(&mut guest), Ok(vec![1, 3]));
    assert_eq!(next(&mut master), Ok(vec![3]), "no permission opens it");
}

#[test]
fn a_channel_that_is_lost_is_told_by_name_also_to_one_who_loses_everything() {
    let hub = hub();
    let mut subscription = subscribe(&hub, inside(true, &["private-a", "private-b", "private-c"]));
    hub.publish(project(), vec![on_channel(1, "private-a"), on_channel(2, "private-b")]).expect("no hole");
    // Twice before it looks: both are told together.
    assert!(hub.set_subject(subscription.id(), &inside(true, &["private-b", "private-c"])));
    assert!(hub.set_subject(subscription.id(), &inside(true, &["private-b"])));
    let removed = |names: &[&str]| names.iter().map(|name| channel(name)).collect::<BTreeSet<_>>();
    let change = RightsChange { removed: removed(&["private-a", "private-c"]), others: false };
    assert_eq!(next(&mut subscription), Err(change));
    assert_eq!(next(&mut subscription), Ok(vec![2]), "what waited of the lost one is gone");

    assert!(hub.set_subject(subscription.id(), &subject(true)));
    assert!(hub.close(subscription.id(), CloseReason::SessionExpired));
    assert_eq!(
        next(&mut subscription),
        Err(RightsChange { removed: removed(&["private-b"]), others: false })
    );
    let last = subscription.next().now_or_never();
    assert!(matches!(last, Some(Delivery::Closed(CloseReason::SessionExpired))), "{last:?}");
}
