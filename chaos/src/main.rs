//! `tidewatch-chaos`: see the library.

use clap::Parser;
use tidewatch_chaos::{Options, run};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run(&Options::parse()).await
}
