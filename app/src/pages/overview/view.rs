//! The overview, live.

use leptos::prelude::*;

use super::attention::Attention;
use super::feed::LiveFeed;
use super::numbers::Numbers;
use super::panels::Panels;
use super::statuses::Statuses;
use crate::api::get_overview;
use crate::components::{Freshness, Sparkline, WhileAllowed};
use crate::contexts::project::use_project;
use crate::live::reduce::OverviewState;
use crate::live::{Anchor, use_live};
use crate::model::{Overview, Snapshot, TimeRange};

/// An overview that follows events.
#[component]
pub fn OverviewView(snapshot: Snapshot<Overview>, range: Memo<TimeRange>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let as_of = snapshot.as_of;
    let state = RwSignal::new(OverviewState::new(snapshot));
    let project = use_project();
    let live = use_live(state, anchor, move || get_overview(project.slug(), range.get_untracked()));
    // One look at a time: an answer that was under way when the address changed is of the range before.
    Effect::new(move |_| {
        let is_another = state.with(|state| state.overview().trends.range != range.get());
        if is_another {
            live.refetch();
        }
    });
    let per_minute = Memo::new(move |_| state.with(|state| state.overview().per_minute.clone()));
    view! {
        <WhileAllowed live what="the overview">
        <p class="page-meta"><Freshness as_of/></p>
        <Attention state/>
        <Numbers state/>
        <div class="columns">
            <div class="stack">
                <section class="card" aria-labelledby="throughput">
                    <h2 id="throughput">"Settled or failed, last hour"</h2>
                    <Sparkline label="Settled or failed settlements a minute" points=per_minute/>
                </section>
                <Statuses state/>
            </div>
            <LiveFeed state/>
        </div>
        <Panels state asked=range/>
        </WhileAllowed>
    }
}
