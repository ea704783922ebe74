//! What differs is an incident, until it does not.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tidewatch_app::model::WitnessReport;
use tidewatch_events::id::{IncidentId, RecordId};
use tidewatch_modules::Domain;
use uuid::Uuid;

use crate::commands::records::Work;
use crate::db::witness_runs;
use crate::domain::Modules;
use crate::error::Error;

/// Incidents that one run opens; what is left is one more.
const MOST: usize = 20;
/// What the incident about all that is left is noted as.
const REST: &str = "rest";
/// Characters of a description.
const MOST_TEXT: usize = 10_000;

/// Opens incidents about what differs, and resolves those of the witness about what does not any more.
pub(super) async fn tell(
    work: &mut Work<'_>,
    domain: &dyn Domain,
    modules: &Modules,
    report: &WitnessReport,
) -> Result<(), Error> {
    let project = work.project();
    let unresolved = witness_runs::unresolved_incidents(work.connection(), project).await?;
    let mut known: BTreeSet<&str> = unresolved.iter().map(|(_, about)| about.as_str()).collect();
    let (mut seen, mut left) = (BTreeSet::new(), Vec::new());
    let mut opened = 0;
    for drift in report.drifts() {
        if !seen.insert(drift.id.as_str()) || known.contains(drift.id.as_str()) {
            continue;
        }
        if opened == MOST {
            left.push(drift.id.as_str());
            continue;
        }
        opened += 1;
        let differences: Vec<&str> =
            report.drifts().filter(|other| other.id == drift.id).map(|other| other.what.as_str()).collect();
        let (title, source) = named(modules, &drift.module, &drift.id);
        open(work, domain, &drift.id, title, source, differences.join("\n")).await?;
    }
    let is_whole = report.drift_count == u64::try_from(report.drifts().count()).unwrap_or(u64::MAX);
    if !left.is_empty() {
        if known.insert(REST) {
            let title = format!("{} more records are not as their events say", left.len());
            open(work, domain, REST, title, None, left.join("\n")).await?;
        }
        seen.insert(REST);
    }
    // Of what the report has no room for, it cannot be said that it is right again.
    if is_whole {
        for (incident, about) in &unresolved {
            if !seen.contains(about.as_str()) {
                resolve(work, domain, *incident, about, report).await?;
            }
        }
    }
    Ok(())
}

/// What an incident is called, and the record that it is about, where it is one that has a page.
fn named(modules: &Modules, module: &str, id: &str) -> (String, Option<RecordId>) {
    let record: Option<RecordId> = id.parse().ok();
    let of_module = record.as_ref().and_then(|record| modules.of_prefix(record.prefix()));
    let title = match of_module {
        Some(domain) => format!("The {} {id} is not as its events say", domain.module().one),
        None => format!("{module}: {id} is not as the events say"),
    };
    (title.chars().take(200).collect(), record.filter(|_| of_module.is_some()))
}

async fn open(
    work: &mut Work<'_>,
    domain: &dyn Domain,
    about: &str,
    title: String,
    source: Option<RecordId>,
    description: String,
) -> Result<(), Error> {
    let project = work.project();
    let id = RecordId::new(IncidentId::PREFIX, Uuid::now_v7());
    let description: String = description.chars().take(MOST_TEXT).collect();
    let new = json!({ "title": title, "severity": "critical", "description": description, "source": source });
    work.create(domain, id.clone(), None, new).await?;
    Ok(witness_runs::add_incident(work.connection(), project, &id, about).await?)
}

async fn resolve(
    work: &mut Work<'_>,
    domain: &dyn Domain,
    incident: Uuid,
    about: &str,
    report: &WitnessReport,
) -> Result<(), Error> {
    let incident = work.lock(domain.module(), incident).await?;
    let resolution: Value = match about {
        REST => format!("As of {}, no others are left that are not as their events say.", report.as_of),
        about => format!("As of {}, the table and the events say the same of {about}.", report.as_of),
    }
    .into();
    // Somebody may have resolved it meanwhile.
    if domain.module().moves_from(&incident.status).any(|rule| rule.name == "resolve") {
        work.make(domain, incident, json!({ "move": "resolve", "resolution": resolution })).await?;
    }
    Ok(())
}
