//! `tidewatch verify`

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::json;
use sqlx::PgPool;
use tidewatch_app::model::{WitnessModule, WitnessReport};
use tidewatch_events::ProjectId;
use tidewatch_events::money::{Currency, format_minor};

use super::progress::Progress;
use super::say;
use crate::config::DatabaseConfig;
use crate::db;
use crate::domain::Modules;
use crate::serve::connect;
use crate::witness::{self, Witness};

/// The tables and the events do not say the same.
const DRIFT: u8 = 1;
/// It could not be looked at.
const COULD_NOT: u8 = 2;
/// Between two tries while somebody else looks.
const COME_AGAIN: Duration = Duration::from_secs(1);
/// How long to try.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    database: DatabaseConfig,

    /// The project, by its name in addresses; by default all of them
    #[arg(long, env = "TIDEWATCH_PROJECT")]
    project: Option<String>,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// 0: all is as the events say; 1: it is not; 2: it could not be looked at.
pub(super) async fn run(command: Verify, modules: &Modules) -> ExitCode {
    match verify(&command, modules).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => DRIFT.into(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tidewatch: {error:#}");
            COULD_NOT.into()
        }
    }
}

async fn verify(command: &Verify, modules: &Modules) -> anyhow::Result<bool> {
    let pool = connect(&command.database);
    let projects = projects(&pool, command.project.as_deref()).await?;
    if projects.is_empty() && !command.json {
        say(format_args!("There is no project yet, so nothing that could differ."));
    }
    let mut reports = Vec::new();
    for (slug, project) in projects {
        let report = look(&pool, modules, &slug, project)
            .await
            .with_context(|| format!("the project `{slug}` cannot be looked at"))?;
        if !command.json {
            print(&slug, &report);
        }
        reports.push((slug, report));
    }
    if command.json {
        let reports: Vec<_> =
            reports.iter().map(|(slug, report)| json!({ "project": slug, "report": report })).collect();
        say(format_args!("{:#}", json!({ "projects": reports })));
        return Ok(reports.iter().all(|report| report["report"]["driftCount"] == 0));
    }
    Ok(reports.iter().all(|(_, report)| report.is_clean()))
}

async fn projects(pool: &PgPool, slug: Option<&str>) -> anyhow::Result<Vec<(String, ProjectId)>> {
    let mut connection = pool.acquire().await.context("cannot reach Postgres; is DATABASE_URL right?")?;
    let slugs = match slug {
        Some(slug) => vec![slug.to_owned()],
        None => db::projects::list(&mut connection).await?.into_iter().map(|project| project.slug).collect(),
    };
    let mut projects = Vec::new();
    for slug in slugs {
        let id = db::projects::find_by_slug(&mut connection, &slug)
            .await?
            .with_context(|| format!("there is no project `{slug}`"))?;
        projects.push((slug, id));
    }
    Ok(projects)
}

async fn look(
    pool: &PgPool,
    modules: &Modules,
    slug: &str,
    project: ProjectId,
) -> anyhow::Result<WitnessReport> {
    let begin = async {
        loop {
            match Witness::begin(pool, modules, project).await? {
                Some(witness) => return anyhow::Ok(witness),
                None => tokio::time::sleep(COME_AGAIN).await,
            }
        }
    };
    let mut witness = tokio::time::timeout(PATIENCE, begin)
        .await
        .context("somebody else looks at it, or retention is at work")??;
    let mut shown = Progress::new(slug);
    let mut show = |at: witness::Progress<'_>| {
        let witness::Progress { title, done, total, records, events } = at;
        shown.at(done as u64, total as u64, &format!("{title}: {records} records, {events} events"));
    };
    while witness.step(&mut show).await? {}
    Ok(witness.finish().await?)
}

fn print(slug: &str, report: &WitnessReport) {
    say(format_args!("{slug}, as of {} at position {}", report.as_of, report.position));
    say(format_args!(
        "  {:<14} {:>12} {:>12} {:>16} {:>12}",
        "", "records", "events", "beyond retention", "differences"
    ));
    for module in &report.modules {
        let WitnessModule { title, records, events, beyond_retention, drift_count, .. } = module;
        say(format_args!(
            "  {title:<14} {records:>12} {events:>12} {beyond_retention:>16} {drift_count:>12}"
        ));
    }
    for money in &report.money {
        let amount = |minor: i64| match money.currency.parse::<Currency>() {
            Ok(currency) => format_minor(minor, currency),
            Err(_) => minor.to_string(),
        };
        let (debit, sum) = (amount(money.debit_minor), amount(money.sum_minor));
        say(format_args!(
            "  {}: {debit} on {} accounts, which come to {sum}",
            money.currency, money.accounts
        ));
    }
    for drift in report.drifts() {
        say(format_args!("  {} {}: {}", drift.module, drift.id, drift.what));
    }
    let named = u64::try_from(report.drifts().count()).unwrap_or(u64::MAX);
    if report.drift_count > named {
        say(format_args!("  and {} more differences", report.drift_count - named));
    }
    let seconds = Duration::from_millis(report.duration_ms).as_secs_f64();
    say(format_args!("{} ({seconds:.1} s)", crate::witness::run::summary(report)));
}
