//! An event on its way to being sent.

use std::fmt;

use serde::Serialize;
use tidewatch_events::event::Priority;
use tidewatch_events::{EventId, Permission, SubjectRef, Timestamp};

use super::channel::parse_name;
use super::{Message, Publisher, new_key};
use crate::api::to_json;
use crate::error::Error;

/// An event that is being put together: see [`crate::ChannelPublisher::event`]. What will not do is told when it is sent.
#[derive(Debug)]
#[must_use = "a draft is published by `send`"]
pub struct Draft {
    publisher: Publisher,
    /// The first thing that is wrong, if any is.
    message: Result<Message, Error>,
    key: Option<String>,
}

impl Draft {
    pub(super) fn new(publisher: Publisher, channel: &str, payload: impl Serialize) -> Self {
        let message = parse_name(channel).and_then(|name| {
            let payload = serde_json::to_value(payload).map_err(|error| {
                Error::invalid("the payload", format!("it cannot be written as JSON: {error}"))
            })?;
            Ok(Message::new(name, payload))
        });
        Self { publisher, message, key: None }
    }

    fn set(mut self, change: impl FnOnce(&mut Message) -> Result<(), Error>) -> Self {
        if let Ok(message) = &mut self.message
            && let Err(error) = change(message)
        {
            self.message = Err(error);
        }
        self
    }

    pub(super) fn event_type(self, event_type: &str) -> Self {
        self.set(|message| {
            message.event_type = Some(parse("the event type", event_type)?);
            Ok(())
        })
    }

    /// What it happened to: its kind, such as `Order`, and its id.
    pub fn aggregate(self, aggregate_type: &str, id: impl fmt::Display) -> Self {
        self.set(|message| {
            message.aggregate_type = Some(parse("the aggregate type", aggregate_type)?);
            message.aggregate_id = Some(id.to_string());
            Ok(())
        })
    }

    /// The aggregate's version after the change, from 1. The service refuses one that is not above the last, and counts
    /// where none is given.
    pub fn version(self, version: i64) -> Self {
        self.set(|message| {
            message.aggregate_version = Some(version);
            Ok(())
        })
    }

    /// Whom it is for; without it, everyone in the project who has the permissions.
    pub fn audience(self, audience: impl IntoIterator<Item = SubjectRef>) -> Self {
        self.set(|message| {
            message.audience.extend(audience);
            Ok(())
        })
    }

    /// What a reader needs, all of it, in place of what the catalog says of the type.
    pub fn permissions(self, permissions: impl IntoIterator<Item = Permission>) -> Self {
        self.set(|message| {
            message.permissions.get_or_insert_default().extend(permissions);
            Ok(())
        })
    }

    /// How urgent it is.
    pub fn priority(self, priority: Priority) -> Self {
        self.set(|message| {
            message.priority = priority;
            Ok(())
        })
    }

    /// The business process that it belongs to.
    pub fn correlation(self, id: impl Into<String>) -> Self {
        self.set(|message| {
            message.correlation_id = Some(id.into());
            Ok(())
        })
    }

    /// The event that led to it.
    pub fn causation(self, id: EventId) -> Self {
        self.set(|message| {
            message.causation_id = Some(id);
            Ok(())
        })
    }

    /// When it happened; without it, when the service takes it.
    pub fn occurred_at(self, time: Timestamp) -> Self {
        self.set(|message| {
            message.occurred_at = Some(time);
            Ok(())
        })
    }

    /// By what the service knows this event when it is sent again. It has a key of its own without this; one that the
    /// program chooses (with the id of the order in it, say) lets a later run of the program send it again: 1 to 255
    /// visible ASCII characters, known to the service for a day.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The event for [`Publisher::publish_all`], which has keys of its own.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the first thing that is wrong with it.
    pub fn into_message(self) -> Result<Message, Error> {
        self.message
    }

    /// Publishes it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what will not do; otherwise the service refuses, or cannot be reached after all attempts.
    pub async fn send(self) -> Result<EventId, Error> {
        let json = to_json(&self.message?)?;
        let key = self.key.unwrap_or_else(new_key);
        let published = self.publisher.send_events(json, 1, &key).await?;
        Ok(published[0])
    }
}

fn parse<T: std::str::FromStr<Err: fmt::Display>>(what: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|reason| Error::invalid(what, format!("`{text}` {reason}")))
}
