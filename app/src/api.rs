//! Server functions: authorize, delegate, return. What they do stands behind the port.
//!
//! `project` is the slug of the project that the call is about; empty: the one that the person
//! joined first.

#![expect(missing_docs, reason = "the server macro makes a public struct of each function's arguments")]

pub mod access;
pub mod operations;
pub mod overview;
pub mod settlements;
pub mod user;

pub use access::{
    ChangeProject, change_project, get_people, list_api_keys, list_audit_entries, list_organizations,
    list_sessions,
};
pub use operations::{
    get_job, get_webhook, get_webhook_delivery, list_channels, list_connections, list_jobs, list_webhooks,
};
pub use overview::get_overview;
pub use settlements::{
    CreateSettlement, MoveSettlement, create_settlement, get_settlement, list_settlements, move_settlement,
};
pub use user::get_current_user;
