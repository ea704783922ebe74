//! The same by API: commands for a shell.

use leptos::prelude::*;
use tidewatch_events::EventId;

use crate::components::CopyButton;
use crate::model::EventQuery;

const AUTHORIZATION: &str = "-H \"Authorization: Bearer $TIDEWATCH_API_KEY\"";

/// A command that asks the API for these events.
#[must_use]
pub fn of_query(query: &EventQuery) -> String {
    let parameters = query.parameters();
    let mut command = format!("curl -sS --get \"$TIDEWATCH_URL/api/v1/events/search\" \\\n  {AUTHORIZATION}");
    for (name, value) in parameters {
        command.push_str(&format!(" \\\n  --data-urlencode {}", quoted(&format!("{name}={value}"))));
    }
    command
}

/// A command that asks the API for this event.
#[must_use]
pub fn of_event(id: EventId) -> String {
    format!("curl -sS \"$TIDEWATCH_URL/api/v1/events/{id}\" \\\n  {AUTHORIZATION}")
}

/// The text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A command to be read and copied.
#[component]
pub fn Curl(
    /// The command.
    #[prop(into)]
    command: String,
) -> impl IntoView {
    let text = StoredValue::new(command.clone());
    let shown = NodeRef::new();
    view! {
        <div class="curl">
            <pre class="json" tabindex="0" aria-label="Command for a shell" node_ref=shown><code>{command}</code></pre>
            <CopyButton text=Signal::derive(move || text.get_value()) label="Copy as curl" shown/>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_query_ends_its_word() {
        let query = EventQuery {
            types: vec!["settlement.*".parse().expect("a pattern")],
            q: crate::model::TextSearch::new("it's $(rm) `x`"),
            ..EventQuery::default()
        };
        assert_eq!(
            of_query(&query),
            "curl -sS --get \"$TIDEWATCH_URL/api/v1/events/search\" \\\n  \
             -H \"Authorization: Bearer $TIDEWATCH_API_KEY\" \\\n  \
             --data-urlencode 'types=settlement.*' \\\n  \
             --data-urlencode 'q=it'\\''s $(rm) `x`'"
        );
    }
}
