//! Brokers on this machine, for tests.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use tidewatch_broker::BrokerUrl;
use tokio::process::{Child, Command};

/// A broker's program, and the port that it is started on.
pub(crate) struct Program {
    path: PathBuf,
    scheme: &'static str,
    port: u16,
    arguments: Vec<String>,
}

impl Program {
    /// Redis; `None`, where this machine has none.
    pub(crate) fn redis() -> Option<Self> {
        let mut program = Self::find("redis-server", "redis")?;
        let words = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--port"];
        program.arguments = words.map(str::to_owned).into();
        program.arguments.push(program.port.to_string());
        Some(program)
    }

    /// NATS; `None`, where this machine has none.
    pub(crate) fn nats() -> Option<Self> {
        let mut program = Self::find("nats-server", "nats")?;
        let folder = std::env::temp_dir().join(format!("tidewatch-nats-{}", program.port));
        program.arguments =
            ["--jetstream", "--addr", "127.0.0.1", "--store_dir", &folder.to_string_lossy(), "--port"]
                .map(str::to_owned)
                .into();
        program.arguments.push(program.port.to_string());
        Some(program)
    }

    fn find(name: &str, scheme: &'static str) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/bin".into()]);
        let path = folders.map(|folder| folder.join(name)).find(|path| path.is_file())?;
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        Some(Self { path, scheme, port, arguments: Vec::new() })
    }

    /// Runs until what is returned is dropped.
    pub(crate) fn start(&self) -> Child {
        Command::new(&self.path)
            .args(&self.arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts")
    }

    /// Where it is.
    pub(crate) fn url(&self) -> BrokerUrl {
        format!("{}://127.0.0.1:{}", self.scheme, self.port).parse().expect("an address")
    }
}
