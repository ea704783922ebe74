//! Where an event stands in its project's published stream, and where a reader starts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{EventId, decode_base32, encode_base32};
use crate::timestamp::Timestamp;

/// The place of an event in its project's published stream.
///
/// The first event of a project has position 1 and each next one exactly one more: positions are
/// dense, so a reader that holds `n` knows that it missed nothing when `n + 1` arrives.
/// [`Position::START`] stands before the first event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);
    /// The highest position: what a signed 64-bit column can hold.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// The position with this number; `None` past [`Position::MAX`].
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// The number, as the wire and the database carry it.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The place right behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The place right before this one; the start stays the start.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// How many events lie between `earlier` and this; 0 when `earlier` is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Which history the positions of a project count.
///
/// A database restored from a backup counts on from an older position, and the same number is then
/// another event. The epoch changes with it, so that a reader's token can be told to be of another
/// history instead of being silently misread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u32);

/// An opaque text for a position in a certain history: the `id:` of a heartbeat.
///
/// It carries no event id, so it gives away nothing about events that its reader may not see.
/// Form: `pos_` and 26 characters of Crockford base 32 for 128 bits: version (8), epoch (32),
/// position (64), check (24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PositionToken {
    /// The history that the position counts in.
    pub epoch: Epoch,
    /// The last position that the reader has behind it.
    pub position: Position,
}

const TOKEN_PREFIX: &str = "pos_";
const TOKEN_VERSION: u8 = 1;

/// FNV-1a folded to 24 bits: it finds typing errors, it is no protection.
fn check_bits(epoch: u32, position: u64) -> u128 {
    let bytes = epoch.to_be_bytes().into_iter().chain(position.to_be_bytes());
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    u128::from((hash >> 24) ^ (hash & 0x00ff_ffff))
}

impl fmt::Display for PositionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = (u128::from(TOKEN_VERSION) << 120)
            | (u128::from(self.epoch.0) << 88)
            | (u128::from(self.position.0) << 24)
            | check_bits(self.epoch.0, self.position.0);
        write!(f, "{TOKEN_PREFIX}{}", encode_base32(bits))
    }
}

impl FromStr for PositionToken {
    type Err = ParseResumePointError;

    fn from_str(text: &str) -> Result<Self, ParseResumePointError> {
        let bits =
            text.strip_prefix(TOKEN_PREFIX).and_then(decode_base32).ok_or(ParseResumePointError::Token)?;
        let epoch = (bits >> 88) as u32;
        let number = (bits >> 24) as u64;
        let intact = (bits >> 120) as u8 == TOKEN_VERSION && bits & 0x00ff_ffff == check_bits(epoch, number);
        match Position::new(number) {
            Some(position) if intact => Ok(Self { epoch: Epoch(epoch), position }),
            _ => Err(ParseResumePointError::Token),
        }
    }
}

/// Where a reader wants to start: the `after` parameter or the `Last-Event-ID` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResumePoint {
    /// Only what is published from now on (`latest`).
    #[default]
    Latest,
    /// Everything that is kept (`earliest`).
    Earliest,
    /// Behind this event.
    Event(EventId),
    /// Behind this position of this history.
    Token(PositionToken),
    /// Behind this position of the present history: what answers give as `position`.
    Position(Position),
    /// Everything that occurred after this time.
    Time(Timestamp),
}

/// The form that is read back: what `after` and `Last-Event-ID` carry.
impl fmt::Display for ResumePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Earliest => f.write_str("earliest"),
            Self::Event(id) => fmt::Display::fmt(id, f),
            Self::Token(token) => fmt::Display::fmt(token, f),
            Self::Position(position) => fmt::Display::fmt(position, f),
            Self::Time(time) => fmt::Display::fmt(time, f),
        }
    }
}

/// Why a text is no place to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseResumePointError {
    /// Looks like a position token, but is damaged or made up.
    #[error("is not a position token that this service gave out")]
    Token,
    /// A number outside 0 to 2^63 - 1.
    #[error("is a position outside 0 to 9223372036854775807")]
    Position,
    /// None of the accepted forms.
    #[error(
        "must be an event id (evt_…), a position or position token (pos_…), an RFC 3339 time, `latest` or `earliest`"
    )]
    Unknown,
}

impl FromStr for ResumePoint {
    type Err = ParseResumePointError;

    fn from_str(text: &str) -> Result<Self, ParseResumePointError> {
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match text {
            "latest" => Ok(Self::Latest),
            "earliest" => Ok(Self::Earliest),
            _ if text.starts_with(TOKEN_PREFIX) => text.parse().map(Self::Token),
            _ if is_number(text.strip_prefix(['-', '+']).unwrap_or(text)) => text
                .parse()
                .ok()
                .and_then(Position::new)
                .map(Self::Position)
                .ok_or(ParseResumePointError::Position),
            _ => text
                .parse()
                .map(Self::Event)
                .or_else(|_| text.parse().map(Self::Time))
                .map_err(|_| ParseResumePointError::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_form() {
        let event: EventId = "evt_01h455vb4pex5vsknk084sn02q".parse().expect("an id");
        let token = PositionToken { epoch: Epoch(9), position: Position(48_213) };
        for (text, point) in [
            ("latest".to_owned(), ResumePoint::Latest),
            ("earliest".to_owned(), ResumePoint::Earliest),
            (event.to_string(), ResumePoint::Event(event)),
            (token.to_string(), ResumePoint::Token(token)),
            ("0".to_owned(), ResumePoint::Position(Position::START)),
            ("48213".to_owned(), ResumePoint::Position(Position(48_213))),
        ] {
            assert_eq!(text.parse(), Ok(point), "{text}");
            assert_eq!(point.to_string(), text);
        }
        assert!(matches!("2026-11-20T20:43:52Z".parse(), Ok(ResumePoint::Time(_))));
    }

    #[test]
    fn refuses_malformed_negative_and_overflowing_ones() {
        for (text, error) in [
            ("", ParseResumePointError::Unknown),
            ("evt_nonsense", ParseResumePointError::Unknown),
            ("LATEST", ParseResumePointError::Unknown),
            ("1e9", ParseResumePointError::Unknown),
            ("-1", ParseResumePointError::Position),
            ("9223372036854775808", ParseResumePointError::Position),
            ("99999999999999999999999999", ParseResumePointError::Position),
            ("pos_", ParseResumePointError::Token),
            ("pos_00000000000000000000000000", ParseResumePointError::Token),
        ] {
            assert_eq!(text.parse::<ResumePoint>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_token_reads_back(epoch: u32, number in 0..=i64::MAX as u64) {
            let token = PositionToken { epoch: Epoch(epoch), position: Position(number) };
            prop_assert_eq!(token.to_string().parse(), Ok(token));
        }

        #[test]
        fn a_damaged_token_is_refused(epoch: u32, number in 0..=i64::MAX as u64, at in 4usize..30, with in 0usize..32) {
            let text = PositionToken { epoch: Epoch(epoch), position: Position(number) }.to_string();
            let letter = char::from(b"0123456789abcdefghjkmnpqrstvwxyz"[with]);
            let mut damaged = text.clone();
            damaged.replace_range(at..=at, &letter.to_string());
            prop_assume!(damaged != text);
            let read = damaged.parse::<PositionToken>();
            prop_assert!(read.is_err() || read.map(|token| token.to_string()) == Ok(damaged));
        }

        #[test]
        fn never_panics_on_any_text(text in "\\PC*") {
            let _ = text.parse::<ResumePoint>();
        }
    }
}
