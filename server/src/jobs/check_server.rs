//! A server is checked: by a TCP connection or an HTTP request, again and again.
//!
//! Each check is kept for some days (`server_checks`), and shown on the server's page. The server's record, and so its event, changes only where a check
//! came to another result; a failure opens an incident, and the end of it resolves that.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use tidewatch_events::ProjectId;
use tidewatch_events::access::Actor;
use tidewatch_events::id::{IncidentId, RecordId, ServerId};
use tidewatch_jobs::{Handler, JobContext, JobError, JobPayload, NewJob, enqueue};
use tidewatch_modules::{Domain, Record};
use uuid::Uuid;

use crate::checks::{Checked, Prober};
use crate::commands::Origin;
use crate::commands::records::{Doer, Work};
use crate::db;
use crate::domain::server::CHECK;
use crate::error::Error;
use crate::state::AppState;

/// The server that is to be checked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckServer {
    server_id: ServerId,
    /// Whether this is somebody's wish, beside the checks by the clock.
    #[serde(default)]
    once: bool,
}

impl JobPayload for CheckServer {
    const KIND: &'static str = CHECK;
}

/// Has a server checked now, and by the clock from now on.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn enqueue_check(
    connection: &mut PgConnection,
    project: ProjectId,
    check: CheckServer,
) -> Result<(), Error> {
    let broken = |error: tidewatch_jobs::EnqueueError| Error::Internal(error.to_string());
    let key = check.server_id.to_string();
    let by_the_clock = NewJob::of(&check)?.in_project(project).unique(format!("watch:{key}"));
    if enqueue(connection, by_the_clock).await.map_err(broken)?.is_new() {
        return Ok(());
    }
    // The one by the clock waits for its time.
    let now = CheckServer { once: true, ..check };
    let now = NewJob::of(&now)?.in_project(project).unique(format!("once:{key}")).with_priority(10);
    enqueue(connection, now).await.map(drop).map_err(broken)
}

/// Does these jobs.
pub struct ServerChecker {
    state: AppState,
    prober: Prober,
    actor: Actor,
}

impl ServerChecker {
    /// A checker of this instance.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        Self {
            prober: Prober::new(state.config.check_allowed_networks.clone()),
            state: state.clone(),
            actor: Actor::System("checks".into()),
        }
    }

    fn doer(&self, project: ProjectId) -> Doer<'_> {
        Doer { project, actor: &self.actor, name: "server checks", person: None, subject: None }
    }

    fn domain(&self, name: &str) -> Result<&dyn Domain, JobError> {
        self.state.modules.find(name).ok_or_else(|| JobError::cancel(format!("there is no module {name}")))
    }

    async fn find(&self, project: ProjectId, id: ServerId) -> Result<Option<Record>, JobError> {
        let module = self.domain("servers")?.module();
        let mut snapshot = db::begin_snapshot(&self.state.pool, project).await?;
        Ok(db::records::lock_free(&mut snapshot, module, project, id.uuid()).await?)
    }

    /// Notes a check, and where it came to another result than the one before, what follows.
    async fn report(
        &self,
        job: &JobContext,
        project: ProjectId,
        id: ServerId,
        checked: &Checked,
    ) -> Result<(), Error> {
        let broken = |_| Error::Internal("modules are missing".to_owned());
        let servers = self.domain("servers").map_err(broken)?;
        let origin = Origin {
            request_id: job.id().to_string(),
            correlation_id: Some(job.id().to_string()),
            traceparent: None,
        };
        let mut work = Work::begin(&self.state, self.doer(project), &origin).await?;
        let server = work.lock(servers.module(), id.uuid()).await?;
        db::server_checks::insert(work.connection(), project, id, checked).await?;
        let status = if checked.error.is_none() { "success" } else { "failed" };
        if server.status != status && server.status != "paused" {
            let step = json!({
                "move": "report", "ok": checked.error.is_none(), "latencyMs": checked.latency_ms, "error": checked.error,
            });
            let before = server.status.clone();
            let server = work.make(servers, server, step).await?;
            self.follow(&mut work, &before, &server).await?;
        }
        work.commit().await
    }

    /// A server that fails is an incident, until it does not.
    async fn follow(&self, work: &mut Work<'_>, before: &str, server: &Record) -> Result<(), Error> {
        let broken = |_| Error::Internal("modules are missing".to_owned());
        let incidents = self.domain("incidents").map_err(broken)?;
        let project = work.project();
        let open = db::incidents::unresolved_of(work.connection(), project, &server.id).await?;
        let name = server.text("name").unwrap_or_default();
        if server.status == "failed" && open.is_empty() {
            let title: String = format!("{name} does not answer").chars().take(200).collect();
            let new = json!({
                "title": title, "severity": "high", "source": server.id,
                "description": server.text("error"),
            });
            let id = RecordId::new(IncidentId::PREFIX, Uuid::now_v7());
            work.create(incidents, id, server.organization_id, new).await?;
        }
        if server.status == "success" && before != "success" {
            for incident in open {
                let incident = work.lock(incidents.module(), incident).await?;
                let resolution: Value = format!("{name} answers again").into();
                work.make(incidents, incident, json!({ "move": "resolve", "resolution": resolution }))
                    .await?;
            }
        }
        Ok(())
    }
}

impl Handler for ServerChecker {
    type Payload = CheckServer;

    async fn run(
        &self,
        job: &JobContext,
        CheckServer { server_id, once }: CheckServer,
    ) -> Result<(), JobError> {
        let project = job.project().ok_or_else(|| JobError::cancel("a check is of a project"))?;
        let server = self
            .find(project, server_id)
            .await?
            .filter(|server| server.status != "paused")
            .ok_or_else(|| JobError::cancel("the server is paused, or not there"))?;
        let (kind, address) =
            (server.text("kind").unwrap_or_default(), server.text("address").unwrap_or_default());
        let checked = self.prober.check(kind, address).await;
        self.report(job, project, server_id, &checked)
            .await
            .map_err(|error| JobError::retry(error.to_string()))?;
        if once {
            return Ok(());
        }
        let seconds = server.number("intervalSeconds").unwrap_or(30).unsigned_abs();
        Err(JobError::snooze(Duration::from_secs(seconds)))
    }
}
