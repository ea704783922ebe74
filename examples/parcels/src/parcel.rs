//! Parcels: waiting ─start▶ underway ─finish▶ done, and waiting or underway ─cancel▶ cancelled.

use serde::{Deserialize, Serialize};
use tidewatch_modules::prelude::*;

/// What is kept: a column each in the migration. The same is entered for a new one.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Parcel {
    reference: String,
    items: std::num::NonZeroU32,
}

/// The moves. What has to be entered for one stands between its braces.
#[derive(Deserialize)]
#[serde(tag = "move", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ParcelMove {
    Start {},
    Finish {},
    Cancel {},
}

impl Aggregate for Parcel {
    type New = Self;
    type Move = ParcelMove;

    /// What API, pages, exports, simulator and witness know of it.
    fn module() -> Module {
        // Its permissions are `parcels.read` and `parcels.act`; its ids begin with `par_`.
        Module::own("parcel", "Parcel", "par")
            .with_icon("box")
            .with_statuses([
                status("waiting", Tone::Neutral).waits(),
                status("underway", Tone::Active),
                status("done", Tone::Good).ended(),
                status("cancelled", Tone::Warn).ended(),
            ])
            .with_fields([
                field("reference", "Reference", FieldKind::Text).searched(),
                field("items", "Items", FieldKind::Number).listed(),
            ])
            .with_moves([
                rule("start", &["waiting"], &["underway"]).labelled("Start").in_bulk(),
                rule("finish", &["underway"], &["done"]).labelled("Finish").in_bulk(),
                rule("cancel", &["waiting", "underway"], &["cancelled"]).labelled("Cancel").destructive(),
            ])
            .created_with([
                input("reference", "Reference", InputKind::Text),
                input("items", "Items", InputKind::Number),
            ])
            .with_charts([Chart::ByStatus, Chart::OverTime])
    }

    fn create(new: Self, _: &Context<'_>) -> Result<(Self, Outcome), MoveError> {
        let reference = checked_text("reference", &new.reference, 200)?;
        Ok((Self { reference, ..new }, Outcome::plain()))
    }

    fn make(&mut self, step: ParcelMove, _: &str, _: &Context<'_>) -> Result<Outcome, MoveError> {
        Ok(match step {
            // A type of event of its own. The others are `parcel.created` and `parcel.status_changed`.
            ParcelMove::Finish {} => Outcome::plain().told_as("parcel.finished"),
            ParcelMove::Start {} | ParcelMove::Cancel {} => Outcome::plain(),
        })
    }
}
