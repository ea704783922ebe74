//! What a business module is.
//!
//! A module is a kind of record: settlements, payments, incidents. It is described once, by [`Module`]:
//! fields, statuses and the table of moves. API, pages, exports and the simulator read that description,
//! and the description travels with a page's data, so that the browser shows modules it was not compiled
//! with.
//!
//! What a module does is an [`Aggregate`]: how a record is made, and what each move does to it. It is
//! pure; the server writes the record and its event in one transaction.
//!
//! | module | holds |
//! |---|---|
//! | [`module`] | the description: fields, statuses, moves, what is entered |
//! | [`record`] | a record as API, events and pages carry it |
//! | [`query`] | which records a list shows, and in which order: the same rule for Postgres and browser |
//! | [`aggregate`] | what a developer writes: creation and moves |
//! | [`outcome`] | what a move leads to: its event, postings, and what happens to other records |
//! | [`prelude`] | all that a module's file needs, in one line |

pub mod aggregate;
pub mod module;
pub mod outcome;
pub mod prelude;
pub mod query;
pub mod record;
pub mod words;

pub use aggregate::{Aggregate, Context, Domain, MoveError, domain};
pub use module::{Chart, Field, FieldKind, Input, InputKind, Module, MoveRule, Status, Tone};
pub use outcome::{Effect, Outcome, Posting};
pub use query::{Assignee, Cursor, ParseAssigneeError, ParseCursorError, RecordQuery, Sort};
pub use record::Record;
