//! The tables of webhooks.

pub mod attempts;
pub mod deliveries;
pub mod endpoints;
pub mod expired;
pub mod listening;
pub mod secrets;
pub mod sending;
