//! The lives that all others lead.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::api::Record;
use super::dice::{amount, currency, one_of, percent, reference};

pub(super) fn new_order(dice: &mut StdRng) -> Value {
    json!({
        "reference": reference(dice, &["ORD", "WEB", "SHOP"]),
        "totalMinor": amount(dice),
        "currency": currency(dice),
        "items": dice.random_range(1..12),
    })
}

pub(super) fn next_of_order(dice: &mut StdRng, order: &Record) -> Option<Value> {
    match order.status.as_str() {
        // Its payment pays it.
        "created" if percent(dice, 3) => Some(json!({ "move": "cancel", "reason": "changed their mind" })),
        "paid" => Some(json!({ "move": "fulfil" })),
        "fulfilled" => Some(json!({ "move": "complete" })),
        _ => None,
    }
}

/// A payment of an order that waits for one.
pub(super) fn new_payment(dice: &mut StdRng, order: Option<&Record>) -> Value {
    let method = one_of(dice, &["card", "sepa", "ideal", "wallet"]);
    match order {
        Some(order) => json!({
            "reference": format!("for {}", order.text("reference")), "orderId": order.id, "method": method,
            "amountMinor": order.number("totalMinor"), "currency": order.text("currency"),
        }),
        None => json!({
            "reference": reference(dice, &["PAY", "RENT"]), "method": method,
            "amountMinor": amount(dice), "currency": currency(dice),
        }),
    }
}

pub(super) fn next_of_payment(dice: &mut StdRng, payment: &Record) -> Option<Value> {
    const DECLINED: &[&str] =
        &["the bank declined it", "the card has expired", "the customer did not confirm"];
    match payment.status.as_str() {
        "created" | "authorized" if percent(dice, 4) => {
            Some(json!({ "move": "fail", "error": one_of(dice, DECLINED) }))
        }
        "created" => Some(json!({ "move": "authorize" })),
        "authorized" => Some(json!({ "move": "capture" })),
        "captured" if percent(dice, 5) => Some(json!({ "move": "refund" })),
        "captured" => Some(json!({ "move": "settle" })),
        _ => None,
    }
}

pub(super) fn new_ticket(dice: &mut StdRng) -> Value {
    const WORK: &[&str] = &[
        "Boiler makes a noise",
        "Window does not close",
        "Paint the staircase",
        "Lift inspection is due",
        "Water under the sink",
        "Replace the door lock",
    ];
    json!({ "title": one_of(dice, WORK), "description": "Reported by the tenant." })
}

pub(super) fn next_of_ticket(dice: &mut StdRng, ticket: &Record) -> Option<Value> {
    match ticket.status.as_str() {
        "created" | "quoted" if percent(dice, 4) => {
            Some(json!({ "move": "cancel", "reason": "has sorted itself out" }))
        }
        "created" => Some(
            json!({ "move": "quote", "amountMinor": dice.random_range(5_000..80_000), "currency": "EUR" }),
        ),
        "quoted" => Some(json!({ "move": "approve" })),
        "approved" => Some(json!({ "move": "finish" })),
        _ => None,
    }
}

pub(super) fn next_of_invoice(dice: &mut StdRng, invoice: &Record) -> Option<Value> {
    match invoice.status.as_str() {
        "open" if percent(dice, 30) => Some(json!({ "move": "pay" })),
        _ => None,
    }
}

pub(super) fn new_incident(dice: &mut StdRng) -> Value {
    const TROUBLE: &[&str] = &[
        "Confirmations on polygon are slow",
        "Payments by card are declined more often",
        "The bank's statement is late",
        "Webhooks to the ERP time out",
    ];
    json!({
        "title": one_of(dice, TROUBLE),
        "severity": one_of(dice, &["low", "medium", "medium", "high", "critical"]),
    })
}

pub(super) fn next_of_incident(dice: &mut StdRng, incident: &Record) -> Option<Value> {
    // What a check has found, a check ends.
    let by_check = !incident.text("source").is_empty();
    match incident.status.as_str() {
        "open" if percent(dice, 40) => Some(json!({ "move": "acknowledge" })),
        "acknowledged" if !by_check && percent(dice, 30) => {
            Some(json!({ "move": "resolve", "resolution": "went away after a restart" }))
        }
        _ => None,
    }
}

pub(super) fn new_automation(dice: &mut StdRng) -> Value {
    const RUNS: &[&str] =
        &["Reconcile bank statement", "Send rent reminders", "Rebalance hot wallets", "Archive tickets"];
    json!({ "name": one_of(dice, RUNS), "total": dice.random_range(4..12) })
}

pub(super) fn next_of_automation(dice: &mut StdRng, run: &Record) -> Option<Value> {
    let (done, total) = (run.number("done"), run.number("total"));
    match run.status.as_str() {
        "started" if percent(dice, 3) => Some(json!({ "move": "fail", "error": "the bank did not answer" })),
        "started" if done < total => Some(json!({ "move": "progress", "done": done + 1 })),
        "started" => Some(json!({ "move": "complete", "note": format!("{total} done") })),
        _ => None,
    }
}

pub(super) fn new_log(dice: &mut StdRng) -> Value {
    const LINES: &[(&str, &str, &str)] = &[
        ("info", "erp", "synchronised 42 contacts"),
        ("info", "ledger", "closed the day"),
        ("debug", "gas-oracle", "median of 5 sources"),
        ("warn", "bank-gateway", "answered after 4 s"),
        ("error", "bank-gateway", "connection reset by peer"),
    ];
    let (level, source, message) = LINES[dice.random_range(0..LINES.len())];
    json!({ "level": level, "source": source, "message": message })
}

/// The servers that are watched: this one by HTTP and by TCP, and one that is not there.
pub(super) fn new_server(index: usize, url: &str) -> Option<Value> {
    let url = url.trim_end_matches('/');
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let port = if url.starts_with("https") { 443 } else { 80 };
    let address = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:{port}") };
    match index {
        0 => Some(json!({ "name": "Tidewatch", "kind": "http", "address": format!("{url}/healthz") })),
        1 => Some(json!({ "name": "Tidewatch's port", "kind": "tcp", "address": address })),
        2 => Some(
            json!({ "name": "Old bank gateway", "kind": "tcp", "address": "127.0.0.1:9", "intervalSeconds": 60 }),
        ),
        _ => None,
    }
}
