//! What a consumer asks for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidewatch_events::EventFilter;
use tidewatch_events::filter::ParseFilterError;

use crate::error::Error;

/// What a consumer asks for, in the words of the stream's parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct SubscriptionFilter {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    types: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_types: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    channels: Vec<String>,
}

impl SubscriptionFilter {
    /// The filter itself.
    ///
    /// # Errors
    /// 422 that points at the field that will not do.
    pub(super) fn read(&self) -> Result<EventFilter, Error> {
        fn part<T: Default>(
            name: &str,
            texts: &[String],
            parse: impl Fn(&str) -> Result<T, ParseFilterError>,
        ) -> Result<T, Error> {
            let field = |error: ParseFilterError| Error::field(&format!("filter/{name}"), error);
            if texts.is_empty() { Ok(T::default()) } else { parse(&texts.join(",")).map_err(field) }
        }
        let resource_id = self.resource_id.as_deref().map(EventFilter::parse_resource_id).transpose();
        let channels = part("channels", &self.channels, EventFilter::parse_channels)?;
        // Who was let in by a token is so for a connection's time, and this is for good.
        if let Some(private) = channels.iter().find(|channel| channel.is_private()) {
            return Err(Error::field(
                "filter/channels",
                format!("`{private}` is private: open a stream with its token"),
            ));
        }
        Ok(EventFilter {
            types: part("types", &self.types, EventFilter::parse_types)?,
            resource_types: part("resourceTypes", &self.resource_types, EventFilter::parse_resource_types)?,
            resource_id: resource_id.map_err(|error| Error::field("filter/resourceId", error))?,
            channels,
        })
    }
}
