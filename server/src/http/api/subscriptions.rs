//! `/api/v1/subscriptions`: consumers that say what they have done.
//!
//! A durable subscription remembers how far its consumer has acknowledged the events that it asked
//! for. What was delivered and is not acknowledged within the visibility time is delivered again: each
//! event at least once, in order. An acknowledgement counts for everything before it as well.

mod filter;

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tidewatch_events::access::Actor;
use tidewatch_events::{Envelope, EventId, Permission, Position, ResumePoint, Timestamp};
use tidewatch_hub::StartAt;
use time::OffsetDateTime;

use self::filter::SubscriptionFilter;
use super::events::{DEFAULT_LIMIT, MAX_LIMIT, MAX_WAIT_SECONDS};
use crate::access::Caller;
use crate::access::login::LoginOrigin;
use crate::api_documents::{Operation, Routes};
use crate::db;
use crate::db::subscriptions::{SubscriptionRow, number};
use crate::error::Error;
use crate::http::created::Created;
use crate::http::json_body::JsonBody;
use crate::http::problem_kind::ProblemKind;
use crate::http::query::Query;
use crate::presence::{ConnectionKind, WaitingPoll};
use crate::state::AppState;
use crate::stream::page::{self, PageRequest};
use crate::stream::reach::Reach;
use crate::stream::resume;

