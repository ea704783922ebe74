//! What of a page of notifications belongs together.

use tidewatch_events::id::NotificationId;

use super::{InboxQuery, Notification};

/// Notifications of a page that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationGroup {
    /// By what it is known again: the group, or the id of one that stands alone.
    pub key: String,
    /// What is shown: the newest one, and each that waits for somebody.
    pub shown: Vec<NotificationId>,
    /// What is folded behind it.
    pub folded: Vec<NotificationId>,
}

impl InboxQuery {
    /// Whether what belongs together is shown together: who asks for some notifications alone sees each of them.
    #[must_use]
    pub const fn is_grouped(&self) -> bool {
        self.search.is_empty() && self.group.is_none()
    }

    /// Whether it asks for less than a whole folder.
    #[must_use]
    pub const fn is_narrowed(&self) -> bool {
        !self.is_grouped()
    }
}

impl NotificationGroup {
    /// The groups of these rows, in the order of their newest ones.
    #[must_use]
    pub fn of(rows: &[Notification], is_grouped: bool) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for row in rows {
            let key = match is_grouped && !row.group.is_empty() {
                true => row.group.clone(),
                false => row.id.to_string(),
            };
            match groups.iter_mut().find(|group| group.key == key) {
                Some(group) if row.waits() => group.shown.push(row.id),
                Some(group) => group.folded.push(row.id),
                None => groups.push(Self { key, shown: vec![row.id], folded: Vec::new() }),
            }
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u128, group: &str) -> Notification {
        Notification { group: group.to_owned(), ..Notification::example(number) }
    }

    #[test]
    fn what_belongs_together_stands_together() {
        let waits = Notification { must_acknowledge: true, ..row(2, "a") };
        let rows = [row(5, "a"), row(4, ""), row(3, "a"), waits, row(1, "")];
        let id = |index: usize| rows[index].id;
        let groups = NotificationGroup::of(&rows, true);
        let keys: Vec<_> = groups.iter().map(|group| group.key.clone()).collect();
        assert_eq!(keys, ["a".to_owned(), id(1).to_string(), id(4).to_string()]);
        assert_eq!(groups[0].shown, [id(0), id(3)], "what waits is never folded away");
        assert_eq!(groups[0].folded, [id(2)]);
        assert_eq!(NotificationGroup::of(&rows, false).len(), 5);
    }
}
