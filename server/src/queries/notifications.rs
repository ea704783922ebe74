//! What callers can ask about notifications: their own inbox, and for managers the rules and what became of what those
//! made.

use sqlx::PgConnection;
use tidewatch_app::model::{
    Inbox, InboxQuery, Notification, NotificationCount, NotificationProof, NotificationRule,
    NotificationSettingsPage, NotificationStep, Snapshot,
};
use tidewatch_events::id::{NotificationId, NotificationRuleId};
use tidewatch_events::{EventId, Permission, ProjectId, Timestamp, visible};

use super::{cut_page, finish};
use crate::access::Caller;
use crate::commands::notifications::steps::{self, Recipient, not_found};
use crate::db;
use crate::db::notifications::{inbox as table, proofs, rules, settings};
use crate::error::Error;
use crate::notifications::dispatcher::{Matcher, permissions_of};
use crate::notifications::{audience, send, template};
use crate::state::AppState;

/// Most characters of a search.
pub const MAX_SEARCH: usize = 200;
/// Most words of a search.
const MAX_WORDS: usize = 10;
/// Most events of one question.
pub const MOST_EVENTS: usize = 50;

/// A page of an inbox, newest first. To ask for it is to have it delivered. Where words or a group are asked for, `next`
/// may lead on though the page is not full: so far it was looked.
///
/// # Errors
/// 400 for a search that is too long.
pub async fn inbox(
    state: &AppState,
    recipient: &Recipient,
    asked: &InboxQuery,
    limit: u32,
) -> Result<Snapshot<Inbox>, Error> {
    check(asked)?;
    let mut page = read_page(state, recipient, asked, limit).await?;
    let shown = &mut page.data.notifications;
    let new: Vec<NotificationId> =
        shown.iter().filter(|one| one.delivered_at.is_none()).map(|one| one.id).collect();
    let taken = steps::take(state, recipient, &new, NotificationStep::Deliver).await?;
    let mut delivered: Vec<(NotificationId, u64, Option<Timestamp>)> =
        taken.iter().map(|one| (one.id, one.version, one.progress.delivered_at.map(Into::into))).collect();
    // Another request of theirs may have had it delivered since the page was read.
    let by_another = new.into_iter().filter(|id| taken.iter().all(|one| one.id != *id));
    for id in by_another {
        match read_one(state, recipient, id).await {
            Ok(now) => delivered.push((id, now.data.version, now.data.delivered_at)),
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    for (id, version, at) in delivered {
        let one = shown.iter_mut().find(|one| one.id == id);
        // Where something else has happened to it meanwhile, events tell of both, behind the page's position.
        if let Some(one) = one.filter(|one| one.version + 1 == version) {
            one.version = version;
            one.delivered_at = at;
        }
    }
    Ok(page)
}

fn check(asked: &InboxQuery) -> Result<(), Error> {
    let search = &asked.search;
    if search.chars().count() > MAX_SEARCH || search.split_whitespace().count() > MAX_WORDS {
        let wrong = format!("must be at most {MAX_SEARCH} characters and {MAX_WORDS} words");
        return Err(Error::parameter("search", wrong));
    }
    for (name, text) in [("search", search), ("group", asked.group.as_ref().unwrap_or(&String::new()))] {
        if text.contains('\0') {
            return Err(Error::parameter(name, "must not hold the character NUL"));
        }
    }
    Ok(())
}

async fn read_page(
    state: &AppState,
    recipient: &Recipient,
    asked: &InboxQuery,
    limit: u32,
) -> Result<Snapshot<Inbox>, Error> {
    let (project, user) = (recipient.project, recipient.user);
    let mut snapshot = db::begin_snapshot(&state.pool, project).await?;
    let mut notifications = table::page(&mut snapshot, project, user, asked, limit + 1).await?;
    let next = match cut_page(&mut notifications, limit, |last| last.id) {
        None if asked.is_narrowed() => table::looked_to(&mut snapshot, project, user, asked).await?,
        next => next,
    };
    let count = table::count(&mut snapshot, project, user).await?;
    finish(&mut snapshot, project, Inbox { notifications, next, count }).await
}

/// What the caller's badge says.
///
/// # Errors
/// 403 for an API key.
pub async fn count(state: &AppState, caller: &Caller) -> Result<Snapshot<NotificationCount>, Error> {
    let (project, user) = (caller.project(), caller.recipient()?);
    let mut snapshot = db::begin_snapshot(&state.pool, project).await?;
    let count = table::count(&mut snapshot, project, user).await?;
    finish(&mut snapshot, project, count).await
}

/// One notification. To ask for it is to have it delivered.
///
/// # Errors
/// 404 where it is not the recipient's, whether there is one or not.
pub async fn notification(
    state: &AppState,
    recipient: &Recipient,
    id: NotificationId,
) -> Result<Snapshot<Notification>, Error> {
    let found = read_one(state, recipient, id).await?;
    if found.data.delivered_at.is_some() {
        return Ok(found);
    }
    steps::take(state, recipient, &[id], NotificationStep::Deliver).await?;
    read_one(state, recipient, id).await
}

async fn read_one(
    state: &AppState,
    recipient: &Recipient,
    id: NotificationId,
) -> Result<Snapshot<Notification>, Error> {
    let (project, user) = (recipient.project, recipient.user);
    let mut snapshot = db::begin_snapshot(&state.pool, project).await?;
    let found = table::find(&mut snapshot, project, user, id).await?.ok_or_else(|| not_found(id))?;
    finish(&mut snapshot, project, found).await
}

/// What the caller wants of notifications, with what a page needs beside that.
///
/// # Errors
/// 403 for an API key.
pub async fn settings_page(state: &AppState, caller: &Caller) -> Result<NotificationSettingsPage, Error> {
    let (project, user) = (caller.project(), caller.recipient()?);
    let mut snapshot = db::begin_snapshot(&state.pool, project).await?;
    Ok(NotificationSettingsPage {
        settings: settings::find(&mut snapshot, project, user).await?,
        known_types: table::known_types(&mut snapshot, project, user).await?,
        time_zones: db::time_zones::names(&mut snapshot).await?,
        email: caller.name.clone(),
        sends_email: state.outside.sends_email(),
        push_key: state.outside.push_key().map(ToOwned::to_owned),
    })
}

/// The project's rules, by name.
///
/// # Errors
/// 403 without `notifications.manage`.
pub async fn rules(state: &AppState, caller: &Caller) -> Result<Vec<NotificationRule>, Error> {
    caller.require_manager(&Permission::NOTIFICATIONS_MANAGE)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    Ok(rules::list(&mut snapshot, caller.project(), None).await?)
}

/// One rule.
///
/// # Errors
/// 403 without `notifications.manage`, 404.
pub async fn rule(
    state: &AppState,
    caller: &Caller,
    id: NotificationRuleId,
) -> Result<NotificationRule, Error> {
    caller.require_manager(&Permission::NOTIFICATIONS_MANAGE)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    find_rule(&mut snapshot, caller.project(), id).await
}

/// A rule of the project.
///
/// # Errors
/// 404.
pub async fn find_rule(
    connection: &mut PgConnection,
    project: ProjectId,
    id: NotificationRuleId,
) -> Result<NotificationRule, Error> {
    let found = rules::list(connection, project, Some(id)).await?.pop();
    found.ok_or_else(|| Error::NotFound(format!("notification rule {id}")))
}

/// What a rule would make of an event.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "NotificationPreview")]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Whether it asks for this event: its types, its conditions, and what it may see.
    pub matches: bool,
    /// What it would say, in a line.
    pub title: String,
    /// Beyond that.
    pub body: String,
    /// Where to go on.
    pub link: String,
    /// What belongs together.
    pub group: String,
    /// To how many.
    pub recipients: usize,
}

/// What a rule would say of an event, and to how many.
///
/// # Errors
/// 403 without `notifications.manage`; 404 for a rule or an event that the caller may not see.
pub async fn preview(
    state: &AppState,
    caller: &Caller,
    id: NotificationRuleId,
    event: EventId,
) -> Result<Preview, Error> {
    caller.require_manager(&Permission::NOTIFICATIONS_MANAGE)?;
    let project = caller.project();
    let found = state.log.find(project, event).await?;
    let found = found.filter(|event| visible(&event.routing, &caller.subject));
    let mut snapshot = db::begin_snapshot(&state.pool, project).await?;
    let row = rules::find(&mut snapshot, project, id).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("notification rule {id}")))?;
    let event = found.ok_or_else(|| Error::NotFound(format!("event `{event}`")))?;
    let text = template::render(&row.template, &event.envelope);
    let names = audience::names(&row.audience, &event);
    let lent = permissions_of(&row.permissions);
    let users = send::addressed(&mut snapshot, project, &names, &event.routing, &lent).await?;
    let matches = Matcher::new(row).matches(&event);
    Ok(Preview {
        matches,
        title: text.title,
        body: text.body,
        link: text.link,
        group: text.group,
        recipients: if matches { users.len() } else { 0 },
    })
}

