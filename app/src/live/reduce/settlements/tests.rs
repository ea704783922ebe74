//! A page that follows events equals a fresh load.

use proptest::prelude::*;
use tidewatch_events::{Position, Timestamp};

use super::super::testing::{Change, Ledger, changes};
use super::*;

/// What the server answers: the page of `scope` as the table stands.
fn load(ledger: &Ledger, scope: ListScope) -> SettlementPage {
    let mut rows: Vec<SettlementRow> = ledger.rows.clone();
    rows.retain(|row| scope.status.is_none_or(|status| row.status == status));
    rows.retain(|row| scope.below.is_none_or(|below| row.key() < below));
    rows.sort_by_key(|row| std::cmp::Reverse(row.key()));
    let more = rows.len() > scope.limit;
    rows.truncate(scope.limit);
    let next = more.then(|| rows.last().map(|row| row.key().to_string())).flatten();
    SettlementPage { rows, next, previous: None }
}

fn snapshot(ledger: &Ledger, scope: ListScope) -> Snapshot<SettlementPage> {
    Snapshot {
        data: load(ledger, scope),
        position: Position::new(ledger.log.len() as u64).expect("a position"),
        resume_token: String::new(),
        as_of: Timestamp::from_unix_millis(0).expect("a time"),
    }
}

fn ledger(changes: &[Change]) -> Ledger {
    let mut ledger = Ledger::default();
    changes.iter().for_each(|change| ledger.make(*change));
    ledger
}

fn create(settlement: usize) -> Change {
    Change { settlement, status: SettlementStatus::Created, after: 1 }
}

const FIRST_TWO: ListScope = ListScope { status: None, below: None, limit: 2 };

#[test]
fn a_new_one_comes_on_top_and_the_page_keeps_its_size() {
    let mut ledger = ledger(&[create(0), create(1)]);
    let mut list = SettlementList::new(FIRST_TWO, load(&ledger, FIRST_TWO));
    assert_eq!(list.next(), None);
    ledger.make(create(2));
    assert!(list.apply(&ledger.log[2]));
    assert_eq!(list.visible(), load(&ledger, FIRST_TWO).rows);
    assert!(list.has_arrived(list.visible()[0].id));
    assert_eq!(list.next(), load(&ledger, FIRST_TWO).next, "the one that was cut is on the next page");
}

#[test]
fn held_rows_stay_and_change_in_place() {
    let mut ledger = ledger(&[create(0), create(1)]);
    let mut list = SettlementList::new(FIRST_TWO, load(&ledger, FIRST_TWO));
    let before: Vec<SettlementId> = list.visible().iter().map(|row| row.id).collect();
    list.hold();
    ledger.make(create(2));
    ledger.make(Change { settlement: 0, status: SettlementStatus::Failed, after: 1 });
    for event in &ledger.log[2..] {
        list.apply(event);
    }
    assert_eq!(list.visible().iter().map(|row| row.id).collect::<Vec<_>>(), before);
    assert_eq!(list.visible()[1].status, SettlementStatus::Failed);
    assert_eq!(list.waiting(), 1);
    list.release();
    assert_eq!(list.waiting(), 0);
    assert_eq!(list.visible(), load(&ledger, FIRST_TWO).rows);
}

#[test]
fn a_row_that_leaves_the_filter_goes_and_wants_a_refill() {
    let scope = ListScope { status: Some(SettlementStatus::Created), ..FIRST_TWO };
    let mut ledger = ledger(&[create(0), create(1), create(2)]);
    let mut list = SettlementList::new(scope, load(&ledger, scope));
    ledger.make(Change { settlement: 2, status: SettlementStatus::Failed, after: 1 });
    assert!(list.apply(&ledger.log[3]));
    assert_eq!(list.visible().len(), 1);
    assert!(list.wants_refetch());
    list.replace(snapshot(&ledger, scope));
    assert!(!list.wants_refetch());
    assert_eq!(list.visible(), load(&ledger, scope).rows);
}

proptest! {
    /// However a history goes on after the page was loaded, and however often events repeat: the
    /// page equals a fresh load, or is the beginning of one and wants to be refilled.
    #[test]
    fn equals_a_fresh_load(
        before in changes(25),
        after in changes(40),
        status in proptest::option::of(proptest::sample::select(&SettlementStatus::ALL[..4])),
        limit in 1usize..6,
        second_page: bool,
        holds in proptest::collection::vec(any::<bool>(), 40),
        repeats in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        refill_at in 0usize..40,
    ) {
        let mut ledger = ledger(&before);
        let first = ListScope { status, below: None, limit };
        let below = load(&ledger, first).next.and_then(|next| next.parse().ok()).filter(|_| second_page);
        let scope = ListScope { below, ..first };
        let mut list = SettlementList::new(scope, load(&ledger, scope));
        let mut loaded = ledger.log.len();
        for (index, change) in after.iter().enumerate() {
            ledger.make(*change);
            if holds[index] { list.hold() } else { list.release() }
            let event = &ledger.log[ledger.log.len() - 1];
            list.apply(event);
            if index == refill_at && list.wants_refetch() {
                list.replace(snapshot(&ledger, scope));
                loaded = ledger.log.len();
            }
        }
        // The feed hands out nothing from before a snapshot: a repeat is of what came after.
        if loaded < ledger.log.len() {
            for repeat in &repeats {
                list.apply(repeat.get(&ledger.log[loaded..]));
            }
        }
        list.release();
        let fresh = load(&ledger, scope);
        if list.wants_refetch() {
            prop_assert!(fresh.rows.starts_with(list.visible()), "{:?} {:?}", fresh.rows, list.visible());
            list.replace(snapshot(&ledger, scope));
        }
        prop_assert_eq!(list.visible(), fresh.rows);
        // Whether anything is left below cannot be known without asking: an empty page may follow.
        prop_assert!(fresh.next.is_none() || list.next() == fresh.next);
    }
}
