//! An event goes to an endpoint of webhooks: it is signed and sent, and what came of it is noted.
//!
//! A delivery is sent at least once: who is killed between the receiver's answer and the note of it sends it again,
//! under the same `webhook-id`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use tidewatch_app::model::{DisabledReason, WebhookDeliveryState};
use tidewatch_events::access::Actor;
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};
use tidewatch_events::{Envelope, EventId, ProjectId, Timestamp, visible};
use tidewatch_jobs::{Handler, JobContext, JobError, JobPayload, NewJob};
use tidewatch_outbox::{PublishedLog, begin_whole};
use tidewatch_webhooks::schedule::delay_after;
use tidewatch_webhooks::{Attempt, Message, Verdict};
use url::Url;

use crate::access::credential::subject_of_webhook;
use crate::db;
use crate::db::audit::NewAuditEntry;
use crate::db::webhooks::attempts::NewAttempt;
use crate::db::webhooks::sending::{Next, WorkRow};
use crate::db::webhooks::{attempts, deliveries, endpoints, listening, sending};
use crate::metrics::Metrics;
use crate::state::AppState;
use crate::traces::{Span, SpanKind, Traces};
use crate::webhooks::body::{body_of, test_event};
use crate::webhooks::turns::Turns;
use crate::webhooks::{SecretsError, Webhooks};

/// The queue: receivers that take their time hold up nothing but each other.
pub const QUEUE: &str = "webhooks";
/// An endpoint that has taken nothing for so long is disabled.
pub const FAILING_LIMIT: Duration = Duration::from_secs(5 * 24 * 60 * 60);
/// When a job comes again that waited for its turn at its endpoint in vain, in seconds.
const COME_AGAIN: std::ops::Range<f64> = 1.0..3.0;

/// The delivery that is to be sent, in this round.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliverWebhook {
    delivery_id: WebhookDeliveryId,
    #[serde(default)]
    round: i32,
}

impl JobPayload for DeliverWebhook {
    const KIND: &'static str = "webhook.deliver";
}

/// The job that sends a delivery. Each time that somebody has it sent again is a round: what waits of the rounds
/// before finds that out and ends.
///
/// # Errors
/// The payload cannot be written as JSON.
pub fn new_job(
    project: ProjectId,
    delivery_id: WebhookDeliveryId,
    round: i32,
) -> Result<NewJob, serde_json::Error> {
    let key = match round {
        0 => delivery_id.to_string(),
        round => format!("{delivery_id}:{round}"),
    };
    let job = NewJob::of(&DeliverWebhook { delivery_id, round })?;
    Ok(job.in_project(project).in_queue(QUEUE).unique(key))
}

/// Does these jobs.
pub struct WebhookSender {
    log: PublishedLog,
    webhooks: Webhooks,
    traces: Traces,
    turns: Turns,
    metrics: Metrics,
}

/// A delivery that is to be sent.
struct Work {
    id: WebhookDeliveryId,
    endpoint: WebhookId,
    project: ProjectId,
    round: i32,
    row: WorkRow,
}

