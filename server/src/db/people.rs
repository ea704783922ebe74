//! The tables `memberships`, `member_roles` and `organization_members`: who is in a project, and as
//! what.

use std::collections::BTreeMap;

use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::Person;
use tidewatch_events::id::{OrganizationId, UserId};
use tidewatch_events::{ProjectId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

/// What a [`PersonRow`] is read by, up to the condition.
macro_rules! select_people {
    () => {
        "select u.id, u.email, u.name, m.created_at as joined_at,
                m.disabled_at is not null or u.disabled_at is not null as disabled,
                array(select r.role from member_roles r
                      where r.project_id = m.project_id and r.user_id = u.id order by r.role) as roles,
                array(select o.organization_id from organization_members o
                      where o.project_id = m.project_id and o.user_id = u.id
                      order by o.organization_id) as organizations
         from memberships m join users u on u.id = m.user_id"
    };
}

#[derive(FromRow)]
struct PersonRow {
    id: Uuid,
    email: String,
    name: String,
    roles: Vec<String>,
    organizations: Vec<Uuid>,
    disabled: bool,
    joined_at: OffsetDateTime,
}

impl From<PersonRow> for Person {
    fn from(row: PersonRow) -> Self {
        Self {
            id: UserId::from_uuid(row.id),
            email: row.email,
            name: row.name,
            roles: row.roles,
            organizations: row.organizations.into_iter().map(OrganizationId::from_uuid).collect(),
            disabled: row.disabled,
            joined_at: Timestamp::from(row.joined_at),
        }
    }
}

/// The people of a project by name; with `only`, that one alone.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(
    connection: &mut PgConnection,
    project: ProjectId,
    only: Option<UserId>,
) -> Result<Vec<Person>, sqlx::Error> {
    let rows: Vec<PersonRow> = sqlx::query_as(concat!(
        select_people!(),
        " where m.project_id = $1 and ($2::uuid is null or u.id = $2)
         order by lower(u.name), u.id",
    ))
    .bind(project.uuid())
    .bind(only.map(UserId::uuid))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// What these people of a project are called.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn names(
    connection: &mut PgConnection,
    project: ProjectId,
    of: &[UserId],
) -> Result<BTreeMap<UserId, String>, sqlx::Error> {
    if of.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Uuid> = of.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as(
        "select u.id, u.name from memberships m join users u on u.id = m.user_id
         where m.project_id = $1 and u.id = any($2)",
    )
    .bind(project.uuid())
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(by_id(rows))
}

/// Those of a project's people with one of these roles, by name, at most so many.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn with_roles(
    connection: &mut PgConnection,
    project: ProjectId,
    roles: &[String],
    limit: usize,
) -> Result<BTreeMap<UserId, String>, sqlx::Error> {
    let rows = sqlx::query_as(
        "select u.id, u.name from memberships m join users u on u.id = m.user_id
         where m.project_id = $1 and m.disabled_at is null and u.disabled_at is null
           and exists (select from member_roles r
                       where r.project_id = m.project_id and r.user_id = u.id and r.role = any($2))
         order by lower(u.name), u.id limit $3",
    )
    .bind(project.uuid())
    .bind(roles)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    Ok(by_id(rows))
}

fn by_id(rows: Vec<(Uuid, String)>) -> BTreeMap<UserId, String> {
    rows.into_iter().map(|(id, name)| (UserId::from_uuid(id), name)).collect()
}

/// At most `limit` people of a project by name, behind `after`, with each of these words in a name, an address or a role,
/// and of these ids, where there are some.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn page(
    connection: &mut PgConnection,
    project: ProjectId,
    words: &[String],
    ids: &[Uuid],
    after: Option<(UserId, &str)>,
    limit: u32,
) -> Result<Vec<Person>, sqlx::Error> {
    let rows: Vec<PersonRow> = sqlx::query_as(concat!(
        select_people!(),
        " where m.project_id = $1
           and u.id = all($2)
           and not exists (
             select from unnest($3::text[]) word
             where position(word in lower(concat_ws(' ', u.name, u.email))) = 0
               and not exists (select from member_roles r
                               where r.project_id = m.project_id and r.user_id = u.id
                                 and position(word in r.role) > 0))
           and ($4::uuid is null or (lower(u.name), u.id) > (lower($5::text), $4))
         order by lower(u.name), u.id limit $6",
    ))
    .bind(project.uuid())
    .bind(ids)
    .bind(words)
    .bind(after.map(|(id, _)| id.uuid()))
    .bind(after.map(|(_, name)| name))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Holds everybody else's changes to the project's people back until the transaction ends: who
/// counts the remaining administrators must not be overtaken.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock(connection: &mut PgConnection, project: ProjectId) -> Result<(), sqlx::Error> {
    sqlx::query("select pg_advisory_xact_lock(hashtext('tidewatch people'), hashtext($1::text))")
        .bind(project.uuid())
        .execute(connection)
        .await
        .map(drop)
}

/// The version of what changes about a person now; changes of the same person stand in line.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn next_version(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "insert into user_versions (project_id, user_id, version) values ($1, $2, 1)
         on conflict (project_id, user_id) do update set version = user_versions.version + 1
         returning version",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .fetch_one(connection)
    .await
}

/// How many people of the project have a role and are not kept out.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_active(
    connection: &mut PgConnection,
    project: ProjectId,
    role: &str,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select count(*) from member_roles r
         join memberships m on m.project_id = r.project_id and m.user_id = r.user_id
         join users u on u.id = m.user_id
         where r.project_id = $1 and r.role = $2 and m.disabled_at is null and u.disabled_at is null",
    )
    .bind(project.uuid())
    .bind(role)
    .fetch_one(connection)
    .await
}

/// Puts a person into the project, if they are not in it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn join(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into memberships (project_id, user_id) values ($1, $2) on conflict do nothing")
        .bind(project.uuid())
        .bind(user.uuid())
        .execute(connection)
        .await
        .map(drop)
}

/// From now on the person has these roles and organizations, and no others.
///
/// # Errors
/// Postgres refused (an organization of another project) or could not be reached.
pub async fn set(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    roles: &[String],
    organizations: &[OrganizationId],
) -> Result<(), sqlx::Error> {
    let organizations: Vec<Uuid> = organizations.iter().map(|id| id.uuid()).collect();
    sqlx::query("delete from member_roles where project_id = $1 and user_id = $2")
        .bind(project.uuid())
        .bind(user.uuid())
        .execute(&mut *connection)
        .await?;
    sqlx::query("insert into member_roles (project_id, user_id, role) select $1, $2, unnest($3::text[])")
        .bind(project.uuid())
        .bind(user.uuid())
        .bind(roles)
        .execute(&mut *connection)
        .await?;
    sqlx::query("delete from organization_members where project_id = $1 and user_id = $2")
        .bind(project.uuid())
        .bind(user.uuid())
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "insert into organization_members (project_id, user_id, organization_id)
         select $1, $2, unnest($3::uuid[])",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(organizations)
    .execute(connection)
    .await
    .map(drop)
}

/// Keeps a person out of the project, or lets them in again.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn set_disabled(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    disabled: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update memberships set disabled_at = case when $3 then coalesce(disabled_at, now()) end
         where project_id = $1 and user_id = $2",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(disabled)
    .execute(connection)
    .await
    .map(drop)
}

/// Ends a membership, with its roles and organizations.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn remove(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from memberships where project_id = $1 and user_id = $2")
        .bind(project.uuid())
        .bind(user.uuid())
        .execute(connection)
        .await
        .map(drop)
}
