//! One stream of events for all pages of a tab.
//!
//! A page shows data as of a position and wants every event behind it, once. The stream was
//! opened by another page, long ago. So the feed keeps the last events: who comes later gets what
//! is behind its position from here, and is told when that is no longer to be had.
//!
//! Pure: `S` is whatever finds the page again, a callback in the browser, a name in the tests.

use std::collections::{BTreeMap, VecDeque};

use tidewatch_events::{Envelope, Position};

/// Names a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriberId(u64);

/// What a subscriber missed between its data and now.
#[derive(Debug, Clone, PartialEq)]
pub enum CatchUp {
    /// These events, by position. What follows is delivered.
    Events(Vec<Envelope>),
    /// More than is kept. The subscriber gets nothing until it resumes with newer data.
    Gap,
}

#[derive(Debug, Clone)]
struct Subscriber<S> {
    handle: S,
    /// Its data contains everything up to here.
    from: Position,
    /// It reads its data anew; events wait for it.
    waiting: bool,
}

/// The events of one tab, and who reads them.
#[derive(Debug, Clone)]
pub struct Feed<S> {
    kept: VecDeque<Envelope>,
    capacity: usize,
    /// Every event behind it is kept or still to come; `None` until the stream begins.
    complete_behind: Option<Position>,
    subscribers: BTreeMap<SubscriberId, Subscriber<S>>,
    next_id: u64,
}

impl<S: Clone> Default for Feed<S> {
    fn default() -> Self {
        Self::with_capacity(Self::CAPACITY)
    }
}

impl<S: Clone> Feed<S> {
    /// How many events are kept.
    pub const CAPACITY: usize = 1_000;

    /// A feed that keeps `capacity` events.
    #[must_use]
    pub const fn with_capacity(capacity: usize) -> Self {
        Self {
            kept: VecDeque::new(),
            capacity,
            complete_behind: None,
            subscribers: BTreeMap::new(),
            next_id: 0,
        }
    }

