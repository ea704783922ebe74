//! Presence: who is connected where, seen from every instance, and ended from every instance.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Client, TestServer, eventually, read_json};

async fn connections(client: &Client, query: &str) -> Vec<Value> {
    let page = client.json(&format!("/api/v1/connections{query}")).await;
    page["connections"].as_array().expect("connections").clone()
}

async fn ids(client: &Client, query: &str) -> Vec<String> {
    let connections = connections(client, query).await;
    connections.iter().map(|each| each["id"].as_str().expect("an id").to_owned()).collect()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_is_connected_is_seen_with_channels_and_keys(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let reader = server.client_with(&["events.read"]).await;
    let token = server.client.sign("private-a").await;
    let plain = reader.stream("").await;
    let inside = reader.stream(&format!("?channels=private-a,open&token={token}")).await;
    let id_of = |stream: &crate::support::SseReader| stream.connected.data["connectionId"].clone();
    let all = connections(&server.client, "").await;
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!((&all[0]["id"], &all[1]["id"]), (&id_of(&inside), &id_of(&plain)), "newest first");
    assert_eq!(all[0]["channels"], json!(["open", "private-a"]));
    assert_eq!((&all[0]["kind"], &all[0]["instance"]), (&json!("sse"), &json!("test")));
    assert_eq!(all[0]["address"], "127.0.0.1");
    assert_eq!(all[0]["keys"].as_array().map(Vec::len), Some(2), "its own, and the one that signed");
    let signer = all[0]["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .find(|key| !all[1]["keys"].as_array().expect("keys").contains(key));
    let signer = signer.and_then(Value::as_str).expect("a key");
    assert_eq!(
        ids(&server.client, &format!("?key={signer}")).await,
        [id_of(&inside).as_str().expect("an id")]
    );
    assert_eq!(ids(&server.client, "?channel=open").await.len(), 1);
    assert_eq!(ids(&server.client, "?channel=other").await.len(), 0);
    assert_eq!(ids(&server.client, "?q=127.0%20TEST").await.len(), 2, "by address and instance");
    assert_eq!(ids(&server.client, "?q=127.0%20nobody").await.len(), 0, "every word");
    let channels = server.client.json("/api/v1/channels").await;
    let row = |name| json!({ "name": name, "listeners": 1, "perMinute": 0, "lastEventAt": null });
    assert_eq!(channels["channels"], json!([row("open"), row("private-a")]));
    let first = server.client.json("/api/v1/connections?limit=1").await;
    let next = first["next"].as_str().expect("another page");
    assert_eq!(
        ids(&server.client, &format!("?limit=1&after={next}")).await,
        [id_of(&plain).as_str().expect("an id")]
    );

    let other = server.add_project("other").await;
    let stranger = server.client_of(other, &["*"]).await;
    assert!(ids(&stranger, "").await.is_empty());
    assert_eq!(reader.status("/api/v1/connections").await, 403);
    assert_eq!(server.client.status("/api/v1/connections?after=x").await, 400);
    drop((plain, inside));
    eventually("them to be gone", async || ids(&server.client, "").await.is_empty().then_some(())).await;
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_connection_is_ended_from_any_instance_and_a_dead_instance_is_missed(pool: PgPool) {
    let one = TestServer::start(&pool).await;
    let two = TestServer::start_with(&pool, |config| config.instance = Some("two".to_owned())).await;
    let token = one.client.sign("private-a").await;
    let mut stream = two.client.stream(&format!("?channels=private-a&token={token}")).await;
    let mut kept = two.client.stream("").await;
    let id =
        eventually("the other instance to tell", async || ids(&one.client, "?channel=private-a").await.pop())
            .await;
    assert_eq!(connections(&one.client, "").await[0]["instance"], "two");

    let other = one.add_project("other").await;
    let stranger = one.client_of(other, &["*"]).await;
    let path = format!("/api/v1/connections/{id}");
    let end = async |client: &Client| client.delete(&path).send().await.expect("an answer");
    assert_eq!(end(&stranger).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(end(&one.client).await.status(), StatusCode::ACCEPTED);
    let told = stream.next().await;
    assert_eq!((&told.data["code"], told.event.as_str()), (&json!("Error"), "system_message"));
    assert!(stream.frame().await.is_none());
    one.client.publish(json!({ "channelName": "a", "payload": 1 })).await;
    assert_eq!(kept.next().await.data["payload"], 1, "nobody else is ended");
    let audit = one.client.json("/api/v1/audit?action=connection.end").await;
    assert_eq!(audit["entries"][0]["target"], id.as_str(), "{audit}");

    sqlx::query(
        "insert into instances (id, name, seen_at) values ($1, 'dead', now() - interval '6 seconds')",
    )
    .bind(uuid::Uuid::nil())
    .execute(&pool)
    .await
    .expect("an instance");
    sqlx::query(
        "insert into connections (id, instance_id, project_id, kind, actor, actor_name, client, connected_at)
         values ($1, $1, $2, 'sse', 'system:test', '', '', now())",
    )
    .bind(uuid::Uuid::nil())
    .bind(one.project.uuid())
    .execute(&pool)
    .await
    .expect("its connection");
    eventually("the dead to be missed", async || {
        let all = connections(&two.client, "").await;
        (!all.iter().any(|each| each["instance"] == "dead")).then_some(())
    })
    .await;
    // Whoever was given up by mistake, and after a crash of Postgres, tells all that it has.
    sqlx::query("truncate instances, connections, publish_counts").execute(&pool).await.expect("forgotten");
    eventually("the living to come back", async || (ids(&one.client, "").await.len() == 1).then_some(()))
        .await;
    two.stop().await;
    assert!(ids(&one.client, "").await.is_empty(), "who goes down in order takes its connections along");
    one.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_key_that_ends_lets_nobody_stay_on_any_instance(pool: PgPool) {
    let one = TestServer::start(&pool).await;
    let two = TestServer::start_with(&pool, |config| config.instance = Some("two".to_owned())).await;
    let signer = one.client_with(&["tokens.sign"]).await;
    let token = signer.sign("private-a").await;
    let query = format!("?channels=private-a&token={token}");
    let (mut here, mut there) = (one.client.stream(&query).await, two.client.stream(&query).await);
    let keys = one.client.json("/api/v1/api-keys").await;
    let key = keys["apiKeys"].as_array().expect("keys").iter().find(|key| key["name"] == signer.key());
    let key = key.and_then(|key| key["id"].as_str()).expect("the key");
    let answer = one.client.delete(&format!("/api/v1/api-keys/{key}")).send().await.expect("an answer");
    read_json(answer, StatusCode::OK).await;
    for stream in [&mut here, &mut there] {
        assert_eq!(stream.next().await.data["data"]["channels"], json!(["private-a"]));
    }
    eventually("both indexes to be clean", async || {
        let by_key = ids(&one.client, &format!("?key={key}")).await;
        let by_channel = ids(&one.client, "?channel=private-a").await;
        (by_key.is_empty() && by_channel.is_empty()).then_some(())
    })
    .await;
    // The job stayed until then, and says how long it took.
    let job = eventually("the job to be done", async || {
        let jobs = one.client.json("/api/v1/jobs?kind=key.revoke").await["jobs"].clone();
        jobs.as_array().expect("jobs").iter().find(|job| job["state"] == "completed").cloned()
    })
    .await;
    assert_eq!(job["payload"]["keyId"], key);
    let mut count = 0;
    for server in [&one, &two] {
        let text = server
            .client
            .anonymous()
            .get("/metrics")
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("text");
        let line = "tidewatch_key_revocation_seconds_count ";
        let line = text.lines().find_map(|found| found.strip_prefix(line)).expect("the metric");
        count += line.trim().parse::<u32>().expect("a number");
    }
    assert_eq!(count, 1, "one of the two did it");
    one.stop().await;
    two.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_waits_for_a_subscription_is_seen_as_well(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let made = server.client.post("/api/v1/subscriptions").json(&json!({ "name": "books" })).send().await;
    assert_eq!(made.expect("an answer").status(), StatusCode::CREATED);
    let waiting = tokio::spawn(server.client.get("/api/v1/subscriptions/books/events?wait=20").send());
    let kind = eventually("it to be seen", async || {
        Some(connections(&server.client, "").await.pop()?["kind"].clone())
    });
    assert_eq!(kind.await, "poll");
    server.client.publish(json!({ "channelName": "a", "payload": 1 })).await;
    waiting.await.expect("no panic").expect("an answer");
    eventually("it to be gone", async || ids(&server.client, "").await.is_empty().then_some(())).await;
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn how_busy_connections_are_is_told_on_every_instance_while_somebody_looks(pool: PgPool) {
    let one = TestServer::start(&pool).await;
    let two = TestServer::start_with(&pool, |config| config.instance = Some("two".to_owned())).await;
    let mut busy = two.client.stream("?channels=busy").await;
    let _idle = two.client.stream("?channels=idle").await;
    for number in 0..20 {
        one.client.publish(json!({ "channelName": "busy", "payload": number })).await;
    }
    for number in 0..20 {
        assert_eq!(busy.next().await.data["payload"], number);
    }
    let of_channel = async |name: &str| connections(&one.client, &format!("?channel={name}")).await.pop();
    let rate =
        eventually("the other instance to count", async || of_channel("busy").await?["rate"].as_f64()).await;
    assert!(rate > 0.0, "{rate}");
    let idle = of_channel("idle").await.expect("a connection");
    assert_eq!((&idle["rate"], &idle["waiting"], &idle["ending"]), (&json!(0.0), &json!(0), &json!(false)));
    let counts = one.client.json("/api/v1/connections").await["counts"].clone();
    assert_eq!(counts, json!([{ "instance": "two", "kind": "sse", "connections": 2 }]));
    one.stop().await;
    two.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_channel_shows_who_listens_and_what_went_out_as_far_as_one_may_see_it(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut stream = server.client.stream("?channels=orders").await;
    let token = server.client.sign("private-a").await;
    let mut inside = server.client.stream(&format!("?channels=private-a&token={token}")).await;
    server.client.publish(json!({ "channelName": "orders", "payload": "for all" })).await;
    server
        .client
        .publish(
            json!({ "channelName": "orders", "payload": "of payments", "permissions": ["payments.read"] }),
        )
        .await;
    server.client.publish(json!({ "channelName": "private-a", "payload": "secret" })).await;
    stream.next().await;
    inside.next().await;

    let manager = server.client_with(&["connections.manage", "events.read"]).await;
    let orders = manager.json("/api/v1/channels/orders").await;
    let payloads = |detail: &Value| -> Vec<Value> {
        detail["events"].as_array().expect("events").iter().map(|event| event["payload"].clone()).collect()
    };
    assert_eq!(payloads(&orders), [json!("of payments"), json!("for all")], "newest first");
    assert_eq!((&orders["row"]["listeners"], &orders["row"]["perMinute"]), (&json!(1), &json!(2)));
    assert!(orders["row"]["lastEventAt"].is_string(), "{orders}");
    assert_eq!(orders["listeners"][0]["channels"], json!(["orders"]));
    // A person who manages connections sees no more of the events than anybody else.
    let narrow = server.client_with(&["connections.manage"]).await;
    assert_eq!(payloads(&narrow.json("/api/v1/channels/orders").await), [json!("for all")]);
    let private = server.client.json("/api/v1/channels/private-a").await;
    assert_eq!((payloads(&private), &private["row"]["perMinute"]), (vec![], &json!(1)));
    let quiet = server.client.json("/api/v1/channels/quiet").await;
    assert_eq!((&quiet["row"]["listeners"], &quiet["row"]["lastEventAt"]), (&json!(0), &Value::Null));

    let reader = server.client_with(&["events.read"]).await;
    assert_eq!(reader.status("/api/v1/channels/orders").await, 403);
    assert_eq!(server.client.status("/api/v1/channels/no%20channel").await, 404);
    let other = server.add_project("other").await;
    let stranger = server.client_of(other, &["*"]).await;
    let theirs = stranger.json("/api/v1/channels/orders").await;
    assert_eq!((payloads(&theirs), &theirs["row"]["listeners"]), (vec![], &json!(0)));
    server.stop().await;
}

/// A connection that is that busy, on an instance of its own; its id.
async fn add_busy(server: &TestServer, rate: Option<f32>, waiting: Option<i64>) -> String {
    let id = uuid::Uuid::now_v7();
    sqlx::query("insert into instances (id, name, seen_at) values ($1, 'other', now() + interval '1 hour')")
        .bind(id)
        .execute(&server.pool)
        .await
        .expect("an instance");
    sqlx::query(
        "insert into connections
             (id, instance_id, project_id, kind, actor, actor_name, client, connected_at, rate, waiting)
         values ($1, $1, $2, 'sse', 'system:test', '', '', now(), $3, $4)",
    )
    .bind(id)
    .bind(server.project.uuid())
    .bind(rate)
    .bind(waiting)
    .execute(&server.pool)
    .await
    .expect("a connection");
    tidewatch_events::id::ConnectionId::from_uuid(id).to_string()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_busiest_and_those_that_wait_most_come_first_where_that_is_asked(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let slow = add_busy(&server, Some(0.1), Some(900)).await;
    let busy = add_busy(&server, Some(12.3), Some(3)).await;
    let same = add_busy(&server, Some(12.3), Some(3)).await;
    let unknown = add_busy(&server, None, None).await;
    assert_eq!(ids(&server.client, "?sort=newest").await, [&*unknown, &*same, &*busy, &*slow]);
    for (sort, order) in
        [("waiting", [&*slow, &*same, &*busy, &*unknown]), ("rate", [&*same, &*busy, &*slow, &*unknown])]
    {
        assert_eq!(ids(&server.client, &format!("?sort={sort}")).await, order);
        let mut paged = Vec::new();
        let mut address = format!("/api/v1/connections?sort={sort}&limit=1");
        loop {
            let page = server.client.json(&address).await;
            paged.push(page["connections"][0]["id"].as_str().expect("a connection").to_owned());
            let Some(next) = page["next"].as_str() else { break };
            address = format!("/api/v1/connections?sort={sort}&limit=1&after={next}");
        }
        assert_eq!(paged, order, "page by page");
    }
    let first = server.client.json("/api/v1/connections?sort=rate&limit=1").await;
    let next = first["next"].as_str().expect("another page");
    for wrong in ["sort=nonsense".to_owned(), format!("sort=waiting&after={next}"), format!("after={next}")] {
        assert_eq!(server.client.status(&format!("/api/v1/connections?{wrong}")).await, 400, "{wrong}");
    }
    server.stop().await;
}
