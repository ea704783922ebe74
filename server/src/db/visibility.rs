//! The one rule in SQL: what `visible_to` of the migrations needs of a subject.

use tidewatch_events::{PermissionSet, Subject};

/// A subject as the arguments `held` and `names` of `visible_to`.
#[derive(Debug, Clone)]
pub struct SubjectColumns {
    /// The permissions; `None`: all there are.
    pub held: Option<Vec<String>>,
    /// The names under which an audience can address it.
    pub names: Vec<String>,
}

impl From<&Subject> for SubjectColumns {
    fn from(subject: &Subject) -> Self {
        Self {
            held: match &subject.permissions {
                PermissionSet::All => None,
                PermissionSet::Named(held) => Some(held.iter().map(ToString::to_string).collect()),
            },
            names: subject.identities.iter().map(ToString::to_string).collect(),
        }
    }
}
