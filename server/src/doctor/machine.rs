//! What this machine has for a server.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use super::Finding;
use crate::config::ServeConfig;
use crate::serve::bind;

/// How long a server on this machine has to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Open files below which a busy instance runs out: each stream takes one.
const FEW_FILES: u64 = 8_192;

pub(super) async fn examine(config: &ServeConfig) -> Vec<Finding> {
    let mut findings = vec![site(Path::new(&config.site)), listener(config.listen).await];
    findings.extend(files());
    findings
}

fn site(folder: &Path) -> Finding {
    let names = |folder: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    };
    let parts = names(&folder.join("pkg"));
    let missing: Vec<&str> = [".wasm", ".js", ".css"]
        .into_iter()
        .filter(|ending| !parts.iter().any(|name| name.ends_with(ending)))
        .collect();
    if missing.is_empty() {
        return Finding::ok("site", format!("the dashboard's files are in {}", folder.display()));
    }
    Finding::problem(
        "site",
        format!("{} has no {} files in pkg/", folder.display(), missing.join(", no ")),
        "Set TIDEWATCH_SITE to the folder `site` that came with this binary, or build it: make build.",
    )
}

async fn listener(address: SocketAddr) -> Finding {
    match bind(address) {
        Ok(_) => Finding::ok("address", format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => occupied(address).await,
        Err(error) => Finding::problem(
            "address",
            format!("{address} cannot be listened on: {error}"),
            "Set TIDEWATCH_LISTEN to an address of this machine, with a port that this user may take.",
        ),
    }
}

/// Who has the address: a server of ours, or somebody else.
async fn occupied(address: SocketAddr) -> Finding {
    let reachable = if address.ip().is_unspecified() {
        let loopback: IpAddr =
            if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
        SocketAddr::new(loopback, address.port())
    } else {
        address
    };
    let ask = async |path: &str| {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().ok()?;
        let answer = client.get(format!("http://{reachable}{path}")).send().await.ok()?;
        Some((answer.status(), answer.text().await.unwrap_or_default()))
    };
    match ask("/healthz").await {
        Some((status, text)) if status.is_success() && text == "ok\n" => {}
        _ => {
            return Finding::problem(
                "address",
                format!("another program has {address}"),
                "End it, or set TIDEWATCH_LISTEN to another port.",
            );
        }
    }
    match ask("/readyz").await {
        Some((status, _)) if status.is_success() => {
            Finding::ok("address", format!("a server answers at {address}, and is ready"))
        }
        answer => {
            let said = answer.map_or_else(String::new, |(_, text)| format!(": {}", detail(&text)));
            Finding::problem(
                "address",
                format!("a server answers at {address}, and is not ready{said}"),
                "What stands below on Postgres says why; the server's log does, too.",
            )
        }
    }
}

/// What a problem (RFC 9457) says, or the text as it is.
fn detail(text: &str) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let said = problem.as_ref().and_then(|problem| problem.get("detail")?.as_str());
    said.unwrap_or(text).trim().to_owned()
}

/// What Linux allows a process that is started from here.
fn files() -> Option<Finding> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let most = most_files(&limits)?;
    Some(if most < FEW_FILES {
        Finding::warning(
            "open files",
            format!("a process may have {most} files open, and each stream takes one"),
            "Raise it before the server starts: ulimit -n 65536, or LimitNOFILE=65536 in the unit of systemd.",
        )
    } else {
        Finding::ok("open files", format!("a process may have {most} files open"))
    })
}

/// The soft limit in proc_pid_limits(5); `u64::MAX` where there is none.
fn most_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn the_soft_limit_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(most_files(limits), Some(1_024));
        assert_eq!(most_files("Max open files   unlimited unlimited files"), Some(u64::MAX));
        assert_eq!(most_files(""), None);
    }

    #[test]
    fn a_folder_without_the_dashboard_is_a_problem() {
        let found = site(Path::new("/nonexistent"));
        assert_eq!(found.level, Level::Problem);
        assert!(found.said.contains(".wasm") && found.advice.is_some(), "{found:?}");
    }

    #[tokio::test]
    async fn whoever_has_the_address_is_told_from_a_server_of_ours() {
        let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = other.local_addr().expect("an address");
        // It takes connections and says nothing.
        let found = listener(address).await;
        assert_eq!(found.level, Level::Problem, "{found:?}");
        drop(other);
        assert_eq!(listener(address).await.level, Level::Ok);
    }

    #[test]
    fn a_problem_says_its_detail() {
        assert_eq!(detail(r#"{"detail":"the database does not answer"}"#), "the database does not answer");
        assert_eq!(detail("plain\n"), "plain");
    }
}
