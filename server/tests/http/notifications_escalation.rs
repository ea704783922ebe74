//! Escalations: each step is taken once, in its order and never skipped, whoever is killed, until somebody acknowledges.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::event::{NewEvent, Routing};
use tidewatch_events::id::UserId;
use tidewatch_events::{AggregateType, EventType, Metadata, Position, ProjectId};
use tidewatch_outbox::{Outbox, PublishedLog, Waker, publish_pending, record_all};
use tidewatch_server::Tidewatch;
use tidewatch_server::db;
use tidewatch_server::db::cursors::NOTIFICATIONS;
use tidewatch_server::db::notifications::{messages, rules};
use tidewatch_server::notifications::dispatcher::Dispatch;
use tidewatch_server::notifications::{retention, send};
use tidewatch_server::serve;
use tidewatch_server::traces::Traces;
use tidewatch_server::walker::step;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::notifications_support::{
    all_told, count, events_of, list, make_rule, publish, rule, take, text, titles, with,
};
use crate::support::{Client, TestServer, config, eventually};

/// A step that tells this person after so many seconds.
fn after(seconds: u32, user: UserId) -> Value {
    json!({ "afterSeconds": seconds, "audience": [{ "kind": "user", "id": user }] })
}

/// A rule that tells the first of these people of parcels, and after so many seconds each the others.
fn escalating(people: &[UserId], seconds: u32) -> Value {
    let steps: Vec<Value> = people[1..].iter().map(|user| after(seconds, *user)).collect();
    with(
        rule("Escalating", &["parcel.*"], json!([{ "kind": "user", "id": people[0] }])),
        json!({ "mustAcknowledge": true, "escalation": steps }),
    )
}

async fn people(server: &TestServer, names: &[&str]) -> Vec<(UserId, Client)> {
    let mut people = Vec::new();
    for name in names {
        let email = format!("{name}@example.test");
        let id = server.add_person(server.project, &email, &["viewer"], &[]).await;
        people.push((id, server.session_of(id).await));
    }
    people
}

fn ids(people: &[(UserId, Client)]) -> Vec<UserId> {
    people.iter().map(|(id, _)| *id).collect()
}

/// Steps that are waited for are due from now on.
async fn let_time_pass(pool: &PgPool) {
    sqlx::query("update notifications set escalates_at = now() where escalates_at is not null")
        .execute(pool)
        .await
        .expect("later");
    sqlx::query(
        "update jobs set run_at = now() where kind = 'notification.escalate' and state = 'scheduled'",
    )
    .execute(pool)
    .await
    .expect("later");
}

/// Waits until no step is due and none is being taken.
async fn at_rest(pool: &PgPool) {
    eventually("all steps that are due to be taken", async || {
        let busy: bool = sqlx::query_scalar(
            "select exists (select from jobs where kind = 'notification.escalate'
                            and (state in ('waiting', 'running') or state = 'scheduled' and run_at <= now()))",
        )
        .fetch_one(pool)
        .await
        .expect("a look");
        (!busy).then_some(())
    })
    .await;
}

