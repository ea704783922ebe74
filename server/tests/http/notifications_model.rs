//! Inboxes against a model: notifications are sent to random people while these read, take steps and are cut off at
//! random. In the end every inbox and every badge says what the model says, and every live reader has heard of each change
//! exactly once.
//!
//! `NOTIFICATIONS_MODEL=1000x10000` says how many people and notifications; the ordinary run has less of both.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_app::model::{Notification, NotificationStep};
use tidewatch_events::ProjectId;
use tidewatch_events::id::{NotificationId, UserId};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::notifications_support::{all_told, count, make_rule, rule, with};
use crate::support::{Client, SseReader, TestServer, eventually, soon};

/// People and notifications of the ordinary run.
const ORDINARY: (usize, usize) = (40, 300);
/// Those who read and take steps at the same time.
const READERS: usize = 12;
/// Of those who read live, each with a stream.
const LIVE: usize = 8;
/// Events of one request of the publisher.
const BATCH: usize = 20;
/// The status of a server whose connections are all in use.
const BUSY: u16 = 503;

fn size() -> (usize, usize) {
    let wanted = std::env::var("NOTIFICATIONS_MODEL").ok();
    let wanted = wanted.as_deref().and_then(|text| text.split_once('x'));
    wanted.and_then(|(people, sent)| Some((people.parse().ok()?, sent.parse().ok()?))).unwrap_or(ORDINARY)
}

/// What the model knows of a notification of a person.
#[derive(Debug, Clone, Default)]
struct Known {
    read: bool,
    archived: bool,
    acknowledged: bool,
    /// A request was cut off that may have changed it, or may not.
    unsure: bool,
}

/// A person, as the model has them.
struct Person {
    id: UserId,
    client: Client,
    muted: bool,
    /// What they were seen to have.
    known: BTreeMap<NotificationId, Known>,
    /// Up to here they have marked all as read, also what they were not seen to have then.
    marked: Option<NotificationId>,
}

/// Makes people in a few statements, however many they are; every fourth wants no badge of what may be read.
async fn make_people(server: &TestServer, number: usize) -> Vec<Person> {
    let ids: Vec<Uuid> = (0..number).map(|_| Uuid::now_v7()).collect();
    let emails: Vec<String> = (0..number).map(|n| format!("p{n}@example.test")).collect();
    let muted: Vec<Uuid> = ids.iter().copied().step_by(4).collect();
    for statement in [
        "insert into users (id, email, name, password_hash)
         select id, email, email, 'x' from unnest($1::uuid[], $2::text[]) as new (id, email) where $3::uuid is not null",
        "insert into memberships (project_id, user_id) select $3, id from unnest($1::uuid[]) id where $2::text[] is not null",
        "insert into member_roles (project_id, user_id, role)
         select $3, id, 'viewer' from unnest($1::uuid[]) id where $2::text[] is not null",
    ] {
        let statement = sqlx::query(statement).bind(&ids).bind(&emails).bind(server.project.uuid());
        statement.execute(&server.pool).await.expect("people");
    }
    sqlx::query(
        "insert into notification_preferences (project_id, user_id, pattern, in_app)
         select $2, id, 'model.*', false from unnest($1::uuid[]) id",
    )
    .bind(&muted)
    .bind(server.project.uuid())
    .execute(&server.pool)
    .await
    .expect("preferences");
    let muted: HashSet<Uuid> = muted.into_iter().collect();
    let mut people = Vec::new();
    for id in ids {
        let user = UserId::from_uuid(id);
        let client = server.session_of(user).await;
        people.push(Person {
            id: user,
            client,
            muted: muted.contains(&id),
            known: BTreeMap::new(),
            marked: None,
        });
    }
    people
}

/// Sends notifications of these numbers to random people; whom each was sent to.
async fn send_all(
    client: &Client,
    people: &[UserId],
    number: usize,
    dice: &mut StdRng,
) -> HashMap<UserId, HashSet<String>> {
    let mut sent: HashMap<UserId, HashSet<String>> = HashMap::new();
    let numbers: Vec<usize> = (0..number).collect();
    for batch in numbers.chunks(BATCH) {
        let events: Vec<Value> = batch
            .iter()
            .map(|n| {
                let to: Vec<UserId> =
                    (0..dice.random_range(1..=4)).filter_map(|_| people.choose(dice).copied()).collect();
                let title = format!("n{n}");
                for user in &to {
                    sent.entry(*user).or_default().insert(title.clone());
                }
                let must = dice.random_ratio(1, 3);
                let event_type = if must { "urgent.sent" } else { "model.sent" };
                json!({
                    "channelName": "model", "eventType": event_type,
                    "payload": { "title": title, "to": to, "group": format!("g{}", n % 7) },
                })
            })
            .collect();
        let events = json!(events);
        eventually("the events to be taken", async || {
            let status = client.try_publish(&events).send().await.expect("an answer").status().as_u16();
            assert!(matches!(status, 202 | BUSY), "{status}");
            (status == 202).then_some(())
        })
        .await;
    }
    sent
}

