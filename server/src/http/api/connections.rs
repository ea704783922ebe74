//! `/api/v1/connections` and `/api/v1/channels`: who is connected, and who listens to what.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use tidewatch_app::model::{ChannelDetail, ChannelRow, ConnectionPage, ConnectionQuery, ConnectionSort};
use tidewatch_events::Channel;
use tidewatch_events::id::{ApiKeyId, ConnectionId};

use crate::access::Caller;
use crate::api_documents::{Operation, Routes};
use crate::commands;
use crate::error::Error;
use crate::http::origin::ReadOrigin;
use crate::http::query::Query;
use crate::queries;
use crate::state::AppState;

/// Most connections of a page.
const MAX_LIMIT: u64 = 1_000;
/// Connections of a page where nobody asked for another number.
const DEFAULT_LIMIT: u64 = 100;

/// The routes.
pub fn routes() -> Routes {
    Routes::of("Connections")
        .get(
            "/api/v1/connections",
            list,
            Operation::new("listConnections", "List who is connected")
                .needs("connections.manage")
                .query::<Channel>("channel", "Only on this channel.")
                .query::<ApiKeyId>("key", "Only on the word of this API key.")
                .query::<String>("q", "Only with this in who they are, from where, or with which program.")
                .query_of(
                    "sort",
                    "In which order: the newest first, where nothing is said; those for which most events wait; or \
                     those that are given most a second.",
                    &ConnectionSort::ALL.map(ConnectionSort::as_str),
                )
                .query::<String>("after", "`next` of the page before, in the same order.")
                .query_number("limit", "Most connections of the page.", 1, MAX_LIMIT, DEFAULT_LIMIT)
                .answers::<ConnectionPage>("A page of connections."),
        )
        .delete(
            "/api/v1/connections/{id}",
            end,
            Operation::new("endConnection", "End a connection")
                .describe("Its client is told, and may connect again.")
                .needs("connections.manage")
                .path::<ConnectionId>("id", "Which.")
                .answers_nothing(StatusCode::ACCEPTED, "Its instance ends it within a second or two."),
        )
        .get(
            "/api/v1/channels",
            channels,
            Operation::new("listChannels", "List channels")
                .needs("connections.manage")
                .answers::<ChannelsJson>(
                    "The channels that somebody listens to, or on which something went out lately.",
                ),
        )
        .get(
            "/api/v1/channels/{name}",
            channel,
            Operation::new("getChannel", "Read a channel")
                .needs("connections.manage")
                .path::<Channel>("name", "Its name.")
                .answers::<ChannelDetail>("Who listens to it, and its last events."),
        )
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    query: Query,
) -> Result<Json<ConnectionPage>, Error> {
    let limit = u32::try_from(query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?).unwrap_or(u32::MAX - 1);
    let wanted = ConnectionQuery {
        channel: query.parse("channel")?,
        key: query.parse("key")?,
        q: query.get("q").map(ToOwned::to_owned),
        sort: query.parse("sort")?.unwrap_or_default(),
        after: query.get("after").map(ToOwned::to_owned),
    };
    Ok(Json(queries::connections(&state, &caller, &wanted, limit).await?))
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

#[derive(Serialize, JsonSchema)]
struct ChannelsJson {
    channels: Vec<ChannelRow>,
}

async fn channels(State(state): State<AppState>, caller: Caller) -> Result<Json<ChannelsJson>, Error> {
    let (channels, _) = queries::channels(&state, &caller, None).await?;
    Ok(Json(ChannelsJson { channels }))
}

async fn channel(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Option<ChannelDetail>>, Error> {
    let name = name.parse().map_err(|error| Error::NotFound(format!("channel `{name}`: {error}")))?;
    // Always there: it was asked for.
    let (_, channel) = queries::channels(&state, &caller, Some(name)).await?;
    Ok(Json(channel))
}
