//! `tidewatch keys`, `users` and `projects`, as an administrator calls them.

use std::io::Write;
use std::process::{Command, Stdio};

use sqlx::PgPool;

use crate::support::{PASSWORD, SECRET, TestServer};

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
    let mut url = std::env::var("DATABASE_URL").expect("a database").parse::<reqwest::Url>().expect("a URL");
    url.set_path(pool.connect_options().get_database().expect("a database"));
    let url = url.to_string();
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