impl WebhookSender {
    /// A sender of this instance.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        Self {
            log: state.log.clone(),
            webhooks: state.webhooks.clone(),
            traces: state.traces.clone(),
            turns: Turns::default(),
            metrics: state.metrics.clone(),
        }
    }

    /// The delivery, when it is to be sent in this round.
    async fn find(&self, payload: &DeliverWebhook) -> Result<Option<Work>, sqlx::Error> {
        let mut connection = self.webhooks.pool.acquire().await?;
        let row = sending::find_work(&mut connection, payload.delivery_id).await?;
        let Some(row) = row.filter(|row| row.is_pending && row.round == payload.round) else {
            return Ok(None);
        };
        if !row.is_enabled {
            let why = "the endpoint was disabled";
            sending::end(&mut connection, payload.delivery_id, WebhookDeliveryState::Cancelled, why).await?;
            return Ok(None);
        }
        Ok(Some(Work {
            id: payload.delivery_id,
            endpoint: WebhookId::from_uuid(row.endpoint_id),
            project: ProjectId::from_uuid(row.project_id),
            round: row.round,
            row,
        }))
    }

    /// The event, or why it is not sent.
    async fn event_of(
        &self,
        work: &Work,
    ) -> Result<Result<Envelope, (WebhookDeliveryState, &'static str)>, sqlx::Error> {
        let id = EventId::from_uuid(work.row.event_id);
        if work.row.is_test {
            return Ok(Ok(test_event(id, work.endpoint, Timestamp::from(work.row.created_at))));
        }
        let Some(event) = self.log.find(work.project, id).await? else {
            return Ok(Err((WebhookDeliveryState::Failed, "the event is no longer kept")));
        };
        // Asked again: what the endpoint may see can have been changed since the event was dispatched.
        let subject = subject_of_webhook(work.project, &work.row.permissions);
        if visible(&event.routing, &subject) {
            Ok(Ok(event.envelope))
        } else {
            Ok(Err((WebhookDeliveryState::Cancelled, "the endpoint may not see the event any more")))
        }
    }

    /// The span of an attempt. Its URL may hold a token: of it, the server is said.
    fn span(&self, job: &JobContext, work: &Work) -> Option<Span> {
        let mut span = self.traces.child_of(job.traceparent(), SpanKind::Client, "POST")?;
        span.set("http.request.method", "POST");
        if let Ok(url) = Url::parse(&work.row.url) {
            span.set("server.address", url.host_str().unwrap_or_default())
                .set("server.port", url.port_or_known_default().unwrap_or_default());
        }
        Some(span)
    }

    async fn end(
        &self,
        id: WebhookDeliveryId,
        state: WebhookDeliveryState,
        why: &str,
    ) -> Result<(), sqlx::Error> {
        sending::end(&mut *self.webhooks.pool.acquire().await?, id, state, why).await
    }

    /// Notes what an attempt came to, in one transaction with all that follows from it.
    async fn note(&self, job: &JobContext, work: &Work, attempt: &Attempt) -> Result<(), JobError> {
        let verdict = attempt.outcome.verdict();
        let mut transaction = begin_whole(&self.webhooks.pool, "begin").await?;
        // First the endpoint, then the delivery, as all who lock both.
        if !endpoints::hold(&mut transaction, work.endpoint).await? {
            return Ok(());
        }
        let Some(progress) = sending::lock_progress(&mut transaction, work.id).await? else {
            return Ok(());
        };
        let is_ours = progress.is_pending && progress.round == work.round;
        let tries = progress.tries.unsigned_abs() + 1;
        let next = match verdict {
            // Taken is taken, whoever called it off meanwhile.
            Verdict::Delivered => Next::Ended(WebhookDeliveryState::Delivered),
            _ if !is_ours => Next::AsItIs,
            Verdict::Retry { after } => match delay_after(tries, after, rand::random()) {
                Some(delay) => Next::Again(delay),
                None => Next::Ended(WebhookDeliveryState::Failed),
            },
            Verdict::Gone | Verdict::Refused => Next::Ended(WebhookDeliveryState::Failed),
        };
        let error = (verdict != Verdict::Delivered).then(|| attempt.outcome.to_string());
        let new = NewAttempt {
            number: progress.attempts + 1,
            duration_ms: i32::try_from(attempt.duration.as_millis()).unwrap_or(i32::MAX),
            status: attempt.outcome.status(),
            error: error.as_deref(),
            excerpt: attempt.outcome.excerpt(),
        };
        attempts::insert(&mut transaction, work.project, work.id, &new).await?;
        sending::note_attempt(&mut transaction, work.id, new.status, new.error, next).await?;
        match verdict {
            Verdict::Delivered => listening::note_success(&mut transaction, work.endpoint).await?,
            Verdict::Gone => disable(&mut transaction, work, DisabledReason::Gone).await?,
            Verdict::Retry { .. } | Verdict::Refused => {
                let failing = listening::note_failure(&mut transaction, work.endpoint).await?;
                if failing > FAILING_LIMIT.as_secs_f64() {
                    disable(&mut transaction, work, DisabledReason::Failing).await?;
                }
            }
        }
        let error = error.unwrap_or_default();
        match next {
            Next::Ended(WebhookDeliveryState::Delivered) => {
                job.complete_in(&mut transaction).await?;
                transaction.commit().await?;
                Ok(())
            }
            Next::Again(delay) => {
                transaction.commit().await?;
                Err(JobError::retry_after(delay, error))
            }
            Next::Ended(_) => {
                transaction.commit().await?;
                Err(JobError::cancel(format!("given up after attempt {tries}: {error}")))
            }
            Next::AsItIs => {
                transaction.commit().await?;
                Ok(())
            }
        }
    }
}

