//! Server functions: authorize, delegate, return. What they do stands behind the port.
//!
//! `project` is the slug of the project that the call is about; empty: the one that the person
//! joined first.

#![expect(missing_docs, reason = "the server macro makes a public struct of each function's arguments")]

pub mod access;
pub mod events;
pub mod notifications;
pub mod operations;
pub mod overview;
pub mod records;
pub mod servers;
pub mod text;
pub mod user;

pub use access::{
    ChangeProject, change_project, get_people, list_api_keys, list_audit_entries, list_organizations,
    list_sessions,
};
pub use events::{get_event, get_event_deliveries, search_events};
pub use notifications::{
    MoveNotifications, ReadNotifications, SaveNotificationSettings, count_notifications,
    get_event_notifications, get_notification, get_notification_rule, get_notification_settings,
    get_record_notifications, list_notification_rules, list_notifications, move_notifications,
    open_notification,
};
pub use operations::{
    get_job, get_system, get_webhook, get_webhook_delivery, get_witness, list_channels, list_connections,
    list_jobs, list_webhooks,
};
pub use overview::get_overview;
pub use records::{
    CommentOnRecord, CreateRecord, MoveRecord, MoveRecords, comment_on_record, count_moves, create_record,
    get_record, get_record_charts, get_record_deliveries, list_records, move_record, move_records,
};
pub use servers::get_server_checks;
pub use user::{ForgetView, SaveView, forget_view, get_current_user, save_view};
