//! A module that does not come along with Tidewatch: that of `examples/parcels`, in this very process.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tidewatch_server::Tidewatch;
use tidewatch_server::rollups::catch_up;
use tidewatch_server::serve;
use tokio_util::sync::CancellationToken;

use crate::support::{Client, TestServer, config, read_json};

#[path = "../../../examples/parcels/src/parcel.rs"]
mod parcel;

static MIGRATIONS: Migrator = sqlx::migrate!("../examples/parcels/migrations");

fn with_parcels() -> Tidewatch {
    Tidewatch::new().module::<parcel::Parcel>().migrations("parcels", &MIGRATIONS)
}

pub(crate) async fn start(pool: &PgPool) -> TestServer {
    with_parcels().migrate(pool).await.expect("migrated");
    TestServer::start_as(with_parcels(), pool, |_| {}).await
}

/// Why a server with parcels does not start on this database.
async fn refusal(pool: &PgPool) -> String {
    let config = config(pool);
    let socket = serve::bind(config.listen).expect("a port");
    let ended = serve::run(&with_parcels(), socket, config, CancellationToken::new()).await;
    format!("{:#}", ended.expect_err("it does not start"))
}

async fn make(client: &Client, reference: &str) -> Value {
    let new = json!({ "reference": reference, "items": 1 });
    let answer = client.post("/api/v1/parcels").json(&new).send().await.expect("an answer");
    read_json(answer, StatusCode::CREATED).await
}

async fn move_on(client: &Client, parcel: &Value, step: &str) -> Value {
    let path = format!("/api/v1/parcels/{}/moves", parcel["id"].as_str().expect("an id"));
    let body = json!({ "move": step, "expectedVersion": parcel["version"] });
    read_json(client.post(&path).json(&body).send().await.expect("an answer"), StatusCode::OK).await
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn its_migrations_are_counted_by_themselves(pool: PgPool) {
    assert!(refusal(&pool).await.contains("migrations of parcels are not applied: 1"));
    for _ in 0..2 {
        with_parcels().migrate(&pool).await.expect("migrated");
    }
    let applied = async |table: &str| -> Vec<i64> {
        let versions = sqlx::AssertSqlSafe(format!("select version from {table} order by version"));
        sqlx::query_scalar(versions).fetch_all(&pool).await.expect("versions")
    };
    assert_eq!(applied("parcels_migrations").await, [1]);
    let own: Vec<i64> = serve::MIGRATIONS.iter().map(|migration| migration.version).collect();
    assert_eq!(applied("_sqlx_migrations").await, own);
    // Without the module, the same database serves as before.
    TestServer::start(&pool).await.stop().await;
    // What a migration forgot is said when it starts, and not by some request.
    sqlx::query("alter table parcels drop column items").execute(&pool).await.expect("dropped");
    assert!(refusal(&pool).await.contains("the table parcels has no column items"));
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn its_permissions_can_be_given_and_nobody_has_them_before(pool: PgPool) {
    let server = start(&pool).await;
    let project = server.client.json("/api/v1/project").await;
    let held = project["permissions"].as_array().expect("permissions");
    assert!(held.contains(&json!("parcels.read")) && held.contains(&json!("parcels.act")), "{held:?}");
    let role = |permission: &str| {
        let role = json!({ "title": "Post", "permissions": [permission] });
        server.client.put("/api/v1/roles/post").json(&role)
    };
    let unknown = role("parcels.fly").send().await.expect("an answer").status();
    assert_eq!(unknown, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(role("parcels.read").send().await.expect("an answer").status(), StatusCode::OK);
    let page = server.add_person(server.project, "ann@example.com", &["admin"], &[]).await;
    let page = server.session_of(page).await.get("/people").send().await.expect("a page");
    assert!(page.text().await.expect("a page").contains("value=\"parcels.read\""));

    make(&server.client, "A-1").await;
    for (scopes, status) in [(&["events.read"][..], 403), (&["parcels.read"], 200), (&["*"], 200)] {
        assert_eq!(server.client_with(scopes).await.status("/api/v1/parcels").await, status, "{scopes:?}");
    }
    // Neither does a stream tell who may not read them.
    server.client.create("INV-1").await;
    server.all_published().await;
    let mut stream = server.client_with(&["events.read"]).await.stream("?after=earliest").await;
    assert_eq!(stream.next().await.event, "settlement.created");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn nobody_else_tells_of_it(pool: PgPool) {
    let server = start(&pool).await;
    let made = make(&server.client, "A-1").await;
    for (event, pointer) in [
        (json!({ "eventType": "parcel.finished" }), "#/eventType"),
        (json!({ "aggregateType": "Parcel", "aggregateId": "mine" }), "#/aggregateType"),
        (json!({ "aggregateType": "Crate", "aggregateId": made["id"] }), "#/aggregateId"),
    ] {
        let mut event = event;
        event["channelName"] = json!("news");
        event["payload"] = json!({});
        let answer = server.client.try_publish(&event).send().await.expect("an answer");
        let problem = read_json(answer, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{event}: {problem}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn its_charts_count_what_is_there_however_far_sums_and_log_are(pool: PgPool) {
    let server = start(&pool).await;
    let person = server.add_person(server.project, "ann@example.com", &["admin"], &[]).await;
    let ann = server.session_of(person).await;
    let charts = async || ann.json("/fn/get_record_charts?project=&module=parcels").await;
    let statuses = async || -> Vec<u64> {
        let charts = charts().await;
        let counts = charts["data"]["byStatus"].as_array().expect("counts").clone();
        counts.iter().map(|entry| entry["count"].as_u64().expect("a count")).collect()
    };
    let events = async || -> u64 {
        let charts = charts().await;
        let steps = charts["data"]["overTime"]["steps"].as_array().expect("steps").clone();
        assert_eq!(steps.len(), 60);
        steps.iter().map(|step| step[1].as_u64().expect("a count")).sum()
    };
    assert_eq!((statuses().await, events().await), (vec![0, 0, 0, 0], 0));
    let first = make(&server.client, "A-1").await;
    make(&server.client, "A-2").await;
    let first = move_on(&server.client, &first, "start").await;
    // Settlements are none of its business.
    server.client.create("INV-1").await;
    server.all_published().await;
    assert_eq!((statuses().await, events().await), (vec![1, 1, 0, 0], 3));
    catch_up(&pool).await.expect("summed up");
    assert_eq!((statuses().await, events().await), (vec![1, 1, 0, 0], 3));
    move_on(&server.client, &first, "finish").await;
    server.all_published().await;
    assert_eq!((statuses().await, events().await), (vec![1, 0, 1, 0], 4));

    // What no reader has heard of yet does not count: it comes as an event.
    let mut ahead = pool.begin().await.expect("a transaction");
    sqlx::query(
        "update domain_events set position = null, published_at = null where event_type = 'parcel.finished'",
    )
    .execute(&mut *ahead)
    .await
    .expect("not published");
    let module = with_parcels();
    let module = module.modules().find("parcels").expect("a module").module();
    let subject = tidewatch_events::Subject {
        project_id: server.project,
        permissions: tidewatch_events::PermissionSet::All,
        identities: [tidewatch_events::SubjectRef::staff()].into(),
    };
    let mut counts =
        tidewatch_server::db::overview::count_as_of_log(&mut ahead, &subject, module).await.expect("counts");
    counts.retain(|(_, count)| *count != 0);
    counts.sort();
    assert_eq!(counts, [("underway".to_owned(), 1), ("waiting".to_owned(), 1)]);
    ahead.rollback().await.expect("as before");
    server.stop().await;
}
