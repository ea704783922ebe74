//! What every request shares: the address, the client, and how an answer is told from a refusal.

use std::error::Error as _;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, Url};

use crate::error::Error;
use crate::problem::Problem;

/// Longest wait for a connection to the service.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How the SDK names itself.
const USER_AGENT: &str = concat!("tidewatch-client/", env!("CARGO_PKG_VERSION"));

/// Reads the address of the service, which may have a path in front of `/api`.
pub(crate) fn base_url(text: &str) -> Result<Url, Error> {
    const WHAT: &str = "the service's URL";
    let url = Url::parse(text.trim())
        .map_err(|error| Error::invalid(WHAT, format!("`{text}` is no URL: {error}")))?;
    match url.scheme() {
        "http" => {}
        "https" if cfg!(feature = "tls") => {}
        "https" => {
            return Err(Error::invalid(WHAT, "https:// needs tidewatch-client's feature `tls`"));
        }
        _ => return Err(Error::invalid(WHAT, format!("`{text}` must begin with http:// or https://"))),
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Error::invalid(WHAT, format!("`{text}` must end with its path")));
    }
    Ok(url)
}

/// The address of `path`, which begins with a slash and may have a query.
pub(crate) fn endpoint(base: &Url, path: &str) -> Url {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url
}

/// A client for the service at `base`.
pub(crate) fn client(base: &Url) -> Result<Client, Error> {
    let mut builder = Client::builder().connect_timeout(CONNECT_TIMEOUT).user_agent(USER_AGENT);
    if is_loopback(base) {
        // A proxy of the environment is for the world outside.
        builder = builder.no_proxy();
    }
    // Where nothing is encrypted, a machine without certificates of authorities is no hindrance.
    #[cfg(feature = "tls")]
    if base.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(unreachable)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The answer, unless it is a refusal.
pub(crate) async fn accepted(response: Response) -> Result<Response, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = retry_after(response.headers(), SystemTime::now());
    // What is wrong is known by the status already; the reason may be lost with the connection.
    let body = response.bytes().await.unwrap_or_default();
    Err(Error::Refused(Box::new(Problem::read(status.as_u16(), &body, retry_after))))
}

/// Why there is no answer, with the whole chain of reasons. Without its URL, which can carry tokens.
pub(crate) fn unreachable(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        text = format!("{text}: {reason}");
        source = reason.source();
    }
    if error.is_builder() { Error::invalid("the request", text) } else { Error::Unreachable(text) }
}

/// `Retry-After`: seconds, or a date ([RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn addresses_keep_the_path_of_the_service() {
        for (base, path, whole) in [
            ("http://127.0.0.1:3000", "/api/v1/events", "http://127.0.0.1:3000/api/v1/events"),
            ("http://host/tidewatch/", "/api/v1/events", "http://host/tidewatch/api/v1/events"),
            ("http://host", "/api/v1/settlements?limit=2", "http://host/api/v1/settlements?limit=2"),
        ] {
            assert_eq!(endpoint(&base_url(base).expect("a URL"), path).as_str(), whole);
        }
    }

    #[test]
    fn refuses_what_is_no_address_of_a_service() {
        for text in ["", "127.0.0.1:3000", "localhost", "ftp://host", "http://host/?a=b", "http://host/#a"] {
            assert!(matches!(base_url(text), Err(Error::Invalid { .. })), "{text}");
        }
    }

    #[test]
    fn tls_is_a_feature() {
        let read = base_url("https://tidewatch.example");
        assert_eq!(read.is_ok(), cfg!(feature = "tls"));
        if let Err(error) = read {
            assert!(error.to_string().contains("feature `tls`"), "{error}");
        }
    }

    #[test]
    fn proxies_are_for_the_world_outside() {
        for (url, is) in [
            ("http://localhost:1", true),
            ("http://127.0.0.2:1", true),
            ("http://[::1]:1", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
        ] {
            assert_eq!(is_loopback(&base_url(url).expect("a URL")), is, "{url}");
        }
    }

    #[test]
    fn reads_seconds_and_dates() {
        let now = httpdate::parse_http_date("Sat, 21 Nov 2026 12:00:00 GMT").expect("a date");
        for (text, seconds) in [
            ("7", Some(7)),
            ("Sat, 21 Nov 2026 12:00:30 GMT", Some(30)),
            ("Sat, 21 Nov 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
