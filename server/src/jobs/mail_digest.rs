//! A person's digest goes out: one e-mail of all that they have not read.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use tidewatch_app::model::{DigestInterval, EmailPreference, NotificationSettings};
use tidewatch_events::ProjectId;
use tidewatch_events::id::{JobId, NotificationId, UserId};
use tidewatch_jobs::{Handler, JobContext, JobError, JobPayload, NewJob};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mail_notification::{
    MAX_ATTEMPTS, QUEUE, addressee, no_mail, not_sent, project_of, wait_out_quiet_hours, wanted,
};
use super::note_outside::{WentOut, note};
use crate::db;
use crate::db::notifications::outside::DigestRow;
use crate::db::time_zones::local;
use crate::notifications::outside::letter::{Item, MAX_LISTED};
use crate::notifications::outside::mail::MailError;
use crate::state::AppState;

/// The person whose digest is due.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailDigest {
    user_id: UserId,
}

impl JobPayload for MailDigest {
    const KIND: &'static str = "notification.mail_digest";
}

/// The job that mails a person's digest: of each person there is one at a time.
///
/// # Errors
/// The payload cannot be written as JSON.
pub fn new_job(project: ProjectId, user_id: UserId) -> Result<NewJob, serde_json::Error> {
    let job = NewJob::of(&MailDigest { user_id })?;
    let job = job.in_project(project).in_queue(QUEUE).with_max_attempts(MAX_ATTEMPTS);
    Ok(job.unique(user_id.to_string()))
}

/// Does these jobs.
pub struct DigestMailer {
    state: AppState,
}

impl DigestMailer {
    /// A mailer of this instance.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        Self { state: state.clone() }
    }
}

impl Handler for DigestMailer {
    type Payload = MailDigest;

    async fn run(&self, job: &JobContext, MailDigest { user_id }: MailDigest) -> Result<(), JobError> {
        let project = project_of(job)?;
        let (writer, mailer) = self.state.outside.mail.as_ref().ok_or_else(no_mail)?;
        let pool = &self.state.notifications.pool;
        let mut connection = pool.acquire().await?;
        let settings = db::notifications::settings::find(&mut connection, project, user_id).await?;
        if settings.digest == DigestInterval::Off {
            return Err(JobError::cancel("the person wants no digest any more"));
        }
        wait_out_quiet_hours(&mut connection, &settings).await?;
        // As it is when the e-mail goes out: what came since the digest was due is in it, what was read or is of a type
        // that the person has turned off is not.
        let (ids, items) = contents(&mut connection, project, user_id, &settings).await?;
        if ids.is_empty() {
            return Err(JobError::cancel("all was read, or is not wanted any more, before it was mailed"));
        }
        let to = addressee(&mut connection, project, user_id).await?;
        drop(connection);
        let letter = writer.digest(&to, &items, ids.len(), &letter_id(job.id(), &ids));
        // No connection of the database is held meanwhile.
        let sent = mailer.send(letter).await;
        if let Err(error) = sent {
            if job.is_last_attempt() || matches!(error, MailError::Refused(_)) {
                // It counts as this time's: else it would be due again at the next look, in five minutes, for as long
                // as the notifications are kept.
                let mut connection = pool.acquire().await?;
                db::notifications::outside::note_digest(&mut connection, project, user_id).await?;
            }
            return Err(not_sent(error));
        }
        note(job, pool, project, &WentOut::Digest(user_id, ids)).await?;
        self.state.metrics.notified_outside("digest");
        Ok(())
    }
}

/// What a mailbox knows a digest by. Sent once more, it may have got longer: under the same id, a mailbox that has the
/// shorter one would drop it, and with it what is new in it.
fn letter_id(job: JobId, ids: &[Uuid]) -> String {
    let mut hash = Sha256::new();
    for id in ids {
        hash.update(id);
    }
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hash.finalize());
    format!("{job}.{:016x}", u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}

/// All that a digest is of, and what it lists of that, with the times of the person's zone. What the person does not want
/// any more is left out of this one and of those that follow.
async fn contents(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    settings: &NotificationSettings,
) -> Result<(Vec<Uuid>, Vec<Item>), sqlx::Error> {
    let waiting = db::notifications::outside::digest(connection, project, user).await?;
    let (listed, unwanted): (Vec<_>, Vec<_>) = waiting
        .into_iter()
        .partition(|(_, event_type)| wanted(settings, event_type, false).email != EmailPreference::Off);
    let unwanted: Vec<Uuid> = unwanted.into_iter().map(|(id, _)| id).collect();
    if !unwanted.is_empty() {
        db::notifications::outside::leave_out(connection, project, &unwanted).await?;
    }
    let ids: Vec<Uuid> = listed.into_iter().map(|(id, _)| id).collect();
    let listed = ids.get(..MAX_LISTED).unwrap_or(&ids);
    let rows = db::notifications::outside::listed(connection, project, listed).await?;
    let moments: Vec<OffsetDateTime> = rows.iter().map(|row| row.sent_at).collect();
    let times = local(connection, &settings.time_zone, &moments).await?;
    let items = rows.into_iter().zip(times).map(|(row, sent_at)| {
        let DigestRow { id, title, body, must_acknowledge, .. } = row;
        Item { id: NotificationId::from_uuid(id), title, body, must_acknowledge, sent_at }
    });
    Ok((ids, items.collect()))
}
