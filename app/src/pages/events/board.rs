//! Where records stood at a moment.

use std::collections::BTreeMap;

use leptos::either::Either;
use leptos::prelude::*;

use crate::components::StatusBadge;
use crate::format;
use crate::model::{Board, StatusCount};

/// The board as of then: records by kind and status.
#[component]
pub(super) fn BoardPanel(board: Board) -> impl IntoView {
    let Board { counts, since, cut_short } = board;
    let mut kinds: BTreeMap<String, Vec<StatusCount>> = BTreeMap::new();
    for count in counts {
        kinds.entry(count.aggregate_type.to_string()).or_default().push(count);
    }
    let note = since.map(|since| {
        let since = format::count(since.get());
        if cut_short {
            format!(
                "There were too many events to count all of them: records that had not changed since #{since} are left out."
            )
        } else {
            format!("Events before #{since} are no longer kept: records that had not changed since are left out.")
        }
    });
    let is_empty = kinds.is_empty();
    view! {
        <section class="card board-then" aria-labelledby="board-then" data-cut-short=cut_short.to_string()>
            <h2 id="board-then">"The board as of then"</h2>
            {if is_empty {
                Either::Left(view! { <p class="hint">"No record that you may see stood at a status then."</p> })
            } else {
                Either::Right(view! {
                    <dl class="board-kinds">
                        {kinds.into_iter().map(|(kind, counts)| view! { <Kind kind counts/> }).collect_view()}
                    </dl>
                })
            }}
            {note.map(|note| view! { <p class="hint">{note}</p> })}
        </section>
    }
}

#[component]
fn Kind(kind: String, counts: Vec<StatusCount>) -> impl IntoView {
    let name = kind.clone();
    view! {
        <div data-kind=name>
            <dt>{kind}</dt>
            <dd>
                {counts
                    .into_iter()
                    .map(|StatusCount { status, records, .. }| {
                        let name = status.clone();
                        view! {
                            <span class="board-count" data-status=name data-records=records.to_string()>
                                <StatusBadge status/>
                                " "
                                <span class="tabular">{format::count(records)}</span>
                            </span>
                        }
                    })
                    .collect_view()}
            </dd>
        </div>
    }
}
