//! Workers that are lost, and those that only seem to be.

use std::process::Stdio;
use std::time::Duration;

use sqlx::{ConnectOptions, PgPool};
use tidewatch_jobs::{
    CompleteError, JobContext, JobError, JobId, JobState, Registry, WorkerOptions, Workers, cancel,
};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use crate::fixture::{
    Background, Gate, commit_one, does, eventually, job, messages, own_pool, quick, silent, task, telling,
    told, until,
};

/// The database of a worker that is to be killed.
const VICTIM: &str = "TIDEWATCH_TEST_VICTIM";

fn named(name: &str, options: WorkerOptions) -> WorkerOptions {
    WorkerOptions { name: name.to_owned(), ..options }
}

/// No test: the process that [`the_job_of_a_killed_process_is_taken_over`] kills.
#[tokio::test]
#[ignore = "a process of another test"]
async fn victim() {
    let Ok(url) = std::env::var(VICTIM) else { return };
    let pool = PgPool::connect(&url).await.expect("connected");
    let options = WorkerOptions { lease: Duration::from_secs(1), ..quick() };
    Workers::new(pool, named("victim", options), Gate::new().guarding(|_| Ok(())))
        .run(CancellationToken::new())
        .await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_job_of_a_killed_process_is_taken_over(pool: PgPool) {
    let mut victim = tokio::process::Command::new(std::env::current_exe().expect("this test's program"))
        .args(["--exact", "lost::victim", "--ignored"])
        .env(VICTIM, pool.connect_options().to_url_lossy().as_str())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("a process");
    let id = commit_one(&pool, task("a")).await;
    let running = until(&pool, id, JobState::Running).await;
    assert_eq!(running.leased_by.as_deref(), Some("victim"));
    victim.kill().await.expect("killed");
    let background = Background::default();
    let (registry, mut names) = telling();
    background.workers(&pool, quick(), registry);

    let done = until(&pool, id, JobState::Completed).await;
    assert_eq!(told(&mut names).await, "a");
    assert_eq!(done.attempt, 2);
    assert_eq!(messages(&done), ["the worker victim was lost"]);
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_job_that_takes_longer_than_its_lease_is_kept_by_signs_of_life(pool: PgPool) {
    let background = Background::default();
    let gate = Gate::new();
    let short = WorkerOptions { lease: Duration::from_secs(2), ..quick() };
    background.workers(&pool, short.clone(), gate.guarding(|_| Ok(())));
    background.workers(&pool, short, gate.guarding(|_| Ok(())));
    let id = commit_one(&pool, task("a")).await;
    gate.until_arrived().await;
    eventually("the first lease would have run out", async || {
        sqlx::query_scalar::<_, bool>(
            "select clock_timestamp() > started_at + interval '3 seconds' from jobs",
        )
        .fetch_one(&pool)
        .await
        .expect("a look")
        .then_some(())
    })
    .await;
    assert_eq!(job(&pool, id).await.state, JobState::Running);
    gate.open();

    let done = until(&pool, id, JobState::Completed).await;
    assert_eq!((done.attempt, done.errors), (1, vec![]));
    background.stop().await;
}

/// A job that the worker `late` has lost to the worker `other`; both stand before their gates.
struct Lost {
    job: JobId,
    late: (Background, Gate),
    other: (Background, Gate),
}

impl Lost {
    async fn new(
        pool: &PgPool,
        end: impl Fn(&JobContext) -> Result<(), JobError> + Clone + Send + Sync + 'static,
    ) -> Self {
        let late = (Background::default(), Gate::new());
        let other = (Background::default(), Gate::new());
        // It does one job at a time, and so has no place to take the job back itself.
        let one_by_one = WorkerOptions { concurrency: 1, ..silent() };
        late.0.workers(pool, named("late", one_by_one), late.1.guarding(end));
        let job = commit_one(pool, task("a")).await;
        late.1.until_arrived().await;
        other.0.workers(pool, named("other", quick()), other.1.guarding(|_| Ok(())));
        other.1.until_arrived().await;
        Self { job, late, other }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_late_worker_does_not_complete_what_another_one_has(pool: PgPool) {
    let Lost { job: id, late, other } = Lost::new(&pool, |_| Ok(())).await;
    late.1.open();
    // It ends once it has written what its run came to, or found that it may not.
    late.0.stop().await;

    let runs = job(&pool, id).await;
    assert_eq!((runs.state, runs.leased_by.as_deref()), (JobState::Running, Some("other")));
    other.1.open();
    assert_eq!(until(&pool, id, JobState::Completed).await.attempt, 2);
    other.0.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_late_worker_does_not_fail_what_another_one_has_done(pool: PgPool) {
    let Lost { job: id, late, other } = Lost::new(&pool, |_| Err("too late".into())).await;
    other.1.open();
    until(&pool, id, JobState::Completed).await;
    other.0.stop().await;
    late.1.open();
    late.0.stop().await;

    let done = job(&pool, id).await;
    assert_eq!(done.state, JobState::Completed);
    assert_eq!(messages(&done), ["the worker late was lost"]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_late_worker_does_not_give_back_what_another_one_has(pool: PgPool) {
    let Lost { job: id, late, other } = Lost::new(&pool, |_| Ok(())).await;
    // Its run stands before the gate for good, and is dropped.
    late.0.stop().await;

    let runs = job(&pool, id).await;
    assert_eq!((runs.state, runs.leased_by.as_deref(), runs.attempt), (JobState::Running, Some("other"), 2));
    other.1.open();
    until(&pool, id, JobState::Completed).await;
    other.0.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_worker_that_finds_its_lease_lost_tells_its_handler(pool: PgPool) {
    let background = Background::default();
    let (stopped, mut news) = unbounded_channel();
    let registry = Registry::new().with(does(move |job, _| {
        let stopped = stopped.clone();
        Box::pin(async move {
            job.cancelled().await;
            stopped.send(job.attempt())?;
            Ok(())
        })
    }));
    background.workers(&pool, WorkerOptions { concurrency: 1, ..quick() }, registry);
    let id = commit_one(&pool, task("a")).await;
    until(&pool, id, JobState::Running).await;
    // Another worker has it, for good.
    sqlx::query("update jobs set lease = lease + 1, leased_by = 'other'")
        .execute(&pool)
        .await
        .expect("taken");

    assert_eq!(told(&mut news).await, 1);
    background.stop().await;
    assert_eq!(job(&pool, id).await.leased_by.as_deref(), Some("other"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_job_that_always_takes_its_worker_along_is_dead_in_the_end(pool: PgPool) {
    let background = Background::default();
    let gate = Gate::new();
    background.workers(&pool, named("late", silent()), gate.guarding(|_| Ok(())));
    let id = commit_one(&pool, task("a").with_max_attempts(3)).await;

    let dead = until(&pool, id, JobState::Dead).await;
    assert_eq!(messages(&dead), vec!["the worker late was lost"; 3]);
    for _ in 0..3 {
        gate.open();
    }
    background.stop().await;
    assert_eq!(job(&pool, id).await.state, JobState::Dead);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_lost_job_that_was_to_be_cancelled_is(pool: PgPool) {
    let background = Background::default();
    let gate = Gate::new();
    let silent = WorkerOptions { lease: Duration::from_secs(1), ..silent() };
    background.workers(&pool, silent, gate.guarding(|_| Ok(())));
    let id = commit_one(&pool, task("a")).await;
    gate.until_arrived().await;
    let mut connection = pool.acquire().await.expect("a connection");
    assert_eq!(cancel(&mut connection, id).await.expect("a wish"), Some(JobState::Running));

    until(&pool, id, JobState::Cancelled).await;
    gate.open();
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_effect_that_commits_with_its_completion_takes_place_once(pool: PgPool) {
    sqlx::query("create table effects (worker text not null)").execute(&pool).await.expect("a table");
    let background = Background::default();
    let (results, mut ended) = unbounded_channel();
    let gates = [("late", Gate::new(), silent()), ("other", Gate::new(), quick())];
    let pools = [own_pool(&pool, 1), own_pool(&pool, 1)];
    let id = commit_one(&pool, task("a")).await;
    for ((name, gate, options), effects) in gates.iter().zip(&pools) {
        let (name, gate, effects, results) = (*name, gate.clone(), effects.clone(), results.clone());
        let behind = gate.clone();
        let registry = Registry::new().with(does(move |job, _| {
            let (gate, effects, results) = (gate.clone(), effects.clone(), results.clone());
            Box::pin(async move {
                gate.pass().await;
                let mut transaction = effects.begin().await?;
                sqlx::query("insert into effects values ($1)").bind(name).execute(&mut *transaction).await?;
                let completed = job.complete_in(&mut transaction).await;
                if completed.is_ok() {
                    transaction.commit().await?;
                } else {
                    transaction.rollback().await?;
                }
                results.send((name, completed))?;
                Ok(())
            })
        }));
        background.workers(&pool, named(name, WorkerOptions { concurrency: 1, ..options.clone() }), registry);
        behind.until_arrived().await;
    }
    for (name, gate, _) in &gates {
        gate.open();
        let (ended, completed) = told(&mut ended).await;
        assert_eq!(ended, *name);
        match ended {
            "late" => assert!(matches!(completed, Err(CompleteError::LeaseLost)), "{completed:?}"),
            _ => completed.expect("completed"),
        }
    }
    background.stop().await;
    let effects: Vec<String> =
        sqlx::query_scalar("select worker from effects").fetch_all(&pool).await.expect("the effects");
    assert_eq!(effects, ["other"]);
    assert_eq!(job(&pool, id).await.state, JobState::Completed);
    for own in pools {
        own.close().await;
    }
}
