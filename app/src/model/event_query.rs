//! What is asked of the events explorer: by address, by form and by API the same.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tidewatch_events::access::Actor;
use tidewatch_events::filter::TypePattern;
use tidewatch_events::{AggregateType, Envelope, EventFilter, Position, Timestamp};

use super::TextSearch;

/// Which events, newest first. The default asks for all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct EventQuery {
    /// One of these types.
    pub types: Vec<TypePattern>,
    /// What happened to one of these kinds.
    pub resource_types: Vec<AggregateType>,
    /// What happened to this one.
    pub resource_id: Option<String>,
    /// What this one did.
    pub actor: Option<Actor>,
    /// What belongs to this business process.
    pub correlation_id: Option<String>,
    /// What occurred at or after this time.
    pub from: Option<Timestamp>,
    /// What occurred before this time.
    pub to: Option<Timestamp>,
    /// What has this text in its payload.
    pub q: Option<TextSearch>,
    /// The stream as it stood at this moment.
    pub as_of: Option<Moment>,
    /// What stands before this position: `next` of the page before.
    pub before: Option<Position>,
    /// Events of a page; 0: [`EventQuery::ROWS`].
    pub limit: u32,
}

/// A moment in a project's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Right behind the event at this position.
    Position(Position),
    /// What was published by this time.
    Time(Timestamp),
}

/// A parameter that will not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{name}: {message}")]
pub struct WrongParameter {
    /// Which.
    pub name: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(position) => fmt::Display::fmt(position, f),
            Self::Time(time) => fmt::Display::fmt(time, f),
        }
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let position = || parse_position(text).map(Self::Position);
        let time = || text.parse().map(Self::Time).ok();
        position().or_else(time).ok_or("must be a position, or an RFC 3339 time such as 2026-11-20T20:43:52Z")
    }
}

fn parse_position(text: &str) -> Option<Position> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number).and_then(Position::new)
}

impl EventQuery {
    /// Events of a page where nobody asked for another number.
    pub const ROWS: u32 = 50;
    /// Most events of a page.
    pub const MOST_ROWS: u32 = 200;
    /// Every parameter.
    pub const PARAMETERS: [&str; 11] = [
        "types",
        "resourceTypes",
        "resourceId",
        "actor",
        "correlationId",
        "from",
        "to",
        "q",
        "asOf",
        "before",
        "limit",
    ];

    /// What the parameters ask for. One that is empty counts as not given: forms send all of theirs.
    ///
    /// # Errors
    /// All that will not do, and why.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<WrongParameter>> {
        let mut reader = Reader { get, wrong: Vec::new() };
        let query = Self {
            types: reader
                .list("types", |text| EventFilter::parse_types(text).map_err(|error| error.to_string())),
            resource_types: reader.list("resourceTypes", |text| {
                EventFilter::parse_resource_types(text).map_err(|error| error.to_string())
            }),
            resource_id: reader.one("resourceId", |text| {
                EventFilter::parse_resource_id(text).map_err(|error| error.to_string())
            }),
            actor: reader.one("actor", parse),
            correlation_id: reader.one("correlationId", |text| {
                let fits = text.chars().count() <= 200 && !text.chars().any(char::is_control);
                fits.then(|| text.to_owned()).ok_or_else(|| {
                    "must have 1 to 200 characters, none of them a control character".to_owned()
                })
            }),
            from: reader.one("from", parse),
            to: reader.one("to", parse),
            q: reader.one("q", |text| {
                TextSearch::new(text).ok_or_else(|| {
                    "must have 1 to 200 characters, none of them a control character".to_owned()
                })
            }),
            as_of: reader.one("asOf", parse),
            before: reader.one("before", |text| {
                parse_position(text)
                    .ok_or_else(|| "must be the `next` of a page, which is a position".to_owned())
            }),
            limit: reader
                .one("limit", |text| {
                    let limit = text.parse().ok().filter(|limit| (1..=Self::MOST_ROWS).contains(limit));
                    limit.ok_or_else(|| format!("must be a whole number from 1 to {}", Self::MOST_ROWS))
                })
                .unwrap_or_default(),
        };
        if let (Some(from), Some(to)) = (query.from, query.to)
            && from >= to
        {
            reader.wrong("to", "must be later than `from`".to_owned());
        }
        if reader.wrong.is_empty() { Ok(query) } else { Err(reader.wrong) }
    }

    /// The parameters that ask for this.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        fn list<T: ToString>(entries: &[T]) -> Option<String> {
            let texts: Vec<String> = entries.iter().map(ToString::to_string).collect();
            (!texts.is_empty()).then(|| texts.join(","))
        }
        let said = [
            ("types", list(&self.types)),
            ("resourceTypes", list(&self.resource_types)),
            ("resourceId", self.resource_id.clone()),
            ("actor", self.actor.as_ref().map(ToString::to_string)),
            ("correlationId", self.correlation_id.clone()),
            ("from", self.from.map(|time| time.to_string())),
            ("to", self.to.map(|time| time.to_string())),
            ("q", self.q.as_ref().map(|text| text.as_str().to_owned())),
            ("asOf", self.as_of.map(|moment| moment.to_string())),
            ("before", self.before.map(|position| position.to_string())),
            ("limit", (self.limit != 0).then(|| self.limit.to_string())),
        ];
        said.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Events of a page.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        if self.limit == 0 { Self::ROWS } else { self.limit }
    }

    /// Whether it asks for some events and not for all of its moment.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        let all = Self { as_of: self.as_of, before: self.before, limit: self.limit, ..Self::default() };
        *self != all
    }

    /// Whether events that are published from now on belong to the page: it is the first one, and not of a
    /// moment in the past.
    #[must_use]
    pub const fn follows(&self) -> bool {
        self.as_of.is_none() && self.before.is_none()
    }

    /// Whether it asks for this event, place in the stream aside.
    #[must_use]
    pub fn matches(&self, event: &Envelope) -> bool {
        (self.types.is_empty() || self.types.iter().any(|pattern| pattern.matches(&event.event_type)))
            && (self.resource_types.is_empty() || self.resource_types.contains(&event.aggregate_type))
            && self.resource_id.as_ref().is_none_or(|id| *id == event.aggregate_id)
            && self.actor.as_ref().is_none_or(|actor| event.metadata.actor.as_ref() == Some(actor))
            && self
                .correlation_id
                .as_ref()
                .is_none_or(|id| event.metadata.correlation_id.as_ref() == Some(id))
            && self.from.is_none_or(|from| event.occurred_at >= from)
            && self.to.is_none_or(|to| event.occurred_at < to)
            && self.q.as_ref().is_none_or(|text| text.is_in(&event.payload))
    }
}

