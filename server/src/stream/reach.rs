//! How far a reader's stream goes.
//!
//! Whoever may read events is shown all that is theirs. A person who may not has an inbox all the same, and hears of what
//! becomes of their own notifications, as a bell on another site does: nothing else, and on no channel.

use std::borrow::Cow;

use tidewatch_events::filter::TypePattern;
use tidewatch_events::{EventFilter, Permission, Subject};

use crate::access::Caller;
use crate::access::credential::Credential;
use crate::access::embed_scope;
use crate::error::Error;

/// What a stream, a page of events or a socket is open for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All that its reader may see.
    All,
    /// The person's own notifications.
    Own,
}

impl Reach {
    /// What is open to this caller.
    ///
    /// # Errors
    /// 403 for a key without `events.read`: it has no inbox.
    pub fn of(caller: &Caller) -> Result<Self, Error> {
        match caller.require(&Permission::EVENTS_READ) {
            Ok(()) => Ok(Self::All),
            Err(error) => caller.recipient().map(|_| Self::Own).map_err(|_| error),
        }
    }

    /// Who its reader is to the one rule, of whose rights these are all.
    #[must_use]
    pub fn subject<'a>(self, subject: &'a Subject, credential: &Credential) -> Cow<'a, Subject> {
        match (self, credential.member()) {
            (Self::Own, Some((user, project))) => Cow::Owned(embed_scope::subject_of_embed(project, user)),
            _ => Cow::Borrowed(subject),
        }
    }

    /// The filter as far as it goes. Everything that a person may see is then what becomes of their notifications.
    ///
    /// # Errors
    /// 403: something else is asked for, by its type or on a channel.
    pub fn filter(self, filter: EventFilter) -> Result<EventFilter, Error> {
        if self == Self::All {
            return Ok(filter);
        }
        let filter = match filter.types.contains(&TypePattern::Any) {
            true => EventFilter { types: Vec::new(), ..filter },
            false => filter,
        };
        embed_scope::narrowed(filter).ok_or(Error::Forbidden(Permission::EVENTS_READ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_s_own_are_all_that_is_asked_for_or_it_is_refused() {
        let of = |types: &str| EventFilter {
            types: EventFilter::parse_types(types).expect("types"),
            ..EventFilter::default()
        };
        for (asked, expected) in [
            ("*", "notification.*"),
            ("notification.*", "notification.*"),
            ("*,notification.sent", "notification.*"),
            ("notification.sent", "notification.sent"),
        ] {
            assert_eq!(Reach::Own.filter(of(asked)).expect("open").types, of(expected).types, "{asked}");
            assert_eq!(Reach::All.filter(of(asked)).expect("open"), of(asked));
        }
        let everything = Reach::Own.filter(EventFilter::default()).expect("open");
        assert_eq!(everything.types, of("notification.*").types);
        for other in ["settlement.*", "notification.sent,settlement.created"] {
            assert!(matches!(Reach::Own.filter(of(other)), Err(Error::Forbidden(_))), "{other}");
        }
        let channel = "orders".parse().expect("a channel");
        let filter = EventFilter { channels: vec![channel], ..of("notification.*") };
        assert!(matches!(Reach::Own.filter(filter), Err(Error::Forbidden(_))));
    }
}
