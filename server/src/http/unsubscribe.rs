//! `POST /unsubscribe`: no more e-mail, by the link of one. There is no login, and the token is all that counts: so a
//! mailbox may ask for it by itself, from wherever it is ([RFC 8058](https://www.rfc-editor.org/rfc/rfc8058)).

use axum::extract::{DefaultBodyLimit, RawForm, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use axum::{Extension, Router};
use bytes::Bytes;
use http::StatusCode;

use super::query::Query;
use super::request_id::RequestId;
use crate::commands::unsubscribe::unsubscribe;
use crate::error::Error;
use crate::state::AppState;

/// Largest body: a token, and what says by which way it came.
const MAX_BODY: usize = 4 * 1024;
/// What a mailbox sends that was told so by `List-Unsubscribe-Post`.
const ONE_CLICK: (&str, &str) = ("List-Unsubscribe", "One-Click");

/// The route. It stands beside what guards against requests from other sites.
pub fn router() -> Router<AppState> {
    Router::new().route("/unsubscribe", post(post_unsubscribe)).layer(DefaultBodyLimit::max(MAX_BODY))
}

/// A mailbox is answered in a line, as it follows no redirect; a person is led back to the page.
async fn post_unsubscribe(
    State(state): State<AppState>,
    request_id: Option<Extension<RequestId>>,
    query: Query,
    form: Result<RawForm, axum::extract::rejection::RawFormRejection>,
) -> Result<Response, Error> {
    // RFC 8058 lets a mailbox send `multipart/form-data` as well: then the address alone counts.
    let form = form.map(|RawForm(bytes)| fields(&bytes)).unwrap_or_default();
    let field = |name: &str| form.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    let in_address = query.get("token");
    let token = in_address.or_else(|| field("token")).unwrap_or_default();
    let request_id = request_id.map(|Extension(id)| id.0).unwrap_or_default();
    let done = unsubscribe(&state, token, &request_id).await?;
    let is_mailbox =
        in_address.is_some() && field("token").is_none() || field(ONE_CLICK.0) == Some(ONE_CLICK.1);
    Ok(match (is_mailbox, done) {
        (true, true) => "No more e-mail will be sent.\n".into_response(),
        (true, false) => (StatusCode::NOT_FOUND, "This link is not one of ours.\n").into_response(),
        (false, true) => Redirect::to("/unsubscribe?done=1").into_response(),
        (false, false) => Redirect::to("/unsubscribe?error=token").into_response(),
    })
}

fn fields(bytes: &Bytes) -> Vec<(String, String)> {
    serde_urlencoded::from_bytes(bytes).unwrap_or_default()
}
