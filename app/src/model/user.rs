//! Who is signed in.

use serde::{Deserialize, Serialize};
use tidewatch_events::id::{ProjectId, SavedViewId, UserId};
use tidewatch_events::{Permission, PermissionSet, Position};

/// The address of the overview.
pub const OVERVIEW: &str = "/";
/// The address of one's notifications, which everybody may see.
pub const NOTIFICATIONS: &str = "/notifications";

/// The person at the screen, in the project they work in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CurrentUser {
    /// Who.
    pub id: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Its name in addresses.
    pub project_slug: String,
    /// All projects that they are in, this one too.
    pub projects: Vec<ProjectLink>,
    /// The project that they look at.
    pub project_id: ProjectId,
    /// Its name.
    pub project_name: String,
    /// Their roles in it.
    pub roles: Vec<String>,
    /// Whether they belong to the project itself, and not to one of its customers.
    pub staff: bool,
    /// How far the project's stream went when this was read.
    pub position: Position,
    /// The same as the token that a stream is opened with.
    pub resume_token: String,
    /// The modules that they may look into, in the order of navigation.
    pub modules: Vec<ModuleLink>,
    /// What they look at often.
    pub views: Vec<SavedView>,
    /// What they may there; for the page alone: the server asks for itself.
    pub permissions: PermissionSet,
}

impl CurrentUser {
    /// Whether they hold the permission of this name, and belong to the project itself: what the
    /// pages of the project's administration ask for.
    #[must_use]
    pub fn may_manage(&self, permission: &str) -> bool {
        self.staff && self.may(permission)
    }

    /// The page to begin at: the overview for those who may see it, else the first module that they may look into, else
    /// their notifications.
    #[must_use]
    pub fn home(&self) -> String {
        home(&self.permissions, self.modules.iter().map(|module| &*module.name))
    }

    /// Whether they hold the permission of this name.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        permission.parse().is_ok_and(|permission| self.permissions.contains(&permission))
    }
}

/// The page to begin at for whoever holds these permissions and may look into these modules.
#[must_use]
pub fn home<'m>(held: &PermissionSet, mut modules: impl Iterator<Item = &'m str>) -> String {
    // What the overview is about.
    if held.contains(&Permission::SETTLEMENTS_READ) {
        return OVERVIEW.to_owned();
    }
    match modules.next() {
        Some(first) => format!("/{first}"),
        // Whoever uses no part of this dashboard is told of something by it all the same.
        None => NOTIFICATIONS.to_owned(),
    }
}

/// A module in the navigation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleLink {
    /// Its name in addresses.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// The name of its icon.
    pub icon: String,
}

/// What somebody looks at often: a page with what its address asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedView {
    /// Which.
    pub id: SavedViewId,
    /// The page, such as `/settlements`.
    pub path: String,
    /// What its address asks for, without the question mark.
    pub query: String,
    /// What it is called.
    pub name: String,
}

impl SavedView {
    /// Its address, without the project.
    #[must_use]
    pub fn address(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

/// A project that a person is in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectLink {
    /// Its name in addresses.
    pub slug: String,
    /// What it is called.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_begins_at_a_page_that_they_may_see() {
        let held = |names: &[Permission]| names.iter().cloned().collect::<PermissionSet>();
        assert_eq!(home(&PermissionSet::All, ["settlements"].into_iter()), "/");
        assert_eq!(home(&held(&[Permission::SETTLEMENTS_READ]), ["settlements"].into_iter()), "/");
        let tenant = held(&[Permission::EVENTS_READ, Permission::PAYMENTS_READ]);
        assert_eq!(home(&tenant, ["payments", "tickets"].into_iter()), "/payments");
        for nothing_else in [&[][..], &[Permission::EVENTS_READ], &[Permission::NOTIFICATIONS_READ]] {
            assert_eq!(home(&held(nothing_else), std::iter::empty()), "/notifications");
        }
    }
}
