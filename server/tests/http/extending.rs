//! The chapter on modules of one's own: what it has its reader write is compiled here, and does what the chapter says.

use std::path::Path;
use std::process::Command;

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tidewatch_server::Tidewatch;

use crate::support::{TestServer, read_json};

/// What `tidewatch new module visit` writes, with the changes of the chapter's third step.
mod visit;

static MIGRATIONS: Migrator = sqlx::migrate!("tests/http/extending/migrations");

const CHAPTER: &str = include_str!("../../../docs/extending.md");

/// The chapter's blocks of this language, in their order.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("\n```{language}\n");
    CHAPTER.split(&*opening).skip(1).filter_map(|rest| Some(rest.split_once("\n```")?.0)).collect()
}

/// The file with a block in place of the lines from its first to its last. Comments at its head are for the reader.
fn changed(file: &str, block: &str) -> String {
    let lines: Vec<&str> = block.lines().skip_while(|line| line.starts_with("//")).collect();
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
        panic!("nothing stands in {block}")
    };
    let found = file.split_once(&*format!("\n{first}\n")).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&*format!("\n{last}\n"))?;
        Some(format!("{before}\n{}\n{after}", lines.join("\n")))
    });
    found.unwrap_or_else(|| panic!("no such lines are in what is written:\n{block}"))
}

#[test]
fn what_the_chapter_shows_is_what_is_compiled() {
    let folder = std::env::temp_dir().join(format!("tidewatch-visits-{}", uuid::Uuid::now_v7().simple()));
    let made = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
        .args(["new", "module", "visit", "--in"])
        .arg(&folder)
        .output()
        .expect("the program");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let written = |path: &str| std::fs::read_to_string(folder.join("visits").join(path)).expect("a file");

    let rust = blocks("rust");
    assert_eq!(rust.len(), CHAPTER.matches("```rust").count());
    let [fields, shown, entered, create, program, component] = *rust.as_slice() else {
        panic!("each block is looked at here, and {} are there", rust.len());
    };
    let changes = [fields, shown, entered, create];
    let module = changes.into_iter().fold(written("src/visit.rs"), |file, block| changed(&file, block));
    assert!(
        module == include_str!("extending/visit.rs"),
        "server/tests/http/extending/visit.rs is not what comes of the chapter:\n{module}"
    );
    assert_eq!(written("migrations/1_visits.sql"), include_str!("extending/migrations/1_visits.sql"));
    let rooms: Vec<String> = blocks("sql").into_iter().map(|block| format!("{block}\n")).collect();
    assert_eq!(rooms, [include_str!("extending/migrations/2_rooms.sql")]);
    assert!(written("src/main.rs").contains(program), "the program is another:\n{program}");

    // The page's component is the example of the hook that it is about, which is compiled there.
    let hook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/src/live/hook.rs");
    let hook = std::fs::read_to_string(hook).expect("the hook");
    let example: Vec<&str> = hook
        .lines()
        .filter_map(|line| line.strip_prefix("/// "))
        .skip_while(|line| *line != "#[component]")
        .take_while(|line| *line != "```")
        .collect();
    let example = example.join("\n").replace("Parcel", "Visit").replace("parcel", "visit");
    assert_eq!(component, example);
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_visit_has_the_room_that_the_chapter_gives_it(pool: PgPool) {
    let program = || Tidewatch::new().module::<visit::Visit>().migrations("visits", &MIGRATIONS);
    program().migrate(&pool).await.expect("migrated");
    let server = TestServer::start_as(program(), &pool, |_| {}).await;
    let make =
        async |new: Value| server.client.post("/api/v1/visits").json(&new).send().await.expect("an answer");
    for (new, room) in [
        (json!({ "reference": "V-1", "items": 1, "room": " Attic " }), json!("Attic")),
        (json!({ "reference": "V-2", "items": 1 }), Value::Null),
    ] {
        let made = read_json(make(new).await, StatusCode::CREATED).await;
        assert_eq!(made["room"], room, "{made}");
    }
    let long = json!({ "reference": "V-3", "items": 1, "room": "x".repeat(201) });
    let refused = read_json(make(long).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(refused["errors"][0]["pointer"], "#/room", "{refused}");
    let found = server.client.json("/api/v1/visits?q=attic").await;
    let references: Vec<&Value> =
        found["visits"].as_array().expect("visits").iter().map(|visit| &visit["reference"]).collect();
    assert_eq!(references, [&json!("V-1")], "{found}");
    server.stop().await;
}
