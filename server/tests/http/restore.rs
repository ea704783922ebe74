//! A backup, made and restored as docs/operations.md says: by PostgreSQL's own programs and `scripts/restore.sh`.

use std::path::Path;

use sqlx::{Executor, PgPool};
use tidewatch_events::Position;
use tidewatch_events::position::{Epoch, PositionToken};
use tokio::process::Command;

use crate::support::{SECRET, TestServer, database_url};

/// Whether it ended well, and all that it said.
async fn run(program: &str, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("TIDEWATCH_BIN", env!("CARGO_BIN_EXE_tidewatch"))
        .env("TIDEWATCH_SECRET", SECRET);
    let output = command.output().await.unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// Of which major version of PostgreSQL it is; `None`: it is not on this machine.
async fn major_of(program: &str) -> Option<i32> {
    let output = Command::new(program).arg("--version").output().await.ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = said.split(' ').find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    version.split('.').next()?.trim().parse().ok()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_backup_comes_back_whole_and_readers_go_on_or_are_told(pool: PgPool) {
    let version: String =
        sqlx::query_scalar("show server_version_num").fetch_one(&pool).await.expect("a version");
    let server_major = version.parse::<i32>().expect("a number") / 10_000;
    for program in ["pg_dump", "pg_restore", "psql"] {
        // An older one refuses a newer server.
        if major_of(program).await.is_none_or(|major| major < server_major) {
            eprintln!("left out: no {program} of PostgreSQL {server_major} is on this machine");
            return;
        }
    }
    let server = TestServer::start(&pool).await;
    let mut stream = server.client.stream("?types=settlement.*").await;
    let mut kept = Vec::new();
    for reference in ["KEPT-1", "KEPT-2", "KEPT-3"] {
        server.client.create(reference).await;
        kept.push(stream.next().await.id.expect("an id"));
    }
    let folder = std::env::temp_dir().join(format!("tidewatch-{}", uuid::Uuid::now_v7().simple()));
    std::fs::create_dir(&folder).expect("a folder");
    let dump = folder.join("tidewatch.dump");
    let dump = dump.to_str().expect("a path");
    let to = format!("--file={dump}");
    let (well, said) =
        run("pg_dump", &["--format=custom", "--no-unlogged-table-data", &to, &database_url(&pool)]).await;
    assert!(well, "{said}");

    // Behind the backup: an event, and what a reader keeps of it.
    server.client.create("LOST").await;
    let lost = stream.next().await;
    let position = lost.data["position"].as_u64().and_then(Position::new).expect("a position");
    let epoch: i64 =
        sqlx::query_scalar("select epoch from project_streams").fetch_one(&pool).await.expect("an epoch");
    let token = PositionToken { epoch: Epoch(u32::try_from(epoch).expect("an epoch")), position };
    server.stop().await;

    let options = pool.connect_options();
    let name = format!("restored_{}", uuid::Uuid::now_v7().simple());
    let create = sqlx::AssertSqlSafe(format!("create database \"{name}\""));
    pool.execute(create).await.expect("a database");
    let restored = PgPool::connect_with((*options).clone().database(&name)).await.expect("a connection");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/restore.sh");
    let script = script.to_str().expect("a path");
    let (well, said) = run(script, &[dump, &database_url(&restored)]).await;
    assert!(well, "{said}");
    assert!(said.contains("1 streams begin a new history"), "{said}");
    assert!(said.contains("3 records stand as their"), "the witness has looked: {said}");
    let (well, said) = run(script, &[dump, &database_url(&restored)]).await;
    assert!(!well && said.contains("not empty"), "nothing is restored over something: {said}");

    let server = TestServer::start(&restored).await;
    let mut stream = server.client.stream(&format!("?types=settlement.*&after={}", kept[0])).await;
    assert_eq!(stream.connected.data["recovered"], true);
    for id in &kept[1..] {
        assert_eq!(stream.next().await.id.as_ref(), Some(id), "what has followed it, each once");
    }
    server.client.create("NEW").await;
    let new = stream.next().await;
    assert_eq!(new.data["payload"]["reference"], "NEW");
    // The numbers of what was lost are given again; who knows of them is told so, and not led to another event.
    assert!(new.data["position"].as_u64() <= lost.data["position"].as_u64(), "{new:?}");
    for start in [lost.id.expect("an id"), token.to_string()] {
        let mut stream = server.client.stream(&format!("?after={start}")).await;
        assert_eq!(stream.connected.data["recovered"], false, "{start}");
        assert_eq!(stream.next().await.data["code"], "HistoryGap", "{start}");
    }
    server.stop().await;
    restored.close().await;
    pool.execute(sqlx::AssertSqlSafe(format!("drop database \"{name}\""))).await.expect("dropped");
    std::fs::remove_dir_all(&folder).expect("removed");
}
