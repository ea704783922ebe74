//! How long to wait before trying again.

use super::Millis;

/// The shortest wait.
pub const SHORTEST_MS: Millis = 500;
/// The longest wait.
pub const LONGEST_MS: Millis = 20_000;
/// What the longest wait doubles from.
const BASE_MS: Millis = 1_000;

/// Full jitter: uniform between the shortest wait and a bound that doubles with each failure, so
/// that a thousand readers who lost one server do not come back as one. `random` is in [0, 1).
#[must_use]
pub(super) fn delay(failures: u32, random: f64) -> Millis {
    let bound = BASE_MS.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST_MS);
    let spread = (bound - SHORTEST_MS) as f64;
    SHORTEST_MS + (spread * random.clamp(0.0, 1.0)) as Millis
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bound_doubles_up_to_the_longest() {
        let bounds: Vec<Millis> = (1..=7).map(|failures| delay(failures, 1.0)).collect();
        assert_eq!(bounds, [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
        assert!((0..40).all(|failures| delay(failures, 0.0) == SHORTEST_MS));
    }

    proptest! {
        #[test]
        fn stays_within_its_bounds(failures: u32, random in 0.0f64..1.0) {
            prop_assert!((SHORTEST_MS..=LONGEST_MS).contains(&delay(failures, random)));
        }
    }
}
