use reqwest::StatusCode;
use sqlx::PgPool;

use crate::support::{TestServer, read_json};

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn health_is_open_to_all_and_nothing_else_is(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let anonymous = server.client.anonymous();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(anonymous.get(path).send().await.expect("an answer").status(), StatusCode::OK, "{path}");
    }
    for path in [
        "/api/v1/events",
        "/api/v1/events/stream",
        "/api/events",
        "/api/v1/events/evt_01h455vb4pex5vsknk084sn02q",
        "/api/v1/settlements",
        "/api/v1/settlements/stl_01h455vb4pex5vsknk084sn02q",
    ] {
        let answer = anonymous.get(path).send().await.expect("an answer");
        assert!(answer.headers().contains_key("www-authenticate"), "{path}");
        let problem = read_json(answer, StatusCode::UNAUTHORIZED).await;
        assert_eq!(problem["type"], "urn:tidewatch:problem:unauthenticated", "{path}");
    }
    for path in ["/", "/settlements", "/settlements/x", "/nowhere"] {
        let answer = anonymous.get(path).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        let target = answer.headers()["location"].to_str().expect("text").to_owned();
        assert!(target.starts_with("/login?next=%2F"), "{path}: {target}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn every_answer_names_its_request(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let own = server.client.get("/healthz").send().await.expect("an answer");
    assert!(!own.headers()["x-request-id"].is_empty());
    let given = server
        .client
        .get("/api/v1/nothing")
        .header("x-request-id", "abc-123")
        .send()
        .await
        .expect("an answer");
    assert_eq!(given.headers()["x-request-id"], "abc-123");
    let problem = read_json(given, StatusCode::NOT_FOUND).await;
    assert_eq!(problem["type"], "urn:tidewatch:problem:not-found");
    server.stop().await;
}
