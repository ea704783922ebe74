//! Amounts of money: integer minor units and an ISO 4217 code.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An ISO 4217 currency code: three capital letters.
///
/// Stablecoin tickers of three letters pass too; whether a code is traded is the ledger's to say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// The text is no ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an ISO 4217 code: three capital letters such as EUR")]
pub struct ParseCurrencyError;

/// Currencies whose minor unit is not a hundredth (ISO 4217, column "Minor unit").
const OTHER_EXPONENTS: &[(&str, u32)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII capitals are ever stored.
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Decimal digits of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(&self) -> u32 {
        let code = self.as_str();
        OTHER_EXPONENTS.iter().find(|(other, _)| *other == code).map_or(2, |(_, exponent)| *exponent)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Currency {
    type Err = ParseCurrencyError;

    fn from_str(text: &str) -> Result<Self, ParseCurrencyError> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(ParseCurrencyError),
        }
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Writes an amount in its major unit with a thin grouping of thousands: `12,480.50`.
///
/// The same text on server and browser: no locale is asked.
#[must_use]
pub fn format_minor(amount_minor: i64, currency: Currency) -> String {
    let exponent = currency.exponent();
    let divisor = 10u64.pow(exponent);
    let magnitude = amount_minor.unsigned_abs();
    let major = (magnitude / divisor).to_string();
    let mut text = String::with_capacity(major.len() + 8);
    if amount_minor < 0 {
        text.push('-');
    }
    for (index, digit) in major.chars().enumerate() {
        if index > 0 && (major.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if exponent > 0 {
        let minor = magnitude % divisor;
        text.push_str(&format!(".{minor:0width$}", width = exponent as usize));
    }
    text
}

/// A text is no amount of a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseAmountError {
    /// It is not written as an amount is.
    #[error(
        "must be an amount such as {example}: a point before the smaller unit, commas at most between thousands"
    )]
    Malformed {
        /// An amount of that currency.
        example: String,
    },
    /// It is finer than the currency.
    #[error("{currency} has {digits} digits behind the point, not more")]
    TooFine {
        /// The currency.
        currency: Currency,
        /// How many it has.
        digits: u32,
    },
    /// It is more than can be counted.
    #[error("is too large")]
    TooLarge,
}

/// Reads an amount in its major unit as people write it, and as [`format_minor`] does: `12480.5`, `12,480.50`.
///
/// A comma stands between thousands and nowhere else: where `12,50` is meant for twelve and a half, nobody guesses.
///
/// # Errors
/// It is no such amount, is finer than the currency, or does not fit. No amount is below zero.
pub fn parse_minor(text: &str, currency: Currency) -> Result<i64, ParseAmountError> {
    let malformed = || ParseAmountError::Malformed { example: format_minor(1_234_567, currency) };
    let text = text.trim();
    let (major, minor) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = major.split(',');
    let first = groups.next().unwrap_or_default();
    let is_grouped = major.contains(',');
    let is_whole = is_digits(first)
        && (!is_grouped || first.len() <= 3)
        && groups.all(|group| group.len() == 3 && is_digits(group));
    if !is_whole || (text.contains('.') && !is_digits(minor)) {
        return Err(malformed());
    }
    let digits = currency.exponent();
    if minor.len() > digits as usize {
        return Err(ParseAmountError::TooFine { currency, digits });
    }
    let all = format!("{}{minor:0<width$}", major.replace(',', ""), width = digits as usize);
    all.parse().map_err(|_| ParseAmountError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().expect("a currency")
    }

    #[test]
    fn formats_by_the_currency_s_minor_unit() {
        assert_eq!(format_minor(1_248_050, currency("EUR")), "12,480.50");
        assert_eq!(format_minor(-5, currency("USD")), "-0.05");
        assert_eq!(format_minor(1_000, currency("JPY")), "1,000");
        assert_eq!(format_minor(i64::MIN, currency("KWD")), "-9,223,372,036,854,775.808");
    }

    #[test]
    fn reads_what_people_write() {
        for (text, code, minor) in [
            ("12480.5", "EUR", 1_248_050),
            (" 12,480.50 ", "EUR", 1_248_050),
            ("0.05", "USD", 5),
            ("125", "EUR", 12_500),
            ("1,000", "JPY", 1_000),
            ("1.250", "KWD", 1_250),
            ("92,233,720,368,547,758.07", "EUR", i64::MAX),
        ] {
            assert_eq!(parse_minor(text, currency(code)), Ok(minor), "{text} {code}");
        }
    }

    #[test]
    fn reads_what_it_wrote() {
        for code in ["EUR", "JPY", "KWD", "CLF"] {
            for minor in [0, 1, 99, 100, 1_000, 123_456_789, i64::MAX] {
                let text = format_minor(minor, currency(code));
                assert_eq!(parse_minor(&text, currency(code)), Ok(minor), "{text} {code}");
            }
        }
    }

    #[test]
    fn guesses_no_amount() {
        let malformed =
            |text, code| matches!(parse_minor(text, currency(code)), Err(ParseAmountError::Malformed { .. }));
        for text in
            ["", "12,50", "1,2345", "1234,567", ",5", "1.", ".5", "-5", "+5", "1e3", "5 EUR", "1.2.3", "١"]
        {
            assert!(malformed(text, "EUR"), "{text}");
        }
        assert_eq!(
            parse_minor("1.5", currency("JPY")),
            Err(ParseAmountError::TooFine { currency: currency("JPY"), digits: 0 })
        );
        assert_eq!(
            parse_minor("92,233,720,368,547,758.08", currency("EUR")),
            Err(ParseAmountError::TooLarge)
        );
        let said = parse_minor("12,50", currency("EUR")).expect_err("refused").to_string();
        assert!(said.contains("such as 12,345.67"), "{said}");
    }

    #[test]
    fn refuses_other_codes() {
        for text in ["", "eur", "EURO", "E1R", "ÄÖÜ"] {
            assert_eq!(text.parse::<Currency>(), Err(ParseCurrencyError), "{text}");
        }
    }
}
