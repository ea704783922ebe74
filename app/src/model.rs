//! What pages show and forms send. The same types on both sides; camelCase on the wire.

mod access;
mod cursor;
mod overview;
mod settlement;
mod snapshot;
mod theme;
mod user;
mod webhook;

pub use access::{
    AccessChange, ApiKey, AuditEntry, AuditPage, AuditQuery, Changed, Invitation, Organization, People,
    Person, Role, Session,
};
pub use cursor::{ParseCursorError, SettlementCursor};
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
    WebhookDelivery, WebhookDeliveryDetail, WebhookDeliveryState, WebhookPatch,
};
