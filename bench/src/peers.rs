//! The peers that are written in Rust; they run as processes of this program (`tidewatch-bench peer`).

pub mod axum_shared;
pub mod bare_tcp;

use std::net::SocketAddr;

use clap::Subcommand;

/// A peer.
#[derive(Debug, Subcommand)]
pub enum Peer {
    /// One write of the same bytes to each connection
    BareTcp {
        /// Where it listens
        address: SocketAddr,
        /// Milliseconds for which events are gathered into one write; 0: each at once
        #[arg(long, default_value_t = 0)]
        gather_ms: u64,
    },
    /// axum, with tokio's broadcast channel and one encoding
    Axum {
        /// Where it listens
        address: SocketAddr,
    },
}

/// Serves until it is killed.
///
/// # Errors
/// It could not listen.
pub fn run(peer: &Peer) -> anyhow::Result<()> {
    match peer {
        Peer::BareTcp { address, gather_ms } => bare_tcp::run(*address, *gather_ms),
        Peer::Axum { address } => axum_shared::run(*address),
    }
}
