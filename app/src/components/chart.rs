//! Charts: drawn on the server as SVG, with the table that they stand for.
//!
//! A chart is what [`ChartData`] says and nothing else: no clock, no locale, no measure of the screen. So server and
//! browser draw the same, and it needs no scripting. The drawing is stretched to the width that there is, while
//! everything that is read stands beside it as text of the page's own size, which reflows down to 320 px.
//!
//! Nobody has to tell colours apart: each series is named with its numbers, bars differ by hatching, lines by dashes,
//! and every number stands in a table. Nothing moves, so there is nothing to reduce.

mod axis;
mod draw;
mod summary;
mod table;
mod unit;

use leptos::prelude::*;
use tidewatch_events::Timestamp;

use self::axis::{Scale, place_labels};
use self::draw::{HEIGHT, WIDTH, draw};
use self::summary::summarize;
use self::table::ChartTable;
pub use self::unit::Unit;

/// What a chart shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartData {
    /// What its values are measured in.
    pub unit: Unit,
    /// The places on the horizontal axis.
    pub places: Places,
    /// What is drawn, each with a value for every place. Bars stand on each other in this order.
    pub series: Vec<Series>,
}

/// The places on the horizontal axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Places {
    /// Steps of time of one width.
    Times {
        /// When each begins, oldest first.
        from: Vec<Timestamp>,
        /// How wide each is, in seconds.
        seconds: u32,
    },
    /// Things by name.
    Names {
        /// What they are, such as `Network`.
        what: &'static str,
        /// Their names, in their order.
        names: Vec<String>,
    },
}

impl Places {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Times { from, .. } => from.len(),
            Self::Names { names, .. } => names.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Values under one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What they are.
    pub name: &'static str,
    /// How they are drawn.
    pub mark: Mark,
    /// In which of the theme's colours: `accent`, `active`, `good`, `warn` or `bad`.
    pub tone: &'static str,
    /// One for each place; `None` where there is none, which is not zero.
    pub values: Vec<Option<f64>>,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A line, broken where there is no value.
    Line,
    /// A dashed line.
    DashedLine,
    /// A line and what is below it.
    Area,
    /// Bars.
    Bars,
    /// Hatched bars.
    HatchedBars,
}

impl Mark {
    /// Whether it is one of the bars, which stand on each other.
    #[must_use]
    pub const fn is_bars(self) -> bool {
        matches!(self, Self::Bars | Self::HatchedBars)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::DashedLine => "dashed",
            Self::Area => "area",
            Self::Bars => "bars",
            Self::HatchedBars => "hatched",
        }
    }
}

/// A chart under a heading, with a legend that says the numbers that matter, and the table behind it.
///
/// It follows `data`: what is on the screen stays until there is something newer.
///
/// ```
/// use leptos::prelude::*;
/// use tidewatch_app::components::Chart;
/// use tidewatch_app::components::chart::{ChartData, Mark, Places, Series, Unit};
///
/// /// Two bars.
/// #[component]
/// fn Sizes(small: RwSignal<u32>, large: RwSignal<u32>) -> impl IntoView {
///     let data = Memo::new(move |_| ChartData {
///         unit: Unit::Count("parcels"),
///         places: Places::Names { what: "Size", names: vec!["Small".into(), "Large".into()] },
///         series: vec![Series {
///             name: "Parcels",
///             mark: Mark::Bars,
///             tone: "accent",
///             values: vec![Some(small.get().into()), Some(large.get().into())],
///         }],
///     });
///     view! { <div class="card"><Chart id="chart-sizes" title={"By size".to_owned()} data/></div> }
/// }
/// ```
#[component]
pub fn Chart(
    /// Its name on the page, for addresses and patterns: no two charts of a page have the same.
    #[prop(into)]
    id: String,
    /// What it shows, as a heading.
    #[prop(into)]
    title: Signal<String>,
    /// What it shows.
    #[prop(into)]
    data: Signal<ChartData>,
) -> impl IntoView {
    let scale = Memo::new(move |_| data.with(Scale::of));
    let drawn = Memo::new(move |_| data.with(|data| draw(data, scale.get())));
    let legend = Memo::new(move |_| data.with(summarize));
    let is_empty = Memo::new(move |_| {
        data.with(|data| data.series.iter().all(|series| series.values.iter().all(Option::is_none)))
    });
    let heading = format!("{id}-title");
    let labelled_by = heading.clone();
    let hatching = StoredValue::new(format!("{id}-hatching"));
    // What a screen reader hears in place of the drawing.
    let spoken = move || {
        let parts: Vec<String> =
            legend.get().into_iter().map(|entry| format!("{}: {}", entry.name, entry.text)).collect();
        format!("{}. {}", title.get(), parts.join("; "))
    };
    view! {
        <figure class="chart" id=id.clone() data-chart=id aria-labelledby=labelled_by>
            <figcaption class="chart-head">
                <h3 class="chart-title" id=heading>{move || title.get()}</h3>
                <span class="chart-unit">{move || data.with(|data| data.unit.name())}</span>
            </figcaption>
            <ul class="chart-legend">
                {move || legend.get().into_iter().map(|entry| view! {
                    <li data-series=entry.name data-tone=entry.tone>
                        <span class="chart-swatch" data-mark=entry.mark aria-hidden="true"></span>
                        <span class="chart-name">{entry.name}</span>
                        " "
                        <span class="chart-numbers">{entry.text}</span>
                    </li>
                }).collect_view()}
            </ul>
            <div class="chart-plot">
                <div class="chart-values" aria-hidden="true">
                    {move || scale.get().labels(data.with(|data| data.unit)).into_iter().map(|label| view! { <span>{label}</span> }).collect_view()}
                </div>
                <div class="chart-field">
                    <svg
                        class="chart-drawing"
                        viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                        preserveAspectRatio="none"
                        role="img"
                        aria-label=spoken
                    >
                        <Hatching id=hatching.get_value()/>
                        <path class="chart-grid" d=move || scale.get().grid()></path>
                        {move || drawn.get().into_iter().map(|series| {
                            let id = hatching.get_value();
                            let filling = match series.mark {
                                Mark::HatchedBars => Some(format!("fill:url(#{id}-{})", series.tone)),
                                _ => None,
                            };
                            view! {
                                <g class="chart-series" data-mark=series.mark.as_str() data-tone=series.tone>
                                    <path class="chart-fill" d=series.fill style=filling></path>
                                    <path class="chart-line" d=series.line></path>
                                </g>
                            }
                        }).collect_view()}
                    </svg>
                    <p class="chart-nothing" hidden=move || !is_empty.get()>"Nothing in this time"</p>
                </div>
                <div class="chart-places" aria-hidden="true">
                    {move || data.with(|data| place_labels(&data.places)).into_iter().map(|label| view! {
                        <span style=label.style>{label.text}</span>
                    }).collect_view()}
                </div>
            </div>
            <ChartTable title data/>
        </figure>
    }
}

/// The hatching of each tone. It is horizontal: the drawing is stretched sideways, and this looks the same at any
/// width.
#[component]
fn Hatching(id: String) -> impl IntoView {
    view! {
        <defs>
            {["accent", "active", "good", "warn", "bad"].map(|tone| view! {
                <pattern id=format!("{id}-{tone}") data-tone=tone width="8" height="5" patternUnits="userSpaceOnUse">
                    <rect class="chart-hatch-ground" width="8" height="5"></rect>
                    <rect class="chart-hatch" width="8" height="2.5"></rect>
                </pattern>
            }).into_iter().collect_view()}
        </defs>
    }
}
