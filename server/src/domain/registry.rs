//! The modules of an installation.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use tidewatch_events::{AggregateType, Permission, id};
use tidewatch_modules::{Aggregate, Chart, Domain, Module, domain};

use super::{automation, balance, incident, invoice, log, order, payment, server, settlement, ticket};
use crate::access::roles::reading;

/// Addresses that are taken: pages of the dashboard, files beside them, and calls of the API under `/api/v1`.
const TAKEN: &[&str] = &[
    "api",
    "api-keys",
    "audit",
    "auth",
    "channels",
    "connections",
    "docs",
    "embed",
    "events",
    "fn",
    "healthz",
    "invitation",
    "invitations",
    "jobs",
    "login",
    "logout",
    "metrics",
    "notification-rules",
    "notifications",
    "organizations",
    "password",
    "people",
    "pkg",
    "preferences",
    "project",
    "publishers",
    "readyz",
    "records",
    "roles",
    "sessions",
    "subscriptions",
    "system",
    "traces",
    "unsubscribe",
    "users",
    "webhooks",
    "witness",
];
/// Whether this address is a page of the dashboard or a call of the API already, and no module's.
#[must_use]
pub fn is_taken(name: &str) -> bool {
    TAKEN.contains(&name)
}

/// Names that all records have, or their tables: no field of a module's own can be called so.
const HEAD: &[&str] = &[
    "id",
    "projectId",
    "organizationId",
    "audience",
    "status",
    "version",
    "assignee",
    "search",
    "createdAt",
    "updatedAt",
];

/// The modules of an installation, in the order of navigation. Cheap to clone.
#[derive(Clone)]
pub struct Modules {
    all: Arc<[Entry]>,
    /// How many of them, from the first, come along with Tidewatch.
    built_in: usize,
}

#[derive(Clone)]
struct Entry {
    domain: Arc<dyn Domain>,
    bodies: Option<Bodies>,
}

/// What is given for a new record and for a move, as the types say that it is read into.
#[derive(Debug, Clone, Copy)]
pub struct Bodies {
    /// For a new one.
    pub new: fn(&mut SchemaGenerator) -> Schema,
    /// For a move: one of several, by `move`.
    pub step: fn(&mut SchemaGenerator) -> Schema,
}

fn described<A>() -> Entry
where
    A: Aggregate<New: JsonSchema, Move: JsonSchema>,
{
    let bodies = Bodies { new: A::New::json_schema, step: A::Move::json_schema };
    Entry { domain: Arc::from(domain::<A>()), bodies: Some(bodies) }
}

impl Modules {
    /// Those that Tidewatch brings along.
    #[must_use]
    pub fn built_in() -> Self {
        let built_in = [
            described::<settlement::Settlement>(),
            described::<order::Order>(),
            described::<payment::Payment>(),
            described::<invoice::Invoice>(),
            described::<balance::Balance>(),
            described::<ticket::Ticket>(),
            described::<incident::Incident>(),
            described::<server::Server>(),
            described::<automation::Automation>(),
            described::<log::Log>(),
        ];
        Self { built_in: built_in.len(), all: Arc::new(built_in) }
    }

    /// These and one more, whose bodies are described by its inputs.
    #[must_use]
    pub fn with<A: Aggregate>(&self) -> Self {
        self.and(Arc::from(domain::<A>()))
    }

