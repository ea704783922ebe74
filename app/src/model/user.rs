//! Who is signed in.

use serde::{Deserialize, Serialize};
use tidewatch_events::id::{ProjectId, UserId};

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
    /// The project that they look at.
    pub project_id: ProjectId,
    /// Its name.
    pub project_name: String,
    /// Their roles in it.
    pub roles: Vec<String>,
    /// Whether they may create and move settlements (`settlements.act`).
    pub may_act: bool,
}
