//! A page of one's notifications.
//!
//! Whoever reads the stream hears of their own notifications alone, so every event about one is about the reader's.
//! What becomes of a notification on the page is known from its event; of one that is new, or comes back into the
//! folder, the event does not say what it says: then the page is read anew.

use std::collections::BTreeSet;

use tidewatch_events::id::NotificationId;
use tidewatch_events::{Envelope, Timestamp};

use super::notification::become_of;
use super::{Holdable, Reducer};
use crate::model::{
    Inbox, InboxQuery, Notification, NotificationFolder, NotificationGroup, NotificationStep, Snapshot,
};

/// A page of notifications that follows events.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxList {
    query: InboxQuery,
    /// What a fresh load would give, as far as events tell.
    inbox: Inbox,
    as_of: Timestamp,
    /// What stays on the screen while someone points at it.
    held: Option<Vec<Notification>>,
    is_stale: bool,
}

impl InboxList {
    /// The page as it was loaded.
    #[must_use]
    pub fn new(query: InboxQuery, snapshot: Snapshot<Inbox>) -> Self {
        Self { query, inbox: snapshot.data, as_of: snapshot.as_of, held: None, is_stale: false }
    }

    /// What a fresh load would give; what waits is in it.
    #[must_use]
    pub const fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// When it was read.
    #[must_use]
    pub const fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// What is on the screen.
    #[must_use]
    pub fn visible(&self) -> &[Notification] {
        self.held.as_deref().unwrap_or(&self.inbox.notifications)
    }

    /// One that is on the screen.
    #[must_use]
    pub fn row(&self, id: NotificationId) -> Option<&Notification> {
        self.visible().iter().find(|row| row.id == id)
    }

    /// Whether one that is on the screen no longer belongs there, and goes when it is let go.
    #[must_use]
    pub fn is_leaving(&self, id: NotificationId) -> bool {
        self.held.is_some() && !self.inbox.notifications.iter().any(|row| row.id == id)
    }

    /// What is on the screen, by what belongs together.
    #[must_use]
    pub fn groups(&self) -> Vec<NotificationGroup> {
        NotificationGroup::of(self.visible(), self.query.is_grouped())
    }

    /// What is on the screen for the first time; of what is folded away, the groups that are `opened`.
    #[must_use]
    pub fn unseen(&self, opened: &BTreeSet<String>) -> Vec<NotificationId> {
        let is_unseen = |id: &NotificationId| self.row(*id).is_some_and(|row| row.seen_at.is_none());
        let groups = self.groups().into_iter();
        let shown = groups.flat_map(|group| {
            let folded = if opened.contains(&group.key) { group.folded } else { Vec::new() };
            group.shown.into_iter().chain(folded)
        });
        shown.filter(is_unseen).collect()
    }

    /// Takes off at once what does not belong there any more after `step`, though somebody points at it: they asked for
    /// it. What stays changes by its event.
    pub fn dismiss(&mut self, ids: &[NotificationId], step: NotificationStep) {
        let goes = match self.query.folder {
            NotificationFolder::Unread => {
                matches!(
                    step,
                    NotificationStep::Read | NotificationStep::Acknowledge | NotificationStep::Archive
                )
            }
            // What is read there stays as long as it waits: its event tells.
            NotificationFolder::Open => {
                matches!(step, NotificationStep::Acknowledge | NotificationStep::Archive)
            }
            NotificationFolder::All => step == NotificationStep::Archive,
            NotificationFolder::Archived => step == NotificationStep::Unarchive,
        };
        if goes {
            if step == NotificationStep::Acknowledge {
                let done = self.waiting_here().into_iter().filter(|id| ids.contains(id)).count();
                let left = &mut self.inbox.count.unacknowledged;
                *left = left.saturating_sub(done as u64);
            }
            self.inbox.notifications.retain(|row| !ids.contains(&row.id));
            if let Some(held) = &mut self.held {
                held.retain(|row| !ids.contains(&row.id));
            }
        }
    }

    /// How many wait to be acknowledged that are not on the page. Where the page is only a part of the folder, they may
    /// stand in another part of it: of that nothing is said.
    #[must_use]
    pub fn waiting_elsewhere(&self) -> u64 {
        let is_part = self.query.is_narrowed() || self.query.after.is_some() || self.inbox.next.is_some();
        if is_part {
            return 0;
        }
        self.inbox.count.unacknowledged.saturating_sub(self.waiting_here().len() as u64)
    }

