//! The server: composes outbox, hub and dashboard, and adds what is Tidewatch's own business.
//!
//! | module | holds |
//! |---|---|
//! | [`installation`] | what a program is made of: Tidewatch, and the modules that its developers add |
//! | [`config`], [`telemetry`], [`traces`] | how it is started, what it logs and traces |
//! | [`serve`] | starting, running and ending everything in order |
//! | [`access`] | who is asking and what they may |
//! | [`domain`] | pure models and their tables of moves |
//! | [`commands`] | what callers can have done, each in one transaction with its event |
//! | [`queries`] | what callers can ask about access |
//! | [`db`] | the only SQL beside the outbox |
//! | [`stream`] | the hub's history and sink, resume points, SSE and pages of events |
//! | [`presence`] | who is connected, on which instance, to which channels |
//! | [`gateway`] | Socket.IO |
//! | [`walker`] | goes through the log by a cursor and makes something of its events |
//! | [`webhooks`] | endpoints outside that are told of events |
//! | [`notifications`] | what people are told, by rules that make it of events |
//! | [`reads`] | expensive reads, once for all who ask at the same moment |
//! | [`rollups`] | sums over the log by steps of time, for charts and the numbers of a day |
//! | [`witness`] | whether tables and events say the same |
//! | [`jobs`], [`metrics`] | what is done behind requests; what `/metrics` tells |
//! | [`http`] | the HTTP surface, mirroring the URL tree |
//! | [`api_documents`] | the documents that describe it, made of what it runs by |
//! | [`ui`] | the dashboard's port |
//! | [`cli`] | the commands of the binary `tidewatch` |
//! | `testing` | runs and asks a program of one's own, in tests of modules (feature `testing`) |

#![recursion_limit = "256"]

pub mod access;
pub mod api_documents;
pub mod broker;
pub mod checks;
pub mod cli;
pub mod commands;
pub mod config;
pub mod db;
pub mod deliveries;
pub mod doctor;
pub mod domain;
pub mod error;
pub mod gateway;
pub mod http;
pub mod installation;
pub mod jobs;
pub mod metrics;
pub mod notifications;
pub mod presence;
pub mod queries;
pub mod reads;
pub mod rollups;
pub mod serve;
pub mod state;
pub mod stream;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod traces;
pub mod ui;
pub mod walker;
pub mod webhooks;
pub mod witness;

pub use installation::Tidewatch;
