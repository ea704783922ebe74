//! `/api/v1/notification-rules`: rules are made, changed and deleted, and tell whom they should of what they should.

use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_jobs::enqueue;
use tidewatch_server::db;
use tidewatch_server::db::roles::RoleRow;
use tidewatch_server::jobs::notify;

use crate::notifications_support::{
    all_told, list, make_rule, path_of, publish, rule, take, text, titles, with,
};
use crate::support::{Client, TestServer, soon};
use crate::webhook_receiver::post;

const RULES: &str = "/api/v1/notification-rules";

async fn patch(client: &Client, rule: &Value, body: Value) -> (u16, Value) {
    let answer = client.patch(&path_of(rule)).json(&body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_rule_is_made_changed_and_deleted_and_all_of_it_is_audited(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let everybody = json!([{ "kind": "role", "name": "staff" }]);
    let body = with(rule(" Parcels ", &["parcel.*", "parcel.*"], everybody), json!({ "priority": "high" }));
    let made = make_rule(client, body.clone()).await;
    assert_eq!((&made["name"], &made["types"]), (&json!("Parcels"), &json!(["parcel.*"])));
    assert_eq!((&made["version"], &made["enabled"], &made["sent"]), (&json!(1), &json!(true), &json!(0)));
    assert_eq!((&made["mustAcknowledge"], &made["escalation"]), (&json!(false), &json!([])));
    assert_eq!(client.json(&path_of(&made)).await, made);
    assert_eq!(client.json(RULES).await["rules"], json!([made]));
    assert_eq!(post(client, RULES, body).await.0, 409, "the name is taken");

    let (status, changed) =
        patch(client, &made, json!({ "types": ["parcel.lost"], "mustAcknowledge": true })).await;
    assert_eq!((status, &changed["version"], &changed["types"]), (200, &json!(2), &json!(["parcel.lost"])));
    assert_eq!(patch(client, &made, json!({ "enabled": false })).await.1["enabled"], json!(false));
    let (_, enabled) = patch(client, &made, json!({ "enabled": true, "name": "Lost parcels" })).await;
    assert_eq!((&enabled["version"], &enabled["name"]), (&json!(4), &json!("Lost parcels")));
    let second = make_rule(client, rule("Parcels", &["*"], json!([{ "kind": "event" }]))).await;
    assert_eq!(patch(client, &second, json!({ "name": "Lost parcels" })).await.0, 409);

    let gone = client.delete(&path_of(&made)).send().await.expect("an answer");
    assert_eq!(gone.status(), 204);
    assert_eq!(client.status(&path_of(&made)).await, 404);
    assert_eq!(client.delete(&path_of(&made)).send().await.expect("an answer").status(), 404);
    assert_eq!(patch(client, &made, json!({ "enabled": true })).await.0, 404);
    let audit = client.json("/api/v1/audit").await;
    let actions: Vec<String> = audit["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .filter(|entry| entry["target"] == made["id"])
        .map(|entry| text(&entry["action"]))
        .collect();
    let expected = ["delete", "enable", "disable", "update", "create"];
    assert_eq!(actions, expected.map(|action| format!("notification_rule.{action}")));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_changes_another_version_than_they_have_read_is_told_who_was_faster(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let bob = server.add_person(server.project, "bob@example.test", &["admin"], &[]).await;
    let bob = server.session_of(bob).await;
    let made = make_rule(&server.client, rule("Parcels", &["*"], json!([{ "kind": "event" }]))).await;
    assert_eq!(made["updatedBy"], made["createdBy"]);
    let (status, theirs) = patch(&bob, &made, json!({ "name": "Bob's", "expectedVersion": 1 })).await;
    assert_eq!((status, &theirs["version"]), (200, &json!(2)));
    assert_eq!(theirs["updatedBy"], "bob@example.test");
    let (status, problem) =
        patch(&server.client, &made, json!({ "name": "Ann's", "expectedVersion": 1 })).await;
    assert_eq!((status, &problem["currentVersion"]), (409, &json!(2)), "{problem}");
    assert!(text(&problem["type"]).ends_with("stale-version"), "{problem}");
    assert!(text(&problem["detail"]).contains("bob@example.test"), "{problem}");
    assert_eq!(server.client.json(&path_of(&made)).await, theirs, "nothing was changed");
    let (status, problem) = patch(&server.client, &made, json!({ "expectedVersion": 2 })).await;
    assert_eq!(status, 422, "it says nothing: {problem}");
    // Who names no version changes whatever there is.
    assert_eq!(patch(&server.client, &made, json!({ "enabled": false })).await.0, 200);
    let ours = json!({ "name": "Ann's", "expectedVersion": 3 });
    assert_eq!(patch(&server.client, &made, ours).await.1["name"], "Ann's");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn bad_input_is_told_where_it_is(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let good = rule("A rule", &["parcel.*"], json!([{ "kind": "role", "name": "operator" }]));
    let unknown = "01h455vb4pex5vsknk084sn02q";
    let condition = |condition: Value| json!({ "conditions": [condition] });
    let template = |field: &str, value: String| {
        let mut template = good["template"].clone();
        template[field] = value.into();
        json!({ "template": template })
    };
    let step = |seconds: Value, audience: Value| json!({ "mustAcknowledge": true, "escalation": [{ "afterSeconds": seconds, "audience": audience }] });
    let admins = json!([{ "kind": "role", "name": "admin" }]);
    for (more, pointer) in [
        (json!({ "name": " " }), "#/name"),
        (json!({ "name": "x".repeat(101) }), "#/name"),
        (json!({ "name": 7 }), "#/name"),
        (json!({ "colour": "red" }), "#/colour"),
        (json!({ "types": [] }), "#/types"),
        (json!({ "types": vec!["a.b"; 21] }), "#/types"),
        (json!({ "types": ["parcel.*", "Parcel"] }), "#/types/1"),
        (json!({ "types": ["notification.*"] }), "#/types/0"),
        (json!({ "types": ["*", "notification.sent"] }), "#/types/1"),
        (condition(json!({ "pointer": "status", "operator": "exists" })), "#/conditions/0/pointer"),
        (condition(json!({ "pointer": "/a~2", "operator": "exists" })), "#/conditions/0/pointer"),
        (condition(json!({ "pointer": "/a", "operator": "like", "value": "b" })), "#/conditions/0/operator"),
        (condition(json!({ "pointer": "/a", "operator": "exists", "value": 1 })), "#/conditions/0/value"),
        (
            condition(json!({ "pointer": "/a", "operator": "greater_than", "value": "1" })),
            "#/conditions/0/value",
        ),
        (condition(json!({ "pointer": "/a", "operator": "contains", "value": "" })), "#/conditions/0/value"),
        (condition(json!({ "pointer": "/a", "operator": "equals", "value": [] })), "#/conditions/0/value"),
        (json!({ "audience": [] }), "#/audience"),
        (json!({ "audience": [{ "kind": "team" }] }), "#/audience/0/kind"),
        (json!({ "audience": [{ "kind": "role", "name": "pirate" }] }), "#/audience/0/name"),
        (json!({ "audience": [{ "kind": "user", "id": format!("usr_{unknown}") }] }), "#/audience/0/id"),
        (
            json!({ "audience": [{ "kind": "organization", "id": format!("org_{unknown}") }] }),
            "#/audience/0/id",
        ),
        (json!({ "audience": [{ "kind": "payload", "pointer": "to" }] }), "#/audience/0/pointer"),
        (template("title", String::new()), "#/template/title"),
        (template("title", "x".repeat(201)), "#/template/title"),
        (template("title", "{{title}}".to_owned()), "#/template/title"),
        (template("body", "{{/a".to_owned()), "#/template/body"),
        (template("link", "javascript:alert(1)".to_owned()), "#/template/link"),
        (template("link", "//evil.example".to_owned()), "#/template/link"),
        (template("link", "http://plain.example".to_owned()), "#/template/link"),
        (template("link", "https://{{/host}}/".to_owned()), "#/template/link"),
        (template("link", "{{/url}}".to_owned()), "#/template/link"),
        (json!({ "priority": "urgent" }), "#/priority"),
        (json!({ "escalation": [{ "afterSeconds": 60, "audience": admins }] }), "#/escalation"),
        (step(json!(0), admins.clone()), "#/escalation/0/afterSeconds"),
        (step(json!(604_801), admins.clone()), "#/escalation/0/afterSeconds"),
        (step(json!(60), json!([])), "#/escalation/0/audience"),
        (step(json!(60), json!([{ "kind": "role", "name": "x" }])), "#/escalation/0/audience/0/name"),
    ] {
        let body = with(good.clone(), more.clone());
        let (status, problem) = post(&server.client, RULES, body).await;
        let found = problem["errors"][0]["pointer"].as_str().unwrap_or_default();
        // An enum's tag is not known by its own place: the whole is.
        let is_there = found == pointer || pointer.starts_with(&format!("{found}/"));
        assert!(status == 422 && is_there, "{more}: {problem}");
    }
    let made = make_rule(&server.client, good).await;
    for body in [
        json!({}),
        json!({ "types": [] }),
        json!({ "sent": 7 }),
        json!({ "escalation": [{ "afterSeconds": 1 }] }),
    ] {
        assert_eq!(patch(&server.client, &made, body.clone()).await.0, 422, "{body}");
    }
    for path in ["x", &format!("ntr_{unknown}")] {
        assert_eq!(server.client.status(&format!("{RULES}/{path}")).await, 404, "{path}");
    }
    assert_eq!(server.client.status(&format!("{RULES}?colour=red")).await, 400);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_rule_tells_of_what_its_conditions_hold_of_and_says_what_the_event_says(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let ann = server.session_of(ann).await;
    let before = publish(&server.client, "parcel.lost", json!({ "title": "before", "weight": 9 })).await;
    // A rule looks at what the log takes from then on: what was said before has its position, or may be told of.
    all_told(&server).await;
    let heavy = with(
        rule("Heavy", &["parcel.lost"], json!([{ "kind": "role", "name": "viewer" }])),
        json!({ "conditions": [{ "pointer": "/weight", "operator": "greater_than", "value": 5 }], "priority": "high" }),
    );
    let heavy = make_rule(&server.client, heavy).await;
    publish(&server.client, "parcel.lost", json!({ "title": "light", "weight": 5 })).await;
    publish(&server.client, "parcel.found", json!({ "title": "other", "weight": 9 })).await;
    publish(
        &server.client,
        "parcel.lost",
        json!({ "title": "heavy", "weight": 6, "group": "g", "body": "!" }),
    )
    .await;
    all_told(&server).await;
    let told = list(&ann, "").await;
    assert_eq!(told.len(), 1, "{told:?}");
    let one = &told[0];
    assert_eq!((&one["title"], &one["body"]), (&json!("heavy"), &json!("parcel.lost !")));
    assert_eq!((&one["group"], &one["priority"]), (&json!("g"), &json!("high")));
    assert_eq!((&one["eventType"], &one["mustAcknowledge"]), (&json!("parcel.lost"), &json!(false)));
    assert!(text(&one["link"]).starts_with("/events?resource="), "{one}");
    assert_eq!(server.client.json(&path_of(&heavy)).await["sent"], 1);

    // What was said stays as it was said.
    patch(&server.client, &heavy, json!({ "template": { "title": "new: {{/title}}" } })).await;
    assert_eq!(titles(&ann, "").await, ["heavy"]);
    // Disabled it makes none, and enabled again it looks at what happens from then on.
    patch(&server.client, &heavy, json!({ "enabled": false })).await;
    publish(&server.client, "parcel.lost", json!({ "title": "meanwhile", "weight": 9 })).await;
    all_told(&server).await;
    patch(&server.client, &heavy, json!({ "enabled": true })).await;
    publish(&server.client, "parcel.lost", json!({ "title": "again", "weight": 9 })).await;
    all_told(&server).await;
    assert_eq!(titles(&ann, "").await, ["new: again", "heavy"]);

    let path = format!("{}/preview", path_of(&heavy));
    let (status, preview) = post(&server.client, &path, json!({ "eventId": before })).await;
    assert_eq!((status, &preview["title"]), (200, &json!("new: before")));
    assert_eq!((&preview["matches"], &preview["recipients"]), (&json!(true), &json!(1)), "{preview}");
    assert_eq!(titles(&ann, "").await.len(), 2, "nobody was told");
    assert_eq!(
        post(&server.client, &path, json!({ "eventId": "evt_01h455vb4pex5vsknk084sn02q" })).await.0,
        404
    );

    // What it has made outlives it, and is not touched by its end.
    let mut busy = pool.begin().await.expect("a transaction");
    sqlx::query("select from notifications for update").execute(&mut *busy).await.expect("locked");
    let gone = soon("the rule to go", server.client.delete(&path_of(&heavy)).send()).await;
    assert_eq!(gone.expect("an answer").status(), 204);
    busy.rollback().await.expect("rolled back");
    assert_eq!(titles(&ann, "").await.len(), 2);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_a_rule_no_longer_asks_for_when_its_job_is_done_is_told_nobody(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let ann = server.session_of(ann).await;
    let before = publish(&server.client, "parcel.lost", json!({ "title": "before", "weight": 9 })).await;
    // A rule looks at what the log takes from then on: what was said before has its position, or may be told of.
    all_told(&server).await;
    server.all_published().await;
    let heavy = with(
        rule("Heavy", &["parcel.lost"], json!([{ "kind": "role", "name": "viewer" }])),
        json!({ "conditions": [{ "pointer": "/weight", "operator": "greater_than", "value": 5 }] }),
    );
    let heavy = make_rule(&server.client, heavy).await;
    let other = publish(&server.client, "parcel.found", json!({ "title": "other", "weight": 9 })).await;
    let light = publish(&server.client, "parcel.lost", json!({ "title": "light", "weight": 5 })).await;
    all_told(&server).await;
    server.all_published().await;
    // As they wait where the rule asked for these when they were published.
    for event in [&before, &other, &light] {
        let rule = text(&heavy["id"]).parse().expect("an id");
        let job = notify::new_job(server.project, rule, event.parse().expect("an id")).expect("a job");
        enqueue(&mut pool.acquire().await.expect("a connection"), job).await.expect("enqueued");
    }
    all_told(&server).await;
    let whys: Vec<Option<String>> = sqlx::query_scalar(
        "select errors -> -1 ->> 'message' from jobs where kind = 'notification.notify' and state = 'cancelled'",
    )
    .fetch_all(&pool)
    .await
    .expect("jobs");
    assert_eq!(whys.len(), 3, "{whys:?}");
    assert!(whys.iter().flatten().all(|why| why.contains("changed")), "{whys:?}");
    assert_eq!(titles(&ann, "?folder=all").await, Vec::<String>::new());
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_audience_is_who_is_named_and_may_see_the_event(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (quay, mill) = (
        server.add_organization(server.project, "Quay").await,
        server.add_organization(server.project, "Mill").await,
    );
    let person = async |name: &str, role: &str, organizations: &[_]| {
        let id =
            server.add_person(server.project, &format!("{name}@example.test"), &[role], organizations).await;
        (id, server.session_of(id).await)
    };
    let (ann, anns) = person("ann", "operator", &[]).await;
    let (_, leos) = person("leo", "landlord", &[quay]).await;
    let (_, mias) = person("mia", "landlord", &[mill]).await;
    let (tom, toms) = person("tom", "tenant", &[quay]).await;
    let audiences = [
        ("person", json!([{ "kind": "user", "id": ann }, { "kind": "user", "id": ann }])),
        ("organization", json!([{ "kind": "organization", "id": quay }])),
        ("role", json!([{ "kind": "role", "name": "landlord" }])),
        ("staff", json!([{ "kind": "role", "name": "staff" }])),
        ("payload", json!([{ "kind": "payload", "pointer": "/to" }])),
        ("event", json!([{ "kind": "event" }])),
    ];
    for (name, audience) in audiences {
        let of_it = with(
            rule(name, &["parcel.*"], audience),
            json!({ "template": { "title": format!("{name} {{{{/title}}}}") } }),
        );
        let made = make_rule(&server.client, of_it).await;
        let tells = match name {
            "person" => json!(["ann@example.test", "ann@example.test"]),
            "organization" => json!(["everybody of Quay"]),
            "role" => json!(["everybody with the role landlord"]),
            "staff" => json!(["everybody with the role staff"]),
            "payload" => json!(["whoever /to names"]),
            _ => json!(["whom the event is addressed to"]),
        };
        assert_eq!(made["tells"], tells, "in words");
    }
    let inboxes = async || {
        let mut inboxes = Vec::new();
        for client in [&anns, &leos, &mias, &toms] {
            let mut all = titles(client, "?folder=all").await;
            all.sort();
            inboxes.push(all);
        }
        inboxes
    };
    // For everybody: the rule's audience alone decides.
    publish(&server.client, "parcel.lost", json!({ "title": "1", "to": [tom, mill, "usr_nobody"] })).await;
    all_told(&server).await;
    let first = [
        vec!["person 1", "staff 1"],
        vec!["organization 1", "role 1"],
        vec!["payload 1", "role 1"],
        vec!["organization 1", "payload 1"],
    ];
    assert_eq!(inboxes().await, first);
    // For one organization and the staff: nobody else is told, whatever a rule says.
    let event = json!({
        "channelName": "parcels", "eventType": "parcel.lost", "payload": { "title": "2", "to": [mill, tom] },
        "audience": ["role:staff", format!("org:{quay}")],
    });
    server.client.publish(event).await;
    // On a private channel: nobody is.
    server
        .client
        .publish(
            json!({ "channelName": "private-a", "eventType": "parcel.lost", "payload": { "title": "3" } }),
        )
        .await;
    all_told(&server).await;
    let second = [
        vec!["person 1", "person 2", "staff 1", "staff 2"],
        vec!["event 2", "organization 1", "organization 2", "role 1", "role 2"],
        vec!["payload 1", "role 1"],
        vec!["event 2", "organization 1", "organization 2", "payload 1", "payload 2"],
    ];
    assert_eq!(inboxes().await, second);
    // Who is kept out is not told, and who has left is not.
    sqlx::query("update memberships set disabled_at = now() where user_id = $1")
        .bind(ann.uuid())
        .execute(&pool)
        .await
        .expect("kept out");
    publish(&server.client, "parcel.lost", json!({ "title": "4" })).await;
    all_told(&server).await;
    let told: i64 = sqlx::query_scalar("select count(*) from notification_receipts where user_id = $1")
        .bind(ann.uuid())
        .fetch_one(&pool)
        .await
        .expect("a count");
    assert_eq!(told, 4);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_rule_lends_what_its_writer_holds_and_nothing_more(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let organization = server.add_organization(server.project, "One").await;
    // Their role shows them no settlements; what is of their organization is for them all the same.
    let tom = server.add_person(server.project, "tom@example.test", &["tenant"], &[organization]).await;
    let tom = server.session_of(tom).await;
    let tenants = json!([{ "kind": "role", "name": "tenant" }]);
    let told_of = |name: &str| {
        with(
            rule(name, &["settlement.created", "payment.created"], tenants.clone()),
            json!({ "template": { "title": format!("{name}: {{{{type}}}}") } }),
        )
    };
    let narrow = server.client_with(&["notifications.manage", "payments.read"]).await;
    let of_payments = make_rule(&narrow, told_of("narrow")).await;
    let of_all = make_rule(&server.client, told_of("wide")).await;
    let settlement = json!({ "reference": "INV-1", "amountMinor": 100, "currency": "EUR", "organizationId": organization });
    let answer = server.client.post("/api/v1/settlements").json(&settlement).send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    // Of no organization, it is for the staff alone.
    server.client.create("INV-2").await;
    all_told(&server).await;
    assert_eq!(titles(&tom, "").await, ["wide: settlement.created"]);

    assert_eq!(patch(&narrow, &of_all, json!({ "audience": tenants })).await.0, 403);
    assert_eq!(patch(&narrow, &of_all, json!({ "enabled": true })).await.0, 403);
    assert_eq!(patch(&narrow, &of_all, json!({ "enabled": false })).await.0, 200);
    assert_eq!(patch(&narrow, &of_payments, json!({ "name": "still narrow" })).await.0, 200);

    let reader = server.client_with(&["events.read"]).await;
    let customer = server.add_person(server.project, "eve@example.test", &["ops"], &[organization]).await;
    let customer = server.session_of(customer).await;
    for (client, expected) in [(&reader, 403), (&customer, 403), (&server.client.anonymous(), 401)] {
        assert_eq!(client.status(RULES).await, expected);
        assert_eq!(client.status(&path_of(&of_all)).await, expected);
        assert_eq!(post(client, RULES, told_of("theirs")).await.0, expected);
        assert_eq!(patch(client, &of_all, json!({ "enabled": false })).await.0, expected);
        assert_eq!(client.delete(&path_of(&of_all)).send().await.expect("an answer").status(), expected);
        let preview = json!({ "eventId": "evt_01h455vb4pex5vsknk084sn02q" });
        assert_eq!(post(client, &format!("{}/preview", path_of(&of_all)), preview).await.0, expected);
    }
    let other = server.add_project("other").await;
    let stranger = server.client_of(other, &["*"]).await;
    assert_eq!(stranger.json(RULES).await["rules"], json!([]));
    assert_eq!(stranger.status(&path_of(&of_all)).await, 404);
    assert_eq!(patch(&stranger, &of_all, json!({ "enabled": false })).await.0, 404);
    assert_eq!(stranger.delete(&path_of(&of_all)).send().await.expect("an answer").status(), 404);
    for role in ["operator", "developer"] {
        let person = server.add_person(server.project, &format!("{role}@example.test"), &[role], &[]).await;
        assert_eq!(server.session_of(person).await.status(RULES).await, 200, "{role}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_rule_sees_by_permissions_of_the_project_s_own_that_its_writer_holds(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let ann = server.session_of(ann).await;
    let role = RoleRow {
        name: "sorter".to_owned(),
        title: "Sorter".to_owned(),
        permissions: vec!["parcels.read".to_owned()],
        project_wide: true,
    };
    let mut connection = pool.acquire().await.expect("a connection");
    db::roles::save(&mut connection, server.project, &role).await.expect("a role");
    let named = |name: &str| {
        with(
            rule(name, &["parcel.*"], json!([{ "kind": "role", "name": "viewer" }])),
            json!({ "template": { "title": name } }),
        )
    };
    make_rule(&server.client, named("holds all")).await;
    let sorter = server.client_with(&["notifications.manage", "parcels.read"]).await;
    make_rule(&sorter, named("holds it")).await;
    let blind = server.client_with(&["notifications.manage", "events.read"]).await;
    make_rule(&blind, named("does not")).await;
    let event = json!({
        "channelName": "parcels", "eventType": "parcel.lost", "payload": {}, "permissions": ["parcels.read"],
    });
    server.client.publish(event).await;
    all_told(&server).await;
    let mut told = titles(&ann, "").await;
    told.sort();
    assert_eq!(told, ["holds all", "holds it"]);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn notifications_make_no_notifications(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let ann = server.session_of(ann).await;
    make_rule(
        &server.client,
        rule("All", &["*"], json!([{ "kind": "role", "name": "staff" }, { "kind": "event" }])),
    )
    .await;
    publish(&server.client, "parcel.lost", json!({ "title": "one" })).await;
    all_told(&server).await;
    let told = list(&ann, "").await;
    assert_eq!(take(&ann, &told[0], "read").await.0, 200);
    all_told(&server).await;
    assert_eq!(titles(&ann, "?folder=all").await, ["one"]);
    server.stop().await;
}
