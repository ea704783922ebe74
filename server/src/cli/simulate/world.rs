//! All that lives, and what happens next.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::Value;
use tidewatch_modules::Module;

use super::api::Record;
use super::dice::{percent, weighted};
use super::{business, described, settlements};
use crate::domain::Modules;

/// How records of a module live.
#[derive(Clone, Copy)]
struct Life<'m> {
    module: &'m str,
    /// How often something happens here.
    weight: u32,
    /// How many are on their way at once, for each hundred settlements.
    share: usize,
    next: Next<'m>,
}

/// What happens to a record next.
#[derive(Clone, Copy)]
enum Next<'m> {
    /// As it is written here.
    Told(fn(&mut StdRng, &Record) -> Option<Value>),
    /// As the description of its module allows.
    Described(&'m Module),
}

/// Under which name people live; they are no records.
const PEOPLE: &str = "users";

const LIVES: &[Life<'static>] = &[
    Life { module: "settlements", weight: 50, share: 100, next: Next::Told(settlements::next) },
    Life { module: "orders", weight: 12, share: 40, next: Next::Told(business::next_of_order) },
    Life { module: "payments", weight: 18, share: 40, next: Next::Told(business::next_of_payment) },
    Life { module: "tickets", weight: 6, share: 20, next: Next::Told(business::next_of_ticket) },
    Life { module: "invoices", weight: 3, share: 0, next: Next::Told(business::next_of_invoice) },
    Life { module: "incidents", weight: 2, share: 8, next: Next::Told(business::next_of_incident) },
    Life { module: "automations", weight: 6, share: 5, next: Next::Told(business::next_of_automation) },
    Life { module: "logs", weight: 2, share: 0, next: Next::Told(|_, _| None) },
    Life { module: "servers", weight: 1, share: 0, next: Next::Told(|_, _| None) },
    Life { module: PEOPLE, weight: 1, share: 0, next: Next::Told(|_, _| None) },
];

/// How often something happens in a module that is told by its description alone, and how many are on their way.
const DESCRIBED: (u32, usize) = (12, 20);

