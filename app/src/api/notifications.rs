//! Notifications: the inbox of whoever asks, what they want of it, and the rules of the project.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use tidewatch_events::EventId;
use tidewatch_events::id::{NotificationId, NotificationRuleId};

use super::text::JsonText;
use crate::error::AppError;
use crate::model::{
    Inbox, InboxQuery, Notification, NotificationCount, NotificationProof, NotificationRule,
    NotificationSettingsForm, NotificationSettingsPage, NotificationStep, NotificationsMoved, Snapshot,
};

/// A page of one's notifications.
#[server(prefix = "/fn", endpoint = "list_notifications", input = GetUrl, output = JsonText)]
pub async fn list_notifications(
    project: String,
    #[server(default)] query: InboxQuery,
) -> Result<Snapshot<Inbox>, AppError> {
    crate::backend::use_backend()?.in_project(&project).inbox(query).await
}

/// What one's badge says.
#[server(prefix = "/fn", endpoint = "count_notifications", input = GetUrl, output = JsonText)]
pub async fn count_notifications(project: String) -> Result<Snapshot<NotificationCount>, AppError> {
    crate::backend::use_backend()?.in_project(&project).notification_count().await
}

/// One of one's notifications.
#[server(prefix = "/fn", endpoint = "get_notification", input = GetUrl, output = JsonText)]
pub async fn get_notification(
    project: String,
    id: NotificationId,
) -> Result<Snapshot<Notification>, AppError> {
    crate::backend::use_backend()?.in_project(&project).notification(id).await
}

/// Does something with notifications of one's own: all or none.
#[server(prefix = "/fn", endpoint = "move_notifications", output = JsonText)]
pub async fn move_notifications(
    project: String,
    ids: Vec<NotificationId>,
    step: NotificationStep,
) -> Result<NotificationsMoved, AppError> {
    let backend = crate::backend::use_backend()?.in_project(&project);
    let count = backend.move_notifications(ids.clone(), step).await?;
    Ok(NotificationsMoved { ids, step, count })
}

/// All of one's own that were sent up to this one count as read.
#[server(prefix = "/fn", endpoint = "read_notifications", output = JsonText)]
pub async fn read_notifications(
    project: String,
    up_to: NotificationId,
) -> Result<NotificationCount, AppError> {
    crate::backend::use_backend()?.in_project(&project).read_notifications(up_to).await
}

/// What one wants of notifications.
#[server(prefix = "/fn", endpoint = "get_notification_settings", input = GetUrl, output = JsonText)]
pub async fn get_notification_settings(
    project: String,
) -> Result<Snapshot<NotificationSettingsPage>, AppError> {
    crate::backend::use_backend()?.in_project(&project).notification_settings().await
}

/// Says anew what one wants of notifications.
#[server(prefix = "/fn", endpoint = "save_notification_settings", output = JsonText)]
pub async fn save_notification_settings(
    project: String,
    settings: NotificationSettingsForm,
) -> Result<(), AppError> {
    let settings =
        settings.read().map_err(|wrong| AppError::Invalid { field: wrong.name, message: wrong.message })?;
    crate::backend::use_backend()?.in_project(&project).save_notification_settings(settings).await
}

/// The rules that turn events into notifications.
#[server(prefix = "/fn", endpoint = "list_notification_rules", input = GetUrl, output = JsonText)]
pub async fn list_notification_rules(project: String) -> Result<Snapshot<Vec<NotificationRule>>, AppError> {
    crate::backend::use_backend()?.in_project(&project).notification_rules().await
}

/// One of them.
#[server(prefix = "/fn", endpoint = "get_notification_rule", input = GetUrl, output = JsonText)]
pub async fn get_notification_rule(
    project: String,
    id: NotificationRuleId,
) -> Result<Snapshot<NotificationRule>, AppError> {
    crate::backend::use_backend()?.in_project(&project).notification_rule(id).await
}

/// What rules made of an event, and what became of that.
#[server(prefix = "/fn", endpoint = "get_event_notifications", input = GetUrl, output = JsonText)]
pub async fn get_event_notifications(
    project: String,
    id: EventId,
) -> Result<Vec<NotificationProof>, AppError> {
    crate::backend::use_backend()?.in_project(&project).event_notifications(id).await
}

/// What rules made of the events of a record, newest first.
#[server(prefix = "/fn", endpoint = "get_record_notifications", input = GetUrl, output = JsonText)]
pub async fn get_record_notifications(
    project: String,
    module: String,
    id: String,
) -> Result<Vec<NotificationProof>, AppError> {
    crate::backend::use_backend()?.in_project(&project).record_notifications(&module, &id).await
}

/// One of one's notifications, opened: it counts as read.
///
/// # Errors
/// There is none by this id, or nothing can be read or written now.
pub async fn open_notification(
    project: String,
    id: NotificationId,
) -> Result<Snapshot<Notification>, AppError> {
    let mut snapshot = get_notification(project.clone(), id).await?;
    if snapshot.data.read_at.is_none() {
        move_notifications(project, vec![id], NotificationStep::Read).await?;
        let (row, at) = (&mut snapshot.data, Some(snapshot.as_of));
        (row.delivered_at, row.seen_at, row.read_at) = (row.delivered_at.or(at), row.seen_at.or(at), at);
    }
    Ok(snapshot)
}
