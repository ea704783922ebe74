//! Publishing on a channel and signing tokens for it, by API and by form.

use secrecy::{ExposeSecret, SecretString};
use tidewatch_app::model::Changed;
use tidewatch_events::{Channel, Permission};
use time::OffsetDateTime;

use super::Origin;
use super::publish::{PublishRequest, publish};
use crate::access::Caller;
use crate::error::Error;
use crate::state::AppState;

/// Signs a token that lets its bearer into a private channel, and says until when. `subject`: whom it is
/// for, `user:usr_…` and its like for people whom Tidewatch knows, else any name.
///
/// # Errors
/// 403 without `tokens.sign`, 422 for a subject that will not do.
pub fn sign(
    state: &AppState,
    caller: &Caller,
    channel: Channel,
    subject: Option<String>,
) -> Result<(SecretString, OffsetDateTime), Error> {
    caller.require(&Permission::TOKENS_SIGN)?;
    let is_name =
        |name: &String| (1..=200).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if !subject.as_ref().is_none_or(is_name) {
        return Err(Error::field(
            "subject",
            "must have 1 to 200 characters, none of them a control character",
        ));
    }
    let now = OffsetDateTime::now_utc();
    state
        .channel_tokens
        .sign(caller.project(), channel, caller.actor.clone(), subject, now)
        .map_err(|error| Error::Internal(error.to_string()))
}

/// The same out of a form. The answer holds the token.
///
/// # Errors
/// As [`sign`], and 422 for a name that is no channel's.
pub fn sign_text(state: &AppState, caller: &Caller, channel: &str, subject: &str) -> Result<Changed, Error> {
    let channel = read_channel(channel)?;
    let name = channel.to_string();
    let subject = Some(subject.trim().to_owned()).filter(|subject| !subject.is_empty());
    let (token, expires_at) = sign(state, caller, channel, subject)?;
    let minutes = (expires_at - OffsetDateTime::now_utc()).whole_seconds().max(0).unsigned_abs().div_ceil(60);
    Ok(Changed {
        message: format!("A token for {name}. It counts for {minutes} minutes."),
        id: name,
        secret: Some(token.expose_secret().to_owned()),
    })
}

/// Publishes an event out of a form: its payload is text that has to be JSON.
///
/// # Errors
/// As [`publish`], and 422 for text that is not what its field asks for.
pub async fn publish_text(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    channel: &str,
    event_type: &str,
    payload: &str,
) -> Result<Changed, Error> {
    let channel_name = read_channel(channel)?;
    let message = format!("Published on {channel_name}.");
    let event_type = match event_type.trim() {
        "" => None,
        text => Some(text.parse().map_err(|error| Error::field("eventType", error))?),
    };
    let payload = serde_json::from_str(payload)
        .map_err(|error| Error::field("payload", format!("is no JSON: {error}")))?;
    let request = PublishRequest::new(channel_name, event_type, payload);
    let published = publish(state, caller, vec![request], None, origin.clone()).await?;
    let id = published.events.first().map(ToString::to_string).unwrap_or_default();
    Ok(Changed { id, message, secret: None })
}

fn read_channel(text: &str) -> Result<Channel, Error> {
    text.trim().parse().map_err(|error| Error::field("channelName", error))
}
