//! What all modules share: made, moved, assigned, commented on, listed and exported by one set of handlers.

use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::Subject;
use tidewatch_modules::{Module, Record, RecordQuery};
use tidewatch_server::db;
use tidewatch_server::db::records::{Count, Search};
use tidewatch_server::domain::Modules;

use crate::support::{Client, TestServer, eventually, read_json};

async fn post(client: &Client, path: &str, body: Value, status: StatusCode) -> Value {
    let answer = client.post(path).json(&body).send().await.expect("an answer");
    read_json(answer, status).await
}

async fn make(client: &Client, module: &str, new: Value) -> Value {
    post(client, &format!("/api/v1/{module}"), new, StatusCode::CREATED).await
}

async fn step(client: &Client, module: &str, record: &Value, mut step: Value, status: StatusCode) -> Value {
    step["expectedVersion"] = record["version"].clone();
    let id = record["id"].as_str().expect("an id");
    post(client, &format!("/api/v1/{module}/{id}/moves"), step, status).await
}

async fn go(client: &Client, module: &str, record: &Value, what: Value) -> Value {
    step(client, module, record, what, StatusCode::OK).await
}

async fn balances(client: &Client) -> Vec<(String, i64)> {
    let page = client.json("/api/v1/balances?limit=200").await;
    let rows = page["balances"].as_array().expect("balances");
    let mut found: Vec<(String, i64)> = rows
        .iter()
        .map(|row| {
            let minor = row["balanceMinor"].as_i64().expect("an amount");
            (row["account"].as_str().expect("an account").to_owned(), minor)
        })
        .collect();
    found.sort();
    found
}

