//! The share of the tab that has the lock.

use super::{Asker, Effect, Heard, Leader, Link, Lock, Note, Saying, Share, Standing, Welcome, as_heard};
use crate::live::machine::{DEFAULT_HEARTBEAT_MS, Millis, POLL_WAIT_SECONDS, Place, Polled, Status};

/// What a leader knows beside what all tabs know.
#[derive(Debug, Clone)]
pub(super) struct Lead {
    name: Leader,
    /// What was said to followers.
    said: u64,
    /// Time between two heartbeats; `None` as long as nobody can be let in.
    heartbeat: Option<Millis>,
    /// Who waits to be let in.
    waiting: Vec<(Asker, Standing)>,
    /// Whether anybody ever asked: as long as nobody did, nobody listens.
    has_followers: bool,
    /// History was lost; the next place that is heard of is where all go on.
    gap: bool,
}

impl Share {
    pub(super) fn granted(&mut self, place: &Place, todo: &mut Vec<Effect>) {
        if self.lock != Lock::Asked {
            todo.push(Effect::ReleaseLock);
            return;
        }
        self.lock = Lock::Held;
        self.unanswered = false;
        if !matches!(self.link, Link::Following { .. }) {
            self.recent.restart(place.behind);
        }
        self.terms += 1;
        self.link = Link::Leading(Lead {
            name: Leader { tab: self.tab, term: self.terms },
            said: 0,
            heartbeat: None,
            waiting: Vec::new(),
            has_followers: false,
            gap: place.behind.is_none(),
        });
        todo.push(Effect::Post(Note::Leads));
        if self.wanted {
            todo.push(Effect::OpenSource { after: place.after.clone() });
        }
    }

    /// Another tab found this one frozen.
    pub(super) fn robbed(&mut self, place: &Place, todo: &mut Vec<Effect>) {
        if self.lock != Lock::Held {
            return;
        }
        if self.wanted {
            todo.push(Effect::CloseSource);
        }
        self.link = Link::Apart;
        self.lock = Lock::Asked;
        todo.push(Effect::RequestLock { steal: false });
        if self.wanted {
            self.join(place, todo);
        }
    }

    pub(super) fn source_says(&mut self, mut heard: Vec<Heard>, todo: &mut Vec<Effect>) {
        let Link::Leading(lead) = &mut self.link else { return };
        for heard in &mut heard {
            if let Heard::Connected { heartbeat, recovered, .. } = heard {
                *recovered &= !std::mem::take(&mut lead.gap);
                lead.heartbeat = Some(*heartbeat);
            }
        }
        self.hear(heard.clone(), todo);
        self.say(Saying::Heard(heard), todo);
        self.let_in(todo);
    }

    /// Passes on what a poll brought, so that one tab polls for all.
    pub(super) fn polled(&mut self, rights: Option<String>, polled: Polled, todo: &mut Vec<Effect>) {
        let is_live = self.status == Status::Live;
        let Link::Leading(lead) = &mut self.link else {
            if let Polled::Page { position, .. } = polled {
                // For this tab alone: what it brought is not kept.
                self.recent.skip_to(position);
            }
            return;
        };
        let mut heard: Vec<Heard> = rights.into_iter().map(Heard::Rights).collect();
        match polled {
            Polled::Page { events, position, .. } => {
                let recovered = !std::mem::take(&mut lead.gap);
                if !is_live || !recovered {
                    // The next sign of life can be as far away as the end of the next poll.
                    let heartbeat = lead.heartbeat.unwrap_or(DEFAULT_HEARTBEAT_MS);
                    let heartbeat = heartbeat.max(u64::from(POLL_WAIT_SECONDS) * 1_000);
                    lead.heartbeat = Some(heartbeat);
                    let id = self.token_of(position);
                    heard.push(Heard::Connected { id, position, heartbeat, recovered });
                }
                heard.extend(as_heard(events));
                heard.push(Heard::Heartbeat { id: self.token_of(position), position });
            }
            Polled::Gap => lead.gap = true,
            Polled::Unauthorized | Polled::Failed { .. } => {}
        }
        if !heard.is_empty() {
            // Its own machine takes the page as what it is.
            heard.iter().for_each(|heard| self.note_down(heard));
            self.say(Saying::Heard(heard), todo);
            self.let_in(todo);
        }
    }

    pub(super) fn pass_on_how_it_stands(&mut self, todo: &mut Vec<Effect>) {
        let status = self.status;
        if let Link::Leading(lead) = &mut self.link {
            if !status.is_fresh() {
                lead.heartbeat = None;
            }
            self.say(Saying::Stands(status), todo);
        }
    }

    pub(super) fn say(&mut self, saying: Saying, todo: &mut Vec<Effect>) {
        if let Link::Leading(lead) = &mut self.link
            && lead.has_followers
        {
            lead.said += 1;
            todo.push(Effect::Post(Note::Said { leader: lead.name, number: lead.said, saying }));
        }
    }

    pub(super) fn asked(&mut self, asker: Asker, standing: Standing, todo: &mut Vec<Effect>) {
        let Link::Leading(lead) = &mut self.link else { return };
        lead.has_followers = true;
        lead.waiting.retain(|(other, _)| other.tab != asker.tab);
        lead.waiting.push((asker, standing));
        if lead.heartbeat.is_none() {
            todo.push(Effect::Post(Note::Wait(asker)));
        }
        self.let_in(todo);
    }

    fn let_in(&mut self, todo: &mut Vec<Effect>) {
        let Link::Leading(lead) = &mut self.link else { return };
        let Some(heartbeat) = lead.heartbeat else { return };
        for (asker, standing) in lead.waiting.drain(..) {
            let complete_behind = self.recent.complete_behind();
            let same_history = standing.epoch == self.epoch;
            let from = standing.behind.filter(|_| same_history).unwrap_or_default().max(complete_behind);
            todo.push(Effect::Post(Note::Welcome(Box::new(Welcome {
                asker,
                leader: lead.name,
                said: lead.said,
                status: self.status,
                rights: self.rights.clone(),
                heartbeat,
                epoch: self.epoch,
                complete_behind,
                missed: self.recent.behind(from),
            }))));
        }
    }
}
