//! Names that the database takes, and text that it can hold.

use serde_json::Value;

/// Longest message of a failure or note of a progress that is kept, in characters.
const LONGEST_MESSAGE: usize = 2_000;

/// Whether the text is a kind such as `key.revoke`: two or more names with dots between them.
pub(crate) fn is_kind(text: &str) -> bool {
    text.len() <= 100 && text.contains('.') && text.split('.').all(|name| is_name(name, b"_"))
}

/// Whether the text is the name of a queue.
pub(crate) fn is_queue(text: &str) -> bool {
    text.len() <= 63 && is_name(text, b"_-")
}

fn is_name(text: &str, marks: &[u8]) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || marks.contains(&byte);
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(allowed)
}

/// Whether any text in it holds the character NUL, which Postgres cannot store in JSON.
pub(crate) fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A message as it can be kept: cut, and without NUL. Unlike a payload it is not refused, for it would
/// take the outcome of a whole batch with it.
pub(crate) fn keepable(message: &str) -> String {
    message
        .chars()
        .take(LONGEST_MESSAGE)
        .map(|letter| if letter == '\0' { '\u{fffd}' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_names_with_dots_between_them() {
        for kind in ["key.revoke", "a.b.c", "webhook.send_2"] {
            assert!(is_kind(kind), "{kind}");
        }
        for text in ["", "revoke", "key.", ".revoke", "key..revoke", "Key.revoke", "key.2fa", "key.re-voke"] {
            assert!(!is_kind(text), "{text}");
        }
    }

    #[test]
    fn queues_are_one_name() {
        for queue in ["default", "webhooks-out", "a"] {
            assert!(is_queue(queue), "{queue}");
        }
        for text in ["", "a.b", "-a", "Default", &"a".repeat(64)] {
            assert!(!is_queue(text), "{text}");
        }
    }

    #[test]
    fn messages_are_cut_and_lose_nul() {
        assert_eq!(keepable("a\0b"), "a\u{fffd}b");
        assert_eq!(keepable(&"é".repeat(5_000)).chars().count(), LONGEST_MESSAGE);
    }
}
