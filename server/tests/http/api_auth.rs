//! `/api/v1/auth`: access tokens, and what becomes of stolen and altered ones.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_server::access::secret::Digester;
use tidewatch_server::access::token::Tokens;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::support::{Client, PASSWORD, SECRET, TestServer, read_json};

const EMAIL: &str = "ann@example.test";

async fn log_in(server: &TestServer, body: Value) -> reqwest::Response {
    server.client.anonymous().post("/api/v1/auth/token").json(&body).send().await.expect("an answer")
}

async fn tokens(server: &TestServer) -> (Client, Value) {
    let answer = log_in(server, json!({ "email": EMAIL, "password": PASSWORD })).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let tokens = read_json(answer, StatusCode::OK).await;
    (server.client.with_key(tokens["accessToken"].as_str().expect("a token")), tokens)
}

async fn refresh(server: &TestServer, token: &Value) -> reqwest::Response {
    let body = json!({ "refreshToken": token });
    server.client.anonymous().post("/api/v1/auth/refresh").json(&body).send().await.expect("an answer")
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_token_opens_every_api_and_stream(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    server.add_person(server.project, EMAIL, &["operator"], &[]).await;
    let (ann, tokens) = tokens(&server).await;
    assert_eq!(tokens["expiresIn"], 600);
    assert_eq!(tokens["tokenType"], "Bearer");
    let mut stream = ann.stream("").await;
    let created = ann.create("INV-1").await;
    assert_eq!(stream.next().await.data["aggregateId"], created["id"]);
    let page = ann.json("/api/v1/events?after=earliest").await;
    let actor = page["events"][0]["metadata"]["actor"].as_str().expect("an actor");
    assert!(actor.starts_with("user:usr_"), "{actor}");
    assert_eq!(ann.json("/api/v1/project").await["slug"], "demo");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_refresh_token_counts_once_and_a_second_use_ends_the_login(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    server.add_person(server.project, EMAIL, &["viewer"], &[]).await;
    let (_, first) = tokens(&server).await;
    let second = read_json(refresh(&server, &first["refreshToken"]).await, StatusCode::OK).await;
    assert_ne!(first["refreshToken"], second["refreshToken"]);
    let ann = server.client.with_key(second["accessToken"].as_str().expect("a token"));
    assert_eq!(ann.status("/api/v1/settlements").await, 200);
    // Somebody has a copy of the first one: who of the two is the thief cannot be known.
    assert_eq!(refresh(&server, &first["refreshToken"]).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refresh(&server, &second["refreshToken"]).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(ann.status("/api/v1/settlements").await, 401);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn stolen_and_altered_tokens_fail_closed(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ann = server.add_person(server.project, EMAIL, &["admin"], &[]).await;
    let other = server.add_project("other").await;
    let (good, _) = tokens(&server).await;
    let text = good.key().to_owned();
    let claims = |text: &str| -> Value {
        let part = text.split('.').nth(1).expect("claims");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
    };
    let family = claims(&text)["sid"].as_str().expect("a login").parse::<Uuid>().expect("an id");
    let now = OffsetDateTime::now_utc();
    let ours = Tokens::new(&Digester::new(SECRET.into()));
    let theirs = Tokens::new(&Digester::new(b"another secret of somebody else..".to_vec()));
    let sign = |tokens: &Tokens, project, family, at| {
        let token = tokens.sign(ann, project, family, at).expect("signed");
        secrecy::ExposeSecret::expose_secret(&token).to_owned()
    };
    assert_eq!(
        server.client.with_key(&sign(&ours, server.project, family, now)).status("/api/v1/project").await,
        200
    );

    let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let signature = text.rsplit('.').next().expect("a signature");
    let mut elsewhere = claims(&text);
    elsewhere["prj"] = json!(other);
    let header = text.split('.').next().expect("a header");
    let bad = [
        ("alg none", format!("{}.{}.", encode(&json!({ "alg": "none" })), encode(&claims(&text)))),
        (
            "alg none, signed",
            format!("{}.{}.{signature}", encode(&json!({ "alg": "none" })), encode(&claims(&text))),
        ),
        ("wrong key", sign(&theirs, server.project, family, now)),
        ("expired", sign(&ours, server.project, family, now - time::Duration::minutes(11))),
        ("another project under the old signature", format!("{header}.{}.{signature}", encode(&elsewhere))),
        ("a project that the person is not in", sign(&ours, other, family, now)),
        ("an unknown login", sign(&ours, server.project, Uuid::now_v7(), now)),
        ("cut", text[..text.len() - 4].to_owned()),
        ("nothing", String::new()),
    ];
    for (what, token) in bad {
        for path in ["/api/v1/settlements", "/api/v1/events"] {
            let answer = server.client.with_key(&token).get(path).send().await.expect("an answer");
            let problem = read_json(answer, StatusCode::UNAUTHORIZED).await;
            assert_eq!(problem["status"], 401, "{what} at {path}");
        }
    }
    // A good token for one project is nothing in another.
    assert_eq!(good.status("/api/v1/settlements?project=other").await, 404);
    assert_eq!(good.status("/api/v1/settlements?project=demo").await, 200);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn guessing_passwords_is_slowed_down(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    server.add_person(server.project, EMAIL, &["viewer"], &[]).await;
    for (email, who) in [(EMAIL, "an account"), ("nobody@example.test", "nobody")] {
        let mut throttled = None;
        for _ in 0..8 {
            let answer = log_in(&server, json!({ "email": email, "password": "guess guess guess" })).await;
            if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                throttled = Some(answer);
                break;
            }
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        }
        let answer = throttled.unwrap_or_else(|| panic!("{who} was never throttled"));
        let wait: u64 = answer.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=16).contains(&wait), "{who}: {wait}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    // The right password has to wait as well, or the delay would tell that it is right.
    let right = log_in(&server, json!({ "email": EMAIL, "password": PASSWORD })).await;
    assert_eq!(right.status(), StatusCode::TOO_MANY_REQUESTS);
    // On the form: the status, and the way back.
    let form =
        server.client.anonymous().post("/login").header("content-type", "application/x-www-form-urlencoded");
    let answer = form.body(format!("email={EMAIL}&password=x")).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers().contains_key("retry-after"));
    assert!(answer.text().await.expect("a page").contains("/login?error=throttled"));
    sqlx::query("update login_failures set blocked_until = now()").execute(&pool).await.expect("waited");
    assert_eq!(
        log_in(&server, json!({ "email": EMAIL, "password": PASSWORD })).await.status(),
        StatusCode::OK
    );
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_address_that_tries_many_accounts_is_slowed_down(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut statuses = Vec::new();
    for index in 0..23 {
        let body = json!({ "email": format!("person{index}@example.test"), "password": "guess guess guess" });
        statuses.push(log_in(&server, body).await.status().as_u16());
    }
    assert!(statuses[..20].iter().all(|status| *status == 401), "{statuses:?}");
    assert_eq!(statuses[22], 429, "{statuses:?}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_password_that_changes_ends_all_other_logins(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ann = server.add_person(server.project, EMAIL, &["viewer"], &[]).await;
    let (here, there) = (server.session_of(ann).await, server.session_of(ann).await);
    let (api, _) = tokens(&server).await;
    let change = async |current: &str, new: &str| {
        let body = json!({ "currentPassword": current, "newPassword": new });
        here.post("/api/v1/auth/password").json(&body).send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(change("wrong", "a new and longer one").await, 422);
    assert_eq!(change(PASSWORD, "short").await, 422);
    assert_eq!(change(PASSWORD, "a new and longer one").await, 204);
    assert_eq!(here.status("/api/v1/settlements").await, 200);
    assert_eq!(there.status("/api/v1/settlements").await, 401);
    assert_eq!(api.status("/api/v1/settlements").await, 401);
    assert!(server.log_in(EMAIL, PASSWORD).await.is_none(), "the old one counts no longer");
    assert!(server.log_in(EMAIL, "a new and longer one").await.is_some());
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_session_planted_before_the_login_is_worth_nothing(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    server.add_person(server.project, EMAIL, &["viewer"], &[]).await;
    // The attacker's own session, which they put into the victim's browser.
    let planted = {
        let mallory = server.add_person(server.project, "mallory@example.test", &["viewer"], &[]).await;
        server.session_of(mallory).await
    };
    let form = planted.post("/login").header("content-type", "application/x-www-form-urlencoded");
    let body = serde_urlencoded::to_string([("email", EMAIL), ("password", PASSWORD)]).expect("a form");
    let answer = form.body(body).send().await.expect("an answer");
    let cookie = answer.headers()["set-cookie"]
        .to_str()
        .expect("text")
        .split(';')
        .next()
        .expect("a cookie")
        .to_owned();
    let victim = server.client.with_cookie(&cookie);
    assert_eq!(victim.status("/api/v1/settlements").await, 200);
    assert_eq!(
        planted.status("/api/v1/settlements").await,
        401,
        "the planted id is not the victim's session"
    );
    server.stop().await;
}
