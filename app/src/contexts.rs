//! What every component can ask for.

pub mod announcer;
pub mod clock;
pub mod project;
pub mod user;
