//! Whether a record was in the list before an event, as far as the event tells.

use serde_json::Value;
use tidewatch_events::Envelope;
use tidewatch_modules::{Module, Record, RecordQuery};

/// Whether `row`, as it is after the event, belonged into the list before; `None` where the event does not say.
pub(super) fn belonged(
    module: &Module,
    query: &RecordQuery,
    envelope: &Envelope,
    row: &Record,
) -> Option<bool> {
    if row.version == 1 {
        return Some(false);
    }
    if !query.is_filtered() {
        return Some(true);
    }
    let changed = changed_fields(envelope);
    if may_have_touched(module, query, changed.as_deref()) {
        return None;
    }
    let mut answers = statuses_before(module, envelope, row, changed.is_some())?.into_iter().map(|status| {
        let before = Record { status, ..row.clone() };
        query.matches(module, &before)
    });
    let first = answers.next()?;
    answers.all(|answer| answer == first).then_some(first)
}

/// The fields that the event says it changed, where it names them.
fn changed_fields(envelope: &Envelope) -> Option<Vec<&str>> {
    let names = envelope.payload.get("changed")?.as_array()?;
    Some(names.iter().filter_map(Value::as_str).collect())
}

/// Whether something beside the status can have changed by which the list is narrowed. Nothing but its own event,
/// which says so, makes another person look after a record.
fn may_have_touched(module: &Module, query: &RecordQuery, changed: Option<&[&str]>) -> bool {
    let touched = |name: &str| changed.is_none_or(|names| names.contains(&name));
    let searched = query.q.is_some() && query.asked_id().is_none();
    query.fields.keys().any(|name| touched(name))
        || (searched && module.fields.iter().any(|field| field.searched && touched(&field.name)))
        || (query.assignee.is_some() && changed.is_some_and(|names| names.contains(&"assignee")))
}

/// Where the record can have stood: as the event says, or from where the module's moves lead to where it stands.
fn statuses_before(
    module: &Module,
    envelope: &Envelope,
    row: &Record,
    only_fields: bool,
) -> Option<Vec<String>> {
    if let Some(from) = envelope.payload.get("fromStatus").and_then(Value::as_str) {
        return Some(vec![from.to_owned()]);
    }
    if only_fields {
        return Some(vec![row.status.clone()]);
    }
    let leads_here = |rule: &&tidewatch_modules::MoveRule| rule.to.iter().any(|to| *to == row.status);
    let froms = module.moves.iter().filter(leads_here).flat_map(|rule| &rule.from).map(ToString::to_string);
    let froms: Vec<String> = froms.chain([row.status.clone()]).collect();
    // Such an event says that the status changed; without moves nobody knows from where.
    (froms.len() > 1 || !envelope.event_type.as_str().ends_with("status_changed")).then_some(froms)
}
