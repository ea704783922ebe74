//! Walkers: go through the published log of each project by a cursor and make something of its events. Webhooks and
//! notifications each have one.
//!
//! Every instance has them, and nobody is elected: whoever locks a project's cursor goes on with it, and the others
//! pass by. What is made of events and the cursor behind them are one transaction, so no event is lost and none is
//! taken twice, whatever becomes of the process.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tidewatch_events::{Event, ProjectId};
use tidewatch_outbox::PublishedLog;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::db::cursors::Cursors;
use crate::error::Error;
use crate::state::AppState;

/// Events of one transaction.
pub const BATCH: usize = 200;
/// Longest time between two looks while no project has a cursor: publications then wake nobody, and what another
/// instance made is found as late.
const IDLE: Duration = Duration::from_secs(1);

/// What is made of events.
pub trait Walk: Send + Sync + 'static {
    /// What it is called in the log.
    const NAME: &'static str;
    /// Where its cursors are.
    const CURSORS: Cursors;
    /// For whom a project's events are looked through.
    type Audience: Send + Sync;

    /// For whom the project's events are looked through, read under the cursor's lock: whoever makes one more waits
    /// for it, or was waited for. `None`: for nobody any more.
    fn audience(
        connection: &mut PgConnection,
        project: ProjectId,
    ) -> impl Future<Output = Result<Option<Self::Audience>, Error>> + Send;

    /// Makes of the events what is to be made of them, in the cursor's transaction, and says how much that was.
    fn take(
        &self,
        connection: &mut PgConnection,
        project: ProjectId,
        audience: &Self::Audience,
        events: &[Event],
    ) -> impl Future<Output = Result<usize, Error>> + Send;
}

/// What wakes a walker. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Alarm {
    /// Something was published.
    pub published: Arc<Notify>,
    /// Somebody wants to be told from now on.
    pub changed: Arc<Notify>,
}

/// Goes through the published log of all projects that have a cursor.
#[derive(Debug)]
pub struct Walker {
    log: PublishedLog,
    pool: PgPool,
    alarm: Alarm,
    jobs: tidewatch_jobs::Waker,
    poll: Duration,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    /// Events that were looked at.
    pub events: usize,
    /// What was made of them: deliveries, or jobs.
    pub made: usize,
}

impl Walker {
    /// A walker of this instance, on connections of the owner, woken so.
    #[must_use]
    pub fn new(state: &AppState, pool: PgPool, alarm: Alarm) -> Self {
        Self {
            log: state.log.clone(),
            pool,
            alarm,
            jobs: state.jobs.clone(),
            poll: Duration::from_millis(state.config.poll_ms),
        }
    }

    /// Walks behind what is published, until `shutdown`. Errors are logged and tried again: the cursor is kept, so
    /// nothing is lost by them.
    pub async fn run<W: Walk>(self, walk: W, shutdown: CancellationToken) {
        let work = async {
            loop {
                let idle = match self.look(&walk).await {
                    Ok(somebody) => !somebody,
                    Err(error) => {
                        tracing::warn!(%error, walk = W::NAME, "cannot see for which projects to look; will try again");
                        false
                    }
                };
                let Alarm { published, changed } = &self.alarm;
                if idle {
                    let _ = tokio::time::timeout(IDLE, changed.notified()).await;
                } else {
                    let _ = tokio::time::timeout(self.poll, published.notified()).await;
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = shutdown.cancelled() => {}
        }
    }

    /// Looks at everything that is published now, and says whether any project has a cursor.
    async fn look<W: Walk>(&self, walk: &W) -> Result<bool, Error> {
        let projects = W::CURSORS.list(&mut *self.pool.acquire().await?).await?;
        for (project, _) in projects.iter().filter(|(_, behind)| *behind) {
            // What is wrong with one project must not hold up the others.
            if let Err(error) = self.catch_up(walk, *project).await {
                tracing::warn!(%error, walk = W::NAME, project.id = %project, "cannot go through the log; will try again");
            }
        }
        Ok(!projects.is_empty())
    }

    /// Looks at everything that is published in a project. Each step is a transaction; a backlog is many.
    async fn catch_up<W: Walk>(&self, walk: &W, project: ProjectId) -> Result<(), Error> {
        loop {
            let mut transaction = self.pool.begin().await?;
            let done = step(walk, &mut transaction, &self.log, project).await?;
            transaction.commit().await?;
            if done.made > 0 {
                self.jobs.wake_workers();
            }
            if done.events < BATCH {
                return Ok(());
            }
        }
    }
}

/// One step through the project's log, in the caller's transaction, on a connection of the owner: nothing of it has
/// happened unless that commits. Where another instance is at it, nothing is done.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn step<W: Walk>(
    walk: &W,
    connection: &mut PgConnection,
    log: &PublishedLog,
    project: ProjectId,
) -> Result<Step, Error> {
    let Some(cursor) = W::CURSORS.lock(connection, project).await? else { return Ok(Step::default()) };
    let Some(audience) = W::audience(connection, project).await? else {
        W::CURSORS.delete(connection, project).await?;
        return Ok(Step::default());
    };
    let page = log.read(project, cursor, BATCH).await?;
    let (Some(first), Some(last)) = (page.events.first(), page.events.last()) else {
        return Ok(Step::default());
    };
    if first.envelope.position > cursor.next() {
        tracing::error!(
            walk = W::NAME, project.id = %project, after = cursor.get(), oldest = page.oldest.get(),
            "events were dropped by retention before anything was made of them"
        );
    }
    let made = walk.take(connection, project, &audience, &page.events).await?;
    W::CURSORS.advance(connection, project, last.envelope.position).await?;
    Ok(Step { events: page.events.len(), made })
}
