//! What a person wants of notifications.

use std::collections::HashSet;

use serde_json::json;
use tidewatch_app::model::NotificationSettings;
use tidewatch_events::filter::TypePattern;

use crate::access::Caller;
use crate::commands::Origin;
use crate::commands::audit::{Change, note};
use crate::db;
use crate::db::notifications::settings as table;
use crate::db::time_zones;
use crate::error::Error;
use crate::state::AppState;

/// Most preferences of a person.
const MAX_PREFERENCES: usize = 100;
/// Most characters of a pattern.
const MAX_PATTERN: usize = 100;
/// Minutes of a day.
const MINUTES: u16 = 24 * 60;

/// From now on the caller wants this, and nothing else.
///
/// # Errors
/// 403 for an API key, 422.
pub async fn save(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    settings: &NotificationSettings,
) -> Result<(), Error> {
    let (project, user) = (caller.project(), caller.recipient()?);
    check(settings)?;
    let mut transaction = db::begin_change(&state.pool, project).await?;
    let before = table::find(&mut transaction, project, user).await?;
    // To know all zones is expensive, and few move.
    let zone = &settings.time_zone;
    if *zone != before.time_zone && !time_zones::is_known(&mut transaction, zone).await? {
        return Err(Error::field("timeZone", "must be the name of a time zone, such as Europe/Vienna"));
    }
    table::save(&mut transaction, project, user, settings).await?;
    let after = table::find(&mut transaction, project, user).await?;
    if after != before {
        let change = Change {
            action: "notification_settings.update",
            target: user.to_string(),
            target_name: &caller.name,
            before: Some(json!(before)),
            after: Some(json!(after)),
        };
        note(&mut transaction, caller, origin, change).await?;
    }
    transaction.commit().await?;
    Ok(())
}

fn check(settings: &NotificationSettings) -> Result<(), Error> {
    if settings.preferences.len() > MAX_PREFERENCES {
        return Err(Error::field("preferences", format!("must have at most {MAX_PREFERENCES} entries")));
    }
    let mut known = HashSet::new();
    for (index, preference) in settings.preferences.iter().enumerate() {
        let field = format!("preferences/{index}/pattern");
        let pattern = &preference.pattern;
        pattern.parse::<TypePattern>().map_err(|error| Error::field(&field, error))?;
        if pattern.chars().count() > MAX_PATTERN {
            return Err(Error::field(&field, format!("must be at most {MAX_PATTERN} characters")));
        }
        if !known.insert(pattern) {
            return Err(Error::field(&field, "is there twice"));
        }
    }
    if let Some(quiet) = settings.quiet {
        for (field, minute) in [("quiet/from", quiet.from), ("quiet/until", quiet.until)] {
            if minute >= MINUTES {
                return Err(Error::field(
                    field,
                    format!("must be a minute of the day: 0 to {}", MINUTES - 1),
                ));
            }
        }
    }
    Ok(())
}
