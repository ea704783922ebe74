//! The end of a move for many that did not come to its own: called off, failed for the last time, or lost with its
//! worker. A handler does not see all of these, and none of them for certain; the job's row tells each, so that is what
//! is looked at.

use std::time::Duration;

use serde_json::json;
use sqlx::PgPool;
use tidewatch_events::ProjectId;
use tidewatch_events::access::Actor;
use tidewatch_events::id::{JobId, RecordId};
use tidewatch_modules::Record;
use tokio_util::sync::CancellationToken;

use crate::commands::Origin;
use crate::commands::records::{Doer, Work};
use crate::db;
use crate::db::bulk_moves::EndedJob;
use crate::error::Error;
use crate::state::AppState;

/// How often to look. What is looked at is short, and has an index.
const LOOK: Duration = Duration::from_secs(2);
/// Under which name automations are ended.
const NAME: &str = "jobs";

/// Sees to it until `shutdown` that an automation ends with its job.
pub async fn keep(state: AppState, pool: PgPool, shutdown: CancellationToken) {
    loop {
        if let Err(error) = look(&state, &pool).await {
            tracing::warn!(%error, "cannot end the automations of jobs that have ended; will try again");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

async fn look(state: &AppState, pool: &PgPool) -> Result<(), Error> {
    let mut connection = pool.acquire().await?;
    let jobs = db::bulk_moves::ended(&mut connection).await?;
    let of_job = |job: EndedJob| Some((job.automation.parse::<RecordId>().ok()?.uuid(), job));
    let jobs: Vec<_> = jobs.into_iter().filter_map(of_job).collect();
    if jobs.is_empty() {
        return Ok(());
    }
    let automations: Vec<_> = jobs.iter().map(|(automation, _)| *automation).collect();
    let going_on = db::bulk_moves::going_on(&mut connection, &automations).await?;
    drop(connection);
    for (automation, job) in jobs.iter().filter(|(automation, _)| going_on.contains(automation)) {
        end(state, *automation, job).await?;
    }
    Ok(())
}

async fn end(state: &AppState, automation: uuid::Uuid, job: &EndedJob) -> Result<(), Error> {
    let automations = state
        .modules
        .find("automations")
        .ok_or_else(|| Error::Internal("there is no module automations".to_owned()))?;
    let request_id = JobId::from_uuid(job.id).to_string();
    let origin = Origin { correlation_id: Some(request_id.clone()), request_id, traceparent: None };
    let actor = Actor::System(NAME.into());
    let project = ProjectId::from_uuid(job.project_id);
    let doer = Doer { project, actor: &actor, name: NAME, person: None, subject: None };
    let mut work = Work::begin(state, doer, &origin).await?;
    let run = work.lock(automations.module(), automation).await?;
    // Another instance looks as well.
    if run.status == "started" {
        let error = told(&run, job);
        work.make(automations, run, json!({ "move": "fail", "error": error })).await?;
        work.commit().await?;
    }
    Ok(())
}

/// Why it ended, and what was done until then: that stays done.
fn told(run: &Record, job: &EndedJob) -> String {
    let number = |name| run.number(name).unwrap_or_default();
    let (done, total, skipped) = (number("done"), number("total"), number("skipped"));
    let why = match (job.called_off, &job.error) {
        (true, _) => "Called off".to_owned(),
        (false, Some(error)) => format!("Given up, for {error}"),
        (false, None) => "Given up".to_owned(),
    };
    let why: String = why.replace(char::is_control, " ").chars().take(800).collect();
    let moved = done - skipped;
    format!(
        "{why}. {done} of {total} were dealt with: {moved} moved, {skipped} skipped. The others stand as they did."
    )
}
