//! What the machine does with what the service says.

use tidewatch_events::position::PositionToken;
use tidewatch_events::stream::{SystemCode, SystemMessage};
use tidewatch_events::{Envelope, Position};

use super::{Effect, Machine, Millis, Stream, wait_after};

impl Machine {
    pub(super) fn connected(
        &mut self,
        position: Position,
        heartbeat: Millis,
        recovered: bool,
        now: Millis,
        todo: &mut Vec<Effect>,
    ) {
        if matches!(self.stream, Stream::Closed { .. }) {
            // Given up a moment ago, for its silence: it will be opened again.
            return;
        }
        let gap = !recovered || self.gap_open;
        self.stream = Stream::Open { since: now, behind: position, gap_told: gap };
        self.heartbeat = heartbeat.max(1_000);
        self.last_heard = Some(now);
        self.offline = false;
        self.end_poll(todo);
        if gap {
            self.go_on_behind(position, todo);
        }
    }

    /// Rights that changed while nothing was heard were told to nobody.
    pub(super) fn rights_are(&mut self, rights: String, todo: &mut Vec<Effect>) {
        let before = self.rights.replace(rights);
        if before.is_some() && before != self.rights {
            todo.push(Effect::Refetch { behind: self.floor });
        }
    }

    /// History was lost: what follows comes behind `position`, and the pages must read anew.
    pub(super) fn go_on_behind(&mut self, position: Position, todo: &mut Vec<Effect>) {
        self.gap_open = false;
        self.floor = position;
        self.reached = position;
        self.resume = self.token_of(position);
        self.seen.clear();
        todo.push(Effect::Refetch { behind: position });
    }

    /// A token keeps the history that it counts in, so that a restored database is told apart.
    pub(super) fn token_of(&self, position: Position) -> String {
        match self.resume.parse::<PositionToken>() {
            Ok(token) => PositionToken { position, ..token }.to_string(),
            Err(_) => position.to_string(),
        }
    }

    /// Passes the event on unless it was before; whether it did.
    pub(super) fn deliver(&mut self, envelope: Envelope, todo: &mut Vec<Effect>) -> bool {
        let new = envelope.position > self.floor && self.seen.insert(envelope.event_id);
        if new {
            todo.push(Effect::Deliver(Box::new(envelope)));
        }
        new
    }

    pub(super) fn told(&mut self, message: &SystemMessage, now: Millis, random: f64, todo: &mut Vec<Effect>) {
        self.last_heard = Some(now);
        let detail = |name: &str| message.data.as_ref()?.get(name)?.as_u64();
        let retry_after = detail("retryMs");
        match message.code {
            SystemCode::SessionExpired => self.sign_out(todo),
            SystemCode::PermissionsChanged => {
                self.rights = None;
                todo.push(Effect::Refetch { behind: self.floor });
            }
            SystemCode::HistoryGap => {
                if let Stream::Open { behind, gap_told: gap_told @ false, .. } = &mut self.stream {
                    *gap_told = true;
                    let behind = *behind;
                    let here = detail("position").and_then(Position::new);
                    self.go_on_behind(here.unwrap_or_else(|| behind.max(self.floor)), todo);
                }
            }
            SystemCode::ServerDraining => {
                self.failures = 0;
                self.close_until(now + retry_after.unwrap_or_else(|| wait_after(1, random)), todo);
            }
            SystemCode::Lagged => self.close_until(now + wait_after(1, random), todo),
            SystemCode::RateLimited => {
                self.failures += 1;
                let wait = retry_after.unwrap_or(0).max(wait_after(self.failures, random));
                self.close_until(now + wait, todo);
            }
            SystemCode::Success | SystemCode::Error | SystemCode::RemovedFromChannel => {}
        }
    }

    pub(super) fn close_until(&mut self, retry_at: Millis, todo: &mut Vec<Effect>) {
        if !matches!(self.stream, Stream::Closed { .. }) {
            todo.push(Effect::CloseStream);
        }
        self.stream = Stream::Closed { retry_at: Some(retry_at) };
    }
}
