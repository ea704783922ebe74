//! `tidewatch new module`: the beginning of a module of one's own.
//!
//! What it writes is `examples/parcels`, with another word in the place of `parcel`: the example is built and tested, and
//! so is what is written here.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use tidewatch_events::id;

use super::say;
use crate::domain::Modules;
use crate::domain::registry::is_taken;

/// The files of `examples/parcels`, each with its path there.
const FILES: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("../../../examples/parcels/Cargo.toml")),
    ("src/main.rs", include_str!("../../../examples/parcels/src/main.rs")),
    ("src/parcel.rs", include_str!("../../../examples/parcels/src/parcel.rs")),
    ("migrations/1_parcels.sql", include_str!("../../../examples/parcels/migrations/1_parcels.sql")),
    ("tests/parcels.rs", include_str!("../../../examples/parcels/tests/parcels.rs")),
];
/// The folder whose crates are of the workspace by themselves.
const EXAMPLES: &str = "examples";
/// Words that Rust keeps for itself (<https://doc.rust-lang.org/reference/keywords.html>) or the crate's name cannot be.
const KEYWORDS: [&str; 53] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "main", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self",
    "static", "struct", "super", "test", "trait", "true", "try", "type", "typeof", "unsafe", "unsized",
    "use", "virtual", "where", "while", "yield",
];

#[derive(Debug, Args)]
pub(super) struct New {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write a program with a module of your own: its table, event types, pages, chart and permissions
    ///
    /// It is a crate of five files, with a test that runs it. docs/extending.md says what each line does.
    Module {
        /// One of its records, in letters a-z: parcel
        name: String,

        /// The folder in which its own is made
        #[arg(long = "in", value_name = "FOLDER", default_value = EXAMPLES)]
        folder: PathBuf,
    },
}

pub(super) fn run(command: &New) -> anyhow::Result<()> {
    let What::Module { name, folder } = &command.what;
    let prefix = check(name)?;
    let module = folder.join(format!("{name}s"));
    write(&module, name, &prefix)?;
    for line in advice(folder, &module, name) {
        say(format_args!("{line}"));
    }
    Ok(())
}

/// Whether a module can be called so; what its ids begin with.
fn check(name: &str) -> anyhow::Result<String> {
    ensure!(
        (2..=30).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase()),
        "`{name}` cannot be a module's name: give one of its records in 2 to 30 letters a-z, such as parcel"
    );
    // Addresses and tables are called by the plural, which the dashboard makes by an s.
    let before_y =
        |name: &str| name.strip_suffix('y').is_some_and(|rest| !rest.ends_with(['a', 'e', 'o', 'u']));
    ensure!(
        !name.ends_with(['s', 'x', 'z']) && !name.ends_with("ch") && !name.ends_with("sh") && !before_y(name),
        "`{name}` cannot be a module's name: its plural is not made by an s alone; choose another word"
    );
    ensure!(!KEYWORDS.contains(&name), "`{name}` is a word that Rust keeps for itself; choose another one");
    let plural = format!("{name}s");
    if is_taken(&plural) || Modules::built_in().find(&plural).is_some() {
        bail!("/{plural} is a page of Tidewatch already; choose another word");
    }
    let is_free = |prefix: &&str| !id::PREFIXES.contains(prefix);
    let mut candidates = (3.min(name.len())..=name.len().min(8)).filter_map(|letters| name.get(..letters));
    let prefix = candidates.find(is_free);
    let prefix = prefix.with_context(|| format!("ids cannot begin with `{name}`; choose a longer word"))?;
    Ok(prefix.to_owned())
}

fn write(module: &Path, name: &str, prefix: &str) -> anyhow::Result<()> {
    let shown = module.display();
    ensure!(!module.exists(), "{shown} is there already; choose another name or --in another folder");
    for (path, text) in FILES {
        let path = module.join(renamed(path, name, prefix));
        let folder = path.parent().unwrap_or(module);
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&path, renamed(text, name, prefix))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A text of the example, about a module of another name.
fn renamed(text: &str, name: &str, prefix: &str) -> String {
    let (first, rest) = name.split_at(1);
    let text = ["\"", "'", "`"].iter().fold(text.to_owned(), |text, quote| {
        let (closed, id) = (format!("{quote}par{quote}"), format!("{quote}par_"));
        text.replace(&closed, &format!("{quote}{prefix}{quote}")).replace(&id, &format!("{quote}{prefix}_"))
    });
    text.replace("Parcel", &format!("{}{rest}", first.to_ascii_uppercase())).replace("parcel", name)
}

/// What to do next.
fn advice(folder: &Path, module: &Path, name: &str) -> Vec<String> {
    let shown = module.display();
    let mut lines = vec![format!("{shown} is written: a program with {name}s. Next:")];
    if folder != Path::new(EXAMPLES) {
        lines.push(format!("  add {shown} to the members of the workspace in Cargo.toml"));
    }
    lines.extend([
        format!("  make run PROGRAM={name}s        build it, and see it at /{name}s"),
        format!(
            "  cargo test -p {name}s           with DATABASE_URL of a PostgreSQL that may be tried things in"
        ),
        format!("  {shown}/src/{name}.rs and its migration: make the fields and moves yours"),
        "docs/extending.md says what each line does.".to_owned(),
    ]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_whose_plural_is_an_address() {
        for (name, prefix) in
            [("parcel", "par"), ("visit", "vis"), ("key", ""), ("payer", "paye"), ("bay", "bay")]
        {
            match check(name) {
                Ok(free) => assert_eq!(free, prefix, "{name}"),
                Err(error) => assert!(prefix.is_empty(), "{name}: {error}"),
            }
        }
        for (name, said) in [
            ("", "2 to 30 letters"),
            ("x", "2 to 30 letters"),
            ("Parcel", "2 to 30 letters"),
            ("delivery_note", "2 to 30 letters"),
            ("../etc", "2 to 30 letters"),
            ("box", "plural"),
            ("delivery", "plural"),
            ("address", "plural"),
            ("move", "keeps for itself"),
            ("order", "a page of Tidewatch"),
            ("event", "a page of Tidewatch"),
            ("log", "a page of Tidewatch"),
            ("usr", "longer word"),
        ] {
            let error = check(name).expect_err(name).to_string();
            assert!(error.contains(said), "{name}: {error}");
        }
    }

    #[test]
    fn the_example_under_its_own_name_is_the_example() {
        for (path, text) in FILES {
            assert_eq!(
                (renamed(path, "parcel", "par").as_str(), &*renamed(text, "parcel", "par")),
                (path, text)
            );
        }
    }

    #[test]
    fn under_another_name_nothing_of_the_example_s_is_left() {
        for (path, text) in FILES {
            let (path, text) = (renamed(path, "visit", "vis"), renamed(text, "visit", "vis"));
            for left in ["parcel", "Parcel", "\"par\"", "'par'", "par_"] {
                assert!(!path.contains(left) && !text.contains(left), "{left} in {path}");
            }
        }
        let module = renamed(FILES[2].1, "visit", "vis");
        assert!(module.contains(r#"Module::own("visit", "Visit", "vis")"#), "{module}");
    }

    /// What the guide promises of a module of one's own.
    #[test]
    fn the_example_is_small() {
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        let sources = FILES.iter().filter(|(path, _)| path.starts_with("src/"));
        let lines: usize = sources.map(|(_, text)| text.lines().filter(is_code).count()).sum();
        assert!(lines <= 60, "{lines} lines");
        assert_eq!(FILES.iter().filter(|(path, _)| path.starts_with("migrations/")).count(), 1);
    }
}
