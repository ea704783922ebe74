//! Streams of events: what joins hub, log and HTTP.

pub mod batch;
pub mod compress;
pub mod history;
pub mod limits;
pub mod page;
pub mod reach;
pub mod resume;
pub mod sink;
pub mod sse;
pub mod warden;
