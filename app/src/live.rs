//! The stream under every live page.
//!
//! ```text
//!              ┌────────── connection ──────────┐
//! browser ──▶  │ machine ◀─▶ share ◀─▶ other tabs │ ──▶ transport ──events──▶ feed ──▶ reducer of each page
//!              └────────────────────────────────┘
//! ```
//!
//! [`connection`], [`feed`] and [`reduce`] are pure and hold all decisions: the connection's
//! [`machine`] when there is to be a stream, its [`share`] which tab of the browser has it. The
//! transport alone touches the browser; on the server its place is taken by one that does nothing.
//! [`use_live`] is what a page calls.

mod client;
pub mod connection;
pub mod feed;
pub mod heard;
mod held;
mod hook;
pub mod machine;
pub mod reduce;
pub mod share;
#[cfg(test)]
mod testing;
#[cfg(feature = "hydrate")]
mod transport;
#[cfg(not(feature = "hydrate"))]
#[path = "live/transport_on_server.rs"]
mod transport;

pub use client::{Anchor, LiveClient, Pulse, provide_live, use_live_client};
pub use hook::{Live, refetch_after, use_connection, use_live};
