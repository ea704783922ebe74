//! What pages show and forms send. The same types on both sides; camelCase on the wire.

mod access;
mod change;
mod channel;
mod connection;
mod cursor;
mod job;
mod overview;
mod settlement;
mod snapshot;
mod theme;
mod user;
mod webhook;

pub use access::{
    ApiKey, AuditEntry, AuditPage, AuditQuery, Invitation, Organization, People, Person, Role, Session,
};
pub use change::{Changed, ProjectChange};
pub use channel::{ChannelDetail, ChannelRow, Channels};
pub use connection::{Connection, ConnectionPage, ConnectionQuery, InstanceCount};
pub use cursor::{ParseCursorError, SettlementCursor};
pub use job::{Job, JobAction, JobCount, JobPage, JobQuery};
pub use overview::{Overview, Standing};
pub use settlement::{
    AvailableMove, InputKind, MoveInput, MoveRequest, NewSettlement, SettlementDetail, SettlementPage,
    SettlementQuery, SettlementRow,
};
pub use snapshot::Snapshot;
pub use theme::{ParseThemeError, Theme};
pub use user::{CurrentUser, ProjectLink};
pub use webhook::{
    DisabledReason, NewWebhook, ParseDeliveryStateError, Webhook, WebhookAttempt, WebhookDeliveries,
    WebhookDelivery, WebhookDeliveryDetail, WebhookDeliveryState, WebhookDetail, WebhookPatch, WebhookQuery,
};
