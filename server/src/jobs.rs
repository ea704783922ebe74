//! What is done behind requests: jobs that are enqueued in the transaction that asks for them
//! ([`tidewatch_jobs`]), and their handlers.

pub mod bulk_move;
pub mod check_server;
pub mod deliver_webhook;
pub mod escalate;
pub mod mail_digest;
pub mod mail_notification;
pub mod note_outside;
pub mod notify;
pub mod push_notification;
pub mod revoke_key;
pub mod run_witness;
pub mod send_digests;

use std::sync::Arc;

use serde_json::Value;
use sqlx::PgConnection;
use tidewatch_events::ProjectId;
use tidewatch_jobs::{Registry, Tracer, WorkerOptions};

use crate::error::Error;
use crate::notifications::outside::mail::AT_ONCE;
use crate::state::AppState;

/// No handlers yet: who follows traces is told of what they do.
fn traced(state: &AppState) -> Registry {
    let tracer = state.traces.is_on().then(|| Arc::new(state.traces.clone()) as Arc<dyn Tracer>);
    Registry::new().traced_by(tracer)
}

/// Everything that this instance does.
#[must_use]
pub fn registry(state: &AppState) -> Registry {
    traced(state)
        .with(revoke_key::KeyRevoker::new(state))
        .with(check_server::ServerChecker::new(state))
        .with(bulk_move::BulkMover::new(state))
        .with(run_witness::WitnessRunner::new(state))
        .with(notify::Notifier::new(state))
        .with(escalate::Escalator::new(state))
        .with(send_digests::DigestSender::new(state))
}

/// What sends webhooks, in a queue of its own.
#[must_use]
pub fn webhook_registry(state: &AppState) -> Registry {
    traced(state).with(deliver_webhook::WebhookSender::new(state))
}

/// How the workers of that queue work. They wait for receivers most of the time, so that many have room.
#[must_use]
pub fn webhook_workers() -> WorkerOptions {
    WorkerOptions { queue: deliver_webhook::QUEUE.to_owned(), concurrency: 64, ..WorkerOptions::default() }
}

/// What sends e-mail, in a queue of its own.
#[must_use]
pub fn mail_registry(state: &AppState) -> Registry {
    traced(state)
        .with(mail_notification::NotificationMailer::new(state))
        .with(mail_digest::DigestMailer::new(state))
}

/// How the workers of that queue work: no more than the server of e-mail takes at a time is claimed, so that all else waits
/// in the queue and what is urgent overtakes it.
#[must_use]
pub fn mail_workers() -> WorkerOptions {
    let queue = mail_notification::QUEUE.to_owned();
    WorkerOptions { queue, concurrency: AT_ONCE, ..WorkerOptions::default() }
}

/// What pushes to browsers, in a queue of its own. The release before puts e-mail into it, too, and may yet run.
#[must_use]
pub fn outside_registry(state: &AppState) -> Registry {
    traced(state)
        .with(mail_notification::NotificationMailer::new(state))
        .with(mail_digest::DigestMailer::new(state))
        .with(push_notification::NotificationPusher::new(state))
}

/// How the workers of that queue work: they wait for push services most of the time.
#[must_use]
pub fn outside_workers() -> WorkerOptions {
    WorkerOptions { queue: push_notification::QUEUE.to_owned(), concurrency: 32, ..WorkerOptions::default() }
}

/// Enqueues what a change of a record leads to, in its transaction.
///
/// # Errors
/// There is no job of this kind; Postgres refused or could not be reached.
pub async fn enqueue_effect(
    connection: &mut PgConnection,
    project: ProjectId,
    kind: &str,
    payload: Value,
) -> Result<(), Error> {
    match kind {
        crate::domain::server::CHECK => {
            let check = serde_json::from_value(payload)?;
            check_server::enqueue_check(connection, project, check).await
        }
        other => Err(Error::Internal(format!("there is no job of the kind {other}"))),
    }
}
