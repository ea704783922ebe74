//! Wake-ups are hints: with them nobody waits for a poll, and without them nothing is lost.

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tidewatch_jobs::{JOBS_CHANNEL, JobState, WorkerOptions};

use crate::fixture::{Background, NEVER, commit_one, quick, task, telling, until};

fn sleepy() -> WorkerOptions {
    WorkerOptions { poll: NEVER, ..quick() }
}

#[sqlx::test(migrations = "../../migrations")]
async fn workers_here_and_elsewhere_hear_of_a_commit_at_once(pool: PgPool) {
    let background = Background::default();
    let (here, there) = (background.waker(&pool), background.waker(&pool));
    let (registry, _names) = telling();
    background.workers_woken_by(&here, &pool, sleepy(), registry);
    for waker in [&here, &there, &here, &there] {
        let id = commit_one(&pool, task("a")).await;
        waker.wake_workers();
        until(&pool, id, JobState::Completed).await;
    }
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn all_workers_of_a_process_hear_it(pool: PgPool) {
    let background = Background::default();
    let waker = background.waker(&pool);
    let mut told = Vec::new();
    for queue in ["one", "two"] {
        let (registry, names) = telling();
        told.push(names);
        background.workers_woken_by(
            &waker,
            &pool,
            WorkerOptions { queue: queue.to_owned(), ..sleepy() },
            registry,
        );
    }
    let one = commit_one(&pool, task("a").in_queue("one")).await;
    let two = commit_one(&pool, task("b").in_queue("two")).await;
    waker.wake_workers();

    for id in [one, two] {
        until(&pool, id, JobState::Completed).await;
    }
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_transaction_that_enqueues_does_not_notify(pool: PgPool) {
    let listening = crate::fixture::own_pool(&pool, 1);
    let mut listener = PgListener::connect_with(&listening).await.expect("connected");
    listener.listen(JOBS_CHANNEL).await.expect("listens");
    commit_one(&pool, task("a")).await;
    sqlx::query("select pg_notify($1, 'the end')").bind(JOBS_CHANNEL).execute(&pool).await.expect("told");

    assert_eq!(listener.recv().await.expect("heard").payload(), "the end");
    drop(listener);
    listening.close().await;
}
