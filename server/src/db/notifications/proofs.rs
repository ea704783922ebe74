//! What became of the notifications of events, for the staff.

use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::{NotificationProof, ProofReceipt, ProofTotals};
use tidewatch_events::{EventId, ProjectId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::column;

/// Most receipts that are listed of one message.
const MOST_OF_MESSAGE: usize = 200;
/// Most receipts of one answer, where that leaves [`FEWEST_OF_MESSAGE`] to each message.
const MOST_RECEIPTS: usize = 5_000;
/// So many are listed of each message, however many messages there are.
const FEWEST_OF_MESSAGE: usize = 10;

#[derive(FromRow)]
struct MessageRow {
    id: Uuid,
    rule_name: String,
    event_id: Uuid,
    title: String,
    must_acknowledge: bool,
    acknowledged_at: Option<OffsetDateTime>,
    escalates_at: Option<OffsetDateTime>,
    step: i32,
    empty_steps: Vec<i32>,
    sent: i64,
    delivered: i64,
    seen: i64,
    read: i64,
    acknowledged: i64,
}

impl MessageRow {
    const fn totals(&self) -> ProofTotals {
        ProofTotals {
            sent: self.sent.unsigned_abs(),
            delivered: self.delivered.unsigned_abs(),
            seen: self.seen.unsigned_abs(),
            read: self.read.unsigned_abs(),
            acknowledged: self.acknowledged.unsigned_abs(),
        }
    }
}

#[derive(FromRow)]
struct ReceiptRow {
    notification_id: Uuid,
    recipient: String,
    step: i32,
    sent_at: OffsetDateTime,
    delivered_at: Option<OffsetDateTime>,
    seen_at: Option<OffsetDateTime>,
    read_at: Option<OffsetDateTime>,
    acknowledged_at: Option<OffsetDateTime>,
    acknowledged_by_way: Option<String>,
    emailed_at: Option<OffsetDateTime>,
    pushed_at: Option<OffsetDateTime>,
}

impl From<ReceiptRow> for ProofReceipt {
    fn from(row: ReceiptRow) -> Self {
        Self {
            recipient: row.recipient,
            step: row.step.unsigned_abs(),
            sent_at: row.sent_at.into(),
            delivered_at: row.delivered_at.map(Timestamp::from),
            seen_at: row.seen_at.map(Timestamp::from),
            read_at: row.read_at.map(Timestamp::from),
            acknowledged_at: row.acknowledged_at.map(Timestamp::from),
            acknowledged_by_way: row.acknowledged_by_way,
            emailed_at: row.emailed_at.map(Timestamp::from),
            pushed_at: row.pushed_at.map(Timestamp::from),
        }
    }
}

/// What rules made of these events, newest first. Of a message with many recipients some are listed, by turns of each step,
/// first those who acknowledged; all are counted.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn of_events(
    connection: &mut PgConnection,
    project: ProjectId,
    events: &[EventId],
) -> Result<Vec<NotificationProof>, sqlx::Error> {
    let messages: Vec<MessageRow> = sqlx::query_as(
        "select n.id, rule_name, event_id, title, must_acknowledge, acknowledged_at, escalates_at, step,
                told.sent, told.delivered, told.seen, told.read, told.acknowledged,
                array(select taken.step from generate_series(1, n.step) as taken (step)
                      where not exists (select from notification_receipts r
                                        where r.notification_id = n.id and r.step = taken.step)
                      order by taken.step) as empty_steps
         from notifications n cross join lateral (
             select count(*) as sent, count(r.delivered_at) as delivered, count(r.seen_at) as seen,
                    count(r.read_at) as read, count(r.acknowledged_at) as acknowledged
             from notification_receipts r where r.project_id = $1 and r.notification_id = n.id) told
         where project_id = $1 and event_id = any($2) order by position desc, created_at desc, n.id",
    )
    .bind(project.uuid())
    .bind(column(events, |id| id.uuid()))
    .fetch_all(&mut *connection)
    .await?;
    let listed = (MOST_RECEIPTS / messages.len().max(1)).clamp(FEWEST_OF_MESSAGE, MOST_OF_MESSAGE);
    let receipts: Vec<ReceiptRow> = sqlx::query_as(
        // Who is in the project no more cannot be looked up there.
        "with ranked as (
             select r.*, row_number() over (
                        partition by r.notification_id, r.step order by r.acknowledged_at, r.id) as place
             from notification_receipts r where r.project_id = $1 and r.notification_id = any($2)
         ), numbered as (
             select r.*, row_number() over (
                        partition by r.notification_id order by r.place, r.step desc) as number
             from ranked r
         )
         select r.notification_id, coalesce(u.email, 'usr_' || crockford(r.user_id)) as recipient, r.step, r.sent_at,
                r.delivered_at, r.seen_at, r.read_at, r.acknowledged_at, r.acknowledged_by_way, r.emailed_at, r.pushed_at
         from numbered r left join users u on u.id = r.user_id
         where r.number <= $3
         order by r.step, recipient, r.id",
    )
    .bind(project.uuid())
    .bind(column(&messages, |message| message.id))
    .bind(i64::try_from(listed).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let mut proofs: Vec<(Uuid, NotificationProof)> = messages
        .into_iter()
        .map(|message| {
            let totals = message.totals();
            let proof = NotificationProof {
                rule: message.rule_name,
                event_id: EventId::from_uuid(message.event_id),
                title: message.title,
                must_acknowledge: message.must_acknowledge,
                acknowledged_at: message.acknowledged_at.map(Timestamp::from),
                escalates_at: message.escalates_at.map(Timestamp::from),
                step: message.step.unsigned_abs(),
                empty_steps: message.empty_steps.into_iter().map(i32::unsigned_abs).collect(),
                totals,
                receipts: Vec::new(),
            };
            (message.id, proof)
        })
        .collect();
    for row in receipts {
        if let Some((_, proof)) = proofs.iter_mut().find(|(id, _)| *id == row.notification_id) {
            proof.receipts.push(row.into());
        }
    }
    Ok(proofs.into_iter().map(|(_, proof)| proof).collect())
}
