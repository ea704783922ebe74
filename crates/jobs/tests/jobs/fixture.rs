//! What the tests share: jobs, handlers, workers in the background, and waiting.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tidewatch_events::ProjectId;
use tidewatch_jobs::{
    Enqueued, Handler, Job, JobContext, JobError, JobId, JobPayload, JobState, NewJob, Registry, RetryPolicy,
    Waker, WorkerOptions, Workers, enqueue_all, find,
};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Longer than anything here takes on a busy machine: past it a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks at a condition.
const LOOK: Duration = Duration::from_millis(5);
/// So long that nothing in a test happens by it.
pub(crate) const NEVER: Duration = Duration::from_secs(3600);

/// The payload of most jobs here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) name: String,
}

impl JobPayload for Task {
    const KIND: &'static str = "test.task";
}

/// A payload of another kind.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Chore;

impl JobPayload for Chore {
    const KIND: &'static str = "test.chore";
}

pub(crate) fn task(name: &str) -> NewJob {
    NewJob::of(&Task { name: name.to_owned() }).expect("a payload")
}

/// A handler made of a closure.
pub(crate) struct Does<F>(F);

pub(crate) fn does<F>(run: F) -> Does<F>
where
    F: for<'a> Fn(&'a JobContext, Task) -> BoxFuture<'a, Result<(), JobError>> + Send + Sync + 'static,
{
    Does(run)
}

impl<F> Handler for Does<F>
where
    F: for<'a> Fn(&'a JobContext, Task) -> BoxFuture<'a, Result<(), JobError>> + Send + Sync + 'static,
{
    type Payload = Task;

    async fn run(&self, job: &JobContext, payload: Task) -> Result<(), JobError> {
        (self.0)(job, payload).await
    }
}

/// A handler that tells the name of each task, and that is all.
pub(crate) fn telling() -> (Registry, UnboundedReceiver<String>) {
    let (told, names) = unbounded_channel();
    let handler = does(move |_, task| {
        let told: UnboundedSender<String> = told.clone();
        Box::pin(async move {
            told.send(task.name)?;
            Ok(())
        })
    });
    (Registry::new().with(handler), names)
}

/// A gate at which handlers wait, whatever anybody tells them, until the test lets them pass.
#[derive(Clone)]
pub(crate) struct Gate {
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }

    /// What a handler does.
    pub(crate) async fn pass(&self) {
        self.arrived.add_permits(1);
        self.open.acquire().await.expect("never closed").forget();
    }

    /// Waits until one more handler stands before it.
    pub(crate) async fn until_arrived(&self) {
        let arrived = tokio::time::timeout(PATIENCE, self.arrived.acquire()).await;
        arrived.expect("waited in vain: a run arrives").expect("never closed").forget();
    }

    /// Lets one pass.
    pub(crate) fn open(&self) {
        self.open.add_permits(1);
    }

    /// A handler that passes it and then ends with what `end` says.
    pub(crate) fn guarding<E>(&self, end: E) -> Registry
    where
        E: Fn(&JobContext) -> Result<(), JobError> + Clone + Send + Sync + 'static,
    {
        let gate = self.clone();
        Registry::new().with(does(move |job, _| {
            let (gate, end) = (gate.clone(), end.clone());
            Box::pin(async move {
                gate.pass().await;
                end(job)
            })
        }))
    }
}

/// Workers that are quick to notice: the tests wait for them often.
pub(crate) fn quick() -> WorkerOptions {
    WorkerOptions {
        poll: Duration::from_millis(20),
        heartbeat: Duration::from_millis(50),
        lease: Duration::from_secs(20),
        retry: RetryPolicy {
            unit: Duration::from_millis(1),
            jitter: 0.1,
            longest: Duration::from_millis(50),
        },
        ..WorkerOptions::default()
    }
}

/// Workers that give no sign of life, and so lose what they do after a moment.
pub(crate) fn silent() -> WorkerOptions {
    let short = Duration::from_millis(50);
    WorkerOptions { heartbeat: NEVER, lease: short, grace: 4 * short, ..quick() }
}

