//! The machine, and the versions of everything on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::context::{Context, Cores};

/// What the last run measured on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// Its cores.
    pub cores: usize,
    /// Memory in GiB.
    pub memory_gib: u64,
    /// The kernel.
    pub kernel: String,
    /// Which core did what.
    pub placement: String,
    /// Versions by name.
    pub versions: BTreeMap<String, String>,
    /// The command.
    pub command: String,
}

impl Machine {
    /// Looks at this machine.
    #[must_use]
    pub fn look(context: &Context, command: String) -> Self {
        let mut versions = BTreeMap::new();
        let mut note = |name: &str, version: Option<String>| {
            if let Some(version) = version {
                versions.insert(name.to_owned(), version);
            }
        };
        note("rustc", first_line("rustc", &["--version"]));
        note("Node", first_line("node", &["--version"]));
        note("nginx", first_line("nginx", &["-v"]).or_else(|| first_line("/usr/sbin/nginx", &["-v"])));
        note("nchan", debian_version("libnginx-mod-nchan"));
        note("Redis", first_line("redis-server", &["--version"]));
        for (name, package) in [
            ("Hono", "hono/node_modules/hono"),
            ("@hono/node-server", "hono/node_modules/@hono/node-server"),
            ("NestJS", "nestjs/node_modules/@nestjs/core"),
            ("graphile-worker", "graphile-worker/node_modules/graphile-worker"),
            ("Node of graphile-worker", "graphile-worker/node_modules/node"),
        ] {
            note(name, npm_version(&context.bench_folder.join("peers").join(package)));
        }
        let locked = fs::read_to_string(context.bench_folder.join("../Cargo.lock")).unwrap_or_default();
        for library in ["axum", "hyper", "tokio", "sqlx", "mio"] {
            note(library, locked_version(&locked, library));
        }
        note("tidewatch", first_line(&context.server_program.to_string_lossy(), &["--version"]));
        Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_default(),
            cores: cores_of_machine(),
            memory_gib: field("/proc/meminfo", "MemTotal")
                .and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok())
                .map_or(0, |kib| kib >> 20),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            placement: placement(&context.cores),
            versions,
            command,
        }
    }
}

fn placement(cores: &Cores) -> String {
    format!(
        "server on core {}, load generator on core {}, Postgres and Redis on core {}",
        cores.server, cores.generator, cores.helper
    )
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    // nginx says its version on the error output.
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).lines().next().map(|line| line.trim().to_owned())
}

fn debian_version(package: &str) -> Option<String> {
    first_line("dpkg-query", &["-W", "-f=${Version}\n", package]).filter(|line| !line.contains("no packages"))
}

fn npm_version(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join("package.json")).ok()?;
    let package: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(package.get("version")?.as_str()?.to_owned())
}

/// The version of a library in `Cargo.lock`; the newest, where there are several.
fn locked_version(lock: &str, library: &str) -> Option<String> {
    let entry = format!("name = \"{library}\"\nversion = \"");
    let (_, behind) = lock.rsplit_once(&entry)?;
    behind.split('"').next().map(str::to_owned)
}

/// The commit that is checked out, with a mark when files differ from it.
#[must_use]
pub fn commit() -> String {
    first_line("git", &["describe", "--always", "--dirty", "--abbrev=10"]).unwrap_or_default()
}

/// All of them, not only those that this process may run on.
fn cores_of_machine() -> usize {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines().filter(|line| line.starts_with("processor")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_that_are_locked() {
        let lock = "[[package]]\nname = \"mio\"\nversion = \"1.2.4\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock, "mio").as_deref(), Some("1.2.4"));
        assert_eq!(locked_version(lock, "tokio"), None);
    }
}
