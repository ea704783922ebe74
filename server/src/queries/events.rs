//! The explorer: searches in the published log, and the board as of a moment.
//!
//! No search reads the log to its end: what an index has is read by the index, and of everything else a
//! stretch of positions, which says how far it went. Stretches are measured in positions, which every reader
//! of the stream knows, and never in events that were found or passed over: what a reader may not see
//! does not show in where a search stops.

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tidewatch_app::model::{Board, EventPage, EventQuery, Moment, StatusCount};
use tidewatch_events::{Envelope, EventId, Permission, Position, Subject, Timestamp, visible};
use tidewatch_outbox::{StreamHead, read_head};

use crate::access::Caller;
use crate::db::events::{self as log, Source, Wanted};
use crate::error::Error;
use crate::state::AppState;

/// Positions that one search looks at where no index helps, and of payloads that are read through for words: each about
/// as many as can be looked at in the 50 ms that a page may take. Its reader can have it go on from there.
pub const MOST_POSITIONS: u64 = 40_000;
const MOST_PAYLOADS: u64 = 10_000;
/// Longest that one statement takes, and after which a search looks no further.
const PATIENCE: Duration = Duration::from_secs(2);
/// A time with at most so many events is read as a whole and put in order.
const NARROW: u32 = 50_000;
/// In a time with more events than that, one that was published so long before or after it is left out.
const PUBLISHED_WITHIN: time::Duration = time::Duration::MINUTE;
/// Positions that are looked at in one statement: few at first, for most pages are full soon.
const FIRST_STRETCH: u64 = 1_000;
const LONGEST_STRETCH: u64 = 16_000;
const SHORTEST_STRETCH: u64 = 10;
/// Of more positions than that it is not even tried to count the whole board: they never come to an end in time.
const WHOLE_BOARD: u64 = 1_000_000;
/// Positions that the board is counted over where all are too many.
const BOARD_POSITIONS: u64 = 100_000;
/// Most lines of the board: services publish events of whatever kind and status.
const BOARD_LINES: u32 = 500;

/// Events that a query asks for, newest first; `with_board`: and where records stood at its moment.
///
/// # Errors
/// 403 without `events.read`; 503 where Postgres cannot be reached or is too busy.
pub async fn search(
    snapshot: &mut PgConnection,
    caller: &Caller,
    asked: &EventQuery,
    with_board: bool,
) -> Result<EventPage, Error> {
    caller.require(&Permission::EVENTS_READ)?;
    let head = read_head(snapshot, caller.project()).await?;
    log::limit_statements(snapshot, u32::try_from(PATIENCE.as_millis()).unwrap_or(u32::MAX)).await?;
    let as_of = match asked.as_of {
        None => None,
        Some(Moment::Position(position)) => Some(position.min(head.last)),
        Some(Moment::Time(time)) => Some(log::position_at(snapshot, caller.project(), time).await?),
    };
    let newest = as_of.unwrap_or(head.last);
    let before = asked.before.map_or(newest.next(), |before| before.min(newest.next()));
    let mut search = Search {
        subject: &caller.subject,
        asked,
        found: Vec::new(),
        before,
        started: Instant::now(),
        connection: snapshot,
    };
    let stopped_at = search.run(head).await?;
    let mut events = search.found;
    let rows = asked.rows() as usize;
    let is_full = events.len() > rows;
    events.truncate(rows);
    let next = if is_full { events.last().map(|last| last.position) } else { stopped_at };
    let looked_to = stopped_at.filter(|_| !is_full);
    let board = match as_of.filter(|_| with_board && asked.before.is_none()) {
        Some(through) => Some(board(snapshot, &caller.subject, head, through).await?),
        None => None,
    };
    Ok(EventPage { query: asked.clone(), events, next, looked_to, as_of, board })
}

/// One event.
///
/// # Errors
/// 403 without `events.read`, 404 where there is none that the caller may see.
pub async fn find(state: &AppState, caller: &Caller, id: EventId) -> Result<Envelope, Error> {
    caller.require(&Permission::EVENTS_READ)?;
    let event = state.log.find(caller.project(), id).await?;
    let event = event.filter(|event| visible(&event.routing, &caller.subject));
    event.map(|event| event.envelope).ok_or_else(|| Error::NotFound(format!("event `{id}`")))
}

/// A search on its way.
struct Search<'a> {
    subject: &'a Subject,
    asked: &'a EventQuery,
    /// Newest first.
    found: Vec<Envelope>,
    /// Everything at or above it was looked at.
    before: Position,
    started: Instant,
    connection: &'a mut PgConnection,
}

