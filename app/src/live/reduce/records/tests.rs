//! A page that follows events equals a fresh load.

use proptest::prelude::*;
use tidewatch_events::{Position, Timestamp};

use tidewatch_events::catalog::settlement::SettlementStatus;
use tidewatch_modules::Sort;
use tidewatch_modules::module::rule;

use super::super::testing::{Change, Ledger, changes, module, record_of};
use super::*;

/// What the server answers: the page as the table stands.
fn load(ledger: &Ledger, query: &RecordQuery) -> RecordPage {
    let module = module();
    let behind: Option<Cursor> = query.after.as_deref().and_then(|after| after.parse().ok());
    let mut records: Vec<Record> = ledger.rows.iter().map(record_of).collect();
    records.retain(|row| query.matches(&module, row));
    let total = Total { count: records.len() as u64, estimated: false };
    records
        .retain(|row| behind.as_ref().is_none_or(|behind| query.is_before(behind, &query.key(&module, row))));
    records.sort_by_key(|row| query.key(&module, row));
    if !query.sort.is_ascending() {
        records.reverse();
    }
    let more = records.len() > query.rows() as usize;
    records.truncate(query.rows() as usize);
    let next = more.then(|| records.last().map(|row| query.key(&module, row).to_string())).flatten();
    RecordPage {
        module,
        query: query.clone(),
        records,
        next,
        total,
        may_act: true,
        charts: None,
        people: None,
    }
}

