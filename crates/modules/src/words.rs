//! The words that searches compare: the same for the index in Postgres and for lists in the browser.

use std::collections::BTreeSet;

/// Longest word that is compared; what is longer is cut.
const LONGEST: usize = 64;

/// The words of a text: runs of letters and digits, in lower case.
#[must_use]
pub fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.to_lowercase().chars().take(LONGEST).collect())
        .collect()
}

/// Whether each word that was asked for begins one of the words that are there.
#[must_use]
pub fn found(asked: &BTreeSet<String>, there: &BTreeSet<String>) -> bool {
    asked.iter().all(|word| {
        // The first word that is not before it: where any begins with it, this one does.
        there.range(word.clone()..).next().is_some_and(|candidate| candidate.starts_with(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_by_the_beginnings_of_words() {
        let there = words("INV-001042 Müller & Söhne, polygon");
        for asked in ["inv", "INV-0010", "mü", "poly müller", "", "söhne inv"] {
            assert!(found(&words(asked), &there), "{asked}");
        }
        for asked in ["nv", "INV-2", "polygone", "inv x"] {
            assert!(!found(&words(asked), &there), "{asked}");
        }
    }
}