impl Search<'_> {
    /// Searches until the page is full or the log at its end (`None`), or so far that it stops here.
    async fn run(&mut self, head: StreamHead) -> Result<Option<Position>, Error> {
        let begin = self.before;
        if let Some(source) = self.choose().await? {
            loop {
                match self.read(&source).await? {
                    _ if self.is_full() => return Ok(None),
                    Some(None) => return Ok(None),
                    Some(Some(rest)) if self.started.elapsed() < PATIENCE => self.before = rest,
                    _ => break,
                }
            }
            // What takes too long by its index is looked for as what has none: from what was found last, for
            // where the index had come to may be the place of an event that is not for this reader.
            self.before = self.found.last().map_or(begin, |last| last.position);
            self.started = Instant::now();
        }
        self.walk(head).await
    }

    fn is_full(&self) -> bool {
        self.found.len() > self.asked.rows() as usize
    }

    /// The index that finds what is asked for; `None`: there is none.
    async fn choose(&mut self) -> Result<Option<Source>, Error> {
        let (asked, project) = (self.asked, self.subject.project_id);
        if asked.resource_id.is_some() {
            let named: Vec<String> = asked.resource_types.iter().map(ToString::to_string).collect();
            if !named.is_empty() {
                return Ok(Some(Source::Aggregate(named)));
            }
            let kinds = log::aggregate_types(self.connection, project).await?;
            return Ok(kinds.map(Source::Aggregate));
        }
        if (asked.from.is_some() || asked.to.is_some())
            && log::is_narrow(self.connection, project, asked.from, asked.to, NARROW).await?
        {
            return Ok(Some(Source::Time));
        }
        // Types, actors, business processes, text: an index of them would be paid for by every event that is
        // published, and made that half as fast again.
        Ok(None)
    }

    /// Looks at one position after the other.
    async fn walk(&mut self, head: StreamHead) -> Result<Option<Position>, Error> {
        let project = self.subject.project_id;
        let mut floor = head.oldest.previous();
        if let Some(from) = self.asked.from.and_then(|from| shifted(from, -PUBLISHED_WITHIN)) {
            floor = floor.max(log::position_at(self.connection, project, from).await?);
        }
        if let Some(to) = self.asked.to.and_then(|to| shifted(to, PUBLISHED_WITHIN)) {
            let last = log::position_at(self.connection, project, to).await?;
            self.before = self.before.min(last.next());
        }
        let most = if self.asked.q.is_some() { MOST_PAYLOADS } else { MOST_POSITIONS };
        let (mut looked_at, mut stretch) = (0, FIRST_STRETCH);
        while !self.is_full() && self.before.previous() > floor {
            if looked_at >= most || (looked_at > 0 && self.started.elapsed() >= PATIENCE) {
                return Ok(Some(self.before));
            }
            let length = stretch.min(most - looked_at);
            let from = Position::new(self.before.get().saturating_sub(length)).unwrap_or_default();
            let from = from.max(floor.next());
            let Some(rest) = self.read(&Source::Walk(from)).await? else {
                // Some payloads are large, and some hours busy.
                if stretch <= SHORTEST_STRETCH {
                    return Err(Error::Unavailable("the log cannot be searched in time now"));
                }
                stretch = (stretch / 10).max(SHORTEST_STRETCH);
                continue;
            };
            let now = rest.unwrap_or(from);
            looked_at += self.before.since(now);
            self.before = now;
            stretch = (stretch * 4).min(LONGEST_STRETCH);
        }
        Ok(None)
    }

    /// Reads on in a source; what it has left (`None`: nothing), or `None` where that took too long.
    async fn read(&mut self, source: &Source) -> Result<Option<Option<Position>>, Error> {
        let wanted =
            Wanted { subject: self.subject, query: self.asked, limit: self.asked.rows() as usize + 1 };
        // A statement that is broken off takes its transaction along, but for the part that began here.
        let mut attempt = self.connection.begin().await?;
        match log::read(&mut attempt, wanted, source, self.before).await {
            Ok(batch) => {
                attempt.commit().await?;
                let events = batch.events.into_iter();
                // Asked again, in the program: rows that cannot be read, and text as the browser reads it.
                let events = events.filter(|event| visible(&event.routing, self.subject));
                let events = events.map(|event| event.envelope).filter(|event| self.asked.matches(event));
                self.found.extend(events);
                Ok(Some(batch.rest))
            }
            Err(error) if is_timeout(&error) => {
                attempt.rollback().await?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn shifted(time: Timestamp, by: time::Duration) -> Option<Timestamp> {
    let shifted = time.into_inner().checked_add(by)?;
    (0..=9999).contains(&shifted.year()).then(|| shifted.into())
}

/// Postgres broke a statement off (`query_canceled`).
fn is_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "57014")
}

/// Where records stood: over the whole log where that can be counted in time, and over its last stretch where
/// it cannot.
async fn board(
    connection: &mut PgConnection,
    subject: &Subject,
    head: StreamHead,
    through: Position,
) -> Result<Board, Error> {
    let begin = head.oldest.previous();
    let late = Position::new(through.get().saturating_sub(BOARD_POSITIONS)).unwrap_or_default();
    let stretches = [(begin, false), (late, true)];
    let first = usize::from(through.since(begin) > WHOLE_BOARD);
    for (after, cut_short) in stretches.into_iter().skip(first) {
        let mut attempt = connection.begin().await?;
        match log::board(&mut attempt, subject, after, through, BOARD_LINES).await {
            Ok(lines) => {
                attempt.commit().await?;
                let since = (after > Position::START).then(|| after.next());
                return Ok(Board { counts: counts_of(lines), since, cut_short });
            }
            Err(error) if is_timeout(&error) => attempt.rollback().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Board { counts: Vec::new(), since: Some(through.next()), cut_short: true })
}

fn counts_of(lines: Vec<(String, String, i64)>) -> Vec<StatusCount> {
    let counts = lines.into_iter().filter_map(|(kind, status, records)| {
        Some(StatusCount { aggregate_type: kind.parse().ok()?, status, records: records.unsigned_abs() })
    });
    counts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_at_the_edge_is_left_alone() {
        let time = |text: &str| text.parse::<Timestamp>().expect("a time");
        let minute = time::Duration::MINUTE;
        assert_eq!(shifted(time("9999-12-31T23:59:59Z"), minute), None);
        assert_eq!(shifted(time("2026-11-20T20:00:00Z"), minute), Some(time("2026-11-20T20:01:00Z")));
    }
}
