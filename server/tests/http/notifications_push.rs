//! Notifications by Web Push: encrypted for the browser, signed by the server's key, and never sent where nobody has
//! looked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_jobs::JobPayload;
use tidewatch_server::access::secret::random_bytes;
use tidewatch_server::config::ServeConfig;
use tidewatch_server::jobs::push_notification::PushNotification;
use tokio::net::TcpListener;
use web_push_native::p256::SecretKey;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;
use web_push_native::{Auth, decrypt};

use crate::outside_support::{Person, person, prefer, rule_for};
use crate::support::{Client, PASSWORD, TestServer, eventually, read_json};

/// A message as the push service got it.
struct Pushed {
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

#[derive(Default)]
struct Inner {
    pushed: Mutex<Vec<Pushed>>,
    answers: Mutex<VecDeque<StatusCode>>,
}

/// A push service on this machine.
struct PushService {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl PushService {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let inner = Arc::<Inner>::default();
        let router = Router::new().fallback(take).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, inner }
    }

    fn answer_once(&self, status: StatusCode) {
        self.inner.answers.lock().push_back(status);
    }

    fn count(&self) -> usize {
        self.inner.pushed.lock().len()
    }

    /// The messages, as soon as they are so many.
    async fn wait_for(&self, count: usize) -> Vec<Pushed> {
        eventually("pushes", async || (self.count() >= count).then_some(())).await;
        std::mem::take(&mut *self.inner.pushed.lock())
    }
}

async fn take(State(inner): State<Arc<Inner>>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 16).await.expect("a body").to_vec();
    inner.pushed.lock().push(Pushed { path: parts.uri.path().to_owned(), headers: parts.headers, body });
    inner.answers.lock().pop_front().unwrap_or(StatusCode::CREATED)
}

/// A browser that has subscribed at a push service.
struct Browser {
    endpoint: String,
    secret: SecretKey,
    auth: [u8; 16],
}

impl Browser {
    fn new(service: &PushService, name: &str) -> Self {
        let secret = SecretKey::from_slice(&random_bytes()).expect("a key");
        let auth = random_bytes()[..16].try_into().expect("16 bytes");
        Self { endpoint: format!("http://{}/send/{name}", service.address), secret, auth }
    }

    /// As a browser writes it.
    fn json(&self) -> Value {
        let public = self.secret.public_key().to_encoded_point(false);
        json!({
            "endpoint": self.endpoint,
            "expirationTime": null,
            "keys": {
                "p256dh": URL_SAFE_NO_PAD.encode(public.as_bytes()),
                "auth": URL_SAFE_NO_PAD.encode(self.auth),
            },
        })
    }

    async fn subscribe(&self, client: &Client) {
        let answer = client.post("/api/v1/notifications/push-subscriptions").json(&self.json()).send().await;
        assert_eq!(answer.expect("an answer").status(), StatusCode::NO_CONTENT);
    }

    fn read(&self, pushed: &Pushed) -> Value {
        let message = decrypt(pushed.body.clone(), &self.secret, &Auth::from(self.auth)).expect("decrypted");
        serde_json::from_slice(&message).expect("JSON")
    }
}

fn pushes(config: &mut ServeConfig) {
    config.outside.mail_from = Some("ops@example.com".parse().expect("an address"));
    config.outside.push_allowed_networks = vec!["127.0.0.0/8".parse().expect("a network")];
}

async fn start(pool: &PgPool) -> TestServer {
    TestServer::start_with(pool, pushes).await
}

async fn told(server: &TestServer) -> Person {
    let ann = person(server, "ann").await;
    ann.want(json!({ "preferences": prefer("off", true) })).await;
    ann
}

async fn push_key(client: &Client) -> Value {
    client.json("/api/v1/notifications/push-key").await["key"].clone()
}

async fn subscriptions(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from push_subscriptions").fetch_one(pool).await.expect("a count")
}

