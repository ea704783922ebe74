//! `/api/v1/connections` and `/api/v1/channels`: who is connected, and who listens to what.

use axum::extract::{Path, State};
use axum::routing::{delete, get};
use axum::{Json, Router};
use http::StatusCode;
use serde::Serialize;
use tidewatch_events::id::{ApiKeyId, ConnectionId};
use tidewatch_events::{Channel, Permission, Timestamp};
use time::OffsetDateTime;

use super::settlements::ReadOrigin;
use crate::access::Caller;
use crate::commands;
use crate::db;
use crate::db::connections::{ConnectionQuery, ListedConnection};
use crate::error::Error;
use crate::http::query::Query;
use crate::state::AppState;

/// Most connections of a page.
const MAX_LIMIT: u64 = 1_000;
/// Connections of a page where nobody asked for another number.
const DEFAULT_LIMIT: u64 = 100;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/connections", get(list))
        .route("/api/v1/connections/{id}", delete(end))
        .route("/api/v1/channels", get(channels))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionJson {
    id: ConnectionId,
    kind: String,
    instance: String,
    actor: String,
    actor_name: String,
    address: Option<String>,
    client: String,
    connected_at: Timestamp,
    channels: Vec<String>,
    /// The API keys on whose word it is connected or in a private channel.
    keys: Vec<ApiKeyId>,
}

impl From<ListedConnection> for ConnectionJson {
    fn from(ListedConnection { connection: row, instance }: ListedConnection) -> Self {
        Self {
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
        }
    }
}

#[derive(Serialize)]
struct ConnectionsPage {
    connections: Vec<ConnectionJson>,
    /// `after` of the following page; `null` on the last.
    next: Option<String>,
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    query: Query,
) -> Result<Json<ConnectionsPage>, Error> {
    caller.require_manager(&Permission::CONNECTIONS_MANAGE)?;
    let query = query.only(&["channel", "key", "after", "limit"])?;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let channel: Option<Channel> = query.parse("channel")?;
    let wanted = ConnectionQuery {
        channel: channel.map(|channel| channel.to_string()),
        key: query.parse("key")?,
        after: query.get("after").map(read_cursor).transpose()?,
    };
    // What is known here is told exactly, what others know within seconds.
    state.presence.report().await?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX - 1);
    let mut rows = db::connections::list(&mut snapshot, caller.project(), &wanted, limit + 1).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|last| {
        format!(
            "{}:{}",
            last.connection.connected_at.unix_timestamp_nanos(),
            ConnectionId::from_uuid(last.connection.id)
        )
    });
    Ok(Json(ConnectionsPage { connections: rows.into_iter().map(Into::into).collect(), next }))
}

fn read_cursor(text: &str) -> Result<(OffsetDateTime, ConnectionId), Error> {
    text.split_once(':')
        .and_then(|(nanos, id)| {
            let at = OffsetDateTime::from_unix_timestamp_nanos(nanos.parse().ok()?).ok()?;
            Some((at, id.parse().ok()?))
        })
        .ok_or_else(|| Error::parameter("after", "is not the `next` of a page"))
}

async fn end(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let id = id.parse().map_err(|_| Error::NotFound(format!("connection {id}")))?;
    commands::connections::end(&state, &caller, &origin, id).await?;
    Ok(StatusCode::ACCEPTED)
}

#[derive(Serialize)]
struct ChannelJson {
    name: String,
    listeners: i64,
}

#[derive(Serialize)]
struct ChannelsJson {
    channels: Vec<ChannelJson>,
}

async fn channels(
    State(state): State<AppState>,
    caller: Caller,
    query: Query,
) -> Result<Json<ChannelsJson>, Error> {
    caller.require_manager(&Permission::CONNECTIONS_MANAGE)?;
    query.only(&[])?;
    state.presence.report().await?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let rows = db::connections::channels(&mut snapshot, caller.project()).await?;
    let channels = rows.into_iter().map(|(name, listeners)| ChannelJson { name, listeners }).collect();
    Ok(Json(ChannelsJson { channels }))
}
