//! What is done behind requests: jobs that are enqueued in the transaction that asks for them
//! ([`tidewatch_jobs`]), and their handlers.

pub mod deliver_webhook;
pub mod revoke_key;

use tidewatch_jobs::{Registry, WorkerOptions};

use crate::state::AppState;

/// Everything that this instance does.
#[must_use]
pub fn registry(state: &AppState) -> Registry {
    Registry::new().with(revoke_key::KeyRevoker::new(state))
}

/// What sends webhooks, in a queue of its own.
#[must_use]
pub fn webhook_registry(state: &AppState) -> Registry {
    Registry::new().with(deliver_webhook::WebhookSender::new(state))
}

/// How the workers of that queue work. They wait for receivers most of the time, so that many have room.
#[must_use]
pub fn webhook_workers() -> WorkerOptions {
    WorkerOptions { queue: deliver_webhook::QUEUE.to_owned(), concurrency: 64, ..WorkerOptions::default() }
}
