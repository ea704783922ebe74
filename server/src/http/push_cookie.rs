//! The cookie by which a browser says in which login it was subscribed to Web Push. It outlives the session, which runs out
//! while the browser is still told: whoever signs out there next, or signs in as somebody else, ends that by it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::response::AppendHeaders;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use uuid::Uuid;

use super::cookie;
use crate::state::AppState;

const COOKIE: &str = "tidewatch_push";
/// The same over TLS; see the session's.
const SECURE_COOKIE: &str = "__Host-tidewatch_push";
/// In seconds: 400 days, more than which browsers keep none
/// ([RFC 6265bis, section 5.5](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis)). Each login begins it anew.
const LIFE: u32 = 400 * 24 * 60 * 60;

/// What is set beside an answer.
pub type SetCookie = AppendHeaders<Option<(HeaderName, String)>>;

/// The login that a request's cookie names: it opens nothing, and nobody else can name it.
#[derive(Debug, Clone, Copy)]
pub struct PushCookie {
    /// Which; `None` where this browser was not subscribed.
    pub login: Option<Uuid>,
    is_secure: bool,
}

impl PushCookie {
    fn read(headers: &HeaderMap, is_secure: bool) -> Self {
        let login = cookie::value(headers, name(is_secure)).and_then(|value| value.parse().ok());
        Self { login, is_secure }
    }

    /// Has the browser keep this login from now on.
    pub fn keep(self, login: Option<Uuid>) -> SetCookie {
        AppendHeaders(login.map(|login| self.written(&login.to_string(), LIFE)))
    }

    /// Has the browser forget its login, where it has one.
    pub fn forget(self) -> SetCookie {
        AppendHeaders(self.login.map(|_| self.written("", 0)))
    }

    fn written(self, value: &str, life: u32) -> (HeaderName, String) {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let name = name(self.is_secure);
        (SET_COOKIE, format!("{name}={value}; Path=/; Max-Age={life}; HttpOnly; SameSite=Lax{secure}"))
    }
}

const fn name(is_secure: bool) -> &'static str {
    if is_secure { SECURE_COOKIE } else { COOKIE }
}

impl FromRequestParts<AppState> for PushCookie {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.headers, state.config.cookie_secure))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::COOKIE as SENT;

    use super::*;

    #[test]
    fn is_read_as_it_was_written_and_over_tls_by_its_own_name() {
        let login = Uuid::now_v7();
        for is_secure in [false, true] {
            let none = PushCookie::read(&HeaderMap::new(), is_secure);
            assert!(none.login.is_none() && none.forget().0.is_none());
            let (_, written) = none.keep(Some(login)).0.expect("a cookie");
            assert!(written.contains("; HttpOnly; SameSite=Lax"), "{written}");
            assert_eq!(written.ends_with("; Secure"), is_secure, "{written}");
            let pair = written.split(';').next().expect("a pair");
            let mut headers = HeaderMap::new();
            headers.insert(SENT, HeaderValue::try_from(format!("a=b; {pair}")).expect("a value"));
            assert_eq!(PushCookie::read(&headers, is_secure).login, Some(login));
            assert_eq!(PushCookie::read(&headers, !is_secure).login, None, "no other site can plant it");
        }
        let mut headers = HeaderMap::new();
        headers.insert(SENT, HeaderValue::from_static("tidewatch_push=x"));
        assert_eq!(PushCookie::read(&headers, false).login, None);
    }
}
