//! Which events a reader wants, checked before anything is sent.

use tidewatch_events::EventFilter;
use tidewatch_events::filter::ParseFilterError;

use crate::error::Error;

/// The parts of the filter, as they were given.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) types: Vec<String>,
    pub(super) resource_types: Vec<String>,
    pub(super) resource_id: Option<String>,
    pub(super) channels: Vec<String>,
}

impl Wanted {
    /// The parameters of the request.
    pub(super) fn parameters(self) -> Result<Vec<(&'static str, String)>, Error> {
        let list = |entries: Vec<String>| (!entries.is_empty()).then(|| entries.join(","));
        let parameters = [
            checked("types", list(self.types), EventFilter::parse_types)?,
            checked("resourceTypes", list(self.resource_types), EventFilter::parse_resource_types)?,
            checked("resourceId", self.resource_id, EventFilter::parse_resource_id)?,
            checked("channels", list(self.channels), EventFilter::parse_channels)?,
        ];
        Ok(parameters.into_iter().flatten().collect())
    }
}

fn checked<T>(
    name: &'static str,
    text: Option<String>,
    parse: impl Fn(&str) -> Result<T, ParseFilterError>,
) -> Result<Option<(&'static str, String)>, Error> {
    if let Some(text) = &text {
        parse(text).map_err(|reason| Error::invalid(name, reason))?;
    }
    Ok(text.map(|text| (name, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_wanted_is_no_parameter() {
        assert_eq!(Wanted::default().parameters().expect("no filter"), []);
    }

    #[test]
    fn lists_are_joined() {
        let wanted = Wanted { types: vec!["order.*".into(), "payment.captured".into()], ..Wanted::default() };
        let parameters = wanted.parameters().expect("a filter");
        assert_eq!(parameters, [("types", "order.*,payment.captured".to_owned())]);
    }

    #[test]
    fn what_is_no_filter_is_refused_and_not_left_out() {
        let text = |entry: &str| vec![entry.to_owned()];
        for wanted in [
            Wanted { types: text("Order"), ..Wanted::default() },
            Wanted { types: text(""), ..Wanted::default() },
            Wanted { resource_types: text("order"), ..Wanted::default() },
            Wanted { resource_id: Some(String::new()), ..Wanted::default() },
            Wanted { channels: text("a b"), ..Wanted::default() },
        ] {
            let told = format!("{wanted:?}");
            assert!(matches!(wanted.parameters(), Err(Error::Invalid { .. })), "{told}");
        }
    }
}
