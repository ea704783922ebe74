//! The one rule on every path: live, replay, page, wait, single event, snapshot.

use reqwest::StatusCode;
use serde_json::json;
use sqlx::PgPool;
use tidewatch_events::id::UserId;
use tidewatch_events::{
    AggregateType, EventType, Metadata, NewEvent, Permission, ProjectId, Routing, SubjectRef,
};
use tidewatch_outbox::record_all;
use tidewatch_server::db;
use uuid::Uuid;

use crate::support::{TestServer, eventually, read_json};

fn event(project: ProjectId, name: &str, adjust: impl FnOnce(&mut Routing)) -> NewEvent {
    let mut routing = Routing::in_project(project);
    adjust(&mut routing);
    NewEvent {
        event_type: EventType::from_static("log.added"),
        aggregate_type: AggregateType::LOG,
        aggregate_id: name.to_owned(),
        aggregate_version: 1,
        occurred_at: None,
        payload: json!({ "message": name }),
        metadata: Metadata::default(),
        routing,
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn nobody_gets_what_is_not_theirs_on_any_path(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut connection = pool.acquire().await.expect("a connection");
    let other = db::projects::ensure(&mut connection, "other", "Other").await.expect("a project");
    drop(connection);
    let stranger = server.client_of(other, &["*"]).await;
    // May open the stream, but read settlements alone.
    let narrow = server.client_with(&["events.read"]).await;

    let mut live = narrow.stream("").await;
    let mut strange = stranger.stream("").await;
    let someone = SubjectRef::User(UserId::from_uuid(Uuid::now_v7()));
    let events = [
        event(server.project, "for all", |_| {}),
        event(server.project, "for key managers", |routing| {
            routing.permissions.insert(Permission::KEYS_MANAGE);
        }),
        event(server.project, "for one person", |routing| {
            routing.audience.insert(someone);
        }),
        event(server.project, "for all again", |_| {}),
    ];
    let mut transaction = pool.begin().await.expect("a transaction");
    let ids = record_all(&mut transaction, &events).await.expect("recorded");
    transaction.commit().await.expect("committed");

    let mine = [ids[0].to_string(), ids[3].to_string()];
    for expected in &mine {
        assert_eq!(live.next().await.id.as_ref(), Some(expected), "live");
    }
    let mut replay = narrow.stream("?after=earliest").await;
    for expected in &mine {
        assert_eq!(replay.next().await.id.as_ref(), Some(expected), "replay");
    }
    let page = narrow.json("/api/v1/events?after=earliest").await;
    let paged: Vec<_> =
        page["events"].as_array().expect("events").iter().map(|event| event["eventId"].clone()).collect();
    assert_eq!(paged, mine, "page");
    assert_eq!(page["position"], 4, "what is hidden still moves the position on");
    for (id, status) in ids.iter().zip([200, 404, 404, 200]) {
        let answer = narrow.get(&format!("/api/v1/events/{id}")).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "single event");
    }
    // The master scope holds every permission, but is not the person.
    let master = server.client.json("/api/v1/events?after=earliest").await;
    assert_eq!(master["events"].as_array().map(Vec::len), Some(3));

    // Another project: nothing at all, not even by id.
    let created = server.client.create("INV-1").await;
    let path = format!("/api/v1/settlements/{}", created["id"].as_str().expect("an id"));
    for path in [path.clone(), format!("/api/v1/events/{}", ids[0])] {
        let answer = stranger.get(&path).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let answer = stranger
        .post(&format!("{path}/moves"))
        .json(&json!({ "move": "submit", "expectedVersion": 1 }))
        .send();
    assert_eq!(answer.await.expect("an answer").status(), StatusCode::NOT_FOUND);
    assert_eq!(stranger.json("/api/v1/settlements").await["settlements"], json!([]));
    assert_eq!(stranger.json("/api/v1/events?after=earliest").await["events"], json!([]));
    let own = stranger.create("OTHER-1").await;
    let first = strange.next().await;
    assert_eq!((&first.data["aggregateId"], &first.data["position"]), (&own["id"], &json!(1)));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_revoked_or_expired_key_opens_nothing(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let revoked = server.client_with(&["*"]).await;
    let expired = server.client_with(&["*"]).await;
    for (client, change) in [(&revoked, "revoked_at = now()"), (&expired, "expires_at = now()")] {
        client.json("/api/v1/settlements").await;
        sqlx::query(sqlx::AssertSqlSafe(format!("update api_keys set {change} where name = $1")))
            .bind(client.key())
            .execute(&pool)
            .await
            .expect("changed");
        for path in ["/api/v1/settlements", "/api/v1/events"] {
            let answer = client.get(path).send().await.expect("an answer");
            let problem = read_json(answer, StatusCode::UNAUTHORIZED).await;
            assert_eq!(problem["status"], 401, "{path} {change}");
        }
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn keys_are_kept_as_digests_alone(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let digests: Vec<Vec<u8>> =
        sqlx::query_scalar("select digest from api_keys").fetch_all(&pool).await.expect("keys");
    assert!(digests.iter().all(|digest| digest.len() == 32 && digest != server.client.key().as_bytes()));
    eventually("the key's last use to be known", async || {
        let used: bool = sqlx::query_scalar("select bool_or(last_used_at is not null) from api_keys")
            .fetch_one(&pool)
            .await
            .expect("keys");
        server.client.json("/api/v1/settlements").await;
        used.then_some(())
    })
    .await;
    server.stop().await;
}
