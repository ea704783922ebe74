//! Where a page of settlements begins.

use std::fmt;
use std::str::FromStr;

use tidewatch_events::Timestamp;
use tidewatch_events::id::SettlementId;

/// The place of a settlement in the order of every list: by (`created_at`, `id`).
///
/// Server and browser write it alike, since a list that grows by events alone knows the cursor of
/// its last row without asking. To everyone else it is an opaque text: `1763671432832-stl_…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SettlementCursor {
    /// When it was created.
    pub created_at: Timestamp,
    /// Which one: decides between those of one millisecond.
    pub id: SettlementId,
}

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a cursor that this service gave out")]
pub struct ParseCursorError;

impl fmt::Display for SettlementCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.created_at.unix_millis(), self.id)
    }
}

impl FromStr for SettlementCursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        let (millis, id) = text.rsplit_once('-').ok_or(ParseCursorError)?;
        let millis: i64 = millis.parse().map_err(|_| ParseCursorError)?;
        Ok(Self {
            created_at: Timestamp::from_unix_millis(millis).ok_or(ParseCursorError)?,
            id: id.parse().map_err(|_| ParseCursorError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    proptest! {
        #[test]
        fn reads_back_and_orders_as_its_parts(millis in 0i64..4_102_444_800_000, id: u128) {
            let created_at = Timestamp::from_unix_millis(millis).expect("a time");
            let cursor = SettlementCursor { created_at, id: SettlementId::from_uuid(Uuid::from_u128(id)) };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn never_panics_on_any_text(text in "\\PC*") {
            let _ = text.parse::<SettlementCursor>();
        }
    }
}
