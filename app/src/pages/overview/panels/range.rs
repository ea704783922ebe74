//! The range of the charts, in the address.

use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use crate::address::with_parameters;
use crate::contexts::project::use_project;
use crate::model::TimeRange;

/// The range that the address says. One that it says wrongly counts as not said.
pub(in super::super) fn read_range(params: &ParamsMap) -> TimeRange {
    params.get("range").and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The range as it stands in headings.
pub(super) const fn words(range: TimeRange) -> &'static str {
    match range {
        TimeRange::Hour => "last hour",
        TimeRange::SixHours => "last 6 hours",
        TimeRange::Day => "last 24 hours",
        TimeRange::Week => "last 7 days",
    }
}

/// The path of the overview over a range; the usual one needs no word.
fn path(range: TimeRange) -> String {
    let said = (range != TimeRange::default()).then(|| range.to_string());
    with_parameters("/", [("range", said)])
}

/// One link a range. They work without scripting, and then lead back to the charts; with it the page stays where
/// it is.
#[component]
pub(super) fn RangeLinks(asked: Memo<TimeRange>) -> impl IntoView {
    let project = use_project();
    let link = move |range: TimeRange| {
        let href = format!("{}#panels", project.href(&path(range)));
        let current = move || (asked.get() == range).then_some("true");
        view! {
            <li>
                <a class="chip" href=href aria-current=current data-range-link=range.as_str() data-noscroll="">
                    {range.as_str()}
                    // Behind what is seen, so that it can be called by that.
                    <span class="visually-hidden">{format!(", {}", words(range))}</span>
                </a>
            </li>
        }
    };
    view! {
        <nav class="filter" aria-label="Range of the charts">
            <ul class="chips">{TimeRange::ALL.map(link).into_iter().collect_view()}</ul>
        </nav>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote_and_takes_the_usual_one_otherwise() {
        assert_eq!(path(TimeRange::Hour), "/");
        assert_eq!(path(TimeRange::Week), "/?range=7d");
        let read = |text: &str| {
            let mut params = ParamsMap::new();
            params.insert("range", text.to_owned());
            read_range(&params)
        };
        for range in TimeRange::ALL {
            assert_eq!(read(range.as_str()), range);
        }
        assert_eq!(read("2 fortnights"), TimeRange::Hour);
        assert_eq!(read_range(&ParamsMap::new()), TimeRange::Hour);
    }
}
