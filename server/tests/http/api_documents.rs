//! `/api/openapi.json`, `/api/asyncapi.json` and `/api/docs`.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use sqlx::PgPool;

use crate::support::{TestServer, read_json};

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn documents_are_open_to_everybody_and_known_again(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let anonymous = server.client.anonymous();
    for path in ["/api/openapi.json", "/api/asyncapi.json", "/api/docs", "/api/docs/style.css"] {
        let answer = anonymous.get(path).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["cache-control"], "public, max-age=300", "{path}");
        let tag = answer.headers()["etag"].clone();
        let again = anonymous.get(path).header("if-none-match", tag).send().await.expect("an answer");
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
    }
    let page = anonymous.get("/api/docs").send().await.expect("an answer");
    let policy = page.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn every_documented_address_is_there_and_answers_as_documented(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let anonymous = server.client.anonymous();
    let document =
        read_json(anonymous.get("/api/openapi.json").send().await.expect("an answer"), StatusCode::OK).await;
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.len() > 100);
    for (path, operations) in paths {
        let Some(operation) = operations.get("get") else { continue };
        let address = path.replace(['{', '}'], "");
        let answer = anonymous.get(&address).send().await.expect("an answer");
        let documented: BTreeSet<&str> =
            operation["responses"].as_object().expect("answers").keys().map(String::as_str).collect();
        assert!(documented.contains(answer.status().as_str()), "{path}: {}", answer.status());
        let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
        assert_eq!(answer.status() == StatusCode::UNAUTHORIZED, !is_open, "{path}: {}", answer.status());
    }
    server.stop().await;
}
