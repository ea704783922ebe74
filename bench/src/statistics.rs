//! Medians, spreads and ratios of a few runs.

/// A median with the least and the greatest value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The value in the middle.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

/// The spread of some values; `None` when there are none.
#[must_use]
pub fn spread(values: &[f64]) -> Option<Spread> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (least, greatest) = (*sorted.first()?, *sorted.last()?);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    };
    Some(Spread { median, least, greatest })
}

/// The spread of `ours / theirs`, run by run: what was measured one after the other is compared.
/// Runs that only one of the two has are left out.
#[must_use]
pub fn ratio(ours: &[f64], theirs: &[f64]) -> Option<Spread> {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    spread(&ratios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_value_in_the_middle() {
        let odd = spread(&[3.0, 1.0, 2.0]).expect("values");
        assert_eq!(odd, Spread { median: 2.0, least: 1.0, greatest: 3.0 });
        let even = spread(&[4.0, 1.0, 2.0, 3.0]).expect("values");
        assert_eq!(even, Spread { median: 2.5, least: 1.0, greatest: 4.0 });
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn ratios_are_taken_run_by_run() {
        // A machine that was twice as slow in the second run says nothing about either.
        let ratio = ratio(&[2.0, 4.0], &[1.0, 2.0]).expect("values");
        assert_eq!(ratio, Spread { median: 2.0, least: 2.0, greatest: 2.0 });
    }

    #[test]
    fn a_division_by_nothing_is_left_out() {
        assert_eq!(ratio(&[1.0], &[0.0]), None);
    }
}
