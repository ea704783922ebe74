//! Every built-in event type, declared once, with the payload that it carries.
//!
//! | | |
//! |---|---|
//! | add a type of your own | implement [`EventPayload`] for its payload in your crate |
//! | add a built-in one | a line in the `catalog!` of the module that it belongs to |
//!
//! Payloads name things by id and carry what a list needs to stay right without asking again.
//! They hold no secret and no personal data beyond an id.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::access::Permission;
use crate::kind::{AggregateType, EventType};

pub mod access;
pub mod commerce;
pub mod operations;
pub mod settlement;

/// The payload of one event type.
pub trait EventPayload: Serialize + DeserializeOwned {
    /// The type that it belongs to.
    const EVENT_TYPE: EventType;
    /// What the event happens to.
    const AGGREGATE_TYPE: AggregateType;
    /// What a reader needs to see it.
    const PERMISSION: Permission;
}

/// What the catalog says of one event type.
#[derive(Debug, Clone, Copy)]
pub struct CatalogEntry {
    /// The type.
    pub event_type: &'static EventType,
    /// What it happens to.
    pub aggregate_type: &'static AggregateType,
    /// What a reader needs to see it.
    pub permission: &'static Permission,
    /// What it means, in a sentence.
    pub summary: &'static str,
    check: fn(&Value) -> Result<(), serde_json::Error>,
    #[cfg(feature = "schema")]
    schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

impl CatalogEntry {
    /// Whether `payload` has the shape that the catalog gives for this type.
    ///
    /// # Errors
    /// A field is missing or of another kind; the error names it.
    pub fn check_payload(&self, payload: &Value) -> Result<(), serde_json::Error> {
        (self.check)(payload)
    }

    /// The JSON Schema of the payload.
    #[cfg(feature = "schema")]
    pub fn payload_schema(&self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        (self.schema)(generator)
    }
}

/// The built-in entries, module by module.
pub fn entries() -> impl Iterator<Item = &'static CatalogEntry> {
    [settlement::ENTRIES, commerce::ENTRIES, operations::ENTRIES, access::ENTRIES].into_iter().flatten()
}

/// The entry of a built-in type; `None` for a type that a developer declared.
#[must_use]
pub fn find(event_type: &EventType) -> Option<&'static CatalogEntry> {
    entries().find(|entry| entry.event_type == event_type)
}

/// Declares payload structs together with their catalog entries.
macro_rules! catalog {
    ($(
        $(#[doc = $summary:literal])+
        $event_type:literal on $aggregate:ident for $permission:ident =>
        $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty),+ $(,)? }
    )+) => {
        $(
            $(#[doc = $summary])+
            #[doc = ""]
            #[doc = concat!("The payload of `", $event_type, "`.")]
            #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
            #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
            #[serde(rename_all = "camelCase")]
            pub struct $name { $($(#[$field_meta])* pub $field: $kind),+ }

            impl crate::catalog::EventPayload for $name {
                const EVENT_TYPE: crate::kind::EventType = crate::kind::EventType::from_static($event_type);
                const AGGREGATE_TYPE: crate::kind::AggregateType = crate::kind::AggregateType::$aggregate;
                const PERMISSION: crate::access::Permission = crate::access::Permission::$permission;
            }
        )+

        /// The catalog entries of this module.
        pub(super) const ENTRIES: &[crate::catalog::CatalogEntry] = &[$(
            crate::catalog::CatalogEntry {
                event_type: &crate::kind::EventType::from_static($event_type),
                aggregate_type: &crate::kind::AggregateType::$aggregate,
                permission: &crate::access::Permission::$permission,
                summary: concat!($($summary),+),
                check: |payload| <$name as serde::Deserialize>::deserialize(payload).map(drop),
                #[cfg(feature = "schema")]
                schema: |generator| generator.subschema_for::<$name>(),
            }
        ),+];
    };
}
use catalog;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The catalog that the product promises; a type that goes missing breaks a client.
    const PROMISED: &[&str] = &[
        "settlement.created",
        "settlement.network_selected",
        "settlement.gas_estimated",
        "settlement.status_changed",
        "settlement.confirmation_progress",
        "settlement.settled",
        "settlement.failed",
        "payment.created",
        "payment.status_changed",
        "payment.received",
        "payment.refunded",
        "invoice.created",
        "order.created",
        "order.status_changed",
        "balance.updated",
        "user.created",
        "user.updated",
        "incident.created",
        "incident.updated",
        "incident.status_changed",
        "server.created",
        "server.updated",
        "server.status_changed",
        "automation.started",
        "automation.completed",
        "automation.failed",
        "log.added",
        "ticket.created",
        "ticket.updated",
        "ticket.quoted",
        "ticket.approved",
        "notification.sent",
    ];

    /// What Tidewatch tells beside that.
    const OURS: &[&str] = &[
        "settlement.updated",
        "payment.updated",
        "order.updated",
        "invoice.status_changed",
        "invoice.updated",
        "automation.progressed",
        "automation.updated",
        "ticket.status_changed",
        "comment.created",
        "notification.delivered",
        "notification.seen",
        "notification.read",
        "notification.marked_unread",
        "notification.acknowledged",
        "notification.settled",
        "notification.archived",
        "notification.unarchived",
        "notification.escalated",
    ];

    #[test]
    fn holds_every_promised_type_once_and_well_formed() {
        let names: Vec<&str> = entries().map(|entry| entry.event_type.as_str()).collect();
        let unique: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(unique, PROMISED.iter().chain(OURS).copied().collect());
        assert_eq!(unique.len(), names.len());
        for entry in entries() {
            let event_type: EventType = entry.event_type.as_str().parse().expect("a well-formed type");
            assert_eq!(find(&event_type).map(|found| found.event_type), Some(entry.event_type));
            assert!(entry.permission.is_read(), "{} is seen by a read permission", entry.event_type);
            assert!(!entry.summary.trim().is_empty());
        }
    }

    #[test]
    fn checks_payloads_by_field() {
        let entry = find(&EventType::from_static("payment.refunded")).expect("in the catalog");
        let error = entry.check_payload(&serde_json::json!({})).expect_err("fields are missing");
        assert!(error.to_string().contains("paymentId"), "{error}");
    }
}
