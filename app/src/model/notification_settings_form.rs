//! A person's settings as a form sends them: times as `22:00`, rows that may stay empty.

use serde::{Deserialize, Serialize};
use tidewatch_events::filter::TypePattern;

use super::notification_settings::UTC;
use super::{
    DigestInterval, EmailPreference, NotificationPreference, NotificationSettings, QuietHours, WrongParameter,
};

/// The form's fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NotificationSettingsForm {
    /// A row for each pattern.
    pub preferences: Vec<PreferenceRow>,
    /// `22:00`; empty: there are no quiet hours.
    pub quiet_from: String,
    /// `07:00`; empty with the other.
    pub quiet_until: String,
    /// Where the person is: `Europe/Vienna`; empty: it is not known.
    pub time_zone: String,
    /// How often a digest is sent.
    pub digest: DigestInterval,
}

/// What is wanted of a pattern of event types.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PreferenceRow {
    /// Which types; empty: the row says nothing.
    pub pattern: String,
    /// Whether the bell counts them.
    pub in_app: bool,
    /// Whether they are told by e-mail.
    pub email: EmailPreference,
    /// Whether they are told by Web Push.
    pub push: bool,
    /// Whether the row is to go.
    pub remove: bool,
}

impl NotificationSettingsForm {
    /// The settings that the form says.
    ///
    /// # Errors
    /// A pattern is none or stands there twice, or a time is none.
    pub fn read(self) -> Result<NotificationSettings, WrongParameter> {
        let mut preferences: Vec<NotificationPreference> = Vec::new();
        for row in self.preferences {
            let pattern = row.pattern.trim();
            if pattern.is_empty() || row.remove {
                continue;
            }
            pattern.parse::<TypePattern>().map_err(|error| wrong("preferences", error.to_string()))?;
            if preferences.iter().any(|known| known.pattern == pattern) {
                return Err(wrong("preferences", format!("{pattern} stands there twice")));
            }
            let PreferenceRow { in_app, email, push, .. } = row;
            preferences.push(NotificationPreference { pattern: pattern.to_owned(), in_app, email, push });
        }
        let quiet = read_quiet(&self.quiet_from, &self.quiet_until)?;
        let time_zone = match self.time_zone.trim() {
            "" => UTC,
            named => named,
        };
        Ok(NotificationSettings { preferences, quiet, time_zone: time_zone.to_owned(), digest: self.digest })
    }
}

fn wrong(name: &str, message: impl Into<String>) -> WrongParameter {
    WrongParameter { name: name.to_owned(), message: message.into() }
}

fn read_quiet(from: &str, until: &str) -> Result<Option<QuietHours>, WrongParameter> {
    match (from.trim(), until.trim()) {
        ("", "") => Ok(None),
        ("", _) => Err(wrong("quietFrom", "quiet hours need a beginning as well")),
        (_, "") => Err(wrong("quietUntil", "quiet hours need an end as well")),
        (from, until) => {
            let (from, until) = (read_time("quietFrom", from)?, read_time("quietUntil", until)?);
            if from == until {
                return Err(wrong("quietUntil", "quiet hours end at another time than they begin"));
            }
            Ok(Some(QuietHours { from, until }))
        }
    }
}

/// Minutes of the day; some browsers send seconds as well.
fn read_time(name: &str, text: &str) -> Result<u16, WrongParameter> {
    let mut parts = text.split(':');
    let mut part = |below: u16| parts.next()?.parse::<u16>().ok().filter(|number| *number < below);
    let minutes = part(24).zip(part(60)).map(|(hours, minutes)| hours * 60 + minutes);
    minutes.ok_or_else(|| wrong(name, "must be a time such as 22:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pattern: &str) -> PreferenceRow {
        PreferenceRow { pattern: pattern.to_owned(), in_app: true, ..PreferenceRow::default() }
    }

    fn quiet(from: &str, until: &str) -> Result<Option<QuietHours>, WrongParameter> {
        let (quiet_from, quiet_until) = (from.to_owned(), until.to_owned());
        let form = NotificationSettingsForm { quiet_from, quiet_until, ..Default::default() };
        form.read().map(|settings| settings.quiet)
    }

    #[test]
    fn rows_that_are_empty_or_taken_away_say_nothing() {
        let gone = PreferenceRow { remove: true, ..row("ticket.*") };
        let form = NotificationSettingsForm {
            preferences: vec![row("*"), row(""), gone, row(" payment.failed ")],
            ..Default::default()
        };
        let settings = form.read().expect("settings");
        let patterns: Vec<_> = settings.preferences.iter().map(|preference| &*preference.pattern).collect();
        assert_eq!(patterns, ["*", "payment.failed"]);
        assert_eq!((settings.quiet, &*settings.time_zone), (None, "UTC"));
    }

    #[test]
    fn a_pattern_is_one_and_stands_there_once() {
        for rows in [vec![row("*"), row("*")], vec![row("every thing")]] {
            let form = NotificationSettingsForm { preferences: rows, ..Default::default() };
            assert_eq!(form.read().expect_err("it is wrong").name, "preferences");
        }
    }

    #[test]
    fn times_are_minutes_of_the_day() {
        assert_eq!(quiet("22:00", "07:30"), Ok(Some(QuietHours { from: 1_320, until: 450 })));
        assert_eq!(quiet("22:00:00", "00:00"), Ok(Some(QuietHours { from: 1_320, until: 0 })));
        for (from, until, name) in [
            ("22:00", "", "quietUntil"),
            ("", "07:00", "quietFrom"),
            ("24:00", "07:00", "quietFrom"),
            ("22:00", "07:60", "quietUntil"),
            ("22", "07:00", "quietFrom"),
            ("07:00", "07:00", "quietUntil"),
        ] {
            assert_eq!(quiet(from, until).expect_err("it is wrong").name, name, "{from} {until}");
        }
    }
}
