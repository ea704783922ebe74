//! The follower: every event once, in order, without holes, whatever breaks meanwhile.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::PgPool;
use tidewatch_events::{Event, Position, ProjectId};
use tidewatch_outbox::{
    Follower, FollowerConfig, PublishedLog, PublishedSink, RelayConfig, StreamHead, Waker, retention,
};
use time::OffsetDateTime;
use tokio::sync::Barrier;

use crate::fixture::{
    Background, QUICK_RELAY, commit, event, events, eventually, id_set, ids, insert_old, new_project,
    old_partition, pool_named, positions, publish, terminate_leader, terminate_sessions,
};

const QUICK: FollowerConfig = FollowerConfig { poll: Duration::from_millis(10), batch: 7 };

/// A sink that keeps what it is given, and refuses a hole or a repeat.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<(ProjectId, Call)>>>);

#[derive(Debug, Clone)]
enum Call {
    Open(StreamHead),
    Publish(Vec<Event>),
}

impl PublishedSink for Kept {
    fn open(&self, project: ProjectId, head: StreamHead) {
        self.0.lock().expect("no panic").push((project, Call::Open(head)));
    }

    fn publish(&self, project: ProjectId, events: Vec<Event>) {
        self.0.lock().expect("no panic").push((project, Call::Publish(events)));
    }
}

impl Kept {
    fn calls(&self, project: ProjectId) -> Vec<Call> {
        let calls = self.0.lock().expect("no panic");
        calls.iter().filter(|(of, _)| *of == project).map(|(_, call)| call.clone()).collect()
    }

    fn opened(&self, project: ProjectId) -> Vec<StreamHead> {
        let calls = self.calls(project).into_iter();
        calls.filter_map(|call| if let Call::Open(head) = call { Some(head) } else { None }).collect()
    }

    /// What was handed on, after a look that each event stands right behind the one before it.
    fn events(&self, project: ProjectId) -> Vec<Event> {
        let mut last = None;
        let mut events = Vec::new();
        for call in self.calls(project) {
            match call {
                Call::Open(head) => last = Some(head.last),
                Call::Publish(page) => {
                    for event in page {
                        let before = last.expect("opened before the first event");
                        assert_eq!(event.envelope.position, before.next(), "no hole and no repeat");
                        last = Some(event.envelope.position);
                        events.push(event);
                    }
                }
            }
        }
        events
    }

    pub(crate) async fn until_handed_on(&self, project: ProjectId, count: usize) -> Vec<Event> {
        eventually("the events are handed on", async || {
            let events = self.events(project);
            (events.len() >= count).then_some(events)
        })
        .await
    }

    async fn until_opened(&self, project: ProjectId, times: usize) -> StreamHead {
        eventually("the stream is opened", async || {
            let opened = self.opened(project);
            (opened.len() >= times).then(|| *opened.last().expect("opened"))
        })
        .await
    }
}

/// A follower over `pool` that has opened, and what it hands on.
async fn opened(pool: &PgPool) -> (Follower<Kept>, Kept) {
    let kept = Kept::default();
    let mut follower = Follower::new(PublishedLog::new(pool.clone()), QUICK, Waker::default(), kept.clone());
    follower.open().await.expect("opened");
    (follower, kept)
}

/// The same, following in the background.
async fn following(pool: &PgPool, background: &Background) -> Kept {
    let (follower, kept) = opened(pool).await;
    background.spawn(follower.run(background.shutdown()));
    kept
}

