//! The tables `users` and `memberships`.

use std::collections::BTreeSet;

use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use tidewatch_events::id::UserId;
use tidewatch_events::{ProjectId, SubjectRef};
use uuid::Uuid;

use crate::access::roles::{BUILT_IN, CustomRole, Reach};

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
    /// What it is called in URLs.
    pub project_slug: String,
    /// What it is called.
    pub project_name: String,
    /// As what.
    pub roles: Vec<String>,
    /// What those of their roles allow that are the project's own.
    pub custom_roles: Json<Vec<CustomRole>>,
    /// The organizations that they belong to there.
    pub organizations: Vec<Uuid>,
}

/// Who is a member of which project, with everything that decides what they may; without those
/// that are disabled.
macro_rules! select_members {
    ($condition:literal) => {
        concat!(
            "select u.id as user_id, u.email, u.name, p.id as project_id, p.slug as project_slug,
                    p.name as project_name,
                    array(select r.role from member_roles r
                          where r.project_id = p.id and r.user_id = u.id order by r.role) as roles,
                    coalesce((select jsonb_agg(jsonb_build_object('name', r.name, 'permissions', r.permissions,
                                                                  'project_wide', r.project_wide))
                              from roles r join member_roles mine on mine.project_id = r.project_id
                                                                 and mine.role = r.name
                              where mine.project_id = p.id and mine.user_id = u.id), '[]') as custom_roles,
                    array(select o.organization_id from organization_members o
                          where o.project_id = p.id and o.user_id = u.id) as organizations
             from users u
             join memberships m on m.user_id = u.id
             join projects p on p.id = m.project_id
             where u.disabled_at is null and m.disabled_at is null and ",
            $condition
        )
    };
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

/// The person in the project with this slug, or in the one that they joined first; `None` when
/// there is no such project, they are not in it, or they are disabled.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_member(
    connection: &mut PgConnection,
    user: UserId,
    project: Option<&str>,
) -> Result<Option<Member>, sqlx::Error> {
    sqlx::query_as(select_members!(
        "u.id = $1 and ($2::text is null or p.slug = $2) order by m.created_at, p.id limit 1"
    ))
    .bind(user.uuid())
    .bind(project)
    .fetch_optional(connection)
    .await
}

/// Those of these people who still are members of these projects, pair by pair.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_members(
    connection: &mut PgConnection,
    pairs: impl Iterator<Item = (UserId, ProjectId)>,
) -> Result<Vec<Member>, sqlx::Error> {
    let (users, projects): (Vec<Uuid>, Vec<Uuid>) =
        pairs.map(|(user, project)| (user.uuid(), project.uuid())).unzip();
    sqlx::query_as(select_members!("(u.id, p.id) in (select * from unnest($1::uuid[], $2::uuid[]))"))
        .bind(users)
        .bind(projects)
        .fetch_all(connection)
        .await
}

/// The members of a project who go by one of these names; with those who might by `role:staff`, which is for the caller
/// to tell. Whom a channel's name stands for is not known here.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_named(
    connection: &mut PgConnection,
    project: ProjectId,
    names: &BTreeSet<SubjectRef>,
) -> Result<Vec<Member>, sqlx::Error> {
    let (mut users, mut organizations, mut roles) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        match name {
            SubjectRef::User(id) => users.push(id.uuid()),
            SubjectRef::Organization(id) => organizations.push(id.uuid()),
            SubjectRef::Role(name) => roles.push(name.clone()),
            SubjectRef::Channel(_) => {}
        }
    }
    let staff = names.contains(&SubjectRef::staff());
    if staff {
        let wide = BUILT_IN.iter().filter(|role| role.reach == Reach::Project);
        roles.extend(wide.map(|role| role.name.to_owned()));
    }
    sqlx::query_as(select_members!(
        "p.id = $1
         and (u.id = any($2)
              or exists (select from organization_members o
                         where o.project_id = p.id and o.user_id = u.id and o.organization_id = any($3))
              or exists (select from member_roles r left join roles own on own.project_id = p.id and own.name = r.role
                         where r.project_id = p.id and r.user_id = u.id
                           and (r.role = any($4) or $5 and own.project_wide)))"
    ))
    .bind(project.uuid())
    .bind(users)
    .bind(organizations)
    .bind(roles)
    .bind(staff)
    .fetch_all(connection)
    .await
}

/// Gives a person another password.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn set_password(
    connection: &mut PgConnection,
    user: UserId,
    password_hash: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("update users set password_hash = $2 where id = $1")
        .bind(user.uuid())
        .bind(password_hash)
        .execute(connection)
        .await
        .map(drop)
}

/// Keeps a person out of all projects, or lets them in again; `None` when there is nobody at this
/// address.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn set_disabled(
    connection: &mut PgConnection,
    email: &str,
    disabled: bool,
) -> Result<Option<UserId>, sqlx::Error> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "update users set disabled_at = case when $2 then coalesce(disabled_at, now()) end
         where lower(email) = lower($1) returning id",
    )
    .bind(email)
    .bind(disabled)
    .fetch_optional(connection)
    .await?;
    Ok(id.map(UserId::from_uuid))
}

/// Whether anybody has this address.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_by_email(
    connection: &mut PgConnection,
    email: &str,
) -> Result<Option<UserId>, sqlx::Error> {
    let id: Option<Uuid> = sqlx::query_scalar("select id from users where lower(email) = lower($1)")
        .bind(email)
        .fetch_optional(connection)
        .await?;
    Ok(id.map(UserId::from_uuid))
}

/// A person's address.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn email_of(connection: &mut PgConnection, user: UserId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("select email from users where id = $1")
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
    super::people::join(connection, project, user).await?;
    sqlx::query(
        "insert into member_roles (project_id, user_id, role) values ($1, $2, $3) on conflict do nothing",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(role)
    .execute(connection)
    .await
    .map(drop)
}
