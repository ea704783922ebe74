//! Every route, and what all of them pass through.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method};
use leptos::config::LeptosOptions;
use leptos::nonce::Nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{LeptosRoutes, file_and_error_handler_with_context, generate_route_list};
use socketioxide::layer::SocketIoLayer;
use tidewatch_app::backend::BackendHandle;
use tidewatch_app::contexts::project::in_project;
use tidewatch_app::model::{FormAnswer, OVERVIEW, home};
use tidewatch_app::{App, shell};
use tidewatch_events::id::UserId;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::services::{ServeDir, ServeFile};
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

use super::headers::PageNonce;
use super::json_body::MAX_BODY_BYTES;
use super::problem::Problem;
use super::problem_kind::ProblemKind;
use super::request_id::{self, RequestId, RequestTrace};
use super::request_log::Who;
use super::{
    api, assets, csrf, detach, embed, form_answer, headers, health, permalink, preferences, session_pages,
    unsubscribe,
};
use crate::access::Caller;
use crate::access::caller::project_of_query;
use crate::access::session_store::PgSessionStore;
use crate::db;
use crate::error::Error;
use crate::state::AppState;
use crate::ui::RequestBackend;

/// How long a session lives after the login. It is renewed when something in it changes, which
/// looking at pages does not.
const SESSION_LIFE: time::Duration = time::Duration::hours(12);

/// The session's cookie.
const COOKIE: &str = "tidewatch_session";
/// The same over TLS: browsers take a cookie of this prefix from TLS alone, for this very host, so that no
/// neighbour can plant one ([RFC 6265bis, section 4.1.3.2](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis)).
const SECURE_COOKIE: &str = "__Host-tidewatch_session";
/// For how long a browser need not ask again what other sites may do.
const PREFLIGHT_LIFE: Duration = Duration::from_secs(60 * 60);
/// How long a request may take until its answer begins.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The whole HTTP surface, the Socket.IO gateway included.
pub fn router(state: AppState, gateway: SocketIoLayer) -> Router {
    let sessions =
        SessionManagerLayer::new(PgSessionStore::new(state.access.clone(), state.digester.clone()))
            .with_name(if state.config.cookie_secure { SECURE_COOKIE } else { COOKIE })
            .with_http_only(true)
            .with_same_site(SameSite::Lax)
            .with_secure(state.config.cookie_secure)
            .with_expiry(Expiry::OnInactivity(SESSION_LIFE));
    // Health is asked often and must answer when sessions cannot be looked up.
    let health = health::routes().into_parts().0.with_state(state.clone());
    let forms = Router::new()
        .route("/login", post(session_pages::post_login))
        .route("/logout", post(session_pages::post_logout))
        .route("/password", post(session_pages::post_password))
        .route("/invitation", post(session_pages::post_invitation))
        .route("/preferences", post(preferences::post_preferences));
    pages(&state)
        .merge(api::router(&state.modules).merge(forms).merge(embed::router()).with_state(state.clone()))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(sessions)
        .layer(from_fn(csrf::protect))
        // Its token is all that counts, whoever sends it from wherever.
        .merge(unsubscribe::router().with_state(state.clone()))
        .layer(from_fn(assets::cache))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(compression())
        .merge(health)
        .layer(gateway)
        .layer(cors(&state.config.cors_origins))
        // Until the answer begins; streams begin at once, and no poll waits so long.
        .layer(from_fn(end_in_time))
        .layer(from_fn_with_state(state.clone(), headers::secure))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            Error::Internal("a handler panicked".to_owned()).into_response()
        }))
        .layer(from_fn_with_state(state.clone(), request_id::trace))
        // Outermost: what it takes along has all its headers.
        .layer(from_fn_with_state(state.clone(), detach::detach))
}

/// Lets the pages of other sites use the API and the gateway, by a token of their own: a browser sends
/// them no cookie of ours, and shows them nothing that one would open.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    let origins = match origins.iter().any(|origin| origin == "*") {
        true => AllowOrigin::any(),
        false => AllowOrigin::list(origins.iter().cloned()),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            ACCEPT,
            AUTHORIZATION,
            CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static("x-correlation-id"),
            HeaderName::from_static("traceparent"),
        ])
        .expose_headers([RETRY_AFTER, LOCATION, HeaderName::from_static("x-request-id")])
        .max_age(PREFLIGHT_LIFE)
}

async fn end_in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await.unwrap_or_else(|_| {
        Problem::new(ProblemKind::Timeout)
            .detail(format!("An answer has to begin within {} s.", REQUEST_TIMEOUT.as_secs()))
            .into_response()
    })
}

async fn method_not_allowed(method: Method, uri: http::Uri) -> Response {
    Problem::new(ProblemKind::MethodNotAllowed)
        .detail(format!("{} does not take {method}", uri.path()))
        .into_response()
}

