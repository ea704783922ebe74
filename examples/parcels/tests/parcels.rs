//! Parcels as people and programs meet them: the program with a PostgreSQL of its own, asked over HTTP.

use serde_json::json;
use sqlx::PgPool;
use tidewatch_server::testing::Program;

#[sqlx::test(migrations = false)]
async fn parcels_are_made_moved_told_and_shown(pool: PgPool) {
    let program = Program::start(env!("CARGO_BIN_EXE_parcels"), &pool).await;
    let admin = program.key(&["*"]).await;
    let mut events = admin.events("?types=parcel.*").await;

    let (status, made) = admin.post("/api/v1/parcels", json!({ "reference": "A-1", "items": 2 })).await;
    assert_eq!((status, &made["status"]), (201, &json!("waiting")), "{made}");
    let path = format!("/api/v1/parcels/{}", made["id"].as_str().expect("an id"));
    let moves = format!("{path}/moves");
    for (step, version, stands) in [("start", 1, "underway"), ("finish", 2, "done")] {
        let (status, moved) = admin.post(&moves, json!({ "move": step, "expectedVersion": version })).await;
        assert_eq!((status, &moved["status"]), (200, &json!(stands)), "{moved}");
    }
    let (status, refused) = admin.post(&moves, json!({ "move": "start", "expectedVersion": 3 })).await;
    assert_eq!(status, 409, "{refused}");
    for bad in [json!({ "reference": "", "items": 1 }), json!({ "reference": "A-2", "items": 0 })] {
        let (status, refused) = admin.post("/api/v1/parcels", bad).await;
        assert_eq!(status, 422, "{refused}");
    }
    for expected in ["parcel.created", "parcel.status_changed", "parcel.finished"] {
        let (name, event) = events.next().await;
        assert_eq!((name.as_str(), &event["aggregateId"]), (expected, &made["id"]));
    }

    // Who may read it sees list, chart and record, and nothing to press; who may act sees that as well.
    program.role("reader", &["events.read", "parcels.read"]).await;
    let reader = program.person("reader").await;
    let (status, list) = reader.get("/parcels").await;
    assert_eq!(status, 200, "{list}");
    for part in ["A-1", "data-status=\"done\"", "chart-parcels-by-status", "chart-parcels-over-time"] {
        assert!(list.contains(part), "{part}: {list}");
    }
    assert!(!list.contains("New parcel"), "{list}");
    let (_, list) = program.person("admin").await.get("/parcels").await;
    assert!(list.contains("New parcel"), "{list}");
    let (_, page) = reader.get(path.trim_start_matches("/api/v1")).await;
    assert!(page.contains("A-1") && page.contains("Finished") && page.contains("Underway → Done"), "{page}");

    // Who has no permission for it does not know of it.
    let viewer = program.person("viewer").await;
    let (_, overview) = viewer.get("/").await;
    assert!(overview.contains("href=\"/orders\"") && !overview.contains("href=\"/parcels\""), "{overview}");
    assert_eq!(viewer.get("/parcels").await.0, 403);
    assert_eq!(program.key(&["events.read"]).await.get(&path).await.0, 403);
    assert_eq!(program.key(&["parcels.read"]).await.get(&path).await.0, 200);

    // The other commands know it as well.
    for (command, says) in [("verify", "Parcels"), ("migrate", "up to date")] {
        let (ended_well, said) = program.run(&[command]).await;
        assert!(ended_well && said.contains(says), "{command}: {said}");
    }
    program.stop().await;
}