/// Of each message by whom it was sent to whom: step and recipient, in this order.
async fn told(pool: &PgPool) -> BTreeMap<Uuid, Vec<(i32, Uuid)>> {
    let rows: Vec<(Uuid, i32, Uuid)> = sqlx::query_as(
        "select notification_id, step, user_id from notification_receipts order by notification_id, step, user_id",
    )
    .fetch_all(pool)
    .await
    .expect("receipts");
    let mut told: BTreeMap<Uuid, Vec<(i32, Uuid)>> = BTreeMap::new();
    for (message, step, user) in rows {
        told.entry(message).or_default().push((step, user));
    }
    told
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_is_next_is_told_step_by_step_and_nobody_twice(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let people = people(&server, &["ann", "ben", "cleo"]).await;
    let steps = json!([
        after(1, people[1].0),
        { "afterSeconds": 1, "audience": [{ "kind": "role", "name": "viewer" }, { "kind": "payload", "pointer": "/to" }] },
        { "afterSeconds": 1, "audience": [{ "kind": "role", "name": "viewer" }] },
    ]);
    let rule = with(escalating(&ids(&people), 1), json!({ "escalation": steps }));
    let rule = make_rule(&server.client, rule).await;
    let lost = publish(&server.client, "parcel.lost", json!({ "title": "lost" })).await;
    // Each is a wait of the rule's own, so that this is seen to work by the clock as well.
    let taken = eventually("the last step", async || {
        let row: Option<(Uuid, i32, Option<OffsetDateTime>)> =
            sqlx::query_as("select id, step, escalates_at from notifications where step = 3")
                .fetch_optional(&pool)
                .await
                .expect("a look");
        row
    })
    .await;
    assert_eq!(taken.2, None, "there is no further one");
    let expected: Vec<(i32, Uuid)> =
        (0..).zip(&people).map(|(step, (user, _))| (step, user.uuid())).collect();
    assert_eq!(
        told(&pool).await[&taken.0],
        expected,
        "the last step reaches nobody new and is taken all the same"
    );
    for (_, client) in &people {
        assert_eq!(titles(client, "").await, ["lost"]);
        assert_eq!(count(client).await, (1, 1));
    }
    let message: String = sqlx::query_scalar("select 'ntf_' || crockford(id) from notifications")
        .fetch_one(&pool)
        .await
        .expect("it");
    assert_eq!(events_of(&pool, &json!(message)).await, ["escalated"; 3]);
    server.all_published().await;
    let seen = server.client.json("/api/v1/events?after=earliest&types=notification.*").await;
    let steps: Vec<&Value> =
        seen["events"].as_array().expect("events").iter().map(|one| &one["payload"]).collect();
    assert_eq!(steps.len(), 3, "the staff hears of the steps, and of nobody's receipt");
    for one in seen["events"].as_array().expect("events") {
        assert_eq!(
            one["metadata"]["causationId"],
            json!(null),
            "whoever hears of it may not see the event: {one}"
        );
    }
    assert_eq!(steps[1], &json!({ "messageId": message, "step": 2, "recipients": 1 }));
    assert_eq!(steps[2]["recipients"], 0);
    let proof = server.client.json(&format!("/api/v1/events/{lost}/notifications")).await;
    assert_eq!(proof["notifications"][0]["emptySteps"], json!([3]), "{proof}");
    let metrics = server.client.get("/metrics").send().await.expect("an answer").text().await.expect("text");
    assert!(metrics.contains("tidewatch_notification_escalations_total 3"), "{metrics}");
    assert!(metrics.contains("tidewatch_notifications_sent_total 3"), "{metrics}");
    // What was made goes on without its rule.
    publish(&server.client, "parcel.lost", json!({ "title": "second" })).await;
    all_told(&server).await;
    server.client.delete(&crate::notifications_support::path_of(&rule)).send().await.expect("an answer");
    eventually("the last person to be told", async || {
        (titles(&people[2].1, "").await == ["second", "lost"]).then_some(())
    })
    .await;
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_acknowledgement_stops_it_and_reading_does_not(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let people = people(&server, &["ann", "ben", "cleo"]).await;
    make_rule(&server.client, escalating(&ids(&people), 3_600)).await;
    publish(&server.client, "parcel.lost", json!({ "title": "lost" })).await;
    all_told(&server).await;
    let anns = list(&people[0].1, "").await.remove(0);
    assert_eq!(take(&people[0].1, &anns, "read").await.0, 200);
    // Before its time nothing happens, also where somebody has the job run.
    sqlx::query("update jobs set run_at = now() where kind = 'notification.escalate'")
        .execute(&pool)
        .await
        .expect("now");
    at_rest(&pool).await;
    assert_eq!(titles(&people[1].1, "").await, Vec::<String>::new());
    let_time_pass(&pool).await;
    eventually("the next one to be told", async || (count(&people[1].1).await == (1, 1)).then_some(())).await;
    at_rest(&pool).await;
    let bens = list(&people[1].1, "").await.remove(0);
    assert_eq!(take(&people[1].1, &bens, "acknowledge").await.0, 200);
    let waits: Option<OffsetDateTime> =
        sqlx::query_scalar("select escalates_at from notifications").fetch_one(&pool).await.expect("it");
    assert_eq!(waits, None);
    let_time_pass(&pool).await;
    at_rest(&pool).await;
    assert_eq!(titles(&people[2].1, "").await, Vec::<String>::new());
    assert_eq!(count(&people[0].1).await, (0, 0));
    let settled = list(&people[0].1, "?folder=all").await.remove(0);
    assert!(settled["settledAt"] != json!(null) && settled["acknowledgedAt"] == json!(null));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn whoever_comes_first_of_a_step_and_an_acknowledgement(pool: PgPool) {
    const MESSAGES: usize = 30;
    let server = TestServer::start(&pool).await;
    let people = people(&server, &["ann", "ben"]).await;
    make_rule(&server.client, escalating(&ids(&people), 3_600)).await;
    for n in 0..MESSAGES {
        publish(&server.client, "parcel.lost", json!({ "title": n.to_string() })).await;
    }
    all_told(&server).await;
    let anns = list(&people[0].1, "?limit=200").await;
    assert_eq!(anns.len(), MESSAGES);
    let acknowledge = async {
        for one in &anns {
            assert_eq!(take(&people[0].1, one, "acknowledge").await.0, 200);
        }
    };
    tokio::join!(acknowledge, let_time_pass(&pool));
    let_time_pass(&pool).await;
    at_rest(&pool).await;
    // Told by the step before she said so, or not at all.
    let wrong: i64 = sqlx::query_scalar(
        "select count(*) from notifications n left join notification_receipts r on r.notification_id = n.id and r.step = 1
         where n.acknowledged_at is null or n.escalates_at is not null or r.sent_at > n.acknowledged_at
            or (r.id is not null) is distinct from (n.step = 1)",
    )
    .fetch_one(&pool)
    .await
    .expect("a count");
    assert_eq!(wrong, 0);
    assert_eq!((count(&people[0].1).await.1, count(&people[1].1).await.1), (0, 0));
    server.stop().await;
}

fn parcels(project: ProjectId, first: i64, count: i64) -> Vec<NewEvent> {
    let parcel = |n: i64| NewEvent {
        event_type: EventType::from_static("parcel.lost"),
        aggregate_type: AggregateType::from_static("Parcel"),
        aggregate_id: format!("p_{n}"),
        aggregate_version: 1,
        occurred_at: None,
        payload: json!({ "title": format!("parcel {n}") }),
        metadata: Metadata::default(),
        routing: Routing::in_project(project),
    };
    (first..first + count).map(parcel).collect()
}

/// Messages, receipts, events of both and jobs.
async fn state(pool: &PgPool) -> (i64, i64, i64, i64) {
    sqlx::query_as(
        "select (select count(*) from notifications), (select count(*) from notification_receipts),
                (select count(*) from domain_events where aggregate_type = 'Notification'),
                (select count(*) from jobs where kind like 'notification.%')",
    )
    .fetch_one(pool)
    .await
    .expect("counts")
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn all_of_a_step_is_there_or_nothing_of_it(pool: PgPool) {
    let mut connection = pool.acquire().await.expect("a connection");
    let project = db::projects::ensure(&mut connection, "demo", "Demo").await.expect("a project");
    let mut users = Vec::new();
    for name in ["ann", "ben"] {
        let user = db::users::ensure(&mut connection, &format!("{name}@example.test"), name, "x")
            .await
            .expect("a person");
        db::users::grant_role(&mut connection, project, user, "viewer").await.expect("a role");
        users.push(user);
    }
    let rule = serde_json::from_value(escalating(&users, 60)).expect("a rule");
    NOTIFICATIONS.ensure(&mut connection, project, Position::START).await.expect("a cursor");
    let rule =
        rules::insert(&mut connection, project, &rule, &[], Position::START, "a test").await.expect("a rule");
    record_all(&mut connection, &parcels(project, 0, 3)).await.expect("recorded");
    assert_eq!(publish_pending(&mut connection, 100).await.expect("published"), 3);
    let log = PublishedLog::new(pool.clone());

    // The dispatcher, killed before its commit.
    let dispatch = Dispatch { traces: Traces::default() };
    let mut transaction = pool.begin().await.expect("a transaction");
    assert_eq!(step(&dispatch, &mut transaction, &log, project).await.expect("a step").made, 3);
    transaction.rollback().await.expect("rolled back");
    assert_eq!(state(&pool).await, (0, 0, 0, 0));
    for expected in [3, 0] {
        let mut transaction = pool.begin().await.expect("a transaction");
        assert_eq!(step(&dispatch, &mut transaction, &log, project).await.expect("a step").made, expected);
        transaction.commit().await.expect("committed");
    }
    assert_eq!(state(&pool).await, (0, 0, 0, 3));

    // Whoever makes a notification of an event, killed before the commit; then done twice.
    let outbox = Outbox::new(pool.clone(), Waker::default());
    let row = rules::find(&mut connection, project, rule).await.expect("a look").expect("the rule");
    let event = log.read(project, Position::START, 1).await.expect("a page").events.remove(0);
    let mut transaction = outbox.begin(project).await.expect("a transaction");
    assert_eq!(
        send::announce(&mut transaction, &row, &event, None, false).await.expect("announced"),
        Some(1)
    );
    drop(transaction);
    for expected in [Some(1), None] {
        let mut transaction = outbox.begin(project).await.expect("a transaction");
        assert_eq!(
            send::announce(&mut transaction, &row, &event, None, false).await.expect("announced"),
            expected
        );
        transaction.commit().await.expect("committed");
        assert_eq!(state(&pool).await, (1, 1, 1, 4));
    }

    // Whoever takes its next step, killed before the commit; then there is none left.
    let id: Uuid = sqlx::query_scalar("select id from notifications").fetch_one(&pool).await.expect("it");
    let id = tidewatch_events::id::NotificationId::from_uuid(id);
    for commit in [false, true] {
        let mut transaction = outbox.begin(project).await.expect("a transaction");
        let message = messages::lock_open(&mut transaction, project, id).await.expect("a look").expect("it");
        assert_eq!(message.step, 0);
        assert_eq!(send::escalate(&mut transaction, project, &message, false).await.expect("a step"), 1);
        if commit {
            transaction.commit().await.expect("committed");
        }
    }
    assert_eq!(state(&pool).await, (1, 2, 3, 4));
    let (step, waits): (i32, bool) =
        sqlx::query_as("select step, escalates_at is not null from notifications")
            .fetch_one(&pool)
            .await
            .expect("it");
    assert_eq!((step, waits), (1, false));
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_step_that_was_called_off_by_mistake_is_taken_and_what_is_old_goes(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let people = people(&server, &["ann", "ben"]).await;
    make_rule(&server.client, escalating(&ids(&people), 3_600)).await;
    publish(&server.client, "parcel.lost", json!({ "title": "lost" })).await;
    all_told(&server).await;
    let jobs = server.client.json("/api/v1/jobs?state=scheduled").await;
    let job =
        jobs["jobs"].as_array().expect("jobs").iter().find(|job| job["kind"] == "notification.escalate");
    let path = format!("/api/v1/jobs/{}/cancel", text(&job.expect("a job")["id"]));
    assert_eq!(server.client.post(&path).send().await.expect("an answer").status(), 200);
    let_time_pass(&pool).await;
    let now = OffsetDateTime::now_utc();
    let old = now - retention::KEEP;
    // Not late enough yet.
    assert_eq!(retention::tidy(&pool, old, now - time::Duration::minutes(5)).await.expect("tidied"), (0, 0));
    let soon = now + time::Duration::minutes(1);
    assert_eq!(retention::tidy(&pool, old, soon).await.expect("tidied"), (0, 1));
    eventually("the next one to be told", async || (count(&people[1].1).await == (1, 1)).then_some(())).await;
    at_rest(&pool).await;
    assert_eq!(retention::tidy(&pool, soon, soon).await.expect("tidied"), (0, 0), "somebody waits for it");
    let bens = list(&people[1].1, "").await.remove(0);
    assert_eq!(take(&people[1].1, &bens, "acknowledge").await.0, 200);
    assert_eq!(retention::tidy(&pool, soon, soon).await.expect("tidied"), (1, 0));
    for (_, client) in &people {
        assert_eq!(titles(client, "?folder=all").await, Vec::<String>::new());
        assert_eq!(count(client).await, (0, 0));
    }
    server.stop().await;
}

/// An instance that can be killed: dropped where it stands, with all its tasks and connections.
struct Victim(tokio::runtime::Runtime);

impl Victim {
    fn start(pool: &PgPool) -> Self {
        let config = config(pool);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        runtime.spawn(async move {
            let socket = serve::bind(config.listen).expect("a port");
            serve::run(&Tidewatch::new(), socket, config, CancellationToken::new()).await
        });
        Self(runtime)
    }

    fn kill(self) {
        self.0.shutdown_background();
    }
}

/// Waits until nothing of what was killed is carried out any more.
async fn gone(pool: &PgPool) {
    eventually("their connections to end", async || {
        let left: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and application_name like 'tidewatch%'",
        )
        .fetch_one(pool)
        .await
        .expect("a count");
        (left == 0).then_some(())
    })
    .await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn whoever_is_killed_whenever_each_step_is_taken_once_and_none_is_skipped(pool: PgPool) {
    const MESSAGES: i64 = 40;
    let server = TestServer::start(&pool).await;
    let people = ids(&people(&server, &["ann", "ben", "cleo", "dan"]).await);
    make_rule(&server.client, escalating(&people, 1)).await;
    let project = server.project;
    server.stop().await;
    record_all(&mut pool.acquire().await.expect("a connection"), &parcels(project, 0, MESSAGES))
        .await
        .expect("recorded");
    let all = MESSAGES * i64::try_from(people.len()).expect("a number");
    let receipts = async || -> i64 {
        sqlx::query_scalar("select count(*) from notification_receipts")
            .fetch_one(&pool)
            .await
            .expect("a count")
    };
    for goal in [1, all / 6, all / 3, all / 2, all * 2 / 3, all * 5 / 6] {
        let (one, two) = (Victim::start(&pool), Victim::start(&pool));
        eventually("some progress", async || (receipts().await >= goal).then_some(())).await;
        one.kill();
        two.kill();
        gone(&pool).await;
        // Their leases run out at once, and not in half a minute.
        sqlx::query("update jobs set leased_until = now() where state = 'running'")
            .execute(&pool)
            .await
            .expect("expired");
    }
    let server = TestServer::start(&pool).await;
    eventually("all steps", async || {
        let left: bool = sqlx::query_scalar(
            "select exists (select from jobs where kind like 'notification.%' and state in ('scheduled', 'waiting', 'running'))
                 or exists (select from notification_cursors c join project_streams s using (project_id)
                            where c.position < s.last_position)
                 or exists (select from domain_events where published_at is null)",
        )
        .fetch_one(&pool)
        .await
        .expect("a look");
        (!left).then_some(())
    })
    .await;
    let expected: Vec<(i32, Uuid)> = (0..).zip(&people).map(|(step, user)| (step, user.uuid())).collect();
    let told = told(&pool).await;
    assert_eq!(told.len(), usize::try_from(MESSAGES).expect("a number"));
    for (message, told) in told {
        assert_eq!(told, expected, "{message}");
    }
    let (steps, open): (i64, i64) = sqlx::query_as(
        "select count(*) filter (where step = 3), count(*) filter (where escalates_at is not null) from notifications",
    )
    .fetch_one(&pool)
    .await
    .expect("counts");
    assert_eq!((steps, open), (MESSAGES, 0));
    let events: Vec<(String, i64, i64)> = sqlx::query_as(
        "select event_type, count(*), count(distinct (aggregate_id, aggregate_version)) from domain_events
         where aggregate_type = 'Notification' group by 1 order by 1",
    )
    .fetch_all(&pool)
    .await
    .expect("counts");
    let escalated = MESSAGES * 3;
    assert_eq!(
        events,
        [
            ("notification.escalated".to_owned(), escalated, escalated),
            ("notification.sent".to_owned(), all, all)
        ]
    );
    server.stop().await;
}
