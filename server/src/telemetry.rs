//! Logs.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What is logged where `TIDEWATCH_LOG` says nothing.
pub const DEFAULT_FILTER: &str = "info,sqlx=warn,hyper=warn,leptos=warn,tower_sessions=warn";

/// A filter of what is logged, as text: what is started with it is the same.
///
/// # Errors
/// It is none.
pub fn parse_filter(text: &str) -> Result<String, String> {
    let filter = EnvFilter::try_new(text);
    filter
        .map(|_| text.to_owned())
        .map_err(|_| "must be a filter such as info,tidewatch_hub=debug".to_owned())
}

/// Starts logging to standard error what the filter lets through: for people on a terminal, as JSON lines elsewhere.
///
/// # Errors
/// The filter is none.
pub fn start(filter: &str) -> anyhow::Result<()> {
    let registry = tracing_subscriber::registry().with(EnvFilter::try_new(filter)?);
    let output = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        registry.with(output.compact()).init();
    } else {
        registry.with(output.json().flatten_event(true).with_current_span(true).with_span_list(false)).init();
    }
    Ok(())
}
