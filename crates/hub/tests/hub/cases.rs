//! What a subscriber is told when it cannot have everything, and what others have of it: nothing.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tidewatch_events::position::Epoch;
use tidewatch_events::{Event, EventFilter, Position};
use tidewatch_hub::{CloseReason, Delivery, Hub, HubConfig, PublishError, StartAt, Subscription};

use crate::support::{Log, event, project, request};

struct World {
    hub: Hub,
    log: Arc<Log>,
}

fn world(config: HubConfig) -> World {
    let log = Arc::new(Log::default());
    let hub = Hub::new(config, log.clone());
    hub.open_project(project(), Position::START, Epoch(1));
    World { hub, log }
}

fn at(number: u64) -> Position {
    Position::new(number).expect("small")
}

impl World {
    fn publish(&self, count: u64) {
        self.publish_as(count, false);
    }

    fn publish_as(&self, count: u64, secret: bool) {
        let first = self.log.len() as u64 + 1;
        let events: Vec<Event> =
            (first..first + count).map(|number| event(number, "settlement.created", secret)).collect();
        self.log.extend(&events);
        self.hub.publish(project(), events).expect("no hole");
    }

    fn subscribe(&self, after: StartAt) -> Subscription {
        self.hub.subscribe(request(true, EventFilter::default(), after))
    }
}

async fn positions(subscription: &mut Subscription, count: usize) -> Vec<u64> {
    let mut got = Vec::new();
    while got.len() < count {
        match subscription.next().await {
            Delivery::Events(events) => got.extend(events.iter().map(|event| event.position().get())),
            other => panic!("unexpected {other:?} after {got:?}"),
        }
    }
    got
}

async fn is_idle(subscription: &mut Subscription) -> bool {
    // Three looks: the history answers at the second.
    for _ in 0..3 {
        if subscription.next().now_or_never().is_some() {
            return false;
        }
    }
    true
}

