//! How it went over a range of time: charts.

mod data;
mod range;

use leptos::prelude::*;
use tidewatch_events::money::Currency;

use self::data::{currencies, outbox_lag, success_rate, throughput, volume};
pub(super) use self::range::read_range;
use self::range::{RangeLinks, words};
use crate::components::Chart;
use crate::components::chart::ChartData;
use crate::live::reduce::OverviewState;
use crate::model::{TimeRange, Trends};

/// A card a chart, all over the range that the address says.
///
/// What is shown stays until the numbers of another range are there, and its headings say which range it is.
#[component]
pub(super) fn Panels(state: RwSignal<OverviewState>, asked: Memo<TimeRange>) -> impl IntoView {
    let trends = Memo::new(move |_| state.with(|state| state.overview().trends.clone()));
    let shown = Memo::new(move |_| trends.read().range);
    let chart = move |draw: fn(&Trends) -> ChartData| Memo::new(move |_| trends.with(draw));
    let title = move |name: &'static str| Signal::derive(move || format!("{name}, {}", words(shown.get())));
    let of_currencies = Memo::new(move |_| trends.with(currencies));
    view! {
        <section
            class="panels"
            id="panels"
            aria-labelledby="panels-title"
            aria-busy=move || (asked.get() != shown.get()).to_string()
            data-range=move || shown.get().as_str()
        >
            <div class="panels-head">
                <h2 id="panels-title">"Over time"</h2>
                <RangeLinks asked/>
            </div>
            <div class="panels-grid">
                <div class="card"><Chart id="chart-throughput" title=title("Throughput") data=chart(throughput)/></div>
                <div class="card"><Chart id="chart-success" title=title("Success rate") data=chart(success_rate)/></div>
                <div class="card"><Chart id="chart-lag" title=title("Outbox lag") data=chart(outbox_lag)/></div>
                <For each=move || of_currencies.get() key=|currency: &Currency| *currency let:currency>
                    <div class="card">
                        <Chart
                            id=format!("chart-volume-{}", currency.as_str().to_ascii_lowercase())
                            title=Signal::derive(move || format!("Volume by network in {currency}, {}", words(shown.get())))
                            data=Memo::new(move |_| trends.with(|trends| volume(trends, currency)))
                        />
                    </div>
                </For>
                <Show when=move || of_currencies.with(Vec::is_empty)>
                    <div class="card" data-chart="chart-volume">
                        <h3 class="chart-title">{move || format!("Volume by network, {}", words(shown.get()))}</h3>
                        <p>"Nothing was settled in this time."</p>
                    </div>
                </Show>
            </div>
        </section>
    }
}
