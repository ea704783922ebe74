//! The table `invitations`.

use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::Invitation;
use tidewatch_events::id::{InvitationId, OrganizationId};
use tidewatch_events::{ProjectId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(FromRow)]
struct InvitationRow {
    id: Uuid,
    email: String,
    roles: Vec<String>,
    expires_at: OffsetDateTime,
}

impl From<InvitationRow> for Invitation {
    fn from(row: InvitationRow) -> Self {
        Self {
            id: InvitationId::from_uuid(row.id),
            email: row.email,
            roles: row.roles,
            expires_at: Timestamp::from(row.expires_at),
        }
    }
}

/// What is written of an invitation.
#[derive(Debug)]
pub struct NewInvitation<'a> {
    /// Whom it is for.
    pub email: &'a str,
    /// What they will be.
    pub roles: &'a [String],
    /// The organizations that they will belong to.
    pub organizations: &'a [OrganizationId],
    /// Digest of the link's secret.
    pub digest: &'a [u8],
    /// Who asks them.
    pub invited_by: &'a str,
    /// Until when the link counts.
    pub expires_at: OffsetDateTime,
}

/// Open invitations of the project that have not expired, by address.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(connection: &mut PgConnection, project: ProjectId) -> Result<Vec<Invitation>, sqlx::Error> {
    let rows: Vec<InvitationRow> = sqlx::query_as(
        "select id, email, roles, expires_at from invitations
         where project_id = $1 and accepted_at is null and expires_at > now() order by lower(email)",
    )
    .bind(project.uuid())
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Writes an invitation in the place of an older one for the same address.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(
    connection: &mut PgConnection,
    project: ProjectId,
    new: &NewInvitation<'_>,
) -> Result<InvitationId, sqlx::Error> {
    sqlx::query(
        "delete from invitations where project_id = $1 and lower(email) = lower($2) and accepted_at is null",
    )
    .bind(project.uuid())
    .bind(new.email)
    .execute(&mut *connection)
    .await?;
    let id = Uuid::now_v7();
    sqlx::query(
        "insert into invitations (id, project_id, email, roles, organizations, digest, invited_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id)
    .bind(project.uuid())
    .bind(new.email)
    .bind(new.roles)
    .bind(new.organizations.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind(new.digest)
    .bind(new.invited_by)
    .bind(new.expires_at)
    .execute(connection)
    .await?;
    Ok(InvitationId::from_uuid(id))
}

/// Takes an open invitation back; answers with the address that it was for.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn cancel(
    connection: &mut PgConnection,
    project: ProjectId,
    id: InvitationId,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "delete from invitations where project_id = $1 and id = $2 and accepted_at is null returning email",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await
}

/// An invitation as its link opens it.
#[derive(Debug, Clone, FromRow)]
pub struct OpenInvitation {
    /// Which.
    pub id: Uuid,
    /// To which project.
    pub project_id: Uuid,
    /// What that is called in addresses.
    pub project_slug: String,
    /// What it is called.
    pub project_name: String,
    /// Whom it is for.
    pub email: String,
    /// What they will be.
    pub roles: Vec<String>,
    /// The organizations that they will belong to.
    pub organizations: Vec<Uuid>,
}

/// The open invitation with this digest.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_open(
    connection: &mut PgConnection,
    digest: &[u8],
) -> Result<Option<OpenInvitation>, sqlx::Error> {
    sqlx::query_as(
        "select i.id, i.project_id, p.slug as project_slug, p.name as project_name, i.email, i.roles, i.organizations
         from invitations i join projects p on p.id = i.project_id
         where i.digest = $1 and i.accepted_at is null and i.expires_at > now()",
    )
    .bind(digest)
    .fetch_optional(connection)
    .await
}

/// Uses an invitation up; `false` when somebody was faster.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn accept(connection: &mut PgConnection, id: Uuid) -> Result<bool, sqlx::Error> {
    let done =
        sqlx::query("update invitations set accepted_at = now() where id = $1 and accepted_at is null")
            .bind(id)
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}