fn snapshot(ledger: &Ledger, query: &RecordQuery) -> Snapshot<RecordPage> {
    Snapshot {
        data: load(ledger, query),
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

fn first_two() -> RecordQuery {
    RecordQuery { limit: 2, ..RecordQuery::default() }
}

#[test]
fn a_new_one_comes_on_top_and_the_page_keeps_its_size() {
    let mut ledger = ledger(&[create(0), create(1)]);
    let mut list = RecordList::new(snapshot(&ledger, &first_two()));
    assert_eq!(list.next(), None);
    ledger.make(create(2));
    assert!(list.apply(&ledger.log[2]));
    assert_eq!(list.visible(), load(&ledger, &first_two()).records);
    assert!(list.has_arrived(&list.visible()[0].id));
    assert_eq!(list.next(), load(&ledger, &first_two()).next, "the one that was cut is on the next page");
}

#[test]
fn who_looks_after_a_record_is_called_by_name_or_asked_for() {
    let mut ledger = ledger(&[create(0)]);
    let mut page = snapshot(&ledger, &first_two());
    let person: UserId = "usr_01h455vb4pex5vsknk084sn02q".parse().expect("an id");
    page.data.records[0].assignee = Some(person);
    page.data.people = Some(BTreeMap::from([(person, "Ann".to_owned())]));
    let mut list = RecordList::new(page.clone());
    assert_eq!(list.assignee_of(&list.visible()[0]), Some("Ann"));

    // Somebody else takes it over, of whom nothing is known here; who is no staff does not ask.
    ledger.make(Change { settlement: 0, status: SettlementStatus::Failed, after: 1 });
    let mut event = ledger.log[1].clone();
    event.payload["assignee"] = "usr_01h455vb4pex5vsknk084sn02r".into();
    page.data.people = None;
    let mut of_a_customer = RecordList::new(page);
    for (list, asks) in [(&mut list, true), (&mut of_a_customer, false)] {
        list.apply(&event);
        assert_eq!((list.assignee_of(&list.visible()[0]), list.wants_refetch()), (None, asks));
    }
}

#[test]
fn held_rows_stay_and_change_in_place() {
    let mut ledger = ledger(&[create(0), create(1)]);
    let mut list = RecordList::new(snapshot(&ledger, &first_two()));
    let before: Vec<RecordId> = list.visible().iter().map(|row| row.id.clone()).collect();
    list.hold();
    ledger.make(create(2));
    ledger.make(Change { settlement: 0, status: SettlementStatus::Failed, after: 1 });
    for event in &ledger.log[2..] {
        list.apply(event);
    }
    assert_eq!(list.visible().iter().map(|row| row.id.clone()).collect::<Vec<_>>(), before);
    assert_eq!(list.visible()[1].status, "failed");
    assert_eq!(list.waiting(), 1);
    list.release();
    assert_eq!(list.waiting(), 0);
    assert_eq!(list.visible(), load(&ledger, &first_two()).records);
}

#[test]
fn a_row_that_leaves_the_filter_goes_and_wants_a_refill() {
    let scope = RecordQuery { status: Some("created".to_owned()), ..first_two() };
    let mut ledger = ledger(&[create(0), create(1), create(2)]);
    let mut list = RecordList::new(snapshot(&ledger, &scope));
    ledger.make(Change { settlement: 2, status: SettlementStatus::Failed, after: 1 });
    assert!(list.apply(&ledger.log[3]));
    assert_eq!(list.visible().len(), 1);
    assert!(list.wants_refetch());
    list.replace(snapshot(&ledger, &scope));
    assert!(!list.wants_refetch());
    assert_eq!(list.visible(), load(&ledger, &scope).records);
}

fn moved(settlement: usize, status: SettlementStatus) -> Change {
    Change { settlement, status, after: 1 }
}

/// The module with a move that its events say nothing of, and the list of those with a status.
fn list_of(ledger: &Ledger, status: SettlementStatus) -> RecordList {
    let query = RecordQuery { status: Some(status.to_string()), limit: 1, ..RecordQuery::default() };
    let mut list = RecordList::new(snapshot(ledger, &query));
    list.module.moves = vec![rule("fail", &["created"], &["failed"])];
    list
}

#[test]
fn counts_along_what_is_on_other_pages() {
    let mut ledger = ledger(&[create(0), create(1), create(2)]);
    let mut created = list_of(&ledger, SettlementStatus::Created);
    let mut failed = list_of(&ledger, SettlementStatus::Failed);
    let mut settled = list_of(&ledger, SettlementStatus::Settled);
    assert_eq!(created.total().count, 3);
    // The oldest is not on the page, which has room for one.
    ledger.make(moved(0, SettlementStatus::Failed));
    let mut told = ledger.log[3].clone();
    told.payload["fromStatus"] = "created".into();
    for list in [&mut created, &mut failed, &mut settled] {
        list.apply(&told);
        assert!(!list.apply(&told), "no event counts twice");
        assert!(!list.wants_refetch());
    }
    assert_eq!([created.total().count, failed.total().count, settled.total().count], [2, 1, 0]);
}

#[test]
fn reads_anew_where_an_event_does_not_say_enough() {
    let mut ledger = ledger(&[create(0), create(1), create(2)]);
    let mut created = list_of(&ledger, SettlementStatus::Created);
    let mut settled = list_of(&ledger, SettlementStatus::Settled);
    ledger.make(moved(0, SettlementStatus::Failed));
    let silent = &ledger.log[3];
    // Failed by which move? From created, or it was failed before.
    created.apply(silent);
    assert!(created.wants_refetch());
    settled.apply(silent);
    assert!(!settled.wants_refetch(), "neither from there nor to there");
    created.total.estimated = true;
    created.is_miscounted = false;
    created.apply(&Envelope { aggregate_version: 3, ..silent.clone() });
    assert!(!created.wants_refetch(), "an estimate stays one");
}

#[test]
fn what_was_committed_before_the_list_was_read_may_be_counted_already() {
    let mut ledger = ledger(&[create(0)]);
    let mut list = RecordList::new(Snapshot {
        as_of: Timestamp::from_unix_millis(i64::from(u32::MAX) * 1_000).expect("a time"),
        ..snapshot(&ledger, &RecordQuery { sort: Sort::Oldest, limit: 1, ..RecordQuery::default() })
    });
    ledger.make(create(1));
    list.apply(&ledger.log[1]);
    assert_eq!(list.total().count, 1);
    assert!(list.wants_refetch());
}

proptest! {
    /// However a history goes on after the page was loaded, and however often events repeat: the
    /// page equals a fresh load, or is the beginning of one and wants to be refilled.
    #[test]
    fn equals_a_fresh_load(
        before in changes(25),
        after in changes(40),
        status in proptest::option::of(proptest::sample::select(&SettlementStatus::ALL[..4])),
        limit in 1u32..6,
        sort in proptest::sample::select(&[Sort::Newest, Sort::Oldest, Sort::Amount][..]),
        second_page: bool,
        holds in proptest::collection::vec(any::<bool>(), 40),
        repeats in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        refill_at in 0usize..40,
    ) {
        let mut ledger = ledger(&before);
        let status = status.map(|status| status.to_string());
        let first = RecordQuery { status, limit, sort, ..RecordQuery::default() };
        let after_first = load(&ledger, &first).next.filter(|_| second_page);
        let scope = RecordQuery { after: after_first, ..first };
        let mut list = RecordList::new(snapshot(&ledger, &scope));
        let mut loaded = ledger.log.len();
        for (index, change) in after.iter().enumerate() {
            ledger.make(*change);
            if holds[index] { list.hold() } else { list.release() }
            let event = &ledger.log[ledger.log.len() - 1];
            list.apply(event);
            if index == refill_at && list.wants_refetch() {
                list.replace(snapshot(&ledger, &scope));
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
        let fresh = load(&ledger, &scope);
        if list.wants_refetch() {
            prop_assert!(fresh.records.starts_with(list.visible()), "{:?} {:?}", fresh.records, list.visible());
            list.replace(snapshot(&ledger, &scope));
        }
        prop_assert_eq!(list.visible(), fresh.records);
        prop_assert_eq!(list.total(), fresh.total, "counted along");
        // Whether anything is left below cannot be known without asking: an empty page may follow.
        prop_assert!(fresh.next.is_none() || list.next() == fresh.next);
    }
}
