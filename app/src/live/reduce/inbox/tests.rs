use tidewatch_events::{AggregateType, Position};

use super::*;
use crate::model::NotificationCount;

const READ_LATER: i64 = 1_763_671_500_000;

fn load(rows: &[Notification], more: bool) -> Snapshot<Inbox> {
    Snapshot {
        data: Inbox {
            notifications: rows.to_vec(),
            next: rows.last().filter(|_| more).map(|row| row.id),
            count: NotificationCount::default(),
        },
        position: Position::START,
        resume_token: String::new(),
        as_of: Timestamp::from_unix_millis(READ_LATER).expect("a time"),
    }
}

fn list(folder: NotificationFolder, rows: &[Notification], more: bool) -> InboxList {
    InboxList::new(InboxQuery { folder, ..InboxQuery::default() }, load(rows, more))
}

fn told(event_type: &str, row: &Notification, version: i64) -> Envelope {
    Envelope {
        event_type: event_type.parse().expect("a type"),
        aggregate_type: AggregateType::NOTIFICATION,
        aggregate_id: row.id.to_string(),
        aggregate_version: version,
        occurred_at: Timestamp::from_unix_millis(READ_LATER).expect("a time"),
        ..crate::live::testing::event(1)
    }
}

fn rows(numbers: &[u128]) -> Vec<Notification> {
    numbers.iter().copied().map(Notification::example).collect()
}

#[test]
fn follows_each_step_without_a_second_read() {
    let rows = rows(&[2, 1]);
    let mut list = list(NotificationFolder::All, &rows, false);
    let row = |list: &InboxList| list.row(rows[0].id).cloned().expect("a row");
    for (version, event_type) in [
        (2, "notification.delivered"),
        (3, "notification.seen"),
        (4, "notification.read"),
        (5, "notification.marked_unread"),
        (6, "notification.acknowledged"),
    ] {
        assert!(list.apply(&told(event_type, &rows[0], version)), "{event_type}");
        assert!(!list.apply(&told(event_type, &rows[0], version)), "what was applied changes nothing again");
    }
    let now = row(&list);
    assert!(now.delivered_at.is_some() && now.seen_at.is_some() && now.acknowledged_at.is_some());
    assert!(now.read_at.is_some(), "what is acknowledged is read");
    assert_eq!(now.version, 6);
    assert!(!list.wants_refetch());
}

#[test]
fn an_event_that_was_missed_is_read_anew() {
    let rows = rows(&[1]);
    let mut list = list(NotificationFolder::All, &rows, false);
    list.apply(&told("notification.read", &rows[0], 3));
    assert!(list.wants_refetch());
    list.replace(load(&rows, false));
    assert!(!list.wants_refetch());
}

#[test]
fn what_is_read_leaves_the_unread_and_the_page_is_filled_up() {
    let rows = rows(&[2, 1]);
    let mut whole = list(NotificationFolder::Unread, &rows, false);
    assert!(whole.apply(&told("notification.read", &rows[0], 2)));
    assert_eq!(whole.visible(), [rows[1].clone()]);
    assert!(!whole.wants_refetch(), "nothing stands behind it");
    let mut first = list(NotificationFolder::Unread, &rows, true);
    first.apply(&told("notification.archived", &rows[0], 2));
    assert!(first.wants_refetch());
}

#[test]
fn what_is_held_stays_changes_in_place_and_new_ones_wait() {
    let before = rows(&[2, 1]);
    let mut list = list(NotificationFolder::Unread, &before, false);
    list.hold();
    list.apply(&told("notification.read", &before[0], 2));
    assert_eq!(list.visible().len(), 2);
    assert!(list.is_leaving(before[0].id) && !list.is_leaving(before[1].id));
    assert!(list.row(before[0].id).is_some_and(|row| row.read_at.is_some()));
    // It is taken back while it is still on the screen.
    list.apply(&told("notification.marked_unread", &before[0], 3));
    assert!(list.wants_refetch());
    list.replace(load(&rows(&[3, 2, 1]), false));
    assert_eq!(list.waiting(), 1);
    assert!(!list.is_leaving(before[0].id));
    list.release();
    assert_eq!((list.visible().len(), list.waiting()), (3, 0));
}

#[test]
fn what_waits_elsewhere_is_not_forgotten() {
    let waits = |number| Notification { must_acknowledge: true, ..Notification::example(number) };
    let mut first = load(&[waits(2), Notification::example(1)], false);
    first.data.count.unacknowledged = 3;
    let mut list = InboxList::new(InboxQuery::default(), first);
    assert_eq!(list.waiting_elsewhere(), 2);
    list.apply(&told("notification.acknowledged", &waits(2), 2));
    assert_eq!((list.waiting_elsewhere(), list.wants_refetch()), (2, false));
    list.apply(&told("notification.settled", &waits(9), 2));
    assert!(list.wants_refetch(), "how many are left is counted anew");
}

