//! Today in numbers.

use leptos::prelude::*;
use tidewatch_events::catalog::settlement::SettlementStatus;
use tidewatch_events::money::format_minor;

use crate::components::Number;
use crate::format;
use crate::live::reduce::OverviewState;

/// Numbers of today (UTC) and of the machinery.
#[component]
pub fn Numbers(state: RwSignal<OverviewState>) -> impl IntoView {
    let of = move |read: fn(&OverviewState) -> String| Memo::new(move |_| state.with(read));
    let volume = Memo::new(move |_| state.with(|state| state.overview().volume_today.clone()));
    view! {
        <section aria-label="Today">
            <dl class="numbers">
                <Number name="Open now" key="open" value=of(open)/>
                <Number name="Created today" key="created" value=of(|state| format::count(state.overview().created_today))/>
                <Number name="Settled today" key="settled" value=of(|state| format::count(state.overview().settled_today))/>
                <Number name="Failed today" key="failed" value=of(|state| format::count(state.overview().failed_today))/>
                <Number name="Success rate" key="success" value=of(success_rate)/>
                <Number name="Outbox lag" key="lag" value=of(lag)/>
                <Number name="Connections" key="connections" value=of(|state| format::count(state.overview().connections))/>
                <div class="number number-wide" data-key="volume">
                    <dt>"Volume today"</dt>
                    <dd class="volume">
                        {move || {
                            let volume = volume.get();
                            if volume.is_empty() { return view! { <span>"–"</span> }.into_any(); }
                            volume
                                .into_iter()
                                .map(|(currency, minor)| view! {
                                    <span>{format_minor(minor, currency)} " " <small>{currency.to_string()}</small></span>
                                })
                                .collect_view()
                                .into_any()
                        }}
                    </dd>
                </div>
            </dl>
        </section>
    }
}

fn open(state: &OverviewState) -> String {
    let open = SettlementStatus::ALL.into_iter().filter(|status| status.is_open());
    format::count(open.map(|status| state.count(status)).sum())
}

fn success_rate(state: &OverviewState) -> String {
    let (settled, failed) = (state.overview().settled_today, state.overview().failed_today);
    match settled + failed {
        0 => "–".to_owned(),
        ended => {
            let per_mille = settled * 1_000 / ended;
            format!("{}.{} %", per_mille / 10, per_mille % 10)
        }
    }
}

fn lag(state: &OverviewState) -> String {
    state.overview().outbox_lag_ms.map_or_else(|| "none".to_owned(), format::span)
}