/// Does what the request asks for, or is cut off somewhere in between: then `None`.
async fn maybe_cut(dice: &mut StdRng, request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
    let answer = async {
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("JSON"))
    };
    if dice.random_ratio(4, 5) {
        // A machine that is busy says so, and nothing was changed.
        return Some(answer.await).filter(|(status, _)| *status != BUSY);
    }
    // Somewhere in between: it does not matter where, and no test waits for it.
    let patience = Duration::from_micros(dice.random_range(0..6_000));
    tokio::time::timeout(patience, answer).await.ok().filter(|(status, _)| *status != BUSY)
}

fn notification(value: &Value) -> Notification {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

impl Person {
    /// What is shown is what is known, unless a request was cut off that may have changed it.
    fn look_at(&mut self, shown: &Notification) {
        let unsure = self.may_be_marked(shown.id);
        let known = self.known.entry(shown.id).or_insert(Known { unsure, ..Known::default() });
        if known.unsure {
            return;
        }
        let seen = (shown.read_at.is_some(), shown.archived_at.is_some(), shown.acknowledged_at.is_some());
        assert_eq!(seen, (known.read, known.archived, known.acknowledged), "{shown:?}");
        assert!(shown.delivered_at.is_some(), "it was just given to them: {shown:?}");
        assert_eq!(shown.muted, self.muted && !shown.must_acknowledge);
    }

    /// Whether it may have been marked as read before they were seen to have it.
    fn may_be_marked(&self, id: NotificationId) -> bool {
        self.marked.is_some_and(|up_to| id <= up_to)
    }

    /// Reads some pages of a random folder.
    async fn read_pages(&mut self, dice: &mut StdRng) {
        let folder = ["unread", "all", "archived"].choose(dice).expect("one");
        let limit = dice.random_range(1..=20);
        let mut next = String::new();
        for _ in 0..dice.random_range(1..=3) {
            let path = format!("/api/v1/notifications?folder={folder}&limit={limit}{next}");
            let Some((status, page)) = maybe_cut(dice, self.client.get(&path)).await else { return };
            assert_eq!(status, 200, "{page}");
            for shown in page["notifications"].as_array().expect("a page") {
                self.look_at(&notification(shown));
            }
            let Some(last) = page["next"].as_str() else { return };
            next = format!("&after={last}");
        }
    }

    /// Takes a random step with some random notifications that they know of.
    async fn take_step(&mut self, dice: &mut StdRng) {
        let all: Vec<NotificationId> = self.known.keys().copied().collect();
        let Some(id) = all.choose(dice).copied() else { return };
        let step = *NotificationStep::ALL.choose(dice).expect("one");
        let path = format!("/api/v1/notifications/{id}/{}", step.as_str());
        let answer = maybe_cut(dice, self.client.post(&path)).await;
        let known = self.known.entry(id).or_default();
        let Some((status, answer)) = answer else {
            known.unsure = true;
            return;
        };
        if status == 409 {
            assert!(matches!(step, NotificationStep::Acknowledge | NotificationStep::Archive), "{answer}");
            return;
        }
        assert_eq!(status, 200, "{answer}");
        let shown = notification(&answer);
        match step {
            NotificationStep::Deliver | NotificationStep::See => {}
            NotificationStep::Read => known.read = true,
            NotificationStep::Unread => known.read = false,
            NotificationStep::Acknowledge => {
                assert!(shown.must_acknowledge && shown.settled_at.is_some());
                known.read |= !known.acknowledged;
                known.acknowledged = true;
            }
            NotificationStep::Archive => {
                assert!(!shown.must_acknowledge || shown.settled_at.is_some(), "{shown:?}");
                known.archived = true;
            }
            NotificationStep::Unarchive => known.archived = false,
        }
        self.look_at(&shown);
    }

    /// Marks all as read up to a random one.
    async fn read_up_to(&mut self, dice: &mut StdRng) {
        let all: Vec<NotificationId> = self.known.keys().copied().collect();
        let Some(id) = all.choose(dice).copied() else { return };
        let request = self.client.post("/api/v1/notifications/read").json(&json!({ "upTo": id }));
        let answer = maybe_cut(dice, request).await;
        self.marked = self.marked.max(Some(id));
        for (_, known) in self.known.range_mut(..=id) {
            match answer {
                Some((200, _)) => known.read |= !known.archived,
                Some((status, ref answer)) => panic!("{status}: {answer}"),
                None => known.unsure = true,
            }
        }
    }

    async fn act(&mut self, dice: &mut StdRng) {
        match dice.random_range(0..10) {
            0..4 => self.read_pages(dice).await,
            4..9 => self.take_step(dice).await,
            _ => self.read_up_to(dice).await,
        }
    }
}

/// Those who read at the same time, until it is over, each for some of the people: what was asked for first comes first
/// with each person, and whose receipts depend on each other are different readers'.
fn start_readers(
    people: Vec<Person>,
    over: &Arc<AtomicBool>,
    dice: &mut StdRng,
) -> Vec<JoinHandle<Vec<Person>>> {
    let mut shares: Vec<Vec<Person>> = (0..READERS).map(|_| Vec::new()).collect();
    for (n, person) in people.into_iter().enumerate() {
        shares[n % READERS].push(person);
    }
    let start = |mut share: Vec<Person>| {
        let over = Arc::clone(over);
        let mut dice = StdRng::seed_from_u64(dice.random());
        tokio::spawn(async move {
            let least = share.len() * 4;
            let mut acts = 0;
            while !over.load(Ordering::Relaxed) || acts < least {
                let n = dice.random_range(0..share.len());
                share[n].act(&mut dice).await;
                acts += 1;
            }
            share
        })
    };
    shares.into_iter().filter(|share| !share.is_empty()).map(start).collect()
}

/// Follows a person's events, cut off at random and resumed behind the last one, until the last of all; how often each
/// receipt was heard of.
async fn follow(client: Client, mut dice: StdRng) -> HashMap<String, i64> {
    let mut heard: HashMap<String, i64> = HashMap::new();
    let mut after = "earliest".to_owned();
    loop {
        let path = format!("/api/v1/events?types=notification.*,model.ended&after={after}");
        let answer = soon("a stream", async {
            loop {
                let request = client.get(&path).header("accept", "text/event-stream");
                let answer = request.send().await.expect("an answer");
                if answer.status().as_u16() != BUSY {
                    break answer;
                }
            }
        })
        .await;
        let mut stream = SseReader::new(answer).await;
        for _ in 0..dice.random_range(1..40) {
            let frame = stream.next().await;
            let event = &frame.data;
            if event["eventType"] == "model.ended" {
                return heard;
            }
            after = event["position"].as_u64().expect("a position").to_string();
            let id = event["aggregateId"].as_str().expect("an id").to_owned();
            let version = event["aggregateVersion"].as_i64().expect("a version");
            let known = heard.entry(id).or_default();
            assert_eq!(version, *known + 1, "each version once, in its order: {event}");
            *known = version;
        }
    }
}

/// All that a person has, page by page: each once, newest first.
async fn all_of(client: &Client, dice: &mut StdRng) -> Vec<Notification> {
    let mut all = Vec::new();
    for folder in ["all", "archived"] {
        let (limit, mut next, begin) = (dice.random_range(1..=50), String::new(), all.len());
        loop {
            let page =
                client.json(&format!("/api/v1/notifications?folder={folder}&limit={limit}{next}")).await;
            all.extend(page["notifications"].as_array().expect("a page").iter().map(notification));
            let Some(last) = page["next"].as_str() else { break };
            next = format!("&after={last}");
        }
        assert!(all[begin..].is_sorted_by(|one, other| one.id > other.id), "newest first, none twice");
    }
    all
}

/// How far each receipt is by its events alone: read, archived, acknowledged, and its version.
async fn folded(pool: &PgPool, project: ProjectId) -> HashMap<String, (bool, bool, bool, u64)> {
    let events: Vec<(String, String, i64)> = sqlx::query_as(
        "select aggregate_id, event_type, aggregate_version from domain_events
         where project_id = $1 and aggregate_type = 'Notification' order by aggregate_id, aggregate_version",
    )
    .bind(project.uuid())
    .fetch_all(pool)
    .await
    .expect("events");
    let mut folded: HashMap<String, (bool, bool, bool, u64)> = HashMap::new();
    for (id, event_type, version) in events {
        let receipt = folded.entry(id).or_default();
        receipt.3 += 1;
        assert_eq!(receipt.3, version.unsigned_abs(), "no version is left out and none is there twice");
        match event_type.trim_start_matches("notification.") {
            "read" => receipt.0 = true,
            "marked_unread" => receipt.0 = false,
            "archived" => receipt.1 = true,
            "unarchived" => receipt.1 = false,
            "acknowledged" => (receipt.0, receipt.2) = (true, true),
            "sent" | "delivered" | "seen" | "settled" => {}
            other => panic!("{other}"),
        }
    }
    folded
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn every_inbox_and_every_badge_is_what_the_model_says(pool: PgPool) {
    let (people, number) = size();
    let seed: u64 = rand::random();
    println!("{people} people, {number} notifications, seed {seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let server = TestServer::start_with(&pool, |config| config.streams_per_address = 1_000).await;
    let to = json!([{ "kind": "payload", "pointer": "/to" }]);
    make_rule(&server.client, rule("May", &["model.sent"], to.clone())).await;
    make_rule(&server.client, with(rule("Must", &["urgent.sent"], to), json!({ "mustAcknowledge": true })))
        .await;
    let people = make_people(&server, people).await;
    let ids: Vec<UserId> = people.iter().map(|person| person.id).collect();
    let mut live = Vec::new();
    for person in people.iter().take(LIVE) {
        let (client, own) = (person.client.clone(), StdRng::seed_from_u64(dice.random()));
        live.push((person.id, tokio::spawn(follow(client, own))));
    }

    let over = Arc::new(AtomicBool::new(false));
    let readers = start_readers(people, &over, &mut dice);
    let sent = send_all(&server.client, &ids, number, &mut dice).await;
    all_told(&server).await;
    over.store(true, Ordering::Relaxed);
    let mut people = Vec::new();
    for reader in readers {
        people.extend(reader.await.expect("a reader that was shown nothing wrong"));
    }

    // What was cut off may be carried out yet, or broken off.
    eventually("requests to end", async || {
        let busy: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and application_name = 'tidewatch' and state <> 'idle'",
        )
        .fetch_one(&pool)
        .await
        .expect("a look");
        (busy == 0).then_some(())
    })
    .await;
    let mut inboxes: HashMap<UserId, Vec<Notification>> = HashMap::new();
    for person in &people {
        inboxes.insert(person.id, all_of(&person.client, &mut dice).await);
    }
    let folded = folded(&pool, server.project).await;
    let (mut unsure, mut all) = (0, 0);
    for person in &people {
        let inbox = &inboxes[&person.id];
        let titles: HashSet<String> = inbox.iter().map(|one| one.title.clone()).collect();
        assert_eq!(titles.len(), inbox.len(), "each is there once");
        assert_eq!(
            titles,
            sent.get(&person.id).cloned().unwrap_or_default(),
            "what was sent to them, and nothing else"
        );
        for one in inbox {
            let is = (one.read_at.is_some(), one.archived_at.is_some(), one.acknowledged_at.is_some());
            let (read, archived, acknowledged, version) = folded[&one.id.to_string()];
            assert_eq!(
                (is, one.version),
                ((read, archived, acknowledged), version),
                "by its events: {one:?}"
            );
            all += 1;
            match person.known.get(&one.id) {
                Some(known) if known.unsure => unsure += 1,
                Some(known) => assert_eq!(is, (known.read, known.archived, known.acknowledged), "{one:?}"),
                None if person.may_be_marked(one.id) => assert_eq!(one.archived_at, None),
                None => assert_eq!(is, (false, false, false), "{one:?}"),
            }
        }
        let unread = inbox.iter().filter(|one| one.counts()).count() as u64;
        let waiting = inbox.iter().filter(|one| one.waits()).count() as u64;
        assert_eq!(count(&person.client).await, (unread, waiting));
    }
    println!("{all} receipts, {unsure} of which were left unsure by a cut");

    server.client.publish(json!({ "channelName": "model", "eventType": "model.ended", "payload": 1 })).await;
    for (user, reader) in live {
        let heard = reader.await.expect("a live reader that heard nothing wrong");
        let expected: HashMap<String, i64> = inboxes[&user]
            .iter()
            .map(|one| (one.id.to_string(), i64::try_from(one.version).expect("a version")))
            .collect();
        assert_eq!(heard, expected);
    }
    server.stop().await;
}