/// What to do next.
pub(super) enum Step<'m> {
    /// Make a record.
    Create { module: &'m str, new: Value },
    /// Move one on.
    Move { module: &'m str, id: String, body: Value, by: Who },
    /// Something happens to somebody.
    People,
    /// See where one stands that others move.
    Look { module: &'m str, id: String },
    /// See which there are that others make.
    LookAround { module: &'m str },
}

/// Whose key is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Who does everything.
    First,
    /// The person who agrees to what the first one asked for.
    Second,
}

/// All records that are on their way, by module.
pub(super) struct World<'m> {
    dice: StdRng,
    settlements: usize,
    lives: Vec<Life<'m>>,
    records: BTreeMap<&'m str, BTreeMap<String, Record>>,
    /// Orders that a payment was made for.
    paid_for: BTreeSet<String>,
    /// Whether there is somebody to agree to what takes two.
    has_second: bool,
    url: String,
}

impl<'m> World<'m> {
    /// A world in which so many settlements are on their way at once, and only these modules live; none: all, those of the
    /// installation's own among them.
    pub(super) fn new(
        dice: StdRng,
        settlements: usize,
        installed: &'m Modules,
        modules: &[String],
        has_second: bool,
        url: &str,
    ) -> anyhow::Result<Self> {
        let (weight, share) = DESCRIBED;
        let own = installed.own().filter(|module| described::can_live(module));
        let own =
            own.map(|module| Life { module: &module.name, weight, share, next: Next::Described(module) });
        let all: Vec<Life<'m>> = LIVES.iter().copied().chain(own).collect();
        let known: Vec<&str> = all.iter().map(|life| life.module).collect();
        if let Some(unknown) = modules.iter().find(|name| !known.contains(&name.as_str())) {
            anyhow::bail!("no {unknown} live here; there are {}", known.join(", "));
        }
        let lives = all
            .into_iter()
            .filter(|life| modules.is_empty() || modules.iter().any(|name| name == life.module));
        Ok(Self {
            dice,
            settlements,
            lives: lives.collect(),
            records: BTreeMap::new(),
            paid_for: BTreeSet::new(),
            has_second,
            url: url.to_owned(),
        })
    }

    /// The modules whose records live.
    pub(super) fn modules(&self) -> Vec<&'m str> {
        self.lives.iter().map(|life| life.module).filter(|module| *module != PEOPLE).collect()
    }

    pub(super) fn open_count(&self) -> usize {
        self.records.values().map(BTreeMap::len).sum()
    }

    pub(super) fn adopt(&mut self, module: &'m str, records: Vec<Record>) {
        records.into_iter().for_each(|record| self.take_in(module, record));
    }

    /// Knows a record as it now stands; one that is done is let go.
    pub(super) fn take_in(&mut self, module: &'m str, record: Record) {
        if module == "payments" {
            self.paid_for.insert(record.text("orderId").to_owned());
        }
        let most = self.settlements.max(20) * 2;
        let ended = matches!(
            record.status.as_str(),
            "settled" | "completed" | "cancelled" | "refunded" | "done" | "resolved" | "paid" | "void"
        ) && !(module == "orders" && record.status == "paid");
        let ended =
            ended || self.described(module).is_some_and(|module| described::has_ended(module, &record));
        let fails = record.status == "failed" && module != "settlements" && module != "servers";
        let known = self.records.entry(module).or_default();
        if ended || fails || module == "logs" || (known.len() > most && !known.contains_key(&record.id)) {
            known.remove(&record.id);
        } else {
            known.insert(record.id.clone(), record);
        }
    }

    pub(super) fn forget(&mut self, module: &str, id: &str) {
        if let Some(known) = self.records.get_mut(module) {
            known.remove(id);
        }
    }

    pub(super) fn choose(&mut self) -> Step<'m> {
        for _ in 0..64 {
            let lives = std::mem::take(&mut self.lives);
            let life = *weighted(&mut self.dice, &lives, |life| life.weight);
            self.lives = lives;
            if let Some(step) = self.step_of(life) {
                return step;
            }
        }
        // Everything waits for somebody.
        let first = self.lives[0].module;
        if first == PEOPLE {
            return Step::People;
        }
        match self.new_of(first) {
            Some(new) => Step::Create { module: first, new },
            None => Step::Create { module: "settlements", new: settlements::new(&mut self.dice) },
        }
    }

    fn step_of(&mut self, life: Life<'m>) -> Option<Step<'m>> {
        let module = life.module;
        if module == PEOPLE {
            return Some(Step::People);
        }
        let open = self.records.get(module).map_or(0, BTreeMap::len);
        let is_full = open >= (self.settlements * life.share / 100).max(1);
        if matches!(module, "logs" | "servers") || (!is_full && percent(&mut self.dice, 22)) {
            let new = self.new_of(module)?;
            return Some(Step::Create { module, new });
        }
        // Approved tickets write invoices, and checks open incidents.
        if matches!(module, "invoices" | "incidents") && (open == 0 || percent(&mut self.dice, 10)) {
            return Some(Step::LookAround { module });
        }
        let crowd: Vec<&Record> = self.records.get(module).into_iter().flat_map(BTreeMap::values).collect();
        for _ in 0..8 {
            let record = *crowd.choose(&mut self.dice)?;
            let by = by_whom(module, record);
            if by == Who::Second && !self.has_second {
                continue;
            }
            let next = match life.next {
                Next::Told(next) => next(&mut self.dice, record),
                Next::Described(module) => described::next(&mut self.dice, module, record),
            };
            if let Some(mut body) = next {
                body["expectedVersion"] = record.version.into();
                return Some(Step::Move { module, id: record.id.clone(), body, by });
            }
            // Somebody else may have moved it on: now and then it is looked at.
            if module == "orders" && self.paid_for.contains(&record.id) && percent(&mut self.dice, 30) {
                return Some(Step::Look { module, id: record.id.clone() });
            }
        }
        None
    }

    /// The description of a module of which nothing else is known.
    fn described(&self, name: &str) -> Option<&'m Module> {
        self.lives.iter().find_map(|life| match life.next {
            Next::Described(module) if life.module == name => Some(module),
            _ => None,
        })
    }

    fn new_of(&mut self, module: &str) -> Option<Value> {
        let described = self.described(module);
        let dice = &mut self.dice;
        match module {
            "settlements" => Some(settlements::new(dice)),
            "orders" => Some(business::new_order(dice)),
            "payments" => {
                let orders = self.records.get("orders");
                let waiting = orders
                    .into_iter()
                    .flat_map(BTreeMap::values)
                    .find(|order| order.status == "created" && !self.paid_for.contains(&order.id));
                Some(business::new_payment(dice, waiting))
            }
            "tickets" => Some(business::new_ticket(dice)),
            "incidents" => Some(business::new_incident(dice)),
            "automations" => Some(business::new_automation(dice)),
            "logs" => Some(business::new_log(dice)),
            "servers" => {
                let known = self.records.get("servers").map_or(0, BTreeMap::len);
                business::new_server(known, &self.url)
            }
            _ => described.and_then(|module| described::new(dice, module)),
        }
    }
}

/// Who makes the next move of a record: what waits for a second person is not the first one's.
fn by_whom(module: &str, record: &Record) -> Who {
    let waits = module == "settlements" && settlements::waits_for_second(record);
    if waits { Who::Second } else { Who::First }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use serde_json::json;

    use super::*;

    fn world(installed: &Modules, has_second: bool) -> World<'_> {
        let modules = ["settlements".to_owned()];
        let dice = StdRng::seed_from_u64(7);
        let mut world =
            World::new(dice, 40, installed, &modules, has_second, "http://127.0.0.1:3000").expect("a world");
        for number in 0..100 {
            let record = json!({ "id": format!("stl_{number}"), "status": "held", "version": 3,
                                 "releaseRequestedBy": "user:usr_1" });
            world.take_in("settlements", serde_json::from_value(record).expect("a record"));
        }
        world
    }

    fn moves(world: &mut World<'_>) -> Vec<Who> {
        let steps = (0..500).map(|_| world.choose());
        steps
            .filter_map(|step| match step {
                Step::Move { by, body, .. } => {
                    assert_eq!(body["move"], "release");
                    Some(by)
                }
                _ => None,
            })
            .collect()
    }

    #[test]
    fn what_waits_for_a_second_person_is_released_by_one() {
        let installed = Modules::built_in();
        let by = moves(&mut world(&installed, true));
        assert!(!by.is_empty() && by.iter().all(|who| *who == Who::Second), "{by:?}");
        assert!(moves(&mut world(&installed, false)).is_empty(), "where there is none, it waits");
    }
}
