//! The benchmarks of Tidewatch beside their peers. `make bench` builds and runs them; what the rows
//! mean is in `bench/README.md`.
//!
//! ```text
//!  rows ──▶ rounds ──▶ systems ──▶ child        servers under test, one core
//!    │         │          └──▶ publish          HTTP to peers, the outbox to Tidewatch
//!    │         └──▶ measure ──▶ readers         the load generator: one thread, another core
//!    │                 └──▶ process             CPU and memory out of /proc
//!    ├──▶ services                              what the SDK publishes to, over HTTP
//!    ├──▶ queues                                job queues: one process of workers each
//!    ├──▶ pages                                 ten million events, and who opens the pages about them
//!    │    capacity                                what many instances would hold, computed out of the rows
//!    └──▶ report                                records, targets, RESULTS.md
//! ```

pub mod capacity;
pub mod child;
pub mod cli;
pub mod clock;
pub mod context;
pub mod cores;
pub mod event;
pub mod http;
pub mod measure;
pub mod pages;
pub mod peers;
pub mod process;
pub mod publish;
pub mod queues;
pub mod readers;
pub mod report;
pub mod rounds;
pub mod rows;
pub mod scanner;
pub mod services;
pub mod statistics;
pub mod systems;
