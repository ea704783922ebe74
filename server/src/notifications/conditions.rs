//! Conditions: what has to be true of an event's payload for a rule to tell of it. Pure.

use serde_json::Value;
use tidewatch_app::model::{ConditionOperator, NotificationCondition};

/// Whether all of the conditions hold of the payload.
#[must_use]
pub fn all_hold(conditions: &[NotificationCondition], payload: &Value) -> bool {
    conditions.iter().all(|condition| holds(condition, payload))
}

fn holds(condition: &NotificationCondition, payload: &Value) -> bool {
    let found = payload.pointer(&condition.pointer);
    let wanted = &condition.value;
    match condition.operator {
        ConditionOperator::Equals => found.is_some_and(|found| equal(found, wanted)),
        ConditionOperator::NotEquals => !found.is_some_and(|found| equal(found, wanted)),
        ConditionOperator::GreaterThan => compare(found, wanted) == Some(std::cmp::Ordering::Greater),
        ConditionOperator::LessThan => compare(found, wanted) == Some(std::cmp::Ordering::Less),
        ConditionOperator::Contains => match (found.and_then(Value::as_str), wanted.as_str()) {
            (Some(text), Some(part)) => text.to_lowercase().contains(&part.to_lowercase()),
            _ => false,
        },
        ConditionOperator::Exists => found.is_some_and(|found| !found.is_null()),
    }
}

/// JSON does not tell 1 from 1.0.
fn equal(found: &Value, wanted: &Value) -> bool {
    match (found.is_number(), wanted.is_number()) {
        (true, true) => compare(Some(found), wanted) == Some(std::cmp::Ordering::Equal),
        _ => found == wanted,
    }
}

/// How two numbers stand to each other: whole ones exactly, however great they are.
fn compare(found: Option<&Value>, wanted: &Value) -> Option<std::cmp::Ordering> {
    let found = found?;
    match (whole(found), whole(wanted)) {
        (Some(found), Some(wanted)) => Some(found.cmp(&wanted)),
        _ => found.as_f64()?.partial_cmp(&wanted.as_f64()?),
    }
}

fn whole(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

/// Whether a text is a JSON Pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)): empty, or segments behind
/// slashes, with `~` only as `~0` and `~1`.
#[must_use]
pub fn is_pointer(text: &str) -> bool {
    let mut escapes = text.split('~').skip(1);
    (text.is_empty() || text.starts_with('/')) && escapes.all(|rest| rest.starts_with(['0', '1']))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(payload: &Value, pointer: &str, operator: ConditionOperator, value: Value) -> bool {
        let condition = NotificationCondition { pointer: pointer.to_owned(), operator, value };
        all_hold(&[condition], payload)
    }

    #[test]
    fn each_operator_holds_of_what_it_says_and_of_nothing_else() {
        use ConditionOperator::{Contains, Equals, Exists, GreaterThan, LessThan, NotEquals};
        let payload = json!({
            "toStatus": "failed", "amountMinor": 100_000, "reason": "Out of Gas", "note": null, "a/b": [1, 2.0],
            "huge": u64::MAX,
        });
        for (pointer, operator, value, expected) in [
            ("/toStatus", Equals, json!("failed"), true),
            ("/toStatus", Equals, json!("Failed"), false),
            ("/amountMinor", Equals, json!(100_000.0), true),
            ("/missing", Equals, json!(null), false),
            ("/note", Equals, json!(null), true),
            ("/a~1b/1", Equals, json!(2), true),
            ("/toStatus", NotEquals, json!("settled"), true),
            ("/toStatus", NotEquals, json!("failed"), false),
            ("/missing", NotEquals, json!("x"), true),
            ("/amountMinor", GreaterThan, json!(99_999), true),
            ("/amountMinor", GreaterThan, json!(100_000), false),
            ("/amountMinor", GreaterThan, json!(99_999.5), true),
            ("/huge", GreaterThan, json!(u64::MAX - 1), true),
            ("/toStatus", GreaterThan, json!(1), false),
            ("/missing", LessThan, json!(1), false),
            ("/amountMinor", LessThan, json!(100_001), true),
            ("/reason", Contains, json!("gas"), true),
            ("/reason", Contains, json!("wind"), false),
            ("/amountMinor", Contains, json!("1"), false),
            ("/reason", Exists, json!(null), true),
            ("/note", Exists, json!(null), false),
            ("/missing", Exists, json!(null), false),
        ] {
            assert_eq!(
                check(&payload, pointer, operator, value.clone()),
                expected,
                "{pointer} {operator:?} {value}"
            );
        }
    }

    #[test]
    fn all_of_them_have_to_hold() {
        let condition = |pointer: &str| NotificationCondition {
            pointer: pointer.to_owned(),
            operator: ConditionOperator::Exists,
            value: Value::Null,
        };
        let payload = json!({ "a": 1, "b": 2 });
        assert!(all_hold(&[], &payload));
        assert!(all_hold(&[condition("/a"), condition("/b")], &payload));
        assert!(!all_hold(&[condition("/a"), condition("/c")], &payload));
    }

    #[test]
    fn pointers_are_those_of_the_rfc() {
        for text in ["", "/", "/a", "/a/0", "/a~1b", "/m~0n"] {
            assert!(is_pointer(text), "{text:?}");
        }
        for text in ["a", "#/a", "/a~", "/a~2", "~0"] {
            assert!(!is_pointer(text), "{text:?}");
        }
    }
}
