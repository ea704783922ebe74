//! Problem details for HTTP APIs ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).

use std::fmt;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::problem_kind::{ProblemKind, URN};

/// Media type of a problem.
pub const CONTENT_TYPE_PROBLEM: &str = "application/problem+json";

/// A problem: what is wrong, and where.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    body: Map<String, Value>,
    retry_after: Option<u32>,
}

impl Problem {
    /// A problem of this kind. The kind's name becomes the `type`, a URN that stays the same for programs.
    #[must_use]
    pub fn new(kind: ProblemKind) -> Self {
        let status = kind.status();
        let mut body = Map::new();
        body.insert("type".into(), format!("{URN}{}", kind.name()).into());
        body.insert("title".into(), kind.title().into());
        body.insert("status".into(), status.as_u16().into());
        Self { status, body, retry_after: None }
    }

    /// What is wrong in this very case.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        self.extension("detail", Value::String(detail.into()))
    }

    /// A member of its own, as RFC 9457 section 3.2 allows.
    #[must_use]
    pub fn extension(mut self, name: &str, value: Value) -> Self {
        self.body.insert(name.into(), value);
        self
    }

    /// The problem as JSON, for answers that are not HTTP's.
    #[must_use]
    pub fn into_json(self) -> Value {
        Value::Object(self.body)
    }

    /// When to try again, in seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Value::Object(self.body).to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE_PROBLEM));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tidewatch\""));
        }
        response
    }
}

/// A parameter of the address, or a header, that will not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParameterProblem {
    /// Its name; of a part of the path, that part.
    pub parameter: String,
    /// What is wrong with it.
    pub detail: String,
}

impl ParameterProblem {
    /// What is wrong with the parameter of this name.
    pub fn new(name: impl Into<String>, detail: impl ToString) -> Self {
        Self { parameter: name.into(), detail: detail.to_string() }
    }
}

impl fmt::Display for ParameterProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.parameter, self.detail)
    }
}

/// A field of the body that will not do, by JSON pointer
/// ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// `#/amountMinor`; `#` for the whole body.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

impl FieldProblem {
    /// What is wrong with the field `name`; with the whole body when it is empty.
    pub fn new(name: &str, detail: impl ToString) -> Self {
        let pointer = if name.is_empty() { "#".to_owned() } else { format!("#/{name}") };
        Self { pointer, detail: detail.to_string() }
    }

    /// The field's name; empty for the whole body.
    #[must_use]
    pub fn name(&self) -> &str {
        self.pointer.trim_start_matches(['#', '/'])
    }
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            "" => f.write_str(&self.detail),
            name => write!(f, "{name} {}", self.detail),
        }
    }
}
