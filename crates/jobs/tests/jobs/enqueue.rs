//! Enqueueing: with the transaction or not at all, and one job of a key.

use serde_json::json;
use sqlx::PgPool;
use tidewatch_jobs::{EnqueueError, Enqueued, JobPayload, JobState, NewJob, Registry, enqueue, enqueue_all};

use crate::fixture::{
    Background, Chore, Gate, commit, commit_one, count, eventually, quick, seed_project, task, telling, told,
    until, until_query_blocked,
};

#[sqlx::test(migrations = "../../migrations")]
async fn a_transaction_that_is_rolled_back_enqueues_nothing(pool: PgPool) {
    let mut transaction = pool.begin().await.expect("a transaction");
    enqueue(&mut transaction, task("never")).await.expect("enqueued");
    transaction.rollback().await.expect("rolled back");

    assert_eq!(count(&pool).await, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_job_is_done_after_the_commit_and_not_before(pool: PgPool) {
    let background = Background::default();
    let (registry, mut names) = telling();
    background.workers(&pool, quick(), registry);
    let mut transaction = pool.begin().await.expect("a transaction");
    let waits = enqueue(&mut transaction, task("waits for its commit")).await.expect("enqueued").id();
    let first = commit_one(&pool, task("committed")).await;
    until(&pool, first, JobState::Completed).await;
    assert_eq!(told(&mut names).await, "committed");
    transaction.commit().await.expect("committed");

    let done = until(&pool, waits, JobState::Completed).await;
    assert_eq!(told(&mut names).await, "waits for its commit");
    assert_eq!((done.attempt, done.errors, done.leased_by), (1, vec![], None));
    assert!(done.finished_at >= done.started_at);
    background.stop().await;
    assert!(names.recv().await.is_none(), "each once");
}

#[sqlx::test(migrations = "../../migrations")]
async fn many_are_enqueued_in_their_order(pool: PgPool) {
    let jobs: Vec<_> = (0..100).map(|number| task(&number.to_string())).collect();
    let ids = commit(&pool, &jobs).await;
    let in_order: Vec<uuid::Uuid> = sqlx::query_scalar("select id from jobs order by run_at, id")
        .fetch_all(&pool)
        .await
        .expect("the jobs");

    assert_eq!(in_order, ids.iter().map(|id| id.uuid()).collect::<Vec<_>>());
    assert!(commit(&pool, &[]).await.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_postgres_cannot_hold_is_refused_and_the_transaction_goes_on(pool: PgPool) {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Misnamed;
    impl JobPayload for Misnamed {
        const KIND: &'static str = "Misnamed";
    }
    let mut transaction = pool.begin().await.expect("a transaction");
    for (what, job) in [
        ("a kind without a dot", NewJob::of(&Misnamed).expect("a payload")),
        ("a queue with a space", task("a").in_queue("a queue")),
        ("no attempt", task("a").with_max_attempts(0)),
        ("too many attempts", task("a").with_max_attempts(1_001)),
        ("an empty key", task("a").unique("")),
        ("a key with NUL", task("a").unique("\0")),
        ("a key that is too long", task("a").unique("k".repeat(201))),
    ] {
        let refused = enqueue(&mut transaction, job).await;
        assert!(matches!(refused, Err(EnqueueError::Invalid(_))), "{what}: {refused:?}");
    }
    let refused = enqueue(&mut transaction, task("a\0b")).await;
    assert!(matches!(refused, Err(EnqueueError::Nul { .. })), "{refused:?}");
    let refused = enqueue(&mut transaction, task(&"a".repeat(256 * 1024))).await;
    assert!(matches!(refused, Err(EnqueueError::PayloadTooLarge { bytes: 262_155, .. })), "{refused:?}");
    enqueue(&mut transaction, task("fine")).await.expect("enqueued");
    transaction.commit().await.expect("committed");

    assert_eq!(count(&pool).await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_largest_payload_is_taken(pool: PgPool) {
    let rest = json!({ "name": "" }).to_string().len();
    let id = commit_one(&pool, task(&"a".repeat(256 * 1024 - rest))).await;
    let background = Background::default();
    let (registry, _names) = telling();
    background.workers(&pool, quick(), registry);

    until(&pool, id, JobState::Completed).await;
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_one_key_one_job_is_unfinished(pool: PgPool) {
    let mut connection = pool.acquire().await.expect("a connection");
    let keyed = || task("a").unique("k");
    let first = enqueue(&mut connection, keyed()).await.expect("enqueued");
    assert!(first.is_new());
    let existing = Enqueued::Existing(first.id());
    assert_eq!(enqueue(&mut connection, keyed()).await.expect("found"), existing);
    assert_eq!(
        enqueue_all(&mut connection, &[keyed(), task("b"), keyed()]).await.expect("found")[0],
        existing
    );

    let background = Background::default();
    let gate = Gate::new();
    background.workers(&pool, quick(), gate.guarding(|_| Ok(())));
    gate.until_arrived().await;
    until(&pool, first.id(), JobState::Running).await;
    assert_eq!(enqueue(&mut connection, keyed()).await.expect("found"), existing, "it runs");
    gate.open();
    gate.open();
    until(&pool, first.id(), JobState::Completed).await;

    assert!(enqueue(&mut connection, keyed()).await.expect("enqueued").is_new(), "it is done");
    gate.open();
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_one_key_in_one_call_the_first_is_enqueued(pool: PgPool) {
    let mut connection = pool.acquire().await.expect("a connection");
    let keyed = |name, key: &str| task(name).unique(key);
    let enqueued =
        enqueue_all(&mut connection, &[keyed("a", "k"), keyed("b", "l"), keyed("c", "k"), task("d")])
            .await
            .expect("enqueued");

    assert_eq!(enqueued.iter().map(|one| one.is_new()).collect::<Vec<_>>(), [true, true, false, true]);
    assert_eq!(enqueued[2], Enqueued::Existing(enqueued[0].id()));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_key_is_of_its_queue_kind_and_project(pool: PgPool) {
    let (here, there) = (seed_project(&pool, "here").await, seed_project(&pool, "there").await);
    let mut connection = pool.acquire().await.expect("a connection");
    let others = [
        task("a").unique("k"),
        NewJob::of(&Chore).expect("a payload").unique("k"),
        task("a").unique("k").in_queue("other"),
        task("a").unique("k").in_project(here),
        task("a").unique("k").in_project(there),
    ];
    let first = enqueue_all(&mut connection, &others).await.expect("enqueued");
    assert!(first.iter().all(|one| one.is_new()));
    let second = enqueue_all(&mut connection, &others).await.expect("found");

    assert_eq!(second, first.iter().map(|one| Enqueued::Existing(one.id())).collect::<Vec<_>>());
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_transactions_with_one_key_the_second_waits_for_the_first(pool: PgPool) {
    for commits in [true, false] {
        let key = format!("the first commits: {commits}");
        let mut first = pool.begin().await.expect("a transaction");
        let one = enqueue(&mut first, task("a").unique(&key)).await.expect("enqueued");
        let (own, own_key) = (pool.clone(), key.clone());
        let second = tokio::spawn(async move {
            let mut second = own.begin().await.expect("a transaction");
            let other = enqueue(&mut second, task("b").unique(own_key)).await.expect("enqueued or found");
            second.commit().await.expect("committed");
            other
        });
        until_query_blocked(&pool, "insert into jobs").await;
        if commits {
            first.commit().await.expect("committed");
            assert_eq!(second.await.expect("no panic"), Enqueued::Existing(one.id()));
        } else {
            first.rollback().await.expect("rolled back");
            assert!(second.await.expect("no panic").is_new());
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_kind_that_nobody_here_handles_is_left_for_others(pool: PgPool) {
    let chore = commit_one(&pool, NewJob::of(&Chore).expect("a payload")).await;
    let elsewhere = commit_one(&pool, task("elsewhere").in_queue("elsewhere")).await;
    let here = commit_one(&pool, task("here")).await;
    let background = Background::default();
    let (registry, _names) = telling();
    background.workers(&pool, quick(), registry);
    background.workers(&pool, quick(), Registry::new());
    until(&pool, here, JobState::Completed).await;

    for left in [chore, elsewhere] {
        let left = crate::fixture::job(&pool, left).await;
        assert_eq!((left.state, left.attempt), (JobState::Waiting, 0));
    }
    let (registry, mut names) = telling();
    background.workers(
        &pool,
        tidewatch_jobs::WorkerOptions { queue: "elsewhere".to_owned(), ..quick() },
        registry,
    );
    until(&pool, elsewhere, JobState::Completed).await;
    eventually("it was told", async || names.try_recv().ok()).await;
    background.stop().await;
}
