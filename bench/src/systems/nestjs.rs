//! NestJS: `@Sse`, EventEmitter2, and Redis between instances.

use std::net::SocketAddr;

use anyhow::Context as _;
use async_trait::async_trait;

use super::http_peer::HttpPeer;
use super::{Running, System};
use crate::child::{Child, Program, find_program, free_address};
use crate::context::Context;

/// The number (up to five digits), the event's type and the lines' ends.
const FRAMING: usize = "event: settlement.status_changed\nid: 1234\ndata: \n\n".len();

/// The application in `bench/peers/nestjs`.
pub(super) struct NestJs;

impl NestJs {
    /// A Redis without persistence, on the helpers' core.
    async fn start_redis(context: &Context) -> anyhow::Result<(Child, SocketAddr)> {
        let redis = find_program("redis-server").context("redis-server is missing")?;
        let address = free_address()?;
        let mut program = Program::new(&redis);
        for argument in ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"] {
            program = program.argument(argument);
        }
        program = program.argument(address.port().to_string());
        program.directory = Some(&context.run_folder);
        let mut child = Child::start(&context.cores.helper, &program, context.log("redis"))?;
        child.until_listening(address).await?;
        Ok((child, address))
    }
}

#[async_trait(?Send)]
impl System for NestJs {
    fn name(&self) -> &'static str {
        "NestJS + Redis"
    }

    fn missing(&self, context: &Context) -> Option<String> {
        if find_program("node").is_none() {
            return Some("Node is not installed".to_owned());
        }
        if find_program("redis-server").is_none() {
            return Some("redis-server is not installed (Debian: redis-server)".to_owned());
        }
        (!context.bench_folder.join("peers/nestjs/dist/main.js").exists()).then(|| {
            "its packages are not installed (npm ci && npm run build in bench/peers/nestjs)".to_owned()
        })
    }

    async fn start(&self, context: &Context) -> anyhow::Result<Box<dyn Running>> {
        let node = find_program("node").context("node is missing")?;
        let (redis, redis_address) = Self::start_redis(context).await?;
        let address = free_address()?;
        let folder = context.bench_folder.join("peers/nestjs");
        let mut program = Program::new(&node)
            .argument("dist/main.js")
            .variable("NODE_ENV", "production")
            .variable("PORT", address.port().to_string())
            .variable("REDIS_URL", format!("redis://{redis_address}"));
        program.directory = Some(&folder);
        let mut child = Child::start(&context.cores.server, &program, context.log("nestjs"))?;
        child.until_listening(address).await?;
        let clock = context.clock.clone();
        Ok(Box::new(HttpPeer { child, helper: Some(redis), address, clock, framing: FRAMING }))
    }
}
