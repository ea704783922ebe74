//! Events of each minute of the last hour.

use tidewatch_events::Timestamp;

use crate::live::reduce::steps;
use crate::model::Overview;

const MILLIS_A_MINUTE: i64 = 60_000;

/// Counts one event; minutes without any in between are 0. What is older than the hour is dropped.
pub(super) fn count(minutes: &mut Vec<(Timestamp, u32)>, at: Timestamp) {
    steps::count(minutes, MILLIS_A_MINUTE, Overview::MINUTES, at);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(number: i64) -> Timestamp {
        Timestamp::from_unix_millis(number * MILLIS_A_MINUTE).expect("a time")
    }

    #[test]
    fn counts_into_its_minute_and_fills_the_quiet_ones() {
        let mut minutes = vec![(minute(5), 2)];
        count(&mut minutes, Timestamp::from_unix_millis(5 * MILLIS_A_MINUTE + 59_999).expect("a time"));
        count(&mut minutes, minute(8));
        count(&mut minutes, minute(1));
        assert_eq!(minutes, [(minute(5), 3), (minute(6), 0), (minute(7), 0), (minute(8), 1)]);
    }

    #[test]
    fn keeps_an_hour_however_long_it_was_quiet() {
        let mut minutes = vec![(minute(5), 2)];
        count(&mut minutes, minute(50_000));
        assert_eq!(minutes.len(), Overview::MINUTES);
        assert_eq!(minutes.last(), Some(&(minute(50_000), 1)));
        assert_eq!(minutes.first(), Some(&(minute(50_000 - 59), 0)));
    }
}
