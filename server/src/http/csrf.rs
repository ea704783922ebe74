//! Cross-site request forgery: a change that a cookie authorizes must come from our own pages.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, Method};

use super::problem::Problem;
use super::problem_kind::ProblemKind;

/// Refuses changes that a browser sends from another site. The session cookie is SameSite=Lax
/// besides; this holds for browsers and sub-domains where that is not enough. Requests with an
/// `Authorization` header are no browser's doing, and programs without cookies have nothing to forge.
pub async fn protect(request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && !request.headers().contains_key(AUTHORIZATION) && is_cross_site(request.headers()) {
        return Problem::new(ProblemKind::CrossSiteRequest)
            .detail("Changes are accepted from this site's own pages only.")
            .into_response();
    }
    next.run(request).await
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    let text = |name: http::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match text(http::HeaderName::from_static("sec-fetch-site")) {
        Some(site) => !matches!(site, "same-origin" | "none"),
        // Older browsers: the origin's authority must be the host that was asked.
        None => text(ORIGIN).is_some_and(|origin| {
            let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
            Some(authority) != text(HOST)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).parse().expect("a name"), value.parse().expect("a value")))
            .collect()
    }

    #[test]
    fn tells_our_pages_from_others() {
        assert!(!is_cross_site(&headers(&[])));
        assert!(!is_cross_site(&headers(&[("sec-fetch-site", "same-origin")])));
        assert!(is_cross_site(&headers(&[("sec-fetch-site", "same-site")])));
        assert!(is_cross_site(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(!is_cross_site(&headers(&[("origin", "http://a.test:3000"), ("host", "a.test:3000")])));
        assert!(is_cross_site(&headers(&[("origin", "http://b.test"), ("host", "a.test")])));
        assert!(is_cross_site(&headers(&[("origin", "null"), ("host", "a.test")])));
    }
}
