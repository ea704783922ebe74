//! Who is connected.

use tidewatch_app::model::{Connection, ConnectionPage, ConnectionQuery, InstanceCount};
use tidewatch_events::id::{ApiKeyId, ConnectionId};
use tidewatch_events::{Permission, ProjectId};
use time::OffsetDateTime;

use super::cut_page;
use crate::access::Caller;
use crate::db;
use crate::db::connections::{ListedConnection, Wanted};
use crate::error::Error;
use crate::state::AppState;

/// A page of the project's connections on all instances, newest first. For some seconds every instance
/// tells how busy they are.
///
/// # Errors
/// 403 without `connections.manage`, 422 for a malformed `after`.
pub async fn connections(
    state: &AppState,
    caller: &Caller,
    query: &ConnectionQuery,
    limit: u32,
) -> Result<ConnectionPage, Error> {
    caller.require_manager(&Permission::CONNECTIONS_MANAGE)?;
    let wanted = Wanted {
        channel: query.channel.as_ref().map(ToString::to_string),
        key: query.key,
        text: query.q.clone().unwrap_or_default(),
        after: query.after.as_deref().map(read_cursor).transpose()?,
    };
    look_now(state, caller.project()).await?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let mut rows = db::connections::list(&mut snapshot, caller.project(), &wanted, limit + 1).await?;
    let next = cut_page(&mut rows, limit, cursor_of);
    let counts = db::connections::count(&mut snapshot, caller.project()).await?;
    let counts = counts
        .into_iter()
        .map(|(instance, kind, count)| InstanceCount { instance, kind, connections: count.unsigned_abs() })
        .collect();
    Ok(ConnectionPage { connections: rows.into_iter().map(connection_of).collect(), next, counts })
}

/// What is known here is told exactly, what others know within seconds.
pub(super) async fn look_now(state: &AppState, project: ProjectId) -> Result<(), Error> {
    let mut change = db::begin_change(&state.pool, project).await?;
    db::connections::watch(&mut change, project).await?;
    change.commit().await?;
    Ok(state.presence.report().await?)
}

pub(super) fn connection_of(listed: ListedConnection) -> Connection {
    let ListedConnection { connection: row, instance, rate, waiting, ending } = listed;
    Connection {
        id: ConnectionId::from_uuid(row.id),
        kind: row.kind,
        instance,
        actor: row.actor,
        actor_name: row.actor_name,
        address: row.address,
        client: row.client,
        connected_at: row.connected_at.into(),
        channels: row.channels,
        keys: row.keys.into_iter().map(ApiKeyId::from_uuid).collect(),
        rate,
        waiting: waiting.map(i64::unsigned_abs),
        ending,
    }
}

fn cursor_of(last: &ListedConnection) -> String {
    let row = &last.connection;
    format!("{}:{}", row.connected_at.unix_timestamp_nanos(), ConnectionId::from_uuid(row.id))
}

fn read_cursor(text: &str) -> Result<(OffsetDateTime, ConnectionId), Error> {
    text.split_once(':')
        .and_then(|(nanos, id)| {
            let at = OffsetDateTime::from_unix_timestamp_nanos(nanos.parse().ok()?).ok()?;
            Some((at, id.parse().ok()?))
        })
        .ok_or_else(|| Error::parameter("after", "is not the `next` of a page"))
}
