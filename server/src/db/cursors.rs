//! The tables `webhook_cursors` and `notification_cursors`: how far each project's stream was looked through for its
//! endpoints, or for its rules. A project has a row as long as it has an enabled one.

use sqlx::{AssertSqlSafe, PgConnection};
use tidewatch_events::{Position, ProjectId};
use uuid::Uuid;

use super::subscriptions::number;

/// One of these tables.
#[derive(Debug, Clone, Copy)]
pub struct Cursors {
    /// Put into statements as it is: there are no others than those below.
    table: &'static str,
}

/// How far each project's stream was looked through for its endpoints of webhooks.
pub const WEBHOOKS: Cursors = Cursors { table: "webhook_cursors" };
/// How far each project's stream was looked through for the rules of its notifications.
pub const NOTIFICATIONS: Cursors = Cursors { table: "notification_cursors" };

impl Cursors {
    /// Makes the project's cursor at `head`, where it has none, and keeps it as it is until the transaction ends: what
    /// was not looked through before this is looked through with what this transaction makes.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn ensure(
        self,
        connection: &mut PgConnection,
        project: ProjectId,
        head: Position,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(AssertSqlSafe(format!(
            "insert into {} as cursor (project_id, position) values ($1, $2)
             on conflict (project_id) do update set position = cursor.position",
            self.table
        )))
        .bind(project.uuid())
        .bind(number(head))
        .execute(connection)
        .await
        .map(drop)
    }

    /// Every project that has a cursor, and whether something was published behind it.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn list(self, connection: &mut PgConnection) -> Result<Vec<(ProjectId, bool)>, sqlx::Error> {
        let rows: Vec<(Uuid, bool)> = sqlx::query_as(AssertSqlSafe(format!(
            "select c.project_id, coalesce(s.last_position > c.position, false)
             from {} c left join project_streams s using (project_id)",
            self.table
        )))
        .fetch_all(connection)
        .await?;
        Ok(rows.into_iter().map(|(project, behind)| (ProjectId::from_uuid(project), behind)).collect())
    }

    /// The project's cursor, locked until the transaction ends; `None` when it has none, or somebody else has it
    /// locked, who does what there is to do.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn lock(
        self,
        connection: &mut PgConnection,
        project: ProjectId,
    ) -> Result<Option<Position>, sqlx::Error> {
        let position: Option<i64> = sqlx::query_scalar(AssertSqlSafe(format!(
            "select position from {} where project_id = $1 for update skip locked",
            self.table
        )))
        .bind(project.uuid())
        .fetch_optional(connection)
        .await?;
        Ok(position.map(|position| u64::try_from(position).ok().and_then(Position::new).unwrap_or_default()))
    }

    /// Moves the project's cursor on.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn advance(
        self,
        connection: &mut PgConnection,
        project: ProjectId,
        to: Position,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(AssertSqlSafe(format!("update {} set position = $2 where project_id = $1", self.table)))
            .bind(project.uuid())
            .bind(number(to))
            .execute(connection)
            .await
            .map(drop)
    }

    /// Drops the project's cursor: nobody there wants to be told of anything.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn delete(self, connection: &mut PgConnection, project: ProjectId) -> Result<(), sqlx::Error> {
        sqlx::query(AssertSqlSafe(format!("delete from {} where project_id = $1", self.table)))
            .bind(project.uuid())
            .execute(connection)
            .await
            .map(drop)
    }
}
