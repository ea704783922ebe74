//! Each series in a few words: the legend, and what is heard instead of the drawing.

use super::{ChartData, Places, Series, Unit};

/// A series in the legend.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) tone: &'static str,
    pub(super) mark: &'static str,
    pub(super) text: String,
}

/// The legend, in the order of the series.
pub(super) fn summarize(data: &ChartData) -> Vec<Entry> {
    let entry = |series: &Series| Entry {
        name: series.name,
        tone: series.tone,
        mark: series.mark.as_str(),
        text: words(data, series),
    };
    data.series.iter().map(entry).collect()
}

fn words(data: &ChartData, series: &Series) -> String {
    let unit = data.unit;
    let values: Vec<f64> = series.values.iter().flatten().copied().collect();
    let Some(last) = values.last() else { return "none".to_owned() };
    let sum: f64 = values.iter().sum();
    let most = values.iter().copied().fold(0.0, f64::max);
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    match (unit, &data.places) {
        (Unit::Count(_) | Unit::Money(_), Places::Names { .. }) => format!("{} in all", unit.write(sum)),
        (Unit::Count(_) | Unit::Money(_), Places::Times { .. }) => {
            format!("{} in all, at most {}", unit.write(sum), unit.write(most))
        }
        (Unit::Percent, _) => format!("last {}, at least {}", unit.write(*last), unit.write(least)),
        (Unit::Millis, _) => format!("last {}, at most {}", unit.write(*last), unit.write(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mark;
    use super::*;

    fn text(unit: Unit, values: &[Option<f64>]) -> String {
        let series = Series { name: "a", mark: Mark::Line, tone: "good", values: values.to_vec() };
        let data =
            ChartData { unit, places: Places::Times { from: Vec::new(), seconds: 60 }, series: vec![series] };
        summarize(&data).remove(0).text
    }

    #[test]
    fn says_what_matters_of_each_unit() {
        let values = [Some(90.0), None, Some(100.0), Some(95.0), None];
        assert_eq!(text(Unit::Count("things"), &values), "285 in all, at most 100");
        assert_eq!(text(Unit::Percent, &values), "last 95.0 %, at least 90.0 %");
        assert_eq!(text(Unit::Millis, &values), "last 95 ms, at most 100 ms");
        assert_eq!(text(Unit::Millis, &[None]), "none");
    }
}
