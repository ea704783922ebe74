//! Notifications, for pages: one's own inbox, and what managers see of rules and of what became of what those made.

use tidewatch_app::model::{
    Inbox, InboxQuery, Notification, NotificationCount, NotificationProof, NotificationRule,
    NotificationSettings, NotificationSettingsPage, NotificationStep, Snapshot,
};
use tidewatch_events::EventId;
use tidewatch_events::id::{NotificationId, NotificationRuleId};

use super::RequestBackend;
use crate::commands::notifications::settings;
use crate::commands::notifications::steps::{self, Recipient};
use crate::error::Error;
use crate::notifications::receipts::Way;
use crate::queries::notifications as queries;

/// Notifications of a page.
const PAGE: u32 = 50;

impl RequestBackend {
    async fn recipient(&self) -> Result<Recipient, Error> {
        Recipient::of(self.caller().await?, &self.origin(), Way::Page)
    }

    pub(super) async fn read_inbox(&self, asked: &InboxQuery) -> Result<Snapshot<Inbox>, Error> {
        queries::inbox(&self.state, &self.recipient().await?, asked, PAGE).await
    }

    pub(super) async fn read_notification_count(&self) -> Result<Snapshot<NotificationCount>, Error> {
        queries::count(&self.state, self.caller().await?).await
    }

    pub(super) async fn read_notification(
        &self,
        id: NotificationId,
    ) -> Result<Snapshot<Notification>, Error> {
        queries::notification(&self.state, &self.recipient().await?, id).await
    }

    pub(super) async fn step_notifications(
        &self,
        ids: &[NotificationId],
        step: NotificationStep,
    ) -> Result<NotificationCount, Error> {
        steps::take(&self.state, &self.recipient().await?, ids, step).await?;
        Ok(queries::count(&self.state, self.caller().await?).await?.data)
    }

    pub(super) async fn read_up_to(&self, up_to: NotificationId) -> Result<NotificationCount, Error> {
        steps::read_up_to(&self.state, &self.recipient().await?, up_to).await?;
        Ok(queries::count(&self.state, self.caller().await?).await?.data)
    }

    pub(super) async fn read_notification_settings(
        &self,
    ) -> Result<Snapshot<NotificationSettingsPage>, Error> {
        let caller = self.caller().await?;
        self.stamped(caller, queries::settings_page(&self.state, caller)).await
    }

    pub(super) async fn write_notification_settings(
        &self,
        wanted: &NotificationSettings,
    ) -> Result<(), Error> {
        settings::save(&self.state, self.caller().await?, &self.origin(), wanted).await
    }

    pub(super) async fn read_notification_rules(&self) -> Result<Snapshot<Vec<NotificationRule>>, Error> {
        let caller = self.caller().await?;
        self.stamped(caller, queries::rules(&self.state, caller)).await
    }

    pub(super) async fn read_notification_rule(
        &self,
        id: NotificationRuleId,
    ) -> Result<Snapshot<NotificationRule>, Error> {
        let caller = self.caller().await?;
        self.stamped(caller, queries::rule(&self.state, caller, id)).await
    }

    pub(super) async fn read_event_notifications(
        &self,
        id: EventId,
    ) -> Result<Vec<NotificationProof>, Error> {
        queries::of_event(&self.state, self.caller().await?, id).await
    }

    pub(super) async fn read_record_notifications(
        &self,
        module: &str,
        id: &str,
    ) -> Result<Vec<NotificationProof>, Error> {
        let ids = self.latest_events(module, id).await?;
        queries::of_events(&self.state, self.caller().await?, &ids).await
    }
}
