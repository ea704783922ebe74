//! `bench/NOTES.md`: prose by people, a section a row, which the report repeats and never changes.

use std::collections::BTreeMap;

/// Sections by row.
#[derive(Debug, Default)]
pub struct Notes {
    sections: BTreeMap<String, String>,
}

impl Notes {
    /// Reads the sections: each begins with `## ` and the row's id.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut sections = BTreeMap::new();
        for section in text.split("\n## ").skip(1) {
            let (id, prose) = section.split_once('\n').unwrap_or((section, ""));
            sections.insert(id.trim().to_owned(), prose.trim().to_owned());
        }
        Self { sections }
    }

    /// What is noted on a row.
    #[must_use]
    pub fn of(&self, row: &str) -> Option<&str> {
        self.sections.get(row).map(String::as_str).filter(|prose| !prose.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_its_own_prose() {
        let notes =
            Notes::parse("# Notes\n\nIntroduction.\n\n## first\n\nTwo\nlines.\n\n## second\n\n## third\n");
        assert_eq!(notes.of("first"), Some("Two\nlines."));
        assert_eq!(notes.of("second"), None);
        assert_eq!(notes.of("fourth"), None);
    }
}
