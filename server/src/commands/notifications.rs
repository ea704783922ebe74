//! Notifications: rules are made, changed and deleted, recipients take steps with what they were sent, and say what they
//! want.

pub mod check;
pub mod rules;
pub mod settings;
pub mod steps;
