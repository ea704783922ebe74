//! Records of all modules: made, moved, assigned, commented on.

mod bulk;
mod work;

use serde_json::{Map, Value, json};
use tidewatch_events::catalog::access::CommentCreated;
use tidewatch_events::id::{CommentId, OrganizationId, RecordId, UserId};
use tidewatch_events::{NewEvent, Permission, PermissionSet, Position, SubjectRef};
use tidewatch_modules::aggregate::checked_text;
use tidewatch_modules::{Domain, Module, MoveError, Record};
use tidewatch_outbox::read_head;
use uuid::Uuid;

use super::{Origin, now};
use crate::access::Caller;
use crate::db;
use crate::db::comments::NewComment;
use crate::error::Error;
use crate::state::AppState;

pub use bulk::{BULK_LIMIT, Bulk, BulkImpact, Selection, bulk_count, bulk_move};
pub use work::{Doer, Work};

/// A record after a command, with a position of the stream that lies before its last event was published or
/// right behind it: a stream opened `after` it misses nothing that comes later.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The record.
    pub record: Record,
    /// Where to go on from.
    pub position: Position,
}

/// Makes a record.
///
/// # Errors
/// 403 without the module's permission, 422 for fields that will not do, 503 without Postgres.
pub async fn create_record(
    state: &AppState,
    caller: &Caller,
    domain: &dyn Domain,
    mut new: Map<String, Value>,
    origin: &Origin,
) -> Result<Done, Error> {
    let module = domain.module();
    caller.require(&module.act)?;
    let asked = match new.remove("organizationId") {
        None | Some(Value::Null) => None,
        Some(id) => Some(
            serde_json::from_value(id)
                .map_err(|_| Error::field("organizationId", "must be the id of an organization"))?,
        ),
    };
    let organization = choose_organization(caller, asked)?;
    let mut work = Work::begin(state, Doer::from(caller), origin).await?;
    if let Some(organization) = organization
        && !db::organizations::exists(work.connection(), caller.project(), organization).await?
    {
        return Err(Error::field("organizationId", "names no organization of this project"));
    }
    let id = RecordId::new(module.prefix.clone(), Uuid::now_v7());
    let record = work.create(domain, id, organization, Value::Object(new)).await?;
    finish(work, record).await
}

/// The organization that something new belongs to. Staff may say any or none; whoever sees only
/// what is their own must stay within their organizations, or they would make what they cannot see.
fn choose_organization(
    caller: &Caller,
    asked: Option<OrganizationId>,
) -> Result<Option<OrganizationId>, Error> {
    if caller.is_staff() {
        return Ok(asked);
    }
    let mut own = caller.subject.identities.iter().filter_map(|name| match name {
        SubjectRef::Organization(id) => Some(*id),
        SubjectRef::User(_) | SubjectRef::Role(_) | SubjectRef::Channel(_) => None,
    });
    match (asked, own.next(), own.next()) {
        (Some(asked), ..) if caller.subject.identities.contains(&SubjectRef::Organization(asked)) => {
            Ok(Some(asked))
        }
        (Some(_), ..) => Err(Error::field("organizationId", "names no organization of yours")),
        (None, Some(only), None) => Ok(Some(only)),
        (None, None, _) => {
            Err(Error::field("organizationId", "is missing, and you belong to no organization"))
        }
        (None, Some(_), Some(_)) => {
            Err(Error::field("organizationId", "is missing: say for which of your organizations"))
        }
    }
}

/// Makes a move. `step` is the move with its details, tagged by `move`.
///
/// # Errors
/// 403 without the module's permission or the one that the move takes besides, 404 for an unknown record, 409
/// with what is current for a stale version or a move that is not possible from there, 422, 503.
pub async fn move_record(
    state: &AppState,
    caller: &Caller,
    domain: &dyn Domain,
    id: Uuid,
    step: Map<String, Value>,
    expected_version: i64,
    origin: &Origin,
) -> Result<Done, Error> {
    let module = domain.module();
    require_move(caller, module, step.get("move").and_then(Value::as_str).unwrap_or_default())?;
    let mut work = Work::begin(state, Doer::from(caller), origin).await?;
    let record = work.lock(module, id).await?;
    expect_version(caller, module, &record, expected_version)?;
    let record = work.make(domain, record, Value::Object(step)).await?;
    finish(work, record).await
}