#[test]
fn what_comes_under_a_pointer_does_not_wait_elsewhere() {
    let waits = |number| Notification { must_acknowledge: true, ..Notification::example(number) };
    let mut list = InboxList::new(InboxQuery::default(), load(&rows(&[1]), false));
    list.hold();
    let mut newer = load(&[waits(2), Notification::example(1)], false);
    newer.data.count.unacknowledged = 1;
    list.replace(newer);
    assert_eq!((list.visible().len(), list.waiting()), (1, 1));
    assert_eq!(list.waiting_elsewhere(), 0, "it stands on the page as soon as it is let");
    // Read in another tab, it stays on the screen until it is let go, and waits elsewhere from then on.
    list.release();
    list.hold();
    list.apply(&told("notification.read", &waits(2), 2));
    assert_eq!(list.waiting_elsewhere(), 0);
    list.release();
    assert_eq!(list.waiting_elsewhere(), 1);
}

#[test]
fn what_one_acknowledges_waits_nowhere_from_then_on() {
    let waits = |number| Notification { must_acknowledge: true, ..Notification::example(number) };
    let mut first = load(&[waits(2), Notification::example(1)], false);
    first.data.count.unacknowledged = 2;
    let mut list = InboxList::new(InboxQuery::default(), first.clone());
    list.hold();
    list.dismiss(&[waits(2).id], NotificationStep::Acknowledge);
    assert_eq!(list.waiting_elsewhere(), 1);
    // Where the event was faster, it is not counted twice.
    let mut list = InboxList::new(InboxQuery::default(), first.clone());
    list.hold();
    list.apply(&told("notification.acknowledged", &waits(2), 2));
    list.dismiss(&[waits(2).id], NotificationStep::Acknowledge);
    assert_eq!(list.waiting_elsewhere(), 1);
    // What is read alone does wait.
    let mut list = InboxList::new(InboxQuery::default(), first);
    list.dismiss(&[waits(2).id], NotificationStep::Read);
    assert_eq!(list.waiting_elsewhere(), 2);
}

#[test]
fn what_may_stand_on_another_page_is_not_taken_for_read() {
    let load_waiting = |more| {
        let mut page = load(&rows(&[2, 1]), more);
        page.data.count.unacknowledged = 1;
        page
    };
    assert_eq!(InboxList::new(InboxQuery::default(), load_waiting(false)).waiting_elsewhere(), 1);
    assert_eq!(InboxList::new(InboxQuery::default(), load_waiting(true)).waiting_elsewhere(), 0);
    let behind = InboxQuery { after: Some(Notification::example(3).id), ..InboxQuery::default() };
    assert_eq!(InboxList::new(behind, load_waiting(false)).waiting_elsewhere(), 0);
    let narrowed = InboxQuery { search: "gas".to_owned(), ..InboxQuery::default() };
    assert_eq!(InboxList::new(narrowed, load_waiting(false)).waiting_elsewhere(), 0);
}

#[test]
fn what_one_takes_away_oneself_goes_at_once() {
    let rows = rows(&[2, 1]);
    for (folder, step, goes) in [
        (NotificationFolder::Unread, NotificationStep::Read, true),
        (NotificationFolder::Unread, NotificationStep::Acknowledge, true),
        (NotificationFolder::All, NotificationStep::Read, false),
        (NotificationFolder::All, NotificationStep::Archive, true),
        (NotificationFolder::Archived, NotificationStep::Unarchive, true),
    ] {
        let mut list = list(folder, &rows, false);
        list.hold();
        list.dismiss(&[rows[0].id], step);
        assert_eq!(list.row(rows[0].id).is_none(), goes, "{folder} {}", step.as_str());
        list.release();
        assert_eq!(list.row(rows[0].id).is_none(), goes);
    }
}

#[test]
fn what_is_folded_away_is_seen_when_it_is_opened() {
    let together = |number| Notification { group: "a".to_owned(), ..Notification::example(number) };
    let seen = Notification { seen_at: Some(together(3).sent_at), ..together(3) };
    let list = list(NotificationFolder::All, &[seen, together(2), Notification::example(1)], false);
    assert_eq!(list.unseen(&BTreeSet::new()), [Notification::example(1).id]);
    let opened = BTreeSet::from(["a".to_owned()]);
    assert_eq!(list.unseen(&opened), [together(2).id, Notification::example(1).id]);
}

#[test]
fn new_ones_are_read_where_they_belong() {
    let known = rows(&[1]);
    let new = Notification::example(2);
    for (folder, event_type, wanted) in [
        (NotificationFolder::Unread, "notification.sent", true),
        (NotificationFolder::Unread, "notification.marked_unread", true),
        (NotificationFolder::Unread, "notification.seen", false),
        (NotificationFolder::All, "notification.sent", true),
        (NotificationFolder::All, "notification.marked_unread", false),
        (NotificationFolder::All, "notification.escalated", false),
        (NotificationFolder::Archived, "notification.sent", false),
        (NotificationFolder::Archived, "notification.archived", true),
    ] {
        let mut list = list(folder, &known, false);
        assert!(!list.apply(&told(event_type, &new, 1)));
        assert_eq!(list.wants_refetch(), wanted, "{folder} {event_type}");
    }
    let mut list = list(NotificationFolder::All, &known, false);
    list.apply(&crate::live::testing::event(1));
    assert!(!list.wants_refetch(), "of something else");
}
