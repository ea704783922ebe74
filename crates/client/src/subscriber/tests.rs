//! The subscriber over scripted bytes and a clock that is moved by hand.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::stream;
use serde_json::json;

use super::*;
use crate::machine::testing::event;
use crate::notice::{Gap, State};
use crate::problem::Problem;

/// What becomes of an attempt to open a stream.
enum Attempt {
    /// These bytes, and then nothing more.
    Quiet(Vec<String>),
    /// These bytes, and then the end.
    Ends(Vec<String>),
    /// An answer of this status.
    Refused(u16),
}

/// Opens what the script says, and notes behind what.
struct Script {
    attempts: Mutex<VecDeque<Attempt>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Opener for Script {
    fn open(&self, after: ResumePoint) -> Opening {
        self.asked.lock().expect("no test panicked").push(after.to_string());
        let attempt = self.attempts.lock().expect("no test panicked").pop_front();
        async move {
            let pieces =
                |texts: Vec<String>| stream::iter(texts.into_iter().map(|text| Ok(Bytes::from(text))));
            match attempt {
                None => std::future::pending().await,
                Some(Attempt::Quiet(texts)) => Ok(pieces(texts).chain(stream::pending()).boxed()),
                Some(Attempt::Ends(texts)) => Ok(pieces(texts).boxed()),
                Some(Attempt::Refused(status)) => Err(Error::Refused(Box::new(Problem::new(status, "no")))),
            }
        }
        .boxed()
    }
}

fn subscriber(attempts: Vec<Attempt>) -> (Subscriber, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let script = Script { attempts: Mutex::new(attempts.into()), asked: Arc::clone(&asked) };
    (Subscriber::new(Box::new(script), ResumePoint::Latest, Backoff::default(), 10_000), asked)
}

fn connected(position: u64, recovered: bool) -> String {
    let data = json!({
        "connectionId": format!("con_{:032x}", 1), "position": position, "heartbeatSeconds": 15.0,
        "instance": "one", "recovered": recovered, "rights": "",
    });
    format!("retry: 1\nid: {position}\nevent: connected\ndata: {data}\n\n")
}

fn arrives(number: u64) -> String {
    let event = event(number);
    format!("id: {}\nevent: {}\ndata: {}\n\n", event.event_id, event.event_type, json!(event))
}

/// A notice in short.
fn short(notice: &Notice) -> String {
    match notice {
        Notice::Event(event) => event.position.to_string(),
        Notice::Gap(Gap { behind, cause }) => format!("{cause:?} gap behind {behind}"),
        Notice::System(message) => format!("{:?}", message.code),
        Notice::State(State::Connecting) => "connecting".to_owned(),
        Notice::State(State::Live { .. }) => "live".to_owned(),
        Notice::State(State::Reconnecting { loss, .. }) => format!("lost: {loss}"),
        Notice::Unreadable(unreadable) => format!("unreadable {}", unreadable.name),
        Notice::GaveUp(error) => format!("gave up: {error}"),
    }
}

/// Everything that is told until `last` is.
async fn told_until(subscriber: &mut Subscriber, last: &str) -> Vec<String> {
    let mut told = Vec::new();
    while told.last().is_none_or(|it| it != last) {
        told.push(short(&subscriber.next().await.expect("it goes on")));
    }
    told
}

#[tokio::test(start_paused = true)]
async fn goes_on_behind_the_last_event_after_a_loss() {
    let (mut subscriber, asked) = subscriber(vec![
        Attempt::Ends(vec![connected(10, true), arrives(11), arrives(12), arrives(13)[..40].to_owned()]),
        Attempt::Quiet(vec![connected(12, true), arrives(12), arrives(13)]),
    ]);
    assert_eq!(
        told_until(&mut subscriber, "13").await,
        ["connecting", "live", "11", "12", "lost: the stream ended", "connecting", "live", "13"]
    );
    assert_eq!(
        *asked.lock().expect("no test panicked"),
        ["latest".to_owned(), event(12).event_id.to_string()]
    );
    assert_eq!(subscriber.place().to_string(), event(13).event_id.to_string());
}

#[tokio::test(start_paused = true)]
async fn silence_of_two_heartbeats_is_a_loss() {
    let (mut subscriber, _) = subscriber(vec![
        Attempt::Quiet(vec![connected(10, true)]),
        Attempt::Quiet(vec![connected(10, true), arrives(11)]),
    ]);
    told_until(&mut subscriber, "live").await;
    let before = Instant::now();
    let told = told_until(&mut subscriber, "11").await;
    assert_eq!(told, ["lost: nothing was heard for two heartbeats", "connecting", "live", "11"]);
    let wait = before.elapsed().as_secs_f64();
    assert!((30.5..31.1).contains(&wait), "two heartbeats and the first backoff, not {wait} s");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_was_away_takes_what_waits_for_no_silence() {
    let (mut subscriber, _) =
        subscriber(vec![Attempt::Quiet(vec![connected(10, true), arrives(11), arrives(12)])]);
    told_until(&mut subscriber, "11").await;
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert_eq!(told_until(&mut subscriber, "12").await, ["12"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_is_tried_again() {
    let (mut subscriber, asked) = subscriber(vec![Attempt::Quiet(Vec::new()), Attempt::Quiet(Vec::new())]);
    let lost = "lost: the service did not answer in time";
    assert_eq!(told_until(&mut subscriber, lost).await, ["connecting", lost]);
    assert_eq!(told_until(&mut subscriber, lost).await, ["connecting", lost]);
    assert_eq!(*asked.lock().expect("no test panicked"), ["latest", "latest"]);
}

#[tokio::test(start_paused = true)]
async fn ends_when_it_is_refused_for_good() {
    let (mut subscriber, _) = subscriber(vec![Attempt::Refused(503), Attempt::Refused(403)]);
    let last = "gave up: the service answers 403: no";
    assert_eq!(
        told_until(&mut subscriber, last).await,
        ["connecting", "lost: the service answers 503: no", "connecting", last]
    );
    assert!(subscriber.next().await.is_none());
    assert!(subscriber.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_told_and_the_stream_goes_on() {
    let gap = json!({
        "code": "HistoryGap", "message": "", "data": { "oldestPosition": 50, "position": 60 },
    });
    let message = format!("id: 60\nevent: system_message\ndata: {gap}\n\n");
    let (mut subscriber, _) =
        subscriber(vec![Attempt::Quiet(vec![connected(60, false), message, arrives(61)])]);
    assert_eq!(
        told_until(&mut subscriber, "61").await,
        ["connecting", "live", "History gap behind 60", "HistoryGap", "61"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_follows_the_last_words_in_one_piece_is_dropped() {
    let last_words = "event: system_message\ndata: {\"code\":\"Lagged\",\"message\":\"\"}\n\n";
    let (mut subscriber, asked) = subscriber(vec![
        Attempt::Quiet(vec![[connected(10, true), last_words.to_owned(), arrives(11)].concat()]),
        Attempt::Quiet(vec![connected(10, true), arrives(11), arrives(12)]),
    ]);
    // At once, so that the next stream is being opened while the rest of the piece is there.
    subscriber.machine =
        Machine::new(ResumePoint::Latest, Backoff { shortest: Duration::ZERO, longest: Duration::ZERO });
    let told = told_until(&mut subscriber, "12").await;
    assert_eq!(told.iter().filter(|it| *it == "11").count(), 1);
    assert_eq!(*asked.lock().expect("no test panicked"), ["latest", "10"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_long_is_a_loss() {
    let (mut subscriber, _) =
        subscriber(vec![Attempt::Quiet(vec![connected(10, true), format!("data: {}", "x".repeat(20_000))])]);
    let told = told_until(&mut subscriber, "lost: a message is longer than 10000 bytes").await;
    assert_eq!(told.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_place_is_that_of_what_was_given() {
    let batch = json!([event(11), event(12)]);
    let message = format!("id: {}\nevent: batch\ndata: {batch}\n\n", event(12).event_id);
    let (mut subscriber, _) = subscriber(vec![Attempt::Quiet(vec![connected(10, true), message])]);
    assert_eq!(subscriber.place(), ResumePoint::Latest);
    told_until(&mut subscriber, "11").await;
    assert_eq!(subscriber.place().to_string(), "10", "the rest of the batch is still to come");
    told_until(&mut subscriber, "12").await;
    assert_eq!(subscriber.place().to_string(), event(12).event_id.to_string());
}
