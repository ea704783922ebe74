//! What a person wants of notifications.

use serde::{Deserialize, Serialize};

/// How a person is told by e-mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EmailPreference {
    /// Not at all.
    Off,
    /// Each by itself, at once.
    Instant,
    /// Together with others, while they are unread.
    #[default]
    Digest,
}

impl EmailPreference {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Off, Self::Instant, Self::Digest];

    /// The preference as the database and forms have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Instant => "instant",
            Self::Digest => "digest",
        }
    }
}

/// How often a digest is sent, where there is something to tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DigestInterval {
    /// Never.
    Off,
    /// Once an hour.
    Hourly,
    /// Once a day.
    #[default]
    Daily,
    /// Once a week.
    Weekly,
}

impl DigestInterval {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Off, Self::Hourly, Self::Daily, Self::Weekly];

    /// The interval as the database and forms have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }
}

/// What a person wants of the notifications of some event types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotificationPreference {
    /// Which types: `*`, `settlement.*` or `settlement.failed`. The narrowest that matches counts.
    pub pattern: String,
    /// Whether the bell counts them. They are in the inbox in any case, and what must be acknowledged counts always.
    pub in_app: bool,
    /// Whether they are told by e-mail.
    pub email: EmailPreference,
    /// Whether they are told by Web Push.
    pub push: bool,
}

/// The time zone of whoever has named none.
pub(super) const UTC: &str = "UTC";

/// What a person wants of notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NotificationSettings {
    /// By event type; what none of them matches is as by default: in the app, in digests, pushed.
    pub preferences: Vec<NotificationPreference>,
    /// When nothing is pushed or mailed, unless it must be acknowledged: minutes of the day, from and until;
    /// a time over midnight is allowed.
    pub quiet: Option<QuietHours>,
    /// Where the person is, by its name in the IANA time zone database: `Europe/Vienna`.
    pub time_zone: String,
    /// How often a digest is sent.
    pub digest: DigestInterval,
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self {
            preferences: Vec::new(),
            quiet: None,
            time_zone: UTC.to_owned(),
            digest: DigestInterval::default(),
        }
    }
}

/// A time of the day in which a person wants to be left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuietHours {
    /// The first minute, 0 to 1439.
    pub from: u16,
    /// The minute after the last one, 0 to 1439.
    pub until: u16,
}

impl QuietHours {
    /// Whether this minute of the day is one of them.
    #[must_use]
    pub const fn contain(self, minute: u16) -> bool {
        if self.from <= self.until {
            self.from <= minute && minute < self.until
        } else {
            self.from <= minute || minute < self.until
        }
    }
}

/// A person's settings, with what the page needs beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NotificationSettingsPage {
    /// The settings.
    pub settings: NotificationSettings,
    /// Types of which the person was told, for which there may be preferences.
    pub known_types: Vec<String>,
    /// The time zones to choose from.
    pub time_zones: Vec<String>,
    /// Their address, to which e-mail goes.
    pub email: String,
    /// Whether this server sends e-mail at all.
    pub sends_email: bool,
    /// The key under which browsers subscribe to Web Push (VAPID, RFC 8292), where this server pushes.
    pub push_key: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_go_over_midnight() {
        let night = QuietHours { from: 22 * 60, until: 7 * 60 };
        assert!(
            night.contain(23 * 60) && night.contain(0) && !night.contain(7 * 60) && !night.contain(12 * 60)
        );
        let noon = QuietHours { from: 12 * 60, until: 13 * 60 };
        assert!(noon.contain(12 * 60) && !noon.contain(13 * 60) && !noon.contain(0));
    }
}
