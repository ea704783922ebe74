//! Jobs that are claimed ahead, and what becomes of them when they cannot be done at once.

use sqlx::PgPool;
use tidewatch_jobs::{JobState, Registry, WorkerOptions};

use crate::fixture::{Background, Gate, commit, does, eventually, quick, task, telling, until};

const PLACES: usize = 16;
const JOBS: usize = 2_000;

async fn count_where(pool: &PgPool, condition: &'static str) -> i64 {
    let count = format!("select count(*) from jobs where {condition}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(pool).await.expect("a count")
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_claimed_ahead_goes_to_others_when_its_worker_is_held_up(pool: PgPool) {
    let held_up = Background::default();
    let gate = Gate::new();
    let passes = gate.clone();
    let registry = Registry::new().with(does(move |_, task| {
        let gate = passes.clone();
        Box::pin(async move {
            if task.name == "slow" {
                gate.pass().await;
            }
            Ok(())
        })
    }));
    // Enough that take no time, as many as there are places that take theirs, and more behind them.
    let names = std::iter::repeat_n("quick", JOBS)
        .chain(std::iter::repeat_n("slow", PLACES))
        .chain(std::iter::repeat_n("quick", JOBS));
    let ids = commit(&pool, &names.map(task).collect::<Vec<_>>()).await;
    held_up.workers(&pool, WorkerOptions { concurrency: PLACES, ..quick() }, registry);
    for _ in 0..PLACES {
        gate.until_arrived().await;
    }

    // They wait again, were held before, and have not used up an attempt.
    let places = i64::try_from(PLACES).expect("a number");
    eventually("what was claimed ahead waits again", async || {
        let back = "state = 'waiting' and lease > 0 and attempt = 0 and errors = '[]'";
        (count_where(&pool, back).await > 0 && count_where(&pool, "state = 'running'").await == places)
            .then_some(())
    })
    .await;
    let free = Background::default();
    let (registry, _names) = telling();
    free.workers(&pool, quick(), registry);
    eventually("another worker does what was given back", async || {
        (count_where(&pool, "state = 'waiting'").await == 0).then_some(())
    })
    .await;
    (0..PLACES).for_each(|_| gate.open());
    for id in ids {
        assert_eq!(until(&pool, id, JobState::Completed).await.attempt, 1);
    }
    held_up.stop().await;
    free.stop().await;
}
