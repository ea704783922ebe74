//! What a reader asked for. A filter narrows; it never shows more than [`crate::visible`] allows.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::{Channel, Event};
use crate::kind::{AggregateType, EventType, is_segment};

/// Most entries of one comma list.
pub const MAX_LIST_ENTRIES: usize = 100;

/// A pattern for event types: a whole type, a beginning with `.*`, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TypePattern {
    /// `*`
    Any,
    /// `settlement.*`: the segments before `.*`, with their last dot.
    Prefix(String),
    /// `settlement.created`
    Exact(EventType),
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseFilterError {
    /// An entry of `types`.
    #[error("`{0}` is no event type: write settlement.created, settlement.* or *")]
    Type(String),
    /// An entry of `resourceTypes`.
    #[error("`{0}` is no resource type: write Settlement, Payment, …")]
    ResourceType(String),
    /// An entry of `channels`.
    #[error("`{0}` is no channel name: 1 to 200 characters out of letters, digits and . _ - : /")]
    Channel(String),
    /// The value of `resourceId`.
    #[error("must be 1 to 200 visible characters")]
    ResourceId,
    /// Nothing, or too much, between the commas.
    #[error("must be a comma list of 1 to {MAX_LIST_ENTRIES} entries, none of them empty")]
    List,
}

impl TypePattern {
    /// Whether an event of this type is meant.
    #[must_use]
    pub fn matches(&self, event_type: &EventType) -> bool {
        match self {
            Self::Any => true,
            Self::Prefix(beginning) => event_type.as_str().starts_with(beginning.as_str()),
            Self::Exact(exact) => exact == event_type,
        }
    }
}

impl FromStr for TypePattern {
    type Err = ParseFilterError;

    fn from_str(text: &str) -> Result<Self, ParseFilterError> {
        let error = || ParseFilterError::Type(text.to_owned());
        if text == "*" {
            return Ok(Self::Any);
        }
        match text.strip_suffix(".*") {
            Some(beginning) if beginning.split('.').all(is_segment) => {
                Ok(Self::Prefix(format!("{beginning}.")))
            }
            Some(_) => Err(error()),
            None => text.parse().map(Self::Exact).map_err(|_| error()),
        }
    }
}

impl fmt::Display for TypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Prefix(beginning) => write!(f, "{beginning}*"),
            Self::Exact(exact) => fmt::Display::fmt(exact, f),
        }
    }
}

impl Serialize for TypePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TypePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a reader asked for: each part that is not empty must match. The default matches all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventFilter {
    /// One of these event types.
    pub types: Vec<TypePattern>,
    /// One of these kinds of aggregates.
    pub resource_types: Vec<AggregateType>,
    /// This aggregate.
    pub resource_id: Option<String>,
    /// At least one of these channels.
    pub channels: Vec<Channel>,
}

impl EventFilter {
    /// Whether the reader asked for this event. Says nothing of whether it may see it.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        let envelope = &event.envelope;
        (self.types.is_empty() || self.types.iter().any(|pattern| pattern.matches(&envelope.event_type)))
            && (self.resource_types.is_empty() || self.resource_types.contains(&envelope.aggregate_type))
            && self.resource_id.as_ref().is_none_or(|id| *id == envelope.aggregate_id)
            && (self.channels.is_empty()
                || self.channels.iter().any(|channel| event.routing.channels.contains(channel)))
    }

    /// Reads the comma list of the `types` parameter.
    ///
    /// # Errors
    /// The list is empty or too long, or an entry is no pattern.
    pub fn parse_types(text: &str) -> Result<Vec<TypePattern>, ParseFilterError> {
        list(text, str::parse)
    }

    /// Reads the comma list of the `resourceTypes` parameter.
    ///
    /// # Errors
    /// The list is empty or too long, or an entry is no aggregate type.
    pub fn parse_resource_types(text: &str) -> Result<Vec<AggregateType>, ParseFilterError> {
        list(text, |entry| entry.parse().map_err(|_| ParseFilterError::ResourceType(entry.to_owned())))
    }

    /// Reads the comma list of the `channels` parameter.
    ///
    /// # Errors
    /// The list is empty or too long, or an entry is no channel name.
    pub fn parse_channels(text: &str) -> Result<Vec<Channel>, ParseFilterError> {
        list(text, |entry| entry.parse().map_err(|_| ParseFilterError::Channel(entry.to_owned())))
    }

    /// Reads the `resourceId` parameter.
    ///
    /// # Errors
    /// It is empty, too long, or holds spaces or control characters.
    pub fn parse_resource_id(text: &str) -> Result<String, ParseFilterError> {
        let visible = text.chars().all(|c| !c.is_control() && !c.is_whitespace());
        if visible && (1..=200).contains(&text.len()) {
            Ok(text.to_owned())
        } else {
            Err(ParseFilterError::ResourceId)
        }
    }
}

fn list<T>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, ParseFilterError>,
) -> Result<Vec<T>, ParseFilterError> {
    let entries: Vec<&str> = text.split(',').map(str::trim).collect();
    if entries.len() > MAX_LIST_ENTRIES || entries.iter().any(|entry| entry.is_empty()) {
        return Err(ParseFilterError::List);
    }
    entries.into_iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_at_a_dot() {
        let pattern: TypePattern = "settlement.*".parse().expect("a pattern");
        assert!(pattern.matches(&EventType::from_static("settlement.created")));
        assert!(!pattern.matches(&EventType::from_static("settlements.created")));
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let filter = EventFilter {
            types: EventFilter::parse_types("settlement.*,order.created").expect("types"),
            resource_types: EventFilter::parse_resource_types("Settlement").expect("resource types"),
            resource_id: Some("stl_1".to_owned()),
            channels: EventFilter::parse_channels("orders:7").expect("channels"),
        };
        for filter in [filter, EventFilter::default()] {
            let json = serde_json::to_value(&filter).expect("JSON");
            assert_eq!(serde_json::from_value::<EventFilter>(json).expect("a filter"), filter);
        }
    }

    #[test]
    fn names_the_entry_that_is_wrong() {
        assert_eq!(
            EventFilter::parse_types("settlement.*,Payment"),
            Err(ParseFilterError::Type("Payment".to_owned()))
        );
        for text in ["", "a.b,", ",", "*,,*"] {
            assert_eq!(EventFilter::parse_types(text), Err(ParseFilterError::List), "{text:?}");
        }
        for text in ["settlement*", "*.created", "settle.*.x", ".*"] {
            assert!(EventFilter::parse_types(text).is_err(), "{text:?}");
        }
    }
}
