//! Many events in few requests.

use bytes::Bytes;
use tidewatch_events::EventId;

use super::{Message, Publisher};
use crate::api::to_json;
use crate::error::Error;

/// Most events of one request.
const MAX_EVENTS: usize = 1_000;
/// Most bytes of one request: what proxies let through where nobody told them otherwise. The service takes more.
const MAX_BYTES: usize = 1024 * 1024 - 4096;

/// Some of many events could not be published.
#[derive(Debug, thiserror::Error)]
#[error("{} events were published, the next were not", .published.len())]
#[non_exhaustive]
pub struct BatchError {
    /// Those that were, in the order of the messages.
    pub published: Vec<EventId>,
    /// The key to go on with: [`Publisher::publish_all_as`] with it and the same messages publishes the rest.
    pub idempotency_key: String,
    /// Why.
    pub source: Error,
}

pub(super) async fn publish(
    publisher: &Publisher,
    key: &str,
    messages: &[Message],
) -> Result<Vec<EventId>, BatchError> {
    let mut published = Vec::with_capacity(messages.len());
    let mut requests = Requests { rest: messages.iter(), waiting: None };
    for number in 0.. {
        let sent = match requests.next() {
            None => break,
            Some(Err(error)) => Err(error),
            // The same messages are cut in the same way, so each request has the same key the next time.
            Some(Ok((json, count))) => publisher.send_events(json, count, &format!("{key}/{number}")).await,
        };
        match sent {
            Ok(mut ids) => published.append(&mut ids),
            Err(source) => return Err(BatchError { published, idempotency_key: key.to_owned(), source }),
        }
    }
    Ok(published)
}

/// Cuts messages into bodies of requests, each with the number of its events.
struct Requests<'a> {
    rest: std::slice::Iter<'a, Message>,
    /// The one that did not fit into the last body.
    waiting: Option<Bytes>,
}

impl Requests<'_> {
    fn next_message(&mut self) -> Option<Result<Bytes, Error>> {
        self.waiting.take().map(Ok).or_else(|| self.rest.next().map(to_json))
    }
}

impl Iterator for Requests<'_> {
    type Item = Result<(Bytes, usize), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut body, mut count) = (vec![b'['], 0);
        while count < MAX_EVENTS
            && let Some(message) = self.next_message()
        {
            let message = match message {
                Ok(message) => message,
                Err(error) => return Some(Err(error)),
            };
            if count > 0 {
                if body.len() + message.len() > MAX_BYTES {
                    self.waiting = Some(message);
                    break;
                }
                body.push(b',');
            }
            body.extend_from_slice(&message);
            count += 1;
        }
        body.push(b']');
        (count > 0).then(|| Ok((body.into(), count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn cut(messages: &[Message]) -> Vec<(Bytes, usize)> {
        Requests { rest: messages.iter(), waiting: None }.collect::<Result<_, _>>().expect("all are JSON")
    }

    fn message(payload: Value) -> Message {
        Message::new("orders".parse().expect("a name"), payload)
    }

    #[test]
    fn a_request_has_a_thousand_events_at_most() {
        let messages: Vec<Message> = (0..2_001).map(|n| message(json!(n))).collect();
        let counts: Vec<usize> = cut(&messages).iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [1_000, 1_000, 1]);
        assert!(cut(&[]).is_empty(), "nothing to send, no request");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn all_arrive_in_order_in_bodies_that_the_service_takes(sizes in prop::collection::vec(0usize..400_000, 0..10)) {
            let messages: Vec<Message> =
                sizes.iter().enumerate().map(|(n, size)| message(json!([n, "x".repeat(*size)]))).collect();
            let mut sent = Vec::new();
            for (body, count) in cut(&messages) {
                prop_assert!(body.len() <= 1024 * 1024);
                let events: Vec<Value> = serde_json::from_slice(&body).expect("an array");
                prop_assert_eq!(events.len(), count);
                sent.extend(events.into_iter().map(|event| event["payload"][0].clone()));
            }
            prop_assert_eq!(sent, (0..sizes.len()).map(Value::from).collect::<Vec<_>>());
        }
    }
}
