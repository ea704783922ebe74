//! Pages by their status: who may not see one is told so, by the status as well, and nobody begins at such a one.

use reqwest::StatusCode;
use sqlx::PgPool;

use crate::support::{Client, TestServer};

async fn look(client: &Client, path: &str) -> (StatusCode, String, String) {
    let answer = client.get(path).send().await.expect("an answer");
    let to = answer.headers().get("location").map(|to| to.to_str().expect("text").to_owned());
    (answer.status(), to.unwrap_or_default(), answer.text().await.expect("a body"))
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn nobody_begins_at_a_page_that_they_may_not_see(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let firm = server.add_organization(server.project, "Firm").await;
    let begins = [
        ("viewer", None, Some("/settlements")),
        ("landlord", None, Some("/settlements")),
        ("tenant", Some("/payments"), None),
        ("contractor", Some("/tickets"), None),
    ];
    for (role, home, _) in begins {
        let email = format!("{role}@firm.example");
        let person = server.add_person(server.project, &email, &[role], &[firm]).await;
        let client = server.session_of(person).await;
        let (status, to, page) = look(&client, "/").await;
        let link = ">Overview</a>";
        match home {
            None => {
                assert_eq!(status, StatusCode::OK, "{role}");
                assert!(page.contains("data-page") || page.contains("Overview"), "{role}");
            }
            Some(home) => {
                assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, home), "{role}");
                let (status, _, page) = look(&client, home).await;
                assert_eq!(status, StatusCode::OK, "{role}");
                let nav = &page[page.find("<nav").expect("a nav")..page.find("</nav>").expect("its end")];
                assert!(nav.contains("/tickets") && !nav.contains(link), "{role}: {nav}");
                let cookie = server.log_in(&email, crate::support::PASSWORD).await.expect("a session");
                let (status, to, _) = look(&server.client.with_cookie(&cookie), "/").await;
                assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, home), "{role} after a login");
            }
        }
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_is_in_several_projects_begins_in_the_one_that_was_asked_for(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let other = server.add_project("other").await;
    let person = server.add_person(server.project, "ten@firm.example", &["tenant"], &[]).await;
    server.add_person(other, "ten@firm.example", &["contractor"], &[]).await;
    let client = server.session_of(person).await;
    let (status, to, _) = look(&client, "/?project=other").await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/tickets?project=other"));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_page_that_may_not_be_seen_answers_403(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let tenant = server.add_person(server.project, "ten@firm.example", &["tenant"], &[]).await;
    let tenant = server.session_of(tenant).await;
    for path in [
        "/connections",
        "/channels",
        "/jobs",
        "/people",
        "/api-keys",
        "/audit",
        "/witness",
        "/system",
        "/project",
        "/webhooks",
        "/notification-rules",
        "/settlements",
        "/servers",
    ] {
        let (status, _, page) = look(&tenant, path).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        assert!(page.contains("data-error=\"forbidden\""), "{path}");
    }
    for path in ["/events", "/payments", "/tickets", "/sessions", "/notifications", "/notifications/settings"]
    {
        assert_eq!(look(&tenant, path).await.0, StatusCode::OK, "{path}");
    }
    // Who may look into nothing is told of something all the same.
    sqlx::query(
        "insert into roles (project_id, name, title, permissions, project_wide)
         values ($1, 'auditor', 'Auditor', '{audit.view}', true)",
    )
    .bind(server.project.uuid())
    .execute(&pool)
    .await
    .expect("a role");
    let auditor = server.add_person(server.project, "aud@quay.example", &["auditor"], &[]).await;
    let auditor = server.session_of(auditor).await;
    let (status, to, _) = look(&auditor, "/").await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/notifications"));
    assert_eq!(look(&auditor, "/notifications").await.0, StatusCode::OK);
    assert_eq!(look(&auditor, "/audit").await.0, StatusCode::OK);
    server.stop().await;
}
