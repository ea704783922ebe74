//! Comma-separated values ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)).

use std::fmt::Write;

/// The media type.
pub const CONTENT_TYPE_CSV: &str = "text/csv";
/// The media type with its character set.
pub const CONTENT_TYPE_CSV_UTF8: &str = "text/csv; charset=utf-8";

/// One line. Values that a spreadsheet would read as a formula are made texts
/// ([CWE-1236](https://cwe.mitre.org/data/definitions/1236.html)).
pub fn row<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let mut line = String::new();
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']) && value.parse::<f64>().is_err();
        let guard = if is_formula { "'" } else { "" };
        if is_formula || value.contains(['"', ',', '\n', '\r']) {
            // Writing to a String never fails.
            let _ = write!(line, "\"{guard}{}\"", value.replace('"', "\"\""));
        } else {
            line.push_str(value);
        }
    }
    line.push_str("\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_needs_it_and_disarms_formulas() {
        assert_eq!(row(["a", "b c", "-12"]), "a,b c,-12\r\n");
        assert_eq!(row(["a,b", "say \"x\"", "two\nlines"]), "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\r\n");
        assert_eq!(row(["=1+1", "@x", "+cmd|"]), "\"'=1+1\",\"'@x\",\"'+cmd|\"\r\n");
    }
}
