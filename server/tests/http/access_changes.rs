//! Rights that change take hold on open streams: the reader is told, and cut where it must be.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{PASSWORD, SseReader, TestServer, eventually, read_json};

/// The product's promise.
const TAKES_HOLD_WITHIN: Duration = Duration::from_secs(5);

/// The next system message, and that nothing else comes before it.
async fn told(stream: &mut SseReader) -> Value {
    let began = Instant::now();
    let frame = stream.next().await;
    assert_eq!(frame.event, "system_message", "{frame:?}");
    assert!(began.elapsed() < TAKES_HOLD_WITHIN, "took {:?}", began.elapsed());
    frame.data
}

/// Cut: told why, and then the end.
async fn cut(stream: &mut SseReader, code: &str) {
    assert_eq!(told(stream).await["code"], code);
    assert_eq!(stream.frame().await, None, "the stream ends");
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_role_that_changes_is_told_and_takes_hold(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let mut stream = server.session_of(ann).await.stream("?types=settlement.*").await;
    server.client.create("INV-1").await;
    assert_eq!(stream.next().await.event, "settlement.created");

    let body = json!({ "roles": ["contractor"] });
    let answer = server.client.patch(&format!("/api/v1/people/{ann}")).json(&body).send().await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
    assert_eq!(told(&mut stream).await["code"], "PermissionsChanged");
    server.client.create("INV-2").await;

    let body = json!({ "roles": ["operator"] });
    let answer = server.client.patch(&format!("/api/v1/people/{ann}")).json(&body).send().await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
    assert_eq!(told(&mut stream).await["code"], "PermissionsChanged", "and nothing of INV-2 before");
    server.client.create("INV-3").await;
    let seen = stream.next().await;
    assert_eq!(seen.data["payload"]["reference"], "INV-3", "the stream goes on with the new rights");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_role_of_the_project_s_own_that_changes_takes_hold(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let save = async |permissions: Value| {
        let body = json!({ "title": "Night", "permissions": permissions });
        let answer = server.client.put("/api/v1/roles/night").json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{:?}", answer.text().await);
    };
    save(json!(["events.read", "settlements.read"])).await;
    let ann = server.add_person(server.project, "ann@example.test", &["night"], &[]).await;
    let mut stream = server.session_of(ann).await.stream("?types=settlement.*").await;
    save(json!(["events.read"])).await;
    assert_eq!(told(&mut stream).await["code"], "PermissionsChanged");
    // Without events.read there is no stream at all.
    save(json!(["settlements.read"])).await;
    cut(&mut stream, "PermissionsChanged").await;
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_membership_that_ends_cuts_its_streams(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for (index, how) in ["remove", "disable", "disable everywhere"].into_iter().enumerate() {
        let email = format!("ann{index}@example.test");
        let ann = server.add_person(server.project, &email, &["viewer"], &[]).await;
        let other =
            server.add_person(server.project, &format!("bob{index}@example.test"), &["viewer"], &[]).await;
        let mut stream = server.session_of(ann).await.stream("?types=settlement.*").await;
        let mut bystander = server.session_of(other).await.stream("?types=settlement.*").await;
        let path = format!("/api/v1/people/{ann}");
        let done = match how {
            "remove" => server.client.delete(&path).send().await.expect("an answer").status(),
            "disable" => {
                let body = json!({ "disabled": true });
                server.client.patch(&path).json(&body).send().await.expect("an answer").status()
            }
            _ => {
                let mut connection = pool.acquire().await.expect("a connection");
                let done = tidewatch_server::db::users::set_disabled(&mut connection, &email, true).await;
                assert_eq!(done.expect("disabled"), Some(ann));
                StatusCode::OK
            }
        };
        assert_eq!(done, StatusCode::OK, "{how}");
        cut(&mut stream, "SessionExpired").await;
        server.client.create(&format!("INV-{index}")).await;
        assert_eq!(bystander.next().await.event, "settlement.created", "{how}: others go on");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_session_that_ends_cuts_its_streams(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let (here, there) = (server.session_of(ann).await, server.session_of(ann).await);
    let mut stream = there.stream("?types=settlement.*").await;
    let sessions = here.json("/api/v1/sessions").await;
    let other =
        sessions["sessions"].as_array().expect("sessions").iter().find(|session| session["current"] == false);
    let id = other.expect("the other one")["id"].as_str().expect("an id");
    let answer = here.delete(&format!("/api/v1/sessions/{id}")).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    cut(&mut stream, "SessionExpired").await;
    assert_eq!(there.status("/api/v1/settlements").await, 401, "and its cookie opens nothing");
    assert_eq!(here.status("/api/v1/settlements").await, 200);

    let mut mine = here.stream("?types=settlement.*").await;
    assert_eq!(here.post("/logout").send().await.expect("an answer").status(), StatusCode::SEE_OTHER);
    cut(&mut mine, "SessionExpired").await;
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_key_that_is_deleted_or_expires_cuts_its_streams(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (deleted, expiring) = (server.client_with(&["events.read"]).await, server.client_with(&["*"]).await);
    let (mut first, mut second) =
        (deleted.stream("?types=settlement.*").await, expiring.stream("?types=settlement.*").await);
    let id = key_id(&server, deleted.key()).await;
    let answer = server.client.delete(&format!("/api/v1/api-keys/{id}")).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    cut(&mut first, "SessionExpired").await;
    assert_eq!(deleted.status("/api/v1/settlements").await, 401);
    sqlx::query("update api_keys set expires_at = now() where name = $1")
        .bind(expiring.key())
        .execute(&pool)
        .await
        .expect("expired");
    cut(&mut second, "SessionExpired").await;
    server.stop().await;
}

async fn key_id(server: &TestServer, name: &str) -> String {
    let keys = server.client.json("/api/v1/api-keys").await;
    let keys = keys["apiKeys"].as_array().expect("keys");
    keys.iter().find(|key| key["name"] == name).expect("the key")["id"].as_str().expect("an id").to_owned()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_api_login_that_ends_cuts_its_streams(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let body = json!({ "email": "ann@example.test", "password": PASSWORD });
    let answer = server.client.anonymous().post("/api/v1/auth/token").json(&body).send().await;
    let tokens = read_json(answer.expect("an answer"), StatusCode::OK).await;
    let ann = server.client.with_key(tokens["accessToken"].as_str().expect("a token"));
    let mut stream = ann.stream("?types=settlement.*").await;
    let body = json!({ "refreshToken": tokens["refreshToken"] });
    let answer = server.client.anonymous().post("/api/v1/auth/revoke").json(&body).send().await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::NO_CONTENT);
    cut(&mut stream, "SessionExpired").await;
    assert_eq!(ann.status("/api/v1/settlements").await, 401);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_long_poll_ends_with_its_session(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let reader = server.client_with(&["events.read"]).await;
    let id = key_id(&server, reader.key()).await;
    let poll = tokio::spawn({
        let reader = reader.clone();
        async move {
            reader
                .get("/api/v1/events?after=latest&wait=30")
                .header("accept", "application/json")
                .send()
                .await
        }
    });
    eventually("the poll to wait", async || {
        let overview = server.client.json("/api/v1/settlements").await;
        (overview["settlements"].is_array() && !poll.is_finished()).then_some(())
    })
    .await;
    let answer = server.client.delete(&format!("/api/v1/api-keys/{id}")).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let began = Instant::now();
    let answer = poll.await.expect("no panic").expect("an answer");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert!(began.elapsed() < TAKES_HOLD_WITHIN);
    server.stop().await;
}
