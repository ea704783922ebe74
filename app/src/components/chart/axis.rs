//! Both axes: round steps upwards, round times from left to right.

use tidewatch_events::Timestamp;

use super::draw::{HEIGHT, WIDTH, stacked};
use super::{ChartData, Places, Unit};

/// Steps of the vertical axis, at most.
const MOST_STEPS: f64 = 4.0;
/// Labels of the horizontal axis, at most: more do not fit at 320 px.
const MOST_LABELS: i64 = 5;
/// How far apart times on the axis may be, in seconds.
const TIME_STEPS: [i64; 12] =
    [60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800];
/// Behind this part of the width no label begins: it would stick out.
const LAST_LABEL: f64 = 0.88;
/// Longest name below a bar, in letters; all of it stands in the table.
const LONGEST_NAME: usize = 12;

/// The vertical axis: from 0 up in equal steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    step: f64,
    steps: u32,
}

/// A text below the drawing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlaceLabel {
    pub(super) text: String,
    /// Where it stands.
    pub(super) style: String,
}

impl Scale {
    /// The scale on which all of it has room.
    pub(super) fn of(data: &ChartData) -> Self {
        if data.unit == Unit::Percent {
            return Self { step: 25.0, steps: 4 };
        }
        let lines = data.series.iter().filter(|series| !series.mark.is_bars());
        let lines = lines.flat_map(|series| series.values.iter().flatten().copied());
        let most = lines.chain(stacked(data)).fold(0.0, f64::max);
        Self::up_to(most)
    }

    /// Steps of 1 at least: nothing is half a settlement.
    fn up_to(most: f64) -> Self {
        let step = round_up(most / MOST_STEPS);
        Self { step, steps: ((most / step).ceil() as u32).max(1) }
    }

    fn top(self) -> f64 {
        self.step * f64::from(self.steps)
    }

    /// How far from the top a value is drawn.
    pub(super) fn y(self, value: f64) -> f64 {
        let height = HEIGHT as f64;
        height - (value / self.top()).clamp(0.0, 1.0) * height
    }

    /// What stands at the steps, from the top down.
    pub(super) fn labels(self, unit: Unit) -> Vec<String> {
        (0..=self.steps).rev().map(|step| unit.write_tick(self.step * f64::from(step))).collect()
    }

    /// A line at each step.
    pub(super) fn grid(self) -> String {
        let line = |step| format!("M0 {:.1}H{WIDTH}", self.y(self.step * f64::from(step)));
        (0..=self.steps).map(line).collect()
    }
}

/// The next of 1, 2, 5, 10, 20, …
fn round_up(value: f64) -> f64 {
    if value <= 1.0 {
        return 1.0;
    }
    let power = 10f64.powi(value.log10().floor() as i32);
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= value).unwrap_or(10.0);
    factor * power
}

/// What stands below the drawing: times that are round, names below the middle of their bars.
pub(super) fn place_labels(places: &Places) -> Vec<PlaceLabel> {
    match places {
        Places::Times { from, seconds } => time_labels(from, i64::from(*seconds)),
        Places::Names { names, .. } => {
            let width = 100.0 / names.len().max(1) as f64;
            let label = |(index, name): (usize, &String)| PlaceLabel {
                text: shortened(name),
                style: format!(
                    "inset-inline-start:{:.2}%;inline-size:{width:.2}%;text-align:center",
                    index as f64 * width
                ),
            };
            names.iter().enumerate().map(label).collect()
        }
    }
}

fn time_labels(from: &[Timestamp], seconds: i64) -> Vec<PlaceLabel> {
    let span = seconds * from.len() as i64;
    let step = TIME_STEPS.into_iter().find(|step| span / step <= MOST_LABELS).unwrap_or(span.max(1));
    let is_round = |time: &Timestamp| (time.unix_millis() / 1_000).rem_euclid(step) == 0;
    let label = |(index, time): (usize, &Timestamp)| {
        let part = index as f64 / from.len() as f64;
        (is_round(time) && part <= LAST_LABEL).then(|| PlaceLabel {
            text: if step >= 86_400 { day_of(*time) } else { time_of(*time) },
            style: format!("inset-inline-start:{:.2}%", part * 100.0),
        })
    };
    from.iter().enumerate().filter_map(label).collect()
}

/// `20:43`.
fn time_of(time: Timestamp) -> String {
    time.to_string().get(11..16).unwrap_or_default().to_owned()
}

/// `11-20`.
fn day_of(time: Timestamp) -> String {
    time.to_string().get(5..10).unwrap_or_default().to_owned()
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    let kept: String = name.chars().take(LONGEST_NAME - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(first: &str, count: i64, seconds: i64) -> Vec<Timestamp> {
        let first: Timestamp = first.parse().expect("a time");
        let at = |index| Timestamp::from_unix_millis(first.unix_millis() + index * seconds * 1_000);
        (0..count).map(|index| at(index).expect("a time")).collect()
    }

    fn texts(labels: &[PlaceLabel]) -> Vec<&str> {
        labels.iter().map(|label| label.text.as_str()).collect()
    }

    #[test]
    fn goes_up_in_round_steps_with_room_for_all() {
        for (most, step, steps) in
            [(0.0, 1.0, 1), (3.0, 1.0, 3), (9.0, 5.0, 2), (80.0, 20.0, 4), (81.0, 50.0, 2), (1e6, 5e5, 2)]
        {
            assert_eq!(Scale::up_to(most), Scale { step, steps }, "{most}");
        }
        let scale = Scale::up_to(80.0);
        assert_eq!(scale.labels(Unit::Count("x")), ["80", "60", "40", "20", "0"]);
        assert_eq!((scale.y(0.0), scale.y(80.0)), (HEIGHT as f64, 0.0));
    }

    #[test]
    fn says_round_times_and_few() {
        let hour = time_labels(&times("2026-11-20T20:03:00Z", 60, 60), 60);
        assert_eq!(texts(&hour), ["20:15", "20:30", "20:45"]);
        assert_eq!(hour[0].style, "inset-inline-start:20.00%");
        let day = time_labels(&times("2026-11-20T00:30:00Z", 48, 1_800), 1_800);
        assert_eq!(texts(&day), ["06:00", "12:00", "18:00"]);
        let week = time_labels(&times("2026-11-13T21:00:00Z", 56, 10_800), 10_800);
        assert_eq!(week.len(), 3);
        assert!(texts(&week).iter().all(|text| text.starts_with("11-")));
    }

    #[test]
    fn shortens_names_that_do_not_fit() {
        let places =
            Places::Names { what: "Network", names: vec!["sepa".into(), "a_very_long_network".into()] };
        assert_eq!(texts(&place_labels(&places)), ["sepa", "a_very_long…"]);
    }
}
