//! Visits: waiting ─start▶ underway ─finish▶ done, and waiting or underway ─cancel▶ cancelled.

use serde::{Deserialize, Serialize};
use tidewatch_modules::prelude::*;

/// What is kept: a column each in the migration. The same is entered for a new one.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Visit {
    reference: String,
    items: std::num::NonZeroU32,
    room: Option<String>,
}

/// The moves. What has to be entered for one stands between its braces.
#[derive(Deserialize)]
#[serde(tag = "move", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum VisitMove {
    Start {},
    Finish {},
    Cancel {},
}

impl Aggregate for Visit {
    type New = Self;
    type Move = VisitMove;

    /// What API, pages, exports, simulator and witness know of it.
    fn module() -> Module {
        // Its permissions are `visits.read` and `visits.act`; its ids begin with `vis_`.
        Module::own("visit", "Visit", "vis")
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
                field("room", "Room", FieldKind::Text).listed().searched(),
            ])
            .with_moves([
                rule("start", &["waiting"], &["underway"]).labelled("Start").in_bulk(),
                rule("finish", &["underway"], &["done"]).labelled("Finish").in_bulk(),
                rule("cancel", &["waiting", "underway"], &["cancelled"]).labelled("Cancel").destructive(),
            ])
            .created_with([
                input("reference", "Reference", InputKind::Text),
                input("items", "Items", InputKind::Number),
                input("room", "Room", InputKind::Text).optional(),
            ])
            .with_charts([Chart::ByStatus, Chart::OverTime])
    }

    fn create(new: Self, _: &Context<'_>) -> Result<(Self, Outcome), MoveError> {
        let reference = checked_text("reference", &new.reference, 200)?;
        let room = new.room.map(|room| checked_text("room", &room, 200)).transpose()?;
        Ok((Self { reference, room, ..new }, Outcome::plain()))
    }

    fn make(&mut self, step: VisitMove, _: &str, _: &Context<'_>) -> Result<Outcome, MoveError> {
        Ok(match step {
            // A type of event of its own. The others are `visit.created` and `visit.status_changed`.
            VisitMove::Finish {} => Outcome::plain().told_as("visit.finished"),
            VisitMove::Start {} | VisitMove::Cancel {} => Outcome::plain(),
        })
    }
}
