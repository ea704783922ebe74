//! How the server is started: flags and `TIDEWATCH_*` variables, each with its default.
//!
//! `docs/configuration.md` is made of these definitions (`server/src/cli/configuration.rs`): a group there is a heading here.

pub mod outside;
pub mod traces;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;
use http::HeaderValue;
use secrecy::SecretString;
use tidewatch_broker::BrokerUrl;
use tidewatch_webhooks::IpNet;

use self::outside::OutsideConfig;
use self::traces::TracesConfig;

/// The groups of settings, as `--help` and the reference have them.
mod group {
    pub(super) const DATABASE: &str = "Postgres";
    pub(super) const ADDRESS: &str = "Address and instance";
    pub(super) const ACCESS: &str = "Who may reach it";
    pub(super) const STREAMS: &str = "Streams and publishing";
    pub(super) const BROKER: &str = "Several instances";
    pub(super) const SHUTDOWN: &str = "Shutdown";
    pub(super) const BUSINESS: &str = "What is kept and checked";
    pub(super) const OUTSIDE: &str = "What goes outside";
    pub(super) const TRACES: &str = "Traces";
}

/// How to reach Postgres.
#[derive(Debug, Clone, Args)]
pub struct DatabaseConfig {
    /// Postgres, version 15 or later: postgres://user:password@host:port/database
    #[arg(long, help_heading = group::DATABASE, env = "DATABASE_URL", hide_env_values = true, value_parser = parse_database_url)]
    pub database_url: DatabaseUrl,

    /// Most connections for requests; a handful more serve relay, follower and notifications
    #[arg(long, help_heading = group::DATABASE, env = "TIDEWATCH_DATABASE_CONNECTIONS", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub database_connections: u32,
}

/// A database's address; its Debug does not show the password.
#[derive(Clone)]
pub struct DatabaseUrl(pub sqlx::postgres::PgConnectOptions);

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}/{}", self.0.get_host(), self.0.get_port(), self.0.get_database().unwrap_or("?"))
    }
}

fn parse_database_url(text: &str) -> Result<DatabaseUrl, String> {
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        return Err("must begin with postgres:// or postgresql://".to_owned());
    }
    text.parse().map(DatabaseUrl).map_err(|error: sqlx::Error| error.to_string())
}

/// How to serve.
#[derive(Debug, Clone, Args)]
pub struct ServeConfig {
    /// Postgres.
    #[command(flatten)]
    pub database: DatabaseConfig,

    /// Address to listen on
    #[arg(long, help_heading = group::ADDRESS, env = "TIDEWATCH_LISTEN", default_value = "127.0.0.1:3000", value_parser = parse_listen)]
    pub listen: SocketAddr,

    /// Name of this instance in answers and logs; by default host name and process id
    #[arg(long, help_heading = group::ADDRESS, env = "TIDEWATCH_INSTANCE")]
    pub instance: Option<String>,

    /// Directory with the dashboard's files, as `cargo leptos build` makes it
    #[arg(long, help_heading = group::ADDRESS, env = "TIDEWATCH_SITE", default_value = "target/site")]
    pub site: String,

    /// Seconds between two heartbeats of a stream
    #[arg(long, help_heading = group::STREAMS, env = "TIDEWATCH_HEARTBEAT_SECONDS", default_value = "15", value_parser = parse_heartbeat)]
    pub heartbeat: Seconds,

