//! One record, rebuilt from its events alone. Pure.

use serde_json::{Map, Value};
use tidewatch_events::{AggregateType, Timestamp};
use tidewatch_modules::{FieldKind, Module, Record};

use super::horizon::Horizon;

/// Differences that are named of one record; more are counted.
const MOST_FAULTS: usize = 20;
/// Characters of a value that are shown.
const MOST_SHOWN: usize = 120;

/// An event as the witness reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Of what.
    pub aggregate_id: String,
    /// Which version it led to.
    pub version: i64,
    /// What happened.
    pub event_type: String,
    /// When.
    pub occurred_at: Timestamp,
    /// Its place in the stream; `None`: committed, and not yet published.
    pub position: Option<i64>,
    /// The facts.
    pub payload: Value,
}

/// What is wrong with one record.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Faults {
    named: Vec<String>,
    more: u64,
}

impl Faults {
    /// One more.
    pub fn add(&mut self, what: String) {
        if self.named.len() < MOST_FAULTS {
            // It goes into incidents, which take no control characters.
            self.named.push(what.replace(|c: char| c.is_control(), " "));
        } else {
            self.more += 1;
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// All of them, in words.
    #[must_use]
    pub fn into_named(mut self) -> Vec<String> {
        if self.more > 0 {
            self.named.push(format!("and {} more differences", self.more));
        }
        self.named
    }
}

/// Where the fold stands: the record behind the last event.
#[derive(Debug)]
struct Stand {
    version: i64,
    status: String,
    occurred_at: Timestamp,
    position: Option<i64>,
    payload: Map<String, Value>,
}

impl Stand {
    fn text(&self, name: &str) -> Option<&str> {
        self.payload.get(name).and_then(Value::as_str)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.payload.get(name).and_then(Value::as_i64)
    }
}

/// The events of one record, folded in the order of its versions.
#[derive(Debug)]
pub struct Fold<'m> {
    module: &'m Module,
    horizon: Horizon,
    is_balance: bool,
    stand: Option<Stand>,
    /// The oldest version that is kept.
    first_version: i64,
    begins_later: bool,
    deltas: i128,
    /// What is wrong so far.
    pub faults: Faults,
}

impl<'m> Fold<'m> {
    /// Nothing was folded yet.
    #[must_use]
    pub fn new(module: &'m Module, horizon: Horizon) -> Self {
        Self {
            module,
            horizon,
            is_balance: module.aggregate_type == AggregateType::BALANCE,
            stand: None,
            first_version: 1,
            begins_later: false,
            deltas: 0,
            faults: Faults::default(),
        }
    }

    /// Whether retention has dropped its first events.
    #[must_use]
    pub const fn begins_later(&self) -> bool {
        self.begins_later
    }

    /// The version that its last event led to.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.stand.as_ref().map_or(0, |stand| stand.version)
    }

    /// The oldest version of which an event is kept.
    #[must_use]
    pub const fn first_version(&self) -> i64 {
        self.first_version
    }

    /// What its events say that it moved by in all: `deltaMinor` of a balance.
    #[must_use]
    pub const fn deltas(&self) -> i128 {
        self.deltas
    }

    /// Its amount with the currency, by its events.
    #[must_use]
    pub fn amount(&self) -> Option<(&str, i64)> {
        let stand = self.stand.as_ref()?;
        let field = self.module.amount_field.as_deref()?;
        Some((stand.text("currency")?, stand.number(field)?))
    }

    /// Takes the next event in.
    pub fn take(&mut self, event: StoredEvent) {
        let StoredEvent { aggregate_id, version, event_type, occurred_at, position, payload } = event;
        let Value::Object(payload) = payload else {
            self.faults.add(format!("version {version}: its event says nothing"));
            return;
        };
        let status = payload.get("status").and_then(Value::as_str).unwrap_or_default().to_owned();
        let stand = Stand { version, status, occurred_at, position, payload };
        let before = self.stand.take();
        let is_next = self.check_version(before.as_ref(), &stand);
        self.check_facts(&aggregate_id, before.as_ref(), &stand);
        self.check_move(before.as_ref().filter(|_| is_next), &stand, &event_type);
        if self.is_balance {
            self.check_balance(before.as_ref().filter(|_| is_next), &stand);
        }
        self.stand = Some(stand);
    }

    /// Versions go up by one. Says whether this one is right behind the one before.
    fn check_version(&mut self, before: Option<&Stand>, stand: &Stand) -> bool {
        let version = stand.version;
        let Some(before) = before else {
            self.first_version = version;
            if version == 1 {
                return false;
            }
            let made = stand.text("createdAt").and_then(|text| text.parse().ok());
            if self.horizon.has_dropped(made.unwrap_or(stand.occurred_at)) {
                self.begins_later = true;
            } else {
                self.faults.add(missing(1, version - 1));
            }
            return false;
        };
        if version == before.version {
            self.faults.add(format!("version {version} has two events"));
            return false;
        }
        if version > before.version + 1 && !self.horizon.is_below(before.position) {
            self.faults.add(missing(before.version + 1, version - 1));
        }
        version == before.version + 1
    }

