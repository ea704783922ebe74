//! Content negotiation ([RFC 9110, section 12.5.1](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1)).

use http::HeaderMap;
use http::header::ACCEPT;

/// The first of `offered` with the highest quality that the `Accept` headers give; the first one
/// when there is no such header; `None` when none is acceptable.
#[must_use]
pub fn negotiate<'a>(headers: &HeaderMap, offered: &[&'a str]) -> Option<&'a str> {
    let mut ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    if ranges.peek().is_none() {
        return offered.first().copied();
    }
    let ranges: Vec<(String, f32)> = ranges.flat_map(|value| value.split(',')).map(read_range).collect();
    let mut best: Option<(&str, f32)> = None;
    for candidate in offered {
        let quality = quality_of(candidate, &ranges);
        if quality > 0.0 && best.is_none_or(|(_, highest)| quality > highest) {
            best = Some((candidate, quality));
        }
    }
    best.map(|(candidate, _)| candidate)
}

fn read_range(text: &str) -> (String, f32) {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().unwrap_or("").to_ascii_lowercase();
    let quality = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(1.0);
    (range, quality)
}

/// The quality of the most specific range that holds the type.
fn quality_of(candidate: &str, ranges: &[(String, f32)]) -> f32 {
    let family = candidate.split('/').next().unwrap_or("");
    let specificity = |range: &str| match range {
        _ if range == candidate => 3,
        _ if range.strip_suffix("/*") == Some(family) => 2,
        "*/*" | "*" => 1,
        _ => 0,
    };
    ranges
        .iter()
        .map(|(range, quality)| (specificity(range), *quality))
        .filter(|(specificity, _)| *specificity > 0)
        .max_by_key(|(specificity, _)| *specificity)
        .map_or(0.0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_is_wanted_most() {
        let offered = ["text/event-stream", "application/json"];
        for (accept, wanted) in [
            (None, Some("text/event-stream")),
            (Some("*/*"), Some("text/event-stream")),
            (Some("application/json"), Some("application/json")),
            (Some("application/json;q=0.5, text/event-stream;q=0.4"), Some("application/json")),
            (Some("application/*"), Some("application/json")),
            (Some("*/*;q=0.1, text/event-stream;q=0"), Some("application/json")),
            (Some("text/html"), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, accept.parse().expect("a header"));
            }
            assert_eq!(negotiate(&headers, &offered), wanted, "{accept:?}");
        }
    }
}