    /// Longest time in milliseconds after which the relay and the readers look for events by themselves
    #[arg(long, help_heading = group::STREAMS, env = "TIDEWATCH_POLL_MS", default_value_t = 500,
          value_parser = clap::value_parser!(u64).range(10..=500))]
    pub poll_ms: u64,

    /// Redis that carries published events between instances, such as redis://:password@host:6379; by default each instance
    /// reads them from Postgres
    #[arg(long, help_heading = group::BROKER, env = "TIDEWATCH_REDIS_URL", hide_env_values = true, value_parser = parse_redis_url, conflicts_with = "nats_url")]
    pub redis_url: Option<BrokerUrl>,

    /// NATS with JetStream that does the same, such as nats://user:password@host:4222
    #[arg(long, help_heading = group::BROKER, env = "TIDEWATCH_NATS_URL", hide_env_values = true, value_parser = parse_nats_url)]
    pub nats_url: Option<BrokerUrl>,

    /// Events that each project's ring keeps in memory for resuming readers
    #[arg(long, help_heading = group::STREAMS, env = "TIDEWATCH_RING_EVENTS", default_value_t = 10_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub ring_events: u32,

    /// Most events that a stream replays; past it, it says HistoryGap
    #[arg(long, help_heading = group::STREAMS, env = "TIDEWATCH_REPLAY_EVENTS", default_value_t = 10_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub replay_events: u32,

    /// Most streams and waiting polls of one person at one time
    #[arg(long, help_heading = group::STREAMS, env = "TIDEWATCH_STREAMS_PER_USER", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub streams_per_user: u32,

    /// Most streams and waiting polls of one API key at one time
    #[arg(long, help_heading = group::STREAMS, env = "TIDEWATCH_STREAMS_PER_KEY", default_value_t = 1_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub streams_per_key: u32,

    /// Most streams and waiting polls from one address at one time
    #[arg(long, help_heading = group::STREAMS, env = "TIDEWATCH_STREAMS_PER_ADDRESS", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub streams_per_address: u32,

    /// Most events a second that one API key or person publishes, at all instances together; twice as many at once
    #[arg(long, help_heading = group::STREAMS, env = "TIDEWATCH_PUBLISHES_PER_SECOND", default_value = "5000",
          value_parser = parse_positive)]
    pub publishes_per_second: NonZeroU32,

    /// Origins of other sites whose pages may use the API and the gateway with a token of their own, with
    /// commas between them, such as https://shop.example; `*` for all
    #[arg(long, help_heading = group::ACCESS, env = "TIDEWATCH_CORS_ORIGINS", value_delimiter = ',', value_parser = parse_origin)]
    pub cors_origins: Vec<HeaderValue>,

    /// Seconds after which a connection is cut whose reader takes nothing of what waits for it
    #[arg(long, help_heading = group::STREAMS, env = "TIDEWATCH_STALL_SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub stall_seconds: u64,

    /// Days for which published events are kept
    #[arg(long, help_heading = group::BUSINESS, env = "TIDEWATCH_RETENTION_DAYS", default_value_t = 7,
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub retention_days: u32,

    /// Seconds between the moment at which /readyz begins to fail and that at which no new connection is taken, at shutdown:
    /// as long as whoever sends requests here takes to notice; it is part of TIDEWATCH_DRAIN_SECONDS, and less
    #[arg(long, help_heading = group::SHUTDOWN, env = "TIDEWATCH_DRAIN_NOTICE_SECONDS", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(0..=60))]
    pub drain_notice_seconds: u64,

    /// Seconds that streams and requests may take to end at shutdown; many streams are ended over up to half of it
    #[arg(long, help_heading = group::SHUTDOWN, env = "TIDEWATCH_DRAIN_SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=300))]
    pub drain_seconds: u64,

    /// Whether the session cookie is sent over TLS only; set it where TLS ends before Tidewatch
    #[arg(long, help_heading = group::ACCESS, env = "TIDEWATCH_COOKIE_SECURE", default_value_t = false, action = clap::ArgAction::Set)]
    pub cookie_secure: bool,

    /// Addresses of proxies whose X-Forwarded-For is believed, with commas between them
    #[arg(long, help_heading = group::ACCESS, env = "TIDEWATCH_TRUSTED_PROXIES", value_delimiter = ',', value_parser = parse_address)]
    pub trusted_proxies: Vec<IpAddr>,

    /// Networks beside the public ones that webhooks may go to, also by plain HTTP, with commas between them, such
    /// as 10.20.0.0/16,fd00::/8
    #[arg(long, help_heading = group::OUTSIDE, env = "TIDEWATCH_WEBHOOK_ALLOWED_NETWORKS", value_delimiter = ',', value_parser = parse_network)]
    pub webhook_allowed_networks: Vec<IpNet>,

    /// Networks beside the public ones in which servers may be checked, with commas between them
    #[arg(long, help_heading = group::OUTSIDE, env = "TIDEWATCH_CHECK_ALLOWED_NETWORKS", value_delimiter = ',', value_parser = parse_network)]
    pub check_allowed_networks: Vec<IpNet>,

    /// Amount in minor units above which a second person has to agree to the release of a settlement
    #[arg(long, help_heading = group::BUSINESS, env = "TIDEWATCH_APPROVAL_LIMIT_MINOR", default_value_t = 10_000_000,
          value_parser = clap::value_parser!(i64).range(0..))]
    pub approval_limit_minor: i64,

    /// Minutes between two runs of the witness, which compares all tables with the events; 0: only where somebody asks
    #[arg(long, help_heading = group::BUSINESS, env = "TIDEWATCH_WITNESS_MINUTES", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(0..=10_080))]
    pub witness_minutes: u32,

    /// How notifications leave the house.
    #[command(flatten)]
    pub outside: OutsideConfig,

    /// Whether and where traces go.
    #[command(flatten)]
    pub traces: TracesConfig,

    /// Key of the digests of API keys and sessions and of the seal on webhooks' secrets and the key of Web Push, 32
    /// characters or more; by default one is made once and kept in the database
    #[arg(long, help_heading = group::ACCESS, env = "TIDEWATCH_SECRET", hide_env_values = true, value_parser = parse_secret)]
    pub secret: Option<SecretString>,
}

