//! Jobs for a page.

use sqlx::PgPool;
use tidewatch_jobs::{COUNTED, Job, JobCount, JobFilter, JobId, JobState, NewJob, cancel, counts, list};

use crate::fixture::{Chore, NEVER, commit, commit_one, task};

fn ids(jobs: &[Job]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn pages_follow_each_other_newest_first(pool: PgPool) {
    let jobs: Vec<_> = (0..25).map(|number| task(&number.to_string())).collect();
    let mut all = commit(&pool, &jobs).await;
    all.reverse();
    let mut connection = pool.acquire().await.expect("a connection");
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = list(&mut connection, &JobFilter::default(), before, 10).await.expect("a page");
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        seen.extend(ids(&page));
        // What comes meanwhile is newer than any page.
        commit_one(&pool, task("meanwhile")).await;
    }

    assert_eq!(seen, all);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_filter_narrows_by_state_queue_and_kind(pool: PgPool) {
    let waits = commit_one(&pool, task("waits")).await;
    let later = commit_one(&pool, task("later").after(NEVER)).await;
    let elsewhere = commit_one(&pool, task("elsewhere").in_queue("elsewhere")).await;
    let chore = commit_one(&pool, NewJob::of(&Chore).expect("a payload")).await;
    let mut connection = pool.acquire().await.expect("a connection");
    let state = |state| JobFilter { state: Some(state), ..JobFilter::default() };
    let queue = |queue: &str| JobFilter { queue: Some(queue.to_owned()), ..JobFilter::default() };
    let kind = |kind: &str| JobFilter { kind: Some(kind.to_owned()), ..JobFilter::default() };
    for (filter, expected) in [
        (state(JobState::Waiting), vec![chore, elsewhere, waits]),
        (state(JobState::Scheduled), vec![later]),
        (state(JobState::Dead), vec![]),
        (queue("elsewhere"), vec![elsewhere]),
        (kind("test.chore"), vec![chore]),
        (JobFilter { state: Some(JobState::Waiting), ..queue("default") }, vec![chore, waits]),
    ] {
        let found = list(&mut connection, &filter, None, 10).await.expect("a list");
        assert_eq!(ids(&found), expected, "{filter:?}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn counts_are_by_state_and_queue(pool: PgPool) {
    let waiting = commit(&pool, &[task("a"), task("b"), task("c")]).await;
    commit(&pool, &[task("d").after(NEVER), task("e").in_queue("elsewhere")]).await;
    let mut connection = pool.acquire().await.expect("a connection");
    cancel(&mut connection, waiting[0]).await.expect("cancelled");
    let mut found = counts(&mut connection).await.expect("counts");
    found.sort_by(|one, other| (one.state, &one.queue).cmp(&(other.state, &other.queue)));

    let count = |state, queue: &str, jobs| JobCount { state, queue: queue.to_owned(), jobs, more: false };
    assert_eq!(
        found,
        [
            count(JobState::Scheduled, "default", 1),
            count(JobState::Waiting, "default", 2),
            count(JobState::Waiting, "elsewhere", 1),
            count(JobState::Cancelled, "default", 1),
        ]
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn counting_stops_and_says_so(pool: PgPool) {
    sqlx::query(
        "insert into jobs (id, queue, kind, payload, state, priority, run_at, max_attempts)
         select gen_random_uuid(), 'default', 'test.task', '{}', 'waiting', 0, now(), 1
         from generate_series(1, 10005)",
    )
    .execute(&pool)
    .await
    .expect("many jobs");
    let found = counts(&mut pool.acquire().await.expect("a connection")).await.expect("counts");

    let [waiting] = &found[..] else { panic!("{found:?}") };
    assert!(waiting.more && waiting.jobs > COUNTED.unsigned_abs(), "{waiting:?}");
}
