//! The limit: one write of the same bytes to each connection, and nothing else.

use async_trait::async_trait;

use super::http_peer::HttpPeer;
use super::{BARE_TCP, BARE_TCP_GATHERING, Running, System};
use crate::child::{Child, Program, free_address};
use crate::context::Context;
use crate::peers::bare_tcp::FRAMING;

/// [`crate::peers::bare_tcp`], as a process.
pub(super) struct BareTcp {
    /// Milliseconds for which events are gathered into one write.
    pub(super) gather_ms: u64,
}

#[async_trait(?Send)]
impl System for BareTcp {
    fn name(&self) -> &'static str {
        if self.gather_ms == 0 { BARE_TCP } else { BARE_TCP_GATHERING }
    }

    fn missing(&self, _: &Context) -> Option<String> {
        None
    }

    async fn start(&self, context: &Context) -> anyhow::Result<Box<dyn Running>> {
        let address = free_address()?;
        let program = Program::new(&context.this_program)
            .argument("peer")
            .argument("bare-tcp")
            .argument(address.to_string())
            .argument(format!("--gather-ms={}", self.gather_ms));
        let mut child = Child::start(&context.cores.server, &program, context.log("bare-tcp"))?;
        child.until_listening(address).await?;
        let clock = context.clock.clone();
        Ok(Box::new(HttpPeer { child, helper: None, address, clock, framing: FRAMING }))
    }
}
