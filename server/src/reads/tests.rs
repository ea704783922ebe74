use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;

use tidewatch_app::model::Trends;
use tidewatch_events::id::UserId;
use tidewatch_events::{Permission, PermissionSet, Position, ProjectId, SubjectRef, Timestamp};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::*;

/// Longer than a test takes: what is read anew here is so because of an event.
const LONG: Duration = Duration::from_secs(3_600);

fn subject(project: u128, user: u128, permissions: &[Permission]) -> Subject {
    Subject {
        project_id: ProjectId::from_uuid(Uuid::from_u128(project)),
        identities: BTreeSet::from([SubjectRef::User(UserId::from_uuid(Uuid::from_u128(user)))]),
        permissions: permissions.iter().cloned().collect(),
    }
}

/// An overview that is known again by the number of its connections.
fn snapshot(connections: u64) -> Snapshot<Overview> {
    Snapshot {
        data: Overview {
            by_status: Vec::new(),
            ahead: Vec::new(),
            created_today: 0,
            settled_today: 0,
            failed_today: 0,
            volume_today: Vec::new(),
            needs_attention: Vec::new(),
            waiting: Vec::new(),
            per_minute: Vec::new(),
            trends: Trends::default(),
            recent: Vec::new(),
            outbox_lag_ms: None,
            connections,
        },
        position: Position::START,
        resume_token: String::new(),
        as_of: Timestamp::from_unix_millis(0).expect("a time"),
    }
}

/// Asks; the answer says the how manieth read it is of.
async fn ask(reads: &Reads, count: &AtomicU64, subject: &Subject, range: TimeRange) -> u64 {
    let read = async { Ok(snapshot(count.fetch_add(1, Ordering::Relaxed))) };
    reads.overview.get(subject, range, read).await.expect("an overview").data.connections
}

#[tokio::test]
async fn who_asks_meanwhile_waits_for_the_one_read() {
    let reads = Reads::keeping(Metrics::default(), LONG);
    let (count, gate) = (Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (reads, count, gate) = (reads.clone(), Arc::clone(&count), Arc::clone(&gate));
            tokio::spawn(async move {
                let read = async {
                    let number = count.fetch_add(1, Ordering::Relaxed);
                    gate.acquire().await.expect("open").forget();
                    Ok(snapshot(number))
                };
                let subject = subject(1, 1, &[]);
                reads
                    .overview
                    .get(&subject, TimeRange::Hour, read)
                    .await
                    .expect("an overview")
                    .data
                    .connections
            })
        })
        .collect();
    gate.add_permits(1);
    for task in tasks {
        assert_eq!(task.await.expect("no panic"), 0);
    }
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_event_of_the_project_has_it_read_anew() {
    let reads = Reads::keeping(Metrics::default(), LONG);
    let count = AtomicU64::new(0);
    let (one, other) = (subject(1, 1, &[]), subject(2, 1, &[]));
    assert_eq!(ask(&reads, &count, &one, TimeRange::Hour).await, 0);
    assert_eq!(ask(&reads, &count, &other, TimeRange::Hour).await, 1);
    assert_eq!(ask(&reads, &count, &one, TimeRange::Hour).await, 0);
    reads.generations.published(one.project_id);
    let anew = async {
        while ask(&reads, &count, &one, TimeRange::Hour).await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), anew).await.expect("a read behind the event");
    assert_eq!(count.load(Ordering::Relaxed), 3, "once, for all the asking");
    assert_eq!(ask(&reads, &count, &other, TimeRange::Hour).await, 1, "nothing happened there");
}

#[tokio::test]
async fn nobody_is_shown_what_was_read_for_another_subject_or_range() {
    let reads = Reads::keeping(Metrics::default(), LONG);
    let count = AtomicU64::new(0);
    let mut subjects = vec![
        subject(1, 1, &[]),
        subject(1, 1, &[Permission::SETTLEMENTS_READ]),
        subject(1, 2, &[]),
        subject(2, 1, &[]),
        Subject { permissions: PermissionSet::All, ..subject(1, 1, &[]) },
    ];
    subjects.push(Subject { identities: BTreeSet::from([SubjectRef::staff()]), ..subject(1, 1, &[]) });
    let mut answers = BTreeSet::new();
    for subject in &subjects {
        for range in TimeRange::ALL {
            assert!(answers.insert(ask(&reads, &count, subject, range).await), "{subject:?} {range}");
        }
    }
    assert_eq!(answers.len(), subjects.len() * TimeRange::ALL.len());
}

#[tokio::test]
async fn a_failure_is_told_and_not_kept() {
    let reads = Reads::keeping(Metrics::default(), LONG);
    let subject = subject(1, 1, &[]);
    let failing = async { Err(Error::Unavailable("away")) };
    let answer = reads.overview.get(&subject, TimeRange::Hour, failing).await;
    assert!(matches!(answer, Err(Error::Unavailable("away"))), "{answer:?}");
    assert_eq!(ask(&reads, &AtomicU64::new(7), &subject, TimeRange::Hour).await, 7);
}

#[tokio::test]
async fn when_the_one_who_reads_goes_the_next_one_reads() {
    let reads = Reads::keeping(Metrics::default(), LONG);
    let subject = subject(1, 1, &[]);
    let never = std::future::pending::<Result<Snapshot<Overview>, Error>>();
    let first = tokio::spawn({
        let (reads, subject) = (reads.clone(), subject.clone());
        async move { reads.overview.get(&subject, TimeRange::Hour, never).await }
    });
    tokio::task::yield_now().await;
    first.abort();
    assert_eq!(ask(&reads, &AtomicU64::new(7), &subject, TimeRange::Hour).await, 7);
}
