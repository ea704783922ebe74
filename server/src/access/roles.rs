//! Roles: sets of permissions by name, and how far they reach.

use std::collections::BTreeSet;

use tidewatch_events::{Permission, PermissionSet, SubjectRef};

/// How far a role's permissions reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everything in the project that the permissions open.
    Project,
    /// Of that, what is for everyone, and what is addressed to the person or to one of their
    /// organizations.
    Own,
}

/// A role that every project has.
#[derive(Debug, Clone, Copy)]
pub struct BuiltInRole {
    /// Its name in audiences and memberships.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// How far it reaches.
    pub reach: Reach,
    permissions: fn() -> PermissionSet,
}

impl BuiltInRole {
    /// What it allows.
    #[must_use]
    pub fn permissions(&self) -> PermissionSet {
        (self.permissions)()
    }
}

/// The roles that every project has, the mightiest first.
pub const BUILT_IN: [BuiltInRole; 8] = [
    BuiltInRole {
        name: "admin",
        title: "Administrator",
        description: "Sees and does everything in the project.",
        reach: Reach::Project,
        permissions: || PermissionSet::All,
    },
    BuiltInRole {
        name: "operator",
        title: "Operator",
        description: "Sees everything, acts on settlements, payments, orders, incidents, servers and tickets, approves what those cost, and manages webhooks and rules of notifications.",
        reach: Reach::Project,
        permissions: || {
            let own = [Permission::WEBHOOKS_MANAGE, Permission::NOTIFICATIONS_MANAGE];
            reading().chain(acting()).chain(own).collect()
        },
    },
    BuiltInRole {
        name: "developer",
        title: "Developer",
        description: "Sees everything, publishes events, and manages API keys, webhooks, rules of notifications and connections.",
        reach: Reach::Project,
        permissions: || {
            let own = [
                Permission::EVENTS_PUBLISH,
                Permission::TOKENS_SIGN,
                Permission::KEYS_MANAGE,
                Permission::CONNECTIONS_MANAGE,
                Permission::JOBS_ACT,
                Permission::WEBHOOKS_MANAGE,
                Permission::NOTIFICATIONS_MANAGE,
            ];
            reading().chain(own).collect()
        },
    },
    BuiltInRole {
        name: "viewer",
        title: "Viewer",
        description: "Sees everything and changes nothing.",
        reach: Reach::Project,
        permissions: || reading().collect(),
    },
    BuiltInRole {
        name: "ops",
        title: "Operations of an organization",
        description: "Sees and acts on everything of their organizations.",
        reach: Reach::Own,
        // But not to whom else something was given: that is the staff's.
        permissions: || {
            let seen = reading().filter(|permission| *permission != Permission::DELIVERIES_READ);
            seen.chain(acting()).collect()
        },
    },
    BuiltInRole {
        name: "landlord",
        title: "Landlord",
        description: "Sees the settlements, payments, orders, incidents and tickets of their properties, and approves tickets.",
        reach: Reach::Own,
        permissions: || {
            [
                Permission::EVENTS_READ,
                Permission::SETTLEMENTS_READ,
                Permission::PAYMENTS_READ,
                Permission::ORDERS_READ,
                Permission::BALANCES_READ,
                Permission::INCIDENTS_READ,
                Permission::TICKETS_READ,
                Permission::TICKETS_ACT,
                Permission::TICKETS_APPROVE,
                Permission::NOTIFICATIONS_READ,
            ]
            .into_iter()
            .collect()
        },
    },
    BuiltInRole {
        name: "tenant",
        title: "Tenant",
        description: "Sees the payments, incidents and tickets of their tenancies.",
        reach: Reach::Own,
        permissions: || {
            [
                Permission::EVENTS_READ,
                Permission::PAYMENTS_READ,
                Permission::INCIDENTS_READ,
                Permission::TICKETS_READ,
                Permission::NOTIFICATIONS_READ,
            ]
            .into_iter()
            .collect()
        },
    },
    BuiltInRole {
        name: "contractor",
        title: "Contractor",
        description: "Sees the tickets that are assigned to them, and quotes and finishes those.",
        reach: Reach::Own,
        permissions: || {
            [
                Permission::EVENTS_READ,
                Permission::TICKETS_READ,
                Permission::TICKETS_ACT,
                Permission::NOTIFICATIONS_READ,
            ]
            .into_iter()
            .collect()
        },
    },
];

/// The built-in role of this name.
#[must_use]
pub fn built_in(name: &str) -> Option<&'static BuiltInRole> {
    BUILT_IN.iter().find(|role| role.name == name)
}

/// A role of a project's own, as a membership needs it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct CustomRole {
    /// Its name.
    pub name: String,
    /// What it allows.
    pub permissions: BTreeSet<Permission>,
    /// Whether it reaches through the project, or to what is the person's own.
    pub project_wide: bool,
}

