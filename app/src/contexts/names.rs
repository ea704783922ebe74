//! Names that a page knows: of people and organizations, by their ids.

use std::collections::BTreeMap;

use leptos::prelude::*;
use tidewatch_events::id::{OrganizationId, UserId};

use crate::format;

/// The names on a page. They follow what the page knows.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// Who is who.
    pub people: Memo<BTreeMap<UserId, String>>,
    /// Which organizations there are, as far as the reader may know.
    pub organizations: Memo<BTreeMap<OrganizationId, String>>,
}

/// What the actor `user:usr_…` is called; a short id where no name is known here.
#[must_use]
pub fn person_called(actor: &str) -> String {
    let id = actor.rsplit(':').next().unwrap_or(actor);
    let names = use_context::<Names>();
    let name = names.zip(id.parse().ok()).and_then(|(names, id)| names.people.read().get(&id).cloned());
    name.unwrap_or_else(|| format::short_id(id))
}

/// What an organization is called; `None` where its name is not known here.
#[must_use]
pub fn organization_called(id: &str) -> Option<String> {
    let names = use_context::<Names>()?;
    names.organizations.read().get(&id.parse().ok()?).cloned()
}
