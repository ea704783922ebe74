//! Preferences: what a person wants of the notifications of an event type. Pure.

use tidewatch_app::model::{EmailPreference, NotificationPreference, NotificationWishes};
use tidewatch_events::EventType;
use tidewatch_events::filter::TypePattern;

/// Of these preferences the one that counts for this type: the narrowest that matches, or else what everybody wants
/// who has said nothing.
#[must_use]
pub fn of_type(preferences: &[NotificationPreference], event_type: &EventType) -> NotificationPreference {
    let matching = preferences.iter().filter_map(|preference| {
        let pattern: TypePattern = preference.pattern.parse().ok()?;
        pattern.matches(event_type).then(|| (narrowness(&pattern), preference))
    });
    matching.max_by_key(|(narrowness, _)| *narrowness).map_or_else(default, |(_, one)| one.clone())
}

/// What comes of these preferences for a notification of this type. What must be acknowledged is counted whatever they say,
/// and waits for no digest. It goes by no way that is turned off: who wants no e-mail gets none.
#[must_use]
pub fn of_notification(
    preferences: &[NotificationPreference],
    event_type: &EventType,
    must_acknowledge: bool,
) -> NotificationPreference {
    let wanted = of_type(preferences, event_type);
    match (must_acknowledge, wanted.email) {
        (false, _) => wanted,
        (true, EmailPreference::Off) => NotificationPreference { in_app: true, ..wanted },
        (true, EmailPreference::Digest | EmailPreference::Instant) => {
            NotificationPreference { in_app: true, email: EmailPreference::Instant, ..wanted }
        }
    }
}

/// What everybody wants who has said nothing.
fn default() -> NotificationPreference {
    let NotificationWishes { in_app, email, push } = NotificationWishes::default();
    NotificationPreference { pattern: TypePattern::Any.to_string(), in_app, email, push }
}

fn narrowness(pattern: &TypePattern) -> usize {
    match pattern {
        TypePattern::Any => 0,
        TypePattern::Prefix(beginning) => beginning.len(),
        TypePattern::Exact(_) => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preference(pattern: &str, email: EmailPreference) -> NotificationPreference {
        NotificationPreference { pattern: pattern.to_owned(), in_app: false, email, push: false }
    }

    #[test]
    fn the_narrowest_that_matches_counts() {
        let preferences = [
            preference("settlement.*", EmailPreference::Instant),
            preference("*", EmailPreference::Off),
            preference("settlement.failed", EmailPreference::Digest),
            preference("settlement.failed.late", EmailPreference::Off),
        ];
        for (event_type, pattern) in [
            ("settlement.failed", "settlement.failed"),
            ("settlement.created", "settlement.*"),
            ("payment.created", "*"),
        ] {
            let event_type: EventType = event_type.parse().expect("a type");
            assert_eq!(of_type(&preferences, &event_type).pattern, pattern);
        }
    }

    #[test]
    fn what_must_be_acknowledged_is_counted_and_mailed_at_once_but_by_no_way_that_is_turned_off() {
        let event_type = EventType::from_static("settlement.failed");
        for (email, expected) in [
            (EmailPreference::Digest, EmailPreference::Instant),
            (EmailPreference::Instant, EmailPreference::Instant),
            (EmailPreference::Off, EmailPreference::Off),
        ] {
            let said = [preference("*", email)];
            let must = of_notification(&said, &event_type, true);
            assert_eq!((must.in_app, must.email, must.push), (true, expected, false));
            assert_eq!(of_notification(&said, &event_type, false), said[0]);
        }
    }

    #[test]
    fn who_has_said_nothing_is_told_in_the_app_and_in_digests() {
        let of_all = of_type(&[], &EventType::from_static("payment.created"));
        assert!(of_all.in_app && of_all.push && of_all.email == EmailPreference::Digest);
    }
}
