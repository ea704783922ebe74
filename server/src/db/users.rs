//! The tables `users` and `memberships`.

use sqlx::{FromRow, PgConnection};
use tidewatch_events::ProjectId;
use tidewatch_events::id::UserId;
use uuid::Uuid;

/// What a login needs of a person. Not serializable, and its Debug hides the hash.
#[derive(FromRow)]
pub struct Credentials {
    /// Who.
    pub id: Uuid,
    /// argon2id in PHC string format.
    pub password_hash: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A person in a project.
#[derive(Debug, Clone, FromRow)]
pub struct Member {
    /// Who.
    pub user_id: Uuid,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// In which project.
    pub project_id: Uuid,
    /// What it is called.
    pub project_name: String,
    /// As what.
    pub roles: Vec<String>,
}

/// The credentials under an address, of a person who is not disabled.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_credentials(
    connection: &mut PgConnection,
    email: &str,
) -> Result<Option<Credentials>, sqlx::Error> {
    sqlx::query_as(
        "select id, password_hash from users where lower(email) = lower($1) and disabled_at is null",
    )
    .bind(email)
    .fetch_optional(connection)
    .await
}

/// The person in the project that they joined first; `None` when disabled or in no project.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_member(connection: &mut PgConnection, user: UserId) -> Result<Option<Member>, sqlx::Error> {
    sqlx::query_as(
        "select u.id as user_id, u.email, u.name, p.id as project_id, p.name as project_name,
                array_agg(m.role order by m.role) as roles
         from users u
         join memberships m on m.user_id = u.id
         join projects p on p.id = m.project_id
         where u.id = $1 and u.disabled_at is null
         group by u.id, p.id
         order by min(m.created_at), p.id limit 1",
    )
    .bind(user.uuid())
    .fetch_optional(connection)
    .await
}

/// Makes the person, or gives the one with this address this name and password.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn ensure(
    connection: &mut PgConnection,
    email: &str,
    name: &str,
    password_hash: &str,
) -> Result<UserId, sqlx::Error> {
    let id: Uuid = sqlx::query_scalar(
        "insert into users (id, email, name, password_hash) values ($1, $2, $3, $4)
         on conflict (lower(email)) do update set name = excluded.name, password_hash = excluded.password_hash
         returning id",
    )
    .bind(Uuid::now_v7())
    .bind(email)
    .bind(name)
    .bind(password_hash)
    .fetch_one(connection)
    .await?;
    Ok(UserId::from_uuid(id))
}

/// Gives the person a role in the project. Idempotent.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn grant_role(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    role: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into memberships (project_id, user_id, role) values ($1, $2, $3) on conflict do nothing",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(role)
    .execute(connection)
    .await
    .map(drop)
}
