//! What values are measured in, and how they are written.

use tidewatch_events::money::{Currency, format_minor};

use crate::format;

/// What values are measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things that are counted, such as `settlements`.
    Count(&'static str),
    /// Parts of a hundred. Its axis always goes from 0 to 100.
    Percent,
    /// Spans of time in milliseconds.
    Millis,
    /// Minor units of a currency.
    Money(Currency),
}

impl Unit {
    /// Its name, as it stands beside the title.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Count(what) => what.to_owned(),
            Self::Percent => "%".to_owned(),
            Self::Millis => "ms or s".to_owned(),
            Self::Money(currency) => currency.to_string(),
        }
    }

    /// A value as the table and the legend say it.
    #[must_use]
    pub fn write(self, value: f64) -> String {
        match self {
            Self::Count(_) => format::count(value.round().max(0.0) as u64),
            Self::Percent => format!("{value:.1} %"),
            Self::Millis => span(value),
            Self::Money(currency) => format_minor(value.round() as i64, currency),
        }
    }

    /// A value as the axis says it: its steps are round.
    pub(super) fn write_tick(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{value:.0} %"),
            Self::Money(currency) => short_money(value, currency),
            Self::Count(_) | Self::Millis => self.write(value),
        }
    }
}

/// Steps of an axis are some hundred seconds before they are minutes.
fn span(millis: f64) -> String {
    let millis = millis.round().max(0.0) as u64;
    match millis {
        0..=999 => format!("{millis} ms"),
        1_000..=599_999 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min", format::count(millis / 60_000)),
    }
}

/// `12.5 k`, `3 M`: amounts of an axis need no cents.
fn short_money(minor: f64, currency: Currency) -> String {
    let major = minor / 10f64.powi(currency.exponent() as i32);
    let (value, letter) = match major {
        0.0..1_000.0 => (major, ""),
        1_000.0..1_000_000.0 => (major / 1_000.0, " k"),
        1_000_000.0..1_000_000_000.0 => (major / 1_000_000.0, " M"),
        _ => (major / 1_000_000_000.0, " G"),
    };
    format!("{}{letter}", trimmed(value))
}

/// At most two decimals, and none that say nothing.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_values_and_round_steps() {
        let euro = Unit::Money("EUR".parse().expect("a currency"));
        let yen = Unit::Money("JPY".parse().expect("a currency"));
        assert_eq!(Unit::Count("settlements").write(1_234.0), "1,234");
        assert_eq!(Unit::Percent.write(99.26), "99.3 %");
        assert_eq!(Unit::Percent.write_tick(25.0), "25 %");
        for (millis, text) in [(0.0, "0 ms"), (1_260.0, "1.2 s"), (200_000.0, "200.0 s"), (6e6, "100 min")] {
            assert_eq!(Unit::Millis.write(millis), text);
        }
        assert_eq!(euro.write(1_248_050.0), "12,480.50");
        for (minor, text) in [(0.0, "0"), (2_000.0, "20"), (250_000.0, "2.5 k"), (4e8, "4 M")] {
            assert_eq!(euro.write_tick(minor), text);
        }
        assert_eq!(yen.write_tick(2_000.0), "2 k");
    }
}
