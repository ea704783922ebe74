//! axum with tokio's broadcast channel, each event encoded once.

use async_trait::async_trait;

use super::http_peer::HttpPeer;
use super::{Running, System};
use crate::child::{Child, Program, free_address};
use crate::context::Context;
use crate::peers::axum_shared::FRAMING;

/// [`crate::peers::axum_shared`], as a process.
pub(super) struct AxumShared;

#[async_trait(?Send)]
impl System for AxumShared {
    fn name(&self) -> &'static str {
        "axum, shared encoding"
    }

    fn missing(&self, _: &Context) -> Option<String> {
        None
    }

    async fn start(&self, context: &Context) -> anyhow::Result<Box<dyn Running>> {
        let address = free_address()?;
        let program = Program::new(&context.this_program)
            .argument("peer")
            .argument("axum")
            .argument(address.to_string());
        let mut child = Child::start(&context.cores.server, &program, context.log("axum"))?;
        child.until_listening(address).await?;
        let clock = context.clock.clone();
        Ok(Box::new(HttpPeer { child, helper: None, address, clock, framing: FRAMING }))
    }
}