/// What the roles of a person come to together: permissions add up, and so do names.
#[must_use]
pub fn combine(names: &[String], custom: &[CustomRole]) -> (PermissionSet, BTreeSet<SubjectRef>) {
    let mut all = false;
    let mut held = BTreeSet::new();
    let mut identities = BTreeSet::new();
    for name in names {
        let (permissions, reach) = if let Some(role) = built_in(name) {
            (role.permissions(), role.reach)
        } else if let Some(role) = custom.iter().find(|role| role.name == *name) {
            let reach = if role.project_wide { Reach::Project } else { Reach::Own };
            (PermissionSet::Named(role.permissions.clone()), reach)
        } else {
            // A role that is gone, or that this version does not know, allows nothing.
            continue;
        };
        identities.insert(SubjectRef::Role(name.clone()));
        if reach == Reach::Project {
            identities.insert(SubjectRef::staff());
        }
        match permissions {
            PermissionSet::All => all = true,
            PermissionSet::Named(named) => held.extend(named),
        }
    }
    (if all { PermissionSet::All } else { PermissionSet::Named(held) }, identities)
}

/// The names of the roles that allow this, built in and of a project's own.
#[must_use]
pub fn roles_with(permission: &Permission, custom: &[CustomRole]) -> Vec<String> {
    let built_in = BUILT_IN.iter().filter(|role| role.permissions().contains(permission));
    let own = custom.iter().filter(|role| role.permissions.contains(permission));
    built_in.map(|role| role.name.to_owned()).chain(own.map(|role| role.name.clone())).collect()
}

/// What the scopes of an API key allow together. `*` is all; `events.read` opens the stream and
/// everything that can be read on it.
#[must_use]
pub fn scope_permissions<'a>(scopes: impl IntoIterator<Item = &'a str>) -> PermissionSet {
    let mut held = BTreeSet::new();
    for scope in scopes {
        match scope {
            "*" => return PermissionSet::All,
            "events.read" => held.extend(reading()),
            other => held.extend(other.parse::<Permission>()),
        }
    }
    PermissionSet::Named(held)
}

/// Everything that can be read.
pub fn reading() -> impl Iterator<Item = Permission> {
    Permission::BUILT_IN.iter().filter(|permission| permission.is_read()).cloned()
}

fn acting() -> impl Iterator<Item = Permission> {
    let acts = |permission: &&Permission| {
        permission.as_str().ends_with(".act") || **permission == Permission::TICKETS_APPROVE
    };
    Permission::BUILT_IN.iter().filter(acts).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn together(names: &[&str]) -> (PermissionSet, BTreeSet<SubjectRef>) {
        combine(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), &[])
    }

    #[test]
    fn a_viewer_reads_and_does_nothing() {
        let (viewer, names) = together(&["viewer"]);
        for permission in Permission::BUILT_IN {
            assert_eq!(viewer.contains(permission), permission.is_read(), "{permission}");
        }
        assert!(names.contains(&SubjectRef::staff()));
        assert!(together(&["operator"]).0.contains(&Permission::SETTLEMENTS_ACT));
        assert!(!together(&["operator"]).0.contains(&Permission::PEOPLE_MANAGE));
        assert_eq!(together(&["viewer", "admin"]).0, PermissionSet::All);
        assert_eq!(together(&["unknown"]), (PermissionSet::none(), BTreeSet::new()));
    }

    #[test]
    fn customers_are_no_staff() {
        for name in ["ops", "landlord", "tenant", "contractor"] {
            let (permissions, names) = together(&[name]);
            assert_eq!(names, BTreeSet::from([SubjectRef::Role(name.to_owned())]), "{name}");
            assert!(permissions.contains(&Permission::EVENTS_READ), "{name}");
            assert!(!permissions.contains(&Permission::PEOPLE_MANAGE), "{name}");
        }
        assert!(together(&["landlord"]).0.contains(&Permission::SETTLEMENTS_READ));
        assert!(!together(&["tenant"]).0.contains(&Permission::SETTLEMENTS_READ));
        assert!(!together(&["contractor"]).0.contains(&Permission::PAYMENTS_READ));
    }

    #[test]
    fn who_quotes_does_not_approve() {
        for name in ["admin", "operator", "landlord", "ops"] {
            assert!(together(&[name]).0.contains(&Permission::TICKETS_APPROVE), "{name}");
        }
        for name in ["developer", "viewer", "tenant", "contractor"] {
            assert!(!together(&[name]).0.contains(&Permission::TICKETS_APPROVE), "{name}");
        }
        assert!(together(&["contractor"]).0.contains(&Permission::TICKETS_ACT));
    }

    #[test]
    fn a_project_s_own_roles_allow_what_they_say() {
        let auditor = CustomRole {
            name: "auditor".into(),
            permissions: BTreeSet::from([Permission::AUDIT_VIEW]),
            project_wide: true,
        };
        let (permissions, names) = combine(&["auditor".into()], std::slice::from_ref(&auditor));
        assert_eq!(permissions, PermissionSet::Named(auditor.permissions.clone()));
        assert_eq!(names, BTreeSet::from([SubjectRef::staff(), SubjectRef::Role("auditor".into())]));
    }

    #[test]
    fn scopes_allow_what_they_name() {
        assert_eq!(scope_permissions(["*"]), PermissionSet::All);
        let publisher = scope_permissions(["events.publish"]);
        assert!(publisher.contains(&Permission::EVENTS_PUBLISH));
        assert!(!publisher.contains(&Permission::EVENTS_READ));
        assert!(!publisher.contains(&Permission::SETTLEMENTS_READ));
        assert!(scope_permissions(["events.read"]).contains(&Permission::SETTLEMENTS_READ));
        assert!(!scope_permissions(["events.read"]).contains(&Permission::SETTLEMENTS_ACT));
    }
}