    /// Those that wait to be acknowledged of what is on the screen, and of what will be once it is let go.
    fn waiting_here(&self) -> BTreeSet<NotificationId> {
        let rows = self.inbox.notifications.iter().chain(self.held.iter().flatten());
        rows.filter(|row| row.waits()).map(|row| row.id).collect()
    }

    /// Has all that is on the screen be read, because the reader said so.
    pub fn read_all(&mut self) {
        let at = Some(self.as_of);
        for row in self.inbox.notifications.iter_mut().chain(self.held.iter_mut().flatten()) {
            row.read_at = row.read_at.or(at);
        }
        if self.query.folder == NotificationFolder::Unread {
            self.inbox.notifications.clear();
            self.held = self.held.take().map(|_| Vec::new());
        }
    }

    fn belongs(&self, row: &Notification) -> bool {
        match self.query.folder {
            NotificationFolder::Unread => row.read_at.is_none() && row.archived_at.is_none(),
            NotificationFolder::Open => (row.read_at.is_none() || row.waits()) && row.archived_at.is_none(),
            NotificationFolder::All => row.archived_at.is_none(),
            NotificationFolder::Archived => row.archived_at.is_some(),
        }
    }

    /// Takes in what became of one that the page knows.
    fn follow(&mut self, id: NotificationId, envelope: &Envelope) -> bool {
        let held = self.held.iter_mut().flatten();
        let Some(row) = self.inbox.notifications.iter_mut().chain(held).find(|row| row.id == id) else {
            return false;
        };
        let Ok(version) = u64::try_from(envelope.aggregate_version) else { return false };
        if version <= row.version {
            return false;
        }
        let (is_next, waited) = (version == row.version + 1, row.waits());
        row.version = version;
        self.is_stale |= !is_next || !become_of(row, envelope);
        if waited && !row.waits() {
            let left = &mut self.inbox.count.unacknowledged;
            *left = left.saturating_sub(1);
        }
        let row = row.clone();
        for held in self.held.iter_mut().flatten().filter(|held| held.id == id) {
            held.clone_from(&row);
        }
        if !self.belongs(&row) {
            let before = self.inbox.notifications.len();
            self.inbox.notifications.retain(|known| known.id != id);
            // Behind a page that became shorter there may be more.
            self.is_stale |= self.inbox.next.is_some() && self.inbox.notifications.len() < before;
        } else if !self.inbox.notifications.iter().any(|known| known.id == id) {
            // It comes back, while it is still on the screen.
            self.is_stale = true;
        }
        true
    }

    fn knows(&self, id: NotificationId) -> bool {
        self.inbox.notifications.iter().chain(self.held.iter().flatten()).any(|row| row.id == id)
    }
}

impl Reducer for InboxList {
    type Data = Inbox;

    fn apply(&mut self, envelope: &Envelope) -> bool {
        let event_type = envelope.event_type.as_str();
        let Ok(id) = envelope.aggregate_id.parse::<NotificationId>() else { return false };
        if self.knows(id) {
            return self.follow(id, envelope);
        }
        // One that the page does not know may come into the folder, or no longer wait elsewhere.
        let comes = match self.query.folder {
            NotificationFolder::Unread | NotificationFolder::Open => {
                ["notification.sent", "notification.marked_unread", "notification.unarchived"]
                    .contains(&event_type)
            }
            NotificationFolder::All => ["notification.sent", "notification.unarchived"].contains(&event_type),
            NotificationFolder::Archived => event_type == "notification.archived",
        };
        let settles = matches!(event_type, "notification.acknowledged" | "notification.settled");
        self.is_stale |= comes || (settles && self.inbox.count.unacknowledged > 0);
        false
    }

    fn replace(&mut self, snapshot: Snapshot<Inbox>) {
        self.inbox = snapshot.data;
        self.as_of = snapshot.as_of;
        self.is_stale = false;
        for row in self.held.iter_mut().flatten() {
            if let Some(newer) = self.inbox.notifications.iter().find(|newer| newer.id == row.id) {
                row.clone_from(newer);
            }
        }
    }

    fn wants_refetch(&self) -> bool {
        self.is_stale
    }
}

impl Holdable for InboxList {
    fn hold(&mut self) {
        if self.held.is_none() {
            self.held = Some(self.inbox.notifications.clone());
        }
    }

    fn release(&mut self) {
        self.held = None;
    }

    fn waiting(&self) -> usize {
        let Some(held) = &self.held else { return 0 };
        let is_held = |row: &Notification| held.iter().any(|known| known.id == row.id);
        // Below are those that come up from the following page.
        self.inbox.notifications.iter().take_while(|row| !is_held(row)).count()
    }
}

#[cfg(test)]
mod tests;
