//! One record with its history.

use std::collections::BTreeSet;

use tidewatch_events::Envelope;
use tidewatch_events::access::Actor;
use tidewatch_events::catalog::access::CommentCreated;
use tidewatch_events::id::UserId;
use tidewatch_modules::Record;

use super::Reducer;
use crate::model::{Comment, RecordDetail, Snapshot};

/// A record that follows events.
#[derive(Debug, Clone, PartialEq)]
pub struct DetailState {
    detail: RecordDetail,
    /// Somebody has to do with it whose name is not known here.
    unknown_person: bool,
    /// Who has been asked for, once: not everybody's name is for everybody.
    asked_for: BTreeSet<UserId>,
}

impl DetailState {
    /// The record as it was loaded.
    #[must_use]
    pub const fn new(detail: RecordDetail) -> Self {
        Self { detail, unknown_person: false, asked_for: BTreeSet::new() }
    }

    /// What is shown.
    #[must_use]
    pub const fn detail(&self) -> &RecordDetail {
        &self.detail
    }

    /// Takes the event into the timeline, by version; `false` when it is there, or older than all that is kept.
    fn tell(&mut self, envelope: &Envelope) -> bool {
        let timeline = &mut self.detail.timeline;
        let version = envelope.aggregate_version;
        let is_full = timeline.len() >= RecordDetail::MAX_TIMELINE;
        let index = timeline.partition_point(|event| event.aggregate_version < version);
        let is_there = timeline.get(index).is_some_and(|event| event.aggregate_version == version);
        if is_there || (is_full && index == 0) {
            return false;
        }
        timeline.insert(index, envelope.clone());
        if is_full {
            timeline.remove(0);
        }
        true
    }

    /// Has the name of a person asked for, where it is not known.
    fn meet(&mut self, person: Option<UserId>) {
        if let Some(person) = person.filter(|person| !self.detail.people.contains_key(person)) {
            self.unknown_person |= self.asked_for.insert(person);
        }
    }

    /// Takes a comment in; `false` when it is about another record, or there.
    fn hear(&mut self, envelope: &Envelope) -> bool {
        let Some(Ok(said)) = envelope.payload::<CommentCreated>() else { return false };
        let is_there = self.detail.comments.iter().any(|comment| comment.id == said.comment_id);
        if said.about != self.detail.record.id || is_there {
            return false;
        }
        self.detail.comments.push(Comment {
            id: said.comment_id,
            actor: envelope.metadata.actor.as_ref().map(ToString::to_string).unwrap_or_default(),
            text: said.text,
            created_at: envelope.occurred_at,
        });
        true
    }
}

impl Reducer for DetailState {
    type Data = RecordDetail;

    fn apply(&mut self, envelope: &Envelope) -> bool {
        let actor = match envelope.metadata.actor {
            Some(Actor::User(person)) => Some(person),
            _ => None,
        };
        if self.hear(envelope) {
            self.meet(actor);
            return true;
        }
        let Some(record) = Record::from_event(&self.detail.module, envelope) else { return false };
        if record.id != self.detail.record.id {
            return false;
        }
        // The row may be ahead of the log: a change shows in the table once it is committed, and in
        // the timeline once it is published.
        let is_told = self.tell(envelope);
        if is_told {
            self.meet(actor);
        }
        let is_newer = record.version > self.detail.record.version;
        if is_newer {
            self.meet(record.assignee);
            self.detail.record = record;
        }
        is_told || is_newer
    }

    fn replace(&mut self, snapshot: Snapshot<RecordDetail>) {
        self.detail = snapshot.data;
        self.unknown_person = false;
    }

    fn wants_refetch(&self) -> bool {
        self.unknown_person
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use tidewatch_events::catalog::settlement::SettlementStatus;

    use super::super::testing::{Change, Ledger, changes, module, record_of};
    use super::*;

    /// What the server answers of the first settlement, with `published` events in the log.
    fn load(ledger: &Ledger, published: usize) -> RecordDetail {
        let record = record_of(&ledger.rows[0]);
        let log = ledger.log[..published].iter();
        let timeline = log.filter(|event| event.aggregate_id == record.id.to_string());
        RecordDetail {
            module: module(),
            timeline: timeline.cloned().collect(),
            record,
            comments: Vec::new(),
            organization: None,
            people: BTreeMap::new(),
            organizations: BTreeMap::new(),
            me: None,
            may_act: true,
        }
    }

    #[test]
    fn a_name_that_is_not_known_is_asked_for_once() {
        let mut ledger = Ledger::default();
        ledger.make(Change { settlement: 0, status: SettlementStatus::Created, after: 0 });
        let mut state = DetailState::new(load(&ledger, 1));
        let person: UserId = "usr_01h455vb4pex5vsknk084sn02q".parse().expect("an id");
        let mut act = |state: &mut DetailState, status| {
            ledger.make(Change { settlement: 0, status, after: 1 });
            let mut event = ledger.log.last().expect("an event").clone();
            event.metadata.actor = Some(Actor::User(person));
            assert!(state.apply(&event));
            load(&ledger, ledger.log.len())
        };
        let read = act(&mut state, SettlementStatus::Held);
        assert!(state.wants_refetch());
        // It was not told: who looks is no staff, and does not ask with each event.
        state.replace(Snapshot {
            data: read,
            position: tidewatch_events::Position::START,
            resume_token: String::new(),
            as_of: tidewatch_events::Timestamp::from_unix_millis(0).expect("a time"),
        });
        assert!(!state.wants_refetch());
        act(&mut state, SettlementStatus::Created);
        assert!(!state.wants_refetch());
    }

    proptest! {
        #[test]
        fn equals_a_fresh_load(
            before in changes(10), committed in changes(5), after in changes(30), repeat in 0usize..30,
        ) {
            let mut ledger = Ledger::default();
            ledger.make(Change { settlement: 0, status: SettlementStatus::Created, after: 0 });
            before.iter().for_each(|change| ledger.make(*change));
            let published = ledger.log.len();
            committed.iter().for_each(|change| ledger.make(*change));
            let mut state = DetailState::new(load(&ledger, published));
            after.iter().for_each(|change| ledger.make(*change));
            for event in &ledger.log[published..] {
                state.apply(event);
            }
            if let Some(event) = ledger.log.get(repeat) {
                prop_assert!(!state.apply(event), "what was applied changes nothing again");
            }
            prop_assert_eq!(state.detail(), &load(&ledger, ledger.log.len()));
        }
    }
}
