//! The table `comments`: what people wrote about records.

use sqlx::PgConnection;
use tidewatch_events::ProjectId;
use tidewatch_events::id::{CommentId, RecordId};
use tidewatch_events::{Subject, SubjectRef, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use super::visibility::SubjectColumns;
use tidewatch_app::model::Comment;

/// Comments that are shown of a record; the newest are.
const MOST: i64 = 200;

/// A new comment.
#[derive(Debug)]
pub struct NewComment<'a> {
    /// Whose.
    pub project: ProjectId,
    /// Which.
    pub id: CommentId,
    /// About which record.
    pub about: &'a RecordId,
    /// Who wrote it.
    pub actor: &'a str,
    /// What.
    pub text: &'a str,
    /// Whom it is for: as the record.
    pub audience: &'a [SubjectRef],
    /// When.
    pub at: Timestamp,
}

/// Writes a comment.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(connection: &mut PgConnection, new: &NewComment<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into comments (id, project_id, version, about, actor, text, audience, created_at)
         values ($1, $2, 1, $3, $4, $5, $6, $7)",
    )
    .bind(new.id.uuid())
    .bind(new.project.uuid())
    .bind(new.about.to_string())
    .bind(new.actor)
    .bind(new.text)
    .bind(new.audience.iter().map(ToString::to_string).collect::<Vec<_>>())
    .bind(new.at.into_inner())
    .execute(connection)
    .await
    .map(drop)
}

/// The comments about a record that the subject may see, oldest first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn of_record(
    connection: &mut PgConnection,
    subject: &Subject,
    about: &RecordId,
) -> Result<Vec<Comment>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    let rows: Vec<(Uuid, String, String, OffsetDateTime)> = sqlx::query_as(
        "select id, actor, text, created_at from comments
         where project_id = $1 and about = $2 and visible_to('{}', audience, $3, $4)
         order by created_at desc, id desc limit $5",
    )
    .bind(subject.project_id.uuid())
    .bind(about.to_string())
    .bind(held)
    .bind(names)
    .bind(MOST)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .rev()
        .map(|(id, actor, text, created_at)| Comment {
            id: CommentId::from_uuid(id),
            actor,
            text,
            created_at: created_at.into(),
        })
        .collect())
}
