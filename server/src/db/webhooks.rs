//! The tables of webhooks.

pub mod attempts;
pub mod cursors;
pub mod deliveries;
pub mod endpoints;
pub mod secrets;
