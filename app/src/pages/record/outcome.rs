//! What a move has come to, in words, and whether another one takes it back. Pure.

use tidewatch_events::money::format_minor;
use tidewatch_modules::{FieldKind, Module, MoveRule, Record};

/// The move that assigns a record to somebody.
pub(super) const ASSIGN: &str = "assign";
/// The field that says who asked for a release that a second person has to agree to.
pub(super) const ASKED_BY: &str = "releaseRequestedBy";
/// The move that it is about.
pub(super) const RELEASE: &str = "release";

/// What a move did. `before` is what was on the screen when it was asked for.
pub(super) fn told(module: &Module, rule: Option<&MoveRule>, before: &Record, after: &Record) -> String {
    let title = after.title(module);
    match rule {
        Some(rule) if rule.name == ASSIGN => format!("{title} was assigned."),
        Some(rule) if is_asked_for(module, before, after) => {
            let label = rule.label.as_deref().unwrap_or(&rule.name);
            format!("{label} asked for. A second person has to agree.")
        }
        Some(rule) if rule.to.is_empty() => format!("{title} was changed."),
        _ => stands(module, after),
    }
}

/// Where it stands, for who does not know what was done.
pub(super) fn stands(module: &Module, record: &Record) -> String {
    let title = record.title(module);
    let label = module.status(&record.status).map_or("moved on", |status| &status.label).to_lowercase();
    if record.text(ASKED_BY).is_some() {
        return format!("{title} is {label}. Its release is asked for: a second person has to agree.");
    }
    format!("{title} is now {label}.")
}

/// What is said before a move that nothing takes back: `Capture: PO-1, 900.00 EUR. This cannot be undone.`
pub(super) fn warning(module: &Module, label: &str, record: &Record) -> String {
    let title = record.title(module);
    let minor = module.amount_field.as_ref().and_then(|field| record.number(field));
    let amount = minor
        .zip(record.currency())
        .map(|(minor, currency)| format!(", {} {currency}", format_minor(minor, currency)));
    format!("{label}: {title}{}. This cannot be undone.", amount.unwrap_or_default())
}

/// What taking a move back has come to; `first` is the record as it was before all that.
pub(super) fn taken_back(
    module: &Module,
    rule: Option<&MoveRule>,
    first: &Record,
    before: &Record,
    after: &Record,
) -> String {
    if after.status == first.status { "Undone.".to_owned() } else { told(module, rule, before, after) }
}

/// Whether the move only noted who asks for it: it is made once a second person agrees.
fn is_asked_for(module: &Module, before: &Record, after: &Record) -> bool {
    let is_person = |field: &&tidewatch_modules::Field| field.kind == FieldKind::Person;
    after.status == before.status
        && module
            .fields
            .iter()
            .filter(is_person)
            .any(|field| before.get(&field.name).is_null() && !after.get(&field.name).is_null())
}

/// The move that leads back to where the record stood; `None` where none does.
pub(super) fn way_back(module: &Module, rule: &MoveRule, before: &Record) -> Option<String> {
    let name = rule.undone_by.as_ref()?;
    let back = module.rule(name)?;
    let leads_there = back.to.is_empty() || back.to.iter().any(|status| *status == before.status);
    leads_there.then(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tidewatch_events::{AggregateType, Permission};
    use tidewatch_modules::Tone;
    use tidewatch_modules::module::{field, rule, status};

    use super::*;

    fn settlements() -> Module {
        Module::new(
            "settlement",
            AggregateType::SETTLEMENT,
            "stl",
            Permission::SETTLEMENTS_READ,
            Permission::SETTLEMENTS_ACT,
        )
        .with_statuses(["open", "acknowledged", "held"].map(|name| status(name, Tone::Neutral)))
        .with_fields([
            field("reference", "Reference", FieldKind::Text),
            field(ASKED_BY, "Release asked for by", FieldKind::Person),
        ])
        .with_moves([
            rule("hold", &["open", "acknowledged"], &["held"]).labelled("Hold").undone_by("release"),
            rule(RELEASE, &["held"], &["open", "acknowledged", "held"]).labelled("Release"),
            rule("close", &["open", "acknowledged"], &["held"]).labelled("Close").undone_by("reopen"),
            rule("reopen", &["held"], &["open"]).labelled("Reopen"),
            rule("set_severity", &["open"], &[]).labelled("Change severity"),
        ])
    }

    fn record(status: &str, asked_by: Value) -> Record {
        serde_json::from_value(json!({
            "id": "stl_01h455vb4pex5vsknk084sn02q", "status": status, "version": 2,
            "createdAt": "2026-11-20T20:00:00Z", "updatedAt": "2026-11-20T20:00:00Z",
            "reference": "INV-1", ASKED_BY: asked_by,
        }))
        .expect("a record")
    }

    fn said(name: &str, before: &Record, after: &Record) -> String {
        let module = settlements();
        told(&module, module.rule(name), before, after)
    }

    #[test]
    fn tells_a_move_from_a_wish_for_one() {
        let held = record("held", Value::Null);
        let asked = record("held", json!("user:usr_1"));
        assert_eq!(said("hold", &record("open", Value::Null), &held), "INV-1 is now held.");
        assert_eq!(said(RELEASE, &held, &asked), "Release asked for. A second person has to agree.");
        assert_eq!(said(RELEASE, &asked, &record("open", Value::Null)), "INV-1 is now open.");
        let open = record("open", Value::Null);
        assert_eq!(said("set_severity", &open, &open), "INV-1 was changed.");
        assert_eq!(
            stands(&settlements(), &asked),
            "INV-1 is held. Its release is asked for: a second person has to agree."
        );
    }

    #[test]
    fn says_undone_of_what_is_as_it_was_alone() {
        let module = settlements();
        let (open, held) = (record("open", Value::Null), record("held", Value::Null));
        let back = |after: &Record| taken_back(&module, module.rule(RELEASE), &open, &held, after);
        assert_eq!(back(&open), "Undone.");
        assert_eq!(
            back(&record("held", json!("user:usr_1"))),
            "Release asked for. A second person has to agree."
        );
        assert_eq!(back(&record("acknowledged", Value::Null)), "INV-1 is now acknowledged.");
    }

    #[test]
    fn offers_no_way_back_that_leads_elsewhere() {
        let module = settlements();
        let way = |name: &str, from: &str| {
            way_back(&module, module.rule(name).expect("a move"), &record(from, Value::Null))
        };
        assert_eq!(way("hold", "acknowledged").as_deref(), Some(RELEASE));
        assert_eq!(way("close", "open").as_deref(), Some("reopen"));
        assert_eq!(way("close", "acknowledged"), None);
        assert_eq!(way("set_severity", "open"), None);
    }

    #[test]
    fn warns_with_the_amount_where_there_is_one() {
        let mut module = settlements();
        let mut record = record("open", Value::Null);
        assert_eq!(warning(&module, "Close", &record), "Close: INV-1. This cannot be undone.");
        module.amount_field = Some("amountMinor".into());
        record.fields.insert("amountMinor".to_owned(), 90_000.into());
        record.fields.insert("currency".to_owned(), "EUR".into());
        assert_eq!(warning(&module, "Close", &record), "Close: INV-1, 900.00 EUR. This cannot be undone.");
    }
}
