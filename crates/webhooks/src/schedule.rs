//! When a webhook that was not taken is sent again: the schedule that the
//! [specification](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability)
//! gives for an example, a little more than three days in all.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The wait before each attempt.
pub const SCHEDULE: [Duration; 10] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_secs(5 * MINUTE),
    Duration::from_secs(30 * MINUTE),
    Duration::from_secs(2 * HOUR),
    Duration::from_secs(5 * HOUR),
    Duration::from_secs(10 * HOUR),
    Duration::from_secs(14 * HOUR),
    Duration::from_secs(20 * HOUR),
    Duration::from_secs(24 * HOUR),
];

/// The share by which a wait is shortened or lengthened at random: what failed together does not come back
/// together.
const JITTER: f64 = 0.1;

/// The wait behind the failure of `attempt`, which counts from 1; `None` when that was the last one. `random`,
/// from 0 to 1, chooses within the jitter. Never shorter than `retry_after`, which the receiver asked for.
#[must_use]
pub fn delay_after(attempt: u32, retry_after: Option<Duration>, random: f64) -> Option<Duration> {
    let wait = SCHEDULE.get(usize::try_from(attempt).ok()?)?;
    let wait = wait.mul_f64(1.0 + JITTER * (2.0 * random - 1.0));
    Some(wait.max(retry_after.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_as_the_specification_suggests() {
        let waits: Vec<Option<u64>> =
            (1..=10).map(|attempt| Some(delay_after(attempt, None, 0.5)?.as_secs())).collect();
        let seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
        assert_eq!(waits, seconds.map(Some).into_iter().chain([None]).collect::<Vec<_>>());
        assert_eq!(SCHEDULE.iter().sum::<Duration>().as_secs(), 75 * HOUR + 35 * MINUTE + 5);
    }

    #[test]
    fn waits_as_long_as_it_is_asked_to() {
        let wait = |seconds| delay_after(1, Some(Duration::from_secs(seconds)), 0.5);
        assert_eq!((wait(90), wait(1)), (Some(Duration::from_secs(90)), Some(Duration::from_secs(5))));
        assert_eq!(delay_after(10, Some(Duration::from_secs(1)), 0.5), None, "an end is an end");
    }

    proptest! {
        #[test]
        fn the_jitter_is_a_tenth(attempt in 1u32..10, random in 0.0..1.0) {
            let (wait, plain) = (delay_after(attempt, None, random), SCHEDULE[attempt as usize]);
            let wait = wait.expect("another attempt");
            prop_assert!(wait >= plain.mul_f64(0.899) && wait <= plain.mul_f64(1.101));
        }
    }
}
