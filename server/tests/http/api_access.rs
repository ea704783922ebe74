//! People, roles, organizations, keys, the project and the audit log, by the API.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Client, PASSWORD, TestServer, read_json};

async fn send(request: reqwest::RequestBuilder, body: Value) -> (u16, Value) {
    let answer = request.json(&body).send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

async fn person(server: &TestServer, name: &str, roles: &[&str]) -> (String, Client) {
    let id = server.add_person(server.project, &format!("{name}@example.test"), roles, &[]).await;
    (id.to_string(), server.session_of(id).await)
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_invitation_brings_somebody_in_once(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let body = json!({ "email": "New@example.test", "roles": ["operator"] });
    let (status, made) = send(server.client.post("/api/v1/invitations"), body).await;
    assert_eq!(status, 201, "{made}");
    let link = made["secret"].as_str().expect("a link");
    let token = link.strip_prefix("/invitation?token=").expect("a token");
    assert_eq!(server.client.anonymous().status(link).await, 200, "the page needs no login");
    let open = server.client.json("/api/v1/invitations").await;
    assert_eq!(open["invitations"][0]["email"], "New@example.test");
    assert!(!open.to_string().contains(token), "the link is shown once");

    let join = async |name: &str, password: &str| {
        let form = serde_urlencoded::to_string([("token", token), ("name", name), ("password", password)]);
        let request = server.client.anonymous().post("/invitation");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form.expect("a form")).send().await.expect("an answer");
        let location = answer.headers()["location"].to_str().expect("text").to_owned();
        let cookie = answer.headers().get("set-cookie").map(|value| value.to_str().expect("text").to_owned());
        (location, cookie)
    };
    assert!(join("New", "short").await.0.contains("error=short"));
    let (location, cookie) = join("New Person", PASSWORD).await;
    assert_eq!(location, "/?project=demo");
    let cookie = cookie.expect("a session");
    let new = server.client.with_cookie(cookie.split(';').next().expect("a cookie"));
    assert_eq!(new.status("/api/v1/settlements").await, 200);
    assert_eq!(join("Thief", PASSWORD).await.0, "/invitation?error=gone", "a second time");
    let people = server.client.json("/api/v1/people").await;
    assert_eq!(people["people"][0]["roles"], json!(["operator"]));
    let (status, _) = send(
        server.client.post("/api/v1/invitations"),
        json!({ "email": "new@EXAMPLE.test", "roles": ["viewer"] }),
    )
    .await;
    assert_eq!(status, 409, "they are in already");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn nobody_gives_what_they_do_not_have(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let role = json!({ "title": "Desk", "permissions": ["events.read", "settlements.read", "users.read", "people.manage", "keys.manage"] });
    assert_eq!(send(server.client.put("/api/v1/roles/desk"), role).await.0, 200);
    let (admin, _) = person(&server, "admin", &["admin"]).await;
    let (viewer, viewer_client) = person(&server, "viewer", &["viewer"]).await;
    let (own, desk) = person(&server, "desk", &["desk"]).await;
    for (what, request, body, wanted) in [
        (
            "an administrator's role",
            desk.patch(&format!("/api/v1/people/{viewer}")),
            json!({ "roles": ["admin"] }),
            409,
        ),
        (
            "a mightier role",
            desk.patch(&format!("/api/v1/people/{viewer}")),
            json!({ "roles": ["operator"] }),
            409,
        ),
        ("to oneself", desk.patch(&format!("/api/v1/people/{own}")), json!({ "roles": ["operator"] }), 403),
        ("who is mightier", desk.patch(&format!("/api/v1/people/{admin}")), json!({ "disabled": true }), 409),
        (
            "a role with more",
            desk.put("/api/v1/roles/more"),
            json!({ "title": "More", "permissions": ["audit.view"] }),
            403,
        ),
        (
            "a key with everything",
            desk.post("/api/v1/api-keys"),
            json!({ "name": "x", "scopes": ["*"] }),
            409,
        ),
        (
            "a key with more",
            desk.post("/api/v1/api-keys"),
            json!({ "name": "x", "scopes": ["settlements.act"] }),
            403,
        ),
        (
            "an invitation with more",
            desk.post("/api/v1/invitations"),
            json!({ "email": "a@b.test", "roles": ["admin"] }),
            409,
        ),
        (
            "without the permission",
            viewer_client.patch(&format!("/api/v1/people/{viewer}")),
            json!({ "roles": ["viewer"] }),
            403,
        ),
        ("the project's name", desk.patch("/api/v1/project"), json!({ "name": "Mine" }), 403),
    ] {
        let (status, answer) = send(request, body).await;
        assert_eq!(status, wanted, "{what}: {answer}");
    }
    assert_eq!(desk.status("/api/v1/audit").await, 403);
    let (status, _) =
        send(desk.post("/api/v1/api-keys"), json!({ "name": "ok", "scopes": ["settlements.read"] })).await;
    assert_eq!(status, 201, "what one has, one may give");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_project_is_never_without_an_administrator(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (only, client) = person(&server, "only", &["admin"]).await;
    for (request, body) in [
        (client.patch(&format!("/api/v1/people/{only}")), json!({ "roles": ["viewer"] })),
        (client.patch(&format!("/api/v1/people/{only}")), json!({ "disabled": true })),
        (client.delete(&format!("/api/v1/people/{only}")), json!({})),
    ] {
        let (status, answer) = send(request, body).await;
        assert_eq!(status, 409, "{answer}");
    }
    person(&server, "second", &["admin"]).await;
    assert_eq!(send(client.delete(&format!("/api/v1/people/{only}")), json!({})).await.0, 200);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn customers_manage_nothing_whatever_their_role_says(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let permissions =
        ["events.read", "users.read", "people.manage", "keys.manage", "audit.view", "project.manage"];
    let role = json!({ "title": "Boss of one", "permissions": permissions, "ownOnly": true });
    assert_eq!(send(server.client.put("/api/v1/roles/boss"), role).await.0, 200);
    let (_, boss) = person(&server, "boss", &["boss"]).await;
    for path in [
        "/api/v1/people",
        "/api/v1/api-keys",
        "/api/v1/audit",
        "/api/v1/organizations",
        "/api/v1/audit/export",
    ] {
        assert_eq!(boss.status(path).await, 403, "{path}");
    }
    assert_eq!(
        send(boss.post("/api/v1/api-keys"), json!({ "name": "x", "scopes": ["events.read"] })).await.0,
        403
    );
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_key_is_shown_once_rotated_with_overlap_and_deleted(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let body = json!({ "name": "billing", "scopes": ["events.read"], "expiresInDays": 30 });
    let (status, made) = send(server.client.post("/api/v1/api-keys"), body).await;
    assert_eq!(status, 201, "{made}");
    let secret = made["secret"].as_str().expect("a key").to_owned();
    assert!(secret.starts_with("tw_"));
    let old = server.client.with_key(&secret);
    assert_eq!(old.status("/api/v1/settlements").await, 200);
    let id = made["id"].as_str().expect("an id");
    let find = async |id: &str| {
        let keys = server.client.json("/api/v1/api-keys").await;
        keys["apiKeys"].as_array().expect("keys").iter().find(|key| key["id"] == id).cloned()
    };
    let key = find(id).await.expect("the key");
    assert!(key["lastUsedAt"].is_string() && key["hint"] == secret[secret.len() - 4..], "{key}");
    assert!(!key.to_string().contains(&secret));

    let (status, rotated) =
        send(server.client.post(&format!("/api/v1/api-keys/{id}/rotate")), json!({ "overlapHours": 1 }))
            .await;
    assert_eq!(status, 201, "{rotated}");
    let new = server.client.with_key(rotated["secret"].as_str().expect("a key"));
    assert_eq!(new.status("/api/v1/settlements").await, 200, "the new one counts");
    assert_eq!(old.status("/api/v1/settlements").await, 200, "and the old one for an hour yet");
    assert_eq!(find(id).await.expect("the old key")["rotatedTo"], rotated["id"]);
    sqlx::query("update api_keys set expires_at = now() where rotated_to is not null")
        .execute(&pool)
        .await
        .expect("an hour");
    assert_eq!(old.status("/api/v1/settlements").await, 401);

    let new_id = rotated["id"].as_str().expect("an id");
    assert_eq!(send(server.client.delete(&format!("/api/v1/api-keys/{new_id}")), json!({})).await.0, 200);
    assert_eq!(new.status("/api/v1/settlements").await, 401, "a key after its deletion");
    assert_eq!(find(new_id).await, None);
    assert_eq!(send(server.client.delete(&format!("/api/v1/api-keys/{new_id}")), json!({})).await.0, 404);
    for (body, field) in [
        (json!({ "name": "", "scopes": ["*"] }), "#/name"),
        (json!({ "name": "x", "scopes": [] }), "#/scopes"),
        (json!({ "name": "x", "scopes": ["everything"] }), "#/scopes"),
        (json!({ "name": "x", "scopes": ["*"], "expiresInDays": 0 }), "#/expiresInDays"),
    ] {
        let (status, problem) = send(server.client.post("/api/v1/api-keys"), body).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(field)), "{problem}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn every_change_is_in_the_audit_log(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (id, admin) = person(&server, "admin", &["admin"]).await;
    let (viewer, _) = person(&server, "viewer", &["viewer"]).await;
    let change = async |request: reqwest::RequestBuilder, body: Value| {
        let (status, answer) = send(request.header("x-request-id", "req-1"), body).await;
        assert!((200..300).contains(&status), "{answer}");
    };
    change(admin.patch("/api/v1/project"), json!({ "name": "Renamed" })).await;
    change(admin.post("/api/v1/organizations"), json!({ "name": "=Harbour, \"Ltd\"" })).await;
    change(admin.put("/api/v1/roles/night"), json!({ "title": "Night", "permissions": ["events.read"] }))
        .await;
    change(admin.patch(&format!("/api/v1/people/{viewer}")), json!({ "roles": ["night"] })).await;
    change(admin.post("/api/v1/api-keys"), json!({ "name": "k", "scopes": ["events.read"] })).await;
    change(
        admin.post("/api/v1/settlements"),
        json!({ "reference": "INV-9", "amountMinor": 1, "currency": "EUR" }),
    )
    .await;

    let log = admin.json("/api/v1/audit").await;
    let actions: Vec<&str> = log["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| entry["action"].as_str().expect("an action"))
        .collect();
    let wanted = [
        "settlement.create",
        "api_key.create",
        "person.set",
        "role.create",
        "organization.create",
        "project.rename",
    ];
    assert_eq!(actions, wanted);
    let set = &log["entries"][2];
    assert_eq!(set["actor"], format!("user:{id}"));
    assert_eq!(set["actorName"], "admin@example.test");
    assert_eq!(set["target"], viewer);
    assert_eq!((&set["before"]["roles"], &set["after"]["roles"]), (&json!(["viewer"]), &json!(["night"])));
    assert_eq!(set["requestId"], "req-1");
    let detail = admin.json(&format!("/api/v1/audit/{}", set["id"].as_str().expect("an id"))).await;
    assert_eq!(&detail, set);

    let count = async |query: &str| {
        admin.json(&format!("/api/v1/audit?{query}")).await["entries"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(count("action=role.create").await, 1);
    assert_eq!(count("action=organization.").await, 1);
    assert_eq!(count("actor=ADMIN%40").await, 6);
    assert_eq!(count("actor=nobody").await, 0);
    assert_eq!(count(&format!("target={viewer}")).await, 1);
    assert_eq!(count("target=%25").await, 0, "what is asked for is no pattern");
    assert_eq!(count("from=2999-01-01T00:00:00Z").await, 0);
    let first = admin.json("/api/v1/audit?limit=4").await;
    assert_eq!(first["entries"].as_array().map(Vec::len), Some(4));
    assert_eq!(count(&format!("limit=4&after={}", first["next"].as_str().expect("a next page"))).await, 2);

    let csv = admin.get("/api/v1/audit/export").send().await.expect("an answer");
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    let csv = csv.text().await.expect("CSV");
    assert_eq!(csv.lines().count(), 7);
    assert!(csv.contains("\"'=Harbour, \"\"Ltd\"\"\""), "a formula is disarmed: {csv}");
    let file = admin.json("/api/v1/audit/export?export=json").await;
    assert_eq!(file.as_array().map(Vec::len), Some(6));
    for refused in ["/api/v1/audit/export?export=xml", "/api/v1/audit/export?limit=5"] {
        assert_eq!(admin.status(refused).await, 400, "{refused}");
    }
    // More than is read at once, and each once.
    sqlx::query(
        "insert into audit_entries (id, project_id, actor, actor_name, action, target, target_name, request_id)
         select gen_random_uuid(), $1, 'system:x', '', 'x.y', 'z', '', '' from generate_series(1, 1200)",
    )
    .bind(server.project.uuid())
    .execute(&server.pool)
    .await
    .expect("entries");
    let long = admin.get("/api/v1/audit/export").send().await.expect("an answer");
    let long = long.text().await.expect("CSV");
    let ids: std::collections::BTreeSet<&str> =
        long.lines().filter_map(|line| line.split(',').next()).collect();
    assert_eq!((ids.len(), long.lines().count()), (1_207, 1_207));
    // A secret is in no entry.
    assert!(!csv.contains("tw_"), "{csv}");
    // Another project's log is its own.
    let other = server.add_project("other").await;
    let stranger = server.client_of(other, &["*"]).await;
    assert_eq!(stranger.json("/api/v1/audit").await["entries"], json!([]));
    let path = format!("/api/v1/audit/{}", set["id"].as_str().expect("an id"));
    assert_eq!(stranger.status(&path).await, 404);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_is_another_project_s_and_what_is_not_there_look_the_same(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let other = server.add_project("other").await;
    let stranger = server.client_of(other, &["*"]).await;
    let theirs = stranger.create("THEIRS-1").await["id"].as_str().expect("an id").to_owned();
    let events = stranger.json("/api/v1/events?after=earliest").await;
    let event =
        events["events"].as_array().and_then(|events| events.first()).map(|event| event["eventId"].clone());
    let event = match event {
        Some(id) => id,
        None => stranger.json("/api/v1/events?after=earliest&wait=10").await["events"][0]["eventId"].clone(),
    };
    let missing = "stl_01h455vb4pex5vsknk084sn02q";
    for (theirs, missing, path) in [
        (theirs.as_str(), missing, "/api/v1/settlements/"),
        (event.as_str().expect("an id"), "evt_01h455vb4pex5vsknk084sn02q", "/api/v1/events/"),
    ] {
        let bytes = async |id: &str| {
            let answer = server.client.get(&format!("{path}{id}")).send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::NOT_FOUND);
            answer.text().await.expect("a body").replace(id, "ID")
        };
        let (a, b) = (bytes(theirs).await, bytes(missing).await);
        assert_eq!(a, b);
        assert!(!a.contains("other") && !a.contains(&other.to_string()), "{a}");
    }
    for path in ["/api/v1/settlements?project=other", "/api/v1/settlements?project=nowhere"] {
        let answer = server.client.get(path).send().await.expect("an answer");
        let problem = read_json(answer, StatusCode::NOT_FOUND).await;
        assert_eq!(problem["detail"], "there is no such project");
    }
    // As the starting point of a stream: a gap, as for an event that never was.
    for id in [event.as_str().expect("an id"), "evt_01h455vb4pex5vsknk084sn02q"] {
        let answer = server
            .client
            .get(&format!("/api/v1/events?after={id}"))
            .header("accept", "application/json")
            .send()
            .await;
        assert_eq!(answer.expect("an answer").status(), StatusCode::GONE);
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn customers_make_settlements_for_their_own_organization_alone(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let one = server.add_organization(server.project, "One").await;
    let two = server.add_organization(server.project, "Two").await;
    let ops = server.add_person(server.project, "ops@example.test", &["ops"], &[one]).await;
    let ops = server.session_of(ops).await;
    let body = |organization: Option<String>| {
        let mut body = json!({ "reference": "INV-1", "amountMinor": 1, "currency": "EUR" });
        if let Some(id) = organization {
            body["organizationId"] = json!(id);
        }
        body
    };
    let (status, own) = send(ops.post("/api/v1/settlements"), body(None)).await;
    assert_eq!((status, &own["organizationId"]), (201, &json!(one)), "{own}");
    assert_eq!(send(ops.post("/api/v1/settlements"), body(Some(two.to_string()))).await.0, 422);
    let (_, of_staff) = send(server.client.post("/api/v1/settlements"), body(None)).await;
    let step = json!({ "move": "hold", "reason": "x", "expectedVersion": 1 });
    let move_of = |settlement: &Value| {
        ops.post(&format!("/api/v1/settlements/{}/moves", settlement["id"].as_str().expect("an id")))
    };
    assert_eq!(send(move_of(&of_staff), step.clone()).await.0, 404, "what is not theirs is not there");
    assert_eq!(send(move_of(&own), step).await.0, 200);
    let foreign = server.add_organization(server.add_project("other").await, "Far").await;
    assert_eq!(send(server.client.post("/api/v1/settlements"), body(Some(foreign.to_string()))).await.0, 422);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn every_answer_carries_the_security_headers(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| config.cookie_secure = true).await;
    for path in ["/login", "/api/v1/settlements", "/healthz", "/nowhere"] {
        let answer = server.client.anonymous().get(path).send().await.expect("an answer");
        let header =
            |name: &str| answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"), "{path}");
        assert_eq!(header("x-frame-options").as_deref(), Some("DENY"), "{path}");
        assert_eq!(header("referrer-policy").as_deref(), Some("same-origin"), "{path}");
        assert!(header("permissions-policy").is_some_and(|policy| policy.contains("camera=()")), "{path}");
        assert!(header("strict-transport-security").is_some(), "{path}");
        let policy = header("content-security-policy").unwrap_or_else(|| panic!("no policy at {path}"));
        assert!(
            policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"),
            "{policy}"
        );
        let scripts =
            policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap_or_default();
        assert!(!scripts.contains("unsafe-inline") && !scripts.contains("'unsafe-eval'"), "{policy}");
    }
    let page = |_: ()| server.client.anonymous().get("/login").send();
    let nonce = |policy: &str| {
        policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).map(ToOwned::to_owned)
    };
    let first = page(()).await.expect("an answer");
    let policy = first.headers()["content-security-policy"].to_str().expect("text").to_owned();
    let first_nonce = nonce(&policy).expect("a nonce");
    assert!(first.text().await.expect("HTML").contains(&first_nonce), "the page's scripts carry it");
    let second = page(()).await.expect("an answer");
    let second = nonce(second.headers()["content-security-policy"].to_str().expect("text"));
    assert_ne!(Some(first_nonce), second, "another one each time");
    server.stop().await;
}

/// The names in a list of the API, page by page.
async fn paged(client: &Client, path: &str, list: &str) -> Vec<String> {
    let (mut names, mut address) = (Vec::new(), format!("{path}?limit=2"));
    loop {
        let page = client.json(&address).await;
        let rows = page[list].as_array().expect("a list");
        assert!(rows.len() <= 2, "{page}");
        names.extend(rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()));
        let Some(next) = page["next"].as_str() else { return names };
        let after = serde_urlencoded::to_string([("after", next)]).expect("a query");
        address = format!("{path}?limit=2&{after}");
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn people_are_found_by_words_and_ids_and_read_page_by_page(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut ids = Vec::new();
    for (name, role) in [("Ann", "viewer"), ("ben", "operator"), ("Cleo", "viewer"), ("dan", "admin")] {
        let email = format!("{name}@example.test");
        ids.push(server.add_person(server.project, &email, &[role], &[]).await);
    }
    let other = server.add_project("other").await;
    server.add_person(other, "Abe@example.test", &["viewer"], &[]).await;
    let all = ["Ann@example.test", "ben@example.test", "Cleo@example.test", "dan@example.test"];
    assert_eq!(paged(&server.client, "/api/v1/people", "people").await, all);
    assert_eq!(server.client.json("/api/v1/people").await["next"], json!(null), "all of them at once");
    let (ann, cleo) = (ids[0], ids[2]);
    for (q, found) in [
        ("VIEWER example.test".to_owned(), vec![all[0], all[2]]),
        ("ann".to_owned(), vec![all[0]]),
        ("ann viewer operator".to_owned(), vec![]),
        (ann.to_string(), vec![all[0]]),
        (format!("{cleo} viewer"), vec![all[2]]),
        (format!("{cleo} {ann}"), vec![]),
        ("%".to_owned(), vec![]),
    ] {
        let query = serde_urlencoded::to_string([("q", &q)]).expect("a query");
        let page = server.client.json(&format!("/api/v1/people?{query}")).await;
        let names: Vec<_> =
            page["people"].as_array().expect("people").iter().map(|one| &one["name"]).collect();
        assert_eq!(names, found, "{q}");
    }
    for wrong in ["limit=0", "limit=1001", "after=nonsense", "page=2"] {
        assert_eq!(server.client.status(&format!("/api/v1/people?{wrong}")).await, 400, "{wrong}");
    }
    // Who was behind the last page is there all the same when its last one has left the project.
    let first = server.client.json("/api/v1/people?limit=2").await["next"].clone();
    let after =
        serde_urlencoded::to_string([("after", first.as_str().expect("another page"))]).expect("a query");
    server.client.delete(&format!("/api/v1/people/{}", ids[1])).send().await.expect("an answer");
    let rest = server.client.json(&format!("/api/v1/people?{after}")).await;
    assert_eq!(rest["people"].as_array().map(Vec::len), Some(2), "{rest}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn keys_are_found_by_words_and_ids_and_read_page_by_page(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (_, admin) = person(&server, "admin", &["admin"]).await;
    let mut ids = Vec::new();
    for (name, scope) in [("Billing", "events.read"), ("Shop", "events.publish"), ("Shop two", "events.read")]
    {
        let (status, made) =
            send(admin.post("/api/v1/api-keys"), json!({ "name": name, "scopes": [scope] })).await;
        assert_eq!(status, 201, "{made}");
        ids.push(made["id"].as_str().expect("an id").to_owned());
    }
    let all = paged(&admin, "/api/v1/api-keys", "apiKeys").await;
    assert_eq!(all[..3], ["Shop two", "Shop", "Billing"], "newest first: {all:?}");
    for (q, found) in [
        ("shop".to_owned(), vec!["Shop two", "Shop"]),
        ("SHOP events.read".to_owned(), vec!["Shop two"]),
        ("admin@ billing".to_owned(), vec!["Billing"]),
        (ids[1].clone(), vec!["Shop"]),
        ("nothing".to_owned(), vec![]),
    ] {
        let query = serde_urlencoded::to_string([("q", &q)]).expect("a query");
        let page = admin.json(&format!("/api/v1/api-keys?{query}")).await;
        let names: Vec<_> =
            page["apiKeys"].as_array().expect("keys").iter().map(|one| &one["name"]).collect();
        assert_eq!(names, found, "{q}");
    }
    for wrong in ["limit=0", "limit=1001", "after=nonsense"] {
        assert_eq!(admin.status(&format!("/api/v1/api-keys?{wrong}")).await, 400, "{wrong}");
    }
    server.stop().await;
}
