//! Many jobs at once: done again, and called off.

use sqlx::PgPool;
use tidewatch_jobs::{
    CancelledJobs, JobFilter, JobId, JobState, cancel, cancel_all, count_cancelled, count_retried, retry_all,
};

use crate::fixture::{Background, NEVER, commit, commit_one, does, job, quick, task, until};

fn of(state: JobState) -> JobFilter {
    JobFilter { state: Some(state), ..JobFilter::default() }
}

/// Calls these off one by one.
async fn call_off(pool: &PgPool, ids: &[JobId]) {
    let mut connection = pool.acquire().await.expect("a connection");
    for id in ids {
        cancel(&mut connection, *id).await.expect("cancelled");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn all_that_a_filter_shows_are_done_again_and_nothing_else(pool: PgPool) {
    let mine = commit(&pool, &[task("a").after(NEVER), task("b").after(NEVER)]).await;
    let elsewhere = commit_one(&pool, task("c").in_queue("elsewhere")).await;
    call_off(&pool, &[mine[0], mine[1], elsewhere]).await;
    let waits = commit_one(&pool, task("d").after(NEVER)).await;
    let mut connection = pool.acquire().await.expect("a connection");
    let filter = JobFilter { queue: Some("default".to_owned()), ..of(JobState::Cancelled) };

    assert_eq!(count_retried(&mut connection, &of(JobState::Cancelled)).await.expect("a count"), 3);
    assert_eq!(count_retried(&mut connection, &filter).await.expect("a count"), 2);
    assert_eq!(count_retried(&mut connection, &of(JobState::Waiting)).await.expect("a count"), 0);
    assert_eq!(retry_all(&mut connection, &filter).await.expect("done"), 2);
    assert_eq!(retry_all(&mut connection, &filter).await.expect("done"), 0);
    for id in mine {
        let job = job(&pool, id).await;
        assert_eq!((job.state, job.attempt, job.cancel_requested), (JobState::Waiting, 0, false));
    }
    assert_eq!(job(&pool, elsewhere).await.state, JobState::Cancelled);
    assert_eq!(job(&pool, waits).await.state, JobState::Scheduled, "it is not early by this");
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_a_unique_key_one_is_done_again_at_most(pool: PgPool) {
    let mut same = Vec::new();
    for _ in 0..2 {
        let id = commit_one(&pool, task("same").unique("same").after(NEVER)).await;
        call_off(&pool, &[id]).await;
        same.push(id);
    }
    let taken = commit_one(&pool, task("taken").unique("taken").after(NEVER)).await;
    call_off(&pool, &[taken]).await;
    commit_one(&pool, task("taken").unique("taken").after(NEVER)).await;
    let mut connection = pool.acquire().await.expect("a connection");

    assert_eq!(count_retried(&mut connection, &of(JobState::Cancelled)).await.expect("a count"), 1);
    assert_eq!(retry_all(&mut connection, &of(JobState::Cancelled)).await.expect("done"), 1);
    assert_eq!(job(&pool, same[1]).await.state, JobState::Waiting, "the newest");
    assert_eq!(job(&pool, same[0]).await.state, JobState::Cancelled);
    assert_eq!(job(&pool, taken).await.state, JobState::Cancelled);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_waits_is_called_off_and_what_runs_is_told(pool: PgPool) {
    let background = Background::default();
    let registry = tidewatch_jobs::Registry::new().with(does(|job, _| {
        Box::pin(async move {
            job.cancelled().await;
            Ok(())
        })
    }));
    background.workers(&pool, quick(), registry);
    let runs = commit_one(&pool, task("runs")).await;
    until(&pool, runs, JobState::Running).await;
    let waits = commit(&pool, &[task("a").after(NEVER), task("b").after(NEVER)]).await;
    let all = JobFilter::default();
    let mut connection = pool.acquire().await.expect("a connection");

    assert_eq!(count_cancelled(&mut connection, &all).await.expect("a count"), 3);
    assert_eq!(count_cancelled(&mut connection, &of(JobState::Dead)).await.expect("a count"), 0);
    let came = cancel_all(&mut connection, &all).await.expect("called off");
    assert_eq!(came, CancelledJobs { cancelled: 2, told: 1 });
    assert_eq!(count_cancelled(&mut connection, &all).await.expect("a count"), 0, "all are told");
    for id in waits {
        assert_eq!(job(&pool, id).await.state, JobState::Cancelled);
    }
    background.stop().await;
    assert!(job(&pool, runs).await.state.is_final());
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_somebody_holds_is_left_out_and_not_waited_for(pool: PgPool) {
    let ids = commit(&pool, &[task("held").after(NEVER), task("free").after(NEVER)]).await;
    let mut other = pool.begin().await.expect("a transaction");
    cancel(&mut other, ids[0]).await.expect("a wish");
    let mut connection = pool.acquire().await.expect("a connection");

    let came = cancel_all(&mut connection, &JobFilter::default()).await.expect("called off");
    assert_eq!(came, CancelledJobs { cancelled: 1, told: 0 });
    other.rollback().await.expect("rolled back");
    assert_eq!(job(&pool, ids[0]).await.state, JobState::Scheduled);
    assert_eq!(job(&pool, ids[1]).await.state, JobState::Cancelled);
}
