//! Cancelling: at once what waits, and by its handler what runs.

use sqlx::PgPool;
use tidewatch_jobs::{JobError, JobId, JobState, Registry, Waker, WorkerOptions, cancel};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::fixture::{
    Background, Gate, NEVER, commit, commit_one, does, eventually, job, quick, task, telling, told, until,
};

/// A handler that goes on until it is told to stop, and then ends with an error.
fn until_told() -> Registry {
    Registry::new().with(does(|job, _| {
        Box::pin(async move {
            job.cancelled().await;
            assert!(job.is_cancelled());
            Err("stopped half-way".into())
        })
    }))
}

async fn commit_cancel(pool: &PgPool, id: JobId) -> Option<JobState> {
    let mut transaction = pool.begin().await.expect("a transaction");
    let state = cancel(&mut transaction, id).await.expect("a wish");
    transaction.commit().await.expect("committed");
    state
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_waits_is_cancelled_at_once_and_never_runs(pool: PgPool) {
    let ids = commit(&pool, &[task("waits"), task("scheduled").after(NEVER), task("runs")]).await;
    for id in &ids[..2] {
        assert_eq!(commit_cancel(&pool, *id).await, Some(JobState::Cancelled));
        assert_eq!(commit_cancel(&pool, *id).await, None, "it is cancelled already");
        assert!(job(&pool, *id).await.finished_at.is_some());
    }
    let background = Background::default();
    let (registry, mut names) = telling();
    background.workers(&pool, quick(), registry);

    assert_eq!(told(&mut names).await, "runs");
    until(&pool, ids[2], JobState::Completed).await;
    background.stop().await;
    assert!(names.recv().await.is_none());
    assert_eq!(commit_cancel(&pool, ids[2]).await, None, "it is done");
    assert_eq!(commit_cancel(&pool, JobId::from_uuid(Uuid::now_v7())).await, None, "there is none");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_runs_is_told_by_the_next_sign_of_life(pool: PgPool) {
    let background = Background::default();
    background.workers(&pool, quick(), until_told());
    let id = commit_one(&pool, task("a")).await;
    until(&pool, id, JobState::Running).await;
    assert_eq!(commit_cancel(&pool, id).await, Some(JobState::Running));

    let cancelled = until(&pool, id, JobState::Cancelled).await;
    assert_eq!(cancelled.attempt, 1);
    assert_eq!(cancelled.errors[0].message, "stopped half-way");
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_runs_is_told_at_once_where_somebody_wakes(pool: PgPool) {
    let background = Background::default();
    let (here, there) = (background.waker(&pool), background.waker(&pool));
    let deaf = || WorkerOptions { heartbeat: NEVER, ..quick() };
    background.workers_woken_by(&here, &pool, deaf(), until_told());
    for waker in [&here, &there] {
        let id = commit_one(&pool, task("a")).await;
        until(&pool, id, JobState::Running).await;
        commit_cancel(&pool, id).await;
        waker.wake_cancelled();
        until(&pool, id, JobState::Cancelled).await;
    }
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_completes_all_the_same_is_completed_and_who_fails_is_cancelled(pool: PgPool) {
    type End = fn() -> Result<(), JobError>;
    let ends: [(&str, End, JobState); 4] = [
        ("done", || Ok(()), JobState::Completed),
        ("failed", || Err("down".into()), JobState::Cancelled),
        ("snoozed", || Err(JobError::snooze(NEVER)), JobState::Cancelled),
        ("panicked", || panic!("at the disco"), JobState::Cancelled),
    ];
    for (what, end, state) in ends {
        let background = Background::default();
        let gate = Gate::new();
        background.workers(&pool, quick(), gate.guarding(move |_| end()));
        let id = commit_one(&pool, task(what).with_max_attempts(1)).await;
        gate.until_arrived().await;
        commit_cancel(&pool, id).await;
        gate.open();
        let ended = until(&pool, id, state).await;
        assert!(ended.cancel_requested, "{what}");
        background.stop().await;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_wish_that_takes_its_time_to_commit_holds_nobody_up(pool: PgPool) {
    let background = Background::default();
    let gate = Gate::new();
    let short = WorkerOptions { lease: std::time::Duration::from_secs(1), ..quick() };
    background.workers_woken_by(&Waker::default(), &pool, short, gate.guarding(|_| Ok(())));
    let ids = commit(&pool, &[task("a"), task("b"), task("c")]).await;
    for _ in &ids {
        gate.until_arrived().await;
    }
    let mut lasting = pool.begin().await.expect("a transaction");
    cancel(&mut lasting, ids[0]).await.expect("a wish");
    // All three end; the row of the first is locked.
    for _ in &ids {
        gate.open();
    }
    for id in &ids[1..] {
        until(&pool, *id, JobState::Completed).await;
    }
    let next = commit_one(&pool, task("next")).await;
    gate.until_arrived().await;
    gate.open();
    until(&pool, next, JobState::Completed).await;
    assert_eq!(job(&pool, ids[0]).await.state, JobState::Running);
    lasting.rollback().await.expect("rolled back");

    let done = until(&pool, ids[0], JobState::Completed).await;
    assert_eq!((done.attempt, done.cancel_requested), (1, false));
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_wish_that_takes_its_time_to_commit_stops_no_sign_of_life(pool: PgPool) {
    let background = Background::default();
    let gate = Gate::new();
    background.workers(&pool, quick(), gate.guarding(|_| Ok(())));
    let ids = commit(&pool, &[task("a"), task("b")]).await;
    for _ in &ids {
        gate.until_arrived().await;
    }
    let mut lasting = pool.begin().await.expect("a transaction");
    cancel(&mut lasting, ids[0]).await.expect("a wish");
    // Behind any sign of life that was on its way when the row was locked.
    let before: OffsetDateTime = sqlx::query_scalar("select max(leased_until) + interval '200 ms' from jobs")
        .fetch_one(&pool)
        .await
        .expect("a lease");
    eventually("the lease of the other one is extended", async || {
        sqlx::query_scalar::<_, bool>("select leased_until > $2 from jobs where id = $1")
            .bind(ids[1].uuid())
            .bind(before)
            .fetch_one(&pool)
            .await
            .expect("a look")
            .then_some(())
    })
    .await;
    lasting.rollback().await.expect("rolled back");
    for id in ids {
        gate.open();
        gate.open();
        until(&pool, id, JobState::Completed).await;
    }
    background.stop().await;
}