    /// Whether the stream has begun: the first subscriber's position is where.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.complete_behind.is_some()
    }

    /// The stream begins behind `from`, unless it has begun already.
    pub fn begin(&mut self, from: Position) {
        self.complete_behind.get_or_insert(from);
    }

    /// Adds a reader whose data contains everything up to `from`.
    pub fn subscribe(&mut self, from: Position, handle: S) -> (SubscriberId, CatchUp) {
        let id = SubscriberId(self.next_id);
        self.next_id += 1;
        self.begin(from);
        self.subscribers.insert(id, Subscriber { handle, from, waiting: false });
        let catch_up = self.resume(id, from);
        (id, catch_up)
    }

    /// The reader has read its data anew and goes on behind `from`.
    pub fn resume(&mut self, id: SubscriberId, from: Position) -> CatchUp {
        let complete = self.complete_behind.is_some_and(|behind| behind <= from);
        if let Some(subscriber) = self.subscribers.get_mut(&id) {
            subscriber.from = from;
            subscriber.waiting = !complete;
        }
        if !complete {
            return CatchUp::Gap;
        }
        let mut missed: Vec<Envelope> =
            self.kept.iter().filter(|event| event.position > from).cloned().collect();
        missed.sort_by_key(|event| event.position);
        CatchUp::Events(missed)
    }

    /// Takes the reader off.
    pub fn unsubscribe(&mut self, id: SubscriberId) {
        self.subscribers.remove(&id);
    }

    /// Keeps an event; answers with those who are to get it now.
    pub fn deliver(&mut self, envelope: &Envelope) -> Vec<S> {
        self.kept.push_back(envelope.clone());
        if self.kept.len() > self.capacity
            && let Some(gone) = self.kept.pop_front()
        {
            self.complete_behind = self.complete_behind.max(Some(gone.position));
        }
        let readers = self.subscribers.values();
        readers
            .filter(|reader| !reader.waiting && reader.from < envelope.position)
            .map(|reader| reader.handle.clone())
            .collect()
    }

    /// Events are missing before `behind`: all must read their data anew. Answers with all.
    pub fn break_off(&mut self, behind: Position) -> Vec<S> {
        self.kept.clear();
        self.complete_behind = Some(behind);
        self.subscribers.values_mut().for_each(|reader| reader.waiting = true);
        self.subscribers.values().map(|reader| reader.handle.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testing::{at, event};
    use proptest::prelude::*;

    fn numbers(catch_up: &CatchUp) -> Option<Vec<u64>> {
        match catch_up {
            CatchUp::Events(events) => Some(events.iter().map(|event| event.position.get()).collect()),
            CatchUp::Gap => None,
        }
    }

    #[test]
    fn who_comes_later_gets_what_is_behind_its_data() {
        let mut feed = Feed::default();
        feed.subscribe(at(10), "first");
        for number in [11, 14, 12] {
            assert_eq!(feed.deliver(&event(number)), ["first"]);
        }
        let (_, missed) = feed.subscribe(at(11), "second");
        assert_eq!(numbers(&missed), Some(vec![12, 14]), "by position, whatever overtook what");
        assert_eq!(feed.deliver(&event(15)), ["first", "second"]);
    }

    #[test]
    fn data_newer_than_the_stream_gets_no_event_that_it_contains() {
        let mut feed = Feed::default();
        feed.subscribe(at(10), "first");
        feed.subscribe(at(12), "ahead");
        assert_eq!(feed.deliver(&event(12)), ["first"]);
        assert_eq!(feed.deliver(&event(13)), ["first", "ahead"]);
    }

    #[test]
    fn data_older_than_what_is_kept_is_told_so() {
        let mut feed = Feed::with_capacity(2);
        feed.subscribe(at(10), "first");
        let (_, missed) = feed.subscribe(at(9), "older");
        assert_eq!(missed, CatchUp::Gap, "the stream began behind it");
        for number in 11..15 {
            assert_eq!(feed.deliver(&event(number)), ["first"], "a waiting reader gets nothing");
        }
        let (late, missed) = feed.subscribe(at(11), "late");
        assert_eq!(missed, CatchUp::Gap);
        assert_eq!(numbers(&feed.resume(late, at(13))), Some(vec![14]));
    }

    #[test]
    fn a_break_makes_all_wait_until_they_resume() {
        let mut feed = Feed::default();
        let (first, _) = feed.subscribe(at(10), "first");
        feed.deliver(&event(11));
        assert_eq!(feed.break_off(at(50)), ["first"]);
        assert_eq!(feed.deliver(&event(51)), [] as [&str; 0]);
        assert_eq!(numbers(&feed.resume(first, at(50))), Some(vec![51]));
        assert_eq!(feed.deliver(&event(52)), ["first"]);
    }

    #[test]
    fn who_left_gets_nothing() {
        let mut feed = Feed::default();
        let (first, _) = feed.subscribe(at(0), "first");
        feed.unsubscribe(first);
        assert_eq!(feed.deliver(&event(1)), [] as [&str; 0]);
        assert!(feed.has_begun());
    }

    proptest! {
        /// Whoever comes at whatever time with data of whatever age gets each event once, or a gap.
        #[test]
        fn each_event_once_or_a_gap(total in 1u64..60, capacity in 1usize..40, comes in 0u64..60, from in 0u64..60) {
            let mut feed = Feed::with_capacity(capacity);
            feed.subscribe(at(0), "first");
            let mut got = None;
            for number in 1..=total {
                if number > comes && got.is_none() {
                    got = Some(numbers(&feed.subscribe(at(from.min(comes)), "late").1));
                }
                let readers = feed.deliver(&event(number));
                if let Some(Some(got)) = &mut got && readers.contains(&"late") {
                    got.push(number);
                }
            }
            if let Some(Some(got)) = got {
                prop_assert_eq!(got, (from.min(comes) + 1..=total).collect::<Vec<_>>());
            } else if let Some(None) = got {
                prop_assert!(comes > from + capacity as u64);
            }
        }
    }
}
