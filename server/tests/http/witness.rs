//! The witness: random moves leave nothing to find, what somebody alters behind its back is found and named, and the
//! database lets nothing pass without its event.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, Executor, PgPool};
use tidewatch_app::model::WitnessReport;
use tidewatch_events::ProjectId;
use tidewatch_modules::{InputKind, Module};
use tidewatch_server::domain::Modules;
use tidewatch_server::witness::Witness;

use crate::support::{Client, TestServer, eventually, read_json};

/// Moves of the ordinary run; `WITNESS_MOVES` says another number.
const MOVES: usize = 2_000;

/// What the witness finds just now.
async fn look(pool: &PgPool, project: ProjectId) -> WitnessReport {
    let mut witness = eventually("the witness's turn", async || {
        Witness::begin(pool, &Modules::built_in(), project).await.expect("a look")
    })
    .await;
    while witness.step(&mut |_| {}).await.expect("a part") {}
    witness.finish().await.expect("a report")
}

fn named(report: &WitnessReport) -> Vec<String> {
    report.drifts().map(|drift| format!("{} {}: {}", drift.module, drift.id, drift.what)).collect()
}

/// Does something that no trigger lets pass.
async fn behind_its_back(pool: &PgPool, table: &str, change: &str) {
    let script = format!(
        "begin; alter table {table} disable trigger user; {change}; alter table {table} enable trigger user; commit;"
    );
    pool.execute(AssertSqlSafe(script)).await.expect("a change");
}

/// What `tidewatch_witness_drifts` says when an instance looks.
async fn drifts(pool: &PgPool) -> i64 {
    let mut connection = pool.acquire().await.expect("a connection");
    tidewatch_server::db::witness_runs::drifts(&mut connection).await.expect("a number")
}

/// A body for a new record of the module.
fn new_of(module: &Module, dice: &mut StdRng) -> Option<Value> {
    let currency = ["EUR", "USD", "JPY"].choose(dice)?;
    let amount = dice.random_range(1..2_000_000);
    Some(match &*module.name {
        "settlements" => {
            json!({ "reference": "INV", "amountMinor": amount * 10, "currency": currency, "network": "base" })
        }
        "orders" => json!({ "reference": "ORD", "totalMinor": amount, "currency": currency, "items": 3 }),
        "payments" => json!({ "reference": "PAY", "amountMinor": amount, "currency": currency }),
        "invoices" => json!({ "reference": "BILL", "amountMinor": amount, "currency": currency }),
        "tickets" => json!({ "title": "A leak", "description": "Water\nin the hold" }),
        "incidents" => json!({ "title": "Smoke", "severity": "low" }),
        "servers" => {
            json!({ "name": "Quay", "kind": "tcp", "address": "127.0.0.1:9", "intervalSeconds": 86_400 })
        }
        "automations" => json!({ "name": "Count", "total": 50 }),
        "logs" => {
            let level = ["info", "error", "debug"].choose(dice)?;
            json!({ "message": "It rains", "level": level })
        }
        _ => return None,
    })
}

/// A move that the record can make, with something for each of its details.
fn step_of(module: &Module, record: &Value, dice: &mut StdRng) -> Option<Value> {
    let status = record["status"].as_str()?;
    let rules: Vec<_> = module.moves_from(status).filter(|rule| rule.name != "report").collect();
    let rule = rules.choose(dice)?;
    let number = |name: &str| record[name].as_i64().unwrap_or_default();
    let mut step: Map<String, Value> = Map::from_iter([("move".to_owned(), (&*rule.name).into())]);
    for input in &rule.inputs {
        let value: Value = match &input.kind {
            InputKind::Choice(choices) => (&**choices.choose(dice)?).into(),
            InputKind::Number | InputKind::Money => dice.random_range(1..1_000).into(),
            // There is none here.
            InputKind::Organization => return None,
            InputKind::Text | InputKind::Paragraph => "as it is\nwith them".replace('\n', " ").into(),
        };
        step.insert(input.name.to_string(), value);
    }
    let more = match &*rule.name {
        "estimate_gas" => json!({ "gasEstimate": dice.random_range(0..50_000) }),
        "confirm" => json!({ "confirmations": number("confirmations") + dice.random_range(1..8) }),
        "settle" if module.name == "settlements" => json!({ "txHash": "0xabc" }),
        "progress" => json!({ "done": dice.random_range(0..=50) }),
        "hand" => return None,
        "refund" => {
            json!({ "amountMinor": dice.random_range(1..=number("amountMinor") - number("refundedMinor")) })
        }
        _ => json!({}),
    };
    step.extend(more.as_object()?.clone());
    Some(Value::Object(step))
}

