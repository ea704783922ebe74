//! Many jobs and several workers: each job is done, and once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use sqlx::PgPool;
use tidewatch_jobs::{JobId, JobState, Registry, WorkerOptions, counts};

use crate::fixture::{Background, commit, does, eventually, quick, task};

const JOBS: usize = 10_000;
const WORKERS: usize = 4;

#[sqlx::test(migrations = "../../migrations")]
async fn ten_thousand_jobs_are_done_once_each_by_four_workers(pool: PgPool) {
    let jobs: Vec<_> = (0..JOBS).map(|number| task(&number.to_string())).collect();
    let ids = commit(&pool, &jobs).await;
    let runs: [Arc<Mutex<HashMap<JobId, u32>>>; WORKERS] = Default::default();
    let began = Instant::now();
    let background = Background::default();
    for runs in &runs {
        let runs = runs.clone();
        let registry = Registry::new().with(does(move |job, _| {
            *runs.lock().expect("not poisoned").entry(job.id()).or_default() += 1;
            Box::pin(async { Ok(()) })
        }));
        background.workers(&pool, WorkerOptions { concurrency: 200, ..quick() }, registry);
    }
    eventually("all are done", async || {
        sqlx::query_scalar::<_, bool>(
            "select not exists (select from jobs where state in ('waiting', 'running'))",
        )
        .fetch_one(&pool)
        .await
        .expect("a look")
        .then_some(())
    })
    .await;
    println!("{:.0} jobs a second", JOBS as f64 / began.elapsed().as_secs_f64());
    background.stop().await;

    let runs: Vec<_> = runs.iter().map(|runs| runs.lock().expect("not poisoned")).collect();
    let total: u32 = runs.iter().flat_map(|runs| runs.values()).sum();
    assert_eq!(total as usize, JOBS);
    for id in &ids {
        assert_eq!(runs.iter().filter_map(|runs| runs.get(id)).sum::<u32>(), 1, "{id}");
    }
    assert!(runs.iter().all(|runs| !runs.is_empty()), "all workers took part");
    let counts = counts(&mut pool.acquire().await.expect("a connection")).await.expect("counts");
    let [completed] = &counts[..] else { panic!("{counts:?}") };
    assert_eq!((completed.state, completed.jobs, completed.more), (JobState::Completed, JOBS as u64, false));
}