/// Enqueues the jobs in a transaction of their own and commits.
pub(crate) async fn commit(pool: &PgPool, jobs: &[NewJob]) -> Vec<JobId> {
    let mut transaction = pool.begin().await.expect("a transaction");
    let enqueued = enqueue_all(&mut transaction, jobs).await.expect("enqueued");
    transaction.commit().await.expect("committed");
    enqueued.into_iter().map(Enqueued::id).collect()
}

/// Enqueues one job and commits.
pub(crate) async fn commit_one(pool: &PgPool, job: NewJob) -> JobId {
    commit(pool, &[job]).await[0]
}

pub(crate) async fn job(pool: &PgPool, id: JobId) -> Job {
    let mut connection = pool.acquire().await.expect("a connection");
    find(&mut connection, id).await.expect("a look").expect("the job")
}

pub(crate) fn messages(job: &Job) -> Vec<&str> {
    job.errors.iter().map(|error| error.message.as_str()).collect()
}

pub(crate) async fn count(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from jobs").fetch_one(pool).await.expect("a count")
}

pub(crate) async fn seed_project(pool: &PgPool, slug: &str) -> ProjectId {
    let project = ProjectId::from_uuid(Uuid::now_v7());
    sqlx::query("insert into projects (id, slug, name) values ($1, $2, $2)")
        .bind(project.uuid())
        .bind(slug)
        .execute(pool)
        .await
        .expect("a project");
    project
}

pub(crate) fn options(pool: &PgPool) -> PgConnectOptions {
    pool.connect_options().as_ref().clone()
}

/// A pool of its own, of another process as it were.
pub(crate) fn own_pool(pool: &PgPool, connections: u32) -> PgPool {
    PgPoolOptions::new().max_connections(connections).connect_lazy_with(options(pool))
}

/// Waits until `look` finds what is waited for.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    match tokio::time::timeout(PATIENCE, waiting).await {
        Ok(found) => found,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

/// Waits until the job is in this state, and gives it.
pub(crate) async fn until(pool: &PgPool, id: JobId, state: JobState) -> Job {
    eventually(&format!("the job is {state}"), async || {
        let job = job(pool, id).await;
        (job.state == state).then_some(job)
    })
    .await
}

/// The next thing told.
pub(crate) async fn told<T>(news: &mut UnboundedReceiver<T>) -> T {
    let next = tokio::time::timeout(PATIENCE, news.recv()).await;
    next.expect("waited in vain: something is told").expect("who tells is there")
}

/// Waits until some session of this database waits for a lock, having begun `query`.
pub(crate) async fn until_query_blocked(pool: &PgPool, query: &str) {
    eventually("the query is blocked", async || {
        sqlx::query_scalar::<_, bool>(
            "select exists (select from pg_stat_activity
                            where datname = current_database() and wait_event_type = 'Lock'
                              and position($1 in query) > 0 and pid <> pg_backend_pid())",
        )
        .bind(query)
        .fetch_one(pool)
        .await
        .expect("a look at the sessions")
        .then_some(())
    })
    .await;
}

/// What runs in the background of a test. [`Background::stop`] ends it, so that no session keeps the test's
/// database from being dropped.
#[derive(Default)]
pub(crate) struct Background {
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Background {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Workers of another process: nobody wakes them.
    pub(crate) fn workers(&self, pool: &PgPool, options: WorkerOptions, registry: Registry) {
        self.workers_woken_by(&Waker::default(), pool, options, registry);
    }

    pub(crate) fn workers_woken_by(
        &self,
        waker: &Waker,
        pool: &PgPool,
        options: WorkerOptions,
        registry: Registry,
    ) {
        let pool = own_pool(pool, 4);
        let workers = Workers::new(pool.clone(), options, registry).woken_by(waker.clone());
        let shutdown = self.shutdown.clone();
        self.spawn(async move {
            workers.run(shutdown).await;
            pool.close().await;
        });
    }

    /// A waker that tells and hears.
    pub(crate) fn waker(&self, pool: &PgPool) -> Waker {
        let waker = Waker::default();
        self.spawn(waker.clone().run(options(pool), self.shutdown.clone()));
        waker
    }

    /// Tells all of it to end.
    pub(crate) fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Tells all of it to end, and waits until it has.
    pub(crate) async fn stop(self) {
        self.shut_down();
        self.tasks.close();
        tokio::time::timeout(PATIENCE, self.tasks.wait()).await.expect("the background ends when told");
    }
}
