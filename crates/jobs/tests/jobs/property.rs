//! Whatever the runs of jobs come to: each job ends as a model of one job says, in as many runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sqlx::PgPool;
use tidewatch_jobs::{JobError, JobState, Registry, WorkerOptions};

use crate::fixture::{Background, NEVER, Task, commit, does, eventually, job, quick, task};

/// What one run comes to.
#[derive(Debug, Clone, Copy)]
enum Run {
    Completes,
    Fails,
    Panics,
    Snoozes,
    GivesUp,
    /// It goes on until it is dropped by its worker's end, or its lease is lost.
    Hangs,
}

/// A job: what its runs come to, one after the other, and completes after them.
#[derive(Debug, Clone)]
struct Script {
    runs: Vec<Run>,
    max_attempts: u16,
    priority: i16,
    delay: u64,
}

fn script() -> impl Strategy<Value = Script> {
    let run = prop_oneof![
        2 => Just(Run::Completes),
        4 => Just(Run::Fails),
        2 => Just(Run::Panics),
        2 => Just(Run::Snoozes),
        1 => Just(Run::GivesUp),
        1 => Just(Run::Hangs),
    ];
    (prop::collection::vec(run, 0..6), 1..4_u16, -1..2_i16, prop_oneof![3 => Just(0), 1 => 1..30_u64])
        .prop_map(|(runs, max_attempts, priority, delay)| Script { runs, max_attempts, priority, delay })
}

/// How a job ends, after how many runs, of which so many count, and with how many errors.
#[derive(Debug, PartialEq, Eq)]
struct End {
    state: JobState,
    runs: usize,
    attempts: u32,
    errors: usize,
}

fn model(script: &Script) -> End {
    let mut end = End { state: JobState::Running, runs: 0, attempts: 0, errors: 0 };
    loop {
        let run = script.runs.get(end.runs).copied().unwrap_or(Run::Completes);
        end.runs += 1;
        end.attempts += 1;
        match run {
            Run::Completes => return End { state: JobState::Completed, ..end },
            Run::GivesUp => return End { state: JobState::Cancelled, errors: end.errors + 1, ..end },
            Run::Snoozes => end.attempts -= 1,
            Run::Fails | Run::Panics | Run::Hangs => {
                end.errors += 1;
                if end.attempts == u32::from(script.max_attempts) {
                    return End { state: JobState::Dead, ..end };
                }
            }
        }
    }
}

async fn play(pool: &PgPool, scripts: Vec<Script>) -> Result<(), TestCaseError> {
    let jobs: Vec<_> = scripts
        .iter()
        .enumerate()
        .map(|(number, script)| {
            task(&number.to_string())
                .with_max_attempts(script.max_attempts)
                .with_priority(script.priority)
                .after(Duration::from_millis(script.delay))
        })
        .collect();
    let runs: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
    let background = Background::default();
    for _ in 0..2 {
        let (scripts, runs) = (scripts.clone(), runs.clone());
        let registry = Registry::new().with(does(move |_, task| {
            let number: usize = task.name.parse().expect("a number");
            let run = {
                let mut runs = runs.lock().expect("not poisoned");
                let count = runs.entry(task.name).or_default();
                *count += 1;
                scripts[number].runs.get(*count - 1).copied().unwrap_or(Run::Completes)
            };
            Box::pin(async move {
                match run {
                    Run::Completes => Ok(()),
                    Run::Fails => Err("fails".into()),
                    Run::Panics => panic!("panics"),
                    Run::Snoozes => Err(JobError::snooze(Duration::from_millis(1))),
                    Run::GivesUp => Err(JobError::cancel("gives up")),
                    Run::Hangs => std::future::pending().await,
                }
            })
        }));
        // Leases are not extended, so that what hangs is taken over; long enough for what does not.
        let options = WorkerOptions {
            concurrency: 200,
            heartbeat: NEVER,
            lease: Duration::from_secs(1),
            grace: Duration::ZERO,
            ..quick()
        };
        background.workers(pool, options, registry);
    }
    let ids = commit(pool, &jobs).await;
    for (id, script) in ids.into_iter().zip(&scripts) {
        let ended = eventually("the job ends", async || {
            let job = job(pool, id).await;
            job.state.is_final().then_some(job)
        })
        .await;
        let task: Task = serde_json::from_str(&ended.payload).expect("what was enqueued");
        let end = End {
            state: ended.state,
            runs: runs.lock().expect("not poisoned")[&task.name],
            attempts: ended.attempt,
            errors: ended.errors.len(),
        };
        prop_assert_eq!(end, model(script), "{:?}", script);
    }
    background.stop().await;
    Ok(())
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_job_ends_as_the_model_says(pool: PgPool) {
    let runtime = tokio::runtime::Handle::current();
    let cases_pool = pool.clone();
    let cases = tokio::task::spawn_blocking(move || {
        let config =
            Config { cases: 6, failure_persistence: None, max_shrink_iters: 20, ..Config::default() };
        TestRunner::new(config).run(&prop::collection::vec(script(), 1..40), |scripts| {
            runtime.block_on(play(&cases_pool, scripts))
        })
    });
    cases.await.expect("no panic").unwrap_or_else(|failure| panic!("{failure}"));
}
