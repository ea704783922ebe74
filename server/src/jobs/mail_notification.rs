//! A notification goes out by e-mail, by itself and at once.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidewatch_app::model::{EmailPreference, NotificationPreference, NotificationSettings};
use tidewatch_events::id::{NotificationId, UserId};
use tidewatch_events::{EventType, ProjectId};
use tidewatch_jobs::{Handler, JobContext, JobError, JobPayload, NewJob};
use time::OffsetDateTime;

use super::note_outside::{WentOut, note};
use crate::db;
use crate::db::notifications::outside::OutsideRow;
use crate::db::time_zones::local;
use crate::notifications::outside::letter::{Addressee, Item};
use crate::notifications::outside::mail::MailError;
use crate::notifications::outside::quiet;
use crate::notifications::preferences::of_notification;
use crate::state::AppState;

/// The queue of e-mail, which servers take few at a time: what waits for its turn stays in it, by its priority.
pub const QUEUE: &str = "mail";
/// E-mail that nobody took so often is not sent: the last attempt comes eleven hours after the first.
pub const MAX_ATTEMPTS: u16 = 12;

/// The notification that is to be mailed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailNotification {
    notification_id: NotificationId,
}

impl JobPayload for MailNotification {
    const KIND: &'static str = "notification.mail";
}

/// The job that mails a notification.
///
/// # Errors
/// The payload cannot be written as JSON.
pub fn new_job(project: ProjectId, notification_id: NotificationId) -> Result<NewJob, serde_json::Error> {
    let job = NewJob::of(&MailNotification { notification_id })?;
    let job = job.in_project(project).in_queue(QUEUE).with_max_attempts(MAX_ATTEMPTS);
    Ok(job.unique(notification_id.to_string()))
}

/// Does these jobs.
pub struct NotificationMailer {
    state: AppState,
}

impl NotificationMailer {
    /// A mailer of this instance.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        Self { state: state.clone() }
    }
}

impl Handler for NotificationMailer {
    type Payload = MailNotification;

    async fn run(
        &self,
        job: &JobContext,
        MailNotification { notification_id }: MailNotification,
    ) -> Result<(), JobError> {
        let project = project_of(job)?;
        let (writer, mailer) = self.state.outside.mail.as_ref().ok_or_else(no_mail)?;
        let pool = &self.state.notifications.pool;
        let mut connection = pool.acquire().await?;
        let row = db::notifications::outside::find(&mut connection, project, notification_id).await?;
        let row = row.ok_or_else(|| JobError::cancel("its recipient is not in the project any more"))?;
        let user = UserId::from_uuid(row.user_id);
        let settings = db::notifications::settings::find(&mut connection, project, user).await?;
        check(&row, &settings)?;
        if !row.must_acknowledge {
            wait_out_quiet_hours(&mut connection, &settings).await?;
        }
        let to = addressee(&mut connection, project, user).await?;
        let sent_at = local(&mut connection, &settings.time_zone, &[row.sent_at]).await?;
        drop(connection);
        let item = Item {
            id: notification_id,
            title: row.title,
            body: row.body,
            must_acknowledge: row.must_acknowledge,
            sent_at: sent_at.first().copied().unwrap_or(row.sent_at),
        };
        let letter = writer.instant(&to, &item);
        // No connection of the database is held meanwhile.
        mailer.send(letter).await.map_err(not_sent)?;
        note(job, pool, project, &WentOut::Mail(notification_id)).await?;
        self.state.metrics.notified_outside("instant");
        Ok(())
    }
}

/// Goes on only with what is to be mailed yet.
fn check(row: &OutsideRow, settings: &NotificationSettings) -> Result<(), JobError> {
    if row.is_mailed {
        return Err(JobError::cancel("it was mailed already"));
    }
    if row.is_done {
        return Err(JobError::cancel("it was read, put away or acknowledged before it was mailed"));
    }
    let wanted = wanted(settings, &row.event_type, row.must_acknowledge).email;
    if row.email != EmailPreference::Instant.as_str() || wanted == EmailPreference::Off {
        return Err(JobError::cancel("its recipient does not want it by e-mail any more"));
    }
    Ok(())
}

/// What a person wants, as of now, of a notification of this event type.
#[must_use]
pub fn wanted(
    settings: &NotificationSettings,
    event_type: &str,
    must_acknowledge: bool,
) -> NotificationPreference {
    // Every type that is kept is one.
    let event_type = event_type.parse().unwrap_or(EventType::from_static("notification.sent"));
    of_notification(&settings.preferences, &event_type, must_acknowledge)
}

/// The project that a job is in.
///
/// # Errors
/// It is in none, and is cancelled.
pub fn project_of(job: &JobContext) -> Result<ProjectId, JobError> {
    job.project().ok_or_else(|| JobError::cancel("what goes outside is of a project"))
}

/// What becomes of e-mail where none is sent.
#[must_use]
pub fn no_mail() -> JobError {
    JobError::cancel("this server sends no e-mail (TIDEWATCH_SMTP_URL)")
}

/// Goes on only outside the person's quiet hours.
///
/// # Errors
/// It is one of them: the job comes again when they are over.
pub async fn wait_out_quiet_hours(
    connection: &mut sqlx::PgConnection,
    settings: &NotificationSettings,
) -> Result<(), JobError> {
    match quiet::left(connection, settings, OffsetDateTime::now_utc()).await? {
        Some(left) => Err(JobError::snooze(left.max(Duration::from_secs(1)))),
        None => Ok(()),
    }
}

/// To whom an e-mail goes.
///
/// # Errors
/// They are not in the project any more, or disabled: the job is cancelled.
pub async fn addressee(
    connection: &mut sqlx::PgConnection,
    project: ProjectId,
    user: UserId,
) -> Result<Addressee, JobError> {
    let members = db::users::find_members(connection, std::iter::once((user, project))).await?;
    let member = members.into_iter().next();
    let member = member.ok_or_else(|| JobError::cancel("the person is not in the project any more"))?;
    Ok(Addressee {
        project,
        project_slug: member.project_slug,
        project_name: member.project_name,
        user,
        email: member.email,
        name: member.name,
    })
}

/// What becomes of a job whose e-mail was not sent: it comes again, or is cancelled where the mailbox takes nothing.
#[must_use]
pub fn not_sent(error: MailError) -> JobError {
    match error {
        MailError::Refused(why) => JobError::cancel(why),
        MailError::Failed(why) => JobError::retry(why),
    }
}