#[tokio::test]
async fn replay_joins_live_from_history_through_the_ring() {
    let world = world(HubConfig { ring_events: 10, ..HubConfig::default() });
    world.publish(2_500);
    let mut subscription = world.subscribe(StartAt::After(at(3)));
    assert!(subscription.recovered());
    let mut got = positions(&mut subscription, 1_200).await;
    world.publish(50);
    got.extend(positions(&mut subscription, 2_547 - got.len()).await);
    world.publish(3);
    got.extend(positions(&mut subscription, 3).await);
    assert_eq!(got, (4..=2_553).collect::<Vec<_>>());
    assert!(is_idle(&mut subscription).await);
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_the_event() {
    let world = world(HubConfig::default());
    let mut subscription = world.subscribe(StartAt::Head);
    let reader = tokio::spawn(async move { positions(&mut subscription, 1).await });
    tokio::task::yield_now().await;
    world.publish(1);
    assert_eq!(reader.await.expect("no panic"), [1]);
}

#[tokio::test]
async fn a_replay_that_begins_too_far_back_is_a_gap_and_then_live() {
    let world = world(HubConfig { max_replay: 100, ..HubConfig::default() });
    world.publish(101);
    let mut exact = world.subscribe(StartAt::After(at(1)));
    assert!(exact.recovered(), "as far as the bound is not past it");
    let mut beyond = world.subscribe(StartAt::After(Position::START));
    assert!(!beyond.recovered());
    assert!(matches!(beyond.next().await, Delivery::Gap { oldest } if oldest == at(1)));
    assert_eq!(beyond.position(), at(101));
    world.publish(1);
    assert_eq!(positions(&mut beyond, 1).await, [102]);
    assert_eq!(positions(&mut exact, 101).await.len(), 101);
}

#[tokio::test]
async fn events_that_retention_dropped_are_a_gap_with_the_oldest_position() {
    let world = world(HubConfig { ring_events: 5, ..HubConfig::default() });
    world.publish(50);
    world.log.drop_before(30);
    let mut subscription = world.subscribe(StartAt::After(at(10)));
    assert!(matches!(subscription.next().await, Delivery::Gap { oldest } if oldest == at(30)));
    let mut kept = world.subscribe(StartAt::After(at(29)));
    assert_eq!(positions(&mut kept, 21).await, (30..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_cannot_be_found_is_a_gap_never_a_guess() {
    let world = world(HubConfig::default());
    world.publish(7);
    let mut subscription = world.subscribe(StartAt::Unrecoverable);
    assert!(!subscription.recovered());
    assert!(matches!(subscription.next().await, Delivery::Gap { .. }));
    world.publish(1);
    assert_eq!(positions(&mut subscription, 1).await, [8]);
}

#[tokio::test]
async fn a_history_that_fails_is_told_and_read_again() {
    let world = world(HubConfig { ring_events: 1, ..HubConfig::default() });
    world.publish(5);
    world.log.set_broken(true);
    let mut subscription = world.subscribe(StartAt::After(Position::START));
    assert!(matches!(subscription.next().await, Delivery::Unavailable));
    world.log.set_broken(false);
    assert_eq!(positions(&mut subscription, 5).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_slow_reader_is_cut_where_it_stands_and_costs_others_nothing() {
    let world = world(HubConfig { queue_events: 10, ..HubConfig::default() });
    let mut slow = world.subscribe(StartAt::Head);
    let mut quick = world.subscribe(StartAt::Head);
    world.publish(2);
    assert_eq!(positions(&mut slow, 2).await, [1, 2]);
    let mut got = positions(&mut quick, 2).await;
    for _ in 0..11 {
        world.publish(1);
        got.extend(positions(&mut quick, 1).await);
    }
    assert_eq!(got, (1..=13).collect::<Vec<_>>());
    assert!(matches!(slow.next().await, Delivery::Lagged));
    assert_eq!(slow.position(), at(2));
    let mut again = world.subscribe(StartAt::After(slow.position()));
    assert_eq!(positions(&mut again, 11).await, (3..=13).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_queue_is_bounded_in_bytes_but_takes_any_single_event() {
    let world = world(HubConfig { queue_bytes: 1, ..HubConfig::default() });
    let mut subscription = world.subscribe(StartAt::Head);
    world.publish(1);
    assert_eq!(positions(&mut subscription, 1).await, [1]);
    world.publish(2);
    assert!(matches!(subscription.next().await, Delivery::Lagged));
}

#[tokio::test]
async fn a_replaying_reader_never_lags() {
    let world = world(HubConfig { queue_events: 4, ring_events: 3, ..HubConfig::default() });
    world.publish(40);
    let mut subscription = world.subscribe(StartAt::After(Position::START));
    world.publish(40);
    assert_eq!(positions(&mut subscription, 80).await, (1..=80).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_not_for_it_moves_a_reader_on_and_wakes_it_not() {
    let world = world(HubConfig { ring_events: 3, queue_events: 2, ..HubConfig::default() });
    let mut subscription = world.hub.subscribe(request(false, EventFilter::default(), StartAt::Head));
    world.publish_as(20, true);
    assert!(is_idle(&mut subscription).await);
    assert_eq!(subscription.position(), at(20));
    world.publish(1);
    assert_eq!(subscription.position(), at(20), "an event waits for it");
    assert_eq!(positions(&mut subscription, 1).await, [21]);
}

#[tokio::test]
async fn an_ended_session_receives_nothing_more_a_drained_one_what_waits() {
    let world = world(HubConfig::default());
    let mut expired = world.subscribe(StartAt::Head);
    let mut drained = world.subscribe(StartAt::Head);
    world.publish(1);
    assert!(world.hub.close(expired.id(), CloseReason::SessionExpired));
    assert!(matches!(expired.next().await, Delivery::Closed(CloseReason::SessionExpired)));
    for id in world.hub.start_draining() {
        world.hub.close(id, CloseReason::Draining);
    }
    assert_eq!(positions(&mut drained, 1).await, [1]);
    assert!(matches!(drained.next().await, Delivery::Closed(CloseReason::Draining)));
    let mut late = world.subscribe(StartAt::Head);
    assert!(matches!(late.next().await, Delivery::Closed(CloseReason::Draining)));
    drop((expired, drained, late));
    assert_eq!(world.hub.connection_count(), 0);
}

#[tokio::test]
async fn a_history_that_was_replaced_is_a_gap_for_everyone() {
    let world = world(HubConfig::default());
    world.publish(10);
    let mut subscription = world.subscribe(StartAt::Head);
    world.hub.open_project(project(), at(4), Epoch(2));
    assert!(matches!(subscription.next().await, Delivery::Gap { .. }));
    world.hub.publish(project(), vec![event(5, "settlement.created", false)]).expect("the next one");
    assert_eq!(positions(&mut subscription, 1).await, [5]);
    assert_eq!(world.hub.head(project()).map(|head| head.epoch), Some(Epoch(2)));
}

#[tokio::test]
async fn a_hole_is_refused_and_a_repeat_ignored() {
    let world = world(HubConfig::default());
    world.publish(3);
    let again = vec![event(2, "settlement.created", false), event(3, "settlement.created", false)];
    assert!(world.hub.publish(project(), again).is_ok_and(|handouts| handouts.is_empty()));
    let hole = world.hub.publish(project(), vec![event(5, "settlement.created", false)]);
    assert_eq!(hole.err(), Some(PublishError::Hole { expected: at(4), got: at(5) }));
    assert_eq!(world.hub.head(project()).map(|head| head.position), Some(at(3)));
}

#[tokio::test]
async fn a_reader_ahead_of_this_instance_waits_for_what_is_behind_its_position() {
    let world = world(HubConfig::default());
    world.publish(3);
    let mut subscription = world.subscribe(StartAt::After(at(5)));
    world.publish(2);
    assert!(is_idle(&mut subscription).await);
    world.publish(1);
    assert_eq!(positions(&mut subscription, 1).await, [6]);
}

#[tokio::test]
async fn the_first_event_of_a_new_project_reaches_who_waited_for_it() {
    let log = Arc::new(Log::default());
    let hub = Hub::new(HubConfig::default(), log.clone());
    let mut subscription = hub.subscribe(request(true, EventFilter::default(), StartAt::Head));
    assert!(subscription.next().now_or_never().is_none());
    log.extend(&[event(1, "settlement.created", false)]);
    // The follower opens a project behind what was published before it looked.
    hub.open_project(project(), at(1), Epoch(1));
    assert_eq!(positions(&mut subscription, 1).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn the_ring_forgets_by_age() {
    let world = world(HubConfig { ring_age: Duration::from_secs(60), ..HubConfig::default() });
    world.publish(1);
    assert!(world.hub.reaches(project(), Position::START));
    tokio::time::advance(Duration::from_secs(61)).await;
    world.publish(1);
    assert!(!world.hub.reaches(project(), Position::START));
    let mut subscription = world.subscribe(StartAt::After(Position::START));
    assert_eq!(positions(&mut subscription, 2).await, [1, 2]);
}

#[tokio::test]
async fn an_event_is_encoded_once_as_one_sse_frame() {
    let world = world(HubConfig::default());
    let mut readers = [world.subscribe(StartAt::Head), world.subscribe(StartAt::Head)];
    let mut tricky = event(1, "settlement.created", false);
    tricky.envelope.payload = serde_json::json!({ "text": "a\nb\r\nc\u{2028}" });
    world.hub.publish(project(), vec![tricky]).expect("the first one");
    let mut frames = Vec::new();
    for reader in &mut readers {
        let Delivery::Events(events) = reader.next().await else { panic!("no event") };
        frames.push(events[0].sse_frame());
    }
    assert_eq!(frames[0].as_ptr(), frames[1].as_ptr(), "one encoding, shared");
    let text = std::str::from_utf8(&frames[0]).expect("UTF-8");
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!(lines.len(), 5, "{text:?}");
    assert!(lines[0].starts_with("id: evt_") && lines[1] == "event: settlement.created");
    assert!(lines[2].starts_with("data: {\"eventId\":\"evt_") && !lines[2].contains('\r'));
}

#[tokio::test]
async fn who_sees_the_same_shares_one_view_and_one_run_of_bytes() {
    let world = world(HubConfig::default());
    let mut readers: Vec<Subscription> = (0..50).map(|_| world.subscribe(StartAt::Head)).collect();
    assert_eq!(world.hub.view_count(), 1);
    let narrow = EventFilter { resource_id: Some("stl_1".into()), ..EventFilter::default() };
    let other_filter = world.hub.subscribe(request(true, narrow, StartAt::Head));
    let other_rights = world.hub.subscribe(request(false, EventFilter::default(), StartAt::Head));
    assert_eq!(world.hub.view_count(), 3);
    world.publish(20);
    let mut runs = Vec::new();
    for reader in &mut readers {
        let Delivery::Events(run) = reader.next().await else { panic!("no events") };
        assert_eq!(run.len(), 20, "one delivery for all that waits");
        runs.push(run.sse_frames().as_ptr());
    }
    runs.dedup();
    assert_eq!(runs.len(), 1, "put together once");
    drop((other_filter, other_rights, readers));
    assert_eq!(world.hub.view_count(), 0);
}

#[tokio::test]
async fn a_delivery_is_bounded_so_that_a_reader_who_stops_holds_little() {
    let world = world(HubConfig::default());
    let mut live = world.subscribe(StartAt::Head);
    let events: Vec<Event> = (1..=100)
        .map(|number| {
            let mut event = event(number, "settlement.created", false);
            event.envelope.payload = serde_json::json!({ "text": "x".repeat(8 * 1024) });
            event
        })
        .collect();
    world.log.extend(&events);
    world.hub.publish(project(), events).expect("no hole");
    let mut replayed = world.subscribe(StartAt::After(at(0)));
    for reader in [&mut live, &mut replayed] {
        let Delivery::Events(run) = reader.next().await else { panic!("no events") };
        assert!(run.sse_frames().len() <= 64 * 1024 + 9 * 1024, "{} bytes", run.sse_frames().len());
        let rest = positions(reader, 100 - run.len()).await;
        assert_eq!(rest.last(), Some(&100));
    }
}

#[tokio::test]
async fn a_herd_that_comes_back_behind_one_place_reads_the_history_once() {
    let world = world(HubConfig { ring_events: 1, ..HubConfig::default() });
    world.publish(900);
    let mut herd: Vec<Subscription> = (0..100).map(|_| world.subscribe(StartAt::After(at(0)))).collect();
    world.log.hold(true);
    for reader in &mut herd {
        assert!(reader.next().now_or_never().is_none(), "it waits for the history");
    }
    world.log.hold(false);
    for reader in &mut herd {
        assert_eq!(positions(reader, 900).await, (1..=900).collect::<Vec<_>>());
    }
    assert_eq!(world.log.reads(), 1);
}

/// Whatever the threads do between a look in vain and the sleep behind it: nobody sleeps through an event.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_on_many_threads_miss_nothing() {
    const EVENTS: u64 = 5_000;
    let world = world(HubConfig { ring_events: 500, queue_events: 50, ..HubConfig::default() });
    let readers: Vec<_> = (0..20)
        .map(|_| {
            let hub = world.hub.clone();
            tokio::spawn(async move {
                let open =
                    |after| hub.subscribe(request(true, EventFilter::default(), StartAt::After(after)));
                let (mut subscription, mut got) = (open(at(0)), Vec::new());
                while got.len() < EVENTS as usize {
                    match subscription.next().await {
                        Delivery::Events(events) => {
                            got.extend(events.iter().map(|event| event.position().get()));
                        }
                        Delivery::Lagged => subscription = open(subscription.position()),
                        other => panic!("unexpected {other:?}"),
                    }
                    if got.len() % 7 == 0 {
                        subscription = open(subscription.position());
                    }
                }
                got
            })
        })
        .collect();
    let publisher = std::thread::spawn(move || {
        while (world.log.len() as u64) < EVENTS {
            world.publish(1 + world.log.len() as u64 % 3 % (EVENTS - world.log.len() as u64));
        }
        world
    });
    for reader in readers {
        assert_eq!(reader.await.expect("no panic"), (1..=EVENTS).collect::<Vec<_>>());
    }
    drop(publisher.join());
}

#[tokio::test]
async fn an_urgent_event_overtakes_others_and_none_of_its_own() {
    let world = world(HubConfig::default());
    let mut subscription = world.subscribe(StartAt::Head);
    let publish = |number: u64, thing: &str, urgent: bool| {
        let mut event = event(number, "settlement.created", true);
        thing.clone_into(&mut event.envelope.aggregate_id);
        if urgent {
            event.routing.priority = tidewatch_events::event::Priority::High;
        }
        world.hub.publish(project(), vec![event]).expect("published");
    };
    publish(1, "a", false);
    publish(2, "b", false);
    publish(3, "c", true);
    publish(4, "a", true);
    let Delivery::Urgent(urgent) = subscription.next().await else { panic!("nothing urgent") };
    assert_eq!(urgent.iter().map(|event| event.position().get()).collect::<Vec<_>>(), [3]);
    assert!(urgent[0].sse_frame_without_id().starts_with(b"event: "));
    assert_eq!(subscription.position(), at(0), "a reader that is cut now resumes before what was overtaken");
    assert_eq!(positions(&mut subscription, 3).await, [1, 2, 4]);
    // With nothing to overtake it is an event like any other.
    publish(5, "d", true);
    assert_eq!(positions(&mut subscription, 1).await, [5]);
}

proptest::proptest! {
    /// Whatever is urgent and whenever the reader looks: each event once, each thing's in order, and
    /// never a position that something not yet delivered is behind.
    #[test]
    fn lanes_lose_nothing_and_keep_each_thing_in_order(
        turns in proptest::collection::vec((0usize..3, proptest::bool::ANY, proptest::bool::ANY), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let world = world(HubConfig::default());
            let mut subscription = world.subscribe(StartAt::Head);
            let mut published: Vec<(u64, usize)> = Vec::new();
            let mut got: Vec<(u64, usize)> = Vec::new();
            let thing_of = |published: &[(u64, usize)], number: u64| published[number as usize - 1].1;
            for (thing, urgent, looks) in turns {
                let number = published.len() as u64 + 1;
                let mut event = event(number, "settlement.created", true);
                event.envelope.aggregate_id = format!("thing-{thing}");
                if urgent {
                    event.routing.priority = tidewatch_events::event::Priority::High;
                }
                world.hub.publish(project(), vec![event]).expect("published");
                published.push((number, thing));
                while looks && got.len() < published.len() {
                    match subscription.next().await {
                        Delivery::Events(events) | Delivery::Urgent(events) => {
                            for event in events.iter() {
                                let number = event.position().get();
                                got.push((number, thing_of(&published, number)));
                            }
                        }
                        other => panic!("unexpected {other:?}"),
                    }
                    let missing = (1..=published.len() as u64).find(|number| got.iter().all(|(n, _)| n != number));
                    let bound = missing.map_or(published.len() as u64, |number| number - 1);
                    assert!(subscription.position().get() <= bound, "a resume would lose {missing:?}");
                }
            }
            while got.len() < published.len() {
                match subscription.next().await {
                    Delivery::Events(events) | Delivery::Urgent(events) => {
                        for event in events.iter() {
                            let number = event.position().get();
                            got.push((number, thing_of(&published, number)));
                        }
                    }
                    other => panic!("unexpected {other:?}"),
                }
            }
            for thing in 0..3 {
                let order: Vec<u64> = got.iter().filter(|(_, of)| *of == thing).map(|(number, _)| *number).collect();
                assert!(order.is_sorted(), "thing {thing}: {order:?}");
            }
            let mut numbers: Vec<u64> = got.iter().map(|(number, _)| *number).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (1..=published.len() as u64).collect::<Vec<_>>(), "each once");
        });
    }
}

#[tokio::test]
async fn what_nobody_listens_to_can_be_skipped_and_is_still_had_by_who_comes_later() {
    let world = world(HubConfig::default());
    world.publish(3);
    world.log.extend(&(4..=9).map(|number| event(number, "settlement.created", false)).collect::<Vec<_>>());
    assert!(!world.hub.skip_to(project(), at(2)), "it never goes back");
    assert!(world.hub.skip_to(project(), at(9)));
    let mut subscription = world.subscribe(StartAt::After(at(1)));
    assert!(subscription.recovered());
    world.publish(2);
    assert_eq!(positions(&mut subscription, 10).await, (2..=11).collect::<Vec<_>>());
    assert!(!world.hub.skip_to(project(), at(20)), "somebody listens");
    world.publish(1);
    assert_eq!(positions(&mut subscription, 1).await, [12]);
}
