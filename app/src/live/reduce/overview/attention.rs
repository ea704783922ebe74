//! What needs a person.

use tidewatch_events::catalog::settlement::SettlementStatus;

use crate::model::{Overview, SettlementRow};

/// Takes a changed settlement into the list, or out of it: the longest waiting first. `true` when
/// the list was full and a place came free: others may be waiting for it.
pub(super) fn note(list: &mut Vec<SettlementRow>, row: SettlementRow) -> bool {
    let was_full = list.len() >= Overview::MAX_ATTENTION;
    let before = list.len();
    list.retain(|other| other.id != row.id);
    let lost_one = list.len() < before;
    if matches!(row.status, SettlementStatus::Failed | SettlementStatus::Held) {
        let index = list.partition_point(|other| (other.updated_at, other.id) < (row.updated_at, row.id));
        list.insert(index, row);
        list.truncate(Overview::MAX_ATTENTION);
    }
    was_full && lost_one
}
