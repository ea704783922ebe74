//! Trends as charts.

use tidewatch_events::money::Currency;

use crate::components::chart::{ChartData, Mark, Places, Series, Unit};
use crate::model::{NetworkVolume, TimeRange, TrendBucket, Trends};

/// Networks with a bar of their own; the others stand together.
const MOST_NETWORKS: usize = 6;
/// What stands in place of a name where an event names no network.
const NO_NETWORK: &str = "unknown";

/// Settlements that came to an end.
pub(super) fn throughput(trends: &Trends) -> ChartData {
    let unit = match trends.range {
        TimeRange::Hour => "settlements a minute",
        TimeRange::SixHours => "settlements in 5 min",
        TimeRange::Day => "settlements in 30 min",
        TimeRange::Week => "settlements in 3 h",
    };
    over_time(
        trends,
        Unit::Count(unit),
        vec![
            series(trends, "Settled", Mark::Bars, "good", |bucket| Some(bucket.settled as f64)),
            series(trends, "Failed", Mark::HatchedBars, "bad", |bucket| Some(bucket.failed as f64)),
        ],
    )
}

/// How many of those that came to an end were settled.
pub(super) fn success_rate(trends: &Trends) -> ChartData {
    let rate = |bucket: &TrendBucket| {
        let ended = bucket.settled + bucket.failed;
        (ended > 0).then(|| bucket.settled as f64 * 100.0 / ended as f64)
    };
    over_time(trends, Unit::Percent, vec![series(trends, "Settled of those ended", Mark::Line, "good", rate)])
}

/// How long events waited to be published.
pub(super) fn outbox_lag(trends: &Trends) -> ChartData {
    let millis = |lag: Option<u64>| lag.map(|lag| lag as f64);
    over_time(
        trends,
        Unit::Millis,
        vec![
            series(trends, "95 of 100 within", Mark::Area, "active", |bucket| millis(bucket.lag_p95_ms)),
            series(trends, "Longest", Mark::DashedLine, "warn", |bucket| millis(bucket.lag_max_ms)),
        ],
    )
}

/// The currencies in which something was settled.
pub(super) fn currencies(trends: &Trends) -> Vec<Currency> {
    let mut currencies: Vec<Currency> = trends.volume.iter().map(|entry| entry.currency).collect();
    currencies.dedup();
    currencies
}

/// What each network carried in a currency, the most first.
pub(super) fn volume(trends: &Trends, currency: Currency) -> ChartData {
    let mut entries: Vec<&NetworkVolume> =
        trends.volume.iter().filter(|entry| entry.currency == currency).collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.amount_minor));
    let rest = entries.split_off(entries.len().min(MOST_NETWORKS));
    let name = |entry: &&NetworkVolume| {
        entry.network.as_ref().map_or_else(|| NO_NETWORK.to_owned(), |network| network.as_str().to_owned())
    };
    let mut names: Vec<String> = entries.iter().map(name).collect();
    let mut values: Vec<Option<f64>> = entries.iter().map(|entry| Some(entry.amount_minor as f64)).collect();
    if !rest.is_empty() {
        names.push(format!("{} others", rest.len()));
        values.push(Some(rest.iter().map(|entry| entry.amount_minor as f64).sum()));
    }
    ChartData {
        unit: Unit::Money(currency),
        places: Places::Names { what: "Network", names },
        series: vec![Series { name: "Settled", mark: Mark::Bars, tone: "accent", values }],
    }
}

fn over_time(trends: &Trends, unit: Unit, series: Vec<Series>) -> ChartData {
    ChartData {
        unit,
        places: Places::Times {
            from: trends.buckets.iter().map(|bucket| bucket.from).collect(),
            seconds: trends.range.bucket_seconds(),
        },
        series,
    }
}

fn series(
    trends: &Trends,
    name: &'static str,
    mark: Mark,
    tone: &'static str,
    value: impl Fn(&TrendBucket) -> Option<f64>,
) -> Series {
    Series { name, mark, tone, values: trends.buckets.iter().map(value).collect() }
}

#[cfg(test)]
mod tests {
    use tidewatch_events::Timestamp;

    use super::*;

    fn bucket(settled: u64, failed: u64) -> TrendBucket {
        let from = Timestamp::from_unix_millis(0).expect("a time");
        TrendBucket { from, settled, failed, lag_max_ms: None, lag_p95_ms: Some(12) }
    }

    fn entry(currency: &str, network: Option<&str>, amount_minor: i64) -> NetworkVolume {
        NetworkVolume {
            currency: currency.parse().expect("a currency"),
            network: network.map(|name| name.parse().expect("a network")),
            amount_minor,
        }
    }

    #[test]
    fn where_nothing_ended_there_is_no_rate() {
        let trends = Trends { buckets: vec![bucket(3, 1), bucket(0, 0), bucket(0, 2)], ..Trends::default() };
        assert_eq!(success_rate(&trends).series[0].values, [Some(75.0), None, Some(0.0)]);
        assert_eq!(throughput(&trends).series[1].values, [Some(1.0), Some(0.0), Some(2.0)]);
        let lag = outbox_lag(&trends);
        assert_eq!((lag.series[0].values[0], lag.series[1].values[0]), (Some(12.0), None));
    }

    #[test]
    fn currencies_are_never_added_up() {
        let mut entries = vec![entry("EUR", None, 5), entry("EUR", Some("sepa"), 7)];
        entries.extend((0..8).map(|n| entry("JPY", Some(&format!("n{n}")), 100 - n)));
        let trends = Trends { volume: entries, ..Trends::default() };
        let [euro, yen] = currencies(&trends)[..] else { panic!("two currencies") };
        let euro = volume(&trends, euro);
        assert_eq!(euro.series[0].values, [Some(7.0), Some(5.0)]);
        let Places::Names { names, .. } = euro.places else { panic!("names") };
        assert_eq!(names, ["sepa", "unknown"]);
        let yen = volume(&trends, yen);
        assert_eq!(yen.places.len(), MOST_NETWORKS + 1);
        assert_eq!(yen.series[0].values.last(), Some(&Some(94.0 + 93.0)));
    }
}
