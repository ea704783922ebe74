//! An event that a rule asked for becomes a notification: what it says is written, and its audience told, in one
//! transaction with the word that this is done. However often it runs, a rule makes one of an event.

use serde::{Deserialize, Serialize};
use tidewatch_events::id::NotificationRuleId;
use tidewatch_events::{EventId, ProjectId};
use tidewatch_jobs::{Handler, JobContext, JobError, JobPayload, NewJob};

use crate::db::notifications::rules;
use crate::notifications::dispatcher::Matcher;
use crate::notifications::send;
use crate::state::AppState;

/// The rule, and the event.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notify {
    rule_id: NotificationRuleId,
    event_id: EventId,
}

impl JobPayload for Notify {
    const KIND: &'static str = "notification.notify";
}

/// The job that makes a notification of an event by a rule.
///
/// # Errors
/// The payload cannot be written as JSON.
pub fn new_job(
    project: ProjectId,
    rule_id: NotificationRuleId,
    event_id: EventId,
) -> Result<NewJob, serde_json::Error> {
    let key = format!("{rule_id}:{event_id}");
    Ok(NewJob::of(&Notify { rule_id, event_id })?.in_project(project).unique(key))
}

/// Does these jobs.
pub struct Notifier(AppState);

impl Notifier {
    /// A notifier of this instance.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        Self(state.clone())
    }
}

impl Handler for Notifier {
    type Payload = Notify;

    async fn run(&self, job: &JobContext, Notify { rule_id, event_id }: Notify) -> Result<(), JobError> {
        let state = &self.0;
        let project = job.project().ok_or_else(|| JobError::cancel("a notification is of a project"))?;
        let event = state.log.find(project, event_id).await?;
        let event = event.ok_or_else(|| JobError::cancel("the event is no longer kept"))?;
        let mut transaction = state.notifications.outbox.begin(project).await?;
        let rule = rules::find(&mut transaction, project, rule_id).await?;
        let rule = rule.filter(|rule| rule.enabled);
        let rule = rule.ok_or_else(|| JobError::cancel("the rule was disabled or deleted"))?;
        // It may have been changed since the job was made: what it says now is for what it asks for now.
        if !Matcher::new(rule.clone()).asks_for(&event) {
            return Err(JobError::cancel("the rule was changed and asks for this event no more"));
        }
        let sends_email = state.outside.sends_email();
        let told = send::announce(&mut transaction, &rule, &event, job.traceparent(), sends_email).await?;
        job.complete_in(&mut transaction).await?;
        transaction.commit().await?;
        if let Some(told) = told {
            state.metrics.notifications_sent(told);
            // For what leads outside.
            state.jobs.wake_workers();
        }
        Ok(())
    }
}
