//! Data that no event tells of: it is read anew every other second.

use std::time::Duration;

use tidewatch_events::{Envelope, Timestamp};

use super::{Holdable, Reducer};
use crate::model::Snapshot;

/// Between two reads.
const REFRESH: Duration = Duration::from_secs(2);

/// Data as it was read last.
#[derive(Debug, Clone, PartialEq)]
pub struct Polled<T> {
    data: T,
    as_of: Timestamp,
    /// Events whose type begins so tell of a change: the data is read anew at once.
    told_by: Option<&'static str>,
    is_stale: bool,
}

impl<T> Polled<T> {
    /// The data as it was loaded.
    #[must_use]
    pub fn new(snapshot: Snapshot<T>) -> Self {
        Self { data: snapshot.data, as_of: snapshot.as_of, told_by: None, is_stale: false }
    }

    /// The data as it was loaded; of some of it events tell whose type begins like this.
    #[must_use]
    pub fn told_by(snapshot: Snapshot<T>, prefix: &'static str) -> Self {
        Self { told_by: Some(prefix), ..Self::new(snapshot) }
    }

    /// What was read.
    #[must_use]
    pub const fn data(&self) -> &T {
        &self.data
    }

    /// When it was read.
    #[must_use]
    pub const fn as_of(&self) -> Timestamp {
        self.as_of
    }
}

impl<T> Reducer for Polled<T> {
    type Data = T;

    const REFRESH: Option<Duration> = Some(REFRESH);

    fn apply(&mut self, envelope: &Envelope) -> bool {
        self.is_stale |= self.told_by.is_some_and(|prefix| envelope.event_type.as_str().starts_with(prefix));
        false
    }

    fn replace(&mut self, snapshot: Snapshot<T>) {
        *self = Self { told_by: self.told_by, ..Self::new(snapshot) };
    }

    fn wants_refetch(&self) -> bool {
        self.is_stale
    }
}

/// A page of rows, each of which is known again.
pub trait ListPage {
    /// A row.
    type Row: Clone + PartialEq;
    /// By what it is known again.
    type Key: PartialEq;

    /// Which row it is.
    fn key(row: &Self::Row) -> Self::Key;

    /// The rows, in their order.
    fn rows(&self) -> &[Self::Row];
}

/// A list that is read anew: while it is held, its rows change in place, and new ones wait.
#[derive(Debug, Clone, PartialEq)]
pub struct PolledList<P: ListPage> {
    page: P,
    as_of: Timestamp,
    held: Option<Vec<P::Row>>,
}

impl<P: ListPage> PolledList<P> {
    /// The list as it was loaded.
    #[must_use]
    pub fn new(snapshot: Snapshot<P>) -> Self {
        Self { page: snapshot.data, as_of: snapshot.as_of, held: None }
    }

    /// What was read last, rows that wait included.
    #[must_use]
    pub const fn page(&self) -> &P {
        &self.page
    }

    /// When it was read.
    #[must_use]
    pub const fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The rows on the screen.
    #[must_use]
    pub fn visible(&self) -> &[P::Row] {
        self.held.as_deref().unwrap_or_else(|| self.page.rows())
    }

    /// A row on the screen.
    #[must_use]
    pub fn row(&self, key: &P::Key) -> Option<&P::Row> {
        find::<P>(self.visible(), key)
    }

    /// Whether a row that is on the screen is no longer there, and goes when it is let go.
    #[must_use]
    pub fn is_leaving(&self, key: &P::Key) -> bool {
        self.held.is_some() && find::<P>(self.page.rows(), key).is_none()
    }
}

fn find<'a, P: ListPage>(rows: &'a [P::Row], key: &P::Key) -> Option<&'a P::Row> {
    rows.iter().find(|row| P::key(row) == *key)
}

impl<P: ListPage> Holdable for PolledList<P> {
    fn hold(&mut self) {
        if self.held.is_none() {
            self.held = Some(self.page.rows().to_vec());
        }
    }

    fn release(&mut self) {
        self.held = None;
    }

    fn waiting(&self) -> usize {
        let Some(held) = &self.held else { return 0 };
        self.page.rows().iter().filter(|row| find::<P>(held, &P::key(row)).is_none()).count()
    }
}

impl<P: ListPage> Reducer for PolledList<P> {
    type Data = P;

    const REFRESH: Option<Duration> = Some(REFRESH);

    fn apply(&mut self, _: &Envelope) -> bool {
        false
    }

    fn replace(&mut self, snapshot: Snapshot<P>) {
        self.page = snapshot.data;
        self.as_of = snapshot.as_of;
        for row in self.held.iter_mut().flatten() {
            if let Some(newer) = find::<P>(self.page.rows(), &P::key(row)) {
                row.clone_from(newer);
            }
        }
    }

    fn wants_refetch(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use tidewatch_events::Position;

    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Numbers(Vec<(u32, &'static str)>);

    impl ListPage for Numbers {
        type Row = (u32, &'static str);
        type Key = u32;

        fn key(row: &Self::Row) -> u32 {
            row.0
        }

        fn rows(&self) -> &[Self::Row] {
            &self.0
        }
    }

    fn read(rows: &[(u32, &'static str)]) -> Snapshot<Numbers> {
        Snapshot {
            data: Numbers(rows.to_vec()),
            position: Position::START,
            resume_token: String::new(),
            as_of: "2026-11-20T20:00:00Z".parse().expect("a time"),
        }
    }

    #[test]
    fn is_read_anew_when_an_event_tells_of_a_change() {
        let told = |event_type: &str| Envelope {
            event_type: event_type.parse().expect("a type"),
            ..crate::live::testing::event(1)
        };
        let mut people = Polled::told_by(read(&[]), "user.");
        people.apply(&told("order.created"));
        assert!(!people.wants_refetch());
        people.apply(&told("user.updated"));
        assert!(people.wants_refetch());
        people.replace(read(&[(1, "a")]));
        assert!(!people.wants_refetch());
        people.apply(&told("user.created"));
        assert!(people.wants_refetch(), "it goes on listening");
        let mut jobs = Polled::new(read(&[]));
        jobs.apply(&told("user.updated"));
        assert!(!jobs.wants_refetch());
    }

    #[test]
    fn shows_what_was_read_last() {
        let mut list = PolledList::new(read(&[(2, "b"), (1, "a")]));
        list.replace(read(&[(3, "c"), (2, "b")]));
        assert_eq!(list.visible(), [(3, "c"), (2, "b")]);
        assert_eq!(list.waiting(), 0);
    }

    #[test]
    fn held_rows_change_in_place_and_new_ones_wait() {
        let mut list = PolledList::new(read(&[(2, "b"), (1, "a")]));
        list.hold();
        list.replace(read(&[(3, "c"), (2, "B")]));
        assert_eq!(list.visible(), [(2, "B"), (1, "a")]);
        assert!(list.is_leaving(&1) && !list.is_leaving(&2));
        assert_eq!(list.waiting(), 1);
        list.release();
        assert_eq!(list.visible(), [(3, "c"), (2, "B")]);
        assert_eq!(list.waiting(), 0);
    }
}
