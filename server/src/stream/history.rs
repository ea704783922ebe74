//! The hub's history: the published log.

use futures::FutureExt;
use futures::future::BoxFuture;
use tidewatch_events::{Position, ProjectId};
use tidewatch_hub::{History, HistoryError, HistoryPage};
use tidewatch_outbox::PublishedLog;

/// Serves replays that reach further back than the hub's ring.
#[derive(Debug, Clone)]
pub struct LogHistory(pub PublishedLog);

impl History for LogHistory {
    fn read(
        &self,
        project: ProjectId,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<HistoryPage, HistoryError>> {
        async move {
            let page = self.0.read(project, after, limit).await.map_err(HistoryError::new)?;
            Ok(HistoryPage { events: page.events, oldest: page.oldest })
        }
        .boxed()
    }
}
