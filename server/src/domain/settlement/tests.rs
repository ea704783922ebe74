use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tidewatch_events::access::Actor;
use tidewatch_events::id::{ApiKeyId, RecordId, UserId};
use tidewatch_events::{Timestamp, catalog};
use tidewatch_modules::{Context, Domain, MoveError, Outcome, Record, domain};
use uuid::Uuid;

use super::Settlement;

const LIMIT: i64 = 1_000;

/// A settlement under test, moved as the server moves it.
struct Trial {
    domain: Box<dyn Domain>,
    fields: Map<String, Value>,
    status: String,
}

fn person(number: u128) -> Actor {
    Actor::User(UserId::from_uuid(Uuid::from_u128(number)))
}

fn key(number: u128) -> Actor {
    Actor::Key(ApiKeyId::from_uuid(Uuid::from_u128(number)))
}

fn context(actor: &Actor) -> Context<'_> {
    let person = match actor {
        Actor::User(person) => Some(*person),
        Actor::Key(_) | Actor::System(_) => None,
    };
    context_for(actor, person)
}

fn context_for(actor: &Actor, person: Option<UserId>) -> Context<'_> {
    Context {
        id: RecordId::new("stl", Uuid::from_u128(2)),
        actor,
        person,
        now: Timestamp::from_unix_millis(1_795_000_000_000).expect("a time"),
        approval_limit_minor: LIMIT,
        draw: &|| Uuid::from_u128(3),
    }
}

impl Trial {
    fn of(amount_minor: i64) -> Self {
        let domain = domain::<Settlement>();
        let new = json!({ "reference": "INV-1", "amountMinor": amount_minor, "currency": "EUR", "network": "polygon" });
        let (fields, _) = domain.create(new, &context(&person(1))).expect("created");
        Self { domain, fields, status: "created".to_owned() }
    }

    fn make(&mut self, actor: &Actor, step: Value) -> Result<Outcome, MoveError> {
        self.make_in(&context(actor), step)
    }

    /// By a key that acts for a person, or for nobody that could be told.
    fn make_by_key(&mut self, number: u128, person: Option<u128>, step: Value) -> Result<Outcome, MoveError> {
        let person = person.map(|person| UserId::from_uuid(Uuid::from_u128(person)));
        self.make_in(&context_for(&key(number), person), step)
    }

    fn make_in(&mut self, context: &Context<'_>, step: Value) -> Result<Outcome, MoveError> {
        let (fields, outcome) = self.domain.make(&self.fields, step, &self.status, context)?;
        self.fields = fields;
        self.status = outcome.status.clone().map_or_else(|| self.status.clone(), |status| status.to_string());
        Ok(outcome)
    }
}

fn example(name: &str, confirmations: u32) -> Value {
    match name {
        "select_network" => json!({ "move": name, "required": 3 }),
        "estimate_gas" => json!({ "move": name, "gasEstimate": 21_000 }),
        "confirm" => json!({ "move": name, "confirmations": confirmations }),
        "settle" => json!({ "move": name, "txHash": "0xabc" }),
        "fail" => json!({ "move": name, "error": "out of gas" }),
        "hold" => json!({ "move": name, "reason": "look at it" }),
        _ => json!({ "move": name }),
    }
}

#[test]
fn walks_to_settled() {
    let mut trial = Trial::of(100);
    let walk = [
        ("select_network", 0, Some("settlement.network_selected")),
        ("estimate_gas", 0, Some("settlement.gas_estimated")),
        ("submit", 0, None),
        ("confirm", 1, None),
        ("confirm", 2, Some("settlement.confirmation_progress")),
        ("confirm", 3, None),
        ("settle", 0, Some("settlement.settled")),
    ];
    for (name, confirmations, told) in walk {
        let outcome = trial.make(&person(1), example(name, confirmations)).expect("allowed");
        assert_eq!(outcome.event_type.as_ref().map(|event_type| event_type.as_str()), told, "{name}");
    }
    assert_eq!(trial.status, "settled");
    assert_eq!(trial.fields["gasActual"], 21_000);
    assert_eq!(trial.domain.module().moves_from("settled").count(), 0);
}

#[test]
fn goes_on_where_it_was_held() {
    let mut trial = Trial::of(100);
    for name in ["select_network", "estimate_gas", "hold", "release"] {
        trial.make(&person(1), example(name, 0)).expect("allowed");
    }
    assert_eq!(trial.status, "gas_estimated");
    assert_eq!((&trial.fields["heldFrom"], &trial.fields["holdReason"]), (&Value::Null, &Value::Null));
}

