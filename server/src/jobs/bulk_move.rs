//! One move for many records: some at a time, each part in one transaction with the note of how far it is. A worker
//! that is lost loses a part that never was; whoever goes on begins behind the last one. Where nobody goes on, the
//! automation is ended ([`end`]).

pub mod end;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use tidewatch_events::ProjectId;
use tidewatch_events::access::Actor;
use tidewatch_events::id::{RecordId, UserId};
use tidewatch_jobs::{Handler, JobContext, JobError, JobPayload, NewJob, enqueue};
use tidewatch_modules::Domain;
use uuid::Uuid;

use crate::commands::Origin;
use crate::commands::records::{Doer, Work};
use crate::error::Error;
use crate::state::AppState;

/// Records of one transaction.
const PART: usize = 25;
/// Which records were skipped is told up to this length: a note takes 1,000 characters, with what else it says.
const NOTE_CHARACTERS: usize = 900;

/// The move, and for whom.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkMove {
    /// The module's name.
    pub module: String,
    /// The automation that tells how far it is.
    pub automation: RecordId,
    /// The records, in the order in which they are moved.
    pub ids: Vec<Uuid>,
    /// The move with its details.
    pub step: Map<String, Value>,
    /// Who asked for it.
    pub actor: Actor,
    /// What they are called.
    pub actor_name: String,
    /// The person behind them, where that can be told.
    #[serde(default)]
    pub person: Option<UserId>,
    /// What all its events have in common.
    pub correlation_id: String,
}

impl JobPayload for BulkMove {
    const KIND: &'static str = "records.bulk_move";
}

impl BulkMove {
    /// Has it done, once the transaction commits, in the trace of this `traceparent`.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn enqueue(
        &self,
        connection: &mut PgConnection,
        project: ProjectId,
        traceparent: Option<String>,
    ) -> Result<(), Error> {
        let job = NewJob::of(self)?.in_project(project).in_trace(traceparent);
        enqueue(connection, job).await.map(drop).map_err(|error| Error::Internal(error.to_string()))
    }
}

/// What a part came to.
enum Part {
    /// So many are done by now.
    Done(usize),
    /// There was nothing left to do.
    Complete,
    /// Somebody has ended the automation.
    Ended,
}

/// Does these jobs.
pub struct BulkMover(AppState);

impl BulkMover {
    /// A mover of this instance.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        Self(state.clone())
    }

    fn domain(&self, name: &str) -> Result<&dyn Domain, Error> {
        self.0.modules.find(name).ok_or_else(|| Error::Internal(format!("there is no module {name}")))
    }

    /// Moves the next part.
    async fn part(&self, project: ProjectId, bulk: &BulkMove, job: &JobContext) -> Result<Part, Error> {
        let automations = self.domain("automations")?;
        let domain = self.domain(&bulk.module)?;
        let origin = Origin {
            request_id: job.id().to_string(),
            correlation_id: Some(bulk.correlation_id.clone()),
            traceparent: job.traceparent().map(ToOwned::to_owned),
        };
        let doer =
            Doer { project, actor: &bulk.actor, name: &bulk.actor_name, person: bulk.person, subject: None };
        let mut work = Work::begin(&self.0, doer, &origin).await?;
        let run = work.lock(automations.module(), bulk.automation.uuid()).await?;
        match run.status.as_str() {
            "started" => {}
            "completed" => return Ok(Part::Complete),
            _ => return Ok(Part::Ended),
        }
        let begin = usize::try_from(run.number("done").unwrap_or_default()).unwrap_or_default();
        let mut skipped = run.number("skipped").unwrap_or_default();
        let mut note = run.text("note").unwrap_or_default().to_owned();
        let end = (begin + PART).min(bulk.ids.len());
        for id in bulk.ids.get(begin..end).unwrap_or_default() {
            let record = work.lock(domain.module(), *id).await?;
            let title = record.title(domain.module());
            match work.attempt(domain, record, Value::Object(bulk.step.clone())).await? {
                Ok(_) => {}
                // It stands elsewhere by now, or this move is not for it.
                Err(error @ (Error::Conflict { .. } | Error::Refused(_) | Error::Fields(_))) => {
                    skipped += 1;
                    note_skipped(&mut note, &title, &error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        let mut progress = json!({ "move": "progress", "done": end, "skipped": skipped });
        if !note.is_empty() {
            progress["note"] = note.clone().into();
        }
        let run = work.make(automations, run, progress).await?;
        if end == bulk.ids.len() {
            let moved = i64::try_from(end).unwrap_or(i64::MAX) - skipped;
            let note = match &*note {
                "" => format!("{moved} moved, {skipped} skipped"),
                which => format!("{moved} moved, {skipped} skipped: {which}"),
            };
            work.make(automations, run, json!({ "move": "complete", "note": note })).await?;
        }
        work.commit().await?;
        Ok(Part::Done(end))
    }
}

/// Adds which record was skipped and why, as long as there is room: the number of all stands beside it.
fn note_skipped(note: &mut String, title: &str, why: &str) {
    const MORE: &str = "; …";
    let one = format!("{title} ({})", why.trim_end_matches('.'));
    let joint = if note.is_empty() { "" } else { "; " };
    if note.ends_with(MORE) {
        return;
    }
    if note.chars().count() + one.chars().count() > NOTE_CHARACTERS {
        note.push_str(if note.is_empty() { "…" } else { MORE });
        return;
    }
    note.push_str(joint);
    note.push_str(&one);
}

impl Handler for BulkMover {
    type Payload = BulkMove;

    async fn run(&self, job: &JobContext, bulk: BulkMove) -> Result<(), JobError> {
        let project = job.project().ok_or_else(|| JobError::cancel("such a move is of a project"))?;
        let total = bulk.ids.len();
        while !job.is_cancelled() {
            let part = self.part(project, &bulk, job).await;
            match part.map_err(|error| JobError::retry(error.to_string()))? {
                Part::Done(done) if done < total => {
                    job.progress(done as u64, total as u64, "records moved");
                }
                Part::Done(_) | Part::Complete => return Ok(()),
                Part::Ended => {
                    return Err(JobError::cancel("its automation has ended: begin the move anew"));
                }
            }
        }
        // Or taken over by another worker, who goes on; then nobody hears this.
        Err(JobError::cancel("called off"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_what_was_skipped_as_long_as_there_is_room() {
        let mut note = String::new();
        note_skipped(&mut note, "INV-1", "It stands at held.");
        note_skipped(&mut note, "INV-2", "It stands at failed.");
        assert_eq!(note, "INV-1 (It stands at held); INV-2 (It stands at failed)");
        for number in 3..1_000 {
            note_skipped(&mut note, &format!("INV-{number}"), "It stands at failed.");
        }
        assert!(note.ends_with("; …") && note.matches('…').count() == 1, "{note}");
        assert!(note.chars().count() <= NOTE_CHARACTERS + 3);
    }
}
