//! The share of a tab that hears of the stream through another one.

use super::{
    Asker, Effect, Heard, Leader, Link, Note, Polled, Saying, Share, Standing, Welcome, as_heard, machine,
};
use crate::live::machine::Place;

/// A follower that lacks more than its leader has.
#[derive(Debug, Clone)]
pub(super) struct CatchingUp {
    welcome: Welcome,
    /// The machine was told that it is connected.
    is_told: bool,
    /// What the leader said meanwhile.
    later: Vec<Saying>,
}

impl CatchingUp {
    /// How much the leader may say meanwhile.
    const PATIENCE: usize = 2_000;

    fn heard(&self) -> u64 {
        self.welcome.said + self.later.len() as u64
    }
}

impl Share {
    pub(super) fn join(&mut self, place: &Place, todo: &mut Vec<Effect>) {
        self.joins += 1;
        self.link = Link::Joining { answered: false };
        let asker = Asker { tab: self.tab, number: self.joins };
        let standing = Standing { behind: place.behind, epoch: self.epoch };
        todo.push(Effect::Post(Note::Join { asker, standing }));
    }

    pub(super) fn somebody_leads(&mut self, place: &Place, todo: &mut Vec<Effect>) {
        self.unanswered = false;
        if self.wanted && !matches!(self.link, Link::Leading(_)) {
            self.join(place, todo);
        }
    }

    pub(super) fn told_to_wait(&mut self, asker: Asker) {
        if let Link::Joining { answered } = &mut self.link
            && asker == (Asker { tab: self.tab, number: self.joins })
        {
            *answered = true;
        }
    }

    pub(super) fn welcomed(&mut self, welcome: Welcome, place: &Place, todo: &mut Vec<Effect>) {
        let mine = welcome.asker == Asker { tab: self.tab, number: self.joins };
        if !mine || !matches!(self.link, Link::Joining { .. }) {
            return;
        }
        let same_history = welcome.epoch == self.epoch;
        self.epoch = welcome.epoch;
        let mut catching_up = CatchingUp { welcome, is_told: false, later: Vec::new() };
        match place.behind.filter(|_| same_history) {
            Some(behind) if behind < catching_up.welcome.complete_behind => {
                self.link = Link::CatchingUp(Box::new(catching_up));
                todo.push(Effect::Fetch { number: self.joins, after: place.after.clone() });
            }
            Some(_) => {
                self.greet(&mut catching_up, true, todo);
                self.is_in(catching_up, todo);
            }
            None => {
                self.greet(&mut catching_up, false, todo);
                self.is_in(catching_up, todo);
            }
        }
    }

    /// Tells the machine that it is connected.
    fn greet(&mut self, catching_up: &mut CatchingUp, recovered: bool, todo: &mut Vec<Effect>) {
        if !std::mem::replace(&mut catching_up.is_told, true) {
            let welcome = &catching_up.welcome;
            let position = welcome.complete_behind;
            let id = self.token_of(position);
            let connected = Heard::Connected { id, position, heartbeat: welcome.heartbeat, recovered };
            self.hear(vec![Heard::Rights(welcome.rights.clone()), connected], todo);
        }
    }

    /// Nothing is missing any more: first what the leader gave, then what it said meanwhile.
    fn is_in(&mut self, catching_up: CatchingUp, todo: &mut Vec<Effect>) {
        let CatchingUp { welcome, later, .. } = catching_up;
        self.link = Link::Following { leader: welcome.leader, heard: welcome.said, status: welcome.status };
        self.hear(welcome.missed, todo);
        for saying in later {
            self.follow(saying, todo);
        }
    }

    fn follow(&mut self, saying: Saying, todo: &mut Vec<Effect>) {
        if let Link::Following { heard, status, .. } = &mut self.link {
            *heard += 1;
            match saying {
                Saying::Stands(leader_status) => *status = leader_status,
                Saying::Heard(heard) => self.hear(heard, todo),
            }
        }
    }

    pub(super) fn fetched(&mut self, number: u32, polled: Polled, todo: &mut Vec<Effect>) {
        if number != self.joins || !matches!(self.link, Link::CatchingUp(_)) {
            return;
        }
        let Link::CatchingUp(mut catching_up) = std::mem::replace(&mut self.link, Link::Apart) else {
            return;
        };
        let wanted = catching_up.welcome.complete_behind;
        match polled {
            Polled::Page { events, position, has_more } => {
                self.greet(&mut catching_up, true, todo);
                let told = as_heard(events).map(|heard| Effect::Tell(heard.into()));
                todo.extend(told);
                let id = self.token_of(position);
                todo.push(Effect::Tell(machine::Input::Heartbeat { id: id.clone(), position }));
                if position >= wanted {
                    self.recent.restart(Some(position));
                    self.is_in(*catching_up, todo);
                } else if has_more {
                    self.link = Link::CatchingUp(catching_up);
                    todo.push(Effect::Fetch { number, after: id });
                } else {
                    // The leader heard of more than there is: whatever that means, it is no place to go on from.
                    self.give_up(todo);
                }
            }
            Polled::Gap => {
                catching_up.is_told = false;
                self.greet(&mut catching_up, false, todo);
                self.is_in(*catching_up, todo);
            }
            Polled::Unauthorized | Polled::Failed { .. } => self.give_up(todo),
        }
    }

    /// The machine finds its own way: it asks the service, and then to be let in again.
    fn give_up(&mut self, todo: &mut Vec<Effect>) {
        self.link = Link::Apart;
        todo.push(Effect::Tell(machine::Input::Failed));
    }

    pub(super) fn told(
        &mut self,
        leader: Leader,
        number: u64,
        saying: Saying,
        place: &Place,
        todo: &mut Vec<Effect>,
    ) {
        let (known, heard) = match &self.link {
            Link::Following { leader, heard, .. } => (*leader, *heard),
            Link::CatchingUp(catching_up) => (catching_up.welcome.leader, catching_up.heard()),
            Link::Apart | Link::Joining { .. } | Link::Leading(_) => return,
        };
        if known != leader || number > heard + 1 {
            // Something was missed: the beginning of another one's time, or a part of this one's.
            self.join(place, todo);
        } else if number == heard + 1 {
            match &mut self.link {
                Link::CatchingUp(catching_up) => catching_up.later.push(saying),
                _ => self.follow(saying, todo),
            }
            if matches!(&self.link, Link::CatchingUp(behind) if behind.later.len() > CatchingUp::PATIENCE) {
                self.give_up(todo);
            }
        }
    }
}
