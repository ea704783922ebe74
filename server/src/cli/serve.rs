//! `tidewatch serve`

use anyhow::Context;
use tokio::net::TcpListener;

use crate::config::ServeConfig;

pub(super) async fn run(config: ServeConfig) -> anyhow::Result<()> {
    let shutdown = super::shutdown_signal()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {} (TIDEWATCH_LISTEN)", config.listen))?;
    crate::serve::run(listener, config, shutdown).await
}
