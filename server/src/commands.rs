//! What callers can have done: each command is one transaction with its event and its entry in the
//! audit log. The API, the dashboard and the command line all come through here.

pub mod audit;
pub mod change;
pub mod channels;
pub mod connections;
pub mod embed;
pub mod invitation;
pub mod jobs;
pub mod keys;
pub mod notifications;
pub mod password;
pub mod people;
pub mod project;
pub mod publish;
pub mod push;
pub mod records;
pub mod roles;
pub mod saved_views;
pub mod sessions;
pub mod unsubscribe;
pub mod webhooks;
pub mod witness;

use tidewatch_events::{Metadata, Timestamp};
use time::OffsetDateTime;

pub use change::change_project;
pub use saved_views::{forget_view, save_view};

use crate::access::Caller;
use crate::access::credential::Credential;

/// Longest correlation id, in bytes.
const MOST_CORRELATION: usize = 200;

/// Where a command comes from, for the event's metadata and the audit log.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The request, by which the log finds it.
    pub request_id: String,
    /// The business process, as the caller names it.
    pub correlation_id: Option<String>,
    /// The trace (W3C Trace Context).
    pub traceparent: Option<String>,
}

impl Origin {
    /// What belongs together: all that the caller names so, or else all that came of this request.
    #[must_use]
    pub fn correlation(&self) -> Option<String> {
        let request = Some(&self.request_id).filter(|id| !id.is_empty() && id.len() <= MOST_CORRELATION);
        self.correlation_id.as_ref().or(request).cloned()
    }

    fn metadata(self, caller: &Caller) -> Metadata {
        Metadata {
            actor: Some(caller.actor.clone()),
            signed_by: match caller.credential {
                Credential::Embed { signer, .. } => Some(signer.into()),
                _ => None,
            },
            correlation_id: self.correlation(),
            causation_id: None,
            traceparent: self.traceparent,
        }
    }
}

/// Now, in the precision that is kept.
fn now() -> Timestamp {
    OffsetDateTime::now_utc().into()
}
