//! The fold: what a record must look like by its events, and what is found to be wrong.

use serde_json::{Value, json};
use tidewatch_events::Timestamp;
use tidewatch_modules::{Module, Record};

use super::fold::{Fold, StoredEvent};
use super::horizon::Horizon;
use crate::domain::Modules;

const ID: &str = "pay_01h455vb4pex5vsknk084sn02q";
const MADE: &str = "2026-11-20T20:00:00.000Z";

fn module(name: &str) -> Module {
    Modules::built_in().find(name).expect("a module").module().clone()
}

fn at(seconds: i64) -> Timestamp {
    let made: Timestamp = MADE.parse().expect("a time");
    Timestamp::from_unix_millis(made.unix_millis() + seconds * 1000).expect("a time")
}

fn event(version: i64, event_type: &str, status: &str, from: Option<&str>) -> StoredEvent {
    let mut payload = json!({
        "paymentId": ID, "status": status, "createdAt": MADE, "reference": "INV-1", "amountMinor": 90,
        "currency": "EUR", "method": "card", "refundedMinor": 0,
    });
    if let Some(from) = from {
        payload["fromStatus"] = from.into();
        payload["toStatus"] = status.into();
    }
    StoredEvent {
        aggregate_id: ID.to_owned(),
        version,
        event_type: event_type.to_owned(),
        occurred_at: at(version - 1),
        position: Some(version),
        payload,
    }
}

/// A payment that was authorized and captured.
fn life() -> Vec<StoredEvent> {
    let mut captured = event(3, "payment.received", "captured", Some("authorized"));
    captured.payload["heldIn"] = "cash".into();
    vec![
        event(1, "payment.created", "created", None),
        event(2, "payment.status_changed", "authorized", Some("created")),
        captured,
    ]
}

fn row() -> Record {
    let fields = json!({
        "reference": "INV-1", "amountMinor": 90, "currency": "EUR", "method": "card", "orderId": null,
        "refundedMinor": 0, "error": null, "heldIn": "cash",
    });
    Record {
        id: ID.parse().expect("an id"),
        status: "captured".to_owned(),
        version: 3,
        organization_id: None,
        assignee: None,
        created_at: at(0),
        updated_at: at(2),
        fields: fields.as_object().expect("fields").clone(),
    }
}

fn faults(horizon: Horizon, events: Vec<StoredEvent>, row: &Record) -> (Vec<String>, bool) {
    let module = module("payments");
    let mut fold = Fold::new(&module, horizon);
    events.into_iter().for_each(|event| fold.take(event));
    fold.compare(row, true);
    let begins_later = fold.begins_later();
    (fold.faults.into_named(), begins_later)
}

fn found(events: Vec<StoredEvent>, row: &Record) -> Vec<String> {
    faults(Horizon::ALL, events, row).0
}

#[test]
fn what_the_events_say_is_what_the_row_says() {
    assert_eq!(found(life(), &row()), Vec::<String>::new());
    let module = module("payments");
    let mut fold = Fold::new(&module, Horizon::ALL);
    life().into_iter().for_each(|event| fold.take(event));
    assert_eq!(fold.amount(), Some(("EUR", 90)));
}

