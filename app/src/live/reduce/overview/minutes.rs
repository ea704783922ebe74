//! Events of each minute of the last hour.

use tidewatch_events::Timestamp;

use crate::model::Overview;

const MILLIS_A_MINUTE: i64 = 60_000;

/// Counts one event; minutes without any in between are 0. What is older than the hour is dropped.
pub(super) fn count(minutes: &mut Vec<(Timestamp, u32)>, at: Timestamp) {
    let minute = at.unix_millis().div_euclid(MILLIS_A_MINUTE);
    let of = |time: &Timestamp| time.unix_millis().div_euclid(MILLIS_A_MINUTE);
    if let Some((_, count)) = minutes.iter_mut().find(|(time, _)| of(time) == minute) {
        *count += 1;
        return;
    }
    let last = minutes.last().map(|(time, _)| of(time));
    if last.is_some_and(|last| minute < last) {
        return;
    }
    let first_new = last.map_or(minute, |last| (last + 1).max(minute - Overview::MINUTES as i64 + 1));
    let empty = (first_new..=minute).filter_map(|n| Timestamp::from_unix_millis(n * MILLIS_A_MINUTE));
    minutes.extend(empty.map(|time| (time, 0)));
    if let Some((_, count)) = minutes.last_mut() {
        *count += 1;
    }
    let surplus = minutes.len().saturating_sub(Overview::MINUTES);
    minutes.drain(..surplus);
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
