//! The lives that settlements lead: mostly straight on, some held, some failing, some tried again.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use super::api::Settlement;

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

const CURRENCIES: &[(&str, u32)] = &[("EUR", 45), ("USD", 35), ("GBP", 12), ("CHF", 5), ("JPY", 3)];

const ERRORS: &[&str] = &[
    "the network dropped the transaction from its mempool",
    "gas price rose above the limit",
    "the receiving address was refused by compliance",
    "nonce is used already",
    "the node answered with a time-out",
];

const HOLD_REASONS: &[&str] =
    &["amount differs from the order", "second pair of eyes wanted", "customer asked to wait"];

/// What to do next.
pub(super) enum Step {
    /// Ask for a settlement.
    Create(Value),
    /// Move one on.
    Move { id: String, body: Value },
}

/// All settlements that are on their way.
pub(super) struct Town {
    dice: StdRng,
    capacity: usize,
    open: BTreeMap<String, Settlement>,
}

impl Town {
    pub(super) fn new(dice: StdRng, capacity: usize) -> Self {
        Self { dice, capacity, open: BTreeMap::new() }
    }

    pub(super) fn open_count(&self) -> usize {
        self.open.len()
    }

    pub(super) fn adopt(&mut self, settlements: Vec<Settlement>) {
        settlements.into_iter().for_each(|settlement| self.take_in(settlement));
    }

    /// Knows a settlement as it now stands; one that is done is let go.
    pub(super) fn take_in(&mut self, settlement: Settlement) {
        let ended = settlement.status == "settled" || self.open.len() > self.capacity * 2;
        if ended {
            self.open.remove(&settlement.id);
        } else {
            self.open.insert(settlement.id.clone(), settlement);
        }
    }

    pub(super) fn forget(&mut self, id: &str) {
        self.open.remove(id);
    }

    pub(super) fn choose(&mut self) -> Step {
        // Failed and held ones wait for a person; most steps are for those on their way.
        let crowd: Vec<&Settlement> = self.open.values().collect();
        let wants_new = crowd.len() < self.capacity && self.dice.random_range(0..100) < 18;
        for _ in 0..8 {
            let Some(settlement) = crowd.choose(&mut self.dice).filter(|_| !wants_new) else { break };
            let waits = matches!(settlement.status.as_str(), "failed" | "held");
            if waits && self.dice.random_range(0..100) >= 6 {
                continue;
            }
            let settlement = (*settlement).clone();
            let body = next_move(&mut self.dice, &settlement);
            return Step::Move { id: settlement.id, body };
        }
        Step::Create(new_settlement(&mut self.dice))
    }
}

fn weighted<'a, T>(dice: &mut StdRng, items: &'a [T], weight: impl Fn(&T) -> u32) -> &'a T {
    let mut draw = dice.random_range(0..items.iter().map(&weight).sum::<u32>());
    for item in items {
        match draw.checked_sub(weight(item)) {
            Some(rest) => draw = rest,
            None => return item,
        }
    }
    &items[0]
}

fn new_settlement(dice: &mut StdRng) -> Value {
    let (currency, _) = weighted(dice, CURRENCIES, |(_, weight)| *weight);
    // Most are small, few are large, as in life.
    let amount: i64 = 10_i64.pow(dice.random_range(3..7)) + dice.random_range(0..90_000);
    let reference = format!(
        "{}-{:06}",
        ["INV", "PO", "RENT", "PAYOUT"][dice.random_range(0..4)],
        dice.random_range(0..1_000_000)
    );
    json!({ "reference": reference, "amountMinor": amount, "currency": currency })
}

fn next_move(dice: &mut StdRng, settlement: &Settlement) -> Value {
    let mut body = match settlement.status.as_str() {
        "failed" => json!({ "move": "retry" }),
        "held" => json!({ "move": "release" }),
        _ if dice.random_range(0..100) < 1 => {
            json!({ "move": "hold", "reason": HOLD_REASONS[dice.random_range(0..HOLD_REASONS.len())] })
        }
        status @ ("submitted" | "confirming") if fails(dice, status) => {
            json!({ "move": "fail", "error": ERRORS[dice.random_range(0..ERRORS.len())] })
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
            let seen = settlement.confirmations + dice.random_range(1..=4);
            json!({ "move": "confirm", "confirmations": seen.min(settlement.required.max(1)) })
        }
        _ => {
            json!({ "move": "settle", "txHash": format!("0x{:032x}{:032x}", dice.random::<u128>(), dice.random::<u128>()) })
        }
    };
    body["expectedVersion"] = settlement.version.into();
    body
}

fn fails(dice: &mut StdRng, status: &str) -> bool {
    let network = weighted(dice, NETWORKS, |network| network.weight);
    status == "submitted" && dice.random_range(0..100) < network.fails_percent * 2
        || dice.random_range(0..1000) < network.fails_percent * 3
}
