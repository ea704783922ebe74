//! Chance.

use rand::RngExt;
use rand::rngs::StdRng;

/// One of the items, each as likely as its weight.
pub(super) fn weighted<'a, T>(dice: &mut StdRng, items: &'a [T], weight: impl Fn(&T) -> u32) -> &'a T {
    let mut draw = dice.random_range(0..items.iter().map(&weight).sum::<u32>());
    for item in items {
        match draw.checked_sub(weight(item)) {
            Some(rest) => draw = rest,
            None => return item,
        }
    }
    &items[0]
}

/// One of the texts.
pub(super) fn one_of(dice: &mut StdRng, texts: &[&'static str]) -> &'static str {
    texts[dice.random_range(0..texts.len())]
}

/// Whether something happens that happens so often in a hundred.
pub(super) fn percent(dice: &mut StdRng, often: u32) -> bool {
    dice.random_range(0..100) < often
}

/// A currency: most often the euro.
pub(super) fn currency(dice: &mut StdRng) -> &'static str {
    const CURRENCIES: &[(&str, u32)] = &[("EUR", 45), ("USD", 35), ("GBP", 12), ("CHF", 5), ("JPY", 3)];
    weighted(dice, CURRENCIES, |(_, weight)| *weight).0
}

/// An amount in minor units. Most are small, few are large, as in life.
pub(super) fn amount(dice: &mut StdRng) -> i64 {
    10_i64.pow(dice.random_range(3..7)) + dice.random_range(0..90_000)
}

/// A reference that begins with one of these.
pub(super) fn reference(dice: &mut StdRng, beginnings: &[&'static str]) -> String {
    let beginning = one_of(dice, beginnings);
    format!("{beginning}-{:06}", dice.random_range(0..1_000_000))
}
