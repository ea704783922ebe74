//! What stands in front of every operation: an address that can be read, without a parameter that the operation does not
//! know. One that were ignored would show more than was asked for, or do something else.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::ParameterProblem;
use super::query::Query;
use crate::error::Error;

/// The parameters that an operation knows. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Known(Arc<[String]>);

impl Known {
    /// These and no others.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().collect())
    }

    fn check(&self, uri: &http::Uri) -> Result<(), Error> {
        let broken: Vec<ParameterProblem> =
            uri.path().split('/').filter(|part| !is_readable(part)).map(broken_part).collect();
        if !broken.is_empty() {
            return Err(Error::Parameters(broken));
        }
        let Some(query) = uri.query() else { return Ok(()) };
        let query = Query::read(query)?;
        let unknown: Vec<ParameterProblem> = query
            .names()
            .filter(|name| !self.0.iter().any(|known| known == name))
            .map(|name| ParameterProblem::new(name, self.what_is_known()))
            .collect();
        if unknown.is_empty() { Ok(()) } else { Err(Error::Parameters(unknown)) }
    }

    fn what_is_known(&self) -> String {
        if self.0.is_empty() {
            return "is unknown here; no parameter is known".to_owned();
        }
        format!("is unknown here; known are: {}", self.0.join(", "))
    }
}

/// Refuses a request whose address cannot be read, or says more than is known.
pub async fn check(State(known): State<Known>, request: Request, next: Next) -> Response {
    match known.check(request.uri()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn broken_part(part: &str) -> ParameterProblem {
    ParameterProblem::new(part, "in the path is no percent-encoded text in UTF-8")
}

/// Whether a part of a path is text: each `%` begins two hexadecimal digits, all of it is UTF-8, and none of it the NUL that
/// no text in the database can have.
fn is_readable(part: &str) -> bool {
    if !part.contains('%') {
        return true;
    }
    let bytes = part.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, more)) = rest.split_first() {
        if *first != b'%' {
            decoded.push(*first);
            rest = more;
            continue;
        }
        let digits = more.first_chunk::<2>().filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let byte = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            None | Some(0) => return false,
            Some(byte) => decoded.push(byte),
        }
        rest = &more[2..];
    }
    std::str::from_utf8(&decoded).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path_are_text() {
        for good in ["", "a", "a%20b", "%C3%A4", "%E2%82%ac", "%25", "100%25"] {
            assert!(is_readable(good), "{good}");
        }
        for bad in ["%", "%4", "%zz", "%+1", "a%", "%FF", "%C3", "%C3%28", "%00", "a%00b"] {
            assert!(!is_readable(bad), "{bad}");
        }
    }

    #[test]
    fn every_unknown_parameter_is_named() {
        let known = Known::new(["limit".to_owned(), "project".to_owned()]);
        let check = |uri: &'static str| known.check(&http::Uri::from_static(uri));
        assert!(check("/api/v1/jobs").is_ok());
        assert!(check("/api/v1/jobs?").is_ok());
        assert!(check("/api/v1/jobs?limit=1&project=demo").is_ok());
        let Err(Error::Parameters(problems)) = check("/api/v1/jobs?a=1&limit=1&b") else { panic!("refused") };
        let names: Vec<&str> = problems.iter().map(|problem| &*problem.parameter).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(problems[0].detail.contains("known are: limit, project"), "{problems:?}");
        assert!(check("/api/v1/jobs?limit=1&limit=2").is_err());
    }
}
