//! Tokens for the bell on other sites: what they open, what they do not, and for how long.

use reqwest::header::ACCEPT;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::id::{ApiKeyId, UserId};
use tidewatch_server::access::embed_token::{EMBED_TOKEN_LIFE, EmbedTokens, Signer};
use tidewatch_server::access::secret::Digester;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::outside_support::{Person, person, rule_for};
use crate::support::{Client, SECRET, TestServer, read_json};

const SIGN: &str = "/api/v1/notifications/embed-tokens";

async fn sign(client: &Client, body: Value, status: StatusCode) -> Value {
    read_json(client.post(SIGN).json(&body).send().await.expect("an answer"), status).await
}

/// A client with a token of this person, signed by `signer`.
async fn embedded(signer: &Client, user: UserId) -> Client {
    let signed = sign(signer, json!({ "userId": user }), StatusCode::OK).await;
    signer.with_key(signed["token"].as_str().expect("a token"))
}

async fn key_id(server: &TestServer, client: &Client) -> ApiKeyId {
    let id: Uuid = sqlx::query_scalar("select id from api_keys where name = $1")
        .bind(client.key())
        .fetch_one(&server.pool)
        .await
        .expect("the key");
    ApiKeyId::from_uuid(id)
}

/// A server where a person is told of new settlements.
async fn start(pool: &PgPool) -> (TestServer, Person) {
    let server = TestServer::start(pool).await;
    let ann = person(&server, "ann").await;
    rule_for(&server, &ann, json!({ "mustAcknowledge": true })).await;
    (server, ann)
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn are_signed_for_people_of_the_project_by_who_may(pool: PgPool) {
    let (server, ann) = start(&pool).await;
    let signer = server.client_with(&["tokens.sign"]).await;
    let before = OffsetDateTime::now_utc();
    let signed = sign(&signer, json!({ "email": "Ann@Example.com" }), StatusCode::OK).await;
    let until = signed["expiresAt"].as_str().expect("a time");
    let until = OffsetDateTime::parse(until, &time::format_description::well_known::Rfc3339).expect("a time");
    let life = until - before;
    assert!((Duration::minutes(9)..=EMBED_TOKEN_LIFE + Duration::SECOND).contains(&life), "{life}");

    let other_project = server.add_project("other").await;
    let stranger = server.add_person(other_project, "bob@example.com", &["viewer"], &[]).await;
    for (body, status) in [
        (json!({ "userId": stranger }), StatusCode::NOT_FOUND),
        (json!({ "email": "bob@example.com" }), StatusCode::NOT_FOUND),
        (json!({ "email": "nobody@example.com" }), StatusCode::NOT_FOUND),
        (json!({}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "userId": ann.id, "email": ann.email }), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "email": "ann\u{0}@example.com" }), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "userId": ann.id, "life": 60 }), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "userId": "usr_x" }), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        sign(&signer, body, status).await;
    }
    let mine = json!({ "userId": ann.id });
    sign(&server.client_with(&["events.read", "webhooks.manage"]).await, mine.clone(), StatusCode::FORBIDDEN)
        .await;
    sign(&ann.client, mine.clone(), StatusCode::FORBIDDEN).await;
    sign(&signer.anonymous(), mine.clone(), StatusCode::UNAUTHORIZED).await;

    // A person who may signs for others, too, and that is noted.
    let developer = server.add_person(server.project, "dev@example.com", &["developer"], &[]).await;
    let developer = server.session_of(developer).await;
    sign(&developer, mine, StatusCode::OK).await;
    sign(&developer, json!({ "email": "dev@example.com" }), StatusCode::OK).await;
    let audit = server.client.json("/api/v1/audit?action=embed_token.sign").await;
    let entries = audit["entries"].as_array().expect("entries");
    let by_key = format!("key:{}", key_id(&server, &signer).await);
    assert_eq!(entries.len(), 2, "{audit}");
    assert_eq!(entries[0]["actorName"], "dev@example.com");
    assert_eq!(entries[1]["actor"], by_key.as_str());
    assert!(entries.iter().all(|entry| entry["targetName"] == "ann@example.com"), "{audit}");
    // Of a key once for each person, however often and by how many at once; of a person each time.
    let again = async |signer: &Client| {
        sign(signer, json!({ "userId": ann.id }), StatusCode::OK).await;
    };
    tokio::join!(again(&signer), again(&signer), again(&developer));
    sign(&signer, json!({ "email": "dev@example.com" }), StatusCode::OK).await;
    let audit = server.client.json("/api/v1/audit?action=embed_token.sign").await;
    let targets = |actor: &str| {
        let entries = audit["entries"].as_array().expect("entries").iter();
        let mut targets: Vec<String> = entries
            .filter(|entry| entry["actorName"] == actor || entry["actor"] == actor)
            .map(|entry| entry["targetName"].as_str().expect("a name").to_owned())
            .collect();
        targets.sort();
        targets
    };
    assert_eq!(targets(&by_key), ["ann@example.com", "dev@example.com"], "{audit}");
    assert_eq!(targets("dev@example.com"), ["ann@example.com", "ann@example.com"], "{audit}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn open_one_s_own_notifications(pool: PgPool) {
    let (server, ann) = start(&pool).await;
    let bob = person(&server, "bob").await;
    rule_for(&server, &bob, json!({})).await;
    let signer = server.client_with(&["tokens.sign"]).await;
    let bell = embedded(&signer, ann.id).await;
    let signed_by = format!("key:{}", key_id(&server, &signer).await);
    let mut stream = bell.stream("/stream?types=notification.*").await;
    let mut of_all = bell.stream("").await;
    for n in 1..=2 {
        server.client.create(&format!("A-{n}")).await;
        ann.unread(n).await;
    }
    let theirs = bob.unread(2).await[0]["id"].as_str().expect("an id").to_owned();

    let count = bell.json("/api/v1/notifications/count").await;
    assert_eq!(count, json!({ "unread": 2, "unacknowledged": 2 }));
    let page = bell.json("/api/v1/notifications?folder=unread&limit=20").await;
    let ids: Vec<String> = page["notifications"]
        .as_array()
        .expect("notifications")
        .iter()
        .map(|one| one["id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(ids.len(), 2);
    let path = |id: &str, rest: &str| format!("/api/v1/notifications/{id}{rest}");
    assert_eq!(bell.json(&path(&ids[0], "")).await["id"], ids[0].as_str());
    let post = async |path: &str, body: Value| {
        let answer = bell.post(path).json(&body).send().await.expect("an answer");
        (answer.status(), answer.json::<Value>().await.expect("JSON"))
    };
    let (status, done) = post(&path(&ids[0], "/acknowledge"), Value::Null).await;
    assert_eq!((status, done["acknowledgedAt"].is_null()), (StatusCode::OK, false), "{done}");
    let (status, _) = post("/api/v1/notifications/steps", json!({ "ids": [ids[1]], "step": "see" })).await;
    assert_eq!(status, StatusCode::OK);
    let (status, count) = post("/api/v1/notifications/read", json!({ "upTo": ids[0] })).await;
    assert_eq!((status, count), (StatusCode::OK, json!({ "unread": 0, "unacknowledged": 1 })));
    let (status, _) = post(&path(&theirs, "/read"), Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "somebody else's");
    assert_eq!(bell.status(&path(&theirs, "")).await, 404);
    let way: Option<String> = sqlx::query_scalar(
        "select acknowledged_by_way from notification_receipts where acknowledged_at is not null",
    )
    .fetch_one(&pool)
    .await
    .expect("a receipt");
    assert_eq!(way.as_deref(), Some("embed"));

    // Of all that happened it has heard of its person's notifications alone.
    for reader in [&mut stream, &mut of_all] {
        loop {
            let frame = reader.next().await;
            assert!(frame.event.starts_with("notification."), "{frame:?}");
            assert_eq!(frame.data["payload"]["recipient"], json!(format!("user:{}", ann.id)), "{frame:?}");
            if frame.event == "notification.acknowledged" {
                // It was done in her name, and on whose word that was so is told as well.
                let metadata = &frame.data["metadata"];
                assert_eq!(metadata["actor"], json!(format!("user:{}", ann.id)), "{frame:?}");
                assert_eq!(metadata["signedBy"], signed_by.as_str(), "{frame:?}");
                break;
            }
        }
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn tell_others_neither_who_acknowledged_nor_on_whose_word(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (ann, bob) = (person(&server, "ann").await, person(&server, "bob").await);
    let both = json!([{ "kind": "user", "id": ann.id }, { "kind": "user", "id": bob.id }]);
    rule_for(&server, &ann, json!({ "mustAcknowledge": true, "audience": both })).await;
    let signer = server.client_with(&["tokens.sign"]).await;
    let signed_by = format!("key:{}", key_id(&server, &signer).await);
    let bell = embedded(&signer, ann.id).await;
    let mut bobs = embedded(&signer, bob.id).await.stream("/stream?types=notification.*").await;
    server.client.create("A-1").await;
    let id = ann.unread(1).await[0]["id"].as_str().expect("an id").to_owned();
    let done = bell.post(&format!("/api/v1/notifications/{id}/acknowledge")).send().await;
    assert_eq!(done.expect("an answer").status(), StatusCode::OK);
    loop {
        let frame = bobs.next().await;
        let told = frame.data.to_string();
        assert!(!told.contains(&ann.id.to_string()) && !told.contains(&signed_by), "{told}");
        if frame.event == "notification.settled" {
            assert_eq!(frame.data["metadata"]["actor"], "system:notifications", "{told}");
            assert!(frame.data["metadata"].get("signedBy").is_none(), "{told}");
            break;
        }
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn open_nothing_else(pool: PgPool) {
    let (server, _) = start(&pool).await;
    // Whoever they are: an administrator's token opens no more than anybody's.
    let admin = server.add_person(server.project, "root@example.com", &["admin"], &[]).await;
    let bell = embedded(&server.client, admin).await;
    let settlement = server.client.create("A-1").await;
    let id = settlement["id"].as_str().expect("an id");
    let event =
        server.client.json("/api/v1/events?after=earliest&limit=1").await["events"][0]["eventId"].clone();
    let event = event.as_str().expect("an id");
    let (get, post, put, patch, delete) =
        (Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE);
    for (method, path) in [
        (&get, "/api/v1/notifications/settings"),
        (&put, "/api/v1/notifications/settings"),
        (&get, "/api/v1/notifications/push-key"),
        (&post, "/api/v1/notifications/push-subscriptions"),
        (&delete, "/api/v1/notifications/push-subscriptions"),
        (&post, SIGN),
        (&get, "/api/v1/notification-rules"),
        (&post, "/api/v1/notification-rules"),
        (&get, &format!("/api/v1/events/{event}")),
        (&get, &format!("/api/v1/events/{event}/deliveries")),
        (&get, &format!("/api/v1/events/{event}/notifications")),
        (&get, "/api/v1/events/search"),
        (&get, "/api/v1/settlements"),
        (&post, "/api/v1/settlements"),
        (&get, &format!("/api/v1/settlements/{id}")),
        (&post, &format!("/api/v1/settlements/{id}/moves")),
        (&get, &format!("/api/v1/settlements/{id}/comments")),
        (&get, "/api/v1/payments"),
        (&post, "/api/v1/publishers/events/publish"),
        (&post, "/api/v1/publishers/sign"),
        (&post, "/api/v1/subscriptions"),
        (&get, "/api/v1/subscriptions/a/events"),
        (&get, "/api/v1/webhooks"),
        (&get, "/api/v1/connections"),
        (&get, "/api/v1/channels"),
        (&get, "/api/v1/jobs"),
        (&get, "/api/v1/system"),
        (&get, "/api/v1/witness"),
        (&get, "/api/v1/audit"),
        (&get, "/api/v1/project"),
        (&patch, "/api/v1/project"),
        (&get, "/api/v1/people"),
        (&get, "/api/v1/roles"),
        (&get, "/api/v1/organizations"),
        (&get, "/api/v1/api-keys"),
        (&post, "/api/v1/api-keys"),
        (&get, "/api/v1/sessions"),
        (&delete, "/api/v1/sessions"),
        (&post, "/api/v1/auth/password"),
    ] {
        let request = bell.request(method.clone(), path).header(ACCEPT, "application/json");
        let request = if *method == get { request } else { request.json(&json!({})) };
        let problem = read_json(request.send().await.expect("an answer"), StatusCode::FORBIDDEN).await;
        assert_eq!(problem["type"], "urn:tidewatch:problem:token-scope", "{method} {path}: {problem}");
    }
    // Of the stream, nothing but notifications, and no channel, whatever lets into it.
    let channel = server.client.sign("private-a").await;
    for query in [
        "types=*",
        "types=settlement.*",
        "types=notification.sent,user.updated",
        "channels=orders",
        &format!("channels=private-a&token={channel}"),
    ] {
        for accept in ["text/event-stream", "application/json"] {
            let request = bell.get(&format!("/api/v1/events?{query}")).header(ACCEPT, accept);
            let problem = read_json(request.send().await.expect("an answer"), StatusCode::FORBIDDEN).await;
            assert_eq!(problem["type"], "urn:tidewatch:problem:token-scope", "{query}: {problem}");
        }
    }
    server.client.publish(json!({ "channelName": "orders", "payload": 1 })).await;
    server.all_published().await;
    let page = bell.json("/api/v1/events?after=earliest&limit=1000").await;
    let types: Vec<&str> = page["events"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|one| one["eventType"].as_str())
        .collect();
    assert!(types.iter().all(|one| one.starts_with("notification.")), "{types:?}");
    // No page knows it, and nothing that pages ask.
    for path in ["/", "/notifications", "/settlements"] {
        let answer = bell.get(path).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn count_as_long_as_signer_and_person_do(pool: PgPool) {
    let (server, ann) = start(&pool).await;
    let count = "/api/v1/notifications/count";
    let tokens = EmbedTokens::new(&Digester::new(SECRET.into()));
    let signer = server.client_with(&["tokens.sign"]).await;
    let key = Signer::Key(key_id(&server, &signer).await);
    let bearer = |signer: Signer, user: UserId, at: OffsetDateTime| {
        let (token, _) = tokens.sign(server.project, user, signer, at).expect("signed");
        server.client.with_key(secrecy::ExposeSecret::expose_secret(&token))
    };
    let now = OffsetDateTime::now_utc();
    assert_eq!(bearer(key, ann.id, now).status(count).await, 200, "the pattern of the others is good");
    let unable = Signer::Key(key_id(&server, &server.client_with(&["events.read"]).await).await);
    let elsewhere = server.client_of(server.add_project("other").await, &["*"]).await;
    let elsewhere = Signer::Key(key_id(&server, &elsewhere).await);
    for (name, client) in [
        ("over since a second", bearer(key, ann.id, now - EMBED_TOKEN_LIFE - Duration::SECOND)),
        ("signed by a key that may not", bearer(unable, ann.id, now)),
        ("signed by a key of another project", bearer(elsewhere, ann.id, now)),
        (
            "signed by a key that never was",
            bearer(Signer::Key(ApiKeyId::from_uuid(Uuid::nil())), ann.id, now),
        ),
        ("signed by a person who may not", bearer(Signer::Person(ann.id), ann.id, now)),
        ("of nobody", bearer(key, UserId::from_uuid(Uuid::nil()), now)),
    ] {
        assert_eq!(client.status(count).await, 401, "{name}");
    }

    let bell = embedded(&signer, ann.id).await;
    let mut stream = bell.stream("/stream?types=notification.*").await;
    let Signer::Key(id) = key else { panic!("a key") };
    let answer = server.client.delete(&format!("/api/v1/api-keys/{id}")).send().await.expect("an answer");
    assert!(answer.status().is_success());
    assert_eq!(bell.status(count).await, 401);
    assert_eq!(stream.next().await.data["code"], "SessionExpired");
    assert!(stream.frame().await.is_none());

    let bell = embedded(&server.client, ann.id).await;
    let mut stream = bell.stream("/stream?types=notification.*").await;
    let answer = server.client.delete(&format!("/api/v1/people/{}", ann.id)).send().await.expect("an answer");
    assert!(answer.status().is_success());
    assert_eq!(bell.status(count).await, 401);
    assert_eq!(stream.next().await.data["code"], "SessionExpired");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_bell_is_for_other_sites(pool: PgPool) {
    const SHOP: &str = "https://shop.example";
    let server = TestServer::start_with(&pool, |config| {
        config.cors_origins = vec![SHOP.parse().expect("a value")];
    })
    .await;
    let anybody = server.client.anonymous();
    for origin in [SHOP, "https://elsewhere.example"] {
        let answer = anybody.get("/embed/bell.js").header("origin", origin).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let headers = answer.headers().clone();
        assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
        assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");
        let allowed = headers["access-control-allow-origin"].to_str().expect("text");
        assert!(["*", origin].contains(&allowed), "{allowed}");
        assert!(headers["cache-control"].to_str().expect("text").starts_with("public, max-age=300"));
        assert!(headers.get("set-cookie").is_none());
        let again = anybody.get("/embed/bell.js").header("if-none-match", &headers["etag"]).send().await;
        assert_eq!(again.expect("an answer").status(), StatusCode::NOT_MODIFIED);
    }
    for (path, method) in [
        ("/api/v1/notifications/count", "GET"),
        ("/api/v1/events/stream", "GET"),
        ("/api/v1/notifications/steps", "POST"),
    ] {
        let preflight = anybody
            .request(Method::OPTIONS, path)
            .header("origin", SHOP)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", "authorization,content-type,last-event-id");
        let answer = preflight.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let text = |name: &str| answer.headers()[name].to_str().expect("text").to_ascii_lowercase();
        assert_eq!(text("access-control-allow-origin"), SHOP);
        assert!(text("access-control-allow-methods").contains(&method.to_ascii_lowercase()));
        for header in ["authorization", "content-type", "last-event-id"] {
            assert!(text("access-control-allow-headers").contains(header), "{header}");
        }
        assert!(answer.headers().get("access-control-allow-credentials").is_none(), "cookies stay at home");
    }
    server.stop().await;
}
