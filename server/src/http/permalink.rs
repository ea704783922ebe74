//! `/records/{id}`: the page of a record or whatever else an id names.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tidewatch_app::address::page_of_id;
use tidewatch_events::id::RecordId;

use crate::domain::Modules;
use crate::state::AppState;

/// Leads to the page of what has this id. Whether there is such a thing, and who may see it, is that page's to say;
/// for what is the id of nothing, the dashboard's own page says that there is nothing.
pub async fn lead(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let id = request.uri().path().strip_prefix("/records/");
    match id.and_then(|id| page_of(&state.modules, id)) {
        Some(page) => {
            let joint = if page.contains('?') { '&' } else { '?' };
            let query = request.uri().query().map(|query| format!("{joint}{query}")).unwrap_or_default();
            Redirect::to(&format!("{page}{query}")).into_response()
        }
        None => next.run(request).await,
    }
}

fn page_of(modules: &Modules, id: &str) -> Option<String> {
    let id: RecordId = id.parse().ok()?;
    let record = modules.of_prefix(id.prefix()).map(|domain| format!("/{}/{id}", domain.module().name));
    record.or_else(|| page_of_id(&id))
}
