//! The second wall: requests run as `tidewatch_app`, and reach the jobs of their project alone.

use sqlx::{PgPool, Postgres, Transaction};
use tidewatch_events::ProjectId;
use tidewatch_jobs::{
    EnqueueError, Enqueued, JobFilter, JobState, cancel, counts, enqueue, enqueue_all, find, list, retry,
};

use crate::fixture::{Background, commit_one, job, quick, seed_project, task, telling, until};

/// A transaction as a request has it.
async fn request(pool: &PgPool, project: ProjectId) -> Transaction<'static, Postgres> {
    let mut transaction = pool.begin().await.expect("a transaction");
    sqlx::query("set local role tidewatch_app").execute(&mut *transaction).await.expect("its role");
    sqlx::query("select set_config('tidewatch.project', $1, true)")
        .bind(project.uuid().to_string())
        .execute(&mut *transaction)
        .await
        .expect("its project");
    transaction
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_request_enqueues_for_its_project_and_workers_do_it(pool: PgPool) {
    let project = seed_project(&pool, "here").await;
    let mut transaction = request(&pool, project).await;
    let keyed = || task("a").in_project(project).unique("k");
    let id = enqueue(&mut transaction, keyed()).await.expect("enqueued").id();
    let again = enqueue_all(&mut transaction, &[keyed()]).await.expect("found");
    assert_eq!(again, [Enqueued::Existing(id)]);
    transaction.commit().await.expect("committed");
    let background = Background::default();
    let (registry, _names) = telling();
    background.workers(&pool, quick(), registry);

    assert_eq!(until(&pool, id, JobState::Completed).await.project, Some(project));
    background.stop().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_request_does_not_enqueue_for_another_project_or_the_system(pool: PgPool) {
    let (here, there) = (seed_project(&pool, "here").await, seed_project(&pool, "there").await);
    for other in [task("a").in_project(there), task("a")] {
        let mut transaction = request(&pool, here).await;
        let refused = enqueue(&mut transaction, other).await.expect_err("refused");
        let EnqueueError::Database(error) = refused else { panic!("{refused}") };
        let code = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
        assert_eq!(code.as_deref(), Some("42501"), "{error}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_key_of_another_project_is_neither_in_the_way_nor_seen(pool: PgPool) {
    let (here, there) = (seed_project(&pool, "here").await, seed_project(&pool, "there").await);
    commit_one(&pool, task("a").unique("k").in_project(there)).await;
    let mut transaction = request(&pool, here).await;

    let enqueued = enqueue(&mut transaction, task("a").unique("k").in_project(here)).await.expect("enqueued");
    assert!(enqueued.is_new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_request_sees_and_changes_the_jobs_of_its_project_alone(pool: PgPool) {
    let (here, there) = (seed_project(&pool, "here").await, seed_project(&pool, "there").await);
    let own = commit_one(&pool, task("a").in_project(here)).await;
    let others = [commit_one(&pool, task("b").in_project(there)).await, commit_one(&pool, task("c")).await];
    let mut transaction = request(&pool, here).await;
    let listed = list(&mut transaction, &JobFilter::default(), None, 10).await.expect("a list");
    assert_eq!(listed.iter().map(|job| job.id).collect::<Vec<_>>(), [own]);
    assert_eq!(
        counts(&mut transaction).await.expect("counts").iter().map(|count| count.jobs).sum::<u64>(),
        1
    );
    for other in others {
        assert_eq!(find(&mut transaction, other).await.expect("a look"), None);
        assert_eq!(cancel(&mut transaction, other).await.expect("a try"), None);
        assert!(!retry(&mut transaction, other).await.expect("a try"));
    }
    assert_eq!(cancel(&mut transaction, own).await.expect("cancelled"), Some(JobState::Cancelled));
    assert!(retry(&mut transaction, own).await.expect("retried"));
    transaction.commit().await.expect("committed");

    assert_eq!(job(&pool, own).await.state, JobState::Waiting);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_request_can_neither_hold_jobs_nor_delete_them(pool: PgPool) {
    let project = seed_project(&pool, "here").await;
    commit_one(&pool, task("a").in_project(project)).await;
    for statement in [
        "update jobs set lease = lease + 1",
        "update jobs set leased_by = 'me', leased_until = now(), state = 'running'",
        "update jobs set payload = '{}'",
        "delete from jobs",
    ] {
        let mut transaction = request(&pool, project).await;
        let refused = sqlx::query(statement).execute(&mut *transaction).await;
        assert!(refused.is_err(), "{statement}");
    }
}