    /// What never changes, and what only goes up.
    fn check_facts(&mut self, aggregate_id: &str, before: Option<&Stand>, stand: &Stand) {
        let version = stand.version;
        let id_field = self.module.id_field();
        if stand.text(&id_field) != Some(aggregate_id) {
            let said = shown(stand.payload.get(&id_field).unwrap_or(&Value::Null));
            self.faults.add(format!("version {version}: {id_field} is {said}"));
        }
        let Some(before) = before else { return };
        for name in ["createdAt", "organizationId"] {
            if stand.text(name) != before.text(name) {
                self.faults.add(format!(
                    "version {version}: {name} went from {} to {}",
                    before.text(name).unwrap_or("nothing"),
                    stand.text(name).unwrap_or("nothing"),
                ));
            }
        }
        if stand.occurred_at < before.occurred_at {
            self.faults.add(format!("version {version} happened before version {}", before.version));
        }
    }

    /// The status goes where the table of moves lets it, and the event says so.
    fn check_move(&mut self, before: Option<&Stand>, stand: &Stand, event_type: &str) {
        let (version, status) = (stand.version, stand.status.as_str());
        if self.module.status(status).is_none() {
            self.faults.add(format!("version {version}: its event says the status `{status}`"));
            return;
        }
        let (said_from, said_to) = (stand.text("fromStatus"), stand.text("toStatus"));
        if said_to.is_some_and(|to| to != status) {
            self.faults.add(format!(
                "version {version}: its event says that it went to {}, and that it is {status}",
                said_to.unwrap_or_default(),
            ));
        }
        if let Some(before) = before {
            match said_from {
                Some(from) if from != before.status => self.faults.add(format!(
                    "version {version}: its event says that it was {from}, the one before that it was {}",
                    before.status
                )),
                None if before.status != status => self.faults.add(format!(
                    "version {version}: it went from {} to {status}, and its event does not say so",
                    before.status
                )),
                _ => {}
            }
        }
        let Some(from) = before.map(|before| before.status.as_str()).or(said_from) else { return };
        let told_plainly = event_type.strip_prefix(&*self.module.one) == Some(".updated");
        let allowed = if from == status {
            told_plainly
                || self
                    .module
                    .moves_from(from)
                    .any(|rule| rule.to.is_empty() || rule.to.iter().any(|to| to == from))
        } else {
            self.module.moves_from(from).any(|rule| rule.to.iter().any(|to| to == status))
        };
        if !allowed {
            self.faults.add(format!("version {version}: no move leads from {from} to {status}"));
        }
    }

    /// A balance moves by what its event says.
    fn check_balance(&mut self, before: Option<&Stand>, stand: &Stand) {
        let version = stand.version;
        let (Some(delta), Some(after)) = (stand.number("deltaMinor"), stand.number("balanceMinor")) else {
            self.faults.add(format!("version {version}: its event does not say by how much it moved"));
            return;
        };
        self.deltas += i128::from(delta);
        let was = match before {
            Some(before) => before.number("balanceMinor"),
            None if version == 1 => Some(0),
            None => None,
        };
        if was.is_some_and(|was| i128::from(was) + i128::from(delta) != i128::from(after)) {
            self.faults.add(format!(
                "version {version}: from {} it moved by {delta} to {after}",
                was.unwrap_or_default()
            ));
        }
    }

    /// Compares what the events say with the row. `times`: whether both have them from the same clock.
    pub fn compare(&mut self, row: &Record, times: bool) {
        let Some(stand) = self.stand.take() else { return };
        let number = |version: i64| Value::from(version);
        self.differ("version", &number(row.version), &number(stand.version));
        self.differ("status", &row.status.clone().into(), &stand.status.clone().into());
        let heads = [
            ("organizationId", row.organization_id.map(|id| id.to_string())),
            ("assignee", row.assignee.map(|id| id.to_string())),
        ];
        for (name, value) in heads {
            self.differ(name, &value.into(), stand.payload.get(name).unwrap_or(&Value::Null));
        }
        if times {
            let made = stand.text("createdAt").and_then(|text| text.parse::<Timestamp>().ok());
            let said = made.map(|at| at.to_string()).into();
            self.differ("createdAt", &row.created_at.to_string().into(), &said);
            self.differ(
                "updatedAt",
                &row.updated_at.to_string().into(),
                &stand.occurred_at.to_string().into(),
            );
        }
        for (name, value) in &row.fields {
            let said = stand.payload.get(name).unwrap_or(&Value::Null);
            let is_time = self.module.field(name).is_some_and(|field| field.kind == FieldKind::Time);
            match said.as_str().filter(|_| is_time).and_then(|text| text.parse::<Timestamp>().ok()) {
                Some(at) => self.differ(name, value, &at.to_string().into()),
                None => self.differ(name, value, said),
            }
        }
        self.stand = Some(stand);
    }

    fn differ(&mut self, name: &str, table: &Value, events: &Value) {
        if table != events {
            let (table, events) = (shown(table), shown(events));
            self.faults.add(format!("{name}: the table says {table}, the events say {events}"));
        }
    }
}

fn missing(first: i64, last: i64) -> String {
    if first == last {
        format!("version {first} has no event")
    } else {
        format!("versions {first} to {last} have no event")
    }
}

/// A value for people.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => return "nothing".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => other.to_string(),
    };
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