/// Visibility time where nobody asked for another one, in seconds.
const DEFAULT_VISIBILITY: u32 = 30;
/// Longest visibility time, in seconds.
const MAX_VISIBILITY: u32 = 3_600;
/// Most subscriptions of one owner.
const MAX_SUBSCRIPTIONS: usize = 100;
/// The routes.
pub fn routes() -> Routes {
    use ProblemKind::{HistoryGap, Refused, TooManyStreams};
    Routes::of("Subscriptions")
        .get(
            "/api/v1/subscriptions",
            list,
            Operation::new("listSubscriptions", "List durable subscriptions")
                .describe("A person's are their own; those of keys are the project's.")
                .needs("events.read")
                .lists::<Subscription>("subscriptions", "The subscriptions."),
        )
        .post(
            "/api/v1/subscriptions",
            create,
            Operation::new("createSubscription", "Make a durable subscription")
                .describe("Asked for again with the same filter, the same one goes on where it was: 200.")
                .needs("events.read")
                .body::<NewSubscription>()
                .for_example(json!({ "name": "bookkeeping", "filter": { "types": ["settlement.*"] }, "after": "earliest" }))
                .creates::<Subscription>("It is made.")
                .answers::<Subscription>("There was the same one.")
                .gives([HistoryGap, Refused]),
        )
        .get(
            "/api/v1/subscriptions/{name}",
            read,
            Operation::new("getSubscription", "Read a durable subscription")
                .needs("events.read")
                .path::<String>("name", "Its name.")
                .answers::<Subscription>("The subscription."),
        )
        .delete(
            "/api/v1/subscriptions/{name}",
            delete,
            Operation::new("deleteSubscription", "Delete a durable subscription")
                .needs("events.read")
                .path::<String>("name", "Its name.")
                .answers_nothing(StatusCode::NO_CONTENT, "It is deleted."),
        )
        .get(
            "/api/v1/subscriptions/{name}/events",
            deliver,
            Operation::new("deliverEvents", "Have events delivered")
                .describe("From the acknowledged position on. What is not acknowledged in time is delivered again.")
                .needs("events.read")
                .path::<String>("name", "Its name.")
                .query_number("wait", "How long to wait for an event, in seconds.", 0, MAX_WAIT_SECONDS, 0)
                .query_number("limit", "Most events.", 1, MAX_LIMIT, DEFAULT_LIMIT)
                .answers::<Delivered>("The events, in order.")
                .gives([HistoryGap, Refused, TooManyStreams]),
        )
        .post(
            "/api/v1/subscriptions/{name}/ack",
            acknowledge,
            Operation::new("acknowledgeEvents", "Acknowledge events")
                .describe("Counts for everything before that event as well. A repeat changes nothing.")
                .needs("events.read")
                .path::<String>("name", "Its name.")
                .body::<Acknowledgement>()
                .answers::<Subscription>("The subscription as it is now.")
                .gives([Refused]),
        )
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewSubscription {
    name: String,
    #[serde(default)]
    filter: SubscriptionFilter,
    /// Where it begins: as the stream's `after`.
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    visibility_seconds: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    name: String,
    #[schemars(with = "SubscriptionFilter")]
    filter: serde_json::Value,
    visibility_seconds: i32,
    /// Everything up to here is done.
    acknowledged_position: i64,
    /// Everything up to here was delivered.
    delivered_position: i64,
    /// From then on what is not acknowledged is delivered again.
    visible_again_at: Option<Timestamp>,
}

impl From<SubscriptionRow> for Subscription {
    fn from(row: SubscriptionRow) -> Self {
        Self {
            name: row.name,
            filter: row.filter,
            visibility_seconds: row.visibility_seconds,
            acknowledged_position: row.acknowledged,
            delivered_position: row.delivered,
            visible_again_at: row.visible_again_at.map(Timestamp::from),
        }
    }
}

/// Keys come and go by rotation, so the project's subscriptions belong to all of them; a person's
/// belong to the person.
fn owner(caller: &Caller) -> String {
    match &caller.actor {
        actor @ Actor::User(_) => actor.to_string(),
        Actor::Key(_) | Actor::System(_) => "project".to_owned(),
    }
}

fn missing(name: &str) -> Error {
    Error::NotFound(format!("subscription `{name}`"))
}

async fn create(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(new): JsonBody<NewSubscription>,
) -> Result<Response, Error> {
    caller.require(&Permission::EVENTS_READ)?;
    check_name(&new.name)?;
    new.filter.read()?;
    let visibility = new.visibility_seconds.unwrap_or(DEFAULT_VISIBILITY);
    if !(1..=MAX_VISIBILITY).contains(&visibility) {
        return Err(Error::field("visibilitySeconds", format!("must be 1 to {MAX_VISIBILITY}")));
    }
    let point: Option<ResumePoint> =
        new.after.map(|text| text.parse().map_err(|error| Error::field("after", error))).transpose()?;
    let start = match resume::resolve(&state, caller.project(), point.unwrap_or_default()).await? {
        StartAt::After(position) => position,
        StartAt::Head => state.hub.head(caller.project()).map_or(Position::START, |head| head.position),
        StartAt::Unrecoverable => {
            return Err(Error::HistoryGap { oldest: state.log.head(caller.project()).await?.oldest });
        }
    };
    let row = SubscriptionRow {
        name: new.name,
        filter: serde_json::to_value(&new.filter)?,
        visibility_seconds: i32::try_from(visibility).unwrap_or(i32::MAX),
        acknowledged: number(start),
        delivered: number(start),
        visible_again_at: None,
    };
    let owner = owner(&caller);
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let known = db::subscriptions::list(&mut transaction, caller.project(), &owner, None).await?;
    if known.len() >= MAX_SUBSCRIPTIONS && known.iter().all(|known| known.name != row.name) {
        return Err(Error::Refused(format!(
            "there are {MAX_SUBSCRIPTIONS} subscriptions already, which is the most"
        )));
    }
    if db::subscriptions::insert(&mut transaction, caller.project(), &owner, &row).await? {
        transaction.commit().await?;
        let body: Subscription = row.into();
        return Ok(Created { at: format!("/api/v1/subscriptions/{}", body.name), body }.into_response());
    }
    // Asked for again, as consumers do when they start: the same one goes on where it was.
    let known =
        db::subscriptions::list(&mut transaction, caller.project(), &owner, Some(&row.name)).await?.pop();
    match known
        .filter(|known| known.filter == row.filter && known.visibility_seconds == row.visibility_seconds)
    {
        Some(known) => Ok(Json(Subscription::from(known)).into_response()),
        None => {
            Err(Error::Refused(format!("there is a subscription `{}` with another filter or time", row.name)))
        }
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    let goes_on = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b));
    if begins && goes_on && name.len() <= 100 {
        Ok(())
    } else {
        Err(Error::field("name", "must be 1 to 100 of a-z, 0-9, `_`, `.` and `-`, and begin with a letter"))
    }
}

async fn list(State(state): State<AppState>, caller: Caller) -> Result<Json<serde_json::Value>, Error> {
    caller.require(&Permission::EVENTS_READ)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let rows = db::subscriptions::list(&mut snapshot, caller.project(), &owner(&caller), None).await?;
    let subscriptions: Vec<Subscription> = rows.into_iter().map(Into::into).collect();
    Ok(Json(json!({ "subscriptions": subscriptions })))
}

