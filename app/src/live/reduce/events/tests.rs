//! A page that follows events equals a fresh load.

use proptest::prelude::*;
use tidewatch_events::Timestamp;

use super::super::testing::{Change, Ledger, changes};
use super::*;
use crate::model::EventQuery;

/// What the server answers: the log, from its end.
fn load(log: &[Envelope], query: &EventQuery) -> EventPage {
    let is_asked_for =
        |event: &&Envelope| query.matches(event) && query.before.is_none_or(|before| event.position < before);
    let mut events: Vec<Envelope> = log.iter().rev().filter(is_asked_for).cloned().collect();
    let rows = query.rows() as usize;
    let is_more = events.len() > rows;
    events.truncate(rows);
    let next = events.last().filter(|_| is_more).map(|last| last.position);
    EventPage { query: query.clone(), events, next, looked_to: None, as_of: None, board: None }
}

fn snapshot(log: &[Envelope], query: &EventQuery) -> Snapshot<EventPage> {
    Snapshot {
        data: load(log, query),
        position: Position::new(log.len() as u64).expect("a position"),
        resume_token: String::new(),
        as_of: Timestamp::from_unix_millis(0).expect("a time"),
    }
}

fn log_of(changes: &[Change]) -> Vec<Envelope> {
    let mut ledger = Ledger::default();
    changes.iter().for_each(|change| ledger.make(*change));
    ledger.log
}

fn query(types: &str, limit: u32) -> EventQuery {
    let types = (types != "*").then(|| types.parse().expect("a pattern")).into_iter().collect();
    EventQuery { types, limit, ..EventQuery::default() }
}

fn positions(events: &[Envelope]) -> Vec<u64> {
    events.iter().map(|event| event.position.get()).collect()
}

fn four() -> Vec<Envelope> {
    let change = |settlement| Change {
        settlement,
        status: tidewatch_events::catalog::settlement::SettlementStatus::Held,
        after: 1,
    };
    log_of(&[change(0), change(0), change(0), change(0)])
}

#[test]
fn new_ones_come_on_top_and_the_page_keeps_its_size() {
    let log = four();
    let mut list = EventList::new(load(&log[..2], &query("*", 2)));
    assert!(list.apply(&log[2]) && !list.apply(&log[2]));
    assert_eq!(positions(list.visible()), [3, 2]);
    assert!(list.has_arrived(log[2].event_id));
    assert_eq!(list.next(), load(&log[..3], &query("*", 2)).next);
}

#[test]
fn a_page_further_back_or_of_the_past_stays_as_it_is() {
    let log = four();
    for change in [
        |query: &mut EventQuery| query.before = Position::new(3),
        |query: &mut EventQuery| query.as_of = "2".parse().ok(),
    ] {
        let mut asked = query("*", 2);
        change(&mut asked);
        let mut list = EventList::new(load(&log[..2], &asked));
        assert!(!list.apply(&log[2]));
        assert_eq!(positions(list.visible()), [2, 1]);
    }
}

#[test]
fn a_paused_page_stays_until_it_goes_on() {
    let log = four();
    let mut list = EventList::new(load(&log[..1], &query("*", 9)));
    list.set_paused(true);
    list.apply(&log[1]);
    list.hold();
    list.apply(&log[2]);
    list.release();
    assert_eq!((positions(list.visible()), list.waiting_while_paused(), list.waiting()), (vec![1], 2, 0));
    list.replace(snapshot(&log, &query("*", 9)));
    assert_eq!((list.is_paused(), positions(list.visible())), (true, vec![1]));
    list.set_paused(false);
    assert_eq!((positions(list.visible()), list.waiting_while_paused()), (vec![4, 3, 2, 1], 0));
}

#[test]
fn held_rows_stay_and_new_ones_wait() {
    let log = four();
    let mut list = EventList::new(load(&log[..2], &query("*", 2)));
    list.hold();
    list.apply(&log[2]);
    list.apply(&log[3]);
    assert_eq!((positions(list.visible()), list.waiting()), (vec![2, 1], 2));
    assert_eq!(list.next(), None, "the rows on the screen are the first ones there are");
    list.release();
    assert_eq!((positions(list.visible()), list.waiting()), (vec![4, 3], 0));
}

proptest! {
    /// However a history goes on after the page was loaded, however often events repeat, and whichever
    /// overtakes another: the page equals a fresh load.
    #[test]
    fn equals_a_fresh_load(
        before in changes(15),
        after in changes(25),
        types in proptest::sample::select(&["*", "settlement.*", "settlement.created", "payment.*"][..]),
        limit in 1u32..6,
        holds in proptest::collection::vec(any::<bool>(), 25),
        pauses in proptest::collection::vec(any::<bool>(), 25),
        repeats in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        overtakes: bool,
    ) {
        let log = log_of(&[before.clone(), after].concat());
        let query = query(types, limit);
        let known = before.len();
        let mut list = EventList::new(load(&log[..known], &query));
        let mut coming: Vec<&Envelope> = log[known..].iter().collect();
        if overtakes {
            for pair in coming.chunks_mut(2) {
                pair.reverse();
            }
        }
        for (index, event) in coming.iter().enumerate() {
            if holds[index] { list.hold() } else { list.release() }
            list.set_paused(pauses[index]);
            list.apply(event);
        }
        if !coming.is_empty() {
            for repeat in &repeats {
                list.apply(repeat.get(&log[known..]));
            }
        }
        list.set_paused(false);
        list.release();
        let fresh = load(&log, &query);
        prop_assert_eq!(list.visible(), &fresh.events);
        prop_assert_eq!(list.next(), fresh.next);
    }
}
