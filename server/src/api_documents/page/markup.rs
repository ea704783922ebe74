//! Text as HTML. Nothing of a document gets into the page but through here.

use std::fmt::{self, Display, Formatter};

use serde_json::Value;

/// Text, with what HTML would read in it escaped.
pub(super) struct Escaped<'t>(pub(super) &'t str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(index) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..index])?;
            f.write_str(match rest.as_bytes()[index] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[index + 1..];
        }
        f.write_str(rest)
    }
}

/// JSON, indented. Text that stands for itself, such as a line of CSV, is not quoted.
pub(super) struct Json<'v>(pub(super) &'v Value);

impl Display for Json<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) => Escaped(text).fmt(f),
            value => Escaped(&format!("{value:#}")).fmt(f),
        }
    }
}

/// The little of Markdown that descriptions use: paragraphs, `code` and **strong** words.
pub(super) struct Prose<'t>(pub(super) &'t str);

impl Prose<'_> {
    /// The same in one line.
    pub(super) const fn inline(text: &str) -> Inline<'_> {
        Inline(text)
    }
}

impl Display for Prose<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0
            .split("\n\n")
            .filter(|text| !text.trim().is_empty())
            .try_for_each(|paragraph| write!(f, "<p>{}</p>", Inline(paragraph)))
    }
}

/// A line of [`Prose`].
pub(super) struct Inline<'t>(&'t str);

impl Display for Inline<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.split('`').enumerate() {
            if index % 2 == 1 {
                write!(f, "<code>{}</code>", Escaped(part))?;
                continue;
            }
            for (index, part) in part.split("**").enumerate() {
                match index % 2 {
                    1 => write!(f, "<strong>{}</strong>", Escaped(part))?,
                    _ => write!(f, "{}", Escaped(part))?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_read_as_html() {
        assert_eq!(
            Escaped("<a href='x'>\"&\"</a>").to_string(),
            "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;"
        );
        assert_eq!(
            Prose("**A** `<b>`\n\nc").to_string(),
            "<p><strong>A</strong> <code>&lt;b&gt;</code></p><p>c</p>"
        );
        assert_eq!(Json(&serde_json::json!("a,b")).to_string(), "a,b");
    }
}