async fn find(state: &AppState, caller: &Caller, name: &str) -> Result<SubscriptionRow, Error> {
    caller.require(&Permission::EVENTS_READ)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let rows = db::subscriptions::list(&mut snapshot, caller.project(), &owner(caller), Some(name)).await?;
    rows.into_iter().next().ok_or_else(|| missing(name))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Subscription>, Error> {
    Ok(Json(find(&state, &caller, &name).await?.into()))
}

async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Error> {
    caller.require(&Permission::EVENTS_READ)?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    if !db::subscriptions::delete(&mut transaction, caller.project(), &owner(&caller), &name).await? {
        return Err(missing(&name));
    }
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is delivered.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Delivered {
    events: Vec<Envelope>,
    position: Position,
    has_more: bool,
    /// Until then these are not delivered again.
    visible_again_at: Option<Timestamp>,
}

async fn deliver(
    State(state): State<AppState>,
    caller: Caller,
    from: LoginOrigin,
    Path(name): Path<String>,
    query: Query,
) -> Result<Json<Delivered>, Error> {
    let wait = Duration::from_secs(query.number("wait", 0..=MAX_WAIT_SECONDS, 0)?);
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let row = find(&state, &caller, &name).await?;
    let filter: SubscriptionFilter = serde_json::from_value(row.filter.clone())?;
    let after = row.next_after(OffsetDateTime::now_utc());
    let filter = filter.read()?;
    let _waiting = (!wait.is_zero())
        .then(|| WaitingPoll::begin(&state, &caller, &from, &filter.channels, &[]))
        .transpose()?;
    let request = PageRequest {
        reader: state.presence.reader(&caller, ConnectionKind::Poll),
        subject: caller.subject.clone(),
        credential: caller.credential,
        grants: Vec::new(),
        reach: Reach::All,
        filter,
        start: StartAt::After(u64::try_from(after).ok().and_then(Position::new).unwrap_or(Position::START)),
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
        wait,
    };
    // No lock is held meanwhile: the reading can take as long as the caller waits.
    let page = page::read(&state, request).await?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let mut row = db::subscriptions::lock(&mut transaction, caller.project(), &owner(&caller), &name)
        .await?
        .ok_or_else(|| missing(&name))?;
    let now = OffsetDateTime::now_utc();
    if row.next_after(now) != after {
        return Err(Error::Refused("another consumer of this subscription was faster; ask again".to_owned()));
    }
    let nothing_is_out = row.visible_again_at.is_none_or(|at| at <= now) && page.events.is_empty();
    row.delivered = number(page.position).max(row.acknowledged);
    if nothing_is_out {
        // What was looked at and not asked for is done by itself.
        row.acknowledged = row.delivered;
        row.visible_again_at = None;
    } else if !page.events.is_empty() {
        row.visible_again_at = Some(now + time::Duration::seconds(row.visibility_seconds.into()));
    }
    db::subscriptions::save(&mut transaction, caller.project(), &owner(&caller), &row).await?;
    transaction.commit().await?;
    Ok(Json(Delivered {
        events: page.events.into_iter().map(|event| event.envelope).collect(),
        position: page.position,
        has_more: page.has_more,
        visible_again_at: row.visible_again_at.map(Timestamp::from),
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Acknowledgement {
    event_id: EventId,
}

async fn acknowledge(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    JsonBody(Acknowledgement { event_id }): JsonBody<Acknowledgement>,
) -> Result<Json<Subscription>, Error> {
    caller.require(&Permission::EVENTS_READ)?;
    let position = state
        .log
        .find(caller.project(), event_id)
        .await?
        .filter(|event| tidewatch_events::visible(&event.routing, &caller.subject))
        .map(|event| number(event.envelope.position))
        .ok_or_else(|| Error::field("eventId", "names no event that you can see"))?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let mut row = db::subscriptions::lock(&mut transaction, caller.project(), &owner(&caller), &name)
        .await?
        .ok_or_else(|| missing(&name))?;
    if position > row.delivered {
        return Err(Error::Refused(format!("{event_id} was not delivered to this subscription")));
    }
    // Once acknowledged, acknowledged: a repeat changes nothing.
    if position > row.acknowledged {
        let filter: SubscriptionFilter = serde_json::from_value(row.filter.clone())?;
        let actor = (caller.actor.to_string(), caller.name.clone());
        let span = (row.acknowledged, position);
        let proof = state.deliveries.acknowledgement(actor, &name, &caller.subject, &filter.read()?, span);
        if let Some(proof) = proof {
            db::deliveries::acknowledge(&mut transaction, &proof).await?;
        }
        row.acknowledged = position;
    }
    if row.acknowledged >= row.delivered {
        row.visible_again_at = None;
    }
    db::subscriptions::save(&mut transaction, caller.project(), &owner(&caller), &row).await?;
    transaction.commit().await?;
    Ok(Json(row.into()))
}
