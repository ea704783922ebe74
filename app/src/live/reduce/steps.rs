//! Events counted in steps of time.

use std::ops::AddAssign;

use tidewatch_events::Timestamp;

/// Counts one event into its step; steps without any in between are 0. At most `most` steps are kept, the newest: what is
/// older than all of them is dropped.
///
/// Steps are `width_ms` wide and begin at multiples of that since 1970.
pub(super) fn count<N: From<u8> + AddAssign>(
    steps: &mut Vec<(Timestamp, N)>,
    width_ms: i64,
    most: usize,
    at: Timestamp,
) {
    let number = |time: Timestamp| time.unix_millis().div_euclid(width_ms);
    let step = number(at);
    if let Some((_, count)) = steps.iter_mut().find(|(begin, _)| number(*begin) == step) {
        *count += 1.into();
        return;
    }
    let last = steps.last().map(|(begin, _)| number(*begin));
    if last.is_some_and(|last| step < last) {
        return;
    }
    let first_new = last.map_or(step, |last| (last + 1).max(step - most as i64 + 1));
    let empty = (first_new..=step).filter_map(|n| Timestamp::from_unix_millis(n * width_ms));
    steps.extend(empty.map(|begin| (begin, 0.into())));
    if let Some((_, count)) = steps.last_mut() {
        *count += 1.into();
    }
    let surplus = steps.len().saturating_sub(most);
    steps.drain(..surplus);
}
