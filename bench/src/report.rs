//! From samples to `bench/RESULTS.md`.

mod machine;
mod markdown;
mod notes;
mod record;
mod spec;
mod store;

pub use machine::{Machine, commit};
pub use markdown::render;
pub use notes::Notes;
pub use record::Record;
pub use spec::{Check, Column, RowSpec, Target};
pub use store::Store;
