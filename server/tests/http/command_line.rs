//! `tidewatch keys`, `users`, `projects` and `doctor`, as an administrator calls them.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{PASSWORD, SECRET, TestServer, database_url, eventually};

/// What the command said, and whether it went well.
async fn tidewatch(pool: &PgPool, arguments: &[&str], input: &str) -> (bool, String) {
    let (code, said) = tidewatch_with(pool, arguments, input).await;
    (code == Some(0), said)
}

/// What the command said, and the code that it ended with.
pub(crate) async fn tidewatch_code(pool: &PgPool, arguments: &[&str]) -> (Option<i32>, String) {
    tidewatch_with(pool, arguments, "").await
}

async fn tidewatch_with(pool: &PgPool, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let url = database_url(pool);
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let input = input.to_owned();
    let run = move || {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
            .args(arguments)
            .env("DATABASE_URL", url)
            .env("TIDEWATCH_SECRET", SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut stdin = child.stdin.take().expect("an input");
        // A command that reads nothing may have ended already.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("an end")
    };
    let output = tokio::task::spawn_blocking(run).await.expect("no panic");
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), said)
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn keys_are_made_rotated_and_deleted(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (ok, key) = tidewatch(&pool, &["keys", "create", "billing", "--scope", "events.read"], "").await;
    assert!(ok, "{key}");
    let old = server.client.with_key(key.trim());
    assert_eq!(old.status("/api/v1/settlements").await, 200);
    let (_, list) = tidewatch(&pool, &["keys", "list"], "").await;
    let line = list.lines().find(|line| line.contains("billing")).expect("the key");
    assert!(!list.contains(key.trim()), "{list}");
    let id = line.split_whitespace().next().expect("an id");
    let (ok, new) = tidewatch(&pool, &["keys", "rotate", id, "--overlap-hours", "0"], "").await;
    assert!(ok, "{new}");
    assert_eq!(old.status("/api/v1/settlements").await, 401);
    let new = server.client.with_key(new.trim());
    assert_eq!(new.status("/api/v1/settlements").await, 200);
    let (_, list) = tidewatch(&pool, &["keys", "list"], "").await;
    for line in list.lines().filter(|line| line.contains("billing")) {
        let id = line.split_whitespace().next().expect("an id");
        assert!(tidewatch(&pool, &["keys", "delete", id], "").await.0);
    }
    assert_eq!(new.status("/api/v1/settlements").await, 401);
    for (arguments, said) in [
        (vec!["keys", "create", "x", "--scope", "everything"], "is no scope"),
        (vec!["keys", "--project", "nowhere", "list"], "there is no project `nowhere`"),
        (vec!["keys", "delete", "key_01h455vb4pex5vsknk084sn02q"], "has no key"),
        (vec!["keys", "delete", "nonsense"], "key_"),
    ] {
        let (ok, output) = tidewatch(&pool, &arguments, "").await;
        assert!(!ok && output.contains(said), "{arguments:?}: {output}");
    }
    let log = server.client.json("/api/v1/audit?actor=system:cli").await;
    assert_eq!(log["entries"].as_array().map(Vec::len), Some(4));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn people_are_made_changed_and_kept_out(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let email = "ann@example.test";
    assert!(tidewatch(&pool, &["projects", "create", "quay", "--name", "Quay"], "").await.0);
    let create = [
        "users",
        "--project",
        "quay",
        "create",
        email,
        "--name",
        "Ann",
        "--role",
        "viewer",
        "--password-stdin",
    ];
    let (ok, said) = tidewatch(&pool, &create, "correct horse battery staple\n").await;
    assert!(ok && !said.contains("Password"), "{said}");
    assert!(!tidewatch(&pool, &create, PASSWORD).await.0, "a second time");
    let cookie = server.log_in(email, PASSWORD).await.expect("a login");
    let ann = server.client.with_cookie(&cookie);
    assert_eq!(ann.json("/api/v1/project").await["slug"], "quay");
    let roles = ["users", "--project", "quay", "roles", email, "--role", "operator"];
    assert!(tidewatch(&pool, &roles, "").await.0);
    let (_, list) = tidewatch(&pool, &["users", "--project", "quay", "list"], "").await;
    assert!(list.contains("ann@example.test  Ann  operator"), "{list}");
    let (ok, said) = tidewatch(&pool, &["users", "--project", "quay", "password", email], "").await;
    assert!(ok && said.contains("1 logins have ended"), "{said}");
    assert_eq!(ann.status("/api/v1/settlements").await, 401);
    let password = said.split("Password: ").nth(1).expect("a password").trim();
    let cookie = server.log_in(email, password).await.expect("a login");
    let ann = server.client.with_cookie(&cookie);
    assert!(tidewatch(&pool, &["users", "--project", "quay", "disable", email], "").await.0);
    assert_eq!(ann.status("/api/v1/settlements").await, 401);
    assert!(server.log_in(email, password).await.is_none());
    assert!(tidewatch(&pool, &["users", "--project", "quay", "enable", email], "").await.0);
    assert!(tidewatch(&pool, &["users", "--project", "quay", "remove", email], "").await.0);
    assert_eq!(ann.status("/api/v1/settlements").await, 401, "in no project");
    for (arguments, said) in [
        (vec!["users", "create", "nonsense", "--name", "X", "--role", "viewer"], "e-mail address"),
        (vec!["users", "create", "x@y.test", "--name", "X", "--role", "king"], "is no role"),
        (vec!["projects", "create", "Quay!", "--name", "X"], "must be 1 to 63"),
        (vec!["projects", "create", "quay", "--name", "X"], "already"),
    ] {
        let (ok, output) = tidewatch(&pool, &arguments, "").await;
        assert!(!ok && output.contains(said), "{arguments:?}: {output}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn programs_are_answered_as_json(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ask = async |arguments: &[&str]| {
        let (code, said) = tidewatch_code(&pool, arguments).await;
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        serde_json::from_str::<Value>(&said).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"))
    };
    let made = ask(&["projects", "create", "quay", "--name", "Quay", "--json"]).await;
    assert_eq!(made, json!({ "project": { "slug": "quay", "name": "Quay" } }));
    let projects = ask(&["projects", "--json", "list"]).await;
    assert_eq!(projects["projects"].as_array().map(Vec::len), Some(2), "{projects}");

    let made = ask(&["keys", "create", "billing", "--scope", "events.read", "--json"]).await;
    let secret = made["secret"].as_str().expect("a secret");
    assert_eq!(server.client.with_key(secret).status("/api/v1/settlements").await, 200);
    let id = made["key"]["id"].as_str().expect("an id").to_owned();
    let keys = ask(&["keys", "list", "--json"]).await;
    assert!(keys["keys"].as_array().is_some_and(|keys| keys.iter().any(|key| key["id"] == id)), "{keys}");
    assert!(!keys.to_string().contains(secret), "{keys}");
    assert_eq!(ask(&["keys", "delete", &id, "--json"]).await, json!({ "deleted": id }));

    let create = ["users", "create", "ann@example.test", "--name", "Ann", "--role", "viewer", "--json"];
    let made = ask(&create).await;
    let password = made["password"].as_str().expect("a password");
    assert!(server.log_in("ann@example.test", password).await.is_some());
    assert_eq!(made["person"]["roles"], json!(["viewer"]));
    let again = ask(&["users", "password", "ann@example.test", "--json"]).await;
    assert_eq!(again["endedLogins"], 1, "{again}");
    let people = ask(&["users", "list", "--json"]).await;
    let emails = |people: &Value| {
        people["people"]
            .as_array()
            .expect("people")
            .iter()
            .map(|one| one["email"].clone())
            .collect::<Vec<_>>()
    };
    assert!(emails(&people).contains(&json!("ann@example.test")), "{people}");
    let disabled = ask(&["users", "disable", "ann@example.test", "--json"]).await;
    assert_eq!(disabled["disabled"], true);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_server_s_health_is_a_code_to_end_with(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let url = format!("http://{}", server.address());
    assert_eq!(tidewatch_code(&pool, &["health", "--url", &url]).await.0, Some(0));
    let (code, said) = tidewatch_code(&pool, &["health", "--alive", "--json", "--url", &url]).await;
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, &said["alive"]), (Some(0), &json!(true)));
    server.stop().await;
    let (code, said) = tidewatch_code(&pool, &["health", "--url", &url]).await;
    assert!(code == Some(1) && said.contains("is not ready"), "{said}");
}

/// What `tidewatch doctor` says of a check: how bad it is, and all of it.
fn found<'a>(report: &'a Value, check: &str) -> (&'a str, &'a Value) {
    let findings = report["findings"].as_array().expect("findings");
    let finding = findings.iter().find(|finding| finding["check"] == check);
    let finding = finding.unwrap_or_else(|| panic!("nothing is said of {check}: {report:#}"));
    (finding["level"].as_str().expect("a level"), finding)
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_doctor_says_what_is_well_and_what_is_not(pool: PgPool) {
    // No server of this test is to be found there, and no site.
    let examine = async |more: &[&str]| {
        let settings = ["doctor", "--json", "--listen", "127.0.0.1:0", "--site", "/nonexistent"];
        let (code, said) = tidewatch_code(&pool, &[&settings, more].concat()).await;
        let report: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        (code, report)
    };
    let (code, report) = examine(&[]).await;
    for check in ["secret", "address", "database", "clocks", "schema", "role", "wake-ups", "jobs"] {
        assert_eq!(found(&report, check).0, "ok", "{report:#}");
    }
    let (level, site) = found(&report, "site");
    assert_eq!(level, "problem");
    assert!(site["advice"].as_str().is_some_and(|advice| advice.contains("TIDEWATCH_SITE")), "{site}");
    assert_eq!((code, &report["problems"]), (Some(1), &json!(1)), "{report:#}");
    let text = tidewatch_code(&pool, &["doctor", "--listen", "127.0.0.1:0"]).await.1;
    assert!(text.contains("ok       schema        up to date") && !text.contains("\x1b"), "{text}");

    // Settings that are right each by itself, and neighbours who are not there.
    let (_, report) = examine(&[
        "--public-url",
        "https://tidewatch.example.test",
        "--redis-url",
        "redis://127.0.0.1:9",
        "--smtp-url",
        "smtp://127.0.0.1:9",
        "--mail-from",
        "news@example.test",
    ])
    .await;
    let levels = ["cookies", "proxies", "Redis", "e-mail"].map(|check| found(&report, check).0);
    assert_eq!(levels, ["warning", "warning", "warning", "problem"], "{report:#}");
    let (_, report) = examine(&["--drain-notice-seconds", "30"]).await;
    assert_eq!(found(&report, "shutdown").0, "problem", "{report:#}");

    // Work that was given up, a role that sees everything, a schema of before.
    sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
        .execute(&pool)
        .await
        .expect("an older schema");
    let (_, report) = examine(&[]).await;
    let (level, schema) = found(&report, "schema");
    assert_eq!(level, "problem");
    assert!(schema["advice"].as_str().is_some_and(|advice| advice.contains("tidewatch migrate")), "{schema}");
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_doctor_finds_a_server_that_runs_and_says_who_publishes(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| config.instance = Some("one".to_owned())).await;
    let address = server.address().to_owned();
    let report = eventually("the server to publish", async || {
        let (_, said) = tidewatch_code(&pool, &["doctor", "--json", "--listen", &address]).await;
        let report: Value = serde_json::from_str(&said).expect("JSON");
        let is_published = found(&report, "publishing").0 == "ok";
        is_published.then_some(report)
    })
    .await;
    let (level, there) = found(&report, "address");
    assert!(
        level == "ok" && there["said"].as_str().is_some_and(|said| said.ends_with("and is ready")),
        "{there}"
    );
    assert!(
        found(&report, "publishing").1["said"].as_str().is_some_and(|said| said.starts_with("one publishes"))
    );
    server.stop().await;
}

#[test]
fn shells_complete_what_there_is() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
            .args(["completions", shell])
            .output()
            .expect("the program");
        let script = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && script.contains("doctor") && script.contains("listen"), "{shell}");
    }
}

