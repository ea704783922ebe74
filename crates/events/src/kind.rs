//! Names of kinds: event types (`settlement.created`) and aggregate types (`Settlement`).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest name of a kind, in characters (all are ASCII).
pub const MAX_NAME_LEN: usize = 100;

/// Why a text is not a name of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseKindError {
    /// No event type.
    #[error(
        "must be dotted lower case such as settlement.created: letters, digits and _ between dots, at most 100 characters"
    )]
    EventType,
    /// No aggregate type.
    #[error(
        "must begin with a capital letter and hold letters and digits only, such as Settlement, at most 100 characters"
    )]
    AggregateType,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident checked by $check:ident, written like $pattern:literal as $example:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// A name known to be well formed when the program was written.
            #[must_use]
            pub const fn from_static(name: &'static str) -> Self {
                Self(Cow::Borrowed(name))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseKindError;

            fn from_str(text: &str) -> Result<Self, ParseKindError> {
                if text.len() <= MAX_NAME_LEN && $check(text) {
                    Ok(Self(Cow::Owned(text.to_owned())))
                } else {
                    Err(ParseKindError::$name)
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                crate::schema::of_text(concat!("The kind of a thing: `", $example, "` and its like."), $pattern, $example)
            }
        }
    )+};
}

kinds! {
    /// What happened: dotted lower case, such as `settlement.status_changed`.
    ///
    /// The alphabet has no CR, LF or NUL, so that a type can never forge a line of an SSE stream.
    EventType checked by is_event_type,
        written like "^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)+$" as "settlement.status_changed";
    /// The kind of thing that it happened to, such as `Settlement`.
    AggregateType checked by is_aggregate_type, written like "^[A-Z][A-Za-z0-9]*$" as "Settlement";
}

/// One part between the dots of an event type.
pub(crate) fn is_segment(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_event_type(text: &str) -> bool {
    text.contains('.') && text.split('.').all(is_segment)
}

fn is_aggregate_type(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

macro_rules! aggregate_types {
    ($($constant:ident = $name:literal;)+) => {
        /// The built-in aggregate types.
        impl AggregateType {
            $(
                #[doc = concat!("The aggregate type `", $name, "`.")]
                pub const $constant: Self = Self::from_static($name);
            )+
        }
    };
}

aggregate_types! {
    SETTLEMENT = "Settlement";
    PAYMENT = "Payment";
    INVOICE = "Invoice";
    ORDER = "Order";
    BALANCE = "Balance";
    USER = "User";
    INCIDENT = "Incident";
    SERVER = "Server";
    AUTOMATION = "Automation";
    LOG = "Log";
    TICKET = "Ticket";
    NOTIFICATION = "Notification";
    MESSAGE = "Message";
    COMMENT = "Comment";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_types_are_dotted_lower_case() {
        for good in ["a.b", "settlement.status_changed", "acme.door.opened_2"] {
            assert!(good.parse::<EventType>().is_ok(), "{good}");
        }
        for bad in ["", "a", "a.", ".a", "A.b", "a.b\n", "a.b\0", "a. b", "a.1b", "settlement.*"] {
            assert!(bad.parse::<EventType>().is_err(), "{bad:?}");
        }
        assert!(format!("a.{}", "b".repeat(99)).parse::<EventType>().is_err());
    }

    #[test]
    fn aggregate_types_are_capitalized_words() {
        assert!("Settlement".parse::<AggregateType>().is_ok());
        for bad in ["", "settlement", "Settle ment", "Settlement\r"] {
            assert!(bad.parse::<AggregateType>().is_err(), "{bad:?}");
        }
    }
}