#[test]
fn above_the_limit_a_second_person_releases() {
    let mut trial = Trial::of(LIMIT + 1);
    trial.make(&person(1), example("hold", 0)).expect("held");
    let asked = trial.make(&person(1), example("release", 0)).expect("asked for");
    assert_eq!(asked.event_type.expect("told").as_str(), "settlement.updated");
    assert_eq!(trial.status, "held");
    let again = trial.make(&person(1), example("release", 0)).expect_err("the same person");
    assert!(matches!(again, MoveError::NotYours(_)), "{again}");
    trial.make(&person(2), example("release", 0)).expect("a second person");
    assert_eq!(trial.status, "created");
    assert_eq!(trial.fields["releaseRequestedBy"], Value::Null);
}

#[test]
fn a_key_counts_as_the_person_for_whom_it_acts() {
    let release = || example("release", 0);
    let mut trial = Trial::of(LIMIT + 1);
    trial.make(&person(1), example("hold", 0)).expect("held");
    let unknown = trial.make_by_key(7, None, release()).expect_err("nobody knows for whom");
    assert!(matches!(&unknown, MoveError::NotYours(why) if why.contains("cannot be told")), "{unknown}");
    trial.make_by_key(8, Some(1), release()).expect("asked for");
    assert_eq!(trial.fields["releaseRequestedBy"], person(1).to_string());
    trial.make(&person(1), release()).expect_err("the same person, without the key");
    trial.make_by_key(9, Some(1), release()).expect_err("the same person, with another key");
    trial.make_by_key(7, None, release()).expect_err("perhaps the same person");
    assert_eq!(trial.status, "held");
    trial.make_by_key(10, Some(2), release()).expect("a second person's key");
    assert_eq!(trial.status, "created");
}

#[test]
fn what_a_key_asked_for_before_persons_were_told_apart_is_asked_for_again() {
    let mut trial = Trial::of(LIMIT + 1);
    trial.make(&person(1), example("hold", 0)).expect("held");
    trial.fields.insert("releaseRequestedBy".to_owned(), key(7).to_string().into());
    trial.make(&person(1), example("release", 0)).expect("asked for");
    assert_eq!(trial.status, "held");
    trial.make(&person(2), example("release", 0)).expect("a second person");
    assert_eq!(trial.status, "created");
}

#[test]
fn unknown_moves_and_fields_are_refused() {
    let mut trial = Trial::of(1);
    for (step, field) in [
        (json!({ "move": "fly" }), "move"),
        (json!({}), "move"),
        (json!({ "move": "hold" }), "reason"),
        (json!({ "move": "hold", "reason": "x", "colour": "red" }), "colour"),
        (json!({ "move": "select_network", "score": 101 }), "score"),
    ] {
        match trial.make(&person(1), step.clone()) {
            Err(MoveError::Invalid { field: named, .. }) => assert_eq!(named, field, "{step}"),
            other => panic!("{step}: {other:?}"),
        }
    }
}

proptest! {
    /// Whatever is asked in whatever order: a move is made exactly when the table has it, leads
    /// where the table says, and its event is one that the catalog accepts.
    #[test]
    fn the_table_is_the_law(steps in proptest::collection::vec((0usize..9, 0u32..6, 1u128..3), 1..40), amount in 1..2 * LIMIT) {
        let mut trial = Trial::of(amount);
        let module = Settlement::module_of();
        for (index, confirmations, who) in steps {
            let rule = &module.moves[index];
            let before = trial.status.clone();
            match trial.make(&person(who), example(&rule.name, confirmations)) {
                Ok(outcome) => {
                    prop_assert!(rule.from.iter().any(|from| *from == before));
                    prop_assert!(rule.to.iter().any(|to| *to == trial.status));
                    let record = Record {
                        id: context(&person(1)).id, status: trial.status.clone(), version: 1,
                        organization_id: None, assignee: None, created_at: context(&person(1)).now,
                        updated_at: context(&person(1)).now, fields: trial.fields.clone(),
                    };
                    let mut payload = record.facts(&module);
                    payload.extend(outcome.payload);
                    payload.insert("fromStatus".into(), before.into());
                    payload.insert("toStatus".into(), trial.status.clone().into());
                    let event_type = outcome.event_type.unwrap_or_else(|| "settlement.status_changed".parse().expect("a type"));
                    let entry = catalog::find(&event_type).expect("in the catalog");
                    prop_assert!(entry.check_payload(&payload.into()).is_ok());
                    prop_assert!(trial.fields["confirmations"].as_u64() <= trial.fields["required"].as_u64());
                    prop_assert_eq!(trial.status == "held", !trial.fields["heldFrom"].is_null());
                }
                Err(MoveError::NotAllowed { .. }) => prop_assert!(!rule.from.iter().any(|from| *from == before)),
                Err(MoveError::Invalid { field, .. }) => prop_assert_eq!(field, "confirmations"),
                Err(MoveError::NotYours(_)) => prop_assert!(amount > LIMIT),
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}

impl Settlement {
    fn module_of() -> tidewatch_modules::Module {
        <Self as tidewatch_modules::Aggregate>::module()
    }
}
