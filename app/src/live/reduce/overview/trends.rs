//! What the charts draw, kept right by events.

use crate::model::{NetworkVolume, SettlementRow, Trends};

/// Counts a settlement that came to an end into its step. `true` when a new step has begun: then the oldest one
/// goes, and what it held must be read anew.
pub(super) fn note(trends: &mut Trends, event_type: &str, row: &SettlementRow) -> bool {
    let is_settled = match event_type {
        "settlement.settled" => true,
        "settlement.failed" => false,
        _ => return false,
    };
    let width = i64::from(trends.range.bucket_seconds()) * 1_000;
    let at = row.updated_at.unix_millis();
    let Some(last) = trends.buckets.last().map(|bucket| bucket.from.unix_millis()) else { return false };
    if at >= last + width {
        return true;
    }
    let mut buckets = trends.buckets.iter_mut().rev();
    let Some(bucket) = buckets.find(|bucket| bucket.from.unix_millis() <= at) else { return false };
    if is_settled {
        bucket.settled += 1;
        add_volume(&mut trends.volume, row);
    } else {
        bucket.failed += 1;
    }
    false
}

fn add_volume(volume: &mut Vec<NetworkVolume>, row: &SettlementRow) {
    let key = (row.currency, row.network.as_ref());
    match volume.binary_search_by(|entry| (entry.currency, entry.network.as_ref()).cmp(&key)) {
        Ok(index) => volume[index].amount_minor = volume[index].amount_minor.saturating_add(row.amount_minor),
        Err(index) => volume.insert(
            index,
            NetworkVolume {
                currency: row.currency,
                network: row.network.clone(),
                amount_minor: row.amount_minor,
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use tidewatch_events::Timestamp;
    use tidewatch_events::catalog::settlement::SettlementStatus;

    use super::super::super::testing::{Change, Ledger};
    use super::*;
    use crate::model::{TimeRange, TrendBucket};

    const MINUTE: i64 = 60_000;

    fn trends(last: i64) -> Trends {
        let bucket = |from| TrendBucket {
            from: Timestamp::from_unix_millis(from).expect("a time"),
            settled: 0,
            failed: 0,
            lag_max_ms: None,
            lag_p95_ms: None,
        };
        Trends {
            range: TimeRange::Hour,
            buckets: vec![bucket(last - MINUTE), bucket(last)],
            volume: Vec::new(),
        }
    }

    fn row(at: i64, network: &str) -> SettlementRow {
        let mut ledger = Ledger::default();
        ledger.make(Change { settlement: 0, status: SettlementStatus::Created, after: 0 });
        SettlementRow {
            updated_at: Timestamp::from_unix_millis(at).expect("a time"),
            network: Some(network.parse().expect("a network")),
            ..ledger.rows[0].clone()
        }
    }

    #[test]
    fn counts_into_the_step_and_the_network() {
        let mut trends = trends(10 * MINUTE);
        assert!(!note(&mut trends, "settlement.settled", &row(10 * MINUTE, "sepa")));
        assert!(!note(&mut trends, "settlement.settled", &row(11 * MINUTE - 1, "polygon")));
        assert!(!note(&mut trends, "settlement.settled", &row(10 * MINUTE - 1, "sepa")));
        assert!(!note(&mut trends, "settlement.failed", &row(9 * MINUTE, "sepa")));
        assert!(!note(&mut trends, "settlement.created", &row(10 * MINUTE, "sepa")));
        let counted: Vec<_> = trends.buckets.iter().map(|bucket| (bucket.settled, bucket.failed)).collect();
        assert_eq!(counted, [(1, 1), (2, 0)]);
        let volume: Vec<_> = trends
            .volume
            .iter()
            .map(|entry| (entry.network.as_ref().map_or("", |name| name.as_str()), entry.amount_minor))
            .collect();
        assert_eq!(volume, [("polygon", 100), ("sepa", 200)]);
    }

    #[test]
    fn what_is_older_does_not_count_and_what_is_newer_is_read() {
        let mut trends = trends(10 * MINUTE);
        let before = trends.clone();
        assert!(!note(&mut trends, "settlement.settled", &row(9 * MINUTE - 1, "sepa")));
        assert!(note(&mut trends, "settlement.settled", &row(11 * MINUTE, "sepa")));
        assert_eq!(trends, before);
    }
}
