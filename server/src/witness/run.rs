//! A run of the witness: a record that tells how far it is, a report that is kept, and incidents about what differs.

mod incidents;

use serde_json::{Value, json};
use tidewatch_app::model::{WitnessOutcome, WitnessReport};
use tidewatch_events::ProjectId;
use tidewatch_events::access::Actor;
use tidewatch_events::id::{AutomationId, RecordId};
use tidewatch_modules::Domain;
use uuid::Uuid;

use super::{Progress, Witness};
use crate::commands::Origin;
use crate::commands::records::{Doer, Work};
use crate::db::witness_runs;
use crate::error::Error;
use crate::state::AppState;

/// Under which name the witness acts.
const NAME: &str = "witness";
/// What a run is told when it was lost with its worker.
const LOST: &str = "its worker was lost; the next run looks at everything again";

/// Runs the witness in a project.
pub struct Runner<'a> {
    state: &'a AppState,
    project: ProjectId,
    actor: Actor,
    origin: Origin,
}

/// A run that has begun.
struct Begun {
    run: Uuid,
    automation: RecordId,
}

impl<'a> Runner<'a> {
    /// Of this project; `request_id` is by what the log finds it.
    #[must_use]
    pub fn new(state: &'a AppState, project: ProjectId, request_id: String) -> Self {
        let origin = Origin { correlation_id: Some(request_id.clone()), request_id, traceparent: None };
        Self { state, project, actor: Actor::System(NAME.into()), origin }
    }

    /// Looks at everything, and notes what came of it. `None` when somebody else looks just now.
    ///
    /// # Errors
    /// It could not look, or could not note what it found.
    pub async fn run(
        &self,
        tell: &mut (dyn FnMut(Progress<'_>) + Send),
        is_cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<WitnessOutcome>, Error> {
        let Some(witness) = Witness::begin(&self.state.pool, &self.state.modules, self.project).await? else {
            return Ok(None);
        };
        let begun = self.begin(witness.total()).await?;
        match self.look(witness, &begun, tell, is_cancelled).await {
            Ok(report) => self.settle(&begun, &report).await.map(Some),
            Err(error) => {
                self.state.metrics.witness_ran(WitnessOutcome::Failed, None);
                self.give_up(begun.run, Some(begun.automation.uuid()), &error.to_string()).await?;
                Err(error)
            }
        }
    }

    fn doer(&self) -> Doer<'_> {
        Doer { project: self.project, actor: &self.actor, name: NAME, person: None, subject: None }
    }

    async fn work(&self) -> Result<Work<'_>, Error> {
        Work::begin(self.state, self.doer(), &self.origin).await
    }

    fn domain(&self, name: &str) -> Result<&dyn Domain, Error> {
        self.state.modules.find(name).ok_or_else(|| Error::Internal(format!("there is no module {name}")))
    }

    async fn begin(&self, total: usize) -> Result<Begun, Error> {
        // Whoever began them and is not here any more will not end them: one at a time looks at a project.
        let lost = {
            let mut work = self.work().await?;
            witness_runs::unfinished(work.connection(), self.project).await?
        };
        for (run, automation) in lost {
            self.give_up(run, automation, LOST).await?;
        }
        let mut work = self.work().await?;
        let automation = RecordId::new(AutomationId::PREFIX, Uuid::now_v7());
        let new = json!({
            "name": "Witness: tables against events", "total": total,
            "note": "Every record is rebuilt from its events and compared with its row.",
        });
        work.create(self.domain("automations")?, automation.clone(), None, new).await?;
        let run = Uuid::now_v7();
        // The row that the run refers to stands in this transaction already.
        witness_runs::begin(work.connection(), self.project, run, &automation).await?;
        work.commit().await?;
        Ok(Begun { run, automation })
    }

    async fn look(
        &self,
        mut witness: Witness,
        begun: &Begun,
        tell: &mut (dyn FnMut(Progress<'_>) + Send),
        is_cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<WitnessReport, Error> {
        let total = witness.total();
        for done in 1..=total {
            if is_cancelled() {
                return Err(Error::Refused("somebody called it off".to_owned()));
            }
            witness.step(tell).await?;
            // The last step is told by the end.
            if done < total {
                let step = json!({ "move": "progress", "done": done });
                let mut work = self.work().await?;
                self.move_automation(&mut work, begun.automation.uuid(), step).await?;
                work.commit().await?;
            }
        }
        Ok(witness.finish().await?)
    }

    /// Notes what it found: the record, the report and the incidents commit together.
    async fn settle(&self, begun: &Begun, report: &WitnessReport) -> Result<WitnessOutcome, Error> {
        let outcome = if report.is_clean() { WitnessOutcome::Clean } else { WitnessOutcome::Drift };
        let mut work = self.work().await?;
        let step = json!({ "move": "complete", "note": summary(report) });
        self.move_automation(&mut work, begun.automation.uuid(), step).await?;
        incidents::tell(&mut work, self.domain("incidents")?, &self.state.modules, report).await?;
        let stored = serde_json::to_value(report)?;
        witness_runs::finish(work.connection(), self.project, begun.run, outcome, &stored).await?;
        work.commit().await?;
        self.state.metrics.witness_ran(outcome, Some(report));
        if outcome == WitnessOutcome::Drift {
            tracing::error!(
                project = %self.project, differences = report.drift_count,
                "tables and events do not say the same"
            );
        }
        Ok(outcome)
    }

    async fn give_up(&self, run: Uuid, automation: Option<Uuid>, why: &str) -> Result<(), Error> {
        let mut work = self.work().await?;
        let why: String = why.replace(char::is_control, " ").chars().take(1_000).collect();
        if let Some(automation) = automation {
            self.move_automation(&mut work, automation, json!({ "move": "fail", "error": why })).await?;
        }
        let report = json!({ "error": why });
        witness_runs::finish(work.connection(), self.project, run, WitnessOutcome::Failed, &report).await?;
        work.commit().await
    }

    async fn move_automation(&self, work: &mut Work<'_>, id: Uuid, step: Value) -> Result<(), Error> {
        let domain = self.domain("automations")?;
        let automation = work.lock(domain.module(), id).await?;
        // Somebody has ended the record by hand: it says no more, and the run goes on.
        if automation.status == "started" {
            work.make(domain, automation, step).await?;
        }
        Ok(())
    }
}

/// A report in a sentence.
#[must_use]
pub fn summary(report: &WitnessReport) -> String {
    let (records, events) = (report.records, report.events);
    match report.drift_count {
        0 => format!("{records} records stand as their {events} events say."),
        1 => format!("1 difference between {records} records and {events} events."),
        count => format!("{count} differences between {records} records and {events} events."),
    }
}