/// A program with modules of its own has a name of its own, and is completed under that.
#[test]
fn shells_complete_the_program_by_the_name_it_has() {
    for (shell, line) in
        [("bash", "default visits"), ("zsh", "#compdef visits"), ("fish", "complete -c visits ")]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
            .arg0("/opt/visits/visits")
            .args(["completions", shell])
            .output()
            .expect("the program");
        let script = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && script.contains(line), "{shell}: {script}");
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_new_module_is_the_example_byte_for_byte(pool: PgPool) {
    let folder = std::env::temp_dir().join(format!("tidewatch-new-{}", uuid::Uuid::now_v7().simple()));
    let path = folder.to_str().expect("text");
    let (ok, said) = tidewatch(&pool, &["new", "module", "parcel", "--in", path], "").await;
    assert!(ok && said.contains("make run PROGRAM=parcels") && said.contains("members"), "{said}");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/parcels");
    let (mut written, mut there) = (files_of(&folder.join("parcels")), files_of(&example));
    written.sort();
    there.sort();
    assert!(written == there, "{:?} and {:?} differ", names(&written), names(&there));
    let (ok, said) = tidewatch(&pool, &["new", "module", "parcel", "--in", path], "").await;
    assert!(!ok && said.contains("is there already"), "{said}");
    let (ok, said) = tidewatch(&pool, &["new", "module", "Delivery Note", "--in", path], "").await;
    assert!(!ok && said.contains("letters a-z"), "{said}");
    std::fs::remove_dir_all(&folder).expect("removed");
}

