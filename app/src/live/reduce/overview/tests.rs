use proptest::prelude::*;
use serde_json::json;
use tidewatch_events::{EventType, Position};

use super::super::testing::{Change, Ledger, changes, currency, envelope};
use super::*;
use crate::model::{Standing, Trends};

/// What the server answers with `published` events in the log.
fn load(ledger: &Ledger, published: usize) -> Snapshot<Overview> {
    let log = &ledger.log[..published];
    let waiting = &ledger.log[published..];
    let is_ahead =
        |row: &&SettlementRow| waiting.iter().any(|event| event.aggregate_id == row.id.to_string());
    let count = |status| ledger.rows.iter().filter(|row| row.status == status).count() as u64;
    let mut attention: Vec<SettlementRow> = ledger.rows.clone();
    attention.retain(|row| matches!(row.status, SettlementStatus::Failed | SettlementStatus::Held));
    attention.sort_by_key(|row| (row.updated_at, row.id));
    attention.truncate(Overview::MAX_ATTENTION);
    Snapshot {
        data: Overview {
            by_status: SettlementStatus::ALL.into_iter().map(|status| (status, count(status))).collect(),
            ahead: ledger
                .rows
                .iter()
                .filter(is_ahead)
                .map(|row| Standing { id: row.id, status: row.status, version: row.version })
                .collect(),
            created_today: log.iter().filter(|event| event.aggregate_version == 1).count() as u64,
            settled_today: 0,
            failed_today: 0,
            volume_today: Vec::new(),
            needs_attention: attention,
            waiting: Vec::new(),
            per_minute: Vec::new(),
            trends: Trends::default(),
            recent: log.iter().rev().take(Overview::MAX_RECENT).cloned().collect(),
            outbox_lag_ms: None,
            connections: 1,
        },
        position: Position::new(published as u64).expect("a position"),
        resume_token: String::new(),
        as_of: Timestamp::from_unix_millis(1_763_671_432_000).expect("a time"),
    }
}

/// Lets the ledger's events say where their settlement came from, as the server's do.
fn tell_origins(ledger: &mut Ledger) {
    let mut stands: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    for event in &mut ledger.log {
        let status = event.payload["status"].clone();
        if let Some(before) = stands.insert(event.aggregate_id.clone(), status.clone()) {
            event.payload["fromStatus"] = before;
            event.payload["toStatus"] = status;
        }
    }
}

proptest! {
    #[test]
    fn equals_a_fresh_load(before in changes(20), committed in changes(8), after in changes(40)) {
        let mut ledger = Ledger::default();
        before.iter().for_each(|change| ledger.make(*change));
        let published = ledger.log.len();
        committed.iter().for_each(|change| ledger.make(*change));
        tell_origins(&mut ledger);
        let mut state = OverviewState::new(load(&ledger, published));
        after.iter().for_each(|change| ledger.make(*change));
        tell_origins(&mut ledger);
        for event in &ledger.log[published..] {
            state.apply(event);
            state.apply(event);
        }
        let fresh = load(&ledger, ledger.log.len()).data;
        prop_assert_eq!(&state.overview().by_status, &fresh.by_status);
        prop_assert_eq!(state.overview().created_today, fresh.created_today);
        prop_assert_eq!(&state.overview().recent, &fresh.recent);
        if !state.wants_refetch() {
            prop_assert_eq!(&state.overview().needs_attention, &fresh.needs_attention);
        }
    }
}

#[test]
fn counts_today_until_the_day_turns() {
    let mut ledger = Ledger::default();
    ledger.make(Change { settlement: 0, status: SettlementStatus::Created, after: 0 });
    let mut state = OverviewState::new(load(&ledger, ledger.log.len()));
    let mut row = ledger.rows[0].clone();
    let mut settle = |state: &mut OverviewState, day: i64| {
        row.version += 1;
        row.status = SettlementStatus::Settled;
        row.updated_at =
            Timestamp::from_unix_millis(row.updated_at.unix_millis() + day * MILLIS_A_DAY).expect("a time");
        let position = Position::new(row.version as u64).expect("a position");
        let mut event = envelope(EventType::from_static("settlement.settled"), &row, position);
        event.payload["txHash"] = json!("0x1");
        event.payload["gasActual"] = json!(1);
        state.apply(&event);
    };
    settle(&mut state, 0);
    assert_eq!(state.overview().settled_today, 1);
    assert_eq!(state.overview().volume_today, [(currency("EUR"), 100)]);
    settle(&mut state, 1);
    assert_eq!((state.overview().created_today, state.overview().settled_today), (0, 1));
}