/// The signature of a push, verified by the key that stands beside it.
fn verified(pushed: &Pushed, service: &PushService, key: &str) -> Value {
    let header = pushed.headers["authorization"].to_str().expect("text");
    let (token, public) =
        header.strip_prefix("vapid t=").and_then(|rest| rest.split_once(", k=")).expect("its form");
    assert_eq!(public, key);
    let point = URL_SAFE_NO_PAD.decode(public).expect("base 64");
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[format!("http://{}", service.address)]);
    let claims = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_ec_der(&point), &validation);
    claims.expect("verified").claims
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn goes_to_each_browser_encrypted_and_signed(pool: PgPool) {
    let service = PushService::start().await;
    let server = start(&pool).await;
    let ann = told(&server).await;
    let browsers = [Browser::new(&service, "a"), Browser::new(&service, "b")];
    for browser in &browsers {
        browser.subscribe(&ann.client).await;
    }
    browsers[0].subscribe(&ann.client).await;
    assert_eq!(subscriptions(&pool).await, 2, "said again, it is the same");
    let bob = person(&server, "bob").await;
    let shared = Browser::new(&service, "shared");
    shared.subscribe(&ann.client).await;
    shared.subscribe(&bob.client).await;
    assert_eq!(subscriptions(&pool).await, 3, "who signs in at somebody's browser has it");
    rule_for(&server, &ann, json!({ "priority": "high" })).await;
    server.client.create("Grün-1").await;

    let pushed = service.wait_for(2).await;
    let key = push_key(&ann.client).await;
    let notification = ann.unread(1).await.remove(0);
    for browser in &browsers {
        let own = pushed.iter().find(|one| browser.endpoint.ends_with(&one.path)).expect("a push");
        let message = browser.read(own);
        assert_eq!(message["title"], "<b>Grün-1</b> & co");
        assert_eq!(message["id"], notification["id"]);
        let id = notification["id"].as_str().expect("an id");
        assert_eq!(message["url"], format!("/notifications/{id}/open?project=demo"));
        for (name, value) in [("content-encoding", "aes128gcm"), ("ttl", "86400"), ("urgency", "high")] {
            assert_eq!(own.headers[name], value, "{name}");
        }
        let claims = verified(own, &service, key.as_str().expect("a key"));
        assert_eq!(claims["sub"], "mailto:ops@example.com");
    }
    eventually("the note of it", async || {
        let pushed: Option<bool> =
            sqlx::query_scalar("select pushed_at is not null from notification_receipts")
                .fetch_optional(&pool)
                .await
                .expect("a receipt");
        pushed.filter(|pushed| *pushed)
    })
    .await;
    let page = ann.client.json("/api/v1/notifications/settings").await;
    assert_eq!(page["pushKey"], key);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_browser_that_is_gone_is_forgotten_and_a_failure_is_tried_again(pool: PgPool) {
    let service = PushService::start().await;
    let server = start(&pool).await;
    let ann = told(&server).await;
    let browser = Browser::new(&service, "a");
    rule_for(&server, &ann, json!({})).await;
    for (n, status) in [StatusCode::GONE, StatusCode::NOT_FOUND].into_iter().enumerate() {
        browser.subscribe(&ann.client).await;
        service.answer_once(status);
        server.client.create(&format!("A-{n}")).await;
        service.wait_for(1).await;
        eventually("it to be forgotten", async || (subscriptions(&pool).await == 0).then_some(())).await;
    }
    browser.subscribe(&ann.client).await;
    service.answer_once(StatusCode::SERVICE_UNAVAILABLE);
    server.client.create("A-3").await;
    let pushed = service.wait_for(2).await;
    assert_eq!(browser.read(&pushed[0]), browser.read(&pushed[1]), "the same message again");
    assert_ne!(pushed[0].body, pushed[1].body, "under another key");
    assert_eq!(subscriptions(&pool).await, 1);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_does_not_want_it_is_left_alone(pool: PgPool) {
    let service = PushService::start().await;
    let server = start(&pool).await;
    let ann = person(&server, "ann").await;
    let browser = Browser::new(&service, "a");
    browser.subscribe(&ann.client).await;
    ann.want(json!({ "preferences": prefer("off", false) })).await;
    rule_for(&server, &ann, json!({})).await;
    server.client.create("A-1").await;
    ann.unread(1).await;
    let jobs = async || -> i64 {
        sqlx::query_scalar("select count(*) from jobs where kind = $1")
            .bind(PushNotification::KIND)
            .fetch_one(&pool)
            .await
            .expect("a count")
    };
    assert_eq!(jobs().await, 0);
    ann.want(json!({ "preferences": prefer("off", true) })).await;
    let body = json!({ "endpoint": browser.endpoint });
    let request = ann.client.delete("/api/v1/notifications/push-subscriptions").json(&body);
    assert_eq!(request.send().await.expect("an answer").status(), StatusCode::NO_CONTENT);
    server.client.create("A-2").await;
    ann.unread(2).await;
    assert_eq!((jobs().await, service.count()), (0, 0));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_is_no_browser_is_refused(pool: PgPool) {
    let service = PushService::start().await;
    let server = start(&pool).await;
    let ann = told(&server).await;
    let good = Browser::new(&service, "a").json();
    let with = |pointer: &str, value: &str| {
        let mut body = good.clone();
        *body.pointer_mut(pointer).expect("a field") = json!(value);
        body
    };
    let path = "/api/v1/notifications/push-subscriptions";
    for (body, field) in [
        (with("/endpoint", "http://10.0.0.1/x"), "endpoint"),
        (with("/endpoint", "https://169.254.169.254/latest/meta-data"), "endpoint"),
        (with("/endpoint", "https://[::ffff:10.0.0.1]/x"), "endpoint"),
        (with("/endpoint", "http://push.example/x"), ""),
        (with("/endpoint", "ftp://push.example/x"), "endpoint"),
        (with("/endpoint", "not a URL"), "endpoint"),
        (with("/endpoint", "https://a"), "endpoint"),
        (with("/endpoint", "https://push.example/\u{0}"), "endpoint"),
        (with("/keys/p256dh", "AAAA"), "keys/p256dh"),
        (with("/keys/auth", "AAAA"), "keys/auth"),
        (json!({ "endpoint": "https://push.example/x" }), "keys"),
    ] {
        let answer = ann.client.post(path).json(&body).send().await.expect("an answer");
        // A name is vetted when it is connected to: plain HTTP may lead into a network that is allowed.
        if field.is_empty() {
            assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{body}");
            continue;
        }
        let problem = read_json(answer, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(problem["errors"][0]["pointer"], format!("#/{field}"), "{body}: {problem}");
    }
    for request in [ann.client.delete(path), ann.client.post(&format!("{path}/check"))] {
        let request = request.json(&json!({ "endpoint": "https://push.example/\u{0}" }));
        let problem =
            read_json(request.send().await.expect("an answer"), StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(problem["errors"][0]["pointer"], "#/endpoint", "{problem}");
    }
    let answer = server.client.post(path).json(&good).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "a key has no inbox, and no browser");
    let answer = server.client.anonymous().post(path).json(&good).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_signs_out_is_told_there_no_more(pool: PgPool) {
    let service = PushService::start().await;
    let server = start(&pool).await;
    let ann = told(&server).await;
    let mut sessions = Vec::new();
    for name in ["desk", "phone", "tablet"] {
        let cookie = server.log_in(&ann.email, PASSWORD).await.expect("a session");
        sessions.push((server.client.with_cookie(&cookie), Browser::new(&service, name)));
    }
    for (client, browser) in &sessions {
        browser.subscribe(client).await;
        // Said again in the same login, it is the same.
        browser.subscribe(client).await;
    }
    let known = async |client: &Client| {
        let mut known = Vec::new();
        for (_, browser) in &sessions {
            let request = client.post("/api/v1/notifications/push-subscriptions/check");
            let answer =
                request.json(&json!({ "endpoint": browser.endpoint })).send().await.expect("an answer");
            known.push(read_json(answer, StatusCode::OK).await["subscribed"] == json!(true));
        }
        known
    };
    assert_eq!(known(&ann.client).await, [true, true, true]);
    let bob = person(&server, "bob").await;
    assert_eq!(known(&bob.client).await, [false, false, false], "they are hers");

    let out = sessions[0].0.post("/logout").send().await.expect("an answer");
    assert_eq!(out.status(), StatusCode::SEE_OTHER);
    assert_eq!(known(&ann.client).await, [false, true, true]);
    let desk = server.log_in(&ann.email, PASSWORD).await.expect("a session");
    assert_eq!(
        known(&server.client.with_cookie(&desk)).await,
        [false, true, true],
        "signed in, it has to say so again"
    );

    // A login that is ended from another one ends likewise.
    let others = sessions[1].0.delete("/api/v1/sessions").send().await.expect("an answer");
    assert!(others.status().is_success(), "{}", others.status());
    assert_eq!(known(&sessions[1].0).await, [false, true, false]);
    server.stop().await;
}

/// The name and value of the first cookie of this name that an answer sets.
fn set_cookie(answer: &reqwest::Response, name: &str) -> Option<String> {
    let values = answer.headers().get_all("set-cookie").iter().map(|value| value.to_str().expect("text"));
    let mut pairs = values.map(|value| value.split(';').next().expect("a pair").to_owned());
    pairs.find(|pair| pair.starts_with(&format!("{name}=")))
}

/// Somebody's computer, and what it keeps of cookies.
struct Computer<'a> {
    server: &'a TestServer,
    browser: Browser,
    cookies: [Option<String>; 2],
}

impl Computer<'_> {
    const COOKIES: [&'static str; 2] = ["tidewatch_session", "tidewatch_push"];

    fn client(&self) -> Client {
        let cookies: Vec<&str> = self.cookies.iter().flatten().map(String::as_str).collect();
        self.server.client.with_cookie(&cookies.join("; "))
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> StatusCode {
        let answer = request.send().await.expect("an answer");
        for (kept, name) in self.cookies.iter_mut().zip(Self::COOKIES) {
            if let Some(pair) = set_cookie(&answer, name) {
                *kept = Some(pair).filter(|pair| !pair.ends_with('='));
            }
        }
        answer.status()
    }

    async fn log_in(&mut self, person: &Person) {
        let form = [("email", person.email.as_str()), ("password", PASSWORD)];
        let form = serde_urlencoded::to_string(form).expect("a form");
        let request = self.client().post("/login").body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(self.send(request).await, StatusCode::SEE_OTHER);
        self.client().json("/api/v1/notifications/count").await;
    }

    async fn log_out(&mut self) {
        let request = self.client().post("/logout");
        assert_eq!(self.send(request).await, StatusCode::SEE_OTHER);
        assert_eq!(self.cookies[1], None, "it is forgotten");
    }

    async fn subscribe(&mut self) {
        let request =
            self.client().post("/api/v1/notifications/push-subscriptions").json(&self.browser.json());
        assert_eq!(self.send(request).await, StatusCode::NO_CONTENT);
        assert!(self.cookies[1].is_some());
    }

    /// All sessions have run out.
    async fn sleep(&self) {
        sqlx::query("update sessions set expires_at = now()")
            .execute(&self.server.pool)
            .await
            .expect("the sessions");
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_signs_out_after_the_session_has_run_out_is_told_there_no_more(pool: PgPool) {
    let service = PushService::start().await;
    let server = start(&pool).await;
    let (ann, bob) = (told(&server).await, person(&server, "bob").await);
    let browser = Browser::new(&service, "shared");
    let mut shared = Computer { server: &server, browser, cookies: [None, None] };
    shared.log_in(&ann).await;
    shared.subscribe().await;
    shared.sleep().await;
    shared.log_in(&ann).await;
    assert_eq!(subscriptions(&pool).await, 1, "a session that runs out ends nothing");
    shared.log_out().await;
    assert_eq!(subscriptions(&pool).await, 0);
    rule_for(&server, &ann, json!({})).await;
    server.client.create("A-1").await;
    let jobs: i64 = eventually("it to be sent", async || {
        let sent: (i64, i64) = sqlx::query_as(
            "select (select count(*) from notification_receipts), (select count(*) from jobs where kind = $1)",
        )
        .bind(PushNotification::KIND)
        .fetch_one(&pool)
        .await
        .expect("counts");
        (sent.0 == 1).then_some(sent.1)
    })
    .await;
    assert_eq!(jobs, 0, "nothing goes to that screen");

    // Signed out while there is no session at all, or in by somebody else, it is the same.
    shared.log_in(&ann).await;
    shared.subscribe().await;
    shared.sleep().await;
    shared.log_out().await;
    assert_eq!(subscriptions(&pool).await, 0);
    shared.log_in(&ann).await;
    shared.subscribe().await;
    shared.sleep().await;
    shared.log_in(&bob).await;
    assert_eq!(subscriptions(&pool).await, 0);
    shared.subscribe().await;
    shared.log_in(&bob).await;
    assert_eq!(subscriptions(&pool).await, 1, "his own go on");

    // Ended from elsewhere: that login alone, or all others, among which is what has run out.
    let mut phone =
        Computer { server: &server, browser: Browser::new(&service, "phone"), cookies: [None, None] };
    shared.sleep().await;
    shared.log_in(&bob).await;
    phone.log_in(&bob).await;
    phone.subscribe().await;
    let sessions = phone.client().json("/api/v1/sessions").await;
    let other = sessions["sessions"].as_array().expect("sessions").iter();
    let other =
        other.clone().find(|one| one["current"] == json!(false)).expect("the other one")["id"].clone();
    let path = format!("/api/v1/sessions/{}", other.as_str().expect("an id"));
    assert!(phone.send(phone.client().delete(&path)).await.is_success());
    assert_eq!(subscriptions(&pool).await, 1, "the phone's");
    shared.log_in(&bob).await;
    shared.subscribe().await;
    shared.sleep().await;
    phone.log_in(&bob).await;
    assert_eq!(subscriptions(&pool).await, 2);
    assert!(phone.send(phone.client().delete("/api/v1/sessions")).await.is_success());
    let left: String = sqlx::query_scalar("select endpoint from push_subscriptions")
        .fetch_one(&pool)
        .await
        .expect("one subscription");
    assert_eq!(left, phone.browser.endpoint, "a login that has run out is another one, too");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_an_api_login_subscribed_ends_with_it(pool: PgPool) {
    let service = PushService::start().await;
    let server = start(&pool).await;
    let ann = told(&server).await;
    let log_in = async || {
        let login = json!({ "email": ann.email, "password": PASSWORD });
        let answer = server.client.anonymous().post("/api/v1/auth/token").json(&login).send().await;
        read_json(answer.expect("an answer"), StatusCode::OK).await
    };
    let subscribed = async |name: &str| {
        let tokens = log_in().await;
        let client = server.client.with_key(tokens["accessToken"].as_str().expect("a token"));
        Browser::new(&service, name).subscribe(&client).await;
        (client, tokens["refreshToken"].clone())
    };
    let (one, _) = subscribed("one").await;
    let (_, refresh) = subscribed("two").await;
    assert_eq!(subscriptions(&pool).await, 2);
    assert!(one.delete("/api/v1/sessions").send().await.expect("an answer").status().is_success());
    assert_eq!(subscriptions(&pool).await, 1, "its own goes on");
    let (_, other) = subscribed("three").await;
    for token in [refresh, other] {
        let body = json!({ "refreshToken": token });
        let revoked = server.client.anonymous().post("/api/v1/auth/revoke").json(&body).send().await;
        assert_eq!(revoked.expect("an answer").status(), StatusCode::NO_CONTENT);
    }
    assert_eq!(subscriptions(&pool).await, 1, "signed out, it is told no more");
    let (api, _) = subscribed("four").await;
    let sessions = api.json("/api/v1/sessions").await;
    let sessions = sessions["sessions"].as_array().expect("sessions").iter();
    let own = sessions.clone().find(|one| one["current"] == json!(true)).expect("its own")["id"].clone();
    let path = format!("/api/v1/sessions/{}", own.as_str().expect("an id"));
    assert!(one.delete(&path).send().await.expect("an answer").status().is_success());
    assert_eq!(subscriptions(&pool).await, 1);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_one_wants_and_where_one_is_told_is_audited_when_it_changes(pool: PgPool) {
    let service = PushService::start().await;
    let server = start(&pool).await;
    let ann = person(&server, "ann").await;
    let browser = Browser::new(&service, "a");
    let path = "/api/v1/notifications/push-subscriptions";
    for _ in 0..2 {
        ann.want(json!({ "preferences": prefer("off", true), "digest": "weekly" })).await;
        browser.subscribe(&ann.client).await;
    }
    for _ in 0..2 {
        let request = ann.client.delete(path).json(&json!({ "endpoint": browser.endpoint }));
        assert_eq!(request.send().await.expect("an answer").status(), StatusCode::NO_CONTENT);
    }
    let audit = server.client.json("/api/v1/audit").await;
    let entries = audit["entries"].as_array().expect("entries");
    let own: Vec<&Value> = entries.iter().filter(|entry| entry["actorName"] == ann.email.as_str()).collect();
    let actions: Vec<&Value> = own.iter().map(|entry| &entry["action"]).collect();
    let expected = ["push_subscription.delete", "push_subscription.create", "notification_settings.update"];
    assert_eq!(actions, expected.map(|action| json!(action)).iter().collect::<Vec<_>>(), "{audit}");
    assert_eq!(
        (&own[2]["before"]["digest"], &own[2]["after"]["digest"]),
        (&json!("daily"), &json!("weekly"))
    );
    assert_eq!(own[1]["after"]["pushService"], "127.0.0.1");
    assert!(!audit.to_string().contains(&browser.endpoint), "who knows it can reach the browser");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_server_that_pushes_nothing_says_so(pool: PgPool) {
    let service = PushService::start().await;
    let server = TestServer::start(&pool).await;
    let ann = person(&server, "ann").await;
    assert_eq!(push_key(&ann.client).await, Value::Null);
    let body = Browser::new(&service, "a").json();
    let request = ann.client.post("/api/v1/notifications/push-subscriptions").json(&body);
    let problem = read_json(request.send().await.expect("an answer"), StatusCode::CONFLICT).await;
    assert_eq!(problem["type"], "urn:tidewatch:problem:refused");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_key_is_made_once_and_anew_under_another_secret(pool: PgPool) {
    let service = PushService::start().await;
    let server = start(&pool).await;
    let ann = told(&server).await;
    Browser::new(&service, "a").subscribe(&ann.client).await;
    let key = push_key(&ann.client).await;
    server.stop().await;

    let server = start(&pool).await;
    let ann = told(&server).await;
    assert_eq!((push_key(&ann.client).await, subscriptions(&pool).await), (key.clone(), 1));
    server.stop().await;

    let server = TestServer::start_with(&pool, |config| {
        pushes(config);
        config.secret = Some("another secret for tests, and for tests alone".into());
    })
    .await;
    assert_eq!(
        subscriptions(&pool).await,
        0,
        "who subscribed under the old one is not reached by the new one"
    );
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_worker_is_served_for_the_whole_site(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let answer = server.client.anonymous().get("/push-worker.js").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let headers = answer.headers();
    assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(headers["cache-control"], "no-cache");
    assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
    assert!(headers["content-security-policy"].to_str().expect("text").contains("connect-src 'self'"));
    assert!(answer.text().await.expect("a script").contains("showNotification"));
    server.stop().await;
}