/// Every file below a folder, by its path there.
fn files_of(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").to_owned();
                found.push((name, std::fs::read_to_string(path).expect("a text")));
            }
        }
    }
    found
}

fn names(files: &[(PathBuf, String)]) -> Vec<&PathBuf> {
    files.iter().map(|(name, _)| name).collect()
}

/// Whoever set it in the environment has never seen the flag.
#[test]
fn a_wrong_value_names_its_variable() {
    for (name, value, said) in [
        ("TIDEWATCH_POLL_MS", "9999", "10..=500"),
        ("TIDEWATCH_TRUSTED_PROXIES", "10.0.0.1,proxy", "must be an address"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318", "must be an address such as http://"),
        ("OTEL_TRACES_SAMPLER", "sometimes", "parentbased_always_on"),
        ("TIDEWATCH_LOG", "a=b=c", "must be a filter"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
            .args(["serve", "--database-url", "postgres://ann@127.0.0.1/tidewatch"])
            .env(name, value)
            .output()
            .expect("the program");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(name) && text.contains(said), "{name}: {text}");
    }
}

/// What may pass before streams are told is part of what may pass until they are cut.
#[test]
fn a_shutdown_that_cuts_streams_untold_is_refused_by_its_variables() {
    for (notice, most) in [("30", "30"), ("60", "30"), ("1", "1")] {
        let output = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
            .args(["serve", "--database-url", "postgres://ann@127.0.0.1/tidewatch"])
            .env("TIDEWATCH_DRAIN_NOTICE_SECONDS", notice)
            .env("TIDEWATCH_DRAIN_SECONDS", most)
            .output()
            .expect("the program");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        for said in [
            format!("TIDEWATCH_DRAIN_NOTICE_SECONDS ({notice})"),
            format!("TIDEWATCH_DRAIN_SECONDS ({most})"),
        ] {
            assert!(text.contains(&said), "{said}: {text}");
        }
    }
}