/// Says who looks after a record; `None`: nobody.
///
/// # Errors
/// As of [`move_record`]; 422 for somebody who is not in the project, and for records that nobody looks
/// after.
pub async fn assign_record(
    state: &AppState,
    caller: &Caller,
    domain: &dyn Domain,
    id: Uuid,
    assignee: Option<UserId>,
    expected_version: i64,
    origin: &Origin,
) -> Result<Done, Error> {
    let module = domain.module();
    caller.require(&module.act)?;
    if module.moves.is_empty() {
        return Err(Error::field("assignee", format!("nobody looks after {}", module.name)));
    }
    let mut work = Work::begin(state, Doer::from(caller), origin).await?;
    let record = work.lock(module, id).await?;
    expect_version(caller, module, &record, expected_version)?;
    if let Some(person) = assignee
        && db::people::list(work.connection(), caller.project(), Some(person)).await?.is_empty()
    {
        return Err(Error::field("assignee", "is nobody in this project"));
    }
    let record = work.assign(domain, record, assignee).await?;
    finish(work, record).await
}

/// Writes something about a record. Its version stays as it is: who is about to act on it is not disturbed.
///
/// # Errors
/// 403 without the module's permission, 404, 422, 503.
pub async fn comment_on_record(
    state: &AppState,
    caller: &Caller,
    domain: &dyn Domain,
    id: Uuid,
    text: &str,
    origin: &Origin,
) -> Result<CommentId, Error> {
    let module = domain.module();
    caller.require(&module.act)?;
    let text = checked_text("text", text, 4_000).map_err(|error| refused(module, None, None, error))?;
    let mut work = Work::begin(state, Doer::from(caller), origin).await?;
    let record = work.lock(module, id).await?;
    let audience = work.audience_of(domain, &record)?;
    let comment = CommentId::from_uuid(Uuid::now_v7());
    let new = NewComment {
        project: caller.project(),
        id: comment,
        about: &record.id,
        actor: &caller.actor.to_string(),
        text: &text,
        audience: &audience,
        at: now(),
    };
    db::comments::insert(work.connection(), &new).await?;
    let payload = CommentCreated { comment_id: comment, about: record.id.clone(), text: text.clone() };
    let mut event = NewEvent::of(caller.project(), comment, 1, &payload)?;
    event.routing.permissions = [Permission::EVENTS_READ, module.read.clone()].into();
    event.routing.audience = audience.into_iter().collect();
    event.metadata = origin.clone().metadata(caller);
    work.tell(event);
    work.note("comment.create", &record.id, &record.title(module), None, Some(json!({ "text": text })))
        .await?;
    work.commit().await?;
    Ok(comment)
}

/// Goes on only with what the move takes: the module's permission, and where the table asks for one, another.
fn require_move(caller: &Caller, module: &Module, name: &str) -> Result<(), Error> {
    caller.require(&module.act)?;
    match module.rule(name).and_then(|rule| rule.requires.as_ref()) {
        Some(permission) => caller.require(permission),
        None => Ok(()),
    }
}

fn expect_version(caller: &Caller, module: &Module, record: &Record, expected: i64) -> Result<(), Error> {
    if record.version == expected {
        return Ok(());
    }
    let stale = MoveError::StaleVersion { one: module.one.to_string(), expected, current: record.version };
    Err(refused(module, Some(record), Some(&caller.subject.permissions), stale))
}

async fn finish(mut work: Work<'_>, record: Record) -> Result<Done, Error> {
    let project = work.project();
    work.write_events().await?;
    let position = read_head(work.connection(), project).await?.last;
    work.commit().await?;
    Ok(Done { record, position })
}

/// What a caller is told of a move that was not made. Of the moves that are possible they are told those that
/// `held` has room for; `None`: all.
pub(super) fn refused(
    module: &Module,
    current: Option<&Record>,
    held: Option<&PermissionSet>,
    error: MoveError,
) -> Error {
    match (error, current) {
        (error @ (MoveError::StaleVersion { .. } | MoveError::NotAllowed { .. }), Some(current)) => {
            Error::Conflict {
                moves: module
                    .moves_for(&current.status, held.unwrap_or(&PermissionSet::All))
                    .map(|rule| rule.name.to_string())
                    .collect(),
                current: Box::new(current.clone()),
                message: error.to_string(),
            }
        }
        (MoveError::Invalid { field, message }, _) => Error::field(&field, message),
        (MoveError::NotYours(message), _) => Error::Refused(message),
        (error, _) => Error::Internal(error.to_string()),
    }
}
