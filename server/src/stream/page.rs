//! A page of events, and the long-poll behind it.

use std::sync::Arc;
use std::time::Duration;

use tidewatch_events::id::ConnectionId;
use tidewatch_events::{Event, EventFilter, Permission, Position, Subject, visible};
use tidewatch_hub::{CloseReason, Delivery, Reader, StartAt, SubscribeRequest};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::reach::Reach;
use crate::access::channels::Grant;
use crate::access::credential::Credential;
use crate::error::Error;
use crate::state::AppState;

/// Events that are read from the log at once.
const READ_SIZE: usize = 1_000;
/// Events that one request looks at before it answers with what it has: a narrow filter over a
/// long history takes several requests, none of them long.
const MAX_SCANNED: usize = 20_000;

/// Some events and where the next page goes on.
#[derive(Debug)]
pub struct EventsPage {
    /// The events that the caller asked for and may see.
    pub events: Vec<Event>,
    /// Everything up to here was looked at.
    pub position: Position,
    /// Whether there is more right now.
    pub has_more: bool,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Under which name it is noted what was given.
    pub reader: Arc<Reader>,
    /// By whom.
    pub subject: Subject,
    /// By what it was let in.
    pub credential: Credential,
    /// Into which private channels.
    pub grants: Vec<Grant>,
    /// What is open to it.
    pub reach: Reach,
    /// For what.
    pub filter: EventFilter,
    /// From where.
    pub start: StartAt,
    /// Most events.
    pub limit: usize,
    /// How long to wait for the first event when there is none.
    pub wait: Duration,
}

/// Reads a page; without events it waits for the first ones as long as asked.
///
/// # Errors
/// 410 when events behind the starting point are no longer kept, 503 when Postgres cannot be
/// reached or the instance goes down.
pub async fn read(state: &AppState, request: PageRequest) -> Result<EventsPage, Error> {
    let deadline = Instant::now() + request.wait;
    let project = request.subject.project_id;
    let head = state.hub.head(project).map_or(Position::START, |head| head.position);
    let mut page = match request.start {
        StartAt::Head => EventsPage { events: Vec::new(), position: head, has_more: false },
        StartAt::After(after) => read_log(state, &request, after).await?,
        StartAt::Unrecoverable => {
            return Err(Error::HistoryGap { oldest: state.log.head(project).await?.oldest });
        }
    };
    let behind = page.position;
    if page.events.is_empty() && !page.has_more && !request.wait.is_zero() {
        wait(state, request.clone(), &mut page, deadline).await?;
    }
    if !page.events.is_empty() {
        let after = match request.start {
            StartAt::After(after) => after,
            _ => behind,
        };
        state.deliveries.gave_page(&request.reader, &request.subject, &request.filter, after, page.position);
    }
    Ok(page)
}

async fn read_log(state: &AppState, request: &PageRequest, after: Position) -> Result<EventsPage, Error> {
    let project = request.subject.project_id;
    let mut page = EventsPage { events: Vec::new(), position: after, has_more: false };
    let mut scanned = 0;
    loop {
        let read = state.log.read(project, page.position, READ_SIZE).await?;
        let continues =
            read.events.first().is_none_or(|event| event.envelope.position == page.position.next());
        if !continues || (read.events.is_empty() && page.position.next() < read.oldest) {
            return Err(Error::HistoryGap { oldest: read.oldest });
        }
        let read_to_the_end = read.events.len() < READ_SIZE;
        scanned += read.events.len();
        for event in read.events {
            if page.events.len() == request.limit {
                page.has_more = true;
                return Ok(page);
            }
            page.position = event.envelope.position;
            if visible(&event.routing, &request.subject) && request.filter.matches(&event) {
                page.events.push(event);
            }
        }
        if read_to_the_end {
            return Ok(page);
        }
        if scanned >= MAX_SCANNED {
            page.has_more = true;
            return Ok(page);
        }
    }
}

async fn wait(
    state: &AppState,
    request: PageRequest,
    page: &mut EventsPage,
    deadline: Instant,
) -> Result<(), Error> {
    let id = ConnectionId::from_uuid(Uuid::now_v7());
    let _watch = state.warden.watch(id, request.credential, request.grants, request.reach, &request.subject);
    let mut subscription = state.hub.subscribe(SubscribeRequest {
        id,
        subject: request.subject,
        filter: request.filter,
        after: StartAt::After(page.position),
        // What becomes a page of it is noted as that.
        reader: None,
    });
    match timeout_at(deadline, subscription.next()).await {
        Ok(Delivery::Events(events)) => {
            page.has_more = events.len() > request.limit;
            page.events = events.iter().take(request.limit).map(|event| event.event().clone()).collect();
            page.position = match page.events.last() {
                Some(last) if page.has_more => last.envelope.position,
                _ => subscription.position(),
            };
            Ok(())
        }
        // Urgent ones overtake others, which a page cannot: the next one reads all of them, at once.
        Ok(Delivery::Urgent(_)) => {
            page.has_more = true;
            Ok(())
        }
        Ok(Delivery::Gap { oldest }) => Err(Error::HistoryGap { oldest }),
        Ok(Delivery::Closed(CloseReason::SessionExpired)) => {
            Err(Error::Unauthenticated("the session, token or key has ended"))
        }
        Ok(Delivery::Closed(CloseReason::Forbidden)) => Err(Error::Forbidden(Permission::EVENTS_READ)),
        Ok(Delivery::Closed(_)) => Err(Error::Unavailable("this instance is going down")),
        // The next poll goes on from the same position, with the rights of then.
        Ok(Delivery::PermissionsChanged(_) | Delivery::Lagged | Delivery::Unavailable) => Ok(()),
        Err(_) => {
            page.position = subscription.position().max(page.position);
            Ok(())
        }
    }
}
