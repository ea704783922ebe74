//! Pages as a browser without JavaScript has them: forms that post, and the page that follows.

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_TYPE, REFERER};
use serde_json::json;
use sqlx::PgPool;

use crate::support::{Client, TestServer};

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Someone who may everything.
pub(crate) async fn administrator(server: &TestServer) -> Client {
    let id = server.add_person(server.project, "admin@example.test", &["admin"], &[]).await;
    server.session_of(id).await
}

/// The page at this address.
pub(crate) async fn page(client: &Client, path: &str) -> (StatusCode, String) {
    let answer = client.get(path).header(ACCEPT, HTML).send().await.expect("an answer");
    (answer.status(), answer.text().await.expect("a page"))
}

/// Sends a form of a page as a browser does, and gives what the page that follows shows.
pub(crate) async fn post(client: &Client, path: &str, function: &str, fields: &[(&str, &str)]) -> String {
    let referer = format!("http://tidewatch.test{path}");
    let request = client.post(&format!("/fn/{function}")).header(ACCEPT, HTML).header(REFERER, referer);
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let form = serde_urlencoded::to_string(fields).expect("a form");
    let answer = request.body(form).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
    assert_eq!(answer.headers()["location"], path);
    page(client, path).await.1
}

/// The text of the first element with this attribute, without its tags.
fn text_of(page: &str, attribute: &str) -> String {
    let Some(from) = page.find(attribute) else { panic!("no {attribute} in {page}") };
    let mut text = String::new();
    let mut is_tag = true;
    for c in page[from..].chars().take(1_500) {
        match c {
            '<' => is_tag = true,
            '>' => is_tag = false,
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    text
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_form_s_answer_stands_on_the_page_that_follows_once(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    for (path, fields, secret, message) in [
        (
            "/api-keys?project=demo",
            &[("change[createApiKey][name]", "Billing"), ("change[createApiKey][scopes][]", "events.read")][..],
            Some("tw_"),
            "Billing",
        ),
        (
            "/people",
            &[
                ("change[invitePerson][email]", "new@example.test"),
                ("change[invitePerson][roles][]", "viewer"),
            ],
            Some("/invitation?token="),
            "new@example.test",
        ),
        (
            "/webhooks",
            &[("change[createWebhook][url]", "https://hooks.example.test/x")],
            Some("whsec_"),
            "hooks.example.test",
        ),
        (
            "/channels?channel=private-orders",
            &[("change[signToken][channelName]", "private-orders"), ("change[signToken][subject]", "")],
            Some("eyJ"),
            "private-orders",
        ),
        ("/project", &[("change[renameProject][name]", "Harbour")], None, "Harbour"),
        ("/sessions", &[("change", "endOtherSessions")], None, ""),
    ] {
        let mut fields = fields.to_vec();
        fields.insert(0, ("project", ""));
        let shown = post(&client, path, "change_project", &fields).await;
        let answer = text_of(&shown, "class=\"change-answer\"");
        assert!(shown.contains("data-tone=\"good\""), "{path}: {answer}");
        assert!(answer.contains(message), "{path}: {answer}");
        if let Some(secret) = secret {
            let told = text_of(&shown, "data-secret");
            assert!(told.contains(secret), "{path}: {told}");
        }
        let again = page(&client, path).await.1;
        assert!(
            !again.contains("data-secret") && !text_of(&again, "change-answer").contains("role=\"status\"")
        );
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_secret_waits_sealed_and_for_its_own_page(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    let form = serde_urlencoded::to_string([("project", ""), ("change[createApiKey][name]", "Waits")]);
    let form = format!("{}&change[createApiKey][scopes][]=events.read", form.expect("a form"));
    let made = client
        .post("/fn/change_project")
        .header(ACCEPT, HTML)
        .header(REFERER, "http://tidewatch.test/api-keys")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .expect("an answer");
    assert_eq!(made.status(), StatusCode::SEE_OTHER);
    assert!(!made.text().await.expect("a body").contains("tw_"), "a redirect carries no secret");
    let kept: String = sqlx::query_scalar("select data::text from sessions where data ? 'form_answer'")
        .fetch_one(&pool)
        .await
        .expect("a session");
    assert!(!kept.contains("tw_") && !kept.contains("Waits"), "{kept}");
    assert!(!page(&client, "/people").await.1.contains("data-secret"), "another page is not its page");
    let shown = page(&client, "/api-keys").await.1;
    assert!(text_of(&shown, "data-secret").contains("tw_"));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_form_says_why_nothing_was_done(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let id = server.add_person(server.project, "viewer@example.test", &["viewer"], &[]).await;
    let viewer = server.session_of(id).await;
    let fields = [("project", ""), ("change[renameProject][name]", "Mine")];
    let shown = post(&viewer, "/sessions", "change_project", &fields).await;
    assert!(shown.contains("data-error=\"forbidden\""), "{}", text_of(&shown, "change-answer"));
    assert!(!page(&viewer, "/sessions").await.1.contains("data-error"));

    // Who is signed out is led to the login by the page, and nobody keeps an answer for them.
    let nobody = server.client.anonymous();
    let request = nobody.post("/fn/change_project").header(ACCEPT, HTML);
    let request = request.header(REFERER, "http://tidewatch.test/project");
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = request.body("project=&change=endOtherSessions").send().await.expect("an answer");
    assert_eq!(answer.headers()["location"], "/project");
    assert!(answer.headers().get("set-cookie").is_none());
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_move_and_a_comment_say_that_they_were_made(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    let made = server.client.create("PLAIN-1").await;
    let id = made["id"].as_str().expect("an id");
    let path = format!("/settlements/{id}");
    let fields = |step: &'static str, version: &'static str| {
        vec![
            ("project", ""),
            ("module", "settlements"),
            ("id", id),
            ("request[move]", step),
            ("request[expectedVersion]", version),
            ("request[fields][reason]", "odd"),
        ]
    };
    let shown = post(&client, &path, "move_record", &fields("hold", "1")).await;
    assert!(shown.contains("PLAIN-1 is now held."), "{}", text_of(&shown, "aria-label=\"Moves\""));
    let late = post(&client, &path, "move_record", &fields("hold", "1")).await;
    assert!(late.contains("data-error=\"conflict\""));
    let comment = [("project", ""), ("module", "settlements"), ("id", id), ("text", "Called them.")];
    let shown = post(&client, &path, "comment_on_record", &comment).await;
    assert!(shown.contains("Your comment is there.") && shown.contains("Called them."));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_move_for_many_asks_first(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    let mut ids = Vec::new();
    for number in 0..3 {
        let made = server.client.create(&format!("ASK-{number}")).await;
        if number == 0 {
            server.client.make_move(&made, json!({ "move": "fail", "error": "x" })).await;
        }
        ids.push(made["id"].as_str().expect("an id").to_owned());
    }
    let fields = |confirmed: Option<&'static str>| {
        let mut fields = vec![
            ("project", ""),
            ("module", "settlements"),
            ("query", "{}"),
            ("move", "hold"),
            ("fields[reason]", "audit"),
        ];
        fields.extend(ids.iter().map(|id| ("ids[]", id.as_str())));
        fields.extend(confirmed.map(|yes| ("confirmed", yes)));
        fields
    };
    let asked = post(&client, "/settlements", "move_records", &fields(None)).await;
    assert!(asked.contains("data-confirm=\"2\"") && asked.contains("2 of 3 settlements can make the move"));
    assert!(ids.iter().all(|id| asked.contains(&format!("name=\"ids[]\" value=\"{id}\""))));
    assert!(asked.contains("value=\"audit\""), "what was entered goes along");
    let held = server.client.json("/api/v1/settlements?status=held").await;
    assert_eq!(held["settlements"], json!([]), "nothing is moved yet");
    let begun = post(&client, "/settlements", "move_records", &fields(Some("true"))).await;
    assert!(begun.contains("Moving 2."), "{}", text_of(&begun, "bulk"));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_id_leads_to_its_page_or_to_one_that_says_so(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    let suffix = "01h455vb4pex5vsknk084sn02q";
    for (prefix, path) in [
        ("stl", "settlements"),
        ("evt", "events"),
        ("job", "jobs"),
        ("whk", "webhooks"),
        ("aut", "automations"),
    ] {
        let answer = client.get(&format!("/records/{prefix}_{suffix}?project=demo")).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{prefix}");
        assert_eq!(answer.headers()["location"], format!("/{path}/{prefix}_{suffix}?project=demo"));
    }
    for (prefix, path) in [("usr", "people"), ("key", "api-keys")] {
        let answer = client.get(&format!("/records/{prefix}_{suffix}?project=demo")).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.headers()["location"], format!("/{path}?q={prefix}_{suffix}&project=demo"));
    }
    for id in [format!("giz_{suffix}"), "nonsense".to_owned()] {
        let (status, shown) = page(&client, &format!("/records/{id}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{id}");
        assert!(shown.contains("<h1>Not found</h1>"), "{shown}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_search_sends_along_what_it_does_not_show(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    let person = "usr_01h455vb4pex5vsknk084sn02q";
    let address =
        format!("/orders?status=paid&assignee={person}&from=2026-11-20&to=2026-11-21T10:30&limit=10");
    let shown = page(&client, &address).await.1;
    for input in [
        "name=\"status\" value=\"paid\"".to_owned(),
        format!("name=\"assignee\" value=\"{person}\""),
        "name=\"limit\" value=\"10\"".to_owned(),
        "name=\"from\" value=\"2026-11-20\"".to_owned(),
        "name=\"to\" value=\"2026-11-21T10:30:00.000\"".to_owned(),
    ] {
        assert!(shown.contains(&input), "{input}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_ticket_goes_to_a_contractor_by_name(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    let firm = server.add_organization(server.project, "Boiler & Sons").await.to_string();
    let made = server.client.post("/api/v1/tickets").json(&json!({ "title": "Cold" })).send().await;
    let made: serde_json::Value = made.expect("an answer").json().await.expect("a ticket");
    let id = made["id"].as_str().expect("an id");
    let path = format!("/tickets/{id}");
    let before = page(&client, &path).await.1;
    assert!(before.contains(&format!("<option value=\"{firm}\">Boiler &amp; Sons")), "{before}");
    let fields = [
        ("project", ""),
        ("module", "tickets"),
        ("id", id),
        ("request[move]", "hand"),
        ("request[expectedVersion]", "1"),
        ("request[fields][contractorId]", &firm),
    ];
    let shown = post(&client, &path, "move_record", &fields).await;
    assert!(text_of(&shown, "data-field=\"contractorId\"").contains("Boiler &amp; Sons"));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_long_history_shows_its_newest_events_and_leads_to_all(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = administrator(&server).await;
    let mut settlement = server.client.create("INV-1").await;
    let path = format!("/settlements/{}?project=demo", settlement["id"].as_str().expect("an id"));
    let all = format!(
        "/events?resourceTypes=Settlement&amp;resourceId={}",
        settlement["id"].as_str().expect("an id")
    );
    for _ in 0..50 {
        settlement =
            server.client.make_move(&settlement, json!({ "move": "hold", "reason": "once more" })).await;
        settlement = server.client.make_move(&settlement, json!({ "move": "release" })).await;
        if settlement["version"] == 99 {
            server.all_published().await;
            let (_, shown) = page(&client, &path).await;
            assert_eq!(shown.matches("class=\"timeline-item\"").count(), 99);
            assert!(!shown.contains(&all), "it is all there");
        }
    }
    server.all_published().await;
    let (_, shown) = page(&client, &path).await;
    assert_eq!(shown.matches("class=\"timeline-item\"").count(), 100);
    assert!(shown.contains(&all), "{shown}");
    server.stop().await;
}
