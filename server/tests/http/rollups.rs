//! Sums over the log: whatever they reach up to, what is read is what the log says, for each who reads.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reqwest::StatusCode;
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use tidewatch_events::id::{OrganizationId, UserId};
use tidewatch_events::{
    AggregateType, EventType, Metadata, NewEvent, Permission, PermissionSet, ProjectId, Routing, Subject,
    SubjectRef, Timestamp,
};
use tidewatch_outbox::{publish_pending, record_all};
use tidewatch_server::db;
use tidewatch_server::db::rollups::{
    Window, advance, event_sums, forget_old, projects_behind, reach, volume_sums,
};
use tidewatch_server::db::visibility::SubjectColumns;
use tidewatch_server::domain::Modules;
use tidewatch_server::queries::is_counted;
use tidewatch_server::rollups::{WIDTHS, catch_up};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::support::{TestServer, read_json};

const MOST: i64 = 1_000;

fn organization(number: u128) -> SubjectRef {
    SubjectRef::Organization(OrganizationId::from_uuid(Uuid::from_u128(number)))
}

fn person(number: u128) -> SubjectRef {
    SubjectRef::User(UserId::from_uuid(Uuid::from_u128(number)))
}

fn subject(project: ProjectId, permissions: PermissionSet, names: &[SubjectRef]) -> Subject {
    Subject { project_id: project, identities: names.iter().cloned().collect(), permissions }
}

/// Of the staff, of organizations, of both, and with few rights.
fn subjects(project: ProjectId) -> Vec<Subject> {
    let read = PermissionSet::Named([Permission::SETTLEMENTS_READ].into());
    let none = PermissionSet::Named([].into());
    vec![
        subject(project, PermissionSet::All, &[SubjectRef::staff()]),
        subject(project, read.clone(), &[SubjectRef::staff(), person(1)]),
        subject(project, read.clone(), &[SubjectRef::staff(), organization(1)]),
        subject(project, read.clone(), &[organization(1), person(2)]),
        subject(project, read, &[organization(1), organization(2)]),
        subject(project, PermissionSet::All, &[person(1)]),
        subject(project, none, &[SubjectRef::staff(), organization(1)]),
    ]
}

fn random_event(dice: &mut StdRng, project: ProjectId, number: i64, now: OffsetDateTime) -> NewEvent {
    let types = ["settlement.created", "settlement.settled", "settlement.failed", "order.created"];
    let names = [SubjectRef::staff(), organization(1), organization(2), person(1), person(2)];
    let mut routing = Routing::in_project(project);
    for name in &names {
        if dice.random_ratio(1, 3) {
            routing.audience.insert(name.clone());
        }
    }
    if dice.random_ratio(1, 2) {
        routing.permissions.insert(Permission::SETTLEMENTS_READ);
    }
    if dice.random_ratio(1, 5) {
        routing.permissions.insert(Permission::KEYS_MANAGE);
    }
    // Within the chart of a day, most of them; some long ago, some not yet.
    let seconds = *[60, 3_600, 86_400, 4 * 86_400, -86_400].choose(dice).expect("one");
    let at = now - Duration::seconds(seconds * dice.random_range(0..1_000) / 1_000);
    let amount = match dice.random_range(0..5) {
        0 => json!("12"),
        1 => json!("a lot"),
        2 => json!(999_999_999_999_999_i64),
        _ => json!(dice.random_range(1..100_000)),
    };
    let currency = *["EUR", "USD", "euros"].choose(dice).expect("one");
    let networks = [json!("sepa"), json!("polygon"), json!("No Network"), json!(null), json!(5)];
    let network = networks.choose(dice).expect("one");
    let payload = json!({ "currency": currency, "amountMinor": amount, "network": network });
    NewEvent {
        event_type: types.choose(dice).expect("one").parse::<EventType>().expect("a type"),
        aggregate_type: AggregateType::from_static("Thing"),
        aggregate_id: format!("thing_{number}"),
        aggregate_version: 1,
        occurred_at: Some(Timestamp::from(at)),
        payload,
        metadata: Metadata::default(),
        routing,
    }
}

fn windows(now: OffsetDateTime) -> impl Iterator<Item = Window> {
    WIDTHS.into_iter().map(move |width| {
        let last = now.unix_timestamp().div_euclid(i64::from(width)) + 1;
        let at = |step: i64| {
            OffsetDateTime::from_unix_timestamp(step * i64::from(width)).expect("a time of these days")
        };
        Window { from: at(last - 60), to: at(last), bucket_seconds: width }
    })
}

