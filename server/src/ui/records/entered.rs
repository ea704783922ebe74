//! What people enter in forms, as the API takes it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tidewatch_events::money::{Currency, parse_minor};
use tidewatch_modules::{Input, InputKind};

use crate::error::Error;

/// The input that says what amounts are counted in. A record says it by its field of that name: `Record::currency`.
const CURRENCY: &str = "currency";

/// Whether an amount is entered and the currency is not: the record says it.
pub(super) fn asks_the_record(inputs: &[Input]) -> bool {
    let has_money = inputs.iter().any(|input| input.kind == InputKind::Money);
    has_money && !inputs.iter().any(|input| input.name == CURRENCY)
}

/// A form's fields as the body that the API takes: numbers where it asks for numbers, amounts in minor units of the
/// currency that is entered beside them or else of `currency`, and nothing for what was left open.
///
/// # Errors
/// 422 with its name for an amount that is none, or whose currency nobody knows.
pub(super) fn values_of(
    inputs: &[Input],
    fields: BTreeMap<String, String>,
    currency: Option<Currency>,
) -> Result<Map<String, Value>, Error> {
    let entered = fields.get(CURRENCY).and_then(|code| code.trim().parse().ok());
    let currency = entered.or(currency);
    let mut values = Map::new();
    for (name, text) in fields {
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let kind = inputs.iter().find(|input| input.name == name).map(|input| &input.kind);
        let value = match kind {
            // What is no number goes on as it is: the API says of it what it says of everybody's.
            Some(InputKind::Number) => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
            Some(InputKind::Money) => {
                let currency = currency.ok_or_else(|| Error::field(&name, "needs a currency"))?;
                parse_minor(text, currency).map_err(|error| Error::field(&name, error.to_string()))?.into()
            }
            _ => text.into(),
        };
        values.insert(name, value);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidewatch_modules::module::{choice, input};

    use super::*;

    fn values(inputs: &[Input], fields: &[(&str, &str)], currency: Option<&str>) -> Result<Value, String> {
        let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let currency = currency.map(|code| code.parse().expect("a currency"));
        values_of(inputs, fields, currency).map(Value::Object).map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn amounts_are_counted_in_what_is_entered_beside_them() {
        let inputs = [
            input("amountMinor", "Amount", InputKind::Money),
            choice("currency", "Currency", &["EUR", "JPY"]),
        ];
        let of = |amount, currency| values(&inputs, &[("amountMinor", amount), ("currency", currency)], None);
        assert_eq!(of("1,250.50", "EUR"), Ok(json!({ "amountMinor": 125_050, "currency": "EUR" })));
        assert_eq!(of("1250", "JPY"), Ok(json!({ "amountMinor": 1_250, "currency": "JPY" })));
        let refused = of("12.5", "JPY").expect_err("finer than a yen");
        assert!(refused.contains("amountMinor"), "{refused}");
        assert!(of("12.5", "nonsense").is_err_and(|refused| refused.contains("currency")));
        assert!(!asks_the_record(&inputs));
    }

    #[test]
    fn or_in_what_the_record_is_counted_in() {
        let inputs = [input("amountMinor", "Amount", InputKind::Money).optional()];
        assert!(asks_the_record(&inputs));
        let of = |amount| values(&inputs, &[("amountMinor", amount)], Some("EUR"));
        assert_eq!(of("9.99"), Ok(json!({ "amountMinor": 999 })));
        assert_eq!(of(" "), Ok(json!({})), "left open");
        assert!(of("12,50").is_err_and(|refused| refused.contains("amountMinor")));
    }

    #[test]
    fn numbers_are_numbers_and_the_rest_is_text() {
        let inputs = [input("items", "Items", InputKind::Number), input("title", "Title", InputKind::Text)];
        let fields = [("items", "3"), ("title", "7"), ("other", "x")];
        assert_eq!(values(&inputs, &fields, None), Ok(json!({ "items": 3, "title": "7", "other": "x" })));
        assert_eq!(values(&inputs, &[("items", "many")], None), Ok(json!({ "items": "many" })));
    }
}
