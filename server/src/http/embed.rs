//! What browsers load for notifications outside the dashboard: the bell for other sites' pages, and the worker that
//! shows what is pushed.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use crate::state::AppState;

/// The custom element `<tidewatch-bell>`.
const BELL: &str = include_str!("../../embed/bell.js");
/// The service worker of Web Push.
const PUSH_WORKER: &str = include_str!("../../embed/push-worker.js");

const SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
/// For other sites: a new version is there within minutes, and an old one works as long as it is asked for.
const FOR_MINUTES: HeaderValue =
    HeaderValue::from_static("public, max-age=300, stale-while-revalidate=86400");
/// The worker asks our own API, and shows our own icon.
const WORKER_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'",
);
/// Whoever may load it: it holds no secret, and knows nothing of who asks.
const ANY_ORIGIN: (HeaderName, HeaderValue) = (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
const CROSS_ORIGIN: (HeaderName, HeaderValue) =
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new().route("/embed/bell.js", get(bell)).route("/push-worker.js", get(push_worker))
}

async fn bell(headers: HeaderMap) -> Response {
    let mut response = script(BELL, &headers);
    response.headers_mut().extend([ANY_ORIGIN, CROSS_ORIGIN, (CACHE_CONTROL, FOR_MINUTES)]);
    response
}

/// Browsers ask for a worker's script anew by themselves, once a day at the latest. What it may load is for its own
/// answer to say.
async fn push_worker(headers: HeaderMap) -> Response {
    let mut response = script(PUSH_WORKER, &headers);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, WORKER_POLICY);
    response
}

fn script(text: &'static str, asked: &HeaderMap) -> Response {
    let tag = tag(text);
    let has_it = asked.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|known| {
        // Compressed, it is known by the same tag, a weak one.
        known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
    });
    let tagged = HeaderValue::from_str(&tag).map(|tag| [(ETAG, tag)]);
    let mut response = match has_it {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(CONTENT_TYPE, SCRIPT)], text).into_response(),
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
    fn a_script_is_known_again() {
        let asked = |tag: &str| {
            let headers =
                HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_str(tag).expect("a value"))]);
            script(BELL, &headers).status()
        };
        assert_eq!(script(BELL, &HeaderMap::new()).headers()[ETAG], tag(BELL).as_str());
        assert_eq!(asked(&tag(BELL)), StatusCode::NOT_MODIFIED);
        assert_eq!(asked(&format!("\"x\", W/{}", tag(BELL))), StatusCode::NOT_MODIFIED);
        assert_eq!(asked(&tag(PUSH_WORKER)), StatusCode::OK);
    }
}
