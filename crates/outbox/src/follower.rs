//! The follower: reads the published log as it grows and hands it on, in every instance.

use std::collections::HashMap;
use std::time::Duration;

use tidewatch_events::{Event, Position, ProjectId};
use tidewatch_listen::Heard;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::carrier::{Carried, Carrier};
use crate::log::{PublishedLog, StreamHead};
use crate::wake::Waker;

/// How long a publication is left to the broker before it is read from the log after all.
const GRACE: Duration = Duration::from_millis(50);

/// Takes what the follower reads.
pub trait PublishedSink: Send + Sync + 'static {
    /// The stream of `project` begins, or begins anew, behind `head.last`: called once for each
    /// project before its first events, and again when its history was replaced (another epoch) or
    /// has a hole behind what was handed on (retention dropped events that were not).
    fn open(&self, project: ProjectId, head: StreamHead);

    /// The next events of `project`, without holes.
    fn publish(&self, project: ProjectId, events: Vec<Event>);

    /// Whether the stream of `project` can go on behind `to` without the events up to there: nobody
    /// listens to it now, and whoever comes later reads older ones out of the log. Asked when a lot was
    /// published at once; where it is `true`, [`PublishedSink::publish`] goes on behind `to`.
    fn skip_to(&self, project: ProjectId, to: Position) -> bool {
        let _ = (project, to);
        false
    }

    /// A look at the log succeeded: everything that was published before it began was handed on.
    fn caught_up(&self) {}
}

/// How the follower works.
#[derive(Debug, Clone, Copy)]
pub struct FollowerConfig {
    /// Longest time between two looks; wake-ups only shorten it.
    pub poll: Duration,
    /// Most events read at once.
    pub batch: usize,
}

impl Default for FollowerConfig {
    fn default() -> Self {
        Self { poll: Duration::from_millis(500), batch: 1_000 }
    }
}

/// Follows the published log of all projects from their heads on.
#[derive(Debug)]
pub struct Follower<S> {
    log: PublishedLog,
    config: FollowerConfig,
    waker: Waker,
    sink: S,
    streams: HashMap<ProjectId, StreamHead>,
    carried: Option<(Carrier, mpsc::Receiver<Carried>)>,
}

impl<S: PublishedSink> Follower<S> {
    /// A follower that has not looked yet.
    #[must_use]
    pub fn new(log: PublishedLog, config: FollowerConfig, waker: Waker, sink: S) -> Self {
        Self { log, config, waker, sink, streams: HashMap::new(), carried: None }
    }

    /// The same follower, which takes what another process has read from a broker, as long as that is heard, and reads the
    /// log for the others where this process leads. Of a carrier's followers only the first does.
    #[must_use]
    pub fn with_carrier(mut self, carrier: Carrier) -> Self {
        self.carried = carrier.inbound().map(|inbound| (carrier, inbound));
        self
    }

    /// Opens every stream at its present head. To be awaited before the first reader is let in,
    /// so that the head that a reader is given is never ahead of what it will be sent.
    ///
    /// # Errors
    /// Postgres could not be reached or refused.
    pub async fn open(&mut self) -> Result<(), sqlx::Error> {
        for (project, head) in self.log.heads().await? {
            self.open_stream(project, head);
        }
        self.sink.caught_up();
        Ok(())
    }

