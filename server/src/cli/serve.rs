//! `tidewatch serve`

use anyhow::Context;

use crate::config::ServeConfig;
use crate::installation::Tidewatch;

pub(super) async fn run(config: ServeConfig, tidewatch: &Tidewatch) -> anyhow::Result<()> {
    let shutdown = super::shutdown_signal()?;
    let socket = crate::serve::bind(config.listen)
        .with_context(|| format!("cannot listen on {} (TIDEWATCH_LISTEN)", config.listen))?;
    crate::serve::run(tidewatch, socket, config, shutdown).await
}
