//! The business, pure: one file a module, each with its fields, its table of moves and what they lead to.
//!
//! Money moves between these accounts, a debit counted up and a credit down, so that all together come
//! to zero in each currency:
//!
//! | account | what stands on it |
//! |---|---|
//! | `cash` | captured from customers, not yet paid out to us |
//! | `bank` | on our own account |
//! | `unearned` | paid for what is not delivered yet |
//! | `revenue` | earned by delivered orders |
//! | `receivable` | invoiced, not yet paid |
//! | `services` | earned by invoices |
//! | `payouts` | settled to receivers |

pub mod automation;
pub mod balance;
pub mod incident;
pub mod invoice;
pub mod log;
pub mod order;
pub mod payment;
pub mod registry;
pub mod server;
pub mod settlement;
pub mod ticket;

pub use registry::{Bodies, Modules};
