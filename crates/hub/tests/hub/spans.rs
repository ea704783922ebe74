//! What was given to whom can be told afterwards.

use std::sync::Arc;

use futures::FutureExt;
use tidewatch_events::position::Epoch;
use tidewatch_events::{EventFilter, Position};
use tidewatch_hub::{Delivery, Hub, HubConfig, Span, StartAt, SubscribeRequest, Subscription};

use crate::support::{Log, event, project, reader, request, subject};

fn hub(config: HubConfig) -> (Hub, Arc<Log>) {
    let log = Arc::new(Log::default());
    let hub = Hub::new(config, log.clone());
    hub.open_project(project(), Position::START, Epoch(1));
    (hub, log)
}

fn publish(hub: &Hub, log: &Log, numbers: std::ops::RangeInclusive<u64>) {
    let events: Vec<_> = numbers.map(|number| event(number, "settlement.created", true)).collect();
    log.extend(&events);
    drop(hub.publish(project(), events).expect("no hole"));
}

fn subscribe(hub: &Hub, permitted: bool, after: StartAt) -> Subscription {
    let request = request(permitted, EventFilter::default(), after);
    hub.subscribe(SubscribeRequest { reader: Some(reader("Ann")), ..request })
}

/// Takes all there is.
fn read(subscription: &mut Subscription) {
    let mut idle = 0;
    while idle < 3 {
        idle = if subscription.next().now_or_never().is_some() { 0 } else { idle + 1 };
    }
}

fn ends(spans: &[Span]) -> Vec<(u64, u64)> {
    spans.iter().map(|span| (span.after.get(), span.upto.get())).collect()
}

#[test]
fn only_what_was_taken_counts_as_given() {
    let (hub, log) = hub(HubConfig::default());
    let mut ann = subscribe(&hub, true, StartAt::Head);
    publish(&hub, &log, 1..=2);
    assert!(hub.open_spans(project()).is_empty(), "nothing is taken yet");
    read(&mut ann);
    assert_eq!(ends(&hub.open_spans(project())), [(0, 2)]);
    publish(&hub, &log, 3..=3);
    drop(ann);
    assert_eq!(ends(&hub.take_ended_spans()), [(0, 2)]);
    assert!(hub.take_ended_spans().is_empty(), "it is taken once");
    assert!(hub.open_spans(project()).is_empty());
}

#[test]
fn a_span_ends_where_rights_change_and_says_what_they_showed() {
    let (hub, log) = hub(HubConfig::default());
    let mut ann = subscribe(&hub, true, StartAt::Head);
    publish(&hub, &log, 1..=1);
    read(&mut ann);
    assert!(hub.set_subject(ann.id(), &subject(false)));
    publish(&hub, &log, 2..=2);
    read(&mut ann);
    drop(ann);
    let spans = hub.take_ended_spans();
    assert_eq!(ends(&spans), [(0, 1), (1, 2)]);
    let gave = |number| spans.iter().any(|span| span.gave(&event(number, "settlement.created", true)));
    assert!(gave(1));
    assert!(!gave(2), "it was hidden by then");
}

#[test]
fn what_lies_in_a_gap_was_not_given() {
    let (hub, log) = hub(HubConfig { max_replay: 2, ..HubConfig::default() });
    publish(&hub, &log, 1..=5);
    let mut ann = subscribe(&hub, true, StartAt::After(Position::START));
    assert!(hub.open_spans(project()).is_empty(), "the gap is not told yet");
    let mut gap = false;
    for _ in 0..3 {
        gap |= matches!(ann.next().now_or_never(), Some(Delivery::Gap { .. }));
    }
    assert!(gap);
    publish(&hub, &log, 6..=6);
    read(&mut ann);
    assert_eq!(ends(&hub.open_spans(project())), [(5, 6)]);
}

#[test]
fn whoever_is_too_slow_was_given_what_it_took() {
    let (hub, log) = hub(HubConfig { queue_events: 2, ..HubConfig::default() });
    let mut ann = subscribe(&hub, true, StartAt::Head);
    publish(&hub, &log, 1..=1);
    read(&mut ann);
    publish(&hub, &log, 2..=9);
    assert!(matches!(ann.next().now_or_never(), Some(Delivery::Lagged)));
    drop(ann);
    let spans = hub.take_ended_spans();
    assert!(!spans.iter().any(|span| span.gave(&event(9, "settlement.created", true))), "{spans:?}");
    assert!(spans.iter().any(|span| span.gave(&event(1, "settlement.created", true))));
}

#[test]
fn nothing_is_kept_of_whom_nobody_asks_for() {
    let (hub, log) = hub(HubConfig::default());
    let mut nobody = hub.subscribe(request(true, EventFilter::default(), StartAt::Head));
    publish(&hub, &log, 1..=1);
    read(&mut nobody);
    assert!(hub.open_spans(project()).is_empty());
    drop(nobody);
    assert!(hub.take_ended_spans().is_empty());
}
