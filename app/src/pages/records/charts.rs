//! The charts above a list, live.

use leptos::prelude::*;

use super::scope::Scope;
use crate::api::get_record_charts;
use crate::components::Chart;
use crate::components::chart::{ChartData, Mark, Places, Series, Unit};
use crate::contexts::project::use_project;
use crate::live::reduce::ChartsState;
use crate::live::{Anchor, use_live};
use crate::model::{EventSteps, RecordCharts, StandingCount};

/// A card for each chart that the module asks for.
#[component]
pub(super) fn Charts(scope: Scope, charts: RecordCharts, anchor: Anchor) -> impl IntoView {
    let state = RwSignal::new(ChartsState::new(charts));
    let project = use_project();
    // That the list may no longer be seen is the table's to say.
    let _ = use_live(state, anchor, move || get_record_charts(project.slug(), scope.name()));
    let (name, title) = scope.module.with_value(|module| (module.name.to_string(), module.title.to_string()));
    let by_status = Memo::new(move |_| state.with(|state| by_status(state.by_status().unwrap_or_default())));
    let over_time = Memo::new(move |_| {
        let nothing = EventSteps { seconds: 60, steps: Vec::new() };
        state.with(|state| over_time(state.over_time().unwrap_or(&nothing)))
    });
    let (has_statuses, has_steps) =
        state.with_untracked(|state| (state.by_status().is_some(), state.over_time().is_some()));
    view! {
        <section class="panels" aria-label=format!("{title} as charts")>
            <div class="panels-grid">
                {has_statuses.then(|| view! {
                    <div class="card">
                        <Chart id=format!("chart-{name}-by-status") title=format!("{title} by status") data=by_status/>
                    </div>
                })}
                {has_steps.then(|| view! {
                    <div class="card">
                        <Chart
                            id=format!("chart-{name}-over-time")
                            title=format!("Events of {name}, last hour")
                            data=over_time
                        />
                    </div>
                })}
            </div>
        </section>
    }
}

fn by_status(counts: &[StandingCount]) -> ChartData {
    ChartData {
        unit: Unit::Count("records"),
        places: Places::Names {
            what: "Status",
            names: counts.iter().map(|entry| entry.label.clone()).collect(),
        },
        series: vec![Series {
            name: "Records",
            mark: Mark::Bars,
            tone: "accent",
            values: counts.iter().map(|entry| Some(entry.count as f64)).collect(),
        }],
    }
}

fn over_time(steps: &EventSteps) -> ChartData {
    ChartData {
        unit: Unit::Count("events a minute"),
        places: Places::Times {
            from: steps.steps.iter().map(|(begin, _)| *begin).collect(),
            seconds: steps.seconds,
        },
        series: vec![Series {
            name: "Events",
            mark: Mark::Bars,
            tone: "active",
            values: steps.steps.iter().map(|(_, count)| Some(*count as f64)).collect(),
        }],
    }
}
