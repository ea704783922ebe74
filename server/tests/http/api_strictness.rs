//! What holds of every operation of the API, whichever it is: of an own module's as of the others.

use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::own_module;
use crate::support::{Client, TestServer, read_json};

struct Operation {
    method: Method,
    path: String,
    description: Value,
}

async fn operations(client: &Client) -> Vec<Operation> {
    let document = client.json("/api/openapi.json").await;
    let paths = document["paths"].as_object().expect("paths").clone();
    let of_path = |(path, methods): (String, Value)| {
        let methods = methods.as_object().expect("methods").clone();
        methods.into_iter().map(move |(method, description)| Operation {
            method: method.to_ascii_uppercase().parse().expect("a method"),
            path: path.clone(),
            description,
        })
    };
    let operations: Vec<Operation> = paths.into_iter().flat_map(of_path).collect();
    assert!(operations.len() > 120);
    assert!(operations.iter().any(|operation| operation.path == "/api/v1/parcels/{id}/comments"));
    operations
}

impl Operation {
    /// Its address, with this in the place of each part that names something.
    fn address(&self, part: &str) -> String {
        let parts = self.path.split('/').map(|name| if name.starts_with('{') { part } else { name });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// The problem that says which parameters will not do.
async fn refusal(client: &Client, method: &Method, address: &str) -> Result<Vec<String>, String> {
    let answer = client.request(method.clone(), address).send().await.expect("an answer");
    let content_type =
        answer.headers().get(CONTENT_TYPE).map(|value| value.to_str().expect("text").to_owned());
    if answer.status() != StatusCode::BAD_REQUEST
        || content_type.as_deref() != Some("application/problem+json")
    {
        return Err(format!("{method} {address}: {} as {content_type:?}", answer.status()));
    }
    let problem: Value = answer.json().await.expect("JSON");
    if problem["type"] != "urn:tidewatch:problem:invalid-parameter" {
        return Err(format!("{method} {address}: {problem}"));
    }
    let errors = problem["errors"].as_array().expect("errors");
    Ok(errors.iter().map(|error| error["parameter"].as_str().expect("a name").to_owned()).collect())
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn every_operation_refuses_parameters_that_it_does_not_know_and_names_them(pool: PgPool) {
    let server = own_module::start(&pool).await;
    let mut wrong = Vec::new();
    for operation in operations(&server.client).await {
        let address = format!("{}?unheardOf=1&of_this=", operation.address("x"));
        match refusal(&server.client, &operation.method, &address).await {
            Ok(names) if names == ["of_this", "unheardOf"] => {}
            Ok(names) => wrong.push(format!("{address}: {names:?}")),
            Err(told) => wrong.push(told),
        }
        // The one that all for callers know, given twice.
        if operation.description.get("security").is_none() {
            let address = format!("{}?project=a&project=b", operation.address("x"));
            if refusal(&server.client, &operation.method, &address).await != Ok(vec!["project".to_owned()]) {
                wrong.push(address);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    // The names of parameters are camelCase, all of them.
    assert_eq!(server.client.status("/api/v1/events/search?as_of=1").await, 400);
    assert_eq!(server.client.status("/api/v1/events/search?asOf=0").await, 200);
    server.stop().await;
}

/// A parameter that is documented and then ignored would be no better than one that nobody knows.
#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn every_documented_number_and_choice_is_read(pool: PgPool) {
    let server = own_module::start(&pool).await;
    let (mut wrong, mut tried) = (Vec::new(), 0);
    // What is named in the address is not there, which may be said first; and there are keys at this that have no inbox.
    let listed = |operation: &Operation| operation.method == Method::GET && !operation.path.contains('{');
    for operation in operations(&server.client).await.into_iter().filter(listed) {
        let refuses_keys = operation.description["description"].to_string().contains("an API key is refused");
        let parameters = operation.description["parameters"].as_array().cloned().unwrap_or_default();
        let closed = |parameter: &&Value| {
            let schema = &parameter["schema"];
            parameter["in"] == "query" && (schema["type"] == "integer" || schema.get("enum").is_some())
        };
        for parameter in parameters.iter().filter(closed).filter(|_| !refuses_keys) {
            let name = parameter["name"].as_str().expect("a name");
            let mut addresses = vec![format!("{}?{name}=no-such-value", operation.path)];
            // A file is not made of less.
            if name != "export" && parameters.iter().any(|other| other["name"] == "export") {
                addresses.push(format!("{}&export=csv", addresses[0]));
            }
            for address in addresses {
                tried += 1;
                match refusal(&server.client, &operation.method, &address).await {
                    Ok(names) if names == [name] => {}
                    Ok(names) => wrong.push(format!("{address}: {names:?}")),
                    Err(told) => wrong.push(told),
                }
            }
        }
    }
    assert!(tried > 50, "{tried}");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_address_that_is_no_text_is_a_problem_wherever_it_leads(pool: PgPool) {
    let server = own_module::start(&pool).await;
    let mut wrong = Vec::new();
    for operation in operations(&server.client).await {
        if !operation.path.contains('{') {
            continue;
        }
        for part in ["%FF", "%zz", "a%00b"] {
            let address = operation.address(part);
            match refusal(&server.client, &operation.method, &address).await {
                Ok(names) if names.iter().all(|name| name == part) => {}
                Ok(names) => wrong.push(format!("{address}: {names:?}")),
                Err(told) => wrong.push(told),
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    // Nothing is there, and it is said as everywhere.
    let nowhere = server.client.get("/api/v1/nothing/%FF").send().await.expect("an answer");
    assert_eq!(nowhere.headers()[CONTENT_TYPE], "application/problem+json");
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_is_made_is_at_the_address_that_is_told(pool: PgPool) {
    let server = own_module::start(&pool).await;
    let settlement = server.client.create("INV-1").await;
    let comments = format!("/api/v1/settlements/{}/comments", settlement["id"].as_str().expect("an id"));
    let cases = [
        ("/api/v1/settlements", json!({ "reference": "INV-2", "amountMinor": 1, "currency": "EUR" }), "id"),
        ("/api/v1/parcels", json!({ "reference": "A-1", "items": 1 }), "id"),
        (&*comments, json!({ "text": "Called the bank." }), "id"),
        ("/api/v1/api-keys", json!({ "name": "Shop", "scopes": ["events.publish"] }), "id"),
        ("/api/v1/invitations", json!({ "email": "grace@example.com", "roles": ["viewer"] }), "id"),
        ("/api/v1/organizations", json!({ "name": "Hanse Housing" }), "id"),
        ("/api/v1/webhooks", json!({ "url": "https://example.com/hooks", "types": ["settlement.*"] }), "id"),
        (
            "/api/v1/notification-rules",
            json!({
                "name": "Failures",
                "types": ["settlement.failed"],
                "audience": [{ "kind": "role", "name": "operator" }],
                "template": { "title": "It failed", "link": "/settlements/{{id}}" },
            }),
            "id",
        ),
        ("/api/v1/subscriptions", json!({ "name": "bookkeeping" }), "name"),
    ];
    for (path, body, named_by) in cases {
        let answer = server.client.post(path).json(&body).send().await.expect("an answer");
        let at = answer.headers().get(LOCATION).map(|at| at.to_str().expect("text").to_owned());
        let made = read_json(answer, StatusCode::CREATED).await;
        let name = made[named_by].as_str().expect("a name");
        // A comment is in the list of its record, and has no address of its own.
        let joint = if path == comments { '#' } else { '/' };
        assert_eq!(at, Some(format!("{path}{joint}{name}")), "{path}");
        if path == "/api/v1/api-keys" {
            let rotate = format!("{path}/{name}/rotate");
            let answer = server.client.post(&rotate).json(&json!({ "overlapHours": 1 })).send().await;
            let answer = answer.expect("an answer");
            let at = answer.headers()[LOCATION].to_str().expect("text").to_owned();
            let next = read_json(answer, StatusCode::CREATED).await;
            assert_eq!(at, format!("{path}/{}", next["id"].as_str().expect("an id")));
        }
    }
    // Asked for again it is not made again.
    let again = server.client.post("/api/v1/subscriptions").json(&json!({ "name": "bookkeeping" }));
    let again = again.send().await.expect("an answer");
    assert_eq!((again.status(), again.headers().get(LOCATION)), (StatusCode::OK, None));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn where_keys_are_refused_the_document_says_so(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let document = server.client.json("/api/openapi.json").await;
    for (method, path, kind) in [
        ("get", "/api/v1/sessions", "persons-only"),
        ("delete", "/api/v1/sessions", "persons-only"),
        ("get", "/api/v1/notifications", "no-inbox"),
        ("get", "/api/v1/notifications/count", "no-inbox"),
        ("get", "/api/v1/notifications/settings", "no-inbox"),
    ] {
        let request = server.client.request(method.to_uppercase().parse().expect("a method"), path);
        let problem = read_json(request.send().await.expect("an answer"), StatusCode::FORBIDDEN).await;
        assert_eq!(problem["type"], format!("urn:tidewatch:problem:{kind}"), "{path}");
        let operation = &document["paths"][path][method];
        let refused = &operation["responses"]["403"]["content"]["application/problem+json"]["examples"];
        assert!(refused.get(kind).is_some(), "{path}: {refused}");
        let description = operation["description"].as_str().expect("a description");
        assert!(description.contains("an API key is refused"), "{path}: {description}");
    }
    server.stop().await;
}
