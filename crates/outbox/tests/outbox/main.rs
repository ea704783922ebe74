//! The outbox on a real Postgres, one behaviour a test.
//!
//! Nothing here waits for time: tests meet at barriers, look at Postgres' own lists of locks and
//! sessions, or wait for the condition that they assert.

mod carrier;
mod constraint;
mod fixture;
mod follower;
mod log;
mod order;
mod property;
mod record;
mod relay;
mod retention;
mod transaction;