/// Reads parameters, and goes on after a wrong one: a form shows all that is wrong at once.
struct Reader<Get> {
    get: Get,
    wrong: Vec<WrongParameter>,
}

impl<Get: Fn(&str) -> Option<String>> Reader<Get> {
    fn wrong(&mut self, name: &str, message: String) {
        self.wrong.push(WrongParameter { name: name.to_owned(), message });
    }

    fn one<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = (self.get)(name)?;
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        parse(text).map_err(|message| self.wrong(name, message)).ok()
    }

    fn list<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<Vec<T>, String>) -> Vec<T> {
        self.one(name, parse).unwrap_or_default()
    }
}

fn parse<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

impl TryFrom<BTreeMap<String, String>> for EventQuery {
    type Error = WrongParameter;

    fn try_from(parameters: BTreeMap<String, String>) -> Result<Self, WrongParameter> {
        Self::read(|name| parameters.get(name).cloned()).map_err(|wrong| {
            let first = wrong.into_iter().next();
            first.unwrap_or_else(|| WrongParameter { name: String::new(), message: String::new() })
        })
    }
}

impl From<EventQuery> for BTreeMap<String, String> {
    fn from(query: EventQuery) -> Self {
        query.parameters().into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(parameters: &[(&str, &str)]) -> Result<EventQuery, Vec<WrongParameter>> {
        EventQuery::read(|asked| {
            parameters.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let parameters = [
            ("types", "settlement.*,payment.refunded"),
            ("resourceTypes", "Settlement,Payment"),
            ("resourceId", "stl_1"),
            ("actor", "system:relay"),
            ("correlationId", "req 1"),
            ("from", "2026-11-20T20:00:00.000Z"),
            ("to", "2026-11-21T20:00:00.000Z"),
            ("q", "100% \"äöü\""),
            ("asOf", "42"),
            ("before", "17"),
            ("limit", "10"),
        ];
        let query = read(&parameters).expect("a query");
        let written: Vec<(&str, String)> = query.parameters();
        assert_eq!(written, parameters.map(|(name, value)| (name, value.to_owned())));
        let wire = serde_json::to_value(&query).expect("JSON");
        assert_eq!(wire["types"], json!("settlement.*,payment.refunded"));
        assert_eq!(serde_json::from_value::<EventQuery>(wire).expect("a query"), query);
    }

    #[test]
    fn what_is_left_open_counts_as_not_said() {
        let query = read(&[("types", ""), ("from", "  "), ("limit", "")]).expect("a query");
        assert_eq!(query, EventQuery::default());
        assert!(query.follows() && !query.is_filtered());
    }

    #[test]
    fn says_all_that_is_wrong() {
        let wrong = read(&[
            ("types", "Settlement"),
            ("resourceTypes", "settlement"),
            ("resourceId", "a b"),
            ("actor", "ann"),
            ("correlationId", "a\0"),
            ("from", "yesterday"),
            ("to", "2026-11-20"),
            ("q", "\0"),
            ("asOf", "-1"),
            ("before", "x"),
            ("limit", "0"),
        ])
        .expect_err("all wrong");
        let names: Vec<&str> = wrong.iter().map(|wrong| wrong.name.as_str()).collect();
        assert_eq!(names, EventQuery::PARAMETERS);
        let turned = read(&[("from", "2026-11-21T00:00:00Z"), ("to", "2026-11-20T00:00:00Z")]);
        assert!(turned.is_err_and(|wrong| wrong[0].name == "to"));
    }

    #[test]
    fn a_moment_is_a_position_or_a_time() {
        assert!(matches!("17".parse(), Ok(Moment::Position(position)) if position.get() == 17));
        assert!(matches!("2026-11-20T20:43:52Z".parse(), Ok(Moment::Time(_))));
        for text in ["", "+1", "now", "9223372036854775808"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
