//! A record as API, events and pages carry it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidewatch_events::id::{OrganizationId, RecordId, UserId};
use tidewatch_events::money::Currency;
use tidewatch_events::{Envelope, Timestamp};

use crate::module::Module;

/// One record of a module: the head that all have, and the module's own fields beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Which one.
    pub id: RecordId,
    /// Where it stands; a name of [`Module::statuses`].
    pub status: String,
    /// One more with each change.
    pub version: i64,
    /// The organization that it belongs to, beside the project.
    #[serde(default)]
    pub organization_id: Option<OrganizationId>,
    /// The person who looks after it.
    #[serde(default)]
    pub assignee: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What the module knows of it, by [`crate::Field::name`].
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

impl Record {
    /// A field's value; `Null` where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &Value {
        self.fields.get(name).unwrap_or(&Value::Null)
    }

    /// A field's text; `None` where it holds none.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).as_str()
    }

    /// A field's number; `None` where it holds none.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name).as_i64()
    }

    /// What its amounts are counted in: its field `currency`; `None` where it holds none.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.text("currency")?.parse().ok()
    }

    /// What it is called.
    #[must_use]
    pub fn title(&self, module: &Module) -> String {
        self.text(&module.title_field).map_or_else(|| self.id.to_string(), ToOwned::to_owned)
    }

    /// What its events say of it: every field that holds something, the id under
    /// [`Module::id_field`], where it stands, whose it is and since when.
    #[must_use]
    pub fn facts(&self, module: &Module) -> Map<String, Value> {
        let mut facts: Map<String, Value> = self
            .fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        facts.insert(module.id_field(), self.id.to_string().into());
        facts.insert("status".to_owned(), self.status.clone().into());
        facts.insert("createdAt".to_owned(), self.created_at.to_string().into());
        let organization = self.organization_id.map(|id| ("organizationId", id.to_string()));
        let assignee = self.assignee.map(|id| ("assignee", id.to_string()));
        facts.extend(
            [organization, assignee].into_iter().flatten().map(|(name, id)| (name.to_owned(), id.into())),
        );
        facts
    }

    /// The record as it is after the event; `None` for events of other things, and for one whose
    /// payload does not say enough.
    #[must_use]
    pub fn from_event(module: &Module, event: &Envelope) -> Option<Self> {
        if event.aggregate_type != module.aggregate_type {
            return None;
        }
        let payload = event.payload.as_object()?;
        let text = |name: &str| payload.get(name).and_then(Value::as_str);
        let fields = module.fields.iter();
        Some(Self {
            id: event.aggregate_id.parse().ok()?,
            status: text("status").filter(|name| module.status(name).is_some())?.to_owned(),
            version: event.aggregate_version,
            organization_id: text("organizationId").and_then(|id| id.parse().ok()),
            assignee: text("assignee").and_then(|id| id.parse().ok()),
            created_at: text("createdAt")?.parse().ok()?,
            updated_at: event.occurred_at,
            fields: fields
                .map(|field| (field.name.to_string(), payload.get(&*field.name).cloned().unwrap_or_default()))
                .collect(),
        })
    }
}
