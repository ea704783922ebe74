//! What came of a form that was sent without JavaScript: kept in the session, and shown once by the page that it was
//! sent from.
//!
//! Such a form is answered by a redirect, which can say nothing. Among what it could not say are secrets that are
//! given out once, so the answer is sealed for its session until the page takes it.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::header::{ACCEPT, REFERER};
use http::{HeaderMap, HeaderValue, Method, Uri};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tidewatch_app::model::FormAnswer;
use tower_sessions::Session;

use super::session_pages::local_path;
use crate::access::seal::Sealer;
use crate::access::session_store::USER_ID_KEY;
use crate::error::Error;
use crate::state::AppState;

/// The key in a session's data under which the answer stands.
const KEY: &str = "form_answer";
/// The largest answer that is kept; none is nearly so large.
const MOST_BYTES: usize = 256 * 1024;

/// An answer and the page that shows it.
#[derive(Serialize, Deserialize)]
struct Kept {
    page: String,
    answer: FormAnswer,
}

/// Takes the answers to forms that no script sends away from their redirects.
///
/// # Errors
/// Postgres cannot be reached.
pub async fn keep(
    State(state): State<AppState>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let is_function = request.uri().path().starts_with("/fn/");
    if !is_function || request.method() != Method::POST || !is_navigation(request.headers()) {
        return Ok(next.run(request).await);
    }
    let function = request.uri().path().to_owned();
    let page = page_of(request.headers());
    // Asked like this, the function says what came of it in place of where to go.
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    let answer = next.run(request).await;
    // Who is signed out is told by the page: it leads to the login.
    if let (Some(_), Some(owner)) = (session.get::<String>(USER_ID_KEY).await?, owner(&state, &session)) {
        let kept = Kept { page: page.clone(), answer: read(function, answer).await? };
        session.insert(KEY, seal(&state, &owner, &kept)?).await?;
    }
    Ok(Redirect::to(&page).into_response())
}

/// The answer that this page is to show, which is gone from the session afterwards.
///
/// # Errors
/// Postgres cannot be reached.
pub async fn take(state: &AppState, session: &Session, uri: &Uri) -> Result<Option<FormAnswer>, Error> {
    let (Some(sealed), Some(owner)) = (session.get::<String>(KEY).await?, owner(state, session)) else {
        return Ok(None);
    };
    // What cannot be read is of no use to anybody: it goes as well.
    let kept = open(state, &owner, &sealed);
    let is_here = |kept: &Kept| uri.path_and_query().is_some_and(|here| here.as_str() == kept.page);
    if kept.as_ref().is_some_and(|kept| !is_here(kept)) {
        return Ok(None);
    }
    session.remove::<String>(KEY).await?;
    Ok(kept.map(|kept| kept.answer))
}

/// Whether a browser asks for the next page: scripts ask for anything else.
fn is_navigation(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// The page that the form stands on.
fn page_of(headers: &HeaderMap) -> String {
    let from = headers.get(REFERER).and_then(|value| value.to_str().ok());
    let uri = from.and_then(|from| from.parse::<Uri>().ok());
    let path = uri.as_ref().and_then(Uri::path_and_query).map_or("/", |path| path.as_str());
    local_path(path).to_owned()
}

async fn read(function: String, answer: Response) -> Result<FormAnswer, Error> {
    let is_done = answer.status().is_success();
    let body = to_bytes(Body::new(answer.into_body()), MOST_BYTES).await;
    let body = body.map_err(|error| Error::Internal(error.to_string()))?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(FormAnswer { function, body: if is_done { Ok(body) } else { Err(body) } })
}

/// Whom it is sealed for: this session, whatever becomes of the row that it stands in.
fn owner(state: &AppState, session: &Session) -> Option<Vec<u8>> {
    let id = session.id()?;
    Some([b"form_answer:".as_slice(), &state.digester.session(&id)].concat())
}

fn seal(state: &AppState, owner: &[u8], kept: &Kept) -> Result<String, Error> {
    let json = serde_json::to_vec(kept).map_err(|error| Error::Internal(error.to_string()))?;
    let sealed = Sealer::new(&state.digester).seal(owner, &json);
    let sealed = sealed.map_err(|error| Error::Internal(error.to_string()))?;
    Ok(STANDARD_NO_PAD.encode(sealed))
}

fn open(state: &AppState, owner: &[u8], sealed: &str) -> Option<Kept> {
    let sealed = STANDARD_NO_PAD.decode(sealed).ok()?;
    let opened = Sealer::new(&state.digester).open(owner, &sealed).ok()?;
    serde_json::from_str(opened.expose_secret()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(referer: &str) -> String {
        let headers = [(REFERER, referer.parse().expect("a header"))].into_iter().collect();
        page_of(&headers)
    }

    #[test]
    fn leads_back_to_the_page_of_the_form_and_nowhere_else() {
        assert_eq!(from("http://a.test:3000/people?project=quay"), "/people?project=quay");
        assert_eq!(from("http://a.test"), "/");
        assert_eq!(from("http://a.test//evil.test/x"), "/");
        assert_eq!(from("no address"), "/");
        assert_eq!(page_of(&HeaderMap::new()), "/");
    }
}
