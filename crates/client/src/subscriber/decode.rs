//! From messages of the stream to what they say.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tidewatch_events::stream::{BATCH, CONNECTED, HEARTBEAT, SYSTEM_MESSAGE};
use tidewatch_events::{Envelope, ResumePoint};

use crate::machine::Input;
use crate::notice::Unreadable;
use crate::sse::{Item, Message};

/// What the item says.
pub(super) fn decode(item: Item) -> Input {
    let message = match item {
        Item::Message(message) => message,
        Item::Retry(wait) => return Input::Retry(wait),
    };
    // An id that is no place leaves the reader at the one before.
    let id: Option<ResumePoint> = message.last_event_id.parse().ok();
    let read = match message.name.as_str() {
        CONNECTED => parse(&message).map(|connected| Input::Connected { id, connected }),
        HEARTBEAT => parse(&message).map(|heartbeat| Input::Heartbeat { id, heartbeat }),
        SYSTEM_MESSAGE => parse(&message).map(|message| Input::System { id, message }),
        BATCH => parse_batch(&message).map(|events| Input::Events { id, events }),
        // Every event type has a dot. Other names are for readers that know them.
        name if name.contains('.') => {
            parse(&message).map(|event: Envelope| Input::Events { id, events: vec![Ok(event)] })
        }
        _ => Ok(Input::Heard),
    };
    read.unwrap_or_else(|unreadable| Input::Events { id, events: vec![Err(unreadable)] })
}

fn parse<T: DeserializeOwned>(message: &Message) -> Result<T, Unreadable> {
    serde_json::from_str(&message.data).map_err(|error| unreadable(&message.name, &message.data, &error))
}

/// One event that cannot be read does not take the others with it.
fn parse_batch(message: &Message) -> Result<Vec<Result<Envelope, Unreadable>>, Unreadable> {
    if let Ok(events) = serde_json::from_str::<Vec<Envelope>>(&message.data) {
        return Ok(events.into_iter().map(Ok).collect());
    }
    let values: Vec<Value> = parse(message)?;
    let read = values.into_iter().map(|value| {
        let name = value["eventType"].as_str().unwrap_or(BATCH).to_owned();
        let data = value.to_string();
        serde_json::from_value(value).map_err(|error| unreadable(&name, &data, &error))
    });
    Ok(read.collect())
}

fn unreadable(name: &str, data: &str, error: &serde_json::Error) -> Unreadable {
    Unreadable { name: name.to_owned(), data: data.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::testing::event;
    use serde_json::json;

    fn read(name: &str, data: &str, id: &str) -> Input {
        decode(Item::Message(Message { name: name.into(), data: data.into(), last_event_id: id.into() }))
    }

    #[test]
    fn reads_events_with_their_place() {
        let id = event(3).event_id;
        assert_eq!(
            read("order.created", &json!(event(3)).to_string(), &id.to_string()),
            Input::Events { id: Some(ResumePoint::Event(id)), events: vec![Ok(event(3))] }
        );
        assert_eq!(
            read("order.created", &json!(event(3)).to_string(), ""),
            Input::Events { id: None, events: vec![Ok(event(3))] },
            "before any id there is no place"
        );
    }

    #[test]
    fn one_bad_event_of_a_batch_does_not_take_the_others_with_it() {
        let data = json!([event(3), { "eventType": "order.paid" }, event(5)]).to_string();
        let Input::Events { events, .. } = read(BATCH, &data, "") else { panic!("no events") };
        assert_eq!(events[0], Ok(event(3)));
        assert_eq!(events[1].as_ref().map_err(|bad| bad.name.as_str()), Err("order.paid"));
        assert_eq!(events[2], Ok(event(5)));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (name, data) in [
            ("order.created", "{}"),
            (BATCH, "{}"),
            (CONNECTED, "[]"),
            (HEARTBEAT, "x"),
            (SYSTEM_MESSAGE, r#"{"code":"OfTheFuture","message":""}"#),
        ] {
            let Input::Events { events, .. } = read(name, data, "") else { panic!("{name} was read") };
            let bad = events[0].as_ref().expect_err("unreadable");
            assert_eq!((bad.name.as_str(), bad.data.as_str()), (name, data));
            assert!(!bad.reason.is_empty());
        }
    }

    #[test]
    fn names_of_the_future_are_a_sign_of_life() {
        assert_eq!(read("message", "x", ""), Input::Heard);
        assert_eq!(decode(Item::Retry(5)), Input::Retry(5));
    }
}
