//! Progress: seen while the job runs, and kept at its end.

use sqlx::PgPool;
use tidewatch_jobs::{JobState, Progress, Registry};

use crate::fixture::{Background, Gate, commit_one, does, eventually, job, quick, task, until};

fn progress(done: u64, note: &str) -> Option<Progress> {
    Some(Progress { done, total: 1_000, note: note.to_owned() })
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_last_word_is_seen_while_the_job_runs_and_after_it(pool: PgPool) {
    let background = Background::default();
    let gate = Gate::new();
    let behind = gate.clone();
    background.workers(
        &pool,
        quick(),
        Registry::new().with(does(move |job, _| {
            let gate = behind.clone();
            Box::pin(async move {
                for done in 1..=500 {
                    job.progress(done, 1_000, "first\0half");
                }
                gate.pass().await;
                job.progress(1_000, 1_000, "done");
                Ok(())
            })
        })),
    );
    let id = commit_one(&pool, task("a")).await;
    assert_eq!(job(&pool, id).await.progress, None);

    let seen = eventually("the progress is seen", async || job(&pool, id).await.progress).await;
    assert_eq!(Some(seen), progress(500, "first\u{fffd}half"));
    gate.open();
    assert_eq!(until(&pool, id, JobState::Completed).await.progress, progress(1_000, "done"));
    background.stop().await;
}
