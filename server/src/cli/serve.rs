//! `tidewatch serve`

use anyhow::Context;

use crate::config::ServeConfig;

pub(super) async fn run(config: ServeConfig) -> anyhow::Result<()> {
    let shutdown = super::shutdown_signal()?;
    let socket = crate::serve::bind(config.listen)
        .with_context(|| format!("cannot listen on {} (TIDEWATCH_LISTEN)", config.listen))?;
    crate::serve::run(socket, config, shutdown).await
}
