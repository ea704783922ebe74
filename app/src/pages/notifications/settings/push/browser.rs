//! The browser's side of Web Push ([Push API](https://www.w3.org/TR/push-api/)): a service worker shows what comes, and
//! the server is told where this browser is reached.

use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Notification, NotificationPermission, PushManager, PushSubscription, PushSubscriptionOptionsInit,
    RequestInit, Response, ServiceWorkerContainer, ServiceWorkerRegistration,
};

use crate::contexts::project::in_project;
use leptos::prelude::window;

/// Shows what is pushed. Which project this is about stands in its address, as it asks without a page.
const WORKER: &str = "/push-worker.js";
/// Where subscriptions are kept.
const SUBSCRIPTIONS: &str = "/api/v1/notifications/push-subscriptions";

/// Whether the browser knows all that it takes; over plain HTTP to another host it does not.
pub(super) fn is_supported() -> bool {
    let has = |owner: &JsValue, name: &str| js_sys::Reflect::has(owner, &name.into()).unwrap_or(false);
    let window = window();
    has(&window, "PushManager") && has(&window, "Notification") && has(&window.navigator(), "serviceWorker")
}

/// Whether somebody told the browser to show nothing of this site.
pub(super) fn is_refused() -> bool {
    Notification::permission() == NotificationPermission::Denied
}

/// Whether this person is told here of this project. The browser has one subscription, whoever is signed in and
/// whatever the project: whose it is knows the server alone. Where it cannot be asked, it is not said to be so; to turn
/// it on again does no harm.
pub(super) async fn is_subscribed(project: &str) -> bool {
    let Ok(Some(subscription)) = subscription().await else { return false };
    is_known(project, &subscription.endpoint()).await.unwrap_or(false)
}

/// Has this browser be told. The person is asked first, and may refuse.
///
/// # Errors
/// Why it is not, for people.
pub(super) async fn subscribe(project: &str, key: &str) -> Result<(), String> {
    let asked = JsFuture::from(Notification::request_permission().map_err(said)?).await.map_err(said)?;
    if asked.as_string().as_deref() != Some("granted") {
        return Err("Your browser may show no notifications of this site.".to_owned());
    }
    JsFuture::from(workers().register(&in_project(WORKER, project))).await.map_err(said)?;
    let ready = JsFuture::from(workers().ready().map_err(said)?).await.map_err(said)?;
    let options = PushSubscriptionOptionsInit::new();
    options.set_user_visible_only(true);
    options.set_application_server_key_opt_str(Some(key));
    let manager = ready.unchecked_into::<ServiceWorkerRegistration>().push_manager().map_err(said)?;
    let subscription = subscribe_at(&manager, &options).await?;
    tell(project, "POST", &Subscribed::read(&subscription)?.into_json()).await
}

/// The browser's subscription under the server's key. One under another key is nobody's any more, for the server has the
/// one key alone, and gives way.
async fn subscribe_at(
    manager: &PushManager,
    options: &PushSubscriptionOptionsInit,
) -> Result<PushSubscription, String> {
    let subscribed = async || -> Result<PushSubscription, JsValue> {
        Ok(JsFuture::from(manager.subscribe_with_options(options)?).await?.unchecked_into())
    };
    match subscribed().await {
        Err(refused) if is_under_another_key(&refused) => {}
        answer => return answer.map_err(said),
    }
    if let Some(old) = subscription().await? {
        JsFuture::from(old.unsubscribe().map_err(said)?).await.map_err(said)?;
    }
    subscribed().await.map_err(said)
}

/// Whether the browser refuses because it is subscribed under another key
/// ([Push API, subscribe](https://www.w3.org/TR/push-api/#subscribe-method)).
fn is_under_another_key(refused: &JsValue) -> bool {
    let name = js_sys::Reflect::get(refused, &"name".into()).ok().and_then(|name| name.as_string());
    name.as_deref() == Some("InvalidStateError")
}

/// Has this browser be told nothing of this project any more. Its own subscription stays: other projects of the person,
/// and other people, are told by the same one.
///
/// # Errors
/// Why it still is, for people.
pub(super) async fn unsubscribe(project: &str) -> Result<(), String> {
    let Some(subscription) = subscription().await? else { return Ok(()) };
    tell(project, "DELETE", &endpoint_json(&subscription.endpoint())).await
}

fn endpoint_json(endpoint: &str) -> serde_json::Value {
    serde_json::json!({ "endpoint": endpoint })
}

/// Whether the server tells the person who is signed in there of this project.
async fn is_known(project: &str, endpoint: &str) -> Result<bool, String> {
    #[derive(Deserialize)]
    struct Checked {
        subscribed: bool,
    }
    let path = format!("{SUBSCRIPTIONS}/check");
    let answer = ask(&path, project, "POST", &endpoint_json(endpoint)).await?;
    let text = JsFuture::from(answer.text().map_err(said)?).await.map_err(said)?;
    let checked: Checked =
        serde_json::from_str(&text.as_string().unwrap_or_default()).map_err(|error| error.to_string())?;
    Ok(checked.subscribed)
}

async fn subscription() -> Result<Option<PushSubscription>, String> {
    let registration = JsFuture::from(workers().get_registration()).await.map_err(said)?;
    let Ok(registration) = registration.dyn_into::<ServiceWorkerRegistration>() else { return Ok(None) };
    let promise = registration.push_manager().and_then(|manager| manager.get_subscription()).map_err(said)?;
    Ok(JsFuture::from(promise).await.map_err(said)?.dyn_into().ok())
}

fn workers() -> ServiceWorkerContainer {
    window().navigator().service_worker()
}

/// A subscription as the browser writes it.
#[derive(Deserialize)]
struct Subscribed {
    endpoint: String,
    keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

impl Subscribed {
    fn read(subscription: &PushSubscription) -> Result<Self, String> {
        let json = js_sys::JSON::stringify(subscription).map_err(said)?;
        serde_json::from_str(&String::from(json)).map_err(|error| error.to_string())
    }

    fn into_json(self) -> serde_json::Value {
        let Self { endpoint, keys: Keys { p256dh, auth } } = self;
        serde_json::json!({ "endpoint": endpoint, "keys": { "p256dh": p256dh, "auth": auth } })
    }
}

/// Tells the server of a subscription, as the person who is signed in.
async fn tell(project: &str, method: &str, body: &serde_json::Value) -> Result<(), String> {
    ask(SUBSCRIPTIONS, project, method, body).await.map(drop)
}

/// Asks the server, as the person who is signed in.
async fn ask(path: &str, project: &str, method: &str, body: &serde_json::Value) -> Result<Response, String> {
    let headers = js_sys::Object::new();
    js_sys::Reflect::set(&headers, &"content-type".into(), &"application/json".into()).map_err(said)?;
    let init = RequestInit::new();
    init.set_method(method);
    init.set_headers(&headers);
    init.set_body(&body.to_string().into());
    let answer = window().fetch_with_str_and_init(&in_project(path, project), &init);
    let answer: Response = JsFuture::from(answer).await.map_err(said)?.unchecked_into();
    if answer.ok() {
        Ok(answer)
    } else {
        Err(format!("The server answered {}: nothing has changed.", answer.status()))
    }
}

/// What a browser says of its own errors.
fn said(error: impl Into<JsValue>) -> String {
    let error: JsValue = error.into();
    let message =
        js_sys::Reflect::get(&error, &"message".into()).ok().and_then(|message| message.as_string());
    message.unwrap_or_else(|| "The browser refused.".to_owned())
}
