//! Templates: what a notification says, with what the event says put into it. Pure.

use std::fmt::Write;

use serde_json::Value;
use tidewatch_app::model::NotificationTemplate;
use tidewatch_events::Envelope;

use super::conditions::is_pointer;

/// Most characters of a title.
pub const MAX_TITLE: usize = 200;
/// Most characters of a body.
pub const MAX_BODY: usize = 2_000;
/// Most characters of a link.
pub const MAX_LINK: usize = 500;
/// Most characters of a group.
pub const MAX_GROUP: usize = 200;
/// What is put in the place of what is cut off.
const CUT: char = '…';

/// What a notification says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// In a line; never empty.
    pub title: String,
    /// Beyond that.
    pub body: String,
    /// Where to go on: a path of this dashboard, an `https:` address, or nothing.
    pub link: String,
    /// What belongs together.
    pub group: String,
}

/// What a template says of this event. What the event does not have is empty; what is too long is cut.
#[must_use]
pub fn render(template: &NotificationTemplate, event: &Envelope) -> Text {
    let title = one_line(&fill(&template.title, event, str::to_owned));
    let title = if title.is_empty() { event.event_type.to_string() } else { title };
    let body = fill(&template.body, event, str::to_owned);
    let body: String = body.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    // What stands in a payload is put into an address as a part of its path or query, and never ends it.
    let link = fill(template.link.trim(), event, encode);
    let is_fit = is_link_template(&template.link) && is_link(&link) && link.chars().count() <= MAX_LINK;
    Text {
        title: cut(title, MAX_TITLE),
        body: cut(body.trim().to_owned(), MAX_BODY),
        // Half an address leads somewhere else.
        link: if is_fit { link } else { String::new() },
        group: cut(one_line(&fill(&template.group, event, str::to_owned)), MAX_GROUP),
    }
}

/// What is wrong with a text of a template; `None`: nothing.
#[must_use]
pub fn check(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("{{") {
        let Some((name, after)) = behind.split_once("}}") else {
            return Some("has `{{` without `}}`".to_owned());
        };
        let name = name.trim();
        if !(matches!(name, "type" | "id" | "time") || (name.starts_with('/') && is_pointer(name))) {
            return Some(format!(
                "has `{{{{{name}}}}}`, which is none of {{{{/json/pointer}}}}, {{{{type}}}}, {{{{id}}}} and {{{{time}}}}"
            ));
        }
        rest = after;
    }
    None
}

/// Whether a link leads to a path of this dashboard, or to an `https:` address.
fn is_link(link: &str) -> bool {
    if link.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return false;
    }
    match link.strip_prefix("https://") {
        Some(rest) => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let allowed = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
            host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') && host.chars().all(allowed)
        }
        // `//host` is another site.
        None => link.starts_with('/') && !link.starts_with("//"),
    }
}

/// A template's link leads where the template says, whatever stands in its places.
#[must_use]
pub fn is_link_template(template: &str) -> bool {
    is_link(&replace_places(template.trim(), |_| "{}".to_owned()))
}

fn fill(text: &str, event: &Envelope, write: impl Fn(&str) -> String) -> String {
    replace_places(text, |name| write(&value_of(name, event)))
}

fn replace_places(text: &str, value: impl Fn(&str) -> String) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((name, after)) = behind.split_once("}}") else { break };
        filled.push_str(before);
        filled.push_str(&value(name.trim()));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn value_of(name: &str, event: &Envelope) -> String {
    match name {
        "type" => event.event_type.to_string(),
        "id" => event.aggregate_id.clone(),
        "time" => event.occurred_at.to_string(),
        pointer => match event.payload.pointer(pointer) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        },
    }
}

fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn cut(text: String, most: usize) -> String {
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most - 1).chain([CUT]).collect()
}

