//! `/api/openapi.json`, `/api/asyncapi.json` and `/api/docs`: what the API is like, for whoever asks. They say what is in
//! the source, and nothing of what is in a project.

use axum::extract::Extension;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::api_documents::operation::JSON;
use crate::api_documents::{ApiDocuments, Operation, Routes, Shape};
use crate::http::etag::tagged;
use crate::http::headers::OwnPolicy;
use crate::http::preferences::theme;
use crate::http::problem_kind::ProblemKind;

/// The page's styles: the colours and sizes of the dashboard, and what the page adds.
const STYLE: &str =
    concat!(include_str!("../../../../style/tokens.css"), include_str!("../../api_documents/page.css"));
/// A new version of the server is asked within minutes; until then nobody has to.
const FOR_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300");
/// The page runs nothing, and loads its styles alone.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// Where the page's styles are.
pub const STYLE_PATH: &str = "/api/docs/style.css";

/// The routes.
pub fn routes() -> Routes {
    let document = |id: &str, summary: &str, description: &str, what: &str| {
        let shape = Shape::Json(json!({ "type": "object", "description": what, "examples": [{}] }));
        known_again(Operation::new(id, summary).describe(description))
            .answers_with(StatusCode::OK, what, JSON, shape)
            .with_header("ETag", "By which the document is known again.")
            .with_header("Cache-Control", "Whoever may keep it for some minutes.")
    };
    Routes::of("Documents")
        .get(
            "/api/openapi.json",
            openapi,
            document(
                "getOpenApi",
                "Read this document",
                "Made of the routes that the server has.",
                "An OpenAPI 3.1 document.",
            ),
        )
        .get(
            "/api/asyncapi.json",
            asyncapi,
            document(
                "getAsyncApi",
                "Read the events' document",
                "Made of the catalog of events.",
                "An AsyncAPI 3.0 document.",
            ),
        )
        .get(
            "/api/docs",
            page,
            known_again(Operation::new("getApiPage", "Read the reference"))
                .answers_with(
                    StatusCode::OK,
                    "Both documents as a page for people.",
                    "text/html",
                    Shape::text(),
                )
                .answered_like("<!DOCTYPE html>…"),
        )
}

fn known_again(operation: Operation) -> Operation {
    operation
        .open()
        .without(&[ProblemKind::Unavailable])
        .header("If-None-Match", "The `ETag` of what the caller has.", Shape::text())
        .answers_nothing(StatusCode::NOT_MODIFIED, "The caller has it.")
}

async fn openapi(Extension(documents): Extension<ApiDocuments>, headers: HeaderMap) -> Response {
    keep(tagged(documents.openapi().to_string(), HeaderValue::from_static(JSON), &headers))
}

async fn asyncapi(Extension(documents): Extension<ApiDocuments>, headers: HeaderMap) -> Response {
    keep(tagged(documents.asyncapi().to_string(), HeaderValue::from_static(JSON), &headers))
}

async fn page(Extension(documents): Extension<ApiDocuments>, headers: HeaderMap) -> Response {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    // In the colours that were chosen for the dashboard.
    let root = format!("<html lang=\"en\" data-theme=\"{}\">", theme(&headers).as_str());
    let page = documents.page().replacen("<html lang=\"en\">", &root, 1);
    let mut response = keep(tagged(page, html, &headers));
    response.headers_mut().insert(VARY, HeaderValue::from_static(COOKIE.as_str()));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response.extensions_mut().insert(OwnPolicy);
    response
}

/// The page's styles, which are no operation of the API.
pub async fn style(headers: HeaderMap) -> Response {
    keep(tagged(STYLE, HeaderValue::from_static("text/css; charset=utf-8"), &headers))
}

fn keep(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, FOR_MINUTES);
    response
}
