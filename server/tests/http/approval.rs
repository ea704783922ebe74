//! Who quotes a ticket does not approve it, on no way; and a contractor is an organization of the project.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::id::OrganizationId;

use crate::support::{Client, TestServer, read_json};

async fn post(client: &Client, path: &str, body: Value, status: StatusCode) -> Value {
    let answer = client.post(path).json(&body).send().await.expect("an answer");
    read_json(answer, status).await
}

async fn step(client: &Client, ticket: &Value, mut step: Value, status: StatusCode) -> Value {
    step["expectedVersion"] = ticket["version"].clone();
    let id = ticket["id"].as_str().expect("an id");
    post(client, &format!("/api/v1/tickets/{id}/moves"), step, status).await
}

struct House {
    server: TestServer,
    firm: OrganizationId,
    contractor: Client,
    landlord: Client,
}

/// A landlord whose ticket was handed to a contractor, who quoted it.
async fn quoted(pool: &PgPool) -> (House, Value) {
    let server = TestServer::start(pool).await;
    let owner = server.add_organization(server.project, "Owner").await;
    let firm = server.add_organization(server.project, "Firm").await;
    let contractor = server.add_person(server.project, "con@firm.example", &["contractor"], &[firm]).await;
    let landlord = server.add_person(server.project, "own@owner.example", &["landlord"], &[owner]).await;
    let (contractor, landlord) = (server.session_of(contractor).await, server.session_of(landlord).await);
    let new = json!({ "title": "Boiler" });
    let ticket = post(&landlord, "/api/v1/tickets", new, StatusCode::CREATED).await;
    let hand = json!({ "move": "hand", "contractorId": firm });
    let ticket = step(&landlord, &ticket, hand, StatusCode::OK).await;
    let quote = json!({ "move": "quote", "amountMinor": 12_500, "currency": "EUR" });
    let ticket = step(&contractor, &ticket, quote, StatusCode::OK).await;
    (House { server, firm, contractor, landlord }, ticket)
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_contractor_quotes_and_finishes_and_a_landlord_approves(pool: PgPool) {
    let (house, ticket) = quoted(&pool).await;
    let House { server, firm, contractor, landlord } = house;
    for refused in [
        json!({ "move": "approve" }),
        json!({ "move": "hand", "contractorId": firm }),
        json!({ "move": "cancel", "reason": "no time" }),
    ] {
        let problem = step(&contractor, &ticket, refused, StatusCode::FORBIDDEN).await;
        assert!(problem["detail"].as_str().is_some_and(|why| why.contains("tickets.approve")), "{problem}");
    }
    let new = json!({ "title": "Lift", "contractorId": firm });
    let problem = post(&contractor, "/api/v1/tickets", new, StatusCode::FORBIDDEN).await;
    assert!(problem["detail"].as_str().is_some_and(|why| why.contains("tickets.approve")), "{problem}");
    post(&contractor, "/api/v1/tickets", json!({ "title": "Lift" }), StatusCode::CREATED).await;
    let many = json!({ "ids": [ticket["id"]], "move": "approve" });
    let problem = post(&contractor, "/api/v1/tickets/moves", many.clone(), StatusCode::FORBIDDEN).await;
    assert!(problem["detail"].as_str().is_some_and(|why| why.contains("tickets.approve")), "{problem}");
    let mut count = many;
    count["dryRun"] = true.into();
    post(&contractor, "/api/v1/tickets/moves", count, StatusCode::FORBIDDEN).await;

    let approved = step(&landlord, &ticket, json!({ "move": "approve" }), StatusCode::OK).await;
    assert!(approved["invoiceId"].is_string(), "{approved}");
    let done = step(&contractor, &approved, json!({ "move": "finish" }), StatusCode::OK).await;
    assert_eq!(done["status"], "done");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn nobody_is_offered_a_move_that_is_not_theirs(pool: PgPool) {
    let (house, ticket) = quoted(&pool).await;
    let House { server, contractor, landlord, .. } = house;
    let id = ticket["id"].as_str().expect("an id");
    let path = format!("/api/v1/tickets/{id}");
    let moves = async |client: &Client| client.json(&path).await["moves"].clone();
    assert_eq!(moves(&contractor).await, json!(["quote"]));
    assert_eq!(moves(&landlord).await, json!(["hand", "quote", "approve", "cancel"]));
    let reader = server.client_with(&["tickets.read"]).await;
    assert_eq!(moves(&reader).await, json!([]));
    let mut stale = ticket.clone();
    stale["version"] = 1.into();
    let quote = json!({ "move": "quote", "amountMinor": 1, "currency": "EUR" });
    let conflict = step(&contractor, &stale, quote, StatusCode::CONFLICT).await;
    assert_eq!(conflict["current"]["moves"], json!(["quote"]));

    let page = async |client: &Client| {
        let answer = client.get(&format!("/tickets/{id}")).send().await.expect("a page");
        answer.text().await.expect("a body")
    };
    let (theirs, owners) = (page(&contractor).await, page(&landlord).await);
    for name in ["approve", "cancel"] {
        let button = format!("data-move=\"{name}\"");
        assert!(owners.contains(&button), "{name}");
        assert!(!theirs.contains(&button), "{name}");
    }
    assert!(theirs.contains("data-move=\"quote\""));
    let list = contractor.get("/tickets").send().await.expect("a page").text().await.expect("a body");
    assert!(list.contains("value=\"finish\"") && !list.contains("value=\"approve\""), "moves for many");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_contractor_is_an_organization_of_the_project(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let other = server.add_project("other").await;
    let elsewhere = server.add_organization(other, "Elsewhere").await;
    let ticket = post(client, "/api/v1/tickets", json!({ "title": "Boiler" }), StatusCode::CREATED).await;
    let hand = json!({ "move": "hand", "contractorId": elsewhere });
    let new = json!({ "title": "Lift", "contractorId": elsewhere });
    let refused = [
        step(client, &ticket, hand, StatusCode::UNPROCESSABLE_ENTITY).await,
        post(client, "/api/v1/tickets", new, StatusCode::UNPROCESSABLE_ENTITY).await,
    ];
    for problem in refused {
        assert_eq!(problem["errors"][0]["pointer"], "#/contractorId", "{problem}");
    }
    let firm = server.add_organization(server.project, "Firm").await;
    let new = json!({ "title": "Lift", "contractorId": firm });
    post(client, "/api/v1/tickets", new, StatusCode::CREATED).await;
    server.stop().await;
}
