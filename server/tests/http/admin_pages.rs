//! The operators' pages as a browser without JavaScript has them: what is named on them leads on.

use reqwest::StatusCode;
use serde_json::json;
use sqlx::PgPool;

use crate::pages::{administrator, page};
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
