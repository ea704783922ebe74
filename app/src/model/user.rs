//! Who is signed in.

use serde::{Deserialize, Serialize};
use tidewatch_events::id::{ProjectId, UserId};
use tidewatch_events::{PermissionSet, Position};

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

    /// Whether they hold the permission of this name.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        permission.parse().is_ok_and(|permission| self.permissions.contains(&permission))
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
