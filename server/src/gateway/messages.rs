//! What the gateway and its clients say to each other.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socketioxide::SendError;
use socketioxide::SocketError;
use socketioxide::extract::SocketRef;
use tidewatch_events::id::NotificationId;
use tidewatch_events::stream::{SYSTEM_MESSAGE, SystemCode, SystemMessage};
use tidewatch_events::{Channel, Envelope};

/// Name of the message that carries an event.
const EVENT: &str = "event";
/// How long to wait for a socket that has enough waiting before it is asked again.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(20);

/// How a client shows who it is: an API key or an access token.
#[derive(Debug, Deserialize)]
pub(super) struct Auth {
    pub(super) token: String,
}

/// `listen`: from now on the channel's events are sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Listen {
    pub(super) channel_name: Channel,
    /// Signed by a publisher; needed for a private channel.
    #[serde(default)]
    pub(super) token: Option<String>,
    /// From where: as the stream's `after`.
    #[serde(default)]
    pub(super) after: Option<String>,
}

/// `remove`: the channel's events are sent no longer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Remove {
    pub(super) channel_name: Channel,
}

/// `acknowledge`: what a notification tells of is done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Acknowledge {
    pub(super) notification_id: NotificationId,
}

/// `event`: the envelope, and the channel on which it came.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChannelEvent<'a> {
    pub(super) channel_name: &'a Channel,
    #[serde(flatten)]
    pub(super) envelope: &'a Envelope,
}

/// Sends an event, and waits for room where the client reads slowly; `false`: it is gone.
pub(super) async fn send_event(socket: &SocketRef, event: &ChannelEvent<'_>) -> bool {
    send(socket, EVENT, event).await
}

/// Says something; `false`: the client is gone.
pub(super) async fn say(
    socket: &SocketRef,
    code: SystemCode,
    message: impl Into<String>,
    data: Value,
) -> bool {
    let data = Some(data).filter(|data| !data.is_null());
    send(socket, SYSTEM_MESSAGE, &SystemMessage { code, message: message.into(), data }).await
}

async fn send(socket: &SocketRef, name: &str, data: &impl Serialize) -> bool {
    loop {
        match socket.emit(name, data) {
            Ok(()) => return true,
            Err(SendError::Socket(SocketError::InternalChannelFull)) => {
                tokio::time::sleep(WAIT_FOR_ROOM).await;
            }
            Err(error) => {
                tracing::debug!(%error, "a message could not be sent");
                return false;
            }
        }
    }
}

/// What is answered to a request that was carried out.
pub(super) fn success(channel: &Channel, more: Value) -> Value {
    let mut answer = json!({ "ok": true, "channelName": channel });
    if let (Value::Object(answer), Value::Object(more)) = (&mut answer, more) {
        answer.extend(more);
    }
    answer
}

/// What is answered to one that was not: the problem, as over HTTP.
pub(super) fn failure(channel: Option<&Channel>, problem: &Value) -> Value {
    json!({ "ok": false, "channelName": channel, "problem": problem })
}

/// What is told of a problem in a line: its detail.
pub(super) fn detail(problem: &Value) -> String {
    problem["detail"].as_str().unwrap_or_default().to_owned()
}
