//! Failures: tried again, dead in the end, and nobody else's business.

use std::time::Duration;

use sqlx::PgPool;
use tidewatch_jobs::{
    Handler, JobContext, JobError, JobState, Registry, RetryError, RetryPolicy, Waker, WorkerOptions,
    enqueue, retry,
};

use crate::fixture::{
    Background, NEVER, Task, commit, commit_one, does, job, messages, quick, task, telling, until,
};

/// A handler that fails at each attempt before `good`.
fn failing_before(good: u32) -> Registry {
    Registry::new().with(does(move |job, _| {
        Box::pin(async move {
            if job.attempt() < good {
                return Err(format!("attempt {} failed", job.attempt()).into());
            }
            Ok(())
        })
    }))
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_fails_is_tried_again_until_it_is_done(pool: PgPool) {
    let background = Background::default();
    background.workers(&pool, quick(), failing_before(4));
    let done = commit_one(&pool, task("a")).await;

    let done = until(&pool, done, JobState::Completed).await;
    assert_eq!(done.attempt, 4);
    assert_eq!(messages(&done), ["attempt 1 failed", "attempt 2 failed", "attempt 3 failed"]);
    assert_eq!(done.errors.iter().map(|error| error.attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(done.errors.iter().all(|error| error.at >= done.created_at));
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_always_fails_is_dead_in_the_end_with_its_last_errors_kept(pool: PgPool) {
    let background = Background::default();
    background.workers(&pool, quick(), failing_before(u32::MAX));
    let dead = commit_one(&pool, task("a").with_max_attempts(13)).await;

    let dead = until(&pool, dead, JobState::Dead).await;
    assert_eq!(dead.attempt, 13);
    assert_eq!(
        dead.errors.iter().map(|error| error.attempt).collect::<Vec<_>>(),
        (4..=13).collect::<Vec<_>>()
    );
    assert!(dead.finished_at.is_some());
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn it_waits_as_the_policy_says_or_as_its_error_says(pool: PgPool) {
    let background = Background::default();
    let hour = RetryPolicy { unit: NEVER, jitter: 0.0, longest: 2 * NEVER };
    let registry = Registry::new().with(does(|_, task| {
        Box::pin(async move {
            match task.name.as_str() {
                "policy" => Err("down".into()),
                _ => Err(JobError::retry_after(Duration::from_secs(600), "busy")),
            }
        })
    }));
    background.workers(&pool, WorkerOptions { retry: hour, ..quick() }, registry);
    for (name, seconds) in [("policy", 3600), ("error", 600)] {
        let id = commit_one(&pool, task(name)).await;
        let waits = until(&pool, id, JobState::Scheduled).await;
        let wait = waits.run_at.millis_since(waits.errors[0].at);
        assert!((wait - seconds * 1000).abs() < 5_000, "{name}: {wait} ms");
        assert_eq!(waits.leased_by, None);
    }
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_job_that_panics_hurts_nobody_else(pool: PgPool) {
    let background = Background::default();
    let registry = Registry::new().with(does(|_, task| {
        // Not in the future alone: what makes it can panic, too.
        assert!(task.name != "poison at once", "at once");
        Box::pin(async move {
            assert!(task.name != "poison", "it was poison");
            Ok(())
        })
    }));
    background.workers(&pool, WorkerOptions { concurrency: 2, ..quick() }, registry);
    let poison = [task("poison").with_max_attempts(3), task("poison at once").with_max_attempts(3)];
    let poison = commit(&pool, &poison).await;
    let good = commit(&pool, &vec![task("good"); 50]).await;

    for id in good {
        assert_eq!(until(&pool, id, JobState::Completed).await.attempt, 1);
    }
    let dead = until(&pool, poison[0], JobState::Dead).await;
    assert_eq!(messages(&dead), vec!["panicked: it was poison"; 3]);
    let dead = until(&pool, poison[1], JobState::Dead).await;
    assert_eq!(messages(&dead), vec!["panicked: at once"; 3]);
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_hangs_is_dropped_after_its_time(pool: PgPool) {
    struct Hangs;
    impl Handler for Hangs {
        type Payload = Task;
        async fn run(&self, _: &JobContext, _: Task) -> Result<(), JobError> {
            std::future::pending().await
        }
        fn timeout(&self) -> Duration {
            Duration::from_millis(10)
        }
    }
    let background = Background::default();
    background.workers(&pool, quick(), Registry::new().with(Hangs));
    let id = commit_one(&pool, task("a").with_max_attempts(1)).await;

    let dead = until(&pool, id, JobState::Dead).await;
    assert_eq!(messages(&dead), ["took longer than 10ms"]);
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_payload_that_cannot_be_read_is_a_failed_attempt(pool: PgPool) {
    let ids =
        commit(&pool, &[task("a").with_max_attempts(1), task("b").with_max_attempts(1), task("c")]).await;
    for (id, payload) in [(ids[0], r#"{"title": "a"}"#), (ids[1], r#"{"name": 1e400}"#)] {
        sqlx::query("update jobs set payload = $2::jsonb where id = $1")
            .bind(id.uuid())
            .bind(payload)
            .execute(&pool)
            .await
            .expect("written by another program");
    }
    let background = Background::default();
    let (registry, _names) = telling();
    background.workers(&pool, quick(), registry);

    let dead = until(&pool, ids[0], JobState::Dead).await;
    assert_eq!(
        messages(&dead),
        ["the payload is none of test.task: missing field `name` at line 1 column 14"]
    );
    until(&pool, ids[1], JobState::Dead).await;
    until(&pool, ids[2], JobState::Completed).await;
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_message_that_postgres_cannot_hold_is_kept_as_far_as_it_can(pool: PgPool) {
    let background = Background::default();
    let registry = Registry::new().with(does(|_, task| {
        Box::pin(async move { if task.name == "bad" { Err("a\0b".repeat(10_000).into()) } else { Ok(()) } })
    }));
    background.workers(&pool, quick(), registry);
    let ids = commit(&pool, &[task("bad").with_max_attempts(1), task("good")]).await;

    let dead = until(&pool, ids[0], JobState::Dead).await;
    assert!(
        dead.errors[0].message.starts_with("a\u{fffd}b") && dead.errors[0].message.chars().count() == 2_000
    );
    until(&pool, ids[1], JobState::Completed).await;
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_snoozed_job_comes_back_and_the_attempt_does_not_count(pool: PgPool) {
    let background = Background::default();
    let naps = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let registry = Registry::new().with(does(move |_, _| {
        let naps = naps.clone();
        Box::pin(async move {
            match naps.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                0..5 => Err(JobError::snooze(Duration::from_millis(1))),
                _ => Ok(()),
            }
        })
    }));
    background.workers(&pool, quick(), registry);
    let id = commit_one(&pool, task("a").with_max_attempts(1)).await;

    let done = until(&pool, id, JobState::Completed).await;
    assert_eq!((done.attempt, done.errors), (1, vec![]));
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_handler_can_give_up_for_good(pool: PgPool) {
    let background = Background::default();
    let registry =
        Registry::new().with(does(|_, _| Box::pin(async { Err(JobError::cancel("there is no such key")) })));
    background.workers(&pool, quick(), registry);
    let id = commit_one(&pool, task("a")).await;

    let cancelled = until(&pool, id, JobState::Cancelled).await;
    assert_eq!(messages(&cancelled), ["there is no such key"]);
    assert!(!cancelled.cancel_requested);
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_dead_job_is_done_again_when_somebody_wants_it(pool: PgPool) {
    let (broken, mended) = (Background::default(), Background::default());
    broken.workers(&pool, quick(), failing_before(u32::MAX));
    let id = commit_one(&pool, task("a").with_max_attempts(2)).await;
    until(&pool, id, JobState::Dead).await;
    broken.stop().await;
    let mut connection = pool.acquire().await.expect("a connection");
    assert!(retry(&mut connection, id).await.expect("retried"));
    assert!(!retry(&mut connection, id).await.expect("it waits already"));
    let waits = job(&pool, id).await;
    assert_eq!((waits.state, waits.attempt, waits.finished_at), (JobState::Waiting, 0, None));

    mended.workers(&pool, quick(), failing_before(2));
    let done = until(&pool, id, JobState::Completed).await;
    assert_eq!(done.attempt, 2);
    assert_eq!(messages(&done), ["attempt 1 failed", "attempt 2 failed", "attempt 1 failed"]);
    assert!(retry(&mut connection, id).await.expect("a completed one, too"));
    until(&pool, id, JobState::Completed).await;
    mended.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_job_whose_key_was_given_away_is_not_put_back(pool: PgPool) {
    let background = Background::default();
    let waker = Waker::default();
    background.workers_woken_by(&waker, &pool, quick(), failing_before(u32::MAX));
    let id = commit_one(&pool, task("a").unique("k").with_max_attempts(1)).await;
    until(&pool, id, JobState::Dead).await;
    background.stop().await;
    let mut connection = pool.acquire().await.expect("a connection");
    assert!(enqueue(&mut connection, task("b").unique("k")).await.expect("enqueued").is_new());

    assert!(matches!(retry(&mut connection, id).await, Err(RetryError::KeyTaken)));
}