/// What rules made of an event, and what became of that.
///
/// # Errors
/// 403 without `deliveries.read`, or for somebody who is not of the project's staff: names of recipients are in it; 404
/// where there is no such event that the caller may see.
pub async fn of_event(
    state: &AppState,
    caller: &Caller,
    id: EventId,
) -> Result<Vec<NotificationProof>, Error> {
    caller.require_manager(&Permission::DELIVERIES_READ)?;
    super::events::find(state, caller, id).await?;
    of_events(state, caller, &[id]).await
}

/// What rules made of these events, of those that are published and that the caller may see, newest first.
///
/// # Errors
/// 403 without `deliveries.read`, or for somebody who is not of the project's staff.
pub async fn of_events(
    state: &AppState,
    caller: &Caller,
    ids: &[EventId],
) -> Result<Vec<NotificationProof>, Error> {
    caller.require_manager(&Permission::DELIVERIES_READ)?;
    let project = caller.project();
    let ids = &ids[..ids.len().min(MOST_EVENTS)];
    let mut snapshot = db::begin_snapshot(&state.pool, project).await?;
    let events = db::deliveries::events(&mut snapshot, project, ids).await?;
    let shown: Vec<EventId> = events
        .into_iter()
        .filter(|row| visible(&row.event.0.routing, &caller.subject))
        .map(|row| row.event.0.envelope.event_id)
        .collect();
    Ok(proofs::of_events(&mut snapshot, project, &shown).await?)
}
