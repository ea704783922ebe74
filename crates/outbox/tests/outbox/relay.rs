//! The relay: one leads, another takes over, wake-ups are only hints.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::PgListener;
use sqlx::{Connection, PgPool};
use tidewatch_outbox::{
    FENCED, LEADER_LOCK, Outbox, PUBLISHED_CHANNEL, RECORDED_CHANNEL, Relay, RelayConfig, Waker, lead,
    publish_pending,
};
use tokio::sync::{Barrier, oneshot};

use crate::fixture::{
    Background, QUICK_RELAY, commit, connect, event, eventually, id_set, ids, leader, new_project, options,
    pool_named, published, terminate, terminate_leader, terminate_sessions, until_led, until_published,
    until_query_blocked,
};

#[sqlx::test(migrations = "../../migrations")]
async fn a_relay_publishes_what_is_committed_without_being_told(pool: PgPool) {
    let background = Background::default();
    background.relay(&pool, QUICK_RELAY);
    let project = new_project();
    for version in 1..=3 {
        let recorded = commit(&pool, &[event(project, "a", version)]).await;
        let published = until_published(&pool, project, version as usize).await;
        assert_eq!(ids(&published).last(), recorded.first());
    }
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_backlog_larger_than_a_batch_is_published_whole(pool: PgPool) {
    let project = new_project();
    let backlog: Vec<_> = (1..=500).map(|version| event(project, "a", version)).collect();
    let recorded = commit(&pool, &backlog).await;
    let background = Background::default();
    let status = background.relay(&pool, RelayConfig { batch: 7, ..QUICK_RELAY });

    assert_eq!(ids(&until_published(&pool, project, 500).await), recorded);
    eventually("the relay counts them", async || (status.published() == 500).then_some(())).await;
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_relays_one_leads(pool: PgPool) {
    let background = Background::default();
    let statuses = [background.relay(&pool, QUICK_RELAY), background.relay(&pool, QUICK_RELAY)];
    until_led(&pool).await;
    let project = new_project();
    for version in 1..=20 {
        commit(&pool, &[event(project, "a", version)]).await;
    }
    until_published(&pool, project, 20).await;

    let leading: Vec<_> = statuses.iter().filter(|status| status.is_leading()).collect();
    assert_eq!(leading.len(), 1);
    eventually("the leader counts them", async || (leading[0].published() == 20).then_some(())).await;
    assert_eq!(
        statuses.iter().map(|status| status.published()).sum::<u64>(),
        20,
        "the standby published nothing"
    );
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_standby_takes_over_within_5_s_of_the_leaders_death(pool: PgPool) {
    let background = Background::default();
    let first = background.relay(&pool, RelayConfig::default());
    until_led(&pool).await;
    let second = background.relay(&pool, RelayConfig::default());
    let died = Instant::now();
    // Whoever wins: the old leader, which connects again, or the standby.
    terminate_leader(&pool).await;
    until_led(&pool).await;

    assert!(died.elapsed() < Duration::from_secs(5), "{:?}", died.elapsed());
    eventually("one of them knows it", async || (first.is_leading() != second.is_leading()).then_some(()))
        .await;
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_leader_that_stops_hands_over_at_once(pool: PgPool) {
    let (first, second) = (Background::default(), Background::default());
    let first_status = first.relay(&pool, QUICK_RELAY);
    let first_pid = until_led(&pool).await;
    let second_status = second.relay(&pool, QUICK_RELAY);
    first.stop().await;

    eventually("the other one leads", async || second_status.is_leading().then_some(())).await;
    assert!(!first_status.is_leading());
    assert_ne!(leader(&pool).await, Some(first_pid));
    second.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_session_of_a_leader_that_was_replaced_writes_nothing(pool: PgPool) {
    // A leader that has looked, and is about to publish when its session ends.
    let mut old = connect(&pool).await;
    sqlx::query("select pg_advisory_lock($1)").bind(LEADER_LOCK).execute(&mut old).await.expect("leads");
    let background = Background::default();
    let status = background.relay(&pool, QUICK_RELAY);
    terminate_leader(&pool).await;
    eventually("the other one leads", async || status.is_leading().then_some(())).await;

    let project = new_project();
    let recorded = commit(&pool, &[event(project, "a", 1)]).await;
    publish_pending(&mut old, 10).await.expect_err("its session is gone");
    assert_eq!(ids(&until_published(&pool, project, 1).await), recorded);
    assert_eq!(status.published(), 1);
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_late_leader_whose_session_lives_on_is_refused_by_the_database(pool: PgPool) {
    let project = new_project();
    let mut late = connect(&pool).await;
    let first = lead(&mut late, "late").await.expect("an answer").expect("nobody else leads");
    let recorded = commit(&pool, &[event(project, "a", 1), event(project, "a", 2)]).await;
    assert_eq!(publish_pending(&mut late, 1).await.expect("published"), 1);
    // It has lost the lock without its session: as behind a pooler of transactions, which gives the session to another.
    sqlx::query("select pg_advisory_unlock_all()").execute(&mut late).await.expect("unlocked");
    let mut present = connect(&pool).await;
    let second = lead(&mut present, "present").await.expect("an answer").expect("it is free");
    assert!(second > first);

    let refused = publish_pending(&mut late, 10).await.expect_err("its term is over");
    let code = refused.as_database_error().and_then(|error| error.code().map(Cow::into_owned));
    assert_eq!(code.as_deref(), Some(FENCED), "{refused}");
    let other = new_project();
    commit(&pool, &[event(other, "b", 1)]).await;
    publish_pending(&mut late, 10).await.expect_err("in a project that is new, too");
    assert_eq!(publish_pending(&mut present, 10).await.expect("published"), 2);
    assert_eq!(ids(&published(&pool, project).await), recorded, "each once");
    assert_eq!(published(&pool, other).await.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_takes_over_waits_for_what_is_being_published(pool: PgPool) {
    let project = new_project();
    let mut late = connect(&pool).await;
    lead(&mut late, "late").await.expect("an answer").expect("nobody else leads");
    let recorded = commit(&pool, &[event(project, "a", 1)]).await;
    let mut transaction = late.begin().await.expect("a transaction");
    assert_eq!(publish_pending(&mut transaction, 10).await.expect("published"), 1);
    sqlx::query("select pg_advisory_unlock_all()").execute(&mut *transaction).await.expect("unlocked");

    let mut present = connect(&pool).await;
    let taking_over = tokio::spawn(async move {
        let term = lead(&mut present, "present").await.expect("an answer");
        (term, publish_pending(&mut present, 10).await.expect("published"))
    });
    until_query_blocked(&pool, "update relay_leadership").await;
    transaction.commit().await.expect("committed");
    let (term, more) = taking_over.await.expect("no panic");
    assert!(term.is_some());
    assert_eq!(more, 0, "it was published already");
    assert_eq!(ids(&published(&pool, project).await), recorded);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_leader_that_is_frozen_loses_its_session(pool: PgPool) {
    let (freeze, frozen) = (oneshot::channel::<()>(), oneshot::channel::<()>());
    let (thaw, thawed) = std::sync::mpsc::channel::<()>();
    let old = Relay::new(options(&pool), QUICK_RELAY, Waker::default());
    let old_status = old.status();
    let background = Background::default();
    let shutdown = background.shutdown();
    let process = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let running = tokio::spawn(old.run(shutdown));
            freeze.1.await.expect("told to freeze");
            frozen.0.send(()).expect("heard");
            // Nothing else of this runtime goes on meanwhile.
            thawed.recv().expect("told to thaw");
            running.await.expect("no panic");
        });
    });
    let old_pid = until_led(&pool).await;
    eventually("it knows that it leads", async || old_status.is_leading().then_some(())).await;
    freeze.0.send(()).expect("heard");
    frozen.1.await.expect("frozen");
    let new_status = background.relay(&pool, QUICK_RELAY);

    eventually("the standby leads", async || new_status.is_leading().then_some(())).await;
    thaw.send(()).expect("heard");
    let project = new_project();
    for version in 1..=20 {
        commit(&pool, &[event(project, "a", version)]).await;
    }
    until_published(&pool, project, 20).await;
    eventually("the old one knows it", async || (!old_status.is_leading()).then_some(())).await;
    assert_eq!((old_status.published(), new_status.published()), (0, 20));
    assert_ne!(leader(&pool).await, Some(old_pid));
    background.stop().await;
    process.join().expect("no panic");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_relay_alone_is_back_at_once_however_often_it_lost_its_session(pool: PgPool) {
    let background = Background::default();
    let status = background.relay(&pool, QUICK_RELAY);
    let began = Instant::now();
    for _ in 0..8 {
        eventually("it leads", async || status.is_leading().then_some(())).await;
        terminate_leader(&pool).await;
        eventually("it notices", async || (!status.is_leading()).then_some(())).await;
    }
    until_led(&pool).await;

    // Pauses that only ever grow would add up to 15 s.
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn no_event_is_lost_or_doubled_while_leaders_die_under_concurrent_writers(pool: PgPool) {
    const WRITERS: usize = 8;
    const ROUNDS: i64 = 5;
    const EVENTS: i64 = 10;
    let project = new_project();
    let background = Background::default();
    for _ in 0..2 {
        background.relay(&pool, RelayConfig { batch: 10, ..QUICK_RELAY });
    }
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
    }
    let mut recorded = Vec::new();
    for writer in writers {
        recorded.extend(writer.await.expect("no panic"));
    }

    let published = until_published(&pool, project, recorded.len()).await;
    assert_eq!(published.len(), recorded.len());
    assert_eq!(id_set(&published), recorded.into_iter().collect());
    for writer in 0..WRITERS {
        let own = published.iter().filter(|event| event.envelope.aggregate_id == format!("writer {writer}"));
        assert!(
            own.map(|event| event.envelope.aggregate_version).eq(1..=ROUNDS * EVENTS),
            "in order of versions"
        );
    }
    background.stop().await;
    writers_pool.close().await;
}

/// A listener of another process, for one channel.
async fn listener(pool: &PgPool, channel: &str) -> PgListener {
    let mut listener = PgListener::connect_with(pool).await.expect("a listener");
    listener.listen(channel).await.expect("listens");
    listener
}

/// The payload of the next notification.
async fn heard(listener: &mut PgListener) -> String {
    let hearing = tokio::time::timeout(Duration::from_secs(30), listener.recv());
    hearing.await.expect("something to hear").expect("a notification").payload().to_owned()
}

async fn say(pool: &PgPool, channel: &str, text: &str) {
    sqlx::query("select pg_notify($1, $2)").bind(channel).bind(text).execute(pool).await.expect("said");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_commit_is_told_to_other_processes(pool: PgPool) {
    let background = Background::default();
    let waker = Waker::default();
    background.spawn(waker.clone().run(options(&pool), background.shutdown()));
    let mut listener = listener(&pool, RECORDED_CHANNEL).await;
    let project = new_project();
    let mut transaction = Outbox::new(pool.clone(), waker).begin(project).await.expect("a transaction");
    transaction.record(event(project, "a", 1)).await.expect("recorded");
    transaction.commit().await.expect("committed");

    assert_eq!(heard(&mut listener).await, "");
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_publication_is_told_to_other_processes(pool: PgPool) {
    let background = Background::default();
    let waker = Waker::default();
    background.spawn(waker.clone().run(options(&pool), background.shutdown()));
    background.spawn(Relay::new(options(&pool), QUICK_RELAY, waker).run(background.shutdown()));
    let mut listener = listener(&pool, PUBLISHED_CHANNEL).await;
    commit(&pool, &[event(new_project(), "a", 1)]).await;

    assert_eq!(heard(&mut listener).await, "");
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_business_transaction_itself_notifies_nobody(pool: PgPool) {
    let mut listener = listener(&pool, RECORDED_CHANNEL).await;
    // Its waker does not run, so whatever is heard would come from the transaction.
    let project = new_project();
    let mut transaction =
        Outbox::new(pool.clone(), Waker::default()).begin(project).await.expect("a transaction");
    transaction.record(event(project, "a", 1)).await.expect("recorded");
    transaction.commit().await.expect("committed");
    say(&pool, RECORDED_CHANNEL, "afterwards").await;

    assert_eq!(heard(&mut listener).await, "afterwards");
}

async fn until_listening(pool: &PgPool) {
    eventually("the waker to listen and to tell", async || {
        // Each has a connection of its own, and either may be there first.
        let both: bool = sqlx::query_scalar(
            "select count(*) >= 2 and count(*) filter (where query ilike 'listen %' and state = 'idle') > 0
             from pg_stat_activity where datname = current_database() and application_name = 'waker'",
        )
        .fetch_one(pool)
        .await
        .expect("a look at the sessions");
        both.then_some(())
    })
    .await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_wake_up_from_another_process_is_quicker_than_the_poll(pool: PgPool) {
    let background = Background::default();
    let waker = Waker::default();
    let waker_options = options(&pool).application_name("waker");
    background.spawn(waker.clone().run(waker_options, background.shutdown()));
    let slow = RelayConfig { poll: Duration::from_millis(3_500), ..QUICK_RELAY };
    background.spawn(Relay::new(options(&pool), slow, waker).run(background.shutdown()));
    until_listening(&pool).await;
    until_led(&pool).await;
    let project = new_project();
    let began = Instant::now();
    for version in 1..=5 {
        commit(&pool, &[event(project, "a", version)]).await;
        say(&pool, RECORDED_CHANNEL, "").await;
        until_published(&pool, project, version as usize).await;
    }

    // By the poll alone it takes 14 s at least.
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_listener_that_lost_its_connection_delays_nothing_and_listens_again(pool: PgPool) {
    let background = Background::default();
    let waker = Waker::default();
    background.spawn(waker.clone().run(options(&pool).application_name("waker"), background.shutdown()));
    background.spawn(Relay::new(options(&pool), QUICK_RELAY, waker.clone()).run(background.shutdown()));
    until_listening(&pool).await;
    assert!(terminate_sessions(&pool, "waker").await >= 2);

    let project = new_project();
    let recorded = commit(&pool, &[event(project, "a", 1)]).await;
    assert_eq!(ids(&until_published(&pool, project, 1).await), recorded);
    until_listening(&pool).await;
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_batch_that_dies_halfway_is_published_once_by_the_next_leader(pool: PgPool) {
    let project = new_project();
    let recorded = commit(&pool, &[event(project, "a", 1), event(project, "a", 2)]).await;
    // A leader that has given positions and dies before its commit.
    let mut dying = connect(&pool).await;
    let pid = crate::fixture::backend_pid(&mut dying).await;
    sqlx::query("begin").execute(&mut dying).await.expect("begun");
    assert_eq!(publish_pending(&mut dying, 10).await.expect("given"), 2);
    assert_eq!(published(&pool, project).await, [], "nobody sees them before the commit");
    terminate(&pool, pid).await;

    let background = Background::default();
    background.relay(&pool, QUICK_RELAY);
    assert_eq!(ids(&until_published(&pool, project, 2).await), recorded);
    background.stop().await;
}
