//! Which job comes first, and when.

use std::time::Duration;

use sqlx::PgPool;
use tidewatch_events::Timestamp;
use tidewatch_jobs::{JobState, WorkerOptions};

use crate::fixture::{Background, NEVER, commit, commit_one, job, quick, task, telling, told, until};

fn one_by_one() -> WorkerOptions {
    WorkerOptions { concurrency: 1, ..quick() }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_higher_priority_goes_first_and_then_the_older(pool: PgPool) {
    let jobs = [("a", 0), ("b", 5), ("c", -5), ("d", 5), ("e", 0), ("f", 100)];
    for (name, priority) in jobs {
        commit_one(&pool, task(name).with_priority(priority)).await;
    }
    let background = Background::default();
    let (registry, mut names) = telling();
    background.workers(&pool, one_by_one(), registry);

    for expected in ["f", "b", "d", "a", "e", "c"] {
        assert_eq!(told(&mut names).await, expected);
    }
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_delayed_job_waits_for_its_time_and_holds_nobody_up(pool: PgPool) {
    let background = Background::default();
    let (registry, mut names) = telling();
    background.workers(&pool, one_by_one(), registry);
    let later = commit_one(&pool, task("later").after(NEVER).with_priority(10)).await;
    let soon = commit_one(&pool, task("soon").after(Duration::from_millis(200)).with_priority(5)).await;
    let now = commit_one(&pool, task("now")).await;

    until(&pool, now, JobState::Completed).await;
    let soon = until(&pool, soon, JobState::Completed).await;
    assert!(soon.started_at.expect("it ran").millis_since(soon.created_at) >= 200);
    assert_eq!(job(&pool, later).await.state, JobState::Scheduled);
    // An hour passes.
    sqlx::query("update jobs set run_at = run_at - interval '1 hour'").execute(&pool).await.expect("due");
    until(&pool, later, JobState::Completed).await;
    let mut order = Vec::new();
    for _ in 0..3 {
        order.push(told(&mut names).await);
    }
    // On a busy machine soon can come before now.
    assert_eq!(order.last().map(String::as_str), Some("later"));
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_due_at_a_time_that_has_passed_waits_at_once_and_first(pool: PgPool) {
    let past = Timestamp::from_unix_millis(1_000_000_000_000).expect("a time");
    let future = Timestamp::from_unix_millis(32_000_000_000_000).expect("a time");
    let ids = commit(&pool, &[task("now"), task("overdue").at(past), task("in centuries").at(future)]).await;
    let states = [JobState::Waiting, JobState::Waiting, JobState::Scheduled];
    for (id, state) in ids.iter().zip(states) {
        assert_eq!(job(&pool, *id).await.state, state);
    }
    assert_eq!(job(&pool, ids[2]).await.run_at, future);
    let background = Background::default();
    let (registry, mut names) = telling();
    background.workers(&pool, one_by_one(), registry);

    for expected in ["overdue", "now"] {
        assert_eq!(told(&mut names).await, expected);
    }
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_longest_delay_is_one_that_postgres_can_add(pool: PgPool) {
    let id = commit_one(&pool, task("never").after(Duration::MAX)).await;

    assert_eq!(job(&pool, id).await.state, JobState::Scheduled);
}
