//! What every handler shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use sqlx::PgPool;
use tidewatch_hub::Hub;
use tidewatch_outbox::{Carrier, Outbox, PublishedLog, RelayStatus};
use tokio::sync::Semaphore;

use crate::access::channel_token::ChannelTokens;
use crate::access::embed_token::EmbedTokens;
use crate::access::publish_limit::PublishLimit;
use crate::access::secret::Digester;
use crate::access::token::Tokens;
use crate::config::ServeConfig;
use crate::deliveries::Deliveries;
use crate::domain::Modules;
use crate::http::detach::Detached;
use crate::metrics::Metrics;
use crate::notifications::Notifications;
use crate::notifications::outside::Outside;
use crate::presence::Presence;
use crate::reads::Reads;
use crate::stream::limits::StreamCounts;
use crate::stream::warden::Warden;
use crate::traces::Traces;
use crate::webhooks::Webhooks;

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Connections for requests: each transaction on one of them sees one project.
    pub pool: PgPool,
    /// Connections that look across projects, for finding out who is asking. No request's own
    /// query runs on one.
    pub access: PgPool,
    /// The business: what kinds of records there are.
    pub modules: Modules,
    /// Begins transactions that record events.
    pub outbox: Outbox,
    /// Published events by position.
    pub log: PublishedLog,
    /// Live fan-out.
    pub hub: Hub,
    /// How many streams are open, and of whom.
    pub stream_counts: StreamCounts,
    /// Streams that have left hyper.
    pub detached: Detached,
    /// Who is connected.
    pub presence: Presence,
    /// Writes down what was given to whom.
    pub deliveries: Deliveries,
    /// Wakes the workers of jobs.
    pub jobs: tidewatch_jobs::Waker,
    /// Sends webhooks.
    pub webhooks: Webhooks,
    /// Makes notifications of events.
    pub notifications: Notifications,
    /// Tells people of them by e-mail and Web Push.
    pub outside: Outside,
    /// What is measured.
    pub metrics: Metrics,
    /// What is traced.
    pub traces: Traces,
    /// Expensive reads, once for all who ask at the same moment.
    pub reads: Reads,
    /// Takes rights from open streams.
    pub warden: Warden,
    /// Digests of secrets.
    pub digester: Digester,
    /// Signs and checks access tokens.
    pub tokens: Tokens,
    /// Signs and checks tokens for private channels.
    pub channel_tokens: ChannelTokens,
    /// Signs and checks tokens for the bell on other sites' pages.
    pub embed_tokens: EmbedTokens,
    /// How many events a second each publisher may publish.
    pub publish_limit: PublishLimit,
    /// How many passwords are hashed at once.
    pub password_hashing: Arc<Semaphore>,
    /// What the relay of this instance does.
    pub relay: Arc<RelayStatus>,
    /// What carries events between instances, where that is not the log alone.
    pub carrier: Option<Carrier>,
    /// Whether this instance takes new work.
    pub readiness: Arc<Readiness>,
    /// How it was started.
    pub config: Arc<ServeConfig>,
    /// Where the dashboard's files are.
    pub leptos_options: LeptosOptions,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos_options.clone()
    }
}

/// Whether this instance takes new work, beside its dependencies.
#[derive(Debug, Default)]
pub struct Readiness {
    leaving: AtomicBool,
    draining: AtomicBool,
}

impl Readiness {
    /// Whoever asks is told from now on to send work elsewhere; what comes all the same is done.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Whether work should be sent elsewhere.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// From now on no new work is taken.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether no new work is taken.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