impl Handler for WebhookSender {
    type Payload = DeliverWebhook;

    async fn run(&self, job: &JobContext, payload: DeliverWebhook) -> Result<(), JobError> {
        let Some(work) = self.find(&payload).await? else { return Ok(()) };
        let Some(_turn) = self.turns.take(work.endpoint).await else {
            return Err(JobError::snooze(Duration::from_secs_f64(rand::random_range(COME_AGAIN))));
        };
        let event = match self.event_of(&work).await? {
            Ok(event) => event,
            Err((state, why)) => {
                self.end(work.id, state, why).await?;
                return Err(JobError::cancel(why));
            }
        };
        let secrets = self.webhooks.secrets(&mut *self.webhooks.pool.acquire().await?, work.endpoint).await;
        let secrets = match secrets {
            Ok(secrets) => secrets,
            Err(SecretsError::Database(error)) => return Err(error.into()),
            Err(error @ SecretsError::Unreadable) => {
                self.end(work.id, WebhookDeliveryState::Failed, &error.to_string()).await?;
                return Err(JobError::cancel(error.to_string()));
            }
        };
        let id = work.id.to_string();
        let mut span = self.span(job, &work);
        // Who sends it again by hand goes on with the event's own trace.
        let traceparent = span.as_ref().map(|span| span.context().to_string());
        let traceparent =
            traceparent.as_deref().or(job.traceparent()).or(event.metadata.traceparent.as_deref());
        let message = Message { id: &id, secrets: &secrets, body: body_of(&event)?, traceparent };
        // No connection of the database is held meanwhile.
        let attempt = self.webhooks.sender.send(&work.row.url, message).await;
        if let (Some(span), Some(status)) = (&mut span, attempt.outcome.status()) {
            span.set("http.response.status_code", i64::from(status));
        }
        if let Some(span) = span.as_mut().filter(|_| attempt.outcome.verdict() != Verdict::Delivered) {
            span.fail(attempt.outcome.to_string());
        }
        drop(span);
        self.metrics.webhook_attempted(attempt.outcome.verdict());
        self.note(job, &work, &attempt).await
    }
}

/// Disables an endpoint that wants nothing any more, or takes nothing, and calls off what is on its way to it.
async fn disable(
    connection: &mut PgConnection,
    work: &Work,
    reason: DisabledReason,
) -> Result<(), sqlx::Error> {
    if !listening::disable(connection, work.project, work.endpoint, reason).await? {
        return Ok(());
    }
    let called_off =
        deliveries::cancel_pending(connection, work.project, work.endpoint, "the endpoint was disabled")
            .await?;
    tracing::warn!(webhook.id = %work.endpoint, reason = reason.as_str(), called_off, "an endpoint was disabled");
    let entry = NewAuditEntry {
        project: work.project,
        actor: &Actor::System("webhooks".into()).to_string(),
        actor_name: "Webhooks",
        action: "webhook.disable",
        target: &work.endpoint.to_string(),
        target_name: &work.row.url,
        before: Some(json!({ "enabled": true })),
        after: Some(json!({ "enabled": false, "disabledReason": reason })),
        request_id: "",
    };
    db::audit::insert(connection, &entry).await
}
