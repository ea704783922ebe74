//! Typed ids: a short prefix that names the kind, and a UUIDv7 in Crockford's base 32.
//!
//! The text form is that of the [TypeID specification](https://github.com/jetify-com/typeid/tree/main/spec):
//! `evt_01kaghsp3mfvy8e4v0h6x2t9rd`. It sorts by time of creation, a double click selects it
//! whole, and a UUID (with or without hyphens) after the prefix is understood as well.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Crockford's base 32 in lower case: no `i`, `l`, `o` or `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 128 bits take 26 characters of 5 bits; the first carries only 3.
const ENCODED_LEN: usize = 26;

/// Why a text is not an id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// The prefix is missing or belongs to another kind.
    #[error("must begin with `{expected}_`")]
    Prefix {
        /// The prefix that was expected, without its underscore.
        expected: &'static str,
    },
    /// What follows the prefix is neither 26 characters of Crockford's base 32 nor a UUID.
    #[error("must be `{expected}_` and 26 characters of Crockford base 32, or a UUID")]
    Suffix {
        /// The prefix that was expected, without its underscore.
        expected: &'static str,
    },
}

/// Writes 128 bits as 26 characters of Crockford's base 32.
pub(crate) fn encode_base32(value: u128) -> String {
    (0..ENCODED_LEN).rev().map(|digit| char::from(ALPHABET[((value >> (5 * digit)) & 31) as usize])).collect()
}

/// Reads what [`encode_base32`] wrote; `None` for another length, alphabet, or more than 128 bits.
pub(crate) fn decode_base32(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    if bytes.len() != ENCODED_LEN || bytes[0] > b'7' {
        return None;
    }
    bytes.iter().try_fold(0u128, |value, byte| {
        let digit = ALPHABET.iter().position(|letter| letter == byte)?;
        Some((value << 5) | digit as u128)
    })
}

fn parse_suffix(text: &str) -> Option<Uuid> {
    match text.len() {
        ENCODED_LEN => decode_base32(text).map(Uuid::from_u128),
        32 | 36 => Uuid::try_parse(text).ok(),
        _ => None,
    }
}

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident = $prefix:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What the text form begins with, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// The id of this kind that carries `uuid`.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID behind the prefix.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", Self::PREFIX, encode_base32(self.0.as_u128()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let suffix = text
                    .strip_prefix(Self::PREFIX)
                    .and_then(|rest| rest.strip_prefix('_'))
                    .ok_or(ParseIdError::Prefix { expected: Self::PREFIX })?;
                parse_suffix(suffix)
                    .map(Self)
                    .ok_or(ParseIdError::Suffix { expected: Self::PREFIX })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                crate::schema::of_id(Self::PREFIX, concat!($($doc),+))
            }
        }
    )+

        /// What all these ids begin with, without the underscore.
        pub const PREFIXES: &[&str] = &[$($prefix),+, "pos"];
    };
}

ids! {
    /// A recorded event.
    EventId = "evt";
    /// A settlement.
    SettlementId = "stl";
    /// A payment.
    PaymentId = "pay";
    /// An order.
    OrderId = "ord";
    /// An invoice.
    InvoiceId = "inv";
    /// A balance.
    BalanceId = "bal";
    /// An incident.
    IncidentId = "inc";
    /// A monitored server.
    ServerId = "srv";
    /// An automation run.
    AutomationId = "aut";
    /// A log entry.
    LogId = "log";
    /// A ticket.
    TicketId = "tkt";
    /// An in-app notification.
    NotificationId = "ntf";
    /// A rule that turns events into notifications.
    NotificationRuleId = "ntr";
    /// A person.
    UserId = "usr";
    /// A customer inside a project.
    OrganizationId = "org";
    /// A project: the tenant that nothing crosses.
    ProjectId = "prj";
    /// An API key.
    ApiKeyId = "key";
    /// A login of a person: a browser's session, or one of the API.
    SessionId = "ses";
    /// An invitation to a project.
    InvitationId = "ivt";
    /// A saved view.
    SavedViewId = "view";
    /// What somebody wrote about a record.
    CommentId = "cmt";
    /// An entry of the audit log.
    AuditEntryId = "aud";
    /// A job of the queue.
    JobId = "job";
    /// One live connection to the hub.
    ConnectionId = "con";
    /// A message that a service published and that is about no aggregate.
    MessageId = "msg";
    /// An endpoint of webhooks.
    WebhookId = "whk";
    /// An event on its way to an endpoint of webhooks: the `webhook-id` of every attempt.
    WebhookDeliveryId = "whd";
}

/// The id of a record of whatever module: any of the kinds above, or one that a developer declared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    prefix: std::borrow::Cow<'static, str>,
    uuid: Uuid,
}

/// The text is no id of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a prefix of 2 to 8 lower-case letters, `_`, and 26 characters of Crockford base 32 or a UUID"
)]
pub struct ParseRecordIdError;

impl RecordId {
    /// The id with this prefix that carries `uuid`.
    #[must_use]
    pub fn new(prefix: impl Into<std::borrow::Cow<'static, str>>, uuid: Uuid) -> Self {
        Self { prefix: prefix.into(), uuid }
    }

    /// What its text begins with, without the underscore.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The UUID behind the prefix.
    #[must_use]
    pub const fn uuid(&self) -> Uuid {
        self.uuid
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.prefix, encode_base32(self.uuid.as_u128()))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RecordId {
    type Err = ParseRecordIdError;

    fn from_str(text: &str) -> Result<Self, ParseRecordIdError> {
        let (prefix, suffix) = text.split_once('_').ok_or(ParseRecordIdError)?;
        if !(2..=8).contains(&prefix.len()) || !prefix.bytes().all(|b| b.is_ascii_lowercase()) {
            return Err(ParseRecordIdError);
        }
        let uuid = parse_suffix(suffix).ok_or(ParseRecordIdError)?;
        Ok(Self { prefix: prefix.to_owned().into(), uuid })
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn matches_the_typeid_specification() {
        // Examples of the specification's `valid.json`.
        let uuid = Uuid::parse_str("01890a5d-ac96-774b-bcce-b302099a8057").expect("a UUID");
        assert_eq!(encode_base32(uuid.as_u128()), "01h455vb4pex5vsknk084sn02q");
        assert_eq!(decode_base32("7zzzzzzzzzzzzzzzzzzzzzzzzz"), Some(u128::MAX));
    }

    #[test]
    fn refuses_other_kinds_and_forms() {
        let event = EventId::from_uuid(Uuid::from_u128(7)).to_string();
        assert_eq!(event.parse::<UserId>(), Err(ParseIdError::Prefix { expected: "usr" }));
        for text in ["evt_", "evt_1", "evt_8zzzzzzzzzzzzzzzzzzzzzzzzz", "evt_01h455vb4pex5vsknk084sn02u"] {
            assert_eq!(text.parse::<EventId>(), Err(ParseIdError::Suffix { expected: "evt" }), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_wrote(value: u128) {
            let id = SettlementId::from_uuid(Uuid::from_u128(value));
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(format!("stl_{}", id.uuid()).parse(), Ok(id));
            prop_assert_eq!(format!("stl_{}", id.uuid().simple()).parse(), Ok(id));
        }

        #[test]
        fn never_panics_on_any_text(text in "\\PC*") {
            let _ = text.parse::<EventId>();
            let _ = format!("evt_{text}").parse::<EventId>();
        }
    }
}
