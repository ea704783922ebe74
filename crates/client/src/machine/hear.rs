//! What the machine does with what the service says.

use tidewatch_events::position::PositionToken;
use tidewatch_events::stream::{Connected, SystemCode, SystemMessage};
use tidewatch_events::{Envelope, Position, ResumePoint};

use super::{Effect, Input, Machine, Millis, Stream};
use crate::notice::{Gap, GapCause, Loss, State, Unreadable};

/// Bounds of the heartbeat that the service may say.
const HEARTBEAT_MS: std::ops::RangeInclusive<Millis> = 1_000..=600_000;

impl Machine {
    pub(super) fn hear(&mut self, input: Input, now: Millis, random: f64, todo: &mut Vec<Effect>) {
        match input {
            Input::Connected { id, connected } => self.connected(id, connected, now, todo),
            Input::Events { id, events } => self.read(id, events, todo),
            Input::Heartbeat { id, heartbeat } => {
                self.failures = 0;
                self.floor = self.floor.max(heartbeat.position);
                self.reach(id, todo);
            }
            Input::System { id, message } => self.told(id, message, now, random, todo),
            Input::Retry(wait) => self.retry = wait,
            Input::Heard | Input::Start | Input::Lost { .. } | Input::Refused | Input::Tick => {}
        }
    }

    fn connected(
        &mut self,
        id: Option<ResumePoint>,
        connected: Connected,
        now: Millis,
        todo: &mut Vec<Effect>,
    ) {
        let Connected { connection_id, position, heartbeat_seconds, recovered, rights, .. } = connected;
        self.stream = Stream::Open { since: now, behind: position, gap_told: !recovered };
        // A number that is none becomes 0, and one that is too large the largest.
        let heartbeat = (heartbeat_seconds * 1_000.0) as Millis;
        self.heartbeat = heartbeat.clamp(*HEARTBEAT_MS.start(), *HEARTBEAT_MS.end());
        todo.push(Effect::State(State::Live { connection_id }));
        let had_rights = self.rights.replace(rights);
        if !recovered {
            self.go_on_behind(position, id, todo);
            return;
        }
        // Whoever began with `latest` has a place from here on.
        self.floor = self.floor.max(position);
        self.reach(id, todo);
        if had_rights.is_some() && had_rights != self.rights {
            // They changed while nothing was heard, so nobody was told.
            self.tell_gap(GapCause::Rights, todo);
        }
    }

    fn read(
        &mut self,
        id: Option<ResumePoint>,
        events: Vec<Result<Envelope, Unreadable>>,
        todo: &mut Vec<Effect>,
    ) {
        let mut new: Vec<Effect> = events
            .into_iter()
            .filter_map(|read| match read {
                Ok(envelope) => self.is_new(&envelope).then(|| Effect::Deliver(Box::new(envelope))),
                Err(unreadable) => Some(Effect::Unreadable(unreadable)),
            })
            .collect();
        // The place counts from the last one of them on: a reader that stops before must be given the rest again.
        // Where all were repeats, the reader has its place already, and perhaps one further on.
        let Some(last) = new.pop() else { return };
        todo.append(&mut new);
        self.reach(id, todo);
        todo.push(last);
    }

    fn is_new(&mut self, envelope: &Envelope) -> bool {
        envelope.position > self.floor && self.seen.insert(envelope.event_id)
    }

    /// An urgent event has the id of the one before it: those that it overtook are still to come.
    fn reach(&mut self, id: Option<ResumePoint>, todo: &mut Vec<Effect>) {
        if let Some(id) = id.filter(|id| *id != self.resume) {
            self.resume = id;
            todo.push(Effect::Reached(id));
        }
    }

    /// History was lost: what follows comes behind `position`, and the reader must read its data anew.
    fn go_on_behind(&mut self, position: Position, id: Option<ResumePoint>, todo: &mut Vec<Effect>) {
        self.floor = position;
        self.seen.clear();
        let here = id.unwrap_or_else(|| self.place_at(position));
        self.reach(Some(here), todo);
        self.tell_gap(GapCause::History, todo);
    }

    /// A token keeps the history that it counts in, so that a restored database is told apart.
    fn place_at(&self, position: Position) -> ResumePoint {
        match self.resume {
            ResumePoint::Token(token) => ResumePoint::Token(PositionToken { position, ..token }),
            _ => ResumePoint::Position(position),
        }
    }

    fn tell_gap(&self, cause: GapCause, todo: &mut Vec<Effect>) {
        todo.push(Effect::Gap(Gap { behind: self.floor, cause }));
    }

    fn told(
        &mut self,
        id: Option<ResumePoint>,
        message: SystemMessage,
        now: Millis,
        random: f64,
        todo: &mut Vec<Effect>,
    ) {
        let detail = |name: &str| message.data.as_ref()?.get(name)?.as_u64();
        let (retry_after, position) = (detail("retryMs"), detail("position").and_then(Position::new));
        let code = message.code;
        todo.push(Effect::System(message));
        match code {
            SystemCode::HistoryGap => {
                if let Stream::Open { behind, gap_told: gap_told @ false, .. } = &mut self.stream {
                    *gap_told = true;
                    let behind = *behind;
                    self.go_on_behind(position.unwrap_or_else(|| behind.max(self.floor)), id, todo);
                }
            }
            SystemCode::PermissionsChanged => {
                self.rights = None;
                self.tell_gap(GapCause::Rights, todo);
            }
            SystemCode::ServerDraining => {
                self.failures = 0;
                let wait = retry_after.unwrap_or_else(|| self.delay(1, random));
                self.close_for(wait, Loss::Draining, now, todo);
            }
            SystemCode::Lagged => self.close_for(self.delay(1, random), Loss::Lagged, now, todo),
            SystemCode::RateLimited => self.lose(Loss::RateLimited, retry_after, now, random, todo),
            // A token that has ended may have a successor; a key that has not is refused with 401 next.
            // A private channel is left when whoever signed for it may do so no longer; a new token may be had.
            SystemCode::SessionExpired | SystemCode::RemovedFromChannel => {
                self.lose(Loss::Expired, None, now, random, todo)
            }
            SystemCode::Success | SystemCode::Error => {}
        }
    }
}
