//! The overview is read once for all who ask at the same moment and see the same, and anew after an event.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::statement_counter::StatementCounter;
use crate::support::{Client, TestServer, eventually, soon};

/// Requests at once.
const AT_ONCE: usize = 50;

/// A number of `/metrics`.
async fn metric(server: &TestServer, name: &str) -> u64 {
    let answer = server.client.anonymous().get("/metrics").send().await.expect("an answer");
    let text = answer.text().await.expect("a body");
    let line =
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {text}"));
    line.trim().parse().expect("a number")
}

async fn outcomes(server: &TestServer) -> [u64; 3] {
    let count = async |name: &str| {
        metric(server, &format!("tidewatch_overview_reads_total{{outcome=\"{name}\"}}")).await
    };
    [count("Hit").await, count("Miss").await, count("Coalesced").await]
}

async fn overview(client: &Client) -> Value {
    client.json("/fn/get_overview?project=").await
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn overview_of_fifty_at_once_is_one_read_of_postgres(pool: PgPool) {
    let counter = StatementCounter::start(&pool).await;
    let options = counter.options(&pool);
    let server = TestServer::start_with(&pool, |config| config.database.database_url.0 = options).await;
    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let ann = server.session_of(ann).await;
    let (begun, [_, misses, coalesced]) = (counter.snapshots(), outcomes(&server).await);

    // Nobody can read settlements until all have asked.
    let mut gate = pool.begin().await.expect("a transaction");
    sqlx::query("lock table settlements in access exclusive mode").execute(&mut *gate).await.expect("a lock");
    let asking: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let ann = ann.clone();
            tokio::spawn(async move { overview(&ann).await })
        })
        .collect();
    eventually("all of them to wait", async || {
        (metric(&server, "tidewatch_overview_reads_waiting").await == AT_ONCE as u64).then_some(())
    })
    .await;
    let waiting_in_postgres: i64 = sqlx::query_scalar(
        "select count(*) from pg_locks where relation = 'settlements'::regclass and not granted",
    )
    .fetch_one(&mut *gate)
    .await
    .expect("a count");
    assert!(waiting_in_postgres <= 1, "{waiting_in_postgres} wait in Postgres");
    gate.rollback().await.expect("the end");

    let mut answers = Vec::new();
    for one in asking {
        answers.push(soon("an answer", one).await.expect("no panic"));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "all were answered with the same");
    assert_eq!(counter.snapshots() - begun, 1, "snapshots of Postgres");
    let after = outcomes(&server).await;
    assert_eq!([after[1] - misses, after[2] - coalesced], [1, AT_ONCE as u64 - 1]);
    assert_eq!(metric(&server, "tidewatch_overview_reads_waiting").await, 0);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn overview_is_kept_until_an_event_and_goes_on_behind_its_position(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let ann = server.session_of(ann).await;
    let kept = eventually("a kept one", async || {
        let (first, hits) = (overview(&ann).await, outcomes(&server).await[0]);
        let second = overview(&ann).await;
        (outcomes(&server).await[0] > hits).then_some((first, second))
    })
    .await;
    assert_eq!(kept.0["asOf"], kept.1["asOf"]);
    assert_eq!(kept.0["resumeToken"], kept.1["resumeToken"]);

    server.client.create("INV-1").await;
    let after = eventually("the event", async || {
        let after = overview(&ann).await;
        (after["data"]["createdToday"] == 1).then_some(after)
    })
    .await;
    assert_eq!(after["data"]["recent"][0]["eventType"], "settlement.created");
    // Who was given the older one hears the event behind its position.
    let token = kept.1["resumeToken"].as_str().expect("a token");
    let page = ann.json(&format!("/api/v1/events?after={token}")).await;
    assert_eq!(page["events"][0]["eventId"], after["data"]["recent"][0]["eventId"]);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn overview_is_never_shared_between_different_rights(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ours = server.add_organization(server.project, "Ours").await;
    let theirs = server.add_organization(server.project, "Theirs").await;
    let staff = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let customer = server.add_person(server.project, "bob@example.test", &["landlord"], &[ours]).await;
    let nobody = server.add_person(server.project, "eve@example.test", &["contractor"], &[]).await;
    for (reference, organization) in [("OURS", ours), ("THEIRS", theirs)] {
        let body = json!({
            "reference": reference, "amountMinor": 100, "currency": "EUR", "organizationId": organization,
        });
        let answer = server.client.post("/api/v1/settlements").json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), 201);
    }
    let (staff, customer) = (server.session_of(staff).await, server.session_of(customer).await);
    eventually("both events", async || (overview(&staff).await["data"]["createdToday"] == 2).then_some(()))
        .await;
    eventually("one of them", async || {
        (overview(&customer).await["data"]["createdToday"] == 1).then_some(())
    })
    .await;
    // Many times and at once, with kept ones about.
    for _ in 0..20 {
        let (all, own) = tokio::join!(overview(&staff), overview(&customer));
        assert_eq!((&all["data"]["createdToday"], &own["data"]["createdToday"]), (&json!(2), &json!(1)));
        assert!(all.to_string().contains("THEIRS"));
        assert!(!own.to_string().contains("THEIRS"), "{own}");
    }
    // Whoever may not is told so, whatever is kept.
    let answer = server.session_of(nobody).await.get("/fn/get_overview?project=").send().await;
    let text = answer.expect("an answer").text().await.expect("a body");
    assert!(text.contains("forbidden") && !text.contains("byStatus"), "{text}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn overview_draws_its_charts_without_scripting(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let ann = server.session_of(ann).await;
    let steps = [
        json!({ "move": "select_network", "network": "polygon", "score": 90, "reasoning": "x", "required": 1 }),
        json!({ "move": "estimate_gas", "gasEstimate": 21_000 }),
        json!({ "move": "submit" }),
        json!({ "move": "confirm", "confirmations": 1 }),
        json!({ "move": "settle", "txHash": "0xabc", "gasActual": 20_000 }),
    ];
    let mut settlement = server.client.create("INV-1").await;
    for step in steps {
        settlement = server.client.make_move(&settlement, step).await;
    }
    for (range, buckets) in [("1h", 60), ("6h", 72), ("24h", 48), ("7d", 56)] {
        let trends = eventually("the settlement", async || {
            let overview = ann.json(&format!("/fn/get_overview?project=&range={range}")).await;
            let trends = overview["data"]["trends"].clone();
            let settled = trends["buckets"].as_array()?.iter().filter_map(|step| step["settled"].as_u64());
            (settled.sum::<u64>() == 1).then_some(trends)
        })
        .await;
        assert_eq!(trends["range"], range);
        assert_eq!(trends["buckets"].as_array().map(Vec::len), Some(buckets));
        assert_eq!(
            trends["volume"],
            json!([{ "currency": "EUR", "network": "polygon", "amountMinor": 1_248_050 }])
        );
        let last =
            trends["buckets"].as_array().and_then(|steps| steps.iter().rfind(|step| step["settled"] == 1));
        let last = last.expect("a step");
        assert!(
            last["lagP95Ms"].as_u64() <= last["lagMaxMs"].as_u64() && last["lagMaxMs"].is_u64(),
            "{last}"
        );

        let page = ann.get(&format!("/?range={range}")).send().await.expect("an answer");
        // Where one text ends and the next begins, hydration finds by a mark.
        let html = page.text().await.expect("HTML").replace("<!>", "");
        for part in [
            &format!("data-range=\"{range}\""),
            "id=\"chart-throughput\"",
            "id=\"chart-success\"",
            "id=\"chart-lag\"",
            "id=\"chart-volume-eur\"",
            "href=\"/?range=7d#panels\"",
            "<th scope=\"row\">polygon</th>",
            "12,480.50",
            "100.0 %",
        ] {
            assert!(html.contains(part), "{part} over {range}");
        }
    }
    // What the address says wrongly counts as not said.
    let html = ann.get("/?range=2h").send().await.expect("an answer").text().await.expect("HTML");
    assert!(html.contains("data-range=\"1h\""));
    server.stop().await;
}