/// The same, counted event by event: step, events, created, settled, failed, longest wait.
async fn counted(
    connection: &mut PgConnection,
    subject: &Subject,
    window: Window,
) -> Vec<(OffsetDateTime, i64, i64, i64, i64, i64)> {
    let SubjectColumns { held, names } = subject.into();
    sqlx::query_as(
        "select date_bin(make_interval(secs => $4), occurred_at, to_timestamp(0)), count(*),
                count(*) filter (where event_type = 'settlement.created'),
                count(*) filter (where event_type = 'settlement.settled'),
                count(*) filter (where event_type = 'settlement.failed'),
                max(publication_lag_ms(event_id, published_at))
         from domain_events where project_id = $1 and occurred_at >= $2 and occurred_at < $3 and position is not null
           and visible_to(permissions, audience, $5, $6)
         group by 1 order by 1",
    )
    .bind(subject.project_id.uuid())
    .bind(window.from)
    .bind(window.to)
    .bind(f64::from(window.bucket_seconds))
    .bind(held)
    .bind(names)
    .fetch_all(connection)
    .await
    .expect("counts")
}

async fn counted_volume(
    connection: &mut PgConnection,
    subject: &Subject,
    window: Window,
) -> Vec<(String, Option<String>, i64)> {
    let SubjectColumns { held, names } = subject.into();
    sqlx::query_as(
        "select payload ->> 'currency',
                case when payload ->> 'network' in ('sepa', 'polygon') then payload ->> 'network' end as network,
                sum((payload ->> 'amountMinor')::bigint)::bigint
         from domain_events where project_id = $1 and occurred_at >= $2 and occurred_at < $3 and position is not null
           and visible_to(permissions, audience, $4, $5) and event_type = 'settlement.settled'
           and payload ->> 'currency' in ('EUR', 'USD') and payload ->> 'amountMinor' <> 'a lot'
         group by 1, 2 order by 1, 2",
    )
    .bind(subject.project_id.uuid())
    .bind(window.from)
    .bind(window.to)
    .bind(held)
    .bind(names)
    .fetch_all(connection)
    .await
    .expect("sums")
}

