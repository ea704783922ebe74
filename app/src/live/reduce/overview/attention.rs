//! What needs a person.

use tidewatch_events::catalog::settlement::SettlementStatus;

use crate::model::{Overview, SettlementRow};

/// Takes a changed settlement into the list, or out of it: oldest first. `true` when the list
/// was full and lost one: others may be waiting for its place.
pub(super) fn note(list: &mut Vec<SettlementRow>, row: SettlementRow) -> bool {
    let was_full = list.len() >= Overview::MAX_ATTENTION;
    let before = list.len();
    list.retain(|other| other.id != row.id);
    let lost_one = list.len() < before;
    if !matches!(row.status, SettlementStatus::Failed | SettlementStatus::Held) {
        return was_full && lost_one;
    }
    let index = list.partition_point(|other| other.key() < row.key());
    list.insert(index, row);
    list.truncate(Overview::MAX_ATTENTION);
    false
}
