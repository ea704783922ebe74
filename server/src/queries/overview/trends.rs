//! What the charts draw.

use std::collections::BTreeMap;

use tidewatch_app::model::{NetworkVolume, TimeRange, TrendBucket, Trends};
use tidewatch_events::catalog::settlement::Network;
use tidewatch_events::money::Currency;
use time::{Duration, OffsetDateTime};

use crate::db::rollups::{EventSum, VolumeSum, Window};

/// How it went over the range whose steps `window` has: `sums` and `volume` are what was summed up in it.
pub(super) fn of(range: TimeRange, window: Window, sums: &[EventSum], volume: Vec<VolumeSum>) -> Trends {
    Trends { range, buckets: buckets(window, sums), volume: by_name(volume) }
}

/// The steps of the range that ends with the one in which `now` is.
pub(in crate::queries) fn window_of(range: TimeRange, now: OffsetDateTime) -> Window {
    let width = i64::from(range.bucket_seconds());
    let begun = now.unix_timestamp().rem_euclid(width);
    let now = now - Duration::nanoseconds(i64::from(now.nanosecond()));
    let to = now - Duration::seconds(begun) + Duration::seconds(width);
    let from = to - Duration::seconds(width * i64::from(range.buckets()));
    Window { from, to, bucket_seconds: range.bucket_seconds() }
}

/// Every step of the window, those in which nothing happened too. `sums` are in the order of steps and waits.
fn buckets(window: Window, sums: &[EventSum]) -> Vec<TrendBucket> {
    let steps: BTreeMap<i64, &[EventSum]> = sums
        .chunk_by(|one, next| one.from == next.from)
        .filter_map(|step| Some((step.first()?.from.unix_timestamp(), step)))
        .collect();
    let bucket = |from: OffsetDateTime| {
        let step = steps.get(&from.unix_timestamp()).copied().unwrap_or_default();
        let count = |of: fn(&EventSum) -> i64| step.iter().map(of).sum::<i64>().unsigned_abs();
        let lag_max_ms = step.iter().map(|sum| sum.lag_max_ms.unsigned_abs()).max();
        TrendBucket {
            from: from.into(),
            settled: count(|sum| sum.settled),
            failed: count(|sum| sum.failed),
            lag_max_ms,
            lag_p95_ms: lag_p95_ms(step, count(|sum| sum.events)).min(lag_max_ms),
        }
    };
    window.steps().map(bucket).collect()
}

/// The wait that 95 of 100 events did not exceed: the end of its class, which is at most a ninth more.
fn lag_p95_ms(step: &[EventSum], events: u64) -> Option<u64> {
    let wanted = events.saturating_mul(95).div_ceil(100);
    let mut seen = 0;
    let class = step.iter().find(|sum| {
        seen += sum.events.unsigned_abs();
        seen >= wanted
    });
    class.map(|sum| sum.lag_class.longest_ms())
}

/// By currency and network, in the order in which the browser goes on with it. Names that are none, of events that
/// others publish, count as not said.
fn by_name(sums: Vec<VolumeSum>) -> Vec<NetworkVolume> {
    let mut named: BTreeMap<(Currency, Option<Network>), i64> = BTreeMap::new();
    for VolumeSum { currency, network, amount_minor } in sums {
        let Ok(currency) = currency.parse() else { continue };
        let network = network.and_then(|name| name.parse().ok());
        let sum = named.entry((currency, network)).or_default();
        *sum = sum.saturating_add(amount_minor);
    }
    named
        .into_iter()
        .map(|((currency, network), amount_minor)| NetworkVolume { currency, network, amount_minor })
        .collect()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_window_ends_with_the_step_that_has_begun() {
        let now = datetime!(2026-11-20 20:43:52.832 UTC);
        let window = window_of(TimeRange::Hour, now);
        assert_eq!(window.from, datetime!(2026-11-20 19:44 UTC));
        assert_eq!(window.to, datetime!(2026-11-20 20:44 UTC));
        let week = window_of(TimeRange::Week, now);
        assert_eq!((week.from, week.to), (datetime!(2026-11-13 21:00 UTC), datetime!(2026-11-20 21:00 UTC)));
    }

    fn sum(from: OffsetDateTime, lag: i16, events: i64) -> EventSum {
        let lag_class = lag.try_into().expect("a class");
        EventSum { from, lag_class, events, created: 0, settled: 1, failed: 2, lag_max_ms: i64::from(lag) }
    }

    #[test]
    fn steps_without_events_are_there_and_have_no_lag() {
        let now = datetime!(2026-11-20 20:43:52.832 UTC);
        let window = window_of(TimeRange::SixHours, now);
        let from = datetime!(2026-11-20 20:40 UTC);
        let buckets = buckets(window, &[sum(from, 3, 94), sum(from, 5, 2)]);
        assert_eq!(buckets.len(), 72);
        let last = buckets.last().expect("a step");
        assert_eq!((last.from, last.settled, last.failed), (from.into(), 2, 4));
        assert_eq!((last.lag_p95_ms, last.lag_max_ms), (Some(3), Some(5)), "92 of 96 do");
        assert_eq!((buckets[0].settled, buckets[0].lag_max_ms, buckets[0].lag_p95_ms), (0, None, None));
    }

    #[test]
    fn of_waits_95_of_100_are_within_the_p95_and_none_above_the_longest() {
        let from = datetime!(2026-11-20 20:40 UTC);
        assert_eq!(lag_p95_ms(&[sum(from, 1, 95), sum(from, 7, 5)], 100), Some(1));
        assert_eq!(lag_p95_ms(&[sum(from, 1, 94), sum(from, 7, 6)], 100), Some(7));
        assert_eq!(lag_p95_ms(&[], 0), None);
        let window = window_of(TimeRange::Hour, from);
        // 9 ms are of a class that ends with 9.
        let wide = EventSum { lag_max_ms: 8, ..sum(window.from, 9, 1) };
        assert_eq!(buckets(window, &[wide])[0].lag_p95_ms, Some(8));
    }

    #[test]
    fn what_is_no_network_counts_as_none() {
        let row = |currency: &str, network: Option<&str>, amount_minor| VolumeSum {
            currency: currency.to_owned(),
            network: network.map(ToOwned::to_owned),
            amount_minor,
        };
        let volume = by_name(vec![
            row("EUR", Some("sepa"), 5),
            row("EUR", Some("No Network"), 2),
            row("EUR", None, 1),
            row("euros", None, 100),
        ]);
        let sums: Vec<_> = volume.iter().map(|entry| (entry.network.is_some(), entry.amount_minor)).collect();
        assert_eq!(sums, [(false, 3), (true, 5)]);
    }
}
