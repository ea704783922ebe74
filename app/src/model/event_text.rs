//! Text in the payload of an event.

use serde_json::Value;

/// Longest text that is searched for, in characters.
pub const MAX_TEXT: usize = 200;

/// A text that is searched for: the values of a payload hold it, whatever the case. Nothing in it has a
/// meaning of its own: `%`, `*` and quotes stand for themselves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TextSearch {
    text: String,
    folded: String,
}

impl TextSearch {
    /// A search for this text; `None` where it is too long or holds control characters, which no line of
    /// a form can.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=MAX_TEXT).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| Self { text: text.to_owned(), folded: fold(text) })
    }

    /// The text as it was asked for.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a value of this payload holds the text. Names of fields do not count.
    #[must_use]
    pub fn is_in(&self, payload: &Value) -> bool {
        match payload {
            Value::Null => false,
            Value::Bool(value) => value.to_string().contains(&self.folded),
            Value::Number(number) => number.to_string().contains(&self.folded),
            Value::String(text) => fold(text).contains(&self.folded),
            Value::Array(values) => values.iter().any(|value| self.is_in(value)),
            Value::Object(fields) => fields.values().any(|value| self.is_in(value)),
        }
    }

    /// The longest part of the text that every payload which holds the text has somewhere in its JSON, ASCII
    /// letters in lower case: what a database can look for before it hands a payload over. Empty where the
    /// text has no such part.
    #[must_use]
    pub fn certain_part(&self) -> &str {
        // Quotes and backslashes are written otherwise in JSON, and letters beyond ASCII have a case that a
        // database folds as it pleases.
        let is_certain = |c: char| {
            let has_case = !c.is_ascii() && (c.is_lowercase() || c.is_uppercase() || fold_char(c) != c);
            c != '"' && c != '\\' && !has_case
        };
        self.folded.split(|c| !is_certain(c)).max_by_key(|part| part.len()).unwrap_or_default()
    }
}

/// Lower case, one character for one, and none beyond ASCII to one within: so a text's ASCII part can be
/// found by its bytes.
fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) if !one.is_ascii() => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn search(text: &str) -> TextSearch {
        TextSearch::new(text).expect("a search")
    }

    #[test]
    fn looks_into_values_whatever_their_case() {
        let payload =
            json!({ "reference": "INV-42 \"Ärger\" 100%", "amountMinor": 1250, "tags": [{ "x": "Größe" }] });
        for text in ["inv-42", "\"ärger\"", "100%", "1250", "GRÖSSE".replace("SS", "ß").as_str()] {
            assert!(search(text).is_in(&payload), "{text}");
        }
        for text in ["reference", "INV_42", "inv%", "amount", "{"] {
            assert!(!search(text).is_in(&payload), "{text}");
        }
    }

    #[test]
    fn refuses_what_no_form_sends() {
        for text in ["", "a\0b", "a\nb", &"x".repeat(201)] {
            assert_eq!(TextSearch::new(text), None, "{text:?}");
        }
    }

    #[test]
    fn knows_what_is_certain_to_be_in_the_json() {
        for (text, part) in [
            ("INV 42", "inv 42"),
            ("say \"Hello\"", "hello"),
            ("Käse", "se"),
            ("\"", ""),
            ("%", "%"),
            ("東京", "東京"),
        ] {
            assert_eq!(search(text).certain_part(), part, "{text}");
        }
    }

    proptest! {
        /// What the database looks for never leaves out a payload that holds the text.
        #[test]
        fn the_certain_part_is_in_every_payload_that_matches(before in "\\PC{0,8}", text in "[^\\p{Cc}]{1,8}", after in "\\PC{0,8}") {
            let search = search(&text);
            let payload = json!({ "field": format!("{before}{text}{after}") });
            prop_assert!(search.is_in(&payload));
            let stored = payload.to_string().to_ascii_lowercase();
            prop_assert!(stored.contains(search.certain_part()), "{stored} {}", search.certain_part());
        }
    }
}
