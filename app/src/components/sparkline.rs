//! A small chart with the table that it stands for.

use leptos::prelude::*;
use tidewatch_events::Timestamp;

use crate::format;

/// How wide it is drawn, before it is stretched.
const WIDTH: usize = 240;
/// How high it is drawn.
const HEIGHT: usize = 48;

/// Counts over time as a line, drawn on the server. The numbers stand behind it in a table.
#[component]
pub fn Sparkline(
    /// What is counted, such as `Settled or failed a minute`.
    #[prop(into)]
    label: String,
    /// The counts, oldest first.
    #[prop(into)]
    points: Signal<Vec<(Timestamp, u32)>>,
) -> impl IntoView {
    let summary = Memo::new(move |_| points.with(|points| summary(points)));
    let (table_label, caption) = (label.clone(), label.clone());
    let rows = move || points.get().into_iter().rev().map(row).collect_view();
    view! {
        <figure class="sparkline">
            <Line label points summary/>
            <details class="sparkline-table">
                <summary>"As a table"</summary>
                <div class="scroll" tabindex="0" role="region" aria-label=table_label>
                    <table>
                        <caption>{caption}</caption>
                        <thead><tr><th scope="col">"Minute (UTC)"</th><th scope="col">"Count"</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </details>
        </figure>
    }
}

/// The line itself, and what it comes to in words. Its numbers stand in a table, wherever that is.
#[component]
pub(crate) fn Line(
    label: String,
    #[prop(into)] points: Signal<Vec<(Timestamp, u32)>>,
    #[prop(into)] summary: Signal<String>,
) -> impl IntoView {
    let line = Memo::new(move |_| points.with(|points| line(points)));
    view! {
        <svg
            viewBox=format!("0 0 {WIDTH} {HEIGHT}")
            preserveAspectRatio="none"
            role="img"
            aria-label=move || format!("{label}: {}", summary.get())
        >
            <path class="sparkline-area" d=move || line.with(|line| area(line))></path>
            <path class="sparkline-line" d=move || line.get()></path>
        </svg>
        <figcaption>{move || summary.get()}</figcaption>
    }
}

fn row((time, count): (Timestamp, u32)) -> impl IntoView {
    let text = time.to_string();
    let minute = text.get(11..16).unwrap_or_default().to_owned();
    view! { <tr><th scope="row"><time datetime=text>{minute}</time></th><td>{count}</td></tr> }
}

/// The path of a line through the counts, from left to right.
fn line(points: &[(Timestamp, u32)]) -> String {
    let most = points.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let last = points.len().saturating_sub(1).max(1);
    let place = |(index, (_, count)): (usize, &(Timestamp, u32))| {
        let x = index * WIDTH / last;
        let y = HEIGHT as f64 - 2.0 - f64::from(*count) / f64::from(most) * (HEIGHT as f64 - 4.0);
        format!("{}{x} {y:.1}", if index == 0 { 'M' } else { 'L' })
    };
    points.iter().enumerate().map(place).collect()
}

/// The path of what is below that line.
fn area(line: &str) -> String {
    if line.is_empty() { String::new() } else { format!("{line}L{WIDTH} {HEIGHT}L0 {HEIGHT}Z") }
}

fn summary(points: &[(Timestamp, u32)]) -> String {
    let total: u64 = points.iter().map(|(_, count)| u64::from(*count)).sum();
    let most = points.iter().map(|(_, count)| *count).max().unwrap_or(0);
    format!("{} in {} min, at most {most} a minute", format::count(total), points.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_from_left_to_right_within_its_box() {
        let time = Timestamp::from_unix_millis(0).expect("a time");
        assert_eq!(line(&[(time, 0), (time, 4), (time, 2)]), "M0 46.0L120 2.0L240 24.0");
        assert_eq!(line(&[]), "");
        assert_eq!(line(&[(time, 1)]), "M0 2.0");
        assert_eq!(summary(&[(time, 3), (time, 1)]), "4 in 2 min, at most 3 a minute");
    }
}
