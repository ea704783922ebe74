//! The vocabulary that every part of Tidewatch shares.
//!
//! This crate is pure: no I/O, no clock, no randomness. It compiles to WASM, so that the
//! browser filters, orders and deduplicates events by the very code that the server uses.
//!
//! | module | holds |
//! |---|---|
//! | [`id`] | typed ids: a prefix and a UUIDv7 |
//! | [`kind`] | event types and aggregate types |
//! | [`event`] | the envelope, what routes it, and a new event before it is recorded |
//! | [`catalog`] | every built-in event type with its payload |
//! | [`access`] | permissions, subjects, and [`visible`]: the one authorization rule |
//! | [`filter`] | what a reader asked for |
//! | [`position`] | the place of an event in its project's stream, and where a reader starts |
//! | [`seen`], [`backoff`] | what every follower of a stream does: drop repeats, wait after failures |
//! | [`stream`] | what a stream says beside events: `connected`, `heartbeat`, `system_message` |
//! | [`cloudevents`] | the same event as a CloudEvent 1.0 |
//! | [`job`], [`trace`] | where a job stands; where in a trace something happens |
//! | [`money`], [`timestamp`] | amounts in minor units; times in milliseconds UTC |

pub mod access;
pub mod backoff;
pub mod catalog;
pub mod cloudevents;
pub mod event;
pub mod filter;
pub mod id;
pub mod job;
pub mod kind;
pub mod money;
pub mod position;
#[cfg(feature = "schema")]
mod schema;
pub mod seen;
pub mod stream;
pub mod timestamp;
pub mod trace;

pub use access::{Permission, PermissionSet, Subject, SubjectRef, visible};
pub use backoff::Backoff;
pub use catalog::EventPayload;
pub use event::{Channel, Envelope, Event, Metadata, NewEvent, Priority, Routing};
pub use filter::EventFilter;
pub use id::{EventId, ProjectId};
pub use kind::{AggregateType, EventType};
pub use position::{Position, ResumePoint};
pub use seen::Seen;
pub use timestamp::Timestamp;
