//! Texts that are the same on both sides: no locale, no time zone.

use tidewatch_events::Timestamp;
use tidewatch_events::catalog::settlement::SettlementStatus;

/// `2026-11-20 20:43:52 UTC`.
#[must_use]
pub fn absolute(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('T') {
        Some((date, rest)) => format!("{date} {} UTC", rest.split('.').next().unwrap_or(rest)),
        None => text,
    }
}

/// `2026-11-20`, in UTC.
#[must_use]
pub fn day(time: Timestamp) -> String {
    let text = time.to_string();
    text.split_once('T').map_or(text.as_str(), |(day, _)| day).to_owned()
}

/// `20:43:52.832`, in UTC.
#[must_use]
pub fn clock(time: Timestamp) -> String {
    let text = time.to_string();
    let clock = text.split_once('T').map_or(text.as_str(), |(_, clock)| clock);
    clock.trim_end_matches('Z').to_owned()
}

/// How long ago, in the coarsest unit that still says something: `just now`, `42 s ago`, `3 h ago`; what
/// is still to come is `in 12 s`. Clocks differ by some seconds, which count as now.
#[must_use]
pub fn ago(millis: i64) -> String {
    match millis / 1_000 {
        seconds @ ..-10 => format!("in {}", coarse(seconds.unsigned_abs())),
        ..=4 => "just now".to_owned(),
        seconds => format!("{} ago", coarse(seconds.unsigned_abs())),
    }
}

fn coarse(seconds: u64) -> String {
    match seconds {
        ..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min", seconds / 60),
        3_600..=86_399 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A span of time, short: `240 ms`, `1.2 s`, `3 min`.
#[must_use]
pub fn span(millis: i64) -> String {
    match millis.max(0) {
        short @ 0..=999 => format!("{short} ms"),
        some @ 1_000..=59_999 => format!("{}.{} s", some / 1_000, some % 1_000 / 100),
        long => format!("{} min", long / 60_000),
    }
}

/// An amount of memory: `812 B`, `4.2 MB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let units = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    units.into_iter().find(|(_, size)| bytes >= *size).map_or_else(
        || format!("{bytes} B"),
        |(unit, size)| format!("{}.{} {unit}", bytes / size, bytes % size * 10 / size),
    )
}

/// A number with its thousands apart: `12,480`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A status as people read it.
#[must_use]
pub const fn status(status: SettlementStatus) -> &'static str {
    match status {
        SettlementStatus::Created => "Created",
        SettlementStatus::NetworkSelected => "Network selected",
        SettlementStatus::GasEstimated => "Gas estimated",
        SettlementStatus::Submitted => "Submitted",
        SettlementStatus::Confirming => "Confirming",
        SettlementStatus::Confirmed => "Confirmed",
        SettlementStatus::Settled => "Settled",
        SettlementStatus::Failed => "Failed",
        SettlementStatus::Held => "Held",
    }
}

/// The beginning and the end of an id: `stl_01ka…t9rd`.
#[must_use]
pub fn short_id(id: &str) -> String {
    match (id.get(..8), id.len().checked_sub(4).and_then(|from| id.get(from..))) {
        (Some(head), Some(tail)) if id.len() > 14 => format!("{head}…{tail}"),
        _ => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_times_the_same_everywhere() {
        let time: Timestamp = "2026-11-20T21:43:52.832+01:00".parse().expect("a time");
        assert_eq!(absolute(time), "2026-11-20 20:43:52 UTC");
    }

    #[test]
    fn says_how_long_ago() {
        for (millis, text) in [
            (-300_000, "in 5 min"),
            (-5_000, "just now"),
            (4_999, "just now"),
            (12_000, "12 s ago"),
            (119_999, "1 min ago"),
            (7_200_000, "2 h ago"),
            (172_800_000, "2 d ago"),
        ] {
            assert_eq!(ago(millis), text);
        }
    }

    #[test]
    fn shortens_numbers_and_ids() {
        assert_eq!(span(240), "240 ms");
        assert_eq!(span(1_260), "1.2 s");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(12), "12");
        assert_eq!(short_id("stl_01kaghsp3mfvy8e4v0h6x2t9rd"), "stl_01ka…t9rd");
        assert_eq!(short_id("stl"), "stl");
    }
}