#[sqlx::test(migrations = "../../migrations")]
async fn it_opens_at_the_head_and_hands_on_what_comes(pool: PgPool) {
    let project = new_project();
    commit(&pool, &events(project, "a", 1..=3)).await;
    publish(&pool).await;
    let background = Background::default();
    let kept = following(&pool, &background).await;
    assert_eq!(kept.opened(project).iter().map(|head| head.last.get()).collect::<Vec<_>>(), [3]);

    let recorded = commit(&pool, &events(project, "a", 4..=23)).await;
    publish(&pool).await;
    assert_eq!(ids(&kept.until_handed_on(project, 20).await), recorded);
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_published_between_opening_and_following_is_handed_on(pool: PgPool) {
    let project = new_project();
    commit(&pool, &[event(project, "a", 1)]).await;
    publish(&pool).await;
    let (follower, kept) = opened(&pool).await;
    let recorded = commit(&pool, &[event(project, "a", 2)]).await;
    publish(&pool).await;
    let background = Background::default();
    background.spawn(follower.run(background.shutdown()));

    assert_eq!(ids(&kept.until_handed_on(project, 1).await), recorded);
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_project_is_delivered_from_its_first_event(pool: PgPool) {
    let background = Background::default();
    let kept = following(&pool, &background).await;
    let project = new_project();
    let recorded = commit(&pool, &events(project, "a", 1..=10)).await;
    publish(&pool).await;

    assert_eq!(ids(&kept.until_handed_on(project, 10).await), recorded);
    assert_eq!(kept.opened(project).iter().map(|head| head.last).collect::<Vec<_>>(), [Position::START]);
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn projects_do_not_mix(pool: PgPool) {
    let background = Background::default();
    let kept = following(&pool, &background).await;
    let (one, other) = (new_project(), new_project());
    for version in 1..=5 {
        commit(&pool, &[event(one, "a", version), event(other, "a", version)]).await;
    }
    publish(&pool).await;

    for project in [one, other] {
        let events = kept.until_handed_on(project, 5).await;
        assert!(events.iter().all(|event| event.routing.project_id == project));
    }
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_history_is_opened_anew(pool: PgPool) {
    let project = new_project();
    commit(&pool, &[event(project, "a", 1)]).await;
    publish(&pool).await;
    let background = Background::default();
    let kept = following(&pool, &background).await;
    let before = kept.opened(project)[0];

    sqlx::query("update project_streams set epoch = (epoch + 1) % 4294967295")
        .execute(&pool)
        .await
        .expect("changed");
    let head = kept.until_opened(project, 2).await;
    assert_ne!(head.epoch, before.epoch);
    assert_eq!(head.last, before.last);
    let recorded = commit(&pool, &[event(project, "a", 2)]).await;
    publish(&pool).await;
    assert_eq!(ids(&kept.until_handed_on(project, 1).await), recorded);
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_history_that_was_cut_is_opened_anew(pool: PgPool) {
    let project = new_project();
    commit(&pool, &events(project, "a", 1..=3)).await;
    publish(&pool).await;
    let background = Background::default();
    let kept = following(&pool, &background).await;

    sqlx::raw_sql(
        "delete from domain_events where position > 1; update project_streams set last_position = 1",
    )
    .execute(&pool)
    .await
    .expect("restored an old state");
    assert_eq!(kept.until_opened(project, 2).await.last.get(), 1);
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_retention_dropped_before_it_was_handed_on_is_no_silent_hole(pool: PgPool) {
    let project = new_project();
    old_partition(&pool, 10).await;
    insert_old(&pool, project, 10, &[1]).await;
    let (follower, kept) = opened(&pool).await;
    // The process sleeps; meanwhile events come and go.
    insert_old(&pool, project, 10, &[2, 3, 4, 5]).await;
    let cutoff = OffsetDateTime::now_utc() - Duration::from_secs(7 * 86_400);
    assert_eq!(retention::drop_partitions(&pool, cutoff).await.expect("dropped").len(), 1);
    commit(&pool, &events(project, "a", 1..=2)).await;
    publish(&pool).await;
    let background = Background::default();
    background.spawn(follower.run(background.shutdown()));

    assert_eq!(positions(&kept.until_handed_on(project, 2).await), [6, 7]);
    let opened: Vec<_> =
        kept.opened(project).iter().map(|head| (head.last.get(), head.oldest.get())).collect();
    assert_eq!(opened, [(1, 1), (5, 6)]);
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_event_is_handed_on_once_and_in_order_while_connections_die(pool: PgPool) {
    const WRITERS: usize = 4;
    const ROUNDS: i64 = 5;
    const EVENTS: i64 = 10;
    let project = new_project();
    let background = Background::default();
    for _ in 0..2 {
        background.relay(&pool, RelayConfig { batch: 10, ..QUICK_RELAY });
    }
    let followers_pool = pool_named(&pool, "followers", 2);
    let followers =
        [following(&followers_pool, &background).await, following(&followers_pool, &background).await];
    let writers_pool = pool_named(&pool, "writers", WRITERS as u32);
    let round = Arc::new(Barrier::new(WRITERS + 1));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (pool, round) = (writers_pool.clone(), Arc::clone(&round));
            tokio::spawn(async move {
                let mut recorded = Vec::new();
                for first in (0..ROUNDS).map(|round| round * EVENTS) {
                    round.wait().await;
                    for version in first + 1..=first + EVENTS {
                        recorded.extend(
                            commit(&pool, &[event(project, &format!("writer {writer}"), version)]).await,
                        );
                    }
                }
                recorded
            })
        })
        .collect();
    for _ in 0..ROUNDS {
        round.wait().await;
        terminate_leader(&pool).await;
        eventually("a follower's session to end", async || {
            (terminate_sessions(&pool, "followers").await > 0).then_some(())
        })
        .await;
    }
    let mut recorded = Vec::new();
    for writer in writers {
        recorded.extend(writer.await.expect("no panic"));
    }

    for kept in followers {
        let events = kept.until_handed_on(project, recorded.len()).await;
        assert_eq!(events.len(), recorded.len());
        assert_eq!(id_set(&events), recorded.iter().copied().collect());
        assert_eq!(kept.opened(project).len(), 1);
    }
    background.stop().await;
    writers_pool.close().await;
    followers_pool.close().await;
}

/// A sink to which nobody listens.
#[derive(Debug, Clone, Default)]
struct Unheard(Arc<Mutex<Vec<Position>>>, Kept);

impl PublishedSink for Unheard {
    fn open(&self, project: ProjectId, head: StreamHead) {
        self.1.open(project, head);
    }

    fn skip_to(&self, _: ProjectId, to: Position) -> bool {
        self.0.lock().expect("no panic").push(to);
        true
    }

    fn publish(&self, project: ProjectId, events: Vec<Event>) {
        let next = self.0.lock().expect("no panic").last().copied().map(Position::next);
        assert_eq!(
            events.first().map(|event| event.envelope.position),
            next,
            "it goes on behind what was skipped"
        );
        self.1.0.lock().expect("no panic").push((project, Call::Publish(events)));
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn much_that_nobody_listens_to_is_not_read(pool: PgPool) {
    let project = new_project();
    commit(&pool, &[event(project, "a", 1)]).await;
    publish(&pool).await;
    let sink = Unheard::default();
    let log = PublishedLog::new(pool.clone());
    let mut follower = Follower::new(log, QUICK, Waker::default(), sink.clone());
    follower.open().await.expect("a look");
    commit(&pool, &events(project, "a", 2..=20)).await;
    publish(&pool).await;
    let background = Background::default();
    background.spawn(follower.run(background.shutdown()));
    eventually("the backlog is skipped", async || {
        (sink.0.lock().expect("no panic").last().map(|to| to.get()) == Some(20)).then_some(())
    })
    .await;
    commit(&pool, &events(project, "a", 21..=23)).await;
    publish(&pool).await;
    eventually("what follows is handed on", async || {
        let calls = sink.1.calls(project);
        let published =
            calls.iter().filter(|call| matches!(call, Call::Publish(events) if events.len() == 3));
        (published.count() == 1).then_some(())
    })
    .await;
    background.stop().await;
}
