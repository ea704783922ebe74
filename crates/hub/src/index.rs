//! An inverted index from what events have to the filters that insist on it.
//!
//! An event must not ask ten thousand filters whether they want it. Each filter is filed under terms
//! of which every event that it matches has at least one; an event looks up its own few terms and
//! asks only those that it finds there.

use std::collections::HashMap;

use tidewatch_events::event::Channel;
use tidewatch_events::filter::TypePattern;
use tidewatch_events::{AggregateType, Event, EventFilter, EventType};

/// Something that an event has and a filter can insist on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Term {
    Resource(String),
    Channel(Channel),
    Type(EventType),
    /// With its last dot.
    TypePrefix(String),
    ResourceType(AggregateType),
    /// Every event has it.
    Anything,
}

/// Filters by their terms.
#[derive(Debug, Default)]
pub(crate) struct FilterIndex {
    postings: HashMap<Term, Vec<usize>>,
}

impl FilterIndex {
    /// Files a filter under a key that it is found by.
    pub(crate) fn insert(&mut self, filter: &EventFilter, key: usize) {
        for term in terms_of_filter(filter) {
            self.postings.entry(term).or_default().push(key);
        }
    }

    /// Takes it out again.
    pub(crate) fn remove(&mut self, filter: &EventFilter, key: usize) {
        for term in terms_of_filter(filter) {
            if let Some(keys) = self.postings.get_mut(&term) {
                keys.retain(|filed| *filed != key);
                if keys.is_empty() {
                    self.postings.remove(&term);
                }
            }
        }
    }

    /// The filters that can match the event, and among them all that do. One that insists on several
    /// things can be named several times.
    pub(crate) fn candidates(&self, event: &Event) -> impl Iterator<Item = usize> {
        terms_of_event(event).into_iter().filter_map(|term| self.postings.get(&term)).flatten().copied()
    }
}

/// Of the parts of a filter, all of which must match, the one that lets the fewest events through.
fn terms_of_filter(filter: &EventFilter) -> Vec<Term> {
    let mut terms: Vec<Term> = if let Some(id) = &filter.resource_id {
        vec![Term::Resource(id.clone())]
    } else if !filter.channels.is_empty() {
        filter.channels.iter().cloned().map(Term::Channel).collect()
    } else if filter.types.contains(&TypePattern::Any)
        || (filter.types.is_empty() && filter.resource_types.is_empty())
    {
        vec![Term::Anything]
    } else if filter.types.is_empty() {
        filter.resource_types.iter().cloned().map(Term::ResourceType).collect()
    } else {
        filter
            .types
            .iter()
            .map(|pattern| match pattern {
                TypePattern::Any => Term::Anything,
                TypePattern::Prefix(prefix) => Term::TypePrefix(prefix.clone()),
                TypePattern::Exact(exact) => Term::Type(exact.clone()),
            })
            .collect()
    };
    let mut distinct = Vec::with_capacity(terms.len());
    terms.drain(..).for_each(|term| {
        if !distinct.contains(&term) {
            distinct.push(term);
        }
    });
    distinct
}

fn terms_of_event(event: &Event) -> Vec<Term> {
    let envelope = &event.envelope;
    let event_type = envelope.event_type.as_str();
    let mut terms = vec![
        Term::Anything,
        Term::Resource(envelope.aggregate_id.clone()),
        Term::ResourceType(envelope.aggregate_type.clone()),
        Term::Type(envelope.event_type.clone()),
    ];
    terms.extend(
        event_type.match_indices('.').map(|(dot, _)| Term::TypePrefix(event_type[..=dot].to_owned())),
    );
    terms.extend(event.routing.channels.iter().cloned().map(Term::Channel));
    terms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};
    use tidewatch_events::id::{EventId, ProjectId};
    use tidewatch_events::{Envelope, Metadata, Position, Routing, Timestamp};
    use uuid::Uuid;

    use super::*;

    const TYPES: &[&str] = &["a.x", "a.y", "b.x", "b.c.x"];
    const PATTERNS: &[&str] = &["*", "a.*", "b.*", "b.c.*", "a.x", "b.c.x"];
    const KINDS: &[&str] = &["One", "Two"];
    const IDS: &[&str] = &["1", "2"];
    const CHANNELS: &[&str] = &["news", "private-1", "private-2"];

    fn parse_all<T: std::str::FromStr<Err: std::fmt::Debug>>(texts: Vec<&str>) -> Vec<T> {
        texts.into_iter().map(|text| text.parse().expect("well formed")).collect()
    }

    prop_compose! {
        fn filters()(types in subsequence(PATTERNS, 0..4), kinds in subsequence(KINDS, 0..2),
                     id in proptest::option::weighted(0.3, select(IDS)), channels in subsequence(CHANNELS, 0..3))
                    -> EventFilter {
            EventFilter {
                types: parse_all(types),
                resource_types: parse_all(kinds),
                resource_id: id.map(ToOwned::to_owned),
                channels: parse_all(channels),
            }
        }
    }

    fn event(event_type: &str, kind: &str, id: &str, channels: Vec<&str>) -> Event {
        Event {
            envelope: Envelope {
                event_id: EventId::from_uuid(Uuid::nil()),
                event_type: event_type.parse().expect("a type"),
                aggregate_type: kind.parse().expect("a kind"),
                aggregate_id: id.to_owned(),
                aggregate_version: 1,
                occurred_at: Timestamp::from_unix_millis(0).expect("a time"),
                position: Position::START.next(),
                payload: serde_json::Value::Null,
                metadata: Metadata::default(),
            },
            routing: Routing {
                channels: parse_all(channels).into_iter().collect(),
                ..Routing::in_project(ProjectId::from_uuid(Uuid::nil()))
            },
        }
    }

    prop_compose! {
        fn events()(event_type in select(TYPES), kind in select(KINDS), id in select(IDS),
                    channels in subsequence(CHANNELS, 0..3)) -> Event {
            event(event_type, kind, id, channels)
        }
    }

    proptest! {
        /// Nobody who wants an event is overlooked, whoever has come and gone.
        #[test]
        fn finds_every_filter_that_matches(filters in prop::collection::vec(filters(), 1..12),
                                           leave in prop::collection::vec(any::<bool>(), 12), event in events()) {
            let mut index = FilterIndex::default();
            filters.iter().enumerate().for_each(|(key, filter)| index.insert(filter, key));
            for (key, filter) in filters.iter().enumerate().filter(|(key, _)| leave[*key]) {
                index.remove(filter, key);
            }
            let found: Vec<usize> = index.candidates(&event).collect();
            for (key, filter) in filters.iter().enumerate() {
                prop_assert!(!leave[key] || !found.contains(&key), "it has left");
                prop_assert!(leave[key] || !filter.matches(&event) || found.contains(&key), "{filter:?}");
            }
        }
    }

    #[test]
    fn asks_nobody_who_insists_on_something_else() {
        let mut index = FilterIndex::default();
        let texts = ["a.x", "a.*", "b.*", "b.c.x"];
        for (key, text) in texts.iter().enumerate() {
            let types = EventFilter::parse_types(text).expect("types");
            index.insert(&EventFilter { types, ..EventFilter::default() }, key);
        }
        for key in 10..1_000 {
            let resource_id = Some(format!("thing-{key}"));
            index.insert(&EventFilter { resource_id, ..EventFilter::default() }, key);
        }
        let event = event("a.x", "One", "thing-500", Vec::new());
        let mut found: Vec<usize> = index.candidates(&event).collect();
        found.sort_unstable();
        assert_eq!(found, [0, 1, 500]);
    }
}
