//! The lives of records of which nothing is known but their module's description: those of modules that came later.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value};
use tidewatch_modules::{Input, InputKind, Module, MoveRule};

use super::api::Record;
use super::dice::{amount, percent};

/// Whether people can make them and the simulator can as well.
pub(super) fn can_live(module: &Module) -> bool {
    module.new.as_ref().is_some_and(|inputs| inputs.iter().all(can_enter))
}

/// What is entered for a new one; `None` where people make none.
pub(super) fn new(dice: &mut StdRng, module: &Module) -> Option<Value> {
    let inputs = module.new.as_ref()?;
    Some(Value::Object(entered(dice, module, inputs)))
}

/// A move that a person can make from where it stands. One that warns is made seldom.
pub(super) fn next(dice: &mut StdRng, module: &Module, record: &Record) -> Option<Value> {
    let is_rash = percent(dice, 4);
    let can = |rule: &&MoveRule| {
        rule.label.is_some() && rule.destructive == is_rash && rule.inputs.iter().all(can_enter)
    };
    let rules: Vec<&MoveRule> = module.moves_from(&record.status).filter(can).collect();
    let rule = *rules.choose(dice).filter(|_| percent(dice, 40))?;
    let mut step = entered(dice, module, &rule.inputs);
    step.insert("move".to_owned(), rule.name.clone().into());
    Some(Value::Object(step))
}

/// Whether it is done with.
pub(super) fn has_ended(module: &Module, record: &Record) -> bool {
    module.status(&record.status).is_none_or(|status| status.ended)
}

/// It knows no organization.
fn can_enter(input: &Input) -> bool {
    !input.required || input.kind != InputKind::Organization
}

fn entered(dice: &mut StdRng, module: &Module, inputs: &[Input]) -> Map<String, Value> {
    let mut entered = Map::new();
    for input in inputs {
        let value = match &input.kind {
            InputKind::Text | InputKind::Paragraph => {
                let beginning = module.prefix.to_ascii_uppercase();
                format!("{beginning}-{:06}", dice.random_range(0..1_000_000)).into()
            }
            InputKind::Number => dice.random_range(1..20).into(),
            InputKind::Money => amount(dice).into(),
            InputKind::Choice(choices) => match choices.choose(dice) {
                Some(choice) => choice.clone().into(),
                None => continue,
            },
            InputKind::Organization => continue,
        };
        entered.insert(input.name.to_string(), value);
    }
    entered
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use serde_json::json;
    use tidewatch_modules::prelude::*;

    use super::*;

    fn module() -> Module {
        Module::own("parcel", "Parcel", "par")
            .with_statuses([
                status("waiting", Tone::Neutral),
                status("done", Tone::Good).ended(),
                status("lost", Tone::Bad).ended(),
            ])
            .with_moves([
                rule("finish", &["waiting"], &["done"]).labelled("Finish"),
                rule("lose", &["waiting"], &["lost"]).labelled("Lose").destructive(),
                rule("expire", &["waiting"], &["lost"]),
            ])
            .created_with([
                input("reference", "Reference", InputKind::Text),
                input("items", "Items", InputKind::Number),
                choice("size", "Size", &["small", "large"]),
                input("receiver", "Receiver", InputKind::Organization).optional(),
            ])
    }

    #[test]
    fn what_is_entered_is_what_the_module_asks_for() {
        let (module, mut dice) = (module(), StdRng::seed_from_u64(3));
        assert!(can_live(&module));
        let new = new(&mut dice, &module).expect("a new one");
        assert!(new["reference"].as_str().is_some_and(|text| text.starts_with("PAR-")), "{new}");
        assert!(new["items"].as_u64().is_some_and(|items| (1..20).contains(&items)), "{new}");
        assert!(["small", "large"].contains(&new["size"].as_str().unwrap_or_default()), "{new}");
        assert_eq!(new.get("receiver"), None);
        let asks = module.clone().created_with([input("receiver", "Receiver", InputKind::Organization)]);
        assert!(!can_live(&asks));
    }

    #[test]
    fn moves_are_those_that_people_make_from_there() {
        let (module, mut dice) = (module(), StdRng::seed_from_u64(3));
        let record = |status: &str| -> Record {
            serde_json::from_value(json!({ "id": "par_1", "status": status, "version": 1 }))
                .expect("a record")
        };
        let made: Vec<String> = (0..500)
            .filter_map(|_| next(&mut dice, &module, &record("waiting")))
            .map(|step| step["move"].as_str().expect("a move").to_owned())
            .collect();
        let count = |name: &str| made.iter().filter(|made| *made == name).count();
        assert_eq!((count("expire"), count("finish") + count("lose")), (0, made.len()));
        assert!(count("finish") > count("lose") && count("lose") > 0, "{made:?}");
        assert_eq!(next(&mut dice, &module, &record("done")), None);
        assert!(has_ended(&module, &record("done")) && !has_ended(&module, &record("waiting")));
    }
}
