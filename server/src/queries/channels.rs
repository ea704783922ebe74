//! Channels: who listens to them, and what goes out on them.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use tidewatch_app::model::{ChannelDetail, ChannelRow};
use tidewatch_events::{Channel, Permission, visible};
use tidewatch_outbox::PublishedLog;

use super::connections::{connection_of, look_now};
use crate::access::Caller;
use crate::db;
use crate::db::connections::Wanted;
use crate::error::Error;
use crate::state::AppState;

/// The project's channels that somebody listens to or on which something went out lately, those with most
/// listeners first; and the one that is `selected`.
///
/// # Errors
/// 403 without `connections.manage`.
pub async fn channels(
    state: &AppState,
    caller: &Caller,
    selected: Option<Channel>,
) -> Result<(Vec<ChannelRow>, Option<ChannelDetail>), Error> {
    caller.require_manager(&Permission::CONNECTIONS_MANAGE)?;
    match selected {
        // Its listeners are shown with how busy they are.
        Some(_) => look_now(state, caller.project()).await?,
        None => state.presence.report().await?,
    }
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let rows = rows(&mut snapshot, caller).await?;
    let selected = match selected {
        Some(name) => Some(detail(&mut snapshot, caller, name, &rows).await?),
        None => None,
    };
    Ok((rows, selected))
}

/// A channel, whether anything goes on there or not. Of its events those that the caller may see: what
/// goes out on a private channel is for holders of a token alone.
async fn detail(
    snapshot: &mut PgConnection,
    caller: &Caller,
    name: Channel,
    rows: &[ChannelRow],
) -> Result<ChannelDetail, Error> {
    let wanted = Wanted { channel: Some(name.to_string()), ..Wanted::default() };
    let listeners =
        db::connections::list(snapshot, caller.project(), &wanted, ChannelDetail::MAX_LISTENERS).await?;
    // Some of them may be for others.
    let most = ChannelDetail::MAX_EVENTS * 5;
    let events = PublishedLog::newest_on_channel(snapshot, caller.project(), &name, most)
        .await?
        .into_iter()
        .filter(|event| visible(&event.routing, &caller.subject))
        .take(ChannelDetail::MAX_EVENTS)
        .map(|event| event.envelope)
        .collect();
    let row = rows.iter().find(|row| row.name == name).cloned();
    let row = row.unwrap_or(ChannelRow { name, listeners: 0, per_minute: 0, last_event_at: None });
    Ok(ChannelDetail { row, listeners: listeners.into_iter().map(connection_of).collect(), events })
}

async fn rows(snapshot: &mut PgConnection, caller: &Caller) -> Result<Vec<ChannelRow>, Error> {
    let project = caller.project();
    let mut rows: BTreeMap<String, ChannelRow> = BTreeMap::new();
    let empty = |name: &str| {
        let name = name.parse().ok()?;
        Some(ChannelRow { name, listeners: 0, per_minute: 0, last_event_at: None })
    };
    for (name, listeners) in db::channels::listeners(snapshot, project).await? {
        rows.extend(
            empty(&name).map(|row| (name, ChannelRow { listeners: listeners.unsigned_abs(), ..row })),
        );
    }
    for activity in db::channels::activity(snapshot, project).await? {
        if let Some(row) = rows.get(&activity.channel).cloned().or_else(|| empty(&activity.channel)) {
            let row = ChannelRow {
                per_minute: activity.last_minute.unsigned_abs(),
                last_event_at: Some(activity.last_event_at.into()),
                ..row
            };
            rows.insert(activity.channel, row);
        }
    }
    let mut rows: Vec<ChannelRow> = rows.into_values().collect();
    // Stable: among equals by name.
    rows.sort_by_key(|row| std::cmp::Reverse((row.listeners, row.per_minute)));
    Ok(rows)
}
