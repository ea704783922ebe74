//! The modules of an installation.

use std::sync::Arc;

use tidewatch_events::AggregateType;
use tidewatch_modules::{Aggregate, Domain, Module, domain};

use super::{automation, balance, incident, invoice, log, order, payment, server, settlement, ticket};

/// The modules of an installation, in the order of navigation. Cheap to clone.
#[derive(Clone)]
pub struct Modules(Arc<Vec<Box<dyn Domain>>>);

impl Modules {
    /// Those that Tidewatch brings along.
    #[must_use]
    pub fn built_in() -> Self {
        Self(Arc::new(vec![
            domain::<settlement::Settlement>(),
            domain::<order::Order>(),
            domain::<payment::Payment>(),
            domain::<invoice::Invoice>(),
            domain::<balance::Balance>(),
            domain::<ticket::Ticket>(),
            domain::<incident::Incident>(),
            domain::<server::Server>(),
            domain::<automation::Automation>(),
            domain::<log::Log>(),
        ]))
    }

    /// These and one more.
    #[must_use]
    pub fn with<A: Aggregate>(self) -> Self {
        let mut domains = Arc::into_inner(self.0).unwrap_or_default();
        domains.push(domain::<A>());
        Self(Arc::new(domains))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Domain> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The module under this address.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&dyn Domain> {
        self.iter().find(|domain| domain.module().name == name)
    }

    /// The module whose ids begin with this prefix.
    #[must_use]
    pub fn of_prefix(&self, prefix: &str) -> Option<&dyn Domain> {
        self.iter().find(|domain| domain.module().prefix == prefix)
    }

    /// The module of what events happen to.
    #[must_use]
    pub fn of_aggregate(&self, aggregate_type: &AggregateType) -> Option<&dyn Domain> {
        self.iter().find(|domain| domain.module().aggregate_type == *aggregate_type)
    }

    /// All descriptions.
    pub fn descriptions(&self) -> impl Iterator<Item = &Module> {
        self.iter().map(Domain::module)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tidewatch_events::catalog;

    use super::*;

    #[test]
    fn every_description_holds_together() {
        let modules = Modules::built_in();
        let mut prefixes = BTreeSet::new();
        for module in modules.descriptions() {
            let name = &module.name;
            assert!(prefixes.insert(module.prefix.to_string()), "{name}: its prefix is its own");
            assert_eq!(Module::path_of(&module.aggregate_type), format!("/{name}"));
            assert!(!module.statuses.is_empty(), "{name} has statuses");
            assert!(module.field(&module.title_field).is_some(), "{name} has its title");
            for rule in &module.moves {
                assert!(!rule.from.is_empty(), "{name}: {} begins somewhere", rule.name);
                for status in rule.from.iter().chain(&rule.to) {
                    assert!(module.status(status).is_some(), "{name}: {} knows {status}", rule.name);
                }
                let undo = rule.undone_by.as_ref().map(|undo| module.rule(undo).expect("it exists"));
                assert!(undo.is_none_or(|undo| rule.to.iter().all(|to| undo.from.contains(to))), "{name}");
            }
            let reached: BTreeSet<_> = module.moves.iter().flat_map(|rule| &rule.to).collect();
            let left = module.statuses.iter().skip(1).find(|status| !reached.contains(&status.name));
            assert!(module.moves.is_empty() || left.is_none(), "{name}: {left:?} can be reached");
        }
    }

    #[test]
    fn every_module_s_events_are_in_the_catalog() {
        for module in Modules::built_in().descriptions() {
            let of_module: Vec<_> =
                catalog::entries().filter(|entry| *entry.aggregate_type == module.aggregate_type).collect();
            assert!(!of_module.is_empty(), "{} has events", module.name);
            for entry in of_module {
                assert_eq!(*entry.permission, module.read, "{}", entry.event_type);
            }
        }
    }
}
