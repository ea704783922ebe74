//! What has to be true of a payload, as text: `/amountMinor > 100000`.

use serde_json::Value;

use super::super::{ConditionOperator, NotificationCondition};
use super::word;

const SHAPE: &str = "must be a pointer, an operator and a value, such as /toStatus = failed";
const OPERATORS: [(&str, ConditionOperator); 6] = [
    ("=", ConditionOperator::Equals),
    ("!=", ConditionOperator::NotEquals),
    (">", ConditionOperator::GreaterThan),
    ("<", ConditionOperator::LessThan),
    ("contains", ConditionOperator::Contains),
    ("exists", ConditionOperator::Exists),
];

/// Reads a line.
pub(super) fn parse(line: &str) -> Result<NotificationCondition, String> {
    let (pointer, rest) = word::first(line)?;
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Err(format!("{SHAPE}; a pointer begins with /"));
    }
    let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let found = OPERATORS.into_iter().find(|(text, _)| *text == name);
    let (_, operator) = found.ok_or_else(|| match name {
        "" => SHAPE.to_owned(),
        name => format!("{name:?} is no operator: there are =, !=, >, <, contains and exists"),
    })?;
    let value = parse_value(operator, rest.trim())?;
    Ok(NotificationCondition { pointer, operator, value })
}

/// Writes what [`parse`] reads.
pub(super) fn write(condition: &NotificationCondition) -> String {
    let pointer = word::write(&condition.pointer);
    let found = OPERATORS.into_iter().find(|(_, operator)| *operator == condition.operator);
    let operator = found.map_or("=", |(text, _)| text);
    match write_value(condition.operator, &condition.value) {
        Some(value) => format!("{pointer} {operator} {value}"),
        None => format!("{pointer} {operator}"),
    }
}

fn parse_value(operator: ConditionOperator, text: &str) -> Result<Value, String> {
    let is_quoted = text.starts_with('"');
    match operator {
        ConditionOperator::Exists if text.is_empty() => Ok(Value::Null),
        ConditionOperator::Exists => Err("exists takes no value".to_owned()),
        _ if text.is_empty() => Err("the value is missing; an empty text is \"\"".to_owned()),
        // It compares texts: what looks like a number is one all the same.
        ConditionOperator::Contains if !is_quoted => Ok(Value::from(text)),
        _ => match serde_json::from_str(text) {
            Ok(value @ Value::Number(_)) => Ok(value),
            _ if matches!(operator, ConditionOperator::GreaterThan | ConditionOperator::LessThan) => {
                Err(format!("{text} is no number"))
            }
            Ok(value) => Ok(value),
            Err(_) if is_quoted => Err(format!("{text} is no text in quotes, as JSON has it")),
            Err(_) => Ok(Value::from(text)),
        },
    }
}

/// `None` where there is nothing to say.
fn write_value(operator: ConditionOperator, value: &Value) -> Option<String> {
    let Value::String(text) = value else {
        return (operator != ConditionOperator::Exists).then(|| value.to_string());
    };
    let is_clear = !text.is_empty()
        && text.trim() == text
        && !text.starts_with('"')
        && !text.contains(['\n', '\r'])
        && (operator == ConditionOperator::Contains || serde_json::from_str::<Value>(text).is_err());
    Some(if is_clear { text.clone() } else { word::quoted(text) })
}
