//! The lives that settlements lead: mostly straight on, some held, some failing, some tried again.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::api::Record;
use super::dice::{amount, currency, one_of, percent, reference, weighted};

/// A network with how often it is used, its confirmations and what a transfer costs on it.
struct Network {
    name: &'static str,
    weight: u32,
    required: u32,
    gas: std::ops::Range<i64>,
    fails_percent: u32,
}

const NETWORKS: &[Network] = &[
    Network { name: "polygon", weight: 40, required: 12, gas: 40_000..90_000, fails_percent: 2 },
    Network { name: "base", weight: 25, required: 8, gas: 21_000..60_000, fails_percent: 1 },
    Network { name: "arbitrum", weight: 15, required: 10, gas: 300_000..900_000, fails_percent: 2 },
    Network { name: "ethereum", weight: 15, required: 12, gas: 1_200_000..6_000_000, fails_percent: 4 },
    Network { name: "sepa", weight: 5, required: 1, gas: 20..35, fails_percent: 1 },
];

const ERRORS: &[&str] = &[
    "the network dropped the transaction from its mempool",
    "gas price rose above the limit",
    "the receiving address was refused by compliance",
    "nonce is used already",
    "the node answered with a time-out",
];

const HOLD_REASONS: &[&str] =
    &["amount differs from the order", "second pair of eyes wanted", "customer asked to wait"];

/// From this amount on, in minor units, it takes two persons to release one, where the server is as it is usually.
const LARGE: i64 = 10_000_001;

/// A new one.
pub(super) fn new(dice: &mut StdRng) -> Value {
    let is_large = percent(dice, 4);
    json!({
        "reference": reference(dice, &["INV", "PO", "RENT", "PAYOUT"]),
        "amountMinor": if is_large { dice.random_range(LARGE..4 * LARGE) } else { amount(dice) },
        "currency": currency(dice),
    })
}

/// The next move of one.
pub(super) fn next(dice: &mut StdRng, settlement: &Record) -> Option<Value> {
    Some(match settlement.status.as_str() {
        // Failed and held ones wait for a person; most steps are for those on their way.
        "settled" => return None,
        "held" if waits_for_second(settlement) && percent(dice, 20) => json!({ "move": "release" }),
        "failed" | "held" if !percent(dice, 6) => return None,
        "failed" => json!({ "move": "retry" }),
        // Above the limit this asks for it, and then a second person has to agree.
        "held" => json!({ "move": "release" }),
        _ if percent(dice, if settlement.number("amountMinor") < LARGE { 1 } else { 20 }) => {
            json!({ "move": "hold", "reason": one_of(dice, HOLD_REASONS) })
        }
        status @ ("submitted" | "confirming") if fails(dice, status) => {
            json!({ "move": "fail", "error": one_of(dice, ERRORS) })
        }
        "created" => {
            let network = weighted(dice, NETWORKS, |network| network.weight);
            json!({ "move": "select_network", "network": network.name, "required": network.required,
                    "score": dice.random_range(60..=100),
                    "reasoning": format!("cheapest of {} at the time", NETWORKS.len()) })
        }
        "network_selected" => {
            let network = weighted(dice, NETWORKS, |network| network.weight);
            json!({ "move": "estimate_gas", "gasEstimate": dice.random_range(network.gas.clone()) })
        }
        "gas_estimated" => json!({ "move": "submit" }),
        "submitted" | "confirming" => {
            let seen = settlement.number("confirmations") + dice.random_range(1..=4);
            json!({ "move": "confirm", "confirmations": seen.min(settlement.number("required").max(1)) })
        }
        _ => {
            json!({ "move": "settle", "txHash": format!("0x{:032x}{:032x}", dice.random::<u128>(), dice.random::<u128>()) })
        }
    })
}

/// Whether somebody has asked for its release, and another person has to agree.
pub(super) fn waits_for_second(settlement: &Record) -> bool {
    !settlement.text("releaseRequestedBy").is_empty()
}

fn fails(dice: &mut StdRng, status: &str) -> bool {
    let network = weighted(dice, NETWORKS, |network| network.weight);
    status == "submitted" && dice.random_range(0..100) < network.fails_percent * 2
        || dice.random_range(0..1000) < network.fails_percent * 3
}
