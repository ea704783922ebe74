//! The stream under every live page.
//!
//! ```text
//! browser ──inputs──▶ machine ──effects──▶ transport ──events──▶ feed ──▶ reducer of each page
//! ```
//!
//! [`machine`], [`feed`] and [`reduce`] are pure and hold all decisions. The transport is the one
//! file that touches the browser; on the server its place is taken by one that does nothing.
//! [`use_live`] is what a page calls.

mod client;
pub mod feed;
mod hook;
pub mod machine;
pub mod reduce;
#[cfg(feature = "hydrate")]
mod transport;
#[cfg(not(feature = "hydrate"))]
#[path = "live/transport_on_server.rs"]
mod transport;

pub use client::{Anchor, LiveClient, Pulse, provide_live, use_live_client};
pub use hook::{Live, use_connection, use_live};
