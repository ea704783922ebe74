//! Whose notifications are whose: nobody else can read, count or acknowledge them, or tell that there are any.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_server::db;
use tidewatch_server::db::roles::RoleRow;

use crate::notifications_support::{all_told, count, list, make_rule, publish, rule, take, text, with};
use crate::support::{Client, PASSWORD, TestServer, read_json};
use crate::webhook_receiver::post;

const INBOX: &str = "/api/v1/notifications";
const UNKNOWN: &str = "ntf_01h455vb4pex5vsknk084sn02q";
const STEPS: [&str; 7] = ["deliver", "see", "read", "unread", "acknowledge", "archive", "unarchive"];

/// An answer with this id in it, and with that of nothing in its place: they must not differ.
async fn answers(client: &Client, id: &str) -> Vec<(u16, String)> {
    let mut answers = Vec::new();
    let mut keep = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        answers.push((status, answer.text().await.expect("text").replace(id, "ID")));
    };
    keep(client.get(&format!("{INBOX}/{id}"))).await;
    for step in STEPS {
        keep(client.post(&format!("{INBOX}/{id}/{step}"))).await;
        keep(client.post(&format!("{INBOX}/steps")).json(&json!({ "ids": [id], "step": step }))).await;
    }
    keep(client.post(&format!("{INBOX}/read")).json(&json!({ "upTo": id }))).await;
    answers
}

