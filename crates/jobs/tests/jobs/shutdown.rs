//! The orderly end: what runs may finish, and what does not is given back.

use std::time::Duration;

use sqlx::PgPool;
use tidewatch_jobs::{JobState, Registry, WorkerOptions};

use crate::fixture::{Background, Gate, commit, commit_one, does, job, quick, task, telling, until};

#[sqlx::test(migrations = "../../migrations")]
async fn what_runs_may_finish_and_nothing_more_is_claimed(pool: PgPool) {
    let background = Background::default();
    let gate = Gate::new();
    background.workers(&pool, WorkerOptions { concurrency: 1, ..quick() }, gate.guarding(|_| Ok(())));
    let first = commit_one(&pool, task("a")).await;
    gate.until_arrived().await;
    let second = commit_one(&pool, task("b")).await;
    background.shut_down();
    gate.open();
    background.stop().await;

    assert_eq!(job(&pool, first).await.state, JobState::Completed);
    let left = job(&pool, second).await;
    assert_eq!((left.state, left.attempt), (JobState::Waiting, 0));
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_does_not_finish_is_given_back_and_the_attempt_does_not_count(pool: PgPool) {
    let background = Background::default();
    let gate = Gate::new();
    let hasty = WorkerOptions { grace: Duration::from_millis(10), ..quick() };
    background.workers(&pool, hasty, gate.guarding(|_| Ok(())));
    let ids = commit(&pool, &[task("a").with_max_attempts(1), task("b").with_max_attempts(1)]).await;
    gate.until_arrived().await;
    gate.until_arrived().await;
    background.stop().await;

    for id in &ids {
        let back = job(&pool, *id).await;
        assert_eq!(
            (back.state, back.attempt, back.leased_by, back.errors),
            (JobState::Waiting, 0, None, vec![])
        );
    }
    let others = Background::default();
    let (registry, _names) = telling();
    others.workers(&pool, quick(), registry);
    for id in ids {
        assert_eq!(until(&pool, id, JobState::Completed).await.attempt, 1);
    }
    others.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_be_dropped_is_left_to_its_lease(pool: PgPool) {
    let background = Background::default();
    let (arrived, release) = (Gate::new(), std::sync::Arc::new(std::sync::Barrier::new(2)));
    let (arrives, released) = (arrived.clone(), release.clone());
    let registry = Registry::new().with(does(move |_, _| {
        let (gate, released) = (arrives.clone(), released.clone());
        Box::pin(async move {
            gate.open();
            gate.pass().await;
            // Busy, and deaf to everybody.
            released.wait();
            Ok(())
        })
    }));
    let hasty = WorkerOptions { grace: Duration::from_millis(10), ..quick() };
    let held = hasty.name.clone();
    // A runtime of its own: the busy handler takes its thread.
    let (own, shutdown) = (pool.clone(), tokio_util::sync::CancellationToken::new());
    let told = shutdown.clone();
    let process = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let own = crate::fixture::own_pool(&own, 4);
            tidewatch_jobs::Workers::new(own.clone(), hasty, registry).run(told).await;
            own.close().await;
        });
        release.wait();
    });
    let id = commit_one(&pool, task("a")).await;
    arrived.until_arrived().await;
    shutdown.cancel();
    tokio::task::spawn_blocking(|| process.join().expect("no panic")).await.expect("ended");

    let left = job(&pool, id).await;
    assert_eq!((left.state, left.leased_by), (JobState::Running, Some(held)));
    background.stop().await;
}