fn held(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(account, minor)| ((*account).to_owned(), *minor)).collect()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_payment_pays_its_order_and_the_accounts_come_to_zero(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let order =
        make(client, "orders", json!({ "reference": "ORD-1", "totalMinor": 900, "currency": "EUR" })).await;
    let new = json!({ "reference": "PAY-1", "amountMinor": 900, "currency": "EUR", "orderId": order["id"] });
    let payment = make(client, "payments", new).await;
    let payment = go(client, "payments", &payment, json!({ "move": "authorize" })).await;
    let payment = go(client, "payments", &payment, json!({ "move": "capture" })).await;

    let path = format!("/api/v1/orders/{}", order["id"].as_str().expect("an id"));
    let order = client.json(&path).await;
    assert_eq!((&order["status"], &order["version"]), (&json!("paid"), &json!(2)), "in the same transaction");
    assert_eq!(balances(client).await, held(&[("cash", 900), ("unearned", -900)]));
    server.all_published().await;
    let last_of = async |record: &Value| {
        let id = record["id"].as_str().expect("an id");
        let page = client.json(&format!("/api/v1/events/search?resourceId={id}&limit=1")).await;
        page["events"][0]["metadata"]["correlationId"].clone()
    };
    let (paid, captured) = (last_of(&order).await, last_of(&payment).await);
    assert!(
        paid.is_string() && paid == captured,
        "what came of one request belongs together: {paid}, {captured}"
    );

    let order = go(client, "orders", &order, json!({ "move": "fulfil" })).await;
    go(client, "orders", &order, json!({ "move": "complete" })).await;
    let payment = go(client, "payments", &payment, json!({ "move": "settle" })).await;
    assert_eq!(
        balances(client).await,
        held(&[("bank", 900), ("cash", 0), ("revenue", -900), ("unearned", 0)])
    );

    let part = go(client, "payments", &payment, json!({ "move": "refund", "amountMinor": 200 })).await;
    assert_eq!((&part["status"], &part["refundedMinor"]), (&json!("partially_refunded"), &json!(200)));
    let too_much = json!({ "move": "refund", "amountMinor": 701 });
    step(client, "payments", &part, too_much, StatusCode::UNPROCESSABLE_ENTITY).await;
    let whole = go(client, "payments", &part, json!({ "move": "refund" })).await;
    assert_eq!(whole["status"], "refunded");
    let sum: i64 = balances(client).await.iter().map(|(_, minor)| minor).sum();
    assert_eq!(sum, 0);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_approved_ticket_writes_its_invoice_and_its_contractor_sees_it(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let firm = server.add_organization(server.project, "Firm").await;
    let contractor = server.add_person(server.project, "con@firm.example", &["contractor"], &[firm]).await;
    let contractor = server.session_of(contractor).await;
    let ticket = make(client, "tickets", json!({ "title": "Boiler" })).await;
    let path = format!("/api/v1/tickets/{}", ticket["id"].as_str().expect("an id"));
    assert_eq!(contractor.status(&path).await, 404, "not theirs yet");

    let ticket = go(client, "tickets", &ticket, json!({ "move": "hand", "contractorId": firm })).await;
    assert_eq!(contractor.status(&path).await, 200);
    let quote = json!({ "move": "quote", "amountMinor": 12_500, "currency": "EUR" });
    let ticket = go(&contractor, "tickets", &ticket, quote).await;
    let ticket = go(client, "tickets", &ticket, json!({ "move": "approve" })).await;
    let invoice =
        client.json(&format!("/api/v1/invoices/{}", ticket["invoiceId"].as_str().expect("an id"))).await;
    assert_eq!((&invoice["amountMinor"], &invoice["ticketId"]), (&json!(12_500), &ticket["id"]));
    go(client, "invoices", &invoice, json!({ "move": "pay" })).await;
    assert_eq!(balances(client).await, held(&[("bank", 12_500), ("receivable", 0), ("services", -12_500)]));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn somebody_of_the_project_looks_after_a_record(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let mut stream = client.stream("?types=incident.*").await;
    let ann = server.add_person(server.project, "ann@quay.example", &["operator"], &[]).await;
    let incident = make(client, "incidents", json!({ "title": "Slow", "severity": "low" })).await;
    let assigned = go(client, "incidents", &incident, json!({ "move": "assign", "assignee": ann })).await;
    assert_eq!(assigned["assignee"], json!(ann));
    stream.next().await;
    let told = stream.next().await.data;
    assert_eq!(told["eventType"], "incident.updated");
    assert_eq!(told["payload"]["changed"], json!(["assignee"]));

    let mine = client.json(&format!("/api/v1/incidents?assignee={ann}")).await;
    assert_eq!(mine["incidents"].as_array().map(Vec::len), Some(1));
    let stranger = json!({ "move": "assign", "assignee": "usr_01h455vb4pex5vsknk084sn02q" });
    step(client, "incidents", &assigned, stranger, StatusCode::UNPROCESSABLE_ENTITY).await;
    let stale = json!({ "move": "assign", "assignee": null });
    let problem = step(client, "incidents", &incident, stale, StatusCode::CONFLICT).await;
    assert_eq!(problem["current"]["version"], 2);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_comment_disturbs_nobody_and_is_heard_by_those_who_may_see_the_record(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let mut stream = client.stream("?types=comment.created").await;
    let settlement = client.create("INV-1").await;
    let path = format!("/api/v1/settlements/{}", settlement["id"].as_str().expect("an id"));
    let text = json!({ "text": "  Asked the bank.\nThey call back. " });
    post(client, &format!("{path}/comments"), text, StatusCode::CREATED).await;
    let told = stream.next().await.data;
    assert_eq!(told["payload"]["about"], settlement["id"]);
    assert_eq!(told["payload"]["text"], "Asked the bank.\nThey call back.");
    let comments = client.json(&format!("{path}/comments")).await;
    assert_eq!(comments["comments"].as_array().map(Vec::len), Some(1));
    client.make_move(&settlement, json!({ "move": "hold", "reason": "still version 1" })).await;

    let reader = server.client_with(&["events.read"]).await;
    let refused =
        post(&reader, &format!("{path}/comments"), json!({ "text": "x" }), StatusCode::FORBIDDEN).await;
    assert_eq!(refused["permission"], "settlements.act");
    post(client, &format!("{path}/comments"), json!({ "text": " " }), StatusCode::UNPROCESSABLE_ENTITY).await;

    // Who may read events and no settlements hears nothing of what is said about them.
    let other = server.client_with(&["orders.read"]).await;
    assert_eq!(other.status(&format!("{path}/comments")).await, 403);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_a_module_does_not_have_is_refused(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    for (path, parameter) in [
        ("/api/v1/incidents?sort=amount", "sort"),
        ("/api/v1/orders?status=settled", "status"),
        ("/api/v1/orders?network=polygon", "network"),
        ("/api/v1/orders?assignee=me", "assignee"),
        ("/api/v1/orders?from=monday", "from"),
        ("/api/v1/orders?export=xml", "export"),
    ] {
        let answer = client.get(path).send().await.expect("an answer");
        let problem = read_json(answer, StatusCode::BAD_REQUEST).await;
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{path}: {problem}");
    }
    for (module, new, field) in [
        ("balances", json!({ "account": "cash" }), None),
        ("incidents", json!({ "title": "x", "severity": "bad" }), Some("#/severity")),
        ("servers", json!({ "name": "x", "kind": "tcp", "address": "http://x" }), Some("#/address")),
        ("servers", json!({ "name": "x", "kind": "icmp", "address": "x" }), Some("#/kind")),
        ("payments", json!({ "reference": "x", "amountMinor": 1, "currency": "euro" }), Some("#/currency")),
        ("logs", json!({ "message": "x", "level": "fatal" }), Some("#/level")),
    ] {
        let problem = post(client, &format!("/api/v1/{module}"), new, StatusCode::UNPROCESSABLE_ENTITY).await;
        if let Some(field) = field {
            assert_eq!(problem["errors"][0]["pointer"], field, "{module}: {problem}");
        }
    }
    let server_record =
        make(client, "servers", json!({ "name": "x", "kind": "tcp", "address": "127.0.0.1:9" })).await;
    let report = json!({ "move": "report", "ok": true });
    let answer = step(client, "servers", &server_record, report, StatusCode::CONFLICT).await;
    assert!(answer["detail"].as_str().is_some_and(|detail| detail.contains("own checks")), "{answer}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn exports_are_whole_and_harmless(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    for number in 0..3 {
        client.create(&format!("=cmd|{number}")).await;
    }
    let answer =
        client.get("/api/v1/settlements").header(ACCEPT, "text/csv").send().await.expect("an answer");
    assert!(
        answer.headers()["content-disposition"].to_str().expect("text").contains("tidewatch-settlements.csv")
    );
    let csv = answer.text().await.expect("a text");
    assert_eq!(csv.lines().count(), 4, "{csv}");
    assert!(csv.starts_with("id,reference,status,amountMinor,currency,network,"), "{csv}");
    assert!(csv.contains("\"'=cmd|0\""), "a formula is made a text: {csv}");

    let answer = client.get("/api/v1/settlements?export=json&sort=oldest").send().await.expect("an answer");
    let rows: Vec<Value> = answer.json().await.expect("one array");
    let references: Vec<&str> = rows.iter().filter_map(|row| row["reference"].as_str()).collect();
    assert_eq!(references, ["=cmd|0", "=cmd|1", "=cmd|2"]);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn one_move_for_many_is_an_automation(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let mut ids = Vec::new();
    for number in 0..60 {
        ids.push(client.create(&format!("MANY-{number}")).await["id"].clone());
    }
    let other = client.create("OTHER").await;
    let failed = client.create("MANY-failed").await;
    client.make_move(&failed, json!({ "move": "fail", "error": "x" })).await;

    let path = "/api/v1/settlements/moves";
    let query = json!({ "q": "many" });
    let dry = json!({ "query": query, "move": "hold", "dryRun": true });
    let impact = post(client, path, dry, StatusCode::OK).await;
    assert_eq!(impact, json!({ "count": 60, "of": 61 }), "the failed one cannot be held");
    let begun = json!({ "query": query, "move": "hold", "reason": "audit" });
    let begun = post(client, path, begun, StatusCode::ACCEPTED).await;
    assert_eq!(begun["count"], 60);
    let automation = format!("/api/v1/automations/{}", begun["automationId"].as_str().expect("an id"));
    let ended = eventually("the end", async || {
        let run = client.json(&automation).await;
        (run["status"] != "started").then_some(run)
    })
    .await;
    assert_eq!(
        (&ended["status"], &ended["done"], &ended["skipped"]),
        (&json!("completed"), &json!(60), &json!(0))
    );
    let held = client.json("/api/v1/settlements?status=held&limit=200").await;
    let held = held["settlements"].as_array().expect("settlements");
    assert_eq!(held.len(), 60);
    assert!(held.iter().all(|row| row["id"] != other["id"] && row["holdReason"] == "audit"));

    for (body, pointer) in [
        (json!({ "ids": [], "move": "hold", "reason": "x" }), "#/ids"),
        (json!({ "ids": [other["id"]], "move": "submit" }), "#/move"),
        (json!({ "move": "hold" }), "#/ids"),
        (json!({ "ids": ["ord_01h455vb4pex5vsknk084sn02q"], "move": "hold" }), "#/ids"),
    ] {
        let problem = post(client, path, body.clone(), StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
    }
    let reader = server.client_with(&["events.read"]).await;
    post(&reader, path, json!({ "ids": ids, "move": "hold" }), StatusCode::FORBIDDEN).await;
    server.stop().await;
}

/// A project has thousands of end users: a page of a record does not carry all of them along.
#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_record_s_page_names_who_has_to_do_with_it_and_who_may_act_on_it(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ann = server.add_person(server.project, "ann@example.test", &["operator"], &[]).await;
    let vic = server.add_person(server.project, "vic@example.test", &["viewer"], &[]).await;
    let tom = server.add_person(server.project, "tom@example.test", &["tenant"], &[]).await;
    let made = server.client.create("INV-1").await;
    let path =
        format!("/fn/get_record?project=&module=settlements&id={}", made["id"].as_str().expect("an id"));
    let named = async |client: &Client| {
        let people = client.json(&path).await["data"]["people"].clone();
        let people = people.as_object().expect("people").clone();
        [ann, vic, tom].map(|person| people.contains_key(&person.to_string()))
    };
    let (anns, vics) = (server.session_of(ann).await, server.session_of(vic).await);
    assert_eq!(named(&anns).await, [true, false, false], "whoever may act on it can look after it");
    assert_eq!(named(&vics).await, [false, false, false], "and is for those to know who may hand it over");
    server.client.make_move(&made, json!({ "move": "assign", "assignee": tom })).await;
    assert_eq!(named(&anns).await, [true, false, true], "whoever looks after it has a name");
    assert_eq!(named(&vics).await, [false, false, true]);
    server.stop().await;
}

/// The list that Postgres gives is the one that the browser keeps right by events: the same records, in the same
/// order.
#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn lists_follow_the_rule_of_the_browser(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let modules = Modules::built_in();
    let module = modules.find("settlements").expect("a module").module();
    let ann = server.add_person(server.project, "ann@example.test", &["operator"], &[]).await;
    let names = ["INV-1001", "INV 1002 Müller", "PO_77 müllerei", "inv-2", "ÄRGER", "1001"];
    for (number, name) in names.iter().cycle().take(24).enumerate() {
        let currency = ["EUR", "USD", "JPY"][number % 3];
        let network = [json!("polygon"), Value::Null][number % 2].clone();
        let new = json!({ "reference": name, "amountMinor": 1 + (number * 7) % 5, "currency": currency, "network": network });
        let made = make(client, "settlements", new).await;
        if number % 4 == 0 {
            client.make_move(&made, json!({ "move": "hold", "reason": "x" })).await;
        } else if number % 4 == 2 {
            client.make_move(&made, json!({ "move": "assign", "assignee": ann })).await;
        }
    }
    let all: Vec<Record> = {
        let page = client.json("/api/v1/settlements?limit=200").await;
        serde_json::from_value(page["settlements"].clone()).expect("records")
    };
    let middle = all[12].created_at;
    let subject = Subject {
        project_id: server.project,
        permissions: tidewatch_events::PermissionSet::All,
        identities: [tidewatch_events::SubjectRef::staff()].into(),
    };
    let mut connection = db::begin_snapshot(&pool, server.project).await.expect("a snapshot");
    for text in [
        "status=held",
        "status=held,created",
        "q=inv",
        "q=INV-1001",
        "q=mü",
        "q=100",
        "q=ärger",
        "q=%27%22%5C%26%7C",
        "sort=oldest",
        "sort=amount",
        "sort=changed",
        "currency=EUR",
        "network=polygon",
        "currency=EUR&q=inv&sort=amount",
        "assignee=none",
        &format!("assignee={ann}"),
    ] {
        let query = read(text);
        compare(&mut connection, module, &subject, &all, &query).await;
    }
    let between = RecordQuery { from: Some(middle), limit: 200, ..RecordQuery::default() };
    compare(&mut connection, module, &subject, &all, &between).await;
    let by_id = RecordQuery { q: Some(all[3].id.to_string()), limit: 200, ..RecordQuery::default() };
    compare(&mut connection, module, &subject, &all, &by_id).await;
    server.stop().await;
}

fn read(text: &str) -> RecordQuery {
    let mut query = RecordQuery { limit: 200, ..RecordQuery::default() };
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=').expect("a pair");
        match name {
            "status" => query.status = Some(value.to_owned()),
            "q" => query.q = Some(value.to_owned()),
            "assignee" => query.assignee = Some(value.parse().expect("who looks after it")),
            "sort" => query.sort = value.parse().expect("an order"),
            field => drop(query.fields.insert(field.to_owned(), value.to_owned())),
        }
    }
    query
}

async fn compare(
    connection: &mut sqlx::PgConnection,
    module: &Module,
    subject: &Subject,
    all: &[Record],
    query: &RecordQuery,
) {
    let mut expected: Vec<&Record> = all.iter().filter(|record| query.matches(module, record)).collect();
    expected.sort_by_key(|record| query.key(module, record));
    if !query.sort.is_ascending() {
        expected.reverse();
    }
    let expected: Vec<String> = expected.iter().map(|record| record.id.to_string()).collect();
    let mut found = Vec::new();
    let mut after = None;
    let search = Search::new(connection, module, subject, query).await.expect("a search");
    loop {
        let page = search.list(connection, after.as_ref(), 5).await.expect("a page");
        after = page.last().map(|last| query.key(module, last));
        found.extend(page.iter().map(|record| record.id.to_string()));
        if page.len() < 5 {
            break;
        }
    }
    assert_eq!(found, expected, "{query:?}");
    let count = search.count(connection).await.expect("a count");
    assert_eq!(count, Count::Exact(expected.len() as u64), "{query:?}");
}
