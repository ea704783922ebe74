//! The job queue on a real Postgres, one behaviour a test.
//!
//! Nothing here waits for time: tests meet at gates, look at Postgres' own lists of locks and sessions, or wait
//! for the condition that they assert.

mod ahead;
mod cancel;
mod enqueue;
mod failure;
mod fixture;
mod list;
mod lost;
mod manage_many;
mod many;
mod order;
mod progress;
mod property;
mod retention;
mod security;
mod shutdown;
mod wake;