    fn and(&self, domain: Arc<dyn Domain>) -> Self {
        let more = Entry { domain, bodies: None };
        Self { all: self.all.iter().cloned().chain([more]).collect(), built_in: self.built_in }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Domain> {
        self.all.iter().map(|entry| &*entry.domain)
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

    /// The descriptions of those that do not come along with Tidewatch.
    pub fn own(&self) -> impl Iterator<Item = &Module> {
        self.descriptions().skip(self.built_in)
    }

    /// Everything that can be read: what comes along with Tidewatch, then what its own modules ask of their readers.
    pub fn reading(&self) -> impl Iterator<Item = Permission> {
        let own: BTreeSet<Permission> = self.own().map(|module| module.read.clone()).collect();
        reading().chain(own.into_iter().filter(|permission| !Permission::BUILT_IN.contains(permission)))
    }

    /// What the bodies of the module under this address are like, where their types tell.
    #[must_use]
    pub fn bodies(&self, name: &str) -> Option<Bodies> {
        self.all.iter().find(|entry| entry.domain.module().name == name)?.bodies
    }

    /// All descriptions.
    pub fn descriptions(&self) -> impl Iterator<Item = &Module> {
        self.iter().map(Domain::module)
    }

    /// Every permission that there is here: the built-in ones, and those that modules bring along.
    #[must_use]
    pub fn permissions(&self) -> Vec<Permission> {
        let own: BTreeSet<&Permission> =
            self.taken().filter(|permission| !Permission::BUILT_IN.contains(permission)).collect();
        Permission::BUILT_IN.iter().chain(own).cloned().collect()
    }

    /// The permission of this name, where there is one here.
    #[must_use]
    pub fn permission(&self, name: &str) -> Option<Permission> {
        Permission::BUILT_IN
            .iter()
            .chain(self.taken())
            .find(|permission| permission.as_str() == name)
            .cloned()
    }

    /// What the modules take, some of it more than once.
    fn taken(&self) -> impl Iterator<Item = &Permission> {
        self.descriptions().flat_map(Module::permissions)
    }

    /// What of the descriptions does not hold together, each in a sentence; none: all is well.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let modules: Vec<&Module> = self.descriptions().collect();
        for (index, module) in modules.iter().enumerate() {
            let others = || modules[..index].iter();
            let mut wrong = |what: String| problems.push(format!("{}: {what}", module.name));
            if is_taken(&module.name) {
                wrong("this address is taken; call it otherwise".to_owned());
            }
            if others().any(|other| other.name == module.name) {
                wrong("there is a module of this name already".to_owned());
            }
            if let Some(other) = others().find(|other| other.aggregate_type == module.aggregate_type) {
                wrong(format!("its aggregate type {} is that of {}", module.aggregate_type, other.name));
            }
            let prefix = &module.prefix;
            if !(2..=8).contains(&prefix.len()) || !prefix.bytes().all(|b| b.is_ascii_lowercase()) {
                wrong(format!("its prefix `{prefix}` must be 2 to 8 letters a-z"));
            }
            if let Some(other) = others().find(|other| other.prefix == *prefix) {
                wrong(format!("its prefix `{prefix}` is that of {}", other.name));
            }
            if index >= self.built_in && id::PREFIXES.contains(&&**prefix) {
                wrong(format!("its prefix `{prefix}` is that of other ids; choose another one"));
            }
            problems_of(module).into_iter().for_each(&mut wrong);
            let is_read_by = |other: &&&Module| other.name != module.name && other.read == module.read;
            if module.charts.contains(&Chart::OverTime)
                && let Some(other) = modules.iter().find(is_read_by)
            {
                wrong(format!(
                    "its chart over time needs a permission to read of its own, and {} has the same",
                    other.name
                ));
            }
        }
        problems
    }
}

/// What of one description does not hold together by itself.
fn problems_of(module: &Module) -> Vec<String> {
    let mut problems = Vec::new();
    if module.aggregate_type.as_str().parse::<AggregateType>().is_err() {
        problems.push(format!("`{}` is no aggregate type, such as Parcel", module.aggregate_type));
    }
    // By what it happened to, a browser that does not know the module leads to its page.
    let address = Module::path_of(&module.aggregate_type);
    if address != format!("/{}", module.name) {
        problems.push(format!(
            "its aggregate type {} leads to {address}; the two must be the same word",
            module.aggregate_type
        ));
    }
    for permission in module.permissions() {
        if permission.as_str().parse::<Permission>().is_err() {
            problems.push(format!("`{permission}` is no permission, such as parcels.read"));
        }
    }
    if !module.read.is_read() {
        problems.push(format!("what takes {} to be read must end with .read", module.read));
    }
    if module.statuses.is_empty() {
        problems.push("it has no status".to_owned());
    }
    if module.field(&module.title_field).is_none() {
        problems.push("it has no field".to_owned());
    }
    for field in &module.fields {
        let is_name = field.name.starts_with(|first: char| first.is_ascii_lowercase())
            && field.name.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_name {
            problems.push(format!("`{}` is no name of a field, such as amountMinor", field.name));
        }
        if HEAD.contains(&&*field.name) {
            problems
                .push(format!("the field {} is one that every record has; call it otherwise", field.name));
        }
    }
    for rule in &module.moves {
        if rule.from.is_empty() {
            problems.push(format!("the move {} begins nowhere", rule.name));
        }
        for status in rule.from.iter().chain(&rule.to).filter(|name| module.status(name).is_none()) {
            problems
                .push(format!("the move {} names the status {status}, which it does not have", rule.name));
        }
        if let Some(undo) = &rule.undone_by
            && module.rule(undo).is_none_or(|undo| rule.to.iter().any(|to| !undo.from.contains(to)))
        {
            problems.push(format!("the move {} is not undone by {undo} from everywhere it leads", rule.name));
        }
    }
    let reached: BTreeSet<_> = module.moves.iter().flat_map(|rule| &rule.to).collect();
    let lonely = module.statuses.iter().skip(1).find(|status| !reached.contains(&status.name));
    if let Some(lonely) = lonely.filter(|_| !module.moves.is_empty()) {
        problems.push(format!("no move leads to the status {}", lonely.name));
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;
    use tidewatch_events::{SubjectRef, catalog};
    use tidewatch_modules::aggregate::Fields;
    use tidewatch_modules::module::{field, rule, status};
    use tidewatch_modules::{Context, FieldKind, MoveError, Outcome, Tone};

    use super::*;

    #[test]
    fn what_comes_along_holds_together() {
        assert_eq!(Modules::built_in().problems(), Vec::<String>::new());
    }

    /// A module that differs from one that holds together by what `change` does.
    fn problems_of_changed(change: impl FnOnce(&mut Module)) -> Vec<String> {
        let mut module = Module::own("parcel", "Parcel", "par")
            .with_statuses([status("waiting", Tone::Neutral), status("done", Tone::Good)])
            .with_fields([field("reference", "Reference", FieldKind::Text)])
            .with_moves([rule("finish", &["waiting"], &["done"])])
            .with_charts([Chart::OverTime]);
        change(&mut module);
        let described: Arc<dyn Domain> = Arc::new(Described(module));
        Modules::built_in().and(described).problems()
    }

    /// Of which nothing but the description is asked.
    struct Described(Module);

    impl Domain for Described {
        fn module(&self) -> &Module {
            &self.0
        }

        fn create(&self, _: Value, _: &Context<'_>) -> Result<(Fields, Outcome), MoveError> {
            Err(MoveError::NotYours("nobody's".to_owned()))
        }

        fn make(
            &self,
            _: &Fields,
            _: Value,
            _: &str,
            _: &Context<'_>,
        ) -> Result<(Fields, Outcome), MoveError> {
            Err(MoveError::NotYours("nobody's".to_owned()))
        }

        fn audience(&self, _: &Fields) -> Result<Vec<SubjectRef>, MoveError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn what_does_not_hold_together_is_said() {
        assert_eq!(problems_of_changed(|_| {}), Vec::<String>::new());
        type Change = fn(&mut Module);
        let cases: [(Change, &str); 15] = [
            (|module| module.name = "settlements".into(), "module of this name"),
            (|module| module.name = "jobs".into(), "address is taken"),
            (|module| module.name = "delivery_notes".into(), "leads to /parcels"),
            (|module| module.aggregate_type = AggregateType::ORDER, "is that of orders"),
            (|module| module.aggregate_type = AggregateType::from_static("parcel"), "no aggregate type"),
            (|module| module.prefix = "ord".into(), "is that of orders"),
            (|module| module.prefix = "usr".into(), "is that of other ids"),
            (|module| module.prefix = "p-1".into(), "2 to 8 letters"),
            (|module| module.read = Permission::ORDERS_READ, "of its own"),
            (|module| module.read = Permission::from_static("parcels.act"), "end with .read"),
            (|module| module.fields.clear(), "no field"),
            (|module| module.fields[0].name = "status".into(), "every record has"),
            (|module| module.fields[0].name = "of_whom".into(), "no name of a field"),
            (|module| module.moves.clear(), ""),
            (|module| module.statuses.truncate(1), "names the status done"),
        ];
        for (number, (change, said)) in cases.into_iter().enumerate() {
            let problems = problems_of_changed(change);
            let is_said = problems.iter().any(|problem| problem.contains(said));
            assert!(is_said || (said.is_empty() && problems.is_empty()), "{number}: {problems:?}");
        }
    }

    #[test]
    fn permissions_of_modules_are_permissions() {
        let modules = Modules::built_in();
        assert_eq!(modules.permissions(), Permission::BUILT_IN);
        assert_eq!(modules.permission("parcels.read"), None);
        assert_eq!(modules.permission("orders.read"), Some(Permission::ORDERS_READ));
    }

    /// Addresses in the sources: each is a page or a call that a module would hide, or be hidden by.
    #[test]
    fn no_module_takes_an_address_that_is_taken() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = vec![root.join("../app/src/routes.rs"), root.join("src/http/router.rs")];
        let calls = std::fs::read_dir(root.join("src/http/api")).expect("the calls");
        sources.extend(calls.map(|entry| entry.expect("a file").path()).filter(|path| path.is_file()));
        let modules: BTreeSet<String> =
            Modules::built_in().descriptions().map(|module| module.name.to_string()).collect();
        let mut found = BTreeSet::new();
        for source in sources {
            let text = std::fs::read_to_string(&source).expect("a source");
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            for beginning in ["\"/api/v1/", "path!(\"/", ".route(\"/"] {
                for part in text.split(beginning).skip(1) {
                    let name: String =
                        part.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
                    found.extend(Some(name).filter(|name| !name.is_empty()));
                }
            }
        }
        assert!(found.contains("jobs") && found.contains("login"), "{found:?}");
        let missing: Vec<_> =
            found.iter().filter(|name| !TAKEN.contains(&name.as_str()) && !modules.contains(*name)).collect();
        assert_eq!(missing, Vec::<&String>::new());
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
