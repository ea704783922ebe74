//! Who is connected.

use tidewatch_app::model::{Connection, ConnectionPage, ConnectionQuery, ConnectionSort, InstanceCount};
use tidewatch_events::id::{ApiKeyId, ConnectionId};
use tidewatch_events::{Permission, ProjectId};
use time::OffsetDateTime;

use super::cut_page;
use crate::access::Caller;
use crate::db;
use crate::db::connections::{ListedConnection, Place, Wanted};
use crate::error::Error;
use crate::state::AppState;

/// A page of the project's connections on all instances. For some seconds every instance
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
        sort: query.sort,
        after: query.after.as_deref().map(|after| read_cursor(query.sort, after)).transpose()?,
    };
    look_now(state, caller.project()).await?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let mut rows = db::connections::list(&mut snapshot, caller.project(), &wanted, limit + 1).await?;
    let next = cut_page(&mut rows, limit, |last| cursor_of(query.sort, last));
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

/// `next` of a page that ends with this one. An order by load says which it is: the numbers of one are none of another.
fn cursor_of(sort: ConnectionSort, last: &ListedConnection) -> String {
    let row = &last.connection;
    let id = ConnectionId::from_uuid(row.id);
    match sort {
        ConnectionSort::Newest => format!("{}:{id}", row.connected_at.unix_timestamp_nanos()),
        ConnectionSort::Waiting => format!("waiting:{}:{id}", last.waiting.unwrap_or(-1)),
        ConnectionSort::Rate => format!("rate:{}:{id}", last.rate.map_or(-1.0, f64::from)),
    }
}

fn read_cursor(sort: ConnectionSort, text: &str) -> Result<(Place, ConnectionId), Error> {
    let load = |text: &str| text.parse().ok().filter(|load: &f64| load.is_finite()).map(Place::Load);
    let read = || {
        let (place, id) = text.rsplit_once(':')?;
        let place = match sort {
            ConnectionSort::Newest => {
                OffsetDateTime::from_unix_timestamp_nanos(place.parse().ok()?).ok().map(Place::Since)
            }
            ConnectionSort::Waiting => place.strip_prefix("waiting:").and_then(load),
            ConnectionSort::Rate => place.strip_prefix("rate:").and_then(load),
        };
        Some((place?, id.parse().ok()?))
    };
    read().ok_or_else(|| Error::parameter("after", "is not the `next` of a page in this order"))
}
