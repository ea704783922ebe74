//! The tables of notifications.

pub mod inbox;
pub mod messages;
pub mod outside;
pub mod proofs;
pub mod receipts;
pub mod rules;
pub mod settings;
