//! Values as paths.

use super::axis::Scale;
use super::{ChartData, Mark, Series};

/// How wide the drawing is, before it is stretched to the width that there is.
pub(super) const WIDTH: usize = 1_000;
/// How high it is: that many CSS pixels, always.
pub(super) const HEIGHT: usize = 160;
/// The part of its place that a bar fills.
const BAR: f64 = 0.72;

/// A series as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drawn {
    pub(super) mark: Mark,
    pub(super) tone: &'static str,
    /// What is filled: bars, the area below a line.
    pub(super) fill: String,
    /// What is only a line.
    pub(super) line: String,
}

/// Every series, in its order.
pub(super) fn draw(data: &ChartData, scale: Scale) -> Vec<Drawn> {
    let mut below = vec![0.0; data.places.len()];
    let slot = WIDTH as f64 / data.places.len().max(1) as f64;
    let one = |series: &Series| {
        let (fill, line) = match series.mark {
            Mark::Bars | Mark::HatchedBars => (bars(&series.values, &mut below, slot, scale), String::new()),
            Mark::Line | Mark::DashedLine => (String::new(), line(&series.values, slot, scale)),
            Mark::Area => (area(&series.values, slot, scale), line(&series.values, slot, scale)),
        };
        Drawn { mark: series.mark, tone: series.tone, fill, line }
    };
    data.series.iter().map(one).collect()
}

/// How high the bars stand on each other at each place.
pub(super) fn stacked(data: &ChartData) -> Vec<f64> {
    let bars = || data.series.iter().filter(|series| series.mark.is_bars());
    let value = |series: &Series, place: usize| series.values.get(place).copied().flatten().unwrap_or(0.0);
    (0..data.places.len()).map(|place| bars().map(|series| value(series, place)).sum()).collect()
}

fn bars(values: &[Option<f64>], below: &mut [f64], slot: f64, scale: Scale) -> String {
    let bar = |(index, (value, below)): (usize, (&Option<f64>, &mut f64))| {
        let value = value.filter(|value| *value > 0.0)?;
        let bottom = scale.y(*below);
        *below += value;
        let top = scale.y(*below);
        let left = slot * (index as f64 + (1.0 - BAR) / 2.0);
        Some(format!("M{left:.1} {bottom:.1}V{top:.1}h{:.1}V{bottom:.1}Z", slot * BAR))
    };
    values.iter().zip(below).enumerate().filter_map(bar).collect()
}

/// Parts of the series without a hole, as points.
fn runs(values: &[Option<f64>], slot: f64, scale: Scale) -> Vec<Vec<(f64, f64)>> {
    let mut runs = Vec::new();
    let mut run = Vec::new();
    for (index, value) in values.iter().enumerate() {
        match value {
            Some(value) => run.push((slot * (index as f64 + 0.5), scale.y(*value))),
            None if run.is_empty() => {}
            None => runs.push(std::mem::take(&mut run)),
        }
    }
    if !run.is_empty() {
        runs.push(run);
    }
    runs
}

fn points(run: &[(f64, f64)]) -> String {
    let point = |(index, (x, y)): (usize, &(f64, f64))| {
        format!("{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' })
    };
    run.iter().enumerate().map(point).collect()
}

fn line(values: &[Option<f64>], slot: f64, scale: Scale) -> String {
    let path = |run: Vec<(f64, f64)>| {
        let path = points(&run);
        // One point alone is a dot: a line of no length with round ends.
        if run.len() == 1 { path + "h0" } else { path }
    };
    runs(values, slot, scale).into_iter().map(path).collect()
}

fn area(values: &[Option<f64>], slot: f64, scale: Scale) -> String {
    let path = |run: Vec<(f64, f64)>| {
        let (first, last) = (run.first()?.0, run.last()?.0);
        Some(format!("{}L{last:.1} {HEIGHT}L{first:.1} {HEIGHT}Z", points(&run)))
    };
    runs(values, slot, scale).into_iter().filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Places, Unit};
    use super::*;

    fn data(series: &[(Mark, &[Option<f64>])]) -> ChartData {
        let places = series.first().map_or(0, |(_, values)| values.len());
        let series = series.iter().map(|(mark, values)| Series {
            name: "a",
            mark: *mark,
            tone: "accent",
            values: values.to_vec(),
        });
        ChartData {
            unit: Unit::Count("things"),
            places: Places::Names { what: "Place", names: vec!["x".to_owned(); places] },
            series: series.collect(),
        }
    }

    fn drawn(data: &ChartData) -> Vec<Drawn> {
        draw(data, Scale::of(data))
    }

    #[test]
    fn bars_stand_on_each_other() {
        let data =
            data(&[(Mark::Bars, &[Some(1.0), Some(0.0)]), (Mark::HatchedBars, &[Some(3.0), Some(2.0)])]);
        let drawn = drawn(&data);
        assert_eq!(drawn[0].fill, "M70.0 160.0V120.0h360.0V160.0Z");
        assert_eq!(drawn[1].fill, "M70.0 120.0V0.0h360.0V120.0ZM570.0 160.0V80.0h360.0V160.0Z");
    }

    #[test]
    fn a_line_is_broken_where_nothing_is_and_a_point_alone_is_a_dot() {
        let data = data(&[(Mark::Line, &[Some(4.0), Some(0.0), None, Some(2.0)])]);
        assert_eq!(drawn(&data)[0].line, "M125.0 0.0L375.0 160.0M875.0 80.0h0");
        let data = self::data(&[(Mark::Area, &[Some(1.0), Some(1.0)])]);
        assert_eq!(drawn(&data)[0].fill, "M250.0 0.0L750.0 0.0L750.0 160L250.0 160Z");
    }

    #[test]
    fn draws_nothing_of_nothing() {
        assert_eq!(drawn(&data(&[])), []);
        let drawn = drawn(&data(&[(Mark::Area, &[]), (Mark::Bars, &[])]));
        assert!(drawn.iter().all(|series| series.fill.is_empty() && series.line.is_empty()));
    }
}
