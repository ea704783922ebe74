//! The table `notification_rules`.

use std::collections::BTreeMap;

use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::{
    EscalationStep, NewNotificationRule, NotificationAudience, NotificationCondition, NotificationPriority,
    NotificationRule, NotificationTemplate,
};
use tidewatch_events::id::{NotificationRuleId, OrganizationId, UserId};
use tidewatch_events::{Position, ProjectId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::subscriptions::number;

/// Up to here it is counted what a rule has made.
const COUNTED: i64 = 1_000;

/// A rule, with what it may see.
#[derive(Debug, Clone, FromRow)]
pub struct RuleRow {
    id: Uuid,
    version: i64,
    /// What it is called.
    pub name: String,
    /// Of which event types.
    pub types: Vec<String>,
    /// What has to hold.
    pub conditions: Json<Vec<NotificationCondition>>,
    /// Whom it tells.
    pub audience: Json<Vec<NotificationAudience>>,
    /// What it says.
    pub template: Json<NotificationTemplate>,
    priority: String,
    /// Whether somebody has to say that it is done.
    pub must_acknowledge: bool,
    /// Who is told next.
    pub escalation: Json<Vec<EscalationStep>>,
    /// What it may see.
    pub permissions: Vec<String>,
    /// Whether it makes notifications.
    pub enabled: bool,
    /// From where on.
    pub starts_after: i64,
    created_by: String,
    created_at: OffsetDateTime,
    updated_by: String,
    updated_at: OffsetDateTime,
}

impl RuleRow {
    /// Which.
    #[must_use]
    pub const fn id(&self) -> NotificationRuleId {
        NotificationRuleId::from_uuid(self.id)
    }

    /// How urgent what it says is.
    #[must_use]
    pub fn priority(&self) -> NotificationPriority {
        priority(&self.priority)
    }

    /// The rule as callers see it, which has made so many notifications and tells those who are called so.
    #[must_use]
    fn into_rule(self, sent: i64, names: &BTreeMap<String, String>) -> NotificationRule {
        let priority = self.priority();
        let tells = self.audience.iter().map(|one| one.in_words(|id| names.get(id).cloned()));
        NotificationRule {
            tells: tells.collect(),
            id: self.id(),
            version: self.version.unsigned_abs(),
            rule: NewNotificationRule {
                name: self.name,
                types: self.types,
                conditions: self.conditions.0,
                audience: self.audience.0,
                template: self.template.0,
                priority,
                must_acknowledge: self.must_acknowledge,
                escalation: self.escalation.0,
            },
            enabled: self.enabled,
            sent: sent.unsigned_abs(),
            created_by: self.created_by,
            created_at: Timestamp::from(self.created_at),
            updated_by: self.updated_by,
            updated_at: Timestamp::from(self.updated_at),
        }
    }
}

/// The priority that stands in a table; those are the constraint's.
pub(super) fn priority(text: &str) -> NotificationPriority {
    let all = NotificationPriority::ALL;
    all.into_iter().find(|priority| priority.as_str() == text).unwrap_or_default()
}

/// The project's enabled rules.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn enabled(connection: &mut PgConnection, project: ProjectId) -> Result<Vec<RuleRow>, sqlx::Error> {
    sqlx::query_as("select * from notification_rules where project_id = $1 and enabled")
        .bind(project.uuid())
        .fetch_all(connection)
        .await
}

/// A rule of the project.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(
    connection: &mut PgConnection,
    project: ProjectId,
    id: NotificationRuleId,
) -> Result<Option<RuleRow>, sqlx::Error> {
    sqlx::query_as("select * from notification_rules where project_id = $1 and id = $2")
        .bind(project.uuid())
        .bind(id.uuid())
        .fetch_optional(connection)
        .await
}

/// A rule of the project, which stays as it is until the transaction ends.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock(
    connection: &mut PgConnection,
    project: ProjectId,
    id: NotificationRuleId,
) -> Result<Option<RuleRow>, sqlx::Error> {
    sqlx::query_as("select * from notification_rules where project_id = $1 and id = $2 for no key update")
        .bind(project.uuid())
        .bind(id.uuid())
        .fetch_optional(connection)
        .await
}

/// The project's rules by name, each with how many notifications of it are kept, up to 1,000; with `only`, that one
/// alone.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(
    connection: &mut PgConnection,
    project: ProjectId,
    only: Option<NotificationRuleId>,
) -> Result<Vec<NotificationRule>, sqlx::Error> {
    #[derive(FromRow)]
    struct Counted {
        #[sqlx(flatten)]
        rule: RuleRow,
        sent: i64,
    }
    let rows: Vec<Counted> = sqlx::query_as(
        "select r.*, (select count(*) from (select from notifications n where n.rule_id = r.id limit $3) made) as sent
         from notification_rules r
         where project_id = $1 and ($2::uuid is null or id = $2)
         order by lower(name), name",
    )
    .bind(project.uuid())
    .bind(only.map(NotificationRuleId::uuid))
    .bind(COUNTED)
    .fetch_all(&mut *connection)
    .await?;
    let audiences: Vec<&NotificationAudience> =
        rows.iter().flat_map(|row| row.rule.audience.iter()).collect();
    let names = names_of(connection, project, &audiences).await?;
    Ok(rows.into_iter().map(|row| row.rule.into_rule(row.sent, &names)).collect())
}

