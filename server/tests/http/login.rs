use reqwest::{Response, StatusCode};
use secrecy::SecretString;
use sqlx::PgPool;
use tidewatch_server::access::password;
use tidewatch_server::db;

use crate::support::TestServer;

const EMAIL: &str = "operator@example.test";
const PASSWORD: &str = "correct horse battery staple";

async fn add_operator(server: &TestServer) {
    let mut connection = server.pool.acquire().await.expect("a connection");
    let hash = password::hash(&SecretString::from(PASSWORD)).expect("a hash");
    assert!(hash.starts_with("$argon2id$"));
    let user = db::users::ensure(&mut connection, EMAIL, "Operator", &hash).await.expect("a user");
    db::users::grant_role(&mut connection, server.project, user, "operator").await.expect("a role");
}

async fn log_in(server: &TestServer, email: &str, password: &str, next: &str) -> Response {
    server
        .client
        .anonymous()
        .post("/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(
            serde_urlencoded::to_string([("email", email), ("password", password), ("next", next)])
                .expect("a form"),
        )
        .send()
        .await
        .expect("an answer")
}

fn location(answer: &Response) -> &str {
    answer.headers()["location"].to_str().expect("text")
}

fn cookie(answer: &Response) -> Option<String> {
    let text = answer.headers().get("set-cookie")?.to_str().ok()?;
    Some(text.split(';').next()?.to_owned())
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_session_opens_pages_and_api_until_it_ends(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    add_operator(&server).await;
    let answer = log_in(&server, EMAIL, PASSWORD, "/settlements?status=failed").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(location(&answer), "/settlements?status=failed");
    let flags = answer.headers()["set-cookie"].to_str().expect("text").to_ascii_lowercase();
    assert!(flags.contains("httponly") && flags.contains("samesite=lax"), "{flags}");
    let cookie = cookie(&answer).expect("a session");

    let anonymous = server.client.anonymous();
    let with_session = |path: &str| anonymous.get(path).header("cookie", &cookie).send();
    let api = with_session("/api/v1/settlements").await.expect("an answer");
    assert_eq!(api.status(), StatusCode::OK);

    let stored: Vec<String> = sqlx::query_scalar("select encode(id, 'hex') from sessions")
        .fetch_all(&pool)
        .await
        .expect("sessions");
    let value = cookie.split_once('=').expect("a value").1;
    assert!(stored.iter().all(|id| !id.contains(value)), "the table holds digests, not what opens a session");

    let out = anonymous.post("/logout").header("cookie", &cookie).send().await.expect("an answer");
    assert_eq!(location(&out), "/login");
    let after = with_session("/api/v1/settlements").await.expect("an answer");
    assert_eq!(after.status(), StatusCode::UNAUTHORIZED);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_wrong_password_and_an_unknown_person_look_the_same(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    add_operator(&server).await;
    for (email, password) in [(EMAIL, "wrong"), ("nobody@example.test", PASSWORD), ("", "")] {
        let answer = log_in(&server, email, password, "/settlements").await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(location(&answer), "/login?error=credentials&next=%2Fsettlements");
        assert_eq!(cookie(&answer), None);
    }
    let elsewhere = log_in(&server, EMAIL, PASSWORD, "//evil.test/").await;
    assert_eq!(location(&elsewhere), "/");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_disabled_person_is_out_at_once(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    add_operator(&server).await;
    let cookie = cookie(&log_in(&server, EMAIL, PASSWORD, "/").await).expect("a session");
    sqlx::query("update users set disabled_at = now()").execute(&pool).await.expect("disabled");
    let answer = server.client.anonymous().get("/api/v1/settlements").header("cookie", cookie).send().await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::UNAUTHORIZED);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn changes_from_other_sites_are_refused(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    add_operator(&server).await;
    let cookie = cookie(&log_in(&server, EMAIL, PASSWORD, "/").await).expect("a session");
    let post = |site: &'static str| {
        server
            .client
            .anonymous()
            .post("/api/v1/settlements")
            .header("cookie", &cookie)
            .header("sec-fetch-site", site)
            .json(&serde_json::json!({ "reference": "INV-1", "amountMinor": 1, "currency": "EUR" }))
            .send()
    };
    assert_eq!(post("cross-site").await.expect("an answer").status(), StatusCode::FORBIDDEN);
    assert_eq!(post("same-origin").await.expect("an answer").status(), StatusCode::CREATED);
    server.stop().await;
}
