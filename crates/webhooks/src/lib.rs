//! Webhooks by the [Standard Webhooks](https://www.standardwebhooks.com) specification 1.0.0: how they are
//! signed, where they may go, how they are sent, and when they are tried again.
//!
//! ```text
//!            Guard::check                         at each connection
//!   URL ─────────────────▶ Url     Sender::send ─────────────────────▶ addresses of the name
//!         scheme, no name          │  signs with every secret            │ each is vetted
//!         or password, literal     │  no redirect, no proxy              ▼
//!         address is vetted        │  5 s to connect, 15 s in all      connection
//!                                  ▼
//!                               Attempt ──▶ Verdict ──▶ schedule::delay_after
//! ```
//!
//! The crate knows neither events nor tables: what is sent, to whom, and what is remembered of it is for its
//! caller.

mod guard;
mod network;
mod outcome;
mod poster;
mod resolver;
pub mod schedule;
mod secret;
mod sender;
mod signature;

pub use guard::{Guard, MAX_URL_LEN, Refusal};
pub use ipnet::IpNet;
pub use outcome::{Attempt, MAX_EXCERPT_BYTES, MAX_RETRY_AFTER, Outcome, Verdict};
pub use poster::{CONNECT_TIMEOUT, Poster, SenderError, TIMEOUT};
pub use secret::{SECRET_PREFIX, SecretError, SigningSecret};
pub use sender::{Message, Sender};
pub use signature::{HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, sign};
