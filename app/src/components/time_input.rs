//! Times of filters, as forms and addresses say them.

use leptos::prelude::*;
use tidewatch_events::Timestamp;

/// A day, or a moment where the address names one that is no midnight. In UTC, as all times of a page that no
/// JavaScript has touched.
#[component]
pub fn TimeInput(
    /// The name in the address.
    name: &'static str,
    /// What it is called.
    label: &'static str,
    /// What the address asks for.
    at: Option<Timestamp>,
    /// What the address says instead, and why that is no time.
    #[prop(default = None)]
    wrong: Option<(String, String)>,
) -> impl IntoView {
    let is_day = at.is_none_or(is_midnight);
    let text = at.map(|at| at.to_string()).unwrap_or_default();
    let (said, message) = wrong.unzip();
    let (kind, step, value) = match (said, is_day) {
        // A day's input shows nothing that is no day: what is wrong is there to be mended.
        (Some(said), _) => ("text", None, said),
        (None, true) => ("date", None, text.get(..10).unwrap_or_default().to_owned()),
        (None, false) => ("datetime-local", Some("any"), text.trim_end_matches('Z').to_owned()),
    };
    let error_id = format!("wrong-{name}");
    let described = message.is_some().then(|| error_id.clone());
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                type=kind
                name=name
                value=value
                step=step
                aria-invalid=message.is_some().then_some("true")
                aria-describedby=described
            />
            {message.map(|message| view! { <span class="field-error" id=error_id>{message}</span> })}
        </label>
    }
}

/// A time as an address or a form's input says it: whole, or a day or a moment without its offset, which is UTC.
#[must_use]
pub fn read_time(text: &str) -> Option<Timestamp> {
    let candidates =
        [text.to_owned(), format!("{text}Z"), format!("{text}:00Z"), format!("{text}T00:00:00Z")];
    candidates.iter().find_map(|text| text.parse().ok())
}

/// Whether a day begins there.
fn is_midnight(at: Timestamp) -> bool {
    at.unix_millis().rem_euclid(86_400_000) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_days_and_moments() {
        let read = |text: &str| read_time(text).map(|at| at.to_string());
        assert_eq!(read("2026-11-20").as_deref(), Some("2026-11-20T00:00:00.000Z"));
        assert_eq!(read("2026-11-21T10:30").as_deref(), Some("2026-11-21T10:30:00.000Z"));
        assert_eq!(read("2026-11-21T10:30:05.250").as_deref(), Some("2026-11-21T10:30:05.250Z"));
        assert_eq!(read("2026-11-21T10:30:00+01:00").as_deref(), Some("2026-11-21T09:30:00.000Z"));
        assert_eq!(read("yesterday"), None);
        assert!(read_time("2026-11-20").is_some_and(is_midnight));
        assert!(!read_time("2026-11-21T10:30").is_some_and(is_midnight));
    }
}
