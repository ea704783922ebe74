//! The business: pure models and their tables of moves. No SQL and no HTTP.

pub mod settlement;
