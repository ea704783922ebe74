//! The dispatcher: finds for each published event the rules that ask for it and may see it, and makes a job for each of
//! them. How the log is gone through is the business of [`crate::walker`].

use sqlx::PgConnection;
use tidewatch_app::model::NotificationCondition;
use tidewatch_events::filter::TypePattern;
use tidewatch_events::id::NotificationRuleId;
use tidewatch_events::{AggregateType, Event, Permission, PermissionSet, Position, ProjectId};
use tidewatch_jobs::{NewJob, enqueue_all};

use super::conditions::all_hold;
use crate::db::cursors::{Cursors, NOTIFICATIONS};
use crate::db::notifications::rules::{self, RuleRow};
use crate::error::Error;
use crate::jobs::notify;
use crate::traces::Traces;
use crate::walker::Walk;

/// Makes jobs of events.
#[derive(Debug)]
pub struct Dispatch {
    /// In whose traces the jobs belong.
    pub traces: Traces,
}

impl Walk for Dispatch {
    const NAME: &'static str = "notifications";
    const CURSORS: Cursors = NOTIFICATIONS;
    type Audience = Vec<Matcher>;

    async fn audience(
        connection: &mut PgConnection,
        project: ProjectId,
    ) -> Result<Option<Vec<Matcher>>, Error> {
        let rules = rules::enabled(connection, project).await?;
        let matchers: Vec<Matcher> = rules.into_iter().map(Matcher::new).collect();
        Ok(Some(matchers).filter(|matchers| !matchers.is_empty()))
    }

    async fn take(
        &self,
        connection: &mut PgConnection,
        project: ProjectId,
        matchers: &Vec<Matcher>,
        events: &[Event],
    ) -> Result<usize, Error> {
        let pairs = events.iter().flat_map(|event| {
            matchers.iter().filter(|rule| rule.asks_for(event)).map(move |rule| (rule, event))
        });
        let jobs: Vec<NewJob> = pairs
            .map(|(rule, event)| {
                let job = notify::new_job(project, rule.id, event.envelope.event_id)?;
                Ok(job.in_trace(self.traces.following(&event.envelope)))
            })
            .collect::<Result<_, serde_json::Error>>()?;
        enqueue_all(connection, &jobs).await.map_err(|error| Error::Internal(error.to_string()))?;
        Ok(jobs.len())
    }
}

/// Which events a rule asks for.
#[derive(Debug)]
pub struct Matcher {
    id: NotificationRuleId,
    types: Vec<TypePattern>,
    conditions: Vec<NotificationCondition>,
    permissions: PermissionSet,
    starts_after: Position,
}

impl Matcher {
    /// That of this rule.
    #[must_use]
    pub fn new(row: RuleRow) -> Self {
        Self {
            id: row.id(),
            types: row.types.iter().filter_map(|pattern| pattern.parse().ok()).collect(),
            permissions: permissions_of(&row.permissions),
            starts_after: u64::try_from(row.starts_after).ok().and_then(Position::new).unwrap_or_default(),
            conditions: row.conditions.0,
        }
    }

    /// Whether this event is one, published since the rule looks.
    #[must_use]
    pub fn asks_for(&self, event: &Event) -> bool {
        event.envelope.position > self.starts_after && self.matches(event)
    }

    /// Whether this event is one, whenever it was published.
    ///
    /// Of its permissions alone: to whom it is addressed is asked of each recipient. Events of notifications never are,
    /// whatever the pattern says: each would make the next one.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        let envelope = &event.envelope;
        envelope.aggregate_type != AggregateType::NOTIFICATION
            && self.types.iter().any(|pattern| pattern.matches(&envelope.event_type))
            && event.routing.permissions.iter().all(|needed| self.permissions.contains(needed))
            && all_hold(&self.conditions, &envelope.payload)
    }
}

/// What a rule lends those whom it tells, to see the event by.
#[must_use]
pub fn permissions_of(names: &[String]) -> PermissionSet {
    names.iter().flat_map(|name| name.parse::<Permission>()).collect()
}