    /// Hands on what is published, until `shutdown`. Errors are logged and tried again: the
    /// position in the log is kept, so nothing is lost by them.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut published = self.waker.published();
        let work = async {
            loop {
                match self.catch_up().await {
                    Ok(()) => {}
                    Err(error) => tracing::warn!(%error, "cannot read the published log; will try again"),
                }
                self.wait(&mut published).await;
            }
        };
        tokio::select! {
            () = work => {}
            () = shutdown.cancelled() => {}
        }
    }

    /// Waits until the log is to be looked at. What comes by the broker meanwhile is handed on.
    async fn wait(&mut self, published: &mut Heard) {
        let poll = tokio::time::sleep(self.config.poll);
        tokio::pin!(poll);
        // When a publication of which the broker has said nothing is read.
        let mut due = None;
        loop {
            let inbound = self.carried.as_mut().map(|(_, inbound)| inbound);
            tokio::select! {
                Some(carried) = receive(inbound) => {
                    if !self.take(carried) {
                        return;
                    }
                    // It was about this, as a rule. What was lost of another project is found by the next look.
                    due = None;
                }
                () = published.wait() => {
                    if self.reads_by_itself() {
                        return;
                    }
                    due.get_or_insert_with(|| Instant::now() + GRACE);
                }
                () = until(due) => return,
                () = &mut poll => return,
            }
        }
    }

    /// Whether nobody else reads the log for this process: it leads, or hears no broker.
    fn reads_by_itself(&self) -> bool {
        self.carried.as_ref().is_none_or(|(carrier, _)| carrier.leads() || !carrier.is_heard())
    }

    /// Hands on what another process has read, where it goes on behind what was handed on here; otherwise `false`.
    fn take(&mut self, carried: Carried) -> bool {
        let Carried { project, epoch, events } = carried;
        let Some(known) = self.streams.get_mut(&project).filter(|known| known.epoch == epoch) else {
            return false;
        };
        let position = |event: &Event| event.envelope.position;
        let fresh: Vec<Event> =
            events.into_iter().skip_while(|event| position(event) <= known.last).collect();
        let mut last = known.last;
        for event in &fresh {
            if position(event) != last.next() {
                return false;
            }
            last = position(event);
        }
        if !fresh.is_empty() {
            known.last = last;
            if let Some((carrier, _)) = &self.carried {
                carrier.count_taken(fresh.len());
            }
            self.sink.publish(project, fresh);
        }
        true
    }

    async fn catch_up(&mut self) -> Result<(), sqlx::Error> {
        for (project, head) in self.log.heads().await? {
            match self.streams.get(&project) {
                Some(known) if known.epoch == head.epoch && known.last <= head.last => {}
                // Another history, or one that was cut: the old positions mean nothing.
                Some(_) => self.open_stream(project, head),
                // Its first event came after this process had looked: all of it is new.
                None => self.open_stream(project, StreamHead { last: Position::START, ..head }),
            }
            self.read_up_to(project, head).await?;
        }
        self.sink.caught_up();
        Ok(())
    }

    async fn read_up_to(&mut self, project: ProjectId, head: StreamHead) -> Result<(), sqlx::Error> {
        while let Some(known) = self.streams.get(&project).filter(|known| known.last < head.last) {
            // A backlog of a million would be read for nobody, while the relay needs the database.
            let is_much = head.last.get() - known.last.get() > self.config.batch as u64;
            if is_much && self.sink.skip_to(project, head.last) {
                self.streams.entry(project).and_modify(|known| known.last = head.last);
                break;
            }
            let page = self.log.read(project, known.last, self.config.batch).await?;
            let position = |event: &Event| event.envelope.position;
            let (Some(first), Some(last)) =
                (page.events.first().map(position), page.events.last().map(position))
            else {
                break;
            };
            if first > known.last.next() {
                // Retention was quicker than this process (it slept, or Postgres was away for days).
                let head = StreamHead { last: first.previous(), oldest: page.oldest, ..*known };
                self.open_stream(project, head);
            }
            self.streams.entry(project).and_modify(|known| known.last = last);
            if let Some((carrier, _)) = &self.carried {
                carrier.pass_on(project, head.epoch, &page.events);
            }
            self.sink.publish(project, page.events);
        }
        Ok(())
    }

    fn open_stream(&mut self, project: ProjectId, head: StreamHead) {
        self.streams.insert(project, head);
        self.sink.open(project, head);
    }
}

/// What comes next by the broker; without one, nothing ever.
async fn receive(inbound: Option<&mut mpsc::Receiver<Carried>>) -> Option<Carried> {
    match inbound {
        Some(inbound) => inbound.recv().await,
        None => std::future::pending().await,
    }
}

/// Waits until then; without a time, for ever.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