async fn compare(pool: &PgPool, project: ProjectId, now: OffsetDateTime) {
    let mut snapshot = db::begin_snapshot(pool, project).await.expect("a snapshot");
    let reach = reach(&mut snapshot, project).await.expect("a position");
    for (number, subject) in subjects(project).iter().enumerate() {
        for window in windows(now) {
            let sums = event_sums(&mut snapshot, subject, [window], reach).await.expect("sums").concat();
            let steps: Vec<_> = sums
                .chunk_by(|one, next| one.from == next.from)
                .map(|step| {
                    let of = |of: fn(&db::rollups::EventSum) -> i64| step.iter().map(of).sum::<i64>();
                    let longest = step.iter().map(|sum| sum.lag_max_ms).max().expect("one");
                    for sum in step {
                        assert!(sum.lag_class.longest_ms() >= sum.lag_max_ms.unsigned_abs());
                    }
                    let (created, settled) = (of(|sum| sum.created), of(|sum| sum.settled));
                    (step[0].from, of(|sum| sum.events), created, settled, of(|sum| sum.failed), longest)
                })
                .collect();
            assert_eq!(steps, counted(&mut snapshot, subject, window).await, "subject {number}, {window:?}");
            let volume = volume_sums(&mut snapshot, subject, [window], reach).await.expect("sums").concat();
            let volume: Vec<_> =
                volume.into_iter().map(|sum| (sum.currency, sum.network, sum.amount_minor)).collect();
            let mut expected = counted_volume(&mut snapshot, subject, window).await;
            expected.sort();
            let mut volume = volume;
            volume.sort();
            assert_eq!(volume, expected, "volume of subject {number}, {window:?}");
        }
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn sums_are_what_the_log_says_wherever_they_reach(pool: PgPool) {
    let seed = rand::random();
    println!("seed {seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let mut connection = pool.acquire().await.expect("a connection");
    let project = db::projects::ensure(&mut connection, "demo", "Demo").await.expect("a project");
    let other = db::projects::ensure(&mut connection, "other", "Other").await.expect("a project");
    let now = OffsetDateTime::now_utc();
    compare(&pool, project, now).await;
    let mut number = 0;
    for _ in 0..8 {
        let events: Vec<_> = (0..200)
            .map(|_| {
                number += 1;
                let project = if dice.random_ratio(1, 5) { other } else { project };
                random_event(&mut dice, project, number, now)
            })
            .collect();
        record_all(&mut connection, &events).await.expect("recorded");
        publish_pending(&mut connection, 5_000).await.expect("published");
        compare(&pool, project, now).await;
        projects_behind(&mut connection).await.expect("cursors");
        // A part of it, and then killed before the commit.
        let mut transaction = pool.begin().await.expect("a transaction");
        let part = dice.random_range(1..150);
        assert_eq!(advance(&mut transaction, project, part).await.expect("summed"), part);
        if dice.random() {
            transaction.rollback().await.expect("rolled back");
        } else {
            transaction.commit().await.expect("committed");
        }
        compare(&pool, project, now).await;
        if dice.random() {
            catch_up(&pool).await.expect("caught up");
            compare(&pool, project, now).await;
        }
    }
    catch_up(&pool).await.expect("caught up");
    assert_eq!(projects_behind(&mut connection).await.expect("a look"), []);
    // What is forgotten is what no chart reaches back to.
    forget_old(&mut connection, project).await.expect("forgotten");
    compare(&pool, project, now).await;
    compare(&pool, other, now).await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn one_at_a_time_sums_up_and_each_event_once(pool: PgPool) {
    let mut connection = pool.acquire().await.expect("a connection");
    let project = db::projects::ensure(&mut connection, "demo", "Demo").await.expect("a project");
    let mut dice = StdRng::seed_from_u64(1);
    let now = OffsetDateTime::now_utc();
    let events: Vec<_> = (0..500).map(|number| random_event(&mut dice, project, number, now)).collect();
    record_all(&mut connection, &events).await.expect("recorded");
    publish_pending(&mut connection, 5_000).await.expect("published");
    projects_behind(&mut connection).await.expect("a cursor");
    let mut first = pool.begin().await.expect("a transaction");
    assert_eq!(advance(&mut first, project, 100).await.expect("summed"), 100);
    let mut second = pool.begin().await.expect("a transaction");
    assert_eq!(advance(&mut second, project, MOST).await.expect("passed by"), 0);
    first.commit().await.expect("committed");
    assert_eq!(advance(&mut second, project, MOST).await.expect("summed"), 400);
    second.commit().await.expect("committed");
    let everyone = subject(project, PermissionSet::All, &[SubjectRef::staff()]);
    let mut snapshot = db::begin_snapshot(&pool, project).await.expect("a snapshot");
    assert_eq!(reach(&mut snapshot, project).await.expect("a position"), 500);
    for window in windows(now) {
        let sums = event_sums(&mut snapshot, &everyone, [window], 500).await.expect("sums").concat();
        let in_log = counted(&mut snapshot, &everyone, window).await;
        let (summed, in_log): (i64, i64) =
            (sums.iter().map(|sum| sum.events).sum(), in_log.iter().map(|step| step.1).sum());
        assert_eq!(summed, in_log);
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_the_overview_tells_of_is_counted_where_it_stands(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let standing = async || {
        let mut snapshot = db::begin_snapshot(&pool, server.project).await.expect("a snapshot");
        let staff = subject(server.project, PermissionSet::All, &[SubjectRef::staff()]);
        let modules = Modules::built_in();
        for module in modules.descriptions().filter(|module| is_counted(module)) {
            let counted =
                db::overview::count_by_status(&mut snapshot, &staff, &[module]).await.expect("counts");
            let mut counted: Vec<_> =
                counted.into_iter().filter(|of| of.count != 0).map(|of| (of.status, of.count)).collect();
            counted.sort();
            let rows =
                format!("select status, count(*) from {} group by status order by status", module.name);
            let rows: Vec<(String, i64)> =
                sqlx::query_as(sqlx::AssertSqlSafe(rows)).fetch_all(&mut *snapshot).await.expect("rows");
            assert_eq!(counted, rows, "{}", module.name);
        }
    };
    for n in 0..3 {
        for (path, new) in [
            ("/api/v1/tickets", json!({ "title": format!("A door {n}"), "description": "It sticks." })),
            ("/api/v1/incidents", json!({ "title": "It leaks", "severity": "low" })),
        ] {
            let answer = server.client.post(path).json(&new).send().await.expect("an answer");
            read_json(answer, StatusCode::CREATED).await;
        }
    }
    for number in 0..20 {
        let made = server.client.create(&format!("INV-{number}")).await;
        if number % 3 == 0 {
            server.client.make_move(&made, json!({ "move": "fail", "error": "no" })).await;
        }
        standing().await;
        if number % 5 == 0 {
            catch_up(&pool).await.expect("caught up");
            standing().await;
        }
    }
    server.all_published().await;
    catch_up(&pool).await.expect("caught up");
    standing().await;
    // Filled in behind the triggers' back, and counted anew.
    let mut transaction = pool.begin().await.expect("a transaction");
    sqlx::query("delete from record_counts").execute(&mut *transaction).await.expect("lost");
    for module in Modules::built_in().descriptions().filter(|module| is_counted(module)) {
        let recount = sqlx::query("select recount_records($1)").bind(module.name.to_string());
        recount.execute(&mut *transaction).await.expect("counted");
    }
    transaction.commit().await.expect("committed");
    standing().await;
    server.stop().await;
}