/// What people and organizations of the project are called, by their ids as text.
async fn names_of(
    connection: &mut PgConnection,
    project: ProjectId,
    audiences: &[&NotificationAudience],
) -> Result<BTreeMap<String, String>, sqlx::Error> {
    let (mut users, mut organizations) = (Vec::new(), Vec::new());
    for audience in audiences {
        match audience {
            NotificationAudience::User { id } => users.push(id.uuid()),
            NotificationAudience::Organization { id } => organizations.push(id.uuid()),
            _ => {}
        }
    }
    let named: Vec<(bool, Uuid, String)> = sqlx::query_as(
        "select true, u.id, u.name from memberships m join users u on u.id = m.user_id
         where m.project_id = $1 and u.id = any($2)
         union all
         select false, id, name from organizations where project_id = $1 and id = any($3)",
    )
    .bind(project.uuid())
    .bind(users)
    .bind(organizations)
    .fetch_all(connection)
    .await?;
    let text = |(is_user, id, name): (bool, Uuid, String)| match is_user {
        true => (UserId::from_uuid(id).to_string(), name),
        false => (OrganizationId::from_uuid(id).to_string(), name),
    };
    Ok(named.into_iter().map(text).collect())
}

/// How many rules the project has. Others who would add one wait until the transaction ends.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_alone(connection: &mut PgConnection, project: ProjectId) -> Result<i64, sqlx::Error> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("notification rules {project}"))
        .execute(&mut *connection)
        .await?;
    sqlx::query_scalar("select count(*) from notification_rules where project_id = $1")
        .bind(project.uuid())
        .fetch_one(connection)
        .await
}

/// Writes a new rule, which looks at what comes behind `starts_after`.
///
/// # Errors
/// Postgres refused (another one has its name) or could not be reached.
pub async fn insert(
    connection: &mut PgConnection,
    project: ProjectId,
    rule: &NewNotificationRule,
    permissions: &[String],
    starts_after: Position,
    created_by: &str,
) -> Result<NotificationRuleId, sqlx::Error> {
    let id = Uuid::now_v7();
    sqlx::query(
        "insert into notification_rules
             (id, project_id, name, types, conditions, audience, template, priority, must_acknowledge, escalation,
              permissions, starts_after, created_by, updated_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, left($13, 320), left($13, 320))",
    )
    .bind(id)
    .bind(project.uuid())
    .bind(&rule.name)
    .bind(&rule.types)
    .bind(Json(&rule.conditions))
    .bind(Json(&rule.audience))
    .bind(Json(&rule.template))
    .bind(rule.priority.as_str())
    .bind(rule.must_acknowledge)
    .bind(Json(&rule.escalation))
    .bind(permissions)
    .bind(number(starts_after))
    .bind(created_by)
    .execute(connection)
    .await?;
    Ok(NotificationRuleId::from_uuid(id))
}

/// What a rule is after a change of it.
#[derive(Debug)]
pub struct RuleChange<'a> {
    /// What it says.
    pub rule: &'a NewNotificationRule,
    /// What it may see.
    pub permissions: &'a [String],
    /// Whether it makes notifications.
    pub enabled: bool,
    /// From where on it looks; `None`: as before.
    pub starts_after: Option<Position>,
    /// Who changes it.
    pub updated_by: &'a str,
}

/// Writes a rule anew, as its next version.
///
/// # Errors
/// Postgres refused (another one has its name) or could not be reached.
pub async fn update(
    connection: &mut PgConnection,
    project: ProjectId,
    id: NotificationRuleId,
    change: &RuleChange<'_>,
) -> Result<(), sqlx::Error> {
    let rule = change.rule;
    sqlx::query(
        "update notification_rules
         set version = version + 1, updated_at = now(), name = $3, types = $4, conditions = $5, audience = $6,
             template = $7, priority = $8, must_acknowledge = $9, escalation = $10, permissions = $11,
             enabled = $12, starts_after = coalesce($13, starts_after), updated_by = left($14, 320)
         where project_id = $1 and id = $2",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .bind(&rule.name)
    .bind(&rule.types)
    .bind(Json(&rule.conditions))
    .bind(Json(&rule.audience))
    .bind(Json(&rule.template))
    .bind(rule.priority.as_str())
    .bind(rule.must_acknowledge)
    .bind(Json(&rule.escalation))
    .bind(change.permissions)
    .bind(change.enabled)
    .bind(change.starts_after.map(number))
    .bind(change.updated_by)
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes a rule; what it has made stays.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete(
    connection: &mut PgConnection,
    project: ProjectId,
    id: NotificationRuleId,
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from notification_rules where project_id = $1 and id = $2")
        .bind(project.uuid())
        .bind(id.uuid())
        .execute(connection)
        .await
        .map(drop)
}
