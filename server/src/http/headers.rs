//! What every answer tells the browser to keep from doing.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue};

use crate::access::secret::random_bytes;
use crate::state::AppState;

/// For answers that are no page: they load nothing and stand in no frame.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// Two years, as the preload list asks for.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");
/// Powerful features that no page here uses.
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), midi=(), \
     payment=(), publickey-credentials-get=(), usb=(), xr-spatial-tracking=(), clipboard-write=(self)",
);
const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// The policy of a page ([CSP Level 3](https://www.w3.org/TR/CSP3/)): our own scripts and those that
/// carry this answer's nonce, WebAssembly, and our own styles. No inline script without the nonce, so
/// that markup which slips in runs nothing. Lengths of bars are inline styles, which run nothing.
#[must_use]
pub fn page_policy(nonce: &str) -> String {
    // `make dev` reloads pages by a socket on another port.
    let reload = if std::env::var_os("LEPTOS_WATCH").is_some() { " ws:" } else { "" };
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'{reload}; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )
}

/// What the scripts of this answer's page carry, among the request's extensions: 128 random bits.
#[derive(Debug, Clone)]
pub struct PageNonce(pub String);

/// Among an answer's extensions: a page for everybody, which says by itself what it may load and who may keep it.
#[derive(Debug, Clone, Copy)]
pub struct OwnPolicy;

/// Adds the headers to every answer.
pub async fn secure(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let nonce = URL_SAFE_NO_PAD.encode(&random_bytes()[..16]);
    request.extensions_mut().insert(PageNonce(nonce.clone()));
    let mut response = next.run(request).await;
    let has_own_policy = response.extensions().get::<OwnPolicy>().is_some();
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        // What is made for pages of other sites says so itself.
        headers.entry(name).or_insert(value);
    }
    if state.config.cookie_secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    // Pages hold what one person may see: no cache keeps them, also not for the way back after the
    // logout.
    let is_page = !has_own_policy
        && headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    if let Some(policy) = is_page.then(|| HeaderValue::from_str(&page_policy(&nonce)).ok()).flatten() {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    } else {
        headers.entry(CONTENT_SECURITY_POLICY).or_insert(NOTHING);
    }
    if is_page {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    response
}
