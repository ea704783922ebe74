//! Who is told next and after how long, as text: `15m role:admin, user:usr_…`.

use super::super::EscalationStep;
use super::audience;

/// Units of time, the longest first, with the seconds that they have.
const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
/// A week.
const MOST_SECONDS: u32 = 604_800;

/// Reads a line.
pub(super) fn parse(line: &str) -> Result<EscalationStep, String> {
    let (time, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let after_seconds = parse_time(time)?;
    let audience = audience::parse(rest)?;
    if audience.is_empty() {
        return Err("whom it tells is missing, such as 15m role:admin".to_owned());
    }
    Ok(EscalationStep { after_seconds, audience })
}

/// Writes what [`parse`] reads.
pub(super) fn write(step: &EscalationStep) -> String {
    format!("{} {}", write_time(step.after_seconds), audience::write(&step.audience))
}

fn parse_time(text: &str) -> Result<u32, String> {
    let with_unit = UNITS.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (digits, seconds) = with_unit.unwrap_or((text, 1));
    let number: Option<u32> =
        digits.parse().ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit()));
    number
        .and_then(|number| number.checked_mul(seconds))
        .filter(|after| (1..=MOST_SECONDS).contains(after))
        .ok_or_else(|| format!("{text:?} must be a time from 1s to 7d, such as 300, 90s, 15m, 2h or 1d"))
}

fn write_time(seconds: u32) -> String {
    let unit = UNITS.into_iter().find(|(_, length)| seconds.is_multiple_of(*length));
    unit.map_or_else(|| seconds.to_string(), |(unit, length)| format!("{}{unit}", seconds / length))
}
