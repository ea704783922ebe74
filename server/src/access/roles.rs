//! Roles: sets of permissions by name.

use tidewatch_events::{Permission, PermissionSet};

/// What the roles of a person allow together.
#[must_use]
pub fn permissions<'a>(roles: impl IntoIterator<Item = &'a str>) -> PermissionSet {
    let mut held = std::collections::BTreeSet::new();
    for role in roles {
        match role {
            "admin" => return PermissionSet::All,
            "operator" => {
                held.extend(all_read());
                held.insert(Permission::SETTLEMENTS_ACT);
            }
            "viewer" => held.extend(all_read()),
            // A role that this version does not know allows nothing.
            _ => {}
        }
    }
    PermissionSet::Named(held)
}

/// What the scopes of an API key allow together. `*` is all; `events.read` opens the stream and
/// everything that can be read on it.
#[must_use]
pub fn scope_permissions<'a>(scopes: impl IntoIterator<Item = &'a str>) -> PermissionSet {
    let mut held = std::collections::BTreeSet::new();
    for scope in scopes {
        match scope {
            "*" => return PermissionSet::All,
            "events.read" => held.extend(all_read()),
            other => held.extend(other.parse::<Permission>()),
        }
    }
    PermissionSet::Named(held)
}

fn all_read() -> impl Iterator<Item = Permission> {
    Permission::BUILT_IN.iter().filter(|permission| permission.is_read()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_reads_and_does_nothing() {
        let viewer = permissions(["viewer"]);
        for permission in Permission::BUILT_IN {
            assert_eq!(viewer.contains(permission), permission.is_read(), "{permission}");
        }
        assert!(permissions(["operator"]).contains(&Permission::SETTLEMENTS_ACT));
        assert_eq!(permissions(["viewer", "admin"]), PermissionSet::All);
        assert_eq!(permissions(["unknown"]), PermissionSet::none());
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
