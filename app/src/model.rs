//! What pages show and forms send. The same types on both sides; camelCase on the wire.

mod access;
mod change;
mod channel;
mod connection;
mod delivery;
mod event;
mod event_query;
mod event_text;
mod form_answer;
mod job;
mod overview;
mod preference;
mod range;
mod record;
mod server_check;
mod settlement;
mod snapshot;
mod system;
mod trends;
mod user;
mod webhook;
mod witness;

pub use access::{
    ApiKey, AuditEntry, AuditPage, AuditQuery, Invitation, Organization, People, Person, Role, Session,
};
pub use change::{Changed, ProjectChange};
pub use channel::{ChannelDetail, ChannelRow, Channels};
pub use connection::{Connection, ConnectionPage, ConnectionQuery, InstanceCount};
pub use delivery::{DeliveryProof, ProofAcknowledgement, ProofReader, ProofWebhook};
pub use event::{Board, EventPage, StatusCount};
pub use event_query::{EventQuery, Moment, WrongParameter};
pub use event_text::TextSearch;
pub use form_answer::FormAnswer;
pub use job::{Job, JobAction, JobCount, JobPage, JobQuery};
pub use overview::{Overview, Standing, Waiting};
pub use preference::{Density, ParsePreferenceError, Theme};
pub use range::{ParseRangeError, TimeRange};
pub use record::{
    BulkAnswer, BulkAsked, BulkImpact, BulkStarted, Comment, MoveRequest, RecordDetail, RecordPage, Total,
};
pub use server_check::ServerCheck;
pub use settlement::SettlementRow;
pub use snapshot::Snapshot;
pub use system::{DatabaseStatus, InstanceStatus, Partition, Setting, StreamStatus, SystemStatus};
pub use trends::{NetworkVolume, TrendBucket, Trends};
pub use user::{CurrentUser, ModuleLink, OVERVIEW, ProjectLink, SavedView, home};
pub use webhook::{
    DisabledReason, NewWebhook, ParseDeliveryStateError, Webhook, WebhookAttempt, WebhookDeliveries,
    WebhookDelivery, WebhookDeliveryDetail, WebhookDeliveryState, WebhookDetail, WebhookPatch, WebhookQuery,
};
pub use witness::{
    Drift, WitnessModule, WitnessMoney, WitnessOutcome, WitnessPage, WitnessReport, WitnessRun, WitnessTotal,
};