/// Percent-encodes everything but the unreserved characters
/// ([RFC 3986, section 2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3)).
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidewatch_events::{AggregateType, EventId, EventType, Metadata, Position, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn event(payload: Value) -> Envelope {
        Envelope {
            event_id: EventId::from_uuid(Uuid::from_u128(1)),
            event_type: EventType::from_static("settlement.failed"),
            aggregate_type: AggregateType::from_static("Settlement"),
            aggregate_id: "stl_1".to_owned(),
            aggregate_version: 1,
            occurred_at: Timestamp::from_unix_millis(0).expect("a time"),
            position: Position::START,
            payload,
            metadata: Metadata::default(),
        }
    }

    fn text(title: &str, body: &str, link: &str, group: &str, payload: Value) -> Text {
        let [title, body, link, group] = [title, body, link, group].map(ToOwned::to_owned);
        render(&NotificationTemplate { title, body, link, group }, &event(payload))
    }

    #[test]
    fn what_the_event_says_stands_where_the_template_has_a_place_for_it() {
        let payload = json!({ "reason": "out of gas", "amountMinor": 7, "deep": { "list": ["a", true] } });
        let text = text(
            "{{ /reason }}: {{/amountMinor}}{{/missing}}",
            "{{type}} at {{time}}\n{{/deep/list/1}} {{/deep}}",
            "/settlements/{{id}}",
            "{{/deep/list/0}}",
            payload,
        );
        assert_eq!(text.title, "out of gas: 7");
        assert_eq!(text.body, "settlement.failed at 1970-01-01T00:00:00.000Z\ntrue {\"list\":[\"a\",true]}");
        assert_eq!((&*text.link, &*text.group), ("/settlements/stl_1", "a"));
    }

    #[test]
    fn what_is_empty_too_long_or_not_of_text_is_made_to_fit() {
        let long = "ä".repeat(3_000);
        let text = text(
            "{{/none}} ",
            "{{/long}}",
            "/x?q={{/long}}",
            "{{/lines}}",
            json!({ "long": long, "lines": " a\n\tb\u{0} " }),
        );
        assert_eq!(text.title, "settlement.failed");
        assert_eq!(text.body.chars().count(), MAX_BODY);
        assert!(text.body.ends_with(CUT));
        assert_eq!((&*text.link, &*text.group), ("", "a b"));
        let title = super::render(
            &NotificationTemplate { title: "x".repeat(500), ..NotificationTemplate::default() },
            &event(json!({})),
        );
        assert_eq!(title.title.chars().count(), MAX_TITLE);
    }

    #[test]
    fn no_payload_leads_to_another_site() {
        for (link, expected) in [
            ("/{{/x}}", "/%2Fevil.example"),
            ("{{/x}}", ""),
            ("{{/scheme}}", ""),
            ("https://ok.example/{{/x}}?y={{/x}}", "https://ok.example/%2Fevil.example?y=%2Fevil.example"),
            ("https://{{/host}}/", ""),
            ("https://ok.example{{/at}}", ""),
            ("javascript:alert(1)", ""),
            ("//evil.example", ""),
            ("/\\evil.example", ""),
        ] {
            let payload = json!({
                "x": "/evil.example", "scheme": "https://evil.example", "host": "evil.example", "at": "@evil.example",
            });
            assert_eq!(text("t", "", link, "", payload).link, expected, "{link}");
        }
    }

    #[test]
    fn places_that_name_nothing_are_told() {
        for text in ["", "a } b {", "{{/a}} {{ type }}{{id}}{{time}}", "{{/a~1b/0}}"] {
            assert_eq!(check(text), None, "{text}");
        }
        for text in ["{{", "{{/a", "{{name}}", "{{}}", "{{/a~2}}", "{{type}} {{a.b}}"] {
            assert!(check(text).is_some(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_put_in_fits_the_columns(title in ".*", body in ".*", link in ".*", value in "\\PC*") {
            let text = text(&title, &body, &link, "{{/v}}", json!({ "v": value }));
            assert!((1..=MAX_TITLE).contains(&text.title.chars().count()));
            assert!(text.body.chars().count() <= MAX_BODY && !text.body.contains('\0'));
            assert!(text.link.is_empty() || is_link(&text.link));
            assert!(text.group.chars().count() <= MAX_GROUP);
        }
    }
}
