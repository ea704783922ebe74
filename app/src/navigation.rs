//! The pages that somebody can reach from everywhere: one list, for the navigation, the palette and the keys.

use crate::components::IconName;
use crate::model::{CurrentUser, NOTIFICATIONS, OVERVIEW};

/// The documents of the API, for those who belong to the project itself: no page of the dashboard.
pub const API_REFERENCE: &str = "/api/docs";

/// Under which heading of the navigation a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What is looked at every day; it needs no heading.
    Work,
    /// What runs behind it.
    Machinery,
    /// Who may do what in the project.
    Project,
}

/// A page that somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its address, without the project.
    pub path: String,
    /// What it is called.
    pub label: String,
    /// Its icon.
    pub icon: IconName,
    /// Where in the navigation.
    pub section: Section,
}

/// What is behind the modules: the permission that it takes, its name, address, icon and section.
const MANAGED: [(&str, &str, &str, IconName, Section); 11] = [
    ("connections.manage", "Connections", "/connections", IconName::Plug, Section::Machinery),
    ("connections.manage", "Channels", "/channels", IconName::Channel, Section::Machinery),
    ("jobs.read", "Jobs", "/jobs", IconName::Stack, Section::Machinery),
    ("jobs.read", "System", "/system", IconName::Gauge, Section::Machinery),
    ("webhooks.manage", "Webhooks", "/webhooks", IconName::Hook, Section::Machinery),
    (
        "notifications.manage",
        "Notification rules",
        "/notification-rules",
        IconName::Route,
        Section::Machinery,
    ),
    ("users.read", "People", "/people", IconName::People, Section::Project),
    ("keys.manage", "API keys", "/api-keys", IconName::Key, Section::Project),
    ("audit.view", "Audit log", "/audit", IconName::History, Section::Project),
    ("audit.view", "Witness", "/witness", IconName::Check, Section::Project),
    ("users.read", "Project", "/project", IconName::Gear, Section::Project),
];

/// The pages that somebody may see, in the order of the navigation; of whom nobody knows who it is, those that everybody has.
#[must_use]
pub fn places_of(user: Option<&CurrentUser>) -> Vec<Place> {
    let place = |label: &str, path: &str, icon, section| Place {
        path: path.to_owned(),
        label: label.to_owned(),
        icon,
        section,
    };
    let mut places = Vec::new();
    if user.is_none_or(|user| user.home() == OVERVIEW) {
        places.push(place("Overview", OVERVIEW, IconName::Overview, Section::Work));
    }
    if user.is_some_and(|user| user.may("events.read")) {
        places.push(place("Events", "/events", IconName::Signal, Section::Work));
    }
    places.push(place("Notifications", NOTIFICATIONS, IconName::Bell, Section::Work));
    let Some(user) = user else { return places };
    for module in &user.modules {
        let path = format!("/{}", module.name);
        places.push(place(&module.title, &path, IconName::named(&module.icon), Section::Work));
    }
    for (permission, label, path, icon, section) in MANAGED {
        if user.may_manage(permission) {
            places.push(place(label, path, icon, section));
        }
    }
    places
}