#[test]
fn every_field_and_the_head_are_compared() {
    type Alter = (&'static str, fn(&mut Record));
    let alterations: [Alter; 7] = [
        ("amountMinor: the table says 100, the events say 90", |row| {
            row.fields.insert("amountMinor".into(), 100.into());
        }),
        ("heldIn: the table says nothing, the events say `cash`", |row| {
            row.fields.insert("heldIn".into(), Value::Null);
        }),
        ("error: the table says `odd`, the events say nothing", |row| {
            row.fields.insert("error".into(), "odd".into());
        }),
        ("version: the table says 4, the events say 3", |row| row.version = 4),
        ("status: the table says `settled`, the events say `captured`", |row| row.status = "settled".into()),
        (
            "createdAt: the table says `2026-11-20T20:00:09.000Z`, the events say `2026-11-20T20:00:00.000Z`",
            |row| row.created_at = at(9),
        ),
        (
            "updatedAt: the table says `2026-11-20T20:00:09.000Z`, the events say `2026-11-20T20:00:02.000Z`",
            |row| row.updated_at = at(9),
        ),
    ];
    for (said, alter) in alterations {
        let mut row = row();
        alter(&mut row);
        assert_eq!(found(life(), &row), [said]);
    }
}

#[test]
fn a_missing_event_is_found_wherever_it_is() {
    let without = |version: i64| life().into_iter().filter(|event| event.version != version).collect();
    assert_eq!(found(without(1), &row()), ["version 1 has no event"]);
    assert_eq!(found(without(2), &row()), ["version 2 has no event"]);
    let last = found(without(3), &row());
    assert!(last.contains(&"version: the table says 3, the events say 2".to_owned()), "{last:?}");
    let twice = [life(), life()[2..].to_vec()].concat();
    assert!(found(twice, &row()).contains(&"version 3 has two events".to_owned()));
}

#[test]
fn a_move_that_the_table_does_not_have_is_found() {
    let mut jump = life();
    jump.remove(1);
    jump[1].version = 2;
    jump[1].payload["fromStatus"] = "created".into();
    let mut second = row();
    second.version = 2;
    assert_eq!(found(jump, &second), ["version 2: no move leads from created to captured"]);

    let mut elsewhere = life();
    elsewhere[2].payload["fromStatus"] = "created".into();
    assert_eq!(
        found(elsewhere, &row()),
        ["version 3: its event says that it was created, the one before that it was authorized"]
    );
    let mut silent = life();
    silent[2].payload.as_object_mut().expect("a payload").remove("fromStatus");
    assert_eq!(
        found(silent, &row()),
        ["version 3: it went from authorized to captured, and its event does not say so"]
    );
    let mut idle = life();
    idle.push(event(4, "payment.status_changed", "captured", None));
    idle[3].payload["heldIn"] = "cash".into();
    let mut fourth = row();
    (fourth.version, fourth.updated_at) = (4, at(3));
    assert_eq!(found(idle.clone(), &fourth), ["version 4: no move leads from captured to captured"]);
    idle[3].event_type = "payment.updated".to_owned();
    assert_eq!(found(idle, &fourth), Vec::<String>::new(), "somebody was named to look after it");
}

#[test]
fn what_never_changes_must_not() {
    let mut events = life();
    events[2].payload["createdAt"] = "2026-11-20T20:00:01.000Z".into();
    events[1].occurred_at = at(60);
    events[0].payload["paymentId"] = "pay_other".into();
    let found = found(events, &row());
    for said in [
        "version 1: paymentId is `pay_other`",
        "version 3 happened before version 2",
        "version 3: createdAt went from 2026-11-20T20:00:00.000Z to 2026-11-20T20:00:01.000Z",
    ] {
        assert!(found.contains(&said.to_owned()), "{found:?}");
    }
}

#[test]
fn what_retention_has_dropped_is_no_difference() {
    let later = life()[1..].to_vec();
    let horizon = |day: i64| Horizon { oldest_position: 2, oldest_day: Some(at(day)) };
    let day = 24 * 60 * 60;
    assert_eq!(faults(horizon(day), later.clone(), &row()), (Vec::new(), true));
    // It was made when everything was kept already.
    assert_eq!(faults(horizon(-day), later.clone(), &row()).0, ["version 1 has no event"]);
    // Nothing was ever dropped.
    assert_eq!(
        faults(Horizon { oldest_position: 1, ..horizon(day) }, later, &row()).0,
        ["version 1 has no event"]
    );
}

#[test]
fn a_balance_moves_by_its_deltas() {
    let module = module("balances");
    let id = "bal_01h455vb4pex5vsknk084sn02q";
    let moved = |version: i64, delta: i64, after: i64| StoredEvent {
        aggregate_id: id.to_owned(),
        version,
        event_type: "balance.updated".to_owned(),
        occurred_at: at(version),
        position: None,
        payload: json!({
            "balanceId": id, "status": "open", "createdAt": MADE, "account": "cash", "currency": "EUR",
            "balanceMinor": after, "deltaMinor": delta, "cause": ID,
        }),
    };
    let mut fold = Fold::new(&module, Horizon::ALL);
    fold.take(moved(1, 100, 100));
    fold.take(moved(2, -30, 70));
    assert_eq!((fold.deltas(), fold.amount()), (70, Some(("EUR", 70))));
    fold.take(moved(3, -30, 50));
    assert_eq!(fold.faults.into_named(), ["version 3: from 70 it moved by -30 to 50"]);
}

#[test]
fn of_one_record_only_so_many_differences_are_named() {
    let mut strange = row();
    for number in 0..30 {
        strange.fields.insert(format!("odd{number:02}"), number.into());
    }
    let found = found(life(), &strange);
    assert_eq!((found.len(), found[20].as_str()), (21, "and 10 more differences"));
}
