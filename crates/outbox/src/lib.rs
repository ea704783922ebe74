//! The transactional outbox on Postgres.
//!
//! Business code changes state and [`record`]s a domain event in the same transaction. The
//! [`Relay`], alone by an advisory lock, gives each committed event the next position of its
//! project. Readers know the [`PublishedLog`] only, and only by position: whatever the order of
//! commits, no event ever appears behind a position that was already read.
//!
//! ```text
//!  business transaction            relay (one leader)             every instance
//!  ┌──────────────────┐  commit   ┌───────────────────┐  commit  ┌──────────────┐
//!  │ change a row     │ ────────▶ │ position := next  │ ───────▶ │ Follower     │ ──▶ hub
//!  │ record(event)    │  wake-up  │ published_at := … │ wake-up  │ reads by pos.│
//!  └──────────────────┘  (hint)   └───────────────────┘  (hint)  └──────────────┘
//! ```
//!
//! Wake-ups (`NOTIFY`) are hints: polling alone delivers everything, half a second later.
//! The business transaction itself never notifies, for `NOTIFY` takes a global lock until commit;
//! [`Waker`] does it on a connection of its own, coalesced.
//!
//! Between many processes, one can read the log for all, and a broker carries it to them: [`Carrier`].
//!
//! The crate knows [`tidewatch_events`], a broker as a trait, and Postgres, no HTTP. Its tables are made by the
//! migrations `0003_domain_events.sql`; the connection of the relay must be direct (a session),
//! not through a transaction pooler.

mod carrier;
mod follower;
mod log;
mod record;
mod relay;
pub mod retention;
mod row;
mod trace;
mod transaction;
mod wake;

pub use carrier::Carrier;
pub use follower::{Follower, FollowerConfig, PublishedSink};
pub use log::{LogPage, PublishedLog, StreamHead, read_head};
pub use record::{RecordError, record, record_all};
pub use relay::{FENCED, LEADER_LOCK, Relay, RelayConfig, RelayStatus, Term, lead, publish_pending};
pub use row::{EVENT_COLUMNS, PublishedRow};
pub use trace::{PublishedTrace, Recording, Tracer};
pub use transaction::{Outbox, OutboxTransaction, begin_whole, set_project_statement};
pub use wake::{PUBLISHED_CHANNEL, RECORDED_CHANNEL, Waker};

/// Compiles what the book's chapter on recording shows.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/recording.md")]
struct RecordingChapter;
