//! Events in pages.

use gloo_net::http::{Request, Response};
use serde::Deserialize;
use tidewatch_events::{Envelope, Position};
use web_sys::AbortController;

use crate::live::machine::{Millis, Polled};

/// Most events of one page.
const LIMIT: u32 = 500;
/// What stands for the rights of one who may read no events at all.
const NO_RIGHTS: &str = "none";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    events: Vec<Envelope>,
    position: Position,
    has_more: bool,
    #[serde(default)]
    rights: String,
}

/// Gets a page, which the server may hold back for so many seconds as long as there is nothing on
/// it, and what stands for the reader's rights.
pub(super) fn fetch(
    url: &str,
    wait_seconds: u32,
    controller: Option<&AbortController>,
) -> impl Future<Output = (Option<String>, Polled)> + 'static {
    let request = Request::get(&format!("{url}&limit={LIMIT}&wait={wait_seconds}"))
        .header("Accept", "application/json")
        .abort_signal(controller.map(AbortController::signal).as_ref());
    async move {
        match request.send().await {
            Ok(response) => read(response).await,
            Err(_) => (None, Polled::Failed { retry_after: None }),
        }
    }
}

async fn read(response: Response) -> (Option<String>, Polled) {
    let retry_after =
        || response.headers().get("Retry-After")?.parse::<Millis>().ok().map(|seconds| seconds * 1_000);
    match response.status() {
        200 => match response.json::<Page>().await {
            Ok(Page { events, position, has_more, rights }) => {
                (Some(rights), Polled::Page { events, position, has_more })
            }
            Err(_) => (None, Polled::Failed { retry_after: None }),
        },
        401 => (None, Polled::Unauthorized),
        403 => (Some(NO_RIGHTS.to_owned()), Polled::Failed { retry_after: retry_after() }),
        410 => (None, Polled::Gap),
        _ => (None, Polled::Failed { retry_after: retry_after() }),
    }
}
