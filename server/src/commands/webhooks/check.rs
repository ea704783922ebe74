//! What can be said of an endpoint, checked.

use tidewatch_events::Permission;
use tidewatch_events::filter::TypePattern;

use crate::error::Error;
use crate::state::AppState;

/// Most characters of a description.
const MAX_DESCRIPTION: usize = 500;
/// Most patterns of event types, and most permissions.
const MAX_ENTRIES: usize = 100;

/// A URL that webhooks may go to, as it is read: what its name stands for is looked at each time that one is sent.
///
/// # Errors
/// 422.
pub fn url(state: &AppState, text: &str) -> Result<String, Error> {
    match state.webhooks.sender.guard().check(text.trim()) {
        Ok(url) => Ok(url.into()),
        Err(refusal) => Err(Error::field("url", refusal)),
    }
}

/// A text for people.
///
/// # Errors
/// 422.
pub fn description(text: &str) -> Result<&str, Error> {
    let text = text.trim();
    if text.chars().count() > MAX_DESCRIPTION || text.chars().any(char::is_control) {
        return Err(Error::field(
            "description",
            format!("must be at most {MAX_DESCRIPTION} characters in one line"),
        ));
    }
    Ok(text)
}

/// Patterns of event types, each once.
///
/// # Errors
/// 422 that points at the first one that is none.
pub fn types(patterns: Vec<String>) -> Result<Vec<String>, Error> {
    for (index, pattern) in patterns.iter().enumerate() {
        pattern.parse::<TypePattern>().map_err(|error| Error::field(&format!("types/{index}"), error))?;
    }
    entries("types", patterns)
}

/// Permissions, each once.
///
/// # Errors
/// 422 that points at the first one that is none.
pub fn permissions(names: Vec<String>) -> Result<Vec<String>, Error> {
    for (index, name) in names.iter().enumerate() {
        name.parse::<Permission>().map_err(|error| Error::field(&format!("permissions/{index}"), error))?;
    }
    entries("permissions", names)
}

fn entries(field: &str, mut entries: Vec<String>) -> Result<Vec<String>, Error> {
    if entries.len() > MAX_ENTRIES {
        return Err(Error::field(field, format!("must have at most {MAX_ENTRIES} entries")));
    }
    entries.sort();
    entries.dedup();
    Ok(entries)
}
