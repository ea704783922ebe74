//! How long whoever follows a stream or calls the service waits after a failure.

use std::time::Duration;

/// How long to wait after a failure: full jitter
/// ([why](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)), so that a thousand clients that
/// lost one service do not come back as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The shortest wait.
    pub shortest: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Backoff {
    /// 0.5 to 20 seconds.
    pub const DEFAULT: Self = Self { shortest: Duration::from_millis(500), longest: Duration::from_secs(20) };

    /// The wait after so many failures in a row: uniform between the shortest one and a bound that begins at twice that
    /// and doubles with each failure. `random` is in [0, 1).
    #[must_use]
    pub fn delay(&self, failures: u32, random: f64) -> Duration {
        let factor = 1_u32 << failures.clamp(1, 17);
        let bound = self.shortest.saturating_mul(factor).min(self.longest).max(self.shortest);
        self.shortest + (bound - self.shortest).mul_f64(random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bound_doubles_up_to_the_longest() {
        let backoff = Backoff::default();
        let bounds: Vec<u128> = (1..=7).map(|failures| backoff.delay(failures, 1.0).as_millis()).collect();
        assert_eq!(bounds, [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
        assert!((0..40).all(|failures| backoff.delay(failures, 0.0) == backoff.shortest));
    }

    proptest! {
        #[test]
        fn stays_within_its_bounds(failures: u32, random in 0.0f64..1.0) {
            let backoff = Backoff::default();
            prop_assert!((backoff.shortest..=backoff.longest).contains(&backoff.delay(failures, random)));
        }
    }
}
