//! The simulator is a customer like any other: it brings people in, and what takes two persons is done by two.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestServer, eventually};

/// The running program; it ends with the test, however that ends.
struct Simulator(Child);

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn people_come_and_a_second_person_releases(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| config.approval_limit_minor = 1).await;
    let ann = server.add_person(server.project, "ann@quay.example", &["admin"], &[]).await;
    let bob = server.add_person(server.project, "bob@quay.example", &["operator"], &[]).await;
    let first = server.client_for(server.project, &["*"], Some(ann)).await;
    let scopes = ["settlements.read", "settlements.act"];
    let second = server.client_for(server.project, &scopes, Some(bob)).await;
    // Enough of them that one of the few steps for what is held is taken soon.
    let mut held = Vec::new();
    for number in 0..5 {
        let settlement = first.create(&format!("BIG-{number}")).await;
        let hold = json!({ "move": "hold", "reason": "big" });
        held.push(first.make_move(&settlement, hold).await["id"].as_str().expect("an id").to_owned());
    }
    let simulator = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
        .args(["simulate", "--url", server.base(), "--rate", "200/s", "--open", "5"])
        .args(["--modules", "settlements,users", "--seed", "7"])
        .env("TIDEWATCH_API_KEY", first.key())
        .env("TIDEWATCH_SUPERVISOR_API_KEY", second.key())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Simulator)
        .expect("the program");
    eventually("a second person to release", async || {
        let audit = first.json("/api/v1/audit?action=settlement.release").await;
        let entries = audit["entries"].as_array().expect("entries");
        let of_key = |entry: &&Value| entry["actorName"] == second.key();
        entries.iter().find(of_key).map(drop)
    })
    .await;
    eventually("somebody to come, and to become something else", async || {
        let people = first.json("/api/v1/people").await;
        let people = people["people"].as_array().expect("people");
        people.iter().find(|person| {
            person["email"].as_str().is_some_and(|email| email.ends_with("@sim.tidewatch.local"))
        })?;
        let audit = first.json("/api/v1/audit?action=person.set").await;
        audit["entries"].as_array().expect("entries").first().map(drop)
    })
    .await;
    drop(simulator);
    let set = first.json("/api/v1/audit?action=person.set").await;
    let others =
        |entry: &&Value| !entry["targetName"].as_str().is_some_and(|to| to.ends_with("@sim.tidewatch.local"));
    assert!(set["entries"].as_array().expect("entries").iter().find(others).is_none(), "nobody else: {set}");
    server.stop().await;
}
