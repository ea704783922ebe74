//! The other half of the machine: what it does when the stream is not there.

use tidewatch_events::{Envelope, Position};

use super::{
    Activity, CONNECT_TIMEOUT_MS, Effect, HIDDEN_GRACE_MS, Machine, Millis, POLL_SPACING_MS, POLL_TIMEOUT_MS,
    POLL_WAIT_SECONDS, Poll, Polled, STABLE_MS, Stream, wait_after,
};

impl Machine {
    /// The stream broke, could not be opened, or fell silent.
    pub(super) fn lose_stream(&mut self, now: Millis, random: f64, todo: &mut Vec<Effect>) {
        match self.stream {
            Stream::Closed { .. } => return,
            Stream::Open { since, .. } if now.saturating_sub(since) >= STABLE_MS => self.failures = 1,
            Stream::Open { .. } | Stream::Opening { .. } => self.failures = self.failures.saturating_add(1),
        }
        let never_opened = matches!(self.stream, Stream::Opening { .. });
        self.close_until(now + wait_after(self.failures, random), todo);
        if never_opened && self.poll == Poll::Idle {
            // EventSource hides the status; a poll tells whether the session has ended.
            self.ask(0, now, todo);
        }
    }

    pub(super) fn sign_out(&mut self, todo: &mut Vec<Effect>) {
        self.rest(Activity::SignedOut, todo);
        // The pages find out that they may show nothing any more.
        todo.push(Effect::Refetch { behind: self.floor });
    }

    fn rest(&mut self, activity: Activity, todo: &mut Vec<Effect>) {
        self.activity = activity;
        if !matches!(self.stream, Stream::Closed { .. }) {
            todo.push(Effect::CloseStream);
        }
        self.stream = Stream::Closed { retry_at: None };
        self.end_poll(todo);
    }

    pub(super) fn end_poll(&mut self, todo: &mut Vec<Effect>) {
        if matches!(self.poll, Poll::UnderWay { .. }) {
            todo.push(Effect::CancelPoll);
        }
        self.poll = Poll::Idle;
    }

    fn ask(&mut self, wait_seconds: u32, now: Millis, todo: &mut Vec<Effect>) {
        self.poll = Poll::UnderWay { since: now };
        todo.push(Effect::Poll { after: self.resume.clone(), wait_seconds });
    }

    pub(super) fn polled(&mut self, polled: Polled, now: Millis, random: f64, todo: &mut Vec<Effect>) {
        let Poll::UnderWay { since } = self.poll else { return };
        self.poll = Poll::Idle;
        match polled {
            Polled::Page { events, position, has_more } => {
                self.read(events, position, now, todo);
                let pause = if has_more { 0 } else { POLL_SPACING_MS };
                self.poll = Poll::Resting { until: since + pause };
            }
            Polled::Gap => {
                // The next answer says where the present is; then the pages read anew.
                self.polls_work = true;
                self.gap_open = true;
                self.resume = "latest".to_owned();
                self.seen.clear();
                self.floor = Position::START;
                self.reached = Position::START;
                self.ask(0, now, todo);
            }
            Polled::Unauthorized => self.sign_out(todo),
            Polled::Failed { retry_after } => {
                self.polls_work = false;
                let wait = retry_after.unwrap_or(0).max(wait_after(self.failures, random));
                self.poll = Poll::Resting { until: now + wait };
                if self.offline {
                    // The browser was right: the network is gone.
                    self.lose_stream(now, random, todo);
                }
            }
        }
    }

    fn read(&mut self, events: Vec<Envelope>, position: Position, now: Millis, todo: &mut Vec<Effect>) {
        self.polls_work = true;
        self.offline = false;
        self.last_heard = Some(now);
        if self.gap_open {
            self.go_on_behind(position, todo);
            return;
        }
        for envelope in events {
            self.deliver(envelope, todo);
        }
        if position > self.floor {
            self.floor = position;
            self.reached = position;
            self.resume = self.token_of(position);
        }
    }

    /// Does what the time asks for, and says when to look again.
    pub(super) fn settle(&mut self, now: Millis, random: f64, todo: &mut Vec<Effect>) {
        if self.activity == Activity::Running && self.hidden_until().is_some_and(|until| until <= now) {
            self.rest(Activity::Paused, todo);
        }
        if self.activity != Activity::Running {
            return;
        }
        if self.silence().is_some_and(|deadline| deadline <= now) {
            self.lose_stream(now, random, todo);
        }
        if matches!(self.poll, Poll::UnderWay { since } if since + POLL_TIMEOUT_MS <= now) {
            todo.push(Effect::CancelPoll);
            self.polled(Polled::Failed { retry_after: None }, now, random, todo);
        }
        if matches!(self.stream, Stream::Closed { retry_at: Some(at) } if at <= now) {
            self.stream = Stream::Opening { deadline: now + CONNECT_TIMEOUT_MS };
            todo.push(Effect::OpenStream { after: self.resume.clone() });
        }
        self.settle_poll(now, todo);
        if let Some(at) = self.next_look() {
            todo.push(Effect::Schedule { at: at.max(now + 1) });
        }
    }

    fn settle_poll(&mut self, now: Millis, todo: &mut Vec<Effect>) {
        let rested = match self.poll {
            Poll::Idle => true,
            Poll::Resting { until } => until <= now,
            Poll::UnderWay { .. } => false,
        };
        if !rested {
            return;
        }
        match self.stream {
            // A network that is said to be gone is asked whether it is.
            Stream::Open { .. } if self.offline => self.ask(0, now, todo),
            _ if self.is_polling() => {
                // The first one answers at once: it shows whether polling works at all.
                let wait = if self.polls_work { POLL_WAIT_SECONDS } else { 0 };
                self.ask(wait, now, todo);
            }
            _ => self.poll = Poll::Idle,
        }
    }

    fn hidden_until(&self) -> Option<Millis> {
        self.hidden_since.map(|since| since + HIDDEN_GRACE_MS)
    }

    /// When an opening or open stream counts as lost.
    fn silence(&self) -> Option<Millis> {
        match self.stream {
            Stream::Closed { .. } => None,
            Stream::Opening { deadline } => Some(deadline),
            Stream::Open { since, .. } => Some(self.last_heard.unwrap_or(since) + 2 * self.heartbeat),
        }
    }

    fn next_look(&self) -> Option<Millis> {
        let retry = match self.stream {
            Stream::Closed { retry_at } => retry_at,
            _ => None,
        };
        let poll = match self.poll {
            Poll::Idle => None,
            Poll::UnderWay { since } => Some(since + POLL_TIMEOUT_MS),
            Poll::Resting { until } => Some(until),
        };
        [self.hidden_until(), self.silence(), retry, poll].into_iter().flatten().min()
    }
}
