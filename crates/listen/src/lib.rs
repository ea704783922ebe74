//! Wake-ups: hints that there is something to do, so that nobody waits for the next poll.
//!
//! ```text
//!  Hint::say ──▶ everybody in this process, at once
//!      │
//!      ▼ coalesced, 200 a second at most
//!  Exchange::run ── NOTIFY ──▶ Postgres ── LISTEN ──▶ Exchange::run of others ──▶ everybody there
//! ```
//!
//! `NOTIFY` inside a business transaction takes a lock of the whole database until commit (measured: it halved
//! the rate of commits). So it is sent here, after the commit, on a connection of its own. Nothing may depend on
//! a hint: while a connection is lost none are told, and whoever waits for one polls as well.
//!
//! The crate knows Postgres and nothing of what it is told about.

mod exchange;
mod hint;
mod pace;

pub use exchange::Exchange;
pub use hint::{Heard, Hint};