/// All events of notifications that a caller is shown, wherever events are shown.
async fn shown(client: &Client) -> Vec<Value> {
    let page = client.json("/api/v1/events?after=earliest&types=notification.*&limit=1000").await;
    let searched = client.json("/api/v1/events/search?types=notification.*").await;
    let [page, searched] =
        [&page, &searched].map(|answer| answer["events"].as_array().expect("events").clone());
    page.into_iter().chain(searched).collect()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_inbox_is_its_person_s_alone(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (quay, mill) = (
        server.add_organization(server.project, "Quay").await,
        server.add_organization(server.project, "Mill").await,
    );
    let other = server.add_project("other").await;
    let person = async |project, name: &str, role: &str, organizations: &[_]| {
        let id = server.add_person(project, &format!("{name}@example.test"), &[role], organizations).await;
        (id, server.session_of(id).await)
    };
    let (ann, anns) = person(server.project, "ann", "tenant", &[quay]).await;
    let audience = json!([{ "kind": "user", "id": ann }]);
    make_rule(
        &server.client,
        with(rule("Must", &["parcel.*"], audience), json!({ "mustAcknowledge": true })),
    )
    .await;
    // All others have a notification of their own: what is not shown to them is not merely what they have none of.
    let (neighbour, neighbours) = person(server.project, "neighbour", "tenant", &[quay]).await;
    let (_, strangers) = person(other, "stranger", "admin", &[]).await;
    let own = json!([{ "kind": "user", "id": neighbour }]);
    make_rule(&server.client, rule("Own", &["letter.*"], own)).await;
    publish(&server.client, "letter.come", json!({ "title": "a letter" })).await;
    publish(&server.client, "parcel.lost", json!({ "title": "a secret", "group": "hidden" })).await;
    all_told(&server).await;
    let id = text(&list(&anns, "").await[0]["id"]);
    take(&anns, &json!({ "id": id }), "see").await;
    server.all_published().await;
    let before = anns.json(&format!("{INBOX}/{id}")).await;

    let others = [
        ("a neighbour", neighbours),
        ("another organization's", person(server.project, "leo", "landlord", &[mill]).await.1),
        ("its own organization's", person(server.project, "olga", "ops", &[quay]).await.1),
        ("an operator", person(server.project, "oscar", "operator", &[]).await.1),
        ("an administrator", person(server.project, "ada", "admin", &[]).await.1),
        ("another project's", strangers),
    ];
    for (who, client) in &others {
        let refused = answers(client, &id).await;
        assert_eq!(refused, answers(client, UNKNOWN).await, "{who}");
        assert!(refused.iter().all(|(status, _)| *status == 404), "{who}: {refused:?}");
        let after = format!("?folder=all&after={id}");
        for query in ["", "?folder=all", "?folder=archived", "?search=secret", "?group=hidden", &after] {
            let found = list(client, query).await;
            assert!(found.iter().all(|one| one["title"] == "a letter"), "{who} {query}: {found:?}");
        }
        let expected = if *who == "a neighbour" { (1, 0) } else { (0, 0) };
        assert_eq!(count(client).await, expected, "{who}");
        // With one of their own beside it, nothing happens to either.
        if let Some(mine) = list(client, "").await.first() {
            let both = json!({ "ids": [mine["id"], id], "step": "read" });
            assert_eq!(post(client, &format!("{INBOX}/steps"), both).await.0, 404, "{who}");
            assert_eq!(count(client).await, (1, 0), "{who}");
        }
        let events = shown(client).await;
        assert!(events.iter().all(|event| !event.to_string().contains(&id)), "{who}: {events:?}");
        if *who != "a neighbour" {
            assert_eq!(events, Vec::<Value>::new(), "{who}");
        }
    }
    // By which no event tells of hers: a single one is not there for them either.
    let events = shown(&anns).await;
    let types: Vec<&str> = events.iter().filter_map(|event| event["eventType"].as_str()).collect();
    assert_eq!(types.len(), 6, "sent, delivered and seen, in both ways: {types:?}");
    for event in &events {
        let path = format!("/api/v1/events/{}", text(&event["eventId"]));
        assert_eq!(anns.status(&path).await, 200);
        for (who, client) in &others {
            assert_eq!(client.status(&path).await, 404, "{who}");
        }
        assert_eq!(server.client.status(&path).await, 404, "not even a key that may do all");
    }
    assert_eq!(anns.json(&format!("{INBOX}/{id}")).await, before, "nothing of all that has touched it");
    assert_eq!(count(&anns).await, (1, 1));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn one_hears_of_one_s_own_whatever_one_s_role_says_of_notifications(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let role = RoleRow {
        name: "reader".to_owned(),
        title: "Reader".to_owned(),
        permissions: vec!["events.read".to_owned()],
        project_wide: false,
    };
    let mut connection = pool.acquire().await.expect("a connection");
    db::roles::save(&mut connection, server.project, &role).await.expect("a role");
    let quay = server.add_organization(server.project, "Quay").await;
    let reader = server.add_person(server.project, "reader@example.test", &["reader"], &[quay]).await;
    let audience = json!([{ "kind": "user", "id": reader }]);
    let reader = server.session_of(reader).await;
    make_rule(&server.client, rule("Theirs", &["parcel.*"], audience)).await;
    publish(&server.client, "parcel.lost", json!({ "title": "lost" })).await;
    all_told(&server).await;
    server.all_published().await;
    let events = shown(&reader).await;
    let types: Vec<&str> = events.iter().filter_map(|event| event["eventType"].as_str()).collect();
    assert_eq!(types, ["notification.sent"; 2], "in both ways");
    assert_eq!(shown(&server.client).await, Vec::<Value>::new(), "it is nobody else's for that");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_may_read_no_events_hears_of_their_own_notifications_and_of_nothing_else(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let save = async |permissions: &[&str]| {
        let role = RoleRow {
            name: "reader".to_owned(),
            title: "Reader".to_owned(),
            permissions: permissions.iter().map(|name| (*name).to_owned()).collect(),
            project_wide: true,
        };
        let mut connection = pool.acquire().await.expect("a connection");
        db::roles::save(&mut connection, server.project, &role).await.expect("a role");
    };
    save(&["notifications.read"]).await;
    let person = server.add_person(server.project, "reader@example.test", &["reader"], &[]).await;
    let (reader, own) = (server.session_of(person).await, json!(format!("user:{person}")));
    let audience = json!([{ "kind": "role", "name": "staff" }]);
    make_rule(&server.client, rule("All", &["parcel.*"], audience)).await;
    server.add_person(server.project, "other@example.test", &["viewer"], &[]).await;
    // As the dashboard asks, and as a program would.
    let mut streams = [reader.stream("?types=*").await, reader.stream("?types=notification.*").await];
    server.client.create("A-1").await;
    publish(&server.client, "parcel.lost", json!({ "title": "lost" })).await;
    all_told(&server).await;
    server.all_published().await;
    let id = text(&list(&reader, "").await[0]["id"]);
    take(&reader, &json!({ "id": id }), "read").await;
    for stream in &mut streams {
        loop {
            let frame = stream.next().await;
            assert!(frame.event.starts_with("notification."), "{frame:?}");
            assert_eq!(frame.data["payload"]["recipient"], own, "{frame:?}");
            if frame.event == "notification.read" {
                break;
            }
        }
    }
    server.all_published().await;
    let page = reader.json("/api/v1/events?after=earliest&types=*&limit=1000").await;
    let events = page["events"].as_array().expect("events");
    let types: Vec<&str> = events.iter().filter_map(|event| event["eventType"].as_str()).collect();
    assert_eq!(types, ["notification.sent", "notification.delivered", "notification.read"]);
    assert!(events.iter().all(|event| event["payload"]["recipient"] == own), "{events:?}");

    let refused = async |client: &Client, path: &str, accept: &str| {
        let answer = client.get(path).header("accept", accept).send().await.expect("an answer");
        let problem = read_json(answer, StatusCode::FORBIDDEN).await;
        assert_eq!(problem["permission"], "events.read", "{path}: {problem}");
    };
    for query in ["types=settlement.*", "types=notification.sent,parcel.lost", "channels=parcels"] {
        for accept in ["text/event-stream", "application/json"] {
            refused(&reader, &format!("/api/v1/events?{query}"), accept).await;
        }
    }
    refused(&reader, "/api/v1/events/search", "application/json").await;
    let key = server.client_with(&["notifications.read"]).await;
    for accept in ["text/event-stream", "application/json"] {
        refused(&key, "/api/v1/events?types=notification.*", accept).await;
    }

    // What else their role says changes nothing of such a stream, and out of the project it ends.
    save(&["notifications.read", "events.read", "settlements.read"]).await;
    let mut wide = reader.stream("?types=settlement.*").await;
    server.client.create("A-2").await;
    assert_eq!(wide.next().await.event, "settlement.created");
    take(&reader, &json!({ "id": id }), "unread").await;
    let frame = streams[0].next().await;
    assert_eq!(frame.event, "notification.marked_unread", "and nothing of A-2 before");
    let out = server.client.delete(&format!("/api/v1/people/{person}")).send().await.expect("an answer");
    assert!(out.status().is_success());
    assert_eq!(streams[0].next().await.data["code"], "SessionExpired");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn keys_have_no_inbox_and_nobody_has_none(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    make_rule(&server.client, rule("All", &["parcel.*"], json!([{ "kind": "user", "id": ann }]))).await;
    publish(&server.client, "parcel.lost", json!({ "title": "lost" })).await;
    all_told(&server).await;
    let id = text(&list(&server.session_of(ann).await, "").await[0]["id"]);
    let keys = [
        ("with all", server.client.clone(), 403),
        ("that acts for her", server.client_for(server.project, &["*"], Some(ann)).await, 403),
        ("of nobody", server.client.anonymous(), 401),
        ("that is none", server.client.anonymous().with_key("tw_none"), 401),
    ];
    for (which, client, expected) in &keys {
        for id in [&*id, UNKNOWN] {
            let answers = answers(client, id).await;
            assert!(answers.iter().all(|(status, _)| status == expected), "{which}: {answers:?}");
        }
        for path in ["", "/count", "/settings"] {
            let answer = client.get(&format!("{INBOX}{path}")).send().await.expect("an answer");
            let status = StatusCode::from_u16(*expected).expect("a status");
            let problem = read_json(answer, status).await;
            let kind = if *expected == 403 { "no-inbox" } else { "unauthenticated" };
            assert_eq!(problem["type"], format!("urn:tidewatch:problem:{kind}"), "{which} {path}");
        }
        let saved =
            client.put(&format!("{INBOX}/settings")).json(&json!({})).send().await.expect("an answer");
        assert_eq!(saved.status(), *expected, "{which}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_inbox_is_of_one_project_and_opens_to_whoever_is_its_person(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let other = server.add_project("other").await;
    // A role that allows nothing but what everybody may with their own.
    sqlx::query(
        "insert into roles (project_id, name, title, permissions, project_wide)
         values ($1, 'auditor', 'Auditor', '{audit.view}', true)",
    )
    .bind(server.project.uuid())
    .execute(&pool)
    .await
    .expect("a role");
    let ann = server.add_person(server.project, "ann@example.test", &["auditor"], &[]).await;
    server.add_person(other, "ann@example.test", &["viewer"], &[]).await;
    let session = server.session_of(ann).await;
    let theirs = server.client_of(other, &["*"]).await;
    for client in [&server.client, &theirs] {
        make_rule(client, rule("All", &["parcel.*"], json!([{ "kind": "user", "id": ann }]))).await;
        publish(client, "parcel.lost", json!({ "title": "lost" })).await;
    }
    all_told(&server).await;
    let mut ids = Vec::new();
    for project in ["demo", "other"] {
        let found = list(&session, &format!("?project={project}")).await;
        assert_eq!(found.len(), 1, "{project}");
        ids.push(text(&found[0]["id"]));
    }
    assert_eq!(session.status(&format!("{INBOX}/{}?project=other", ids[0])).await, 404);
    assert_eq!(session.status(&format!("{INBOX}/{}?project=other", ids[1])).await, 200);
    let login = json!({ "email": "ann@example.test", "password": PASSWORD, "project": "demo" });
    let request = server.client.anonymous().post("/api/v1/auth/token").json(&login);
    let answer = request.send().await.expect("an answer");
    let token = text(&read_json(answer, StatusCode::OK).await["accessToken"]);
    let by_token = server.client.with_key(&token);
    assert_eq!(list(&by_token, "").await.len(), 1);
    // Out of the project, out of its inbox.
    sqlx::query("update memberships set disabled_at = now() where user_id = $1 and project_id = $2")
        .bind(ann.uuid())
        .bind(server.project.uuid())
        .execute(&pool)
        .await
        .expect("kept out");
    assert_eq!(by_token.status(INBOX).await, 401);
    assert_eq!(session.status(&format!("{INBOX}?project=demo")).await, 404);
    assert_eq!(list(&session, "?project=other").await.len(), 1);
    server.stop().await;
}