/// A duration in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Seconds(pub Duration);

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an address and a port, such as 127.0.0.1:3000 or [::]:3000".to_owned())
}

fn parse_address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "must be an address such as 10.0.0.1 or fd00::1".to_owned())
}

fn parse_positive(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| format!("must be a whole number of 1 to {}", u32::MAX))
}

fn parse_heartbeat(text: &str) -> Result<Seconds, String> {
    let seconds: f64 = text.parse().map_err(|_| "must be a number of seconds".to_owned())?;
    if (0.1..=300.0).contains(&seconds) {
        Ok(Seconds(Duration::from_secs_f64(seconds)))
    } else {
        Err("must be 0.1 to 300 seconds".to_owned())
    }
}

fn parse_origin(text: &str) -> Result<HeaderValue, String> {
    let is_origin = |text: &str| {
        let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        authority.is_some_and(|authority| {
            !authority.is_empty()
                && authority.parse::<http::uri::Authority>().is_ok_and(|it| !it.as_str().contains('@'))
        })
    };
    if text == "*" || is_origin(text) {
        HeaderValue::from_str(text).map_err(|error| error.to_string())
    } else {
        Err("must be `*` or an origin such as https://shop.example, without a path".to_owned())
    }
}

fn parse_redis_url(text: &str) -> Result<BrokerUrl, String> {
    let url = text.parse::<BrokerUrl>().ok().filter(BrokerUrl::is_redis);
    url.ok_or_else(|| {
        "must be an address such as redis://:password@host:6379, or rediss://… for TLS".to_owned()
    })
}

fn parse_nats_url(text: &str) -> Result<BrokerUrl, String> {
    let url = text.parse::<BrokerUrl>().ok().filter(BrokerUrl::is_nats);
    url.ok_or_else(|| {
        "must be an address such as nats://user:password@host:4222, or tls://… for TLS".to_owned()
    })
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    let network: IpNet =
        text.parse().map_err(|_| "must be a network such as 10.20.0.0/16 or fd00::/8".to_owned())?;
    if network == network.trunc() {
        Ok(network)
    } else {
        Err(format!("has bits behind its prefix; write {}", network.trunc()))
    }
}

/// A secret of enough characters.
pub(crate) fn parse_secret(text: &str) -> Result<SecretString, String> {
    if text.len() >= 32 { Ok(text.into()) } else { Err("must have 32 characters or more".to_owned()) }
}

impl ServeConfig {
    /// The instance's name.
    #[must_use]
    pub fn instance_name(&self) -> String {
        self.instance.clone().unwrap_or_else(|| {
            let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let host = if host.trim().is_empty() { "tidewatch" } else { host.trim() };
            format!("{host}-{}", std::process::id())
        })
    }

    /// Whether a shutdown leaves time to tell the streams that they end: what may pass before that is part of the whole.
    ///
    /// # Errors
    /// It does not; what to tell whoever has set it so.
    pub fn check_shutdown(&self) -> Result<(), String> {
        let Self { drain_notice_seconds: notice, drain_seconds: most, .. } = self;
        if notice < most {
            return Ok(());
        }
        Err(format!(
            "TIDEWATCH_DRAIN_NOTICE_SECONDS ({notice}) is part of TIDEWATCH_DRAIN_SECONDS ({most}) and must be less: \
             streams would be cut before they are told"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_strictly() {
        for text in ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"] {
            assert_eq!(parse_network(text).map(|network| network.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "10.0.0.1", "10.0.0.1/8", "localhost/8", "10.0.0.0/33"] {
            assert!(parse_network(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_broker_has_its_own_addresses() {
        assert!(
            parse_redis_url("redis://127.0.0.1:6379").is_ok() && parse_nats_url("nats://127.0.0.1").is_ok()
        );
        assert!(parse_redis_url("nats://127.0.0.1").is_err() && parse_nats_url("redis://127.0.0.1").is_err());
        assert!(parse_redis_url("127.0.0.1:6379").is_err() && parse_nats_url("").is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let url = parse_database_url("postgres://user:hunter2@127.0.0.1:5432/tidewatch").expect("an address");
        let secret = parse_secret("correct horse battery staple and more").expect("a secret");
        let digester = crate::access::secret::Digester::new(b"correct horse battery staple".to_vec());
        let credentials =
            crate::db::users::Credentials { id: uuid::Uuid::nil(), password_hash: "$argon2id$x".into() };
        let changed =
            tidewatch_app::model::Changed { secret: Some("tw_hunter2".into()), ..Default::default() };
        let shown = format!(
            "{url:?} {secret:?} {digester:?} {:?} {credentials:?} {changed:?}",
            crate::access::token::Tokens::new(&digester)
        );
        for part in ["hunter2", "correct horse", "argon2id", "tw_"] {
            assert!(!shown.contains(part), "{part} in {shown}");
        }
    }
}