/// Random moves, makings, assignments and comments over all modules. `moves` of them went well.
async fn sail(client: &Client, moves: usize, seed: u64) {
    let modules = Modules::built_in();
    let modules: Vec<&Module> = modules.descriptions().filter(|module| module.name != "balances").collect();
    let mut dice = StdRng::seed_from_u64(seed);
    let mut records: Vec<(usize, Value)> = Vec::new();
    let mut made = 0;
    while made < moves {
        let known = (0..records.len()).collect::<Vec<_>>().choose(&mut dice).copied();
        let (number, path, body) = match known.filter(|_| dice.random_range(0..5) > 0) {
            None => {
                let which = dice.random_range(0..modules.len());
                let Some(body) = new_of(modules[which], &mut dice) else { continue };
                let path = format!("/api/v1/{}", modules[which].name);
                let answer = client.post(&path).json(&body).send().await.expect("an answer");
                records.push((which, read_json(answer, StatusCode::CREATED).await));
                made += 1;
                continue;
            }
            Some(number) => {
                let (which, record) = &records[number];
                let path =
                    format!("/api/v1/{}/{}", modules[*which].name, record["id"].as_str().expect("an id"));
                if dice.random_range(0..20) == 0 {
                    (number, format!("{path}/comments"), json!({ "text": "I have \"seen\" it." }))
                } else {
                    let Some(mut step) = step_of(modules[*which], record, &mut dice) else { continue };
                    step["expectedVersion"] = record["version"].clone();
                    (number, format!("{path}/moves"), step)
                }
            }
        };
        let answer = client.post(&path).json(&body).send().await.expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.expect("a body"));
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        match status.as_u16() {
            // Moves of payments move orders, too: what is there now is told.
            409 if answer["current"].is_object() => records[number].1 = answer["current"].clone(),
            // Above the limit two people release, and here is one.
            409 => {}
            200 | 201 => {
                made += 1;
                if path.ends_with("/moves") {
                    records[number].1 = answer;
                }
            }
            _ => panic!("{path} {body}: {status} {text}"),
        }
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn random_moves_over_all_modules_leave_nothing_to_find(pool: PgPool) {
    let moves = std::env::var("WITNESS_MOVES").ok().and_then(|moves| moves.parse().ok()).unwrap_or(MOVES);
    let server = TestServer::start(&pool).await;
    let started = std::time::Instant::now();
    sail(&server.client, moves, 20_261_121).await;
    let sailed = started.elapsed();
    let report = look(&pool, server.project).await;
    assert_eq!(named(&report), Vec::<String>::new());
    assert!(report.is_clean());
    for module in &report.modules {
        assert!(module.records > 0, "{} has records: {report:?}", module.module);
        assert!(module.totals.iter().all(|total| total.table_minor == total.events_minor), "{module:?}");
    }
    assert!(!report.money.is_empty());
    assert!(report.money.iter().all(|money| money.sum_minor == 0 && money.debit_minor > 0), "{report:?}");
    assert!(report.events > u64::try_from(moves).expect("a number"));
    eprintln!("{moves} moves in {sailed:?}: {} events looked at in {} ms", report.events, report.duration_ms);
    server.stop().await;
}

async fn captured_payment(client: &Client) -> Value {
    let body = json!({ "reference": "PAY-1", "amountMinor": 90, "currency": "EUR" });
    let answer = client.post("/api/v1/payments").json(&body).send().await.expect("an answer");
    let mut payment = read_json(answer, StatusCode::CREATED).await;
    for step in ["authorize", "capture"] {
        let path = format!("/api/v1/payments/{}/moves", payment["id"].as_str().expect("an id"));
        let body = json!({ "move": step, "expectedVersion": payment["version"] });
        payment =
            read_json(client.post(&path).json(&body).send().await.expect("an answer"), StatusCode::OK).await;
    }
    payment
}

/// Asks for a run, and waits for its end.
async fn run(client: &Client) -> Value {
    let before = client.json("/api/v1/witness").await["runs"].as_array().expect("runs").len();
    let answer = client.post("/api/v1/witness").send().await.expect("an answer");
    assert!(read_json(answer, StatusCode::ACCEPTED).await["jobId"].is_string());
    eventually("the run", async || {
        let page = client.json("/api/v1/witness").await;
        let runs = page["runs"].as_array().expect("runs");
        (runs.len() > before && runs[0]["outcome"].is_string()).then_some(page)
    })
    .await
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_altered_row_is_an_incident_until_it_is_repaired(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let payment = captured_payment(client).await;
    let id = payment["id"].as_str().expect("an id");
    let page = run(client).await;
    assert_eq!((&page["runs"][0]["outcome"], &page["report"]["driftCount"]), (&json!("clean"), &json!(0)));
    assert_eq!(page["report"]["money"][0]["sumMinor"], 0);

    behind_its_back(&pool, "payments", "update payments set amount_minor = 100").await;
    let page = run(client).await;
    assert_eq!(page["runs"][0]["outcome"], "drift");
    let drift = json!({
        "module": "payments", "id": id, "what": "amountMinor: the table says 100, the events say 90",
    });
    let payments =
        page["report"]["modules"].as_array().expect("modules").iter().find(|it| it["module"] == "payments");
    assert_eq!(payments.expect("payments")["drifts"], json!([drift]));
    assert_eq!(payments.expect("payments")["totals"][0]["tableMinor"], 100);
    assert_eq!(payments.expect("payments")["totals"][0]["eventsMinor"], 90);
    let incidents = client.json("/api/v1/incidents").await;
    let incidents = incidents["incidents"].as_array().expect("incidents");
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    let incident = &incidents[0];
    assert_eq!((&incident["severity"], &incident["status"]), (&json!("critical"), &json!("open")));
    assert!(incident["title"].as_str().is_some_and(|title| title.contains(id)), "{incident}");
    assert_eq!(incident["source"], id);
    assert_eq!(incident["description"], drift["what"]);

    // The same difference is no second incident.
    run(client).await;
    assert_eq!(client.json("/api/v1/incidents").await["incidents"].as_array().map(Vec::len), Some(1));

    assert_eq!(drifts(&pool).await, 1, "of the last run, and not of all");
    behind_its_back(&pool, "payments", "update payments set amount_minor = 90").await;
    let page = run(client).await;
    assert_eq!(page["runs"][0]["outcome"], "clean");
    let resolved =
        client.json(&format!("/api/v1/incidents/{}", incident["id"].as_str().expect("an id"))).await;
    assert_eq!(resolved["status"], "resolved");
    assert!(resolved["resolution"].as_str().is_some_and(|text| text.contains(id)), "{resolved}");

    // Each run is a record of its own, and none is left open.
    let automations = client.json("/api/v1/automations").await;
    let automations = automations["automations"].as_array().expect("automations");
    assert_eq!(automations.len(), 4);
    assert!(automations.iter().all(|run| run["status"] == "completed"), "{automations:?}");
    let metrics = client.get("/metrics").send().await.expect("an answer").text().await.expect("a body");
    assert!(metrics.contains("tidewatch_witness_runs_total{outcome=\"drift\"} 2"), "{metrics}");
    assert_eq!(drifts(&pool).await, 0);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn of_many_differences_twenty_are_incidents_and_the_rest_is_one(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for number in 0..23 {
        server.client.create(&format!("INV-{number}")).await;
    }
    behind_its_back(&pool, "settlements", "update settlements set reference = 'altered'").await;
    let page = run(&server.client).await;
    assert_eq!(page["report"]["driftCount"], 23);
    let incidents = server.client.json("/api/v1/incidents?limit=100").await;
    let incidents = incidents["incidents"].as_array().expect("incidents").clone();
    assert_eq!(incidents.len(), 21);
    let rest = incidents.iter().find(|incident| incident["source"].is_null()).expect("one about the rest");
    assert_eq!(rest["title"], "3 more records are not as their events say");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_event_that_is_gone_or_altered_is_found(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let payment = captured_payment(&server.client).await;
    let id = payment["id"].as_str().expect("an id").to_owned();
    let comment = json!({ "text": "It is right." });
    let path = format!("/api/v1/payments/{id}/comments");
    let answer = server.client.post(&path).json(&comment).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(named(&look(&pool, server.project).await), Vec::<String>::new());

    let altered = "update domain_events set payload = jsonb_set(payload, '{amountMinor}', '80')
                   where aggregate_id = $1 and aggregate_version = 3";
    sqlx::query(altered).bind(&id).execute(&pool).await.expect("a change");
    let report = named(&look(&pool, server.project).await);
    assert_eq!(report, [format!("payments {id}: amountMinor: the table says 90, the events say 80")]);

    let gone = "delete from domain_events where aggregate_id = $1 and aggregate_version = 2";
    sqlx::query(gone).bind(&id).execute(&pool).await.expect("a change");
    let report = named(&look(&pool, server.project).await);
    assert!(report.contains(&format!("payments {id}: version 2 has no event")), "{report:?}");

    sqlx::query("delete from domain_events where aggregate_id = $1")
        .bind(&id)
        .execute(&pool)
        .await
        .expect("gone");
    let report = named(&look(&pool, server.project).await);
    assert_eq!(report, [format!("payments {id}: it stands in the table, and no event tells of it")]);

    // Comments and money as well.
    pool.execute("update domain_events set payload = payload || '{\"text\": \"It is wrong.\"}' where event_type = 'comment.created'")
        .await
        .expect("a change");
    pool.execute("update domain_events set payload = payload || '{\"deltaMinor\": 1}' where event_type = 'balance.updated'
                  and payload ->> 'account' = 'cash'")
        .await
        .expect("a change");
    let report = named(&look(&pool, server.project).await).join("\n");
    for said in [
        "text: the table says `It is right.`, the events say `It is wrong.`",
        "from 0 it moved by 1 to 90",
        "the ledger's entries come to 90, the events' deltas to 1",
    ] {
        assert!(report.contains(said), "{report}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn money_that_comes_from_nowhere_is_found(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    captured_payment(&server.client).await;
    behind_its_back(
        &pool,
        "balances",
        "update balances set balance_minor = balance_minor + 5 where account = 'cash'",
    )
    .await;
    let report = named(&look(&pool, server.project).await).join("\n");
    for said in [
        "balanceMinor: the table says 95, the events say 90",
        "balanceMinor: the table says 95, the ledger's entries come to 90",
        "balances EUR: all accounts in EUR come to 5, and not to zero",
    ] {
        assert!(report.contains(said), "{report}");
    }
    behind_its_back(
        &pool,
        "ledger_entries",
        "update ledger_entries set delta_minor = delta_minor + 5 where delta_minor > 0",
    )
    .await;
    let report = named(&look(&pool, server.project).await).join("\n");
    assert!(report.contains("a movement of money comes to 5 EUR, and not to zero"), "{report}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn retention_is_no_difference(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let payment = captured_payment(&server.client).await;
    eventually("everything to be published", async || {
        let waiting: i64 = sqlx::query_scalar("select count(*) from domain_events where position is null")
            .fetch_one(&pool)
            .await
            .expect("a count");
        (waiting == 0).then_some(())
    })
    .await;
    // As retention leaves it some days later: the first events are gone with their days.
    let script = "delete from domain_events where aggregate_version < 3;
                  update domain_events set recorded_on = recorded_on + 2;
                  update project_streams set oldest_position = 3;
                  do $$ begin
                      for past in -1..1 loop
                          execute format('drop table if exists domain_events_%s',
                                         to_char((now() at time zone 'utc')::date + past, 'YYYYMMDD'));
                      end loop;
                  end $$";
    pool.execute(script).await.expect("a change");
    let clean = look(&pool, server.project).await;
    assert_eq!(named(&clean), Vec::<String>::new(), "all of it happened before the oldest day");
    let payments = clean.modules.iter().find(|module| module.module == "payments").expect("payments");
    assert_eq!((payments.records, payments.events, payments.beyond_retention), (1, 1, 1));
    behind_its_back(&pool, "payments", "update payments set amount_minor = 100").await;
    let report = named(&look(&pool, server.project).await);
    let id = payment["id"].as_str().expect("an id");
    assert_eq!(report, [format!("payments {id}: amountMinor: the table says 100, the events say 90")]);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn no_table_lets_a_move_pass_without_its_event(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    sail(&server.client, 60, 7).await;
    captured_payment(&server.client).await;
    let modules = Modules::built_in();
    let mut dice = StdRng::seed_from_u64(1);
    for module in modules.descriptions() {
        let table = &module.name;
        if let Some(new) = new_of(module, &mut dice) {
            let answer =
                server.client.post(&format!("/api/v1/{table}")).json(&new).send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::CREATED);
        }
        let one = format!("where id = (select min(id::text)::uuid from {table})");
        for (change, constraint) in [
            (format!("update {table} set version = version + 1 {one}"), "event_of_version"),
            (format!("update {table} set updated_at = now() {one}"), "next_version"),
            (format!("update {table} set version = version + 2 {one}"), "next_version"),
            (format!("delete from {table} {one}"), "never_deleted"),
        ] {
            let error = pool.execute(AssertSqlSafe(change.clone())).await.expect_err(&change);
            let violated = error.as_database_error().and_then(|error| error.constraint());
            // A balance asks for its entry first.
            let by_its_entry = (table == "balances").then_some("balances_entry");
            assert!(
                violated == Some(&format!("{table}_{constraint}"))
                    || violated.is_some() && violated == by_its_entry,
                "{change}: {error}"
            );
        }
    }
    assert_eq!(named(&look(&pool, server.project).await), Vec::<String>::new());
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn no_balance_moves_without_its_entry_and_no_entry_alone(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    captured_payment(&server.client).await;
    let copy = "insert into ledger_entries
                select gen_random_uuid(), project_id, gen_random_uuid(), balance_id, balance_version + 1, currency, 5,
                       balance_minor + 5, cause, now() from ledger_entries limit 1";
    let with_event =
        "insert into domain_events (event_id, project_id, event_type, aggregate_type, aggregate_id,
                             aggregate_version, occurred_at, payload)
                      select gen_random_uuid(), project_id, event_type, aggregate_type, aggregate_id,
                             aggregate_version + 1, occurred_at, payload
                      from domain_events where aggregate_type = 'Balance' and payload ->> 'account' = 'cash'";
    let update =
        "update balances set balance_minor = balance_minor + 5, version = version + 1 where account = 'cash'";
    for (change, constraint) in [
        (copy.to_owned(), "ledger_entries_balanced"),
        ("delete from ledger_entries where delta_minor > 0".to_owned(), "ledger_entries_balanced"),
        (format!("begin; {with_event}; {update}; commit"), "balances_entry"),
    ] {
        let mut connection = pool.acquire().await.expect("a connection");
        let error = connection.execute(AssertSqlSafe(change.clone())).await.expect_err(&change);
        let violated = error.as_database_error().and_then(|error| error.constraint());
        assert_eq!(violated, Some(constraint), "{change}: {error}");
        connection.execute("rollback").await.expect("an end");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn runs_are_for_those_who_may(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let auditor = server.client_with(&["audit.view"]).await;
    assert_eq!(auditor.json("/api/v1/witness").await["mayRun"], false);
    let post =
        async |client: &Client| client.post("/api/v1/witness").send().await.expect("an answer").status();
    assert_eq!(post(&auditor).await, StatusCode::FORBIDDEN);
    let actor = server.client_with(&["jobs.act"]).await;
    assert_eq!(actor.status("/api/v1/witness").await, 403);
    assert_eq!(post(&actor).await, StatusCode::FORBIDDEN);
    assert_eq!(server.client.anonymous().status("/api/v1/witness").await, 401);
    assert_eq!(server.client.status("/api/v1/witness?limit=1").await, 400);

    run(&server.client).await;
    let other = server.add_project("other").await;
    let stranger = server.client_of(other, &["*"]).await;
    assert_eq!(stranger.json("/api/v1/witness").await["runs"], json!([]), "another project's runs");
    let admin = server.add_person(server.project, "ann@example.test", &["admin"], &[]).await;
    let page = server.session_of(admin).await.get("/witness").send().await.expect("a page");
    let html = page.text().await.expect("a body");
    for part in ["data-outcome=\"clean\"", "data-module=\"payments\"", "value=\"runWitness\"", "Clean"] {
        assert!(html.contains(part), "{part} in {html}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn each_project_has_its_run_by_the_clock(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| config.witness_minutes = 60).await;
    let other = server.add_project("other").await;
    let jobs = async || -> Vec<String> {
        sqlx::query_scalar(
            "select project_id::text from jobs where kind = 'witness.run' and state = 'scheduled'",
        )
        .fetch_all(&pool)
        .await
        .expect("jobs")
    };
    server.stop().await;
    // The next start finds the project that was made meanwhile.
    let server = TestServer::start_with(&pool, |config| config.witness_minutes = 60).await;
    let both = [server.project.uuid().to_string(), other.uuid().to_string()];
    let scheduled = eventually("both", async || {
        let scheduled = jobs().await;
        (scheduled.len() >= 2).then_some(scheduled)
    })
    .await;
    assert!(scheduled.len() == 2 && both.iter().all(|project| scheduled.contains(project)), "{scheduled:?}");
    // Its time has come: it looks, and comes again in an hour.
    pool.execute("update jobs set run_at = now() where kind = 'witness.run'").await.expect("a change");
    eventually("a run of each", async || {
        let runs: i64 = sqlx::query_scalar("select count(*) from witness_runs where outcome = 'clean'")
            .fetch_one(&pool)
            .await
            .expect("a count");
        (runs == 2 && jobs().await.len() == 2).then_some(())
    })
    .await;
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn at_the_terminal_the_code_says_what_it_found(pool: PgPool) {
    let (code, said) = crate::command_line::tidewatch_code(&pool, &["verify"]).await;
    assert_eq!((code, said.contains("no project yet")), (Some(0), true), "{said}");
    let server = TestServer::start(&pool).await;
    captured_payment(&server.client).await;
    let (code, said) = crate::command_line::tidewatch_code(&pool, &["verify"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("stand as their") && said.contains("Payments"), "{said}");
    behind_its_back(&pool, "payments", "update payments set amount_minor = 100").await;
    let (code, said) =
        crate::command_line::tidewatch_code(&pool, &["verify", "--project", "demo", "--json"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("amountMinor: the table says 100, the events say 90"), "{said}");
    let (code, said) = crate::command_line::tidewatch_code(&pool, &["verify", "--project", "nowhere"]).await;
    assert_eq!(code, Some(2), "{said}");
    server.stop().await;
}
