//! Logs.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What is logged where `TIDEWATCH_LOG` says nothing.
const DEFAULT_FILTER: &str = "info,sqlx=warn,hyper=warn,leptos=warn,tower_sessions=warn";

/// Starts logging to standard error: for people on a terminal, as JSON lines elsewhere.
///
/// # Errors
/// `TIDEWATCH_LOG` is no filter.
pub fn start() -> anyhow::Result<()> {
    let text = std::env::var("TIDEWATCH_LOG").unwrap_or_else(|_| DEFAULT_FILTER.to_owned());
    let filter = EnvFilter::try_new(&text).map_err(|error| {
        anyhow::anyhow!("TIDEWATCH_LOG: `{text}` is no log filter ({error}); write info,tidewatch_hub=debug")
    })?;
    let registry = tracing_subscriber::registry().with(filter);
    let output = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        registry.with(output.compact()).init();
    } else {
        registry.with(output.json().flatten_event(true).with_current_span(true).with_span_list(false)).init();
    }
    Ok(())
}
