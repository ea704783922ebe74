//! Private channels: who is let in, by what, and for how long.

use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::Channel;
use tidewatch_events::access::Actor;
use tidewatch_events::id::ApiKeyId;
use tidewatch_server::access::channel_token::{CHANNEL_TOKEN_LIFE, ChannelTokens};
use tidewatch_server::access::secret::Digester;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::support::{Client, SECRET, TestServer, eventually, read_json};

async fn key_id(server: &TestServer, client: &Client) -> ApiKeyId {
    let id: Uuid = sqlx::query_scalar("select id from api_keys where name = $1")
        .bind(client.key())
        .fetch_one(&server.pool)
        .await
        .expect("the key");
    ApiKeyId::from_uuid(id)
}

async fn delete_key(server: &TestServer, client: &Client) {
    let id = key_id(server, client).await;
    let answer = server.client.delete(&format!("/api/v1/api-keys/{id}")).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
}

fn message(text: &str) -> Value {
    json!({ "channelName": "private-a", "payload": text })
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_is_private_is_seen_by_nobody_without_a_token(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let reader = server.client_with(&["events.read"]).await;
    let mut open = server.client.stream("").await;
    let token = server.client.sign("private-a").await;
    let mut inside = reader.stream(&format!("?channels=private-a&token={token}")).await;
    let secret = server.client.publish(message("secret")).await.remove(0);
    let public = server.client.publish(json!({ "channelName": "a", "payload": 1 })).await.remove(0);

    assert_eq!(inside.next().await.id.as_ref(), Some(&secret));
    assert_eq!(open.next().await.id.as_ref(), Some(&public), "not even the master key sees it");
    assert_eq!(reader.status(&format!("/api/v1/events/{secret}")).await, 404);
    let page = server.client.json("/api/v1/events?after=earliest").await;
    assert_eq!(page["events"].as_array().map(Vec::len), Some(1));
    let page = reader.json(&format!("/api/v1/events?after=earliest&channels=private-a&token={token}")).await;
    assert_eq!(page["events"][0]["eventId"], secret.as_str());
    let mut replay = reader.stream(&format!("?after=earliest&channels=private-a&token={token}")).await;
    assert_eq!(replay.next().await.id.as_ref(), Some(&secret));
    // One stream may be in several, each by its own token.
    let other = server.client.sign("private-b").await;
    let mut both = reader.stream(&format!("?channels=private-a,private-b,a&token={token},{other}")).await;
    server.client.publish(json!({ "channelName": "private-b", "payload": 2 })).await;
    assert_eq!(both.next().await.data["payload"], 2);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_token_that_will_not_do_is_refused_with_the_reason(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let other_project = server.add_project("other").await;
    let stranger = server.client_of(other_project, &["*"]).await;
    let short_lived = server.client_with(&["tokens.sign"]).await;
    let of_the_dead = short_lived.sign("private-a").await;
    let may_not_sign = server.client_with(&["events.read"]).await;
    delete_key(&server, &short_lived).await;
    let tokens = ChannelTokens::new(&Digester::new(SECRET.into()));
    let private: Channel = "private-a".parse().expect("a channel");
    let key = Actor::Key(key_id(&server, &server.client).await);
    let sign = |signer: &Actor, subject: Option<&str>, at: OffsetDateTime| {
        let subject = subject.map(ToOwned::to_owned);
        let signed = tokens.sign(server.project, private.clone(), signer.clone(), subject, at);
        secrecy::ExposeSecret::expose_secret(&signed.expect("signed").0).to_owned()
    };
    let now = OffsetDateTime::now_utc();
    let unsigned = {
        let good = sign(&key, None, now);
        let payload = good.split('.').nth(1).expect("claims").to_owned();
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.")
    };
    let may_not_sign = Actor::Key(key_id(&server, &may_not_sign).await);
    for (name, token, reason) in [
        ("another channel", server.client.sign("private-b").await, "for the channel `private-b`"),
        ("another project", stranger.sign("private-a").await, "of another project"),
        ("a deleted key", of_the_dead, "may do so no longer"),
        ("a key that may not sign", sign(&may_not_sign, None, now), "may do so no longer"),
        ("over since a second", sign(&key, None, now - CHANNEL_TOKEN_LIFE - Duration::SECOND), "has expired"),
        ("somebody else's", sign(&key, Some("role:landlord"), now), "for somebody else"),
        ("without a signature", unsigned, "no token for a channel"),
        ("an access key", server.client.key().to_owned(), "no token for a channel"),
        ("nothing", String::new(), "no token for a channel"),
    ] {
        let request = server.client.get(&format!("/api/v1/events?channels=private-a&token={token}"));
        let answer = request.header(ACCEPT, "text/event-stream").send().await.expect("an answer");
        let told = read_json(answer, StatusCode::FORBIDDEN).await;
        assert_eq!(
            (&told["type"], &told["channel"]),
            (&json!("urn:tidewatch:problem:channel-refused"), &json!("private-a"))
        );
        assert!(told["detail"].as_str().expect("a detail").contains(reason), "{name}: {told}");
    }
    let answer = server.client.get("/api/v1/events?channels=private-a").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "no token at all");
    let good = sign(&key, Some("ann of the shop"), now);
    server.client.stream(&format!("?channels=private-a&token={good}")).await;
    let answer = server.client.get(&format!("/api/v1/events?token={good}")).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "a token for no channel");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_was_let_in_by_a_key_is_out_when_it_is_deleted(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let reader = server.client_with(&["events.read"]).await;
    let (signer, other) = (server.client_with(&["tokens.sign"]).await, server.client_with(&["*"]).await);
    let (token, kept) = (signer.sign("private-a").await, other.sign("private-b").await);
    let channels = format!("?channels=private-a,private-b,open&token={token},{kept}");
    let mut stream = reader.stream(&channels).await;
    let own = other.sign("private-a").await;
    let mut of_the_other = other.stream(&format!("?channels=private-a&token={own}")).await;
    delete_key(&server, &signer).await;

    let told = stream.next().await;
    assert_eq!((told.event.as_str(), &told.data["code"]), ("system_message", &json!("RemovedFromChannel")));
    assert_eq!(told.data["data"]["channels"], json!(["private-a"]));
    server.client.publish(message("for others")).await;
    server.client.publish(json!({ "channelName": "private-b", "payload": 2 })).await;
    server.client.publish(json!({ "channelName": "open", "payload": 3 })).await;
    assert_eq!(stream.next().await.data["payload"], 2, "it goes on with the channels that it has");
    assert_eq!(stream.next().await.data["payload"], 3);
    assert_eq!(of_the_other.next().await.data["payload"], "for others");
    assert_eq!(
        reader.get(&format!("/api/v1/events{channels}")).send().await.expect("an answer").status(),
        403
    );

    // A key whose own stream it is: told of its channels first, and then of its end.
    delete_key(&server, &other).await;
    assert_eq!(of_the_other.next().await.data["code"], "RemovedFromChannel");
    assert_eq!(of_the_other.next().await.data["code"], "SessionExpired");
    assert!(of_the_other.frame().await.is_none());
    eventually("the last grant to end", async || {
        let frame = stream.next().await;
        (frame.data["data"]["channels"] == json!(["private-b"])).then_some(())
    })
    .await;
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_channel_of_one_project_is_not_the_other_s(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let other_project = server.add_project("other").await;
    let stranger = server.client_of(other_project, &["*"]).await;
    let (mut mine, mut theirs) =
        (server.client.stream("?channels=orders").await, stranger.stream("?channels=orders").await);
    server.client.publish(json!({ "channelName": "orders", "payload": "mine" })).await;
    stranger.publish(json!({ "channelName": "orders", "payload": "theirs" })).await;
    assert_eq!(mine.next().await.data["payload"], "mine");
    assert_eq!(theirs.next().await.data["payload"], "theirs");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn pages_of_other_sites_are_let_in_where_that_is_configured(pool: PgPool) {
    let closed = TestServer::start(&pool).await;
    let ask = async |server: &TestServer, origin: &str| {
        let request = server.client.get("/api/v1/project").header("origin", origin);
        let answer = request.send().await.expect("an answer");
        answer
            .headers()
            .get("access-control-allow-origin")
            .map(|value| value.to_str().expect("text").to_owned())
    };
    assert_eq!(ask(&closed, "https://shop.example").await, None);
    closed.stop().await;
    let open = TestServer::start_with(&pool, |config| {
        config.cors_origins = vec!["https://shop.example".parse().expect("a value")];
    })
    .await;
    assert_eq!(ask(&open, "https://shop.example").await.as_deref(), Some("https://shop.example"));
    assert_eq!(ask(&open, "https://evil.example").await, None);
    let preflight = open
        .client
        .anonymous()
        .request(reqwest::Method::OPTIONS, "/api/v1/publishers/events/publish")
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,idempotency-key,content-type");
    let answer = preflight.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().get("access-control-allow-credentials").is_none(), "cookies stay at home");
    open.stop().await;
}
