//! From the published log into the hub, and on to who sends webhooks and notifications and who keeps what was read.

use std::sync::Arc;

use tidewatch_events::{Event, Position, ProjectId};
use tidewatch_hub::Hub;
use tidewatch_outbox::{PublishedSink, StreamHead};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::reads::Generations;

/// Hands what the follower reads to the hub.
#[derive(Debug, Clone)]
pub struct HubSink {
    /// The hub.
    pub hub: Hub,
    /// Wake at each publication who makes webhooks and notifications of it.
    pub published: [Arc<Notify>; 2],
    /// Told of what is published, so that what was read before is read anew.
    pub generations: Generations,
    /// What is handed out is waited for at the end.
    pub tasks: TaskTracker,
}

impl PublishedSink for HubSink {
    fn open(&self, project: ProjectId, head: StreamHead) {
        self.generations.published(project);
        self.hub.open_project(project, head.last, head.epoch);
    }

    fn skip_to(&self, project: ProjectId, to: Position) -> bool {
        self.published.iter().for_each(|walker| walker.notify_one());
        self.generations.published(project);
        self.hub.skip_to(project, to)
    }

    fn publish(&self, project: ProjectId, events: Vec<Event>) {
        self.published.iter().for_each(|walker| walker.notify_one());
        self.generations.published(project);
        // The follower reads without holes, so a refusal is a fault of ours: say so loudly. Readers
        // are still served right, for a stream that fails is resumed from the log.
        match self.hub.publish(project, events) {
            // Parts of their own, so that several cores share them and requests have their turn.
            Ok(handouts) => handouts.into_iter().for_each(|handout| {
                self.tasks.spawn(async move { handout.give() });
            }),
            Err(error) => tracing::error!(%error, project.id = %project, "the hub refused published events"),
        }
    }
}
