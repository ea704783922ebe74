//! Following the stream: what joins the state machine to sockets and clock.

mod builder;
mod decode;
mod open;
#[cfg(test)]
mod tests;
mod wanted;

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::{FutureExt, Stream, StreamExt};
use tidewatch_events::{Backoff, ResumePoint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::error::Error;
use crate::machine::{Effect, Input, Machine, Millis};
use crate::notice::{Loss, Notice};
use crate::sse::Parser;

pub use builder::SubscriberBuilder;
use open::{ByteStream, Opener, Opening};

/// A stream of events that goes on by itself.
///
/// It resumes from its place after any loss, waits between attempts (full jitter, 0.5 to 20 seconds, and as long as the
/// service asks for), takes silence of two heartbeats for a loss, and gives each event once. It ends only after
/// [`Notice::GaveUp`].
///
/// Nothing runs in the background: it reads when it is polled. Whoever stays away for long lets events wait at the
/// service, which in the end closes the stream; the next poll then resumes.
///
/// ```no_run
/// # async fn run() -> Result<(), tidewatch_client::Error> {
/// use futures::StreamExt;
/// use tidewatch_client::{Notice, Publisher, Subscriber};
///
/// let publisher = Publisher::from_env()?;
/// let mut stream = Subscriber::from_env()?
///     .types(["order.*"])
///     .private_channel("orders", move |channel| {
///         // Called for each connection: a token lets in for ten minutes.
///         let channel = publisher.channel(channel.as_str());
///         async move { Ok(channel.sign(None).await?.token) }
///     })
///     .build()?;
/// while let Some(notice) = stream.next().await {
///     if let Notice::Event(event) = notice {
///         println!("{} {}", event.position, event.event_type);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Subscriber {
    machine: Machine,
    opener: Box<dyn Opener>,
    link: Link,
    /// Counts the links: what the last one left over is not for the next.
    links: u64,
    /// The longest message that is taken.
    limit: usize,
    begun: Instant,
    alarm: Option<Pin<Box<Sleep>>>,
    waiting: VecDeque<Waiting>,
    place: ResumePoint,
    refusal: Option<Error>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    New,
    Running,
    Ended,
}

/// The connection to the service.
enum Link {
    Closed,
    Opening(Opening),
    Open(ByteStream, Parser),
}

/// What is to be told, or takes hold with what is told next.
#[derive(Debug)]
enum Waiting {
    Notice(Notice),
    Place(ResumePoint),
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Subscriber {
    fn new(opener: Box<dyn Opener>, after: ResumePoint, backoff: Backoff, limit: usize) -> Self {
        Self {
            machine: Machine::new(after, backoff),
            opener,
            link: Link::Closed,
            links: 0,
            limit,
            begun: Instant::now(),
            alarm: None,
            waiting: VecDeque::new(),
            place: after,
            refusal: None,
            phase: Phase::New,
        }
    }

    /// The place behind what was given so far: kept (its text form reads back) and given to
    /// [`SubscriberBuilder::after`], a later run of the program goes on from here.
    #[must_use]
    pub const fn place(&self) -> ResumePoint {
        self.place
    }

    fn take(&mut self, input: Input) {
        let now = Millis::try_from(self.begun.elapsed().as_millis()).unwrap_or(Millis::MAX);
        for effect in self.machine.step(input, now, rand::random()) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        let notice = match effect {
            Effect::Open { after } => {
                self.link = Link::Opening(self.opener.open(after));
                return;
            }
            Effect::Close => {
                self.link = Link::Closed;
                self.links += 1;
                return;
            }
            Effect::Schedule { at } => return self.set_alarm(self.begun + Duration::from_millis(at)),
            Effect::Reached(place) => return self.waiting.push_back(Waiting::Place(place)),
            Effect::State(state) => Notice::State(state),
            Effect::Deliver(envelope) => Notice::Event(envelope),
            Effect::Gap(gap) => Notice::Gap(gap),
            Effect::System(message) => Notice::System(message),
            Effect::Unreadable(unreadable) => Notice::Unreadable(unreadable),
            Effect::GiveUp => {
                self.phase = Phase::Ended;
                let Some(error) = self.refusal.take() else { return };
                Notice::GaveUp(error)
            }
        };
        self.waiting.push_back(Waiting::Notice(notice));
    }

    fn set_alarm(&mut self, deadline: Instant) {
        match &mut self.alarm {
            Some(alarm) if alarm.deadline() == deadline => {}
            Some(alarm) => alarm.as_mut().reset(deadline),
            None => self.alarm = Some(Box::pin(sleep_until(deadline))),
        }
    }

    fn next_waiting(&mut self) -> Option<Notice> {
        loop {
            match self.waiting.pop_front()? {
                Waiting::Notice(notice) => return Some(notice),
                Waiting::Place(place) => self.place = place,
            }
        }
    }

    fn poll_link(&mut self, context: &mut Context<'_>) -> Poll<Vec<Input>> {
        match &mut self.link {
            Link::Closed => Poll::Pending,
            Link::Opening(opening) => match ready!(opening.poll_unpin(context)) {
                Ok(bytes) => {
                    self.link = Link::Open(bytes, Parser::new(self.limit));
                    Poll::Ready(Vec::new())
                }
                Err(error) => Poll::Ready(vec![self.lost(error)]),
            },
            Link::Open(bytes, parser) => match ready!(bytes.poll_next_unpin(context)) {
                Some(Ok(piece)) => {
                    let mut items = Vec::new();
                    let read = parser.push(&piece, &mut items);
                    let mut inputs: Vec<Input> = items.into_iter().map(decode::decode).collect();
                    inputs.push(match read {
                        Ok(()) => Input::Heard,
                        Err(too_long) => failed(too_long.to_string()),
                    });
                    Poll::Ready(inputs)
                }
                Some(Err(error)) => Poll::Ready(vec![failed(error.to_string())]),
                None => Poll::Ready(vec![Input::Lost { loss: Loss::Ended, retry_after: None }]),
            },
        }
    }

    fn lost(&mut self, error: Error) -> Input {
        if error.is_permanent() {
            self.refusal = Some(error);
            return Input::Refused;
        }
        let retry_after = error.retry_after().and_then(|wait| Millis::try_from(wait.as_millis()).ok());
        Input::Lost { loss: Loss::Failed(error.to_string()), retry_after }
    }
}

fn failed(reason: String) -> Input {
    Input::Lost { loss: Loss::Failed(reason), retry_after: None }
}

impl Stream for Subscriber {
    type Item = Notice;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Notice>> {
        let this = self.get_mut();
        loop {
            if let Some(notice) = this.next_waiting() {
                return Poll::Ready(Some(notice));
            }
            match this.phase {
                Phase::Ended => return Poll::Ready(None),
                Phase::New => {
                    this.phase = Phase::Running;
                    this.take(Input::Start);
                    continue;
                }
                Phase::Running => {}
            }
            // Before the clock: what waits in the socket is no silence, however long nobody looked.
            if let Poll::Ready(inputs) = this.poll_link(context) {
                let link = this.links;
                for input in inputs {
                    if this.links == link {
                        this.take(input);
                    }
                }
            } else if let Some(alarm) = &mut this.alarm {
                ready!(alarm.as_mut().poll(context));
                this.alarm = None;
                this.take(Input::Tick);
            } else {
                return Poll::Pending;
            }
        }
    }
}
