//! Answers that are known again by their tag ([RFC 9110, section 8.8.3](https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3)).

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

/// This text, or 304 where who asks has it.
pub fn tagged(
    text: impl AsRef<str> + IntoResponse,
    content_type: HeaderValue,
    asked: &HeaderMap,
) -> Response {
    let tag = tag(text.as_ref());
    let has_it = asked.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|known| {
        // Compressed, it is known by the same tag, a weak one.
        known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
    });
    let tagged = HeaderValue::from_str(&tag).map(|tag| [(ETAG, tag)]);
    let mut response = match has_it {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(CONTENT_TYPE, content_type)], text).into_response(),
    };
    response.headers_mut().extend(tagged.into_iter().flatten());
    response
}

fn tag(text: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(text).into();
    let digits: String = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_not_sent_again() {
        let asked = |known: &str| {
            let headers =
                HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_str(known).expect("a value"))]);
            tagged("text", HeaderValue::from_static("text/plain"), &headers).status()
        };
        let first = tagged("text", HeaderValue::from_static("text/plain"), &HeaderMap::new());
        assert_eq!(first.headers()[ETAG], tag("text").as_str());
        assert_eq!(asked(&tag("text")), StatusCode::NOT_MODIFIED);
        assert_eq!(asked(&format!("\"x\", W/{}", tag("text"))), StatusCode::NOT_MODIFIED);
        assert_eq!(asked(&tag("another")), StatusCode::OK);
    }
}
