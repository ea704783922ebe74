//! `/api/v1/notifications`: one's own inbox, the steps that are taken with it, what the badge counts, and what one wants.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::id::UserId;
use tidewatch_server::db;
use tidewatch_server::db::roles::RoleRow;

use crate::notifications_support::{
    all_told, count, events_of, list, make_rule, publish, rule, take, text, titles, with,
};
use crate::support::{Client, PASSWORD, TestServer, eventually, read_json, soon};
use crate::webhook_receiver::post;

const INBOX: &str = "/api/v1/notifications";
const STAFF: &str = r#"[{ "kind": "role", "name": "staff" }]"#;

fn staff() -> Value {
    serde_json::from_str(STAFF).expect("JSON")
}

async fn person(server: &TestServer, name: &str) -> (UserId, Client) {
    let id = server.add_person(server.project, &format!("{name}@example.test"), &["viewer"], &[]).await;
    (id, server.session_of(id).await)
}

/// Publishes parcels of these titles, one after the other, and waits until all are told.
async fn parcels(server: &TestServer, titles: &[&str]) {
    for title in titles {
        publish(&server.client, "parcel.lost", json!({ "title": title })).await;
        all_told(server).await;
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn pages_folders_and_searches_show_what_they_say(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (_, ann) = person(&server, "ann").await;
    make_rule(&server.client, rule("All", &["parcel.*"], staff())).await;
    parcels(&server, &["one", "two", "50% off_it", "four", "FIVE"]).await;
    publish(
        &server.client,
        "parcel.found",
        json!({ "title": "six", "group": "found", "body": "at the quay" }),
    )
    .await;
    all_told(&server).await;

    let first = ann.json(&format!("{INBOX}?limit=4")).await;
    assert_eq!(first["notifications"].as_array().map(Vec::len), Some(4));
    assert_eq!((&first["unread"], &first["unacknowledged"]), (&json!(6), &json!(0)));
    let next = text(&first["next"]);
    let second = ann.json(&format!("{INBOX}?limit=4&after={next}")).await;
    assert_eq!(second["next"], Value::Null);
    let seen: Vec<&Value> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["notifications"].as_array().expect("a page"))
        .map(|notification| &notification["title"])
        .collect();
    assert_eq!(seen, ["six", "FIVE", "four", "50% off_it", "two", "one"]);

    for (query, expected) in [
        ("?group=found", vec!["six"]),
        ("?search=five", vec!["FIVE"]),
        ("?search=QUAY%20si", vec!["six"]),
        ("?search=quay%20one", vec![]),
        ("?search=%25%20_", vec!["50% off_it"]),
        ("?search=50%25%20off_it", vec!["50% off_it"]),
        ("?search=o__&folder=all", vec![]),
        ("?folder=archived", vec![]),
    ] {
        assert_eq!(titles(&ann, query).await, expected, "{query}");
    }
    let all = list(&ann, "").await;
    take(&ann, &all[0], "archive").await;
    take(&ann, &all[1], "read").await;
    assert_eq!(titles(&ann, "").await, ["four", "50% off_it", "two", "one"]);
    assert_eq!(titles(&ann, "?folder=all").await, ["FIVE", "four", "50% off_it", "two", "one"]);
    assert_eq!(titles(&ann, "?folder=archived").await, ["six"]);
    assert_eq!(count(&ann).await, (4, 0));
    take(&ann, &all[0], "unarchive").await;
    assert_eq!(titles(&ann, "").await[0], "six");

    for (query, parameter) in [
        ("folder=spam", "folder"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("after=x", "after"),
        ("order=old", "order"),
        (&*format!("search={}", "x".repeat(201)), "search"),
        ("search=%00", "search"),
        ("group=a&group=b", "group"),
    ] {
        let answer = ann.get(&format!("{INBOX}?{query}")).send().await.expect("an answer");
        let problem = read_json(answer, StatusCode::BAD_REQUEST).await;
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{query}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_open_folder_has_what_is_unread_and_what_waits(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ((_, ann), (_, ben)) = (person(&server, "ann").await, person(&server, "ben").await);
    let must = with(rule("Must", &["parcel.lost"], staff()), json!({ "mustAcknowledge": true }));
    make_rule(&server.client, must).await;
    make_rule(&server.client, rule("May", &["parcel.found"], staff())).await;
    for (event_type, title) in [("parcel.lost", "lost"), ("parcel.found", "found"), ("parcel.found", "old")] {
        publish(&server.client, event_type, json!({ "title": title })).await;
        all_told(&server).await;
    }
    let open = "?folder=open";
    let all = list(&ann, open).await;
    assert_eq!(titles(&ann, open).await, ["old", "found", "lost"]);
    take(&ann, &all[0], "archive").await;
    assert_eq!(titles(&ann, open).await, ["found", "lost"]);
    take(&ann, &all[1], "read").await;
    take(&ann, &all[2], "read").await;
    assert_eq!(titles(&ann, "").await, Vec::<String>::new());
    assert_eq!((titles(&ann, open).await, count(&ann).await), (vec!["lost".to_owned()], (0, 1)));
    assert_eq!(titles(&ann, "?folder=open&search=lost").await, ["lost"]);
    // Done by another, it waits no longer: who has read it is not shown it again.
    let bens = list(&ben, "?search=lost").await.remove(0);
    assert_eq!(take(&ben, &bens, "acknowledge").await.0, 200);
    assert_eq!((titles(&ann, open).await, count(&ann).await), (Vec::new(), (0, 0)));
    assert_eq!(
        (titles(&ben, open).await, count(&ben).await.1),
        (vec!["old".to_owned(), "found".to_owned()], 0)
    );
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_search_looks_so_far_and_says_where_to_go_on(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (_, ann) = person(&server, "ann").await;
    make_rule(&server.client, rule("All", &["parcel.*"], staff())).await;
    parcels(&server, &["needle"]).await;
    // More than are looked at, all of them newer.
    for statement in [
        "insert into notifications
             (id, project_id, rule_id, rule_name, event_id, event_type, position, aggregate_type, aggregate_id, occurred_at,
              title, body, link, group_key, priority, must_acknowledge, event_audience, escalation)
         select ('f0000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, project_id, rule_id, rule_name,
                gen_random_uuid(), event_type, position, aggregate_type, aggregate_id, occurred_at, 'hay', '', link, group_key,
                priority, must_acknowledge, event_audience, escalation
         from notifications, generate_series(1, 5000) n",
        "insert into notification_receipts (id, project_id, notification_id, user_id, step, waits)
         select n.id, n.project_id, n.id, r.user_id, 0, false
         from notifications n, notification_receipts r where n.title = 'hay'",
    ] {
        sqlx::query(statement).execute(&pool).await.expect("hay");
    }
    let first = ann.json(&format!("{INBOX}?search=needle")).await;
    assert_eq!(first["notifications"], json!([]), "it is not looked so far");
    let next = text(&first["next"]);
    let second = ann.json(&format!("{INBOX}?search=needle&after={next}")).await;
    assert_eq!((&second["notifications"][0]["title"], &second["next"]), (&json!("needle"), &json!(null)));
    let none = ann.json(&format!("{INBOX}?search=pin&after={next}")).await;
    assert_eq!((&none["notifications"], &none["next"]), (&json!([]), &json!(null)));
    assert_eq!(
        ann.json(&format!("{INBOX}?limit=2&search=hay")).await["notifications"].as_array().map(Vec::len),
        Some(2)
    );
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn each_step_is_one_event_and_what_changes_nothing_is_none(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (_, ann) = person(&server, "ann").await;
    make_rule(&server.client, rule("All", &["parcel.*"], staff())).await;
    parcels(&server, &["one", "two", "three"]).await;
    let id: Vec<Value> =
        sqlx::query_scalar("select to_json('ntf_' || crockford(id)) from notification_receipts order by id")
            .fetch_all(&pool)
            .await
            .expect("receipts");
    let one = |n: usize| json!({ "id": id[n] });
    assert_eq!(events_of(&pool, &id[0]).await, ["sent"], "nobody has asked for it yet");
    // What comes later says that what comes before it has been, and is one event.
    let (status, read) = take(&ann, &one(0), "read").await;
    assert_eq!((status, &read["version"]), (200, &json!(2)));
    assert!(
        read["deliveredAt"] == read["seenAt"]
            && read["seenAt"] == read["readAt"]
            && read["readAt"] != json!(null)
    );
    for step in ["read", "see", "deliver", "unarchive"] {
        assert_eq!(take(&ann, &one(0), step).await, (200, read.clone()), "{step}");
    }
    let (_, unread) = take(&ann, &one(0), "unread").await;
    assert_eq!((&unread["readAt"], &unread["seenAt"]), (&json!(null), &read["seenAt"]));
    take(&ann, &one(0), "archive").await;
    take(&ann, &one(0), "unarchive").await;
    assert_eq!(events_of(&pool, &id[0]).await, ["sent", "read", "marked_unread", "archived", "unarchived"]);
    // To ask for it is to have it; to ask again changes nothing.
    for _ in 0..2 {
        let seen = ann.json(&format!("{INBOX}/{}", text(&id[1]))).await;
        assert!(seen["deliveredAt"] != json!(null) && seen["seenAt"] == json!(null));
    }
    assert_eq!(events_of(&pool, &id[1]).await, ["sent", "delivered"]);
    for _ in 0..2 {
        assert_eq!(list(&ann, "").await.len(), 3);
        assert_eq!(count(&ann).await, (3, 0));
    }
    assert_eq!(events_of(&pool, &id[2]).await, ["sent", "delivered"]);
    take(&ann, &one(2), "see").await;
    assert_eq!(events_of(&pool, &id[2]).await, ["sent", "delivered", "seen"]);

    // With all of them, or with none.
    let steps = format!("{INBOX}/steps");
    let unknown = "ntf_01h455vb4pex5vsknk084sn02q";
    let (status, problem) = post(&ann, &steps, json!({ "ids": [id[0], unknown], "step": "read" })).await;
    assert_eq!((status, &problem["type"]), (404, &json!("urn:tidewatch:problem:not-found")));
    assert_eq!(count(&ann).await, (3, 0));
    let (status, counted) = post(&ann, &steps, json!({ "ids": [id[0], id[1], id[0]], "step": "read" })).await;
    assert_eq!((status, counted), (200, json!({ "unread": 1, "unacknowledged": 0 })));
    assert_eq!(post(&ann, &steps, json!({ "ids": [], "step": "read" })).await.0, 200);
    for body in [
        json!({ "ids": id, "step": "burn" }),
        json!({ "ids": ["x"], "step": "read" }),
        json!({ "ids": id }),
        json!({ "ids": vec![unknown; 501], "step": "read" }),
    ] {
        assert_eq!(post(&ann, &steps, body).await.0, 422);
    }
    assert_eq!(take(&ann, &one(0), "burn").await.0, 404);
    // Up to one, and no further.
    for n in 0..3 {
        take(&ann, &one(n), "unread").await;
    }
    let read = format!("{INBOX}/read");
    assert_eq!(
        post(&ann, &read, json!({ "upTo": id[1] })).await.1,
        json!({ "unread": 1, "unacknowledged": 0 })
    );
    assert_eq!(titles(&ann, "").await, ["three"]);
    assert_eq!(post(&ann, &read, json!({ "upTo": id[2] })).await.1["unread"], 0);
    // The first one was begun first and sent last: whoever names the second had not seen it.
    for n in 0..2 {
        take(&ann, &one(n), "unread").await;
    }
    sqlx::query(
        "update domain_events set position = 1000000 where aggregate_id = $1 and aggregate_version = 1",
    )
    .bind(text(&id[0]))
    .execute(&pool)
    .await
    .expect("an event that came later");
    assert_eq!(post(&ann, &read, json!({ "upTo": id[1] })).await.1["unread"], 1);
    assert_eq!(titles(&ann, "").await, ["one"]);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn one_acknowledges_for_all_and_each_may_say_so_too(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ((anns_id, ann), (_, ben)) = (person(&server, "ann").await, person(&server, "ben").await);
    let must = with(rule("Must", &["parcel.lost"], staff()), json!({ "mustAcknowledge": true }));
    make_rule(&server.client, must).await;
    make_rule(&server.client, rule("May", &["parcel.found"], staff())).await;
    let mut bens_stream = ben.stream("/stream?types=notification.*").await;
    publish(&server.client, "parcel.lost", json!({ "title": "lost" })).await;
    publish(&server.client, "parcel.found", json!({ "title": "found" })).await;
    all_told(&server).await;
    let of = async |client: &Client, title: &str| {
        list(client, "?folder=all").await.into_iter().find(|one| one["title"] == title).expect("it")
    };
    let (anns, bens) = (of(&ann, "lost").await, of(&ben, "lost").await);
    assert_eq!((count(&ann).await, count(&ben).await), ((2, 1), (2, 1)));
    let (status, problem) = take(&ann, &anns, "archive").await;
    assert_eq!((status, &problem["type"]), (409, &json!("urn:tidewatch:problem:refused")));
    assert!(text(&problem["detail"]).contains("acknowledge"), "{problem}");
    let found = of(&ann, "found").await;
    assert_eq!(take(&ann, &found, "acknowledge").await.0, 409);

    let path = format!("{INBOX}/{}/acknowledge", text(&anns["id"]));
    let said = ann.post(&path).header("x-correlation-id", "the-move-of-ann").send().await.expect("an answer");
    let done = read_json(said, StatusCode::OK).await;
    assert!(done["acknowledgedAt"] == done["settledAt"] && done["readAt"] != json!(null), "{done}");
    assert_eq!(events_of(&pool, &anns["id"]).await, ["sent", "delivered", "acknowledged"]);
    assert_eq!(events_of(&pool, &bens["id"]).await, ["sent", "delivered", "settled"]);
    // That it is done is for him to hear, and not by whom.
    loop {
        let frame = bens_stream.next().await;
        let told = frame.data.to_string();
        assert!(!told.contains(&anns_id.to_string()) && !told.contains("the-move-of-ann"), "{told}");
        if frame.event == "notification.settled" {
            assert_eq!(frame.data["metadata"]["actor"], "system:notifications", "{told}");
            break;
        }
    }
    let settled = of(&ben, "lost").await;
    assert_eq!((&settled["acknowledgedAt"], &settled["settledAt"]), (&json!(null), &done["settledAt"]));
    assert_eq!(settled["version"], bens["version"].as_u64().expect("a version") + 1);
    assert_eq!((count(&ann).await, count(&ben).await), ((1, 0), (2, 0)));
    // Said again it is nothing new; said by another it is said by them, too, and settles nothing.
    assert_eq!(take(&ann, &anns, "acknowledge").await.1["version"], done["version"]);
    let (_, too) = take(&ben, &bens, "acknowledge").await;
    assert_eq!(too["settledAt"], done["settledAt"]);
    assert_eq!(events_of(&pool, &bens["id"]).await, ["sent", "delivered", "settled", "acknowledged"]);
    assert_eq!(events_of(&pool, &anns["id"]).await.len(), 3);
    assert_eq!(take(&ben, &bens, "archive").await.0, 200);
    let ways: Vec<Option<String>> = sqlx::query_scalar(
        "select acknowledged_by_way from notification_receipts where acknowledged_at is not null",
    )
    .fetch_all(&pool)
    .await
    .expect("ways");
    assert_eq!(ways, [Some("api".to_owned()), Some("api".to_owned())]);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn those_who_acknowledge_at_once_do_not_wait_for_each_other_for_ever(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let must = with(rule("Must", &["parcel.*"], staff()), json!({ "mustAcknowledge": true }));
    make_rule(&server.client, must).await;
    let mut people = Vec::new();
    for n in 0..4 {
        people.push(person(&server, &format!("p{n}")).await.1);
    }
    parcels(&server, &["a", "b", "c", "d", "e", "f"]).await;
    let steps = format!("{INBOX}/steps");
    let done = people.iter().map(async |client| {
        let mut ids: Vec<Value> = list(client, "").await.iter().map(|one| one["id"].clone()).collect();
        for step in ["acknowledge", "read", "acknowledge"] {
            ids.reverse();
            assert_eq!(post(client, &steps, json!({ "ids": ids, "step": step })).await.0, 200, "{step}");
        }
    });
    futures::future::join_all(done).await;
    let (first, all): (i64, i64) = sqlx::query_as(
        "select (select count(*) from notifications where acknowledged_by is not null),
                (select count(*) from notification_receipts where acknowledged_at is not null)",
    )
    .fetch_one(&pool)
    .await
    .expect("counts");
    assert_eq!((first, all), (6, 24));
    let settled: i64 =
        sqlx::query_scalar("select count(*) from domain_events where event_type = 'notification.settled'")
            .fetch_one(&pool)
            .await
            .expect("a count");
    assert_eq!(settled, 18, "each message was settled once, for the other three");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_acknowledges_what_is_settled_waits_for_nobody_else(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ((_, ann), (_, ben)) = (person(&server, "ann").await, person(&server, "ben").await);
    let (cleo, _) = person(&server, "cleo").await;
    let must = with(rule("Must", &["parcel.lost"], staff()), json!({ "mustAcknowledge": true }));
    make_rule(&server.client, must).await;
    parcels(&server, &["lost"]).await;
    let (anns, bens) = (list(&ann, "").await.remove(0), list(&ben, "").await.remove(0));
    assert_eq!(take(&ben, &bens, "acknowledge").await.0, 200);
    let mut busy = pool.begin().await.expect("a transaction");
    sqlx::query("select from notification_receipts where user_id = $1 for update")
        .bind(cleo.uuid())
        .execute(&mut *busy)
        .await
        .expect("locked");
    assert_eq!(soon("her own word", take(&ann, &anns, "acknowledge")).await.0, 200);
    busy.rollback().await.expect("rolled back");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_somebody_mutes_counts_nowhere_unless_it_must_be_acknowledged(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ((_, ann), (_, ben)) = (person(&server, "ann").await, person(&server, "ben").await);
    let settings = format!("{INBOX}/settings");
    let page = ann.json(&settings).await;
    assert_eq!(page["email"], "ann@example.test");
    let zones = page["timeZones"].as_array().expect("names");
    assert!(zones[0] == "UTC" && zones.contains(&json!("Europe/Vienna")), "{zones:?}");
    assert_eq!(
        (&page["settings"]["preferences"], &page["settings"]["digest"]),
        (&json!([]), &json!("daily"))
    );
    let preference = |pattern: &str, in_app: bool| json!({ "pattern": pattern, "inApp": in_app, "email": "off", "push": false });
    let wanted = json!({
        "preferences": [preference("parcel.*", false), preference("parcel.found", true)],
        "quiet": { "from": 1320, "until": 420 }, "timeZone": "America/New_York", "digest": "weekly",
    });
    for _ in 0..2 {
        let saved = ann.put(&settings).json(&wanted).send().await.expect("an answer");
        assert_eq!(saved.status(), 204);
    }
    let mut kept = wanted.clone();
    kept["preferences"].as_array_mut().expect("a list").sort_by_key(|one| text(&one["pattern"]));
    assert_eq!(ann.json(&settings).await["settings"], kept);
    assert_eq!(ben.json(&settings).await["settings"]["digest"], "daily", "it is nobody else's");

    make_rule(&server.client, rule("May", &["parcel.lost", "parcel.found"], staff())).await;
    let must = with(rule("Must", &["parcel.burnt"], staff()), json!({ "mustAcknowledge": true }));
    make_rule(&server.client, must).await;
    for event_type in ["parcel.lost", "parcel.found", "parcel.burnt"] {
        publish(&server.client, event_type, json!({ "title": event_type })).await;
        all_told(&server).await;
    }
    assert_eq!((count(&ann).await, count(&ben).await), ((2, 1), (3, 1)));
    assert_eq!(
        titles(&ann, "").await,
        ["parcel.burnt", "parcel.found", "parcel.lost"],
        "it is there all the same"
    );
    let muted: Vec<bool> = list(&ann, "").await.iter().map(|one| one["muted"] == json!(true)).collect();
    assert_eq!(muted, [false, false, true]);
    assert_eq!(
        ann.json(&settings).await["knownTypes"],
        json!(["parcel.burnt", "parcel.found", "parcel.lost"])
    );

    for (body, pointer) in [
        (json!({ "preferences": [preference("Parcel", true)] }), "#/preferences/0/pattern"),
        (json!({ "preferences": [preference("*", true), preference("*", true)] }), "#/preferences/1/pattern"),
        (
            json!({ "preferences": (0..101).map(|n| preference(&format!("a.b{n}"), true)).collect::<Vec<_>>() }),
            "#/preferences",
        ),
        (json!({ "quiet": { "from": 1440, "until": 0 } }), "#/quiet/from"),
        (json!({ "quiet": { "from": 0 } }), "#/quiet/until"),
        (json!({ "timeZone": "Atlantis/City" }), "#/timeZone"),
        (json!({ "timeZone": "" }), "#/timeZone"),
        (json!({ "digest": "yearly" }), "#/digest"),
        (json!({ "colour": "red" }), "#/colour"),
    ] {
        let answer = ann.put(&settings).json(&body).send().await.expect("an answer");
        let problem = read_json(answer, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn operators_are_shown_what_became_of_what_was_sent(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ((_, ann), _) = (person(&server, "ann").await, person(&server, "ben").await);
    let must = with(rule("Must", &["parcel.*"], staff()), json!({ "mustAcknowledge": true }));
    make_rule(&server.client, must).await;
    let event = publish(&server.client, "parcel.lost", json!({ "title": "lost" })).await;
    all_told(&server).await;
    let path = format!("/api/v1/events/{event}/notifications");
    let proof = async || server.client.json(&path).await["notifications"][0].clone();
    let sent = proof().await;
    assert_eq!(
        (&sent["rule"], &sent["title"], &sent["eventId"]),
        (&json!("Must"), &json!("lost"), &json!(event))
    );
    let recipients: Vec<String> =
        sent["receipts"].as_array().expect("receipts").iter().map(|one| text(&one["recipient"])).collect();
    assert_eq!(recipients, ["ann@example.test", "ben@example.test"]);
    assert!(
        sent["receipts"].as_array().expect("receipts").iter().all(|one| one["deliveredAt"] == json!(null))
    );
    let one = list(&ann, "").await.remove(0);
    take(&ann, &one, "see").await;
    take(&ann, &one, "acknowledge").await;
    let done = proof().await;
    let (anns, bens) = (&done["receipts"][0], &done["receipts"][1]);
    assert!(
        text(&anns["deliveredAt"]) <= text(&anns["seenAt"]) && text(&anns["seenAt"]) <= text(&anns["readAt"])
    );
    assert_eq!(done["acknowledgedAt"], anns["acknowledgedAt"]);
    assert_eq!((&anns["acknowledgedByWay"], &bens["acknowledgedByWay"]), (&json!("api"), &json!(null)));
    assert_eq!(done["emptySteps"], json!([]));
    assert_eq!((&bens["deliveredAt"], &bens["acknowledgedAt"]), (&json!(null), &json!(null)));

    let organization = server.add_organization(server.project, "One").await;
    let customer = server.add_person(server.project, "eve@example.test", &["ops"], &[organization]).await;
    let other = server.add_project("other").await;
    for (client, expected) in [
        (server.session_of(customer).await, 403),
        (server.client_with(&["events.publish"]).await, 403),
        (server.client_of(other, &["*"]).await, 404),
        (server.client.anonymous(), 401),
    ] {
        assert_eq!(client.status(&path).await, expected);
    }
    for id in ["x", "evt_01h455vb4pex5vsknk084sn02q"] {
        assert_eq!(server.client.status(&format!("/api/v1/events/{id}/notifications")).await, 404, "{id}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn of_many_recipients_all_are_counted_and_some_of_each_step_are_listed(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ((_, ann), _) = (person(&server, "ann").await, person(&server, "zoe").await);
    let must = with(rule("Must", &["parcel.*"], staff()), json!({ "mustAcknowledge": true }));
    make_rule(&server.client, must).await;
    let event = publish(&server.client, "parcel.lost", json!({ "title": "lost" })).await;
    all_told(&server).await;
    for statement in [
        // One of the two was told by a step of the escalation, and by the first one there are thousands.
        "update notification_receipts set step = 2
         where user_id = (select id from users where email = 'zoe@example.test')",
        "update notifications set step = 2",
        "insert into users (id, email, name, password_hash)
         select gen_random_uuid(), 'm' || n || '@example.test', 'Many', 'none' from generate_series(1, 6000) n",
        "insert into notification_receipts (id, project_id, notification_id, user_id, step, waits, delivered_at)
         select gen_random_uuid(), n.project_id, n.id, u.id, 0, true, clock_timestamp()
         from notifications n, users u where u.name = 'Many'",
    ] {
        sqlx::query(statement).execute(&pool).await.expect(statement);
    }
    let one = list(&ann, "").await.remove(0);
    take(&ann, &one, "acknowledge").await;
    let path = format!("/api/v1/events/{event}/notifications");
    let proof = server.client.json(&path).await["notifications"][0].clone();
    let totals = json!({ "sent": 6002, "delivered": 6001, "seen": 1, "read": 1, "acknowledged": 1 });
    assert_eq!((&proof["totals"], &proof["step"]), (&totals, &json!(2)));
    let receipts = proof["receipts"].as_array().expect("receipts");
    assert_eq!(receipts.len(), 200);
    let of = |name: &str| receipts.iter().find(|one| one["recipient"] == format!("{name}@example.test"));
    assert!(of("ann").expect("who acknowledged")["acknowledgedAt"] != json!(null));
    assert_eq!(of("zoe").expect("the escalation's")["step"], 2);
    assert_eq!(receipts[199]["step"], 2, "in the order of the steps");
    assert_eq!(proof["emptySteps"], json!([1]));
    server.stop().await;
}

/// A packet of Engine.IO over HTTP long-polling, and what comes back.
async fn packets(client: &Client, session: &str, packet: Option<String>) -> String {
    let path = format!("/socket.io/?EIO=4&transport=polling{session}");
    let request = match packet {
        Some(packet) => client.post(&path).body(packet),
        None => client.get(&path),
    };
    request.send().await.expect("an answer").text().await.expect("text")
}

/// Somebody's client of Socket.IO, by an access token of theirs.
struct Socket {
    client: Client,
    session: String,
}

impl Socket {
    async fn open(server: &TestServer, email: &str) -> Self {
        let login = json!({ "email": email, "password": PASSWORD });
        let client = server.client.anonymous();
        let answer = client.post("/api/v1/auth/token").json(&login).send().await.expect("an answer");
        let token = text(&read_json(answer, StatusCode::OK).await["accessToken"]);
        let opened = packets(&client, "", None).await;
        let opened: Value = serde_json::from_str(&opened[1..]).expect("JSON");
        let session = format!("&sid={}", text(&opened["sid"]));
        packets(&client, &session, Some(format!("40{}", json!({ "token": token })))).await;
        eventually("it to be in", async || {
            let told = packets(&client, &session, None).await;
            assert!(!told.contains("44{"), "{told}");
            told.contains("40{").then_some(())
        })
        .await;
        Self { client, session }
    }

    /// What is answered to a message.
    async fn ask(&self, number: u32, message: &str, request: Value) -> Value {
        let packet = format!("42{number}{}", json!([message, request]));
        packets(&self.client, &self.session, Some(packet)).await;
        let beginning = format!("43{number}");
        let answer = eventually("an answer", async || {
            let told = packets(&self.client, &self.session, None).await;
            told.split('\u{1e}').find_map(|packet| packet.strip_prefix(&beginning).map(ToOwned::to_owned))
        })
        .await;
        serde_json::from_str::<Value>(&answer).expect("JSON")[0].clone()
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_socket_acknowledges_for_who_may_read_no_events_and_listens_to_nothing(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let role = RoleRow {
        name: "reader_of_news".to_owned(),
        title: "Reader".to_owned(),
        permissions: vec!["notifications.read".to_owned()],
        project_wide: true,
    };
    let mut connection = pool.acquire().await.expect("a connection");
    db::roles::save(&mut connection, server.project, &role).await.expect("a role");
    let ann = server.add_person(server.project, "ann@example.test", &["reader_of_news"], &[]).await;
    let must = with(rule("Must", &["parcel.*"], staff()), json!({ "mustAcknowledge": true }));
    make_rule(&server.client, must).await;
    parcels(&server, &["lost"]).await;
    let id = list(&server.session_of(ann).await, "").await[0]["id"].clone();
    let socket = Socket::open(&server, "ann@example.test").await;
    let refused = socket.ask(1, "listen", json!({ "channelName": "parcels" })).await;
    assert_eq!((&refused["ok"], &refused["problem"]["permission"]), (&json!(false), &json!("events.read")));
    let done = socket.ask(2, "acknowledge", json!({ "notificationId": id })).await;
    assert_eq!((&done["ok"], &done["notification"]["id"]), (&json!(true), &id), "{done}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_socket_acknowledges_what_is_its_person_s_own(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ((_, ann), (_, ben)) = (person(&server, "ann").await, person(&server, "ben").await);
    let must = with(rule("Must", &["parcel.*"], staff()), json!({ "mustAcknowledge": true }));
    make_rule(&server.client, must).await;
    parcels(&server, &["lost"]).await;
    let (anns, bens) = (list(&ann, "").await.remove(0), list(&ben, "").await.remove(0));
    let socket = Socket::open(&server, "ann@example.test").await;
    let refused = socket.ask(1, "acknowledge", json!({ "notificationId": bens["id"] })).await;
    assert_eq!((&refused["ok"], &refused["problem"]["status"]), (&json!(false), &json!(404)), "{refused}");
    assert_eq!(socket.ask(2, "acknowledge", json!({ "id": 7 })).await["problem"]["status"], 422);
    let done = socket.ask(3, "acknowledge", json!({ "notificationId": anns["id"] })).await;
    assert_eq!((&done["ok"], &done["notification"]["id"]), (&json!(true), &anns["id"]), "{done}");
    assert_eq!(count(&ben).await, (1, 0));
    let way: String = sqlx::query_scalar(
        "select acknowledged_by_way from notification_receipts where acknowledged_at is not null",
    )
    .fetch_one(&pool)
    .await
    .expect("a way");
    assert_eq!(way, "socketio");
    server.stop().await;
}
