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
mod notification;
mod notification_group;
mod notification_notation;
mod notification_proof;
mod notification_quiet;
mod notification_rule;
mod notification_settings;
mod notification_settings_form;
mod notification_wishes;
mod notifications_moved;
mod overview;
mod preference;
mod range;
mod record;
mod record_charts;
mod server_check;
mod settlement;
mod snapshot;
mod system;
mod trends;
mod user;
mod webhook;
mod witness;

pub use access::{
    ApiKey, ApiKeyPage, ApiKeyQuery, AuditEntry, AuditPage, AuditQuery, Invitation, Organization, People,
    PeopleQuery, Person, PersonPage, Role, Session,
};
pub use change::{Changed, ProjectChange};
pub use channel::{ChannelDetail, ChannelRow, Channels};
pub use connection::{
    Connection, ConnectionPage, ConnectionQuery, ConnectionSort, InstanceCount, ParseConnectionSortError,
};
pub use delivery::{DeliveryProof, ProofAcknowledgement, ProofReader, ProofWebhook};
pub use event::{Board, EventPage, StatusCount};
pub use event_query::{EventQuery, Moment, WrongParameter};
pub use event_text::TextSearch;
pub use form_answer::FormAnswer;
pub use job::{Job, JobAction, JobCount, JobPage, JobQuery, ManyJobs, ManyJobsMoved};
pub use notification::{
    Destination, Inbox, InboxQuery, Notification, NotificationCount, NotificationFolder,
    NotificationPriority, NotificationStep, ParseFolderError, ParseStepError,
};
pub use notification_group::NotificationGroup;
pub use notification_notation::{NotationError, NotificationNotation};
pub use notification_proof::{NotificationProof, ProofReceipt, ProofTotals};
pub use notification_rule::{
    ConditionOperator, EscalationStep, NewNotificationRule, NotificationAudience, NotificationCondition,
    NotificationRule, NotificationRulePatch, NotificationTemplate,
};
pub use notification_settings::{
    DigestInterval, EmailPreference, NotificationPreference, NotificationSettings, NotificationSettingsPage,
    QuietHours,
};
pub use notification_settings_form::{NotificationSettingsForm, PreferenceRow};
pub use notification_wishes::NotificationWishes;
pub use notifications_moved::NotificationsMoved;
pub use overview::{Overview, Standing, Waiting};
pub use preference::{Density, ParsePreferenceError, Theme};
pub use range::{ParseRangeError, TimeRange};
pub use record::{
    BulkAnswer, BulkAsked, BulkImpact, BulkStarted, Comment, MoveRequest, RecordDetail, RecordPage, Total,
};
pub use record_charts::{EventSteps, RecordCharts, StandingCount};
pub use server_check::ServerCheck;
pub use settlement::SettlementRow;
pub use snapshot::Snapshot;
pub use system::{
    BrokerStatus, DatabaseStatus, InstanceStatus, Partition, RelayLeader, Setting, StreamStatus, SystemStatus,
};
pub use trends::{NetworkVolume, TrendBucket, Trends};
pub use user::{CurrentUser, ModuleLink, NOTIFICATIONS, OVERVIEW, ProjectLink, SavedView, home};
pub use webhook::{
    DisabledReason, NewWebhook, ParseDeliveryStateError, Webhook, WebhookAttempt, WebhookDeliveries,
    WebhookDelivery, WebhookDeliveryDetail, WebhookDeliveryState, WebhookDetail, WebhookPatch, WebhookQuery,
};
pub use witness::{
    Drift, WitnessModule, WitnessMoney, WitnessOutcome, WitnessPage, WitnessReport, WitnessRun, WitnessTotal,
};
