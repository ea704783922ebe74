//! The operators' pages as a browser without JavaScript has them: what is named on them leads on.

use reqwest::StatusCode;
use serde_json::json;
use sqlx::PgPool;
use tidewatch_server::db::audit::{self, NewAuditEntry};

use crate::pages::{administrator, page, post};
use crate::support::{TestServer, read_json};
use crate::webhook_receiver::{self, Receiver, delivery_in, make_at};

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn people_and_keys_show_their_ids_and_a_key_leads_to_its_connections(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let shown = page(&client, &format!("/people?q={ann}")).await.1;
    assert!(shown.contains(&format!("title=\"{ann}\"")), "{shown}");
    assert!(shown.contains("data-count=\"1\""), "this one alone");

    let new = json!({ "name": "Billing", "scopes": ["events.read"] });
    let made = server.client.post("/api/v1/api-keys").json(&new).send().await;
    let made = read_json(made.expect("an answer"), StatusCode::CREATED).await;
    let id = made["id"].as_str().expect("an id");
    let shown = page(&client, &format!("/api-keys?q={id}")).await.1;
    assert!(shown.contains(&format!("title=\"{id}\"")), "{shown}");
    let connections = format!("/connections?key={id}");
    assert!(shown.contains(&format!("href=\"{connections}\"")), "{shown}");
    assert_eq!(page(&client, &connections).await.0, StatusCode::OK);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_delivery_leads_to_its_event_and_shows_its_attempts_without_scripts(pool: PgPool) {
    let server = webhook_receiver::start(&pool).await;
    let client = administrator(&server).await;
    let receiver = Receiver::start().await;
    let made = make_at(&server.client, &receiver).await;
    server.client.create("INV-1").await;
    let received = receiver.wait_for(1).await.remove(0);
    let delivery = delivery_in(&server.client, &made, received.id(), "delivered").await;
    let path = made.path.trim_start_matches("/api/v1");

    let shown = page(&client, path).await.1;
    let event = delivery["eventId"].as_str().expect("an id");
    assert!(shown.contains(&format!("href=\"/events/{event}\"")), "{shown}");
    let attempts = format!("{path}?delivery={}", received.id());
    assert!(shown.contains(&format!("href=\"{attempts}\"")), "{shown}");
    assert!(!shown.contains("this is 200"));
    let shown = page(&client, &attempts).await.1;
    assert!(shown.contains("this is 200"), "what the endpoint answered: {shown}");
    server.stop().await;
}

/// Writes so many entries of the audit log.
async fn change_often(server: &TestServer, times: usize) {
    let mut connection = server.pool.acquire().await.expect("a connection");
    for number in 0..times {
        let entry = NewAuditEntry {
            project: server.project,
            actor: "user:usr_01h455vb4pex5vsknk084sn02q",
            actor_name: "ann@example.test",
            action: "role.update",
            target: "night_shift",
            target_name: &format!("Night shift {number}"),
            before: None,
            after: None,
            request_id: "r-1",
        };
        audit::insert(&mut connection, &entry).await.expect("an entry");
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_audit_log_is_narrowed_by_days_paged_and_exported(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    change_often(&server, 60).await;
    let shown = page(&client, "/audit?action=role.&from=2020-01-31").await.1;
    assert!(shown.contains("Night shift 59") && !shown.contains("Back to newest"));
    for part in [
        "role=\"search\"",
        "data-search",
        "name=\"from\" value=\"2020-01-31\"",
        "href=\"/records/usr_01h455vb4pex5vsknk084sn02q\"",
        "/api/v1/audit/export?action=role.&amp;from=2020-01-31T00%3A00%3A00.000Z&amp;export=json",
        "/api/v1/audit/export?action=role.&amp;from=2020-01-31T00%3A00%3A00.000Z&amp;export=csv",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let older = shown.split("rel=\"next\"").next().and_then(|before| before.rsplit("href=\"").next());
    let older = older.and_then(|link| link.split('"').next()).expect("a link").replace("&amp;", "&");
    assert!(older.starts_with("/audit?action=role.&from="), "{older}");
    let shown = page(&client, &older).await.1;
    assert!(shown.contains("Night shift 0") && shown.contains("Back to newest"), "{shown}");

    let nothing = page(&client, "/audit?target=nothing").await.1;
    assert!(nothing.contains("No change is like this") && !nothing.contains("Nothing was changed"));
    assert!(nothing.contains("href=\"/audit\""), "a way to all of it");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_cannot_be_asked_for_is_400_with_the_field_and_a_way_on(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    for (path, query, is_marked) in [
        ("/audit", "from=yesterday", true),
        ("/connections", "key=nonsense", true),
        ("/channels", "channel=no+channel", false),
        ("/events", "from=yesterday", true),
    ] {
        let (status, shown) = page(&client, &format!("{path}?{query}&project=demo")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert!(shown.contains("data-error=\"invalid\""), "{path}");
        assert!(shown.contains(&format!("href=\"{path}?project=demo\"")), "{path}: {shown}");
        assert_eq!(shown.contains("aria-invalid=\"true\""), is_marked, "{path}");
    }
    let (status, shown) = page(&client, "/events?from=2026-11-20&to=2026-11-21T10:30").await;
    assert_eq!(status, StatusCode::OK);
    for input in
        ["name=\"from\" value=\"2026-11-20\"", "name=\"to\" value=\"2026-11-21T10:30:00.000\"", "data-search"]
    {
        assert!(shown.contains(input), "{input}: {shown}");
    }
    server.stop().await;
}

/// Whether a form stands behind a summary that has to be opened first.
fn is_asked_first(page: &str, change: &str) -> bool {
    let at = page.find(&format!("data-change=\"{change}\""));
    let before = &page[..at.unwrap_or_else(|| panic!("no {change} in {page}"))];
    // Those of a row are in the row's own, which is open for another reason.
    let opened = before.matches("<details").count() - before.matches("</details>").count();
    let around = if ["removePerson", "deleteRole"].contains(&change) { 2 } else { 1 };
    opened >= around
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_nothing_takes_back_is_asked_first(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    let body = json!({ "email": "new@example.test", "roles": ["viewer"] });
    server.client.post("/api/v1/invitations").json(&body).send().await.expect("an answer");
    let body = json!({ "title": "Night shift", "permissions": ["events.read"] });
    let role = server.client.put("/api/v1/roles/night_shift").json(&body).send().await.expect("an answer");
    assert!(role.status().is_success(), "{}", role.text().await.expect("a body"));
    let body = json!({ "name": "for a day", "scopes": ["events.read"], "expiresInDays": 1 });
    server.client.post("/api/v1/api-keys").json(&body).send().await.expect("an answer");
    administrator(&server).await;
    for (path, changes) in [
        ("/people", &["cancelInvitation", "removePerson", "deleteRole"][..]),
        ("/jobs", &["cancelJob"]),
        ("/sessions", &["endOtherSessions"]),
    ] {
        let shown = page(&client, path).await.1;
        for change in changes {
            assert!(is_asked_first(&shown, change), "{change}: {shown}");
        }
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn all_jobs_of_a_state_are_called_off_and_done_again_by_a_form(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    for name in ["a", "b"] {
        let body = json!({ "name": name, "scopes": ["events.read"], "expiresInDays": 1 });
        server.client.post("/api/v1/api-keys").json(&body).send().await.expect("an answer");
    }
    let all = page(&client, "/jobs").await.1;
    assert!(!all.contains("data-change=\"cancelJobs\""), "of several states nothing is done at once");
    let path = "/jobs?state=scheduled&queue=default";
    let shown = page(&client, path).await.1;
    assert!(shown.contains("Call 2 off…") && is_asked_first(&shown, "cancelJobs"), "{shown}");
    let fields = [
        ("project", ""),
        ("change[cancelJobs][state]", "scheduled"),
        ("change[cancelJobs][queue]", "default"),
    ];
    let shown = post(&client, path, "change_project", &fields).await;
    assert!(shown.contains("2 jobs are called off."), "{shown}");
    let path = "/jobs?state=cancelled&kind=key.revoke";
    let shown = page(&client, path).await.1;
    assert!(shown.contains("Do all of key.revoke again…"), "{shown}");
    let fields = [
        ("project", ""),
        ("change[retryJobs][state]", "cancelled"),
        ("change[retryJobs][kind]", "key.revoke"),
    ];
    let shown = post(&client, path, "change_project", &fields).await;
    assert!(shown.contains("2 jobs are done again."), "{shown}");

    let jobs = server.client.json("/api/v1/jobs?kind=key.revoke").await;
    let (id, key) = (jobs["jobs"][0]["id"].as_str(), jobs["jobs"][0]["payload"]["keyId"].as_str());
    let shown = page(&client, &format!("/jobs/{}", id.expect("an id"))).await.1;
    assert!(
        shown.contains(&format!("href=\"/records/{}\"", key.expect("a key"))),
        "what it is about: {shown}"
    );
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_jobs_connections_and_the_audit_log_are_asked_for_can_be_kept(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    for (path, asked) in [
        ("/jobs", "state=dead&queue=webhooks"),
        ("/connections", "channel=orders&sort=waiting"),
        ("/audit", "action=role."),
    ] {
        let fields = [("project", ""), ("path", path), ("query", asked), ("name", "Mine")];
        let address = format!("{path}?{asked}");
        let shown = page(&client, &address).await.1;
        let query = asked.replace('&', "&amp;");
        assert!(shown.contains(&format!("name=\"query\" value=\"{query}\"")), "{path}: {shown}");
        let shown = post(&client, &address, "save_view", &fields).await;
        assert!(shown.contains(&format!("href=\"{path}?{query}\" aria-current=\"true\"")), "{path}: {shown}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn many_people_and_keys_are_shown_page_by_page(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    sqlx::query(
        "with made as (
             insert into users (id, email, name, password_hash)
             select gen_random_uuid(), 'p' || number || '@example.test', 'Person ' || to_char(number, 'FM000'), ''
             from generate_series(1, 150) number returning id
         )
         insert into memberships (project_id, user_id) select $1, id from made",
    )
    .bind(server.project.uuid())
    .execute(&pool)
    .await
    .expect("many people");
    sqlx::query(
        "insert into api_keys (id, project_id, name, digest, hint, scopes, created_by)
         select gen_random_uuid(), $1, 'Key ' || number, sha256(number::text::bytea), '', '{events.read}', 'a test'
         from generate_series(1, 150) number",
    )
    .bind(server.project.uuid())
    .execute(&pool)
    .await
    .expect("many keys");
    for (path, back) in [("/people", "Back to the first"), ("/api-keys", "Back to newest")] {
        let shown = page(&client, &format!("{path}?q=test&project=demo")).await.1;
        assert!(shown.contains("data-count=\"100\"") && !shown.contains(back), "{path}");
        let next = shown.split("rel=\"next\"").next().and_then(|before| before.rsplit("href=\"").next());
        let next = next.and_then(|link| link.split('"').next()).expect("a link").replace("&amp;", "&");
        assert!(
            next.starts_with(&format!("{path}?q=test&after=")) && next.ends_with("&project=demo"),
            "{next}"
        );
        let shown = page(&client, &next).await.1;
        assert!(shown.contains(back) && !shown.contains("rel=\"next\""), "{path}");
        assert!(shown.contains("name=\"q\" value=\"test\""), "{path} keeps the words");
    }
    server.stop().await;
}
