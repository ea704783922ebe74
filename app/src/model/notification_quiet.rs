//! Quiet hours, as the clock on the person's wall has them.

use super::NotificationSettings;

impl NotificationSettings {
    /// For how many seconds of that clock their quiet hours go on; `None`: there are none now. `second_of_day` is the time
    /// of the day where they are, 0 to 86,399.
    #[must_use]
    pub fn quiet_for(&self, second_of_day: u32) -> Option<u32> {
        const DAY: u32 = 24 * 60 * 60;
        let quiet = self.quiet?;
        let minute = u16::try_from(second_of_day / 60).unwrap_or_default();
        let end = u32::from(quiet.until) * 60;
        quiet.contain(minute).then(|| (end + DAY).saturating_sub(second_of_day) % DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::QuietHours;

    #[test]
    fn quiet_hours_go_over_midnight_and_end_to_the_second() {
        let settings = NotificationSettings {
            quiet: Some(QuietHours { from: 22 * 60, until: 7 * 60 }),
            ..NotificationSettings::default()
        };
        assert_eq!(settings.quiet_for(23 * 3600), Some(8 * 3600));
        assert_eq!(settings.quiet_for(6 * 3600 + 59 * 60 + 59), Some(1));
        assert_eq!(settings.quiet_for(7 * 3600), None);
        assert_eq!(settings.quiet_for(14 * 3600), None);
        assert_eq!(NotificationSettings::default().quiet_for(0), None);
    }
}
