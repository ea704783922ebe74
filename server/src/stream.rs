//! Streams of events: what joins hub, log and HTTP.

pub mod history;
pub mod page;
pub mod resume;
pub mod sink;
pub mod sse;
pub mod warden;