/// The dashboard's pages, their server functions and files. The Leptos part has `LeptosOptions` for
/// its state, so that neither pool nor hub ever gets into Leptos' context.
fn pages(state: &AppState) -> Router {
    let options = state.leptos_options.clone();
    let provide = {
        let state = state.clone();
        move || provide_backend(&state)
    };
    let view = {
        let options = options.clone();
        move || shell(options.clone())
    };
    let site = std::path::Path::new(&*options.site_root);
    Router::new()
        // Before the pages: to those `/pkg/…` is a record of a module, too.
        .nest_service("/pkg", ServeDir::new(site.join("pkg")).precompressed_br().precompressed_gzip())
        .route_service("/favicon.svg", ServeFile::new(site.join("favicon.svg")))
        .leptos_routes_with_context(&options, generate_route_list(App), provide.clone(), view)
        .fallback(file_and_error_handler_with_context::<LeptosOptions, _>(provide, shell))
        .with_state(options)
        .layer(from_fn_with_state(state.clone(), permalink::lead))
        .layer(from_fn_with_state(state.clone(), form_answer::keep))
        .layer(from_fn_with_state(state.clone(), require_session))
}

/// Compresses answers, but for streams of events, which do so by themselves, and the browser's program: built for
/// production it lies there compressed, and a build for development is 15 MB, which take longer to compress each time than
/// to send.
fn compression() -> CompressionLayer<impl Predicate> {
    const PROGRAM: NotForContentType = NotForContentType::const_new("application/wasm");
    CompressionLayer::new().compress_when(DefaultPredicate::new().and(PROGRAM))
}

/// Puts the backend of the request that is being answered into Leptos' context: one closure for
/// pages, server functions and the fallback alike.
fn provide_backend(state: &AppState) {
    // There is no request while the routes are listed at start.
    let Some(parts) = use_context::<Parts>() else { return };
    let Some(session) = parts.extensions.get::<Session>().cloned() else { return };
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let trace = parts.extensions.get::<RequestTrace>().map(|trace| trace.0);
    let who = parts.extensions.get::<Who>().cloned().unwrap_or_default();
    let nonce = parts.extensions.get::<PageNonce>().cloned();
    let answer = parts.extensions.get::<FormAnswer>().cloned();
    let backend: BackendHandle = Arc::new(
        RequestBackend::new(state.clone(), session, parts.headers, request_id)
            .traced(trace, who)
            .showing(answer),
    );
    provide_context(backend);
    // In the place of the one that Leptos drew: the policy in the answer's header names this one.
    if let Some(nonce) = nonce {
        provide_context(Nonce::from_value(nonce.0));
    }
}

/// Sends everyone without a session to the login page. Server functions answer for themselves.
async fn require_session(
    State(state): State<AppState>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let is_open = matches!(path, "/login" | "/invitation" | "/unsubscribe");
    if is_open || path.starts_with("/fn/") || is_file {
        return next.run(request).await;
    }
    let project = project_of_query(request.uri().query());
    let caller = Caller::from_session(&session, &state, project.as_deref()).await;
    if let (Ok(caller), Some(who)) = (&caller, request.extensions().get::<Who>()) {
        who.is(&caller.actor);
    }
    match caller {
        Ok(caller) => match address_with_project(&state, &caller, request.uri()).await {
            Ok(None) => match home_of(&state, &caller, request.uri()) {
                Some(home) => Redirect::to(&home).into_response(),
                None => match form_answer::take(&state, &session, request.uri()).await {
                    Ok(answer) => {
                        answer.map(|answer| request.extensions_mut().insert(answer));
                        next.run(request).await
                    }
                    Err(error) => error.into_response(),
                },
            },
            Ok(Some(address)) => Redirect::to(&address).into_response(),
            Err(error) => error.into_response(),
        },
        Err(Error::Unauthenticated(_)) => {
            let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
            let query = serde_urlencoded::to_string([("next", target)]).unwrap_or_default();
            Redirect::to(&format!("/login?{query}")).into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// Where somebody begins who came to the first page and may not see it.
fn home_of(state: &AppState, caller: &Caller, uri: &http::Uri) -> Option<String> {
    if uri.path() != OVERVIEW {
        return None;
    }
    let modules = state.modules.descriptions().filter(|module| caller.may(&module.read));
    let home = home(&caller.subject.permissions, modules.map(|module| &*module.name));
    let project = project_of_query(uri.query()).unwrap_or_default();
    (home != OVERVIEW).then(|| in_project(&home, &project))
}

/// The address that says which project it is about, where somebody is in several and the address
/// does not: what is on the screen, and what a link that is passed on shows, must be certain.
async fn address_with_project(
    state: &AppState,
    caller: &Caller,
    uri: &http::Uri,
) -> Result<Option<String>, Error> {
    let Some(member) = caller.member.as_ref().filter(|_| project_of_query(uri.query()).is_none()) else {
        return Ok(None);
    };
    let user = UserId::from_uuid(member.user_id);
    if db::projects::of_user(&mut *state.access.acquire().await?, user).await?.len() < 2 {
        return Ok(None);
    }
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let joint = if target.contains('?') { '&' } else { '?' };
    Ok(Some(format!("{target}{joint}project={}", member.project_slug)))
}
