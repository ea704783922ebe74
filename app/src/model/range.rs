//! How far back charts look.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How far back charts look, and in which steps. Steps begin at multiples of their width since 1970, in UTC,
/// so that everybody who asks sees the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum TimeRange {
    /// The last hour, by the minute.
    #[default]
    #[serde(rename = "1h")]
    Hour,
    /// The last six hours, by 5 minutes.
    #[serde(rename = "6h")]
    SixHours,
    /// The last day, by the half hour.
    #[serde(rename = "24h")]
    Day,
    /// The last week, by 3 hours.
    #[serde(rename = "7d")]
    Week,
}

/// The text is no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of 1h, 6h, 24h, 7d")]
pub struct ParseRangeError;

impl TimeRange {
    /// All of them, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::SixHours, Self::Day, Self::Week];

    /// The range as addresses write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::SixHours => "6h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    /// How wide a step is, in seconds.
    #[must_use]
    pub const fn bucket_seconds(self) -> u32 {
        match self {
            Self::Hour => 60,
            Self::SixHours => 5 * 60,
            Self::Day => 30 * 60,
            Self::Week => 3 * 60 * 60,
        }
    }

    /// How many steps there are, the one that has only begun among them.
    #[must_use]
    pub const fn buckets(self) -> u32 {
        match self {
            Self::Hour => 60,
            Self::SixHours => 72,
            Self::Day => 48,
            Self::Week => 56,
        }
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TimeRange {
    type Err = ParseRangeError;

    fn from_str(text: &str) -> Result<Self, ParseRangeError> {
        Self::ALL.into_iter().find(|range| range.as_str() == text).ok_or(ParseRangeError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_the_same_in_addresses_and_on_the_wire() {
        for range in TimeRange::ALL {
            assert_eq!(range.as_str().parse(), Ok(range));
            assert_eq!(serde_json::to_value(range).expect("JSON"), range.as_str());
        }
        assert_eq!("2h".parse::<TimeRange>(), Err(ParseRangeError));
    }

    #[test]
    fn steps_are_as_long_as_the_range_together() {
        let hours = TimeRange::ALL.map(|range| range.bucket_seconds() * range.buckets() / 3_600);
        assert_eq!(hours, [1, 6, 24, 7 * 24]);
    }
}
