//! What is measured: one module a row, or a few rows that one run gives.

mod badge;
mod commit;
mod fanout;
mod flood;
mod held;
mod jobs;
mod memory;
mod pages;
mod publish;
mod relay;
mod replay;
mod stalled;
mod transaction;

use clap::ValueEnum;

use crate::context::Context;
use crate::report::{Record, RowSpec};

/// Rows that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// Fan-out: CPU at 100 and at 20 events a second and at saturation, latency
    Fanout,
    /// From commit to the readers concerned
    Commit,
    /// Memory of idle connections
    Memory,
    /// A transaction with its event
    Transaction,
    /// The relay's backlog
    Relay,
    /// Readers that never read
    Stalled,
    /// Replay of 10,000 events
    Replay,
    /// Many connections, held
    Held,
    /// Connections that come and go
    Flood,
    /// The job queue
    Jobs,
    /// Publishing by the SDK
    Publish,
    /// The server time of each page
    Pages,
    /// The number of unread notifications at all devices of a person
    Badge,
}

impl Group {
    /// The rows that it gives, in the order of the report.
    #[must_use]
    pub const fn specs(self) -> &'static [RowSpec] {
        match self {
            Self::Fanout => fanout::SPECS,
            Self::Commit => commit::SPECS,
            Self::Memory => memory::SPECS,
            Self::Transaction => transaction::SPECS,
            Self::Relay => relay::SPECS,
            Self::Stalled => stalled::SPECS,
            Self::Replay => replay::SPECS,
            Self::Held => held::SPECS,
            Self::Flood => flood::SPECS,
            Self::Jobs => jobs::SPECS,
            Self::Publish => publish::SPECS,
            Self::Pages => pages::SPECS,
            Self::Badge => badge::SPECS,
        }
    }

    /// Whether it runs the server, rather than Tidewatch's libraries alone.
    #[must_use]
    pub const fn runs_server(self) -> bool {
        !matches!(self, Self::Jobs)
    }

    /// Measures it.
    ///
    /// # Errors
    /// Tidewatch or the generator failed; a peer that fails is left out with the reason.
    pub async fn measure(self, context: &Context) -> anyhow::Result<Vec<Record>> {
        match self {
            Self::Fanout => fanout::measure(context).await,
            Self::Commit => commit::measure(context).await,
            Self::Memory => memory::measure(context).await,
            Self::Transaction => transaction::measure(context).await,
            Self::Relay => relay::measure(context).await,
            Self::Stalled => stalled::measure(context).await,
            Self::Replay => replay::measure(context).await,
            Self::Held => held::measure(context).await,
            Self::Flood => flood::measure(context).await,
            Self::Jobs => jobs::measure(context).await,
            Self::Publish => publish::measure(context).await,
            Self::Pages => pages::measure(context).await,
            Self::Badge => badge::measure(context).await,
        }
    }
}
