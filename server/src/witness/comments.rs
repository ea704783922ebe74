//! Comments, described as if they were a module: they have rows and events like records, and no moves.

use tidewatch_events::{AggregateType, Permission};
use tidewatch_modules::module::{field, status};
use tidewatch_modules::{FieldKind, Module, Tone};

/// The description.
pub(super) fn described() -> Module {
    let read = Permission::EVENTS_READ;
    Module::new("comment", AggregateType::COMMENT, "cmt", read.clone(), read)
        .with_statuses([status("written", Tone::Neutral)])
        .with_fields([
            field("about", "About", FieldKind::Link),
            field("actor", "Who", FieldKind::Text),
            field("text", "What", FieldKind::Paragraph),
        ])
}

/// Whether it is that description.
pub(super) fn are(module: &Module) -> bool {
    module.aggregate_type == AggregateType::COMMENT
}
