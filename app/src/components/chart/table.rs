//! The same numbers as a table.

use leptos::prelude::*;
use tidewatch_events::Timestamp;

use super::{ChartData, Places};
use crate::format;

/// A row: what it is, exactly and as people read it, and a value of each series.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    /// The exact time, where the place is one.
    time: Option<String>,
    place: String,
    values: Vec<String>,
}

/// The numbers behind a chart: newest first, or in the order of the names.
#[component]
pub(super) fn ChartTable(title: Signal<String>, data: Signal<ChartData>) -> impl IntoView {
    let columns = Memo::new(move |_| data.with(columns));
    let rows = Memo::new(move |_| data.with(rows));
    view! {
        <details class="chart-table">
            <summary>"As a table"</summary>
            <div class="scroll" tabindex="0" role="region" aria-label=move || format!("{} as a table", title.get())>
                <table>
                    <caption>{move || title.get()}</caption>
                    <thead>
                        <tr>{move || columns.get().into_iter().map(|name| view! { <th scope="col">{name}</th> }).collect_view()}</tr>
                    </thead>
                    <tbody>{move || rows.get().into_iter().map(row_view).collect_view()}</tbody>
                </table>
            </div>
        </details>
    }
}

fn row_view(row: Row) -> impl IntoView {
    let place = match row.time {
        Some(time) => view! { <time datetime=time>{row.place}</time> }.into_any(),
        None => row.place.into_any(),
    };
    let values = row.values.into_iter().map(|value| view! { <td>{value}</td> }).collect_view();
    view! { <tr><th scope="row">{place}</th>{values}</tr> }
}

fn columns(data: &ChartData) -> Vec<String> {
    let first = match &data.places {
        Places::Times { .. } => "From (UTC)",
        Places::Names { what, .. } => what,
    };
    std::iter::once(first.to_owned()).chain(data.series.iter().map(|series| series.name.to_owned())).collect()
}

fn rows(data: &ChartData) -> Vec<Row> {
    let values = |index: usize| {
        let value = |values: &[Option<f64>]| values.get(index).copied().flatten();
        let written =
            |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| data.unit.write(value));
        data.series.iter().map(|series| written(value(&series.values))).collect()
    };
    match &data.places {
        Places::Times { from, .. } => {
            let row = |(index, time): (usize, &Timestamp)| Row {
                time: Some(time.to_string()),
                place: minute(&format::absolute(*time)),
                values: values(index),
            };
            from.iter().enumerate().rev().map(row).collect()
        }
        Places::Names { names, .. } => {
            let row = |(index, name): (usize, &String)| Row {
                time: None,
                place: name.clone(),
                values: values(index),
            };
            names.iter().enumerate().map(row).collect()
        }
    }
}

/// `2026-11-20 20:43`: steps begin with a minute.
fn minute(absolute: &str) -> String {
    absolute.get(..16).unwrap_or(absolute).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::{Mark, Series, Unit};
    use super::*;

    #[test]
    fn holds_every_number_with_its_place() {
        let series = |name, values: &[Option<f64>]| Series {
            name,
            mark: Mark::Bars,
            tone: "good",
            values: values.to_vec(),
        };
        let times = ["2026-11-20T20:43:00Z", "2026-11-20T20:44:00Z"];
        let data = ChartData {
            unit: Unit::Count("settlements"),
            places: Places::Times {
                from: times.iter().map(|time| time.parse().expect("a time")).collect(),
                seconds: 60,
            },
            series: vec![series("Settled", &[Some(1.0), Some(2.0)]), series("Failed", &[None, Some(0.0)])],
        };
        assert_eq!(columns(&data), ["From (UTC)", "Settled", "Failed"]);
        let rows = rows(&data);
        let said: Vec<_> = rows.iter().map(|row| (row.place.as_str(), row.values.join(" "))).collect();
        assert_eq!(said, [("2026-11-20 20:44", "2 0".to_owned()), ("2026-11-20 20:43", "1 –".to_owned())]);
        assert_eq!(rows[0].time.as_deref(), Some("2026-11-20T20:44:00.000Z"));
    }
}
