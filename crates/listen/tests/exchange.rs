//! Two processes, as it were, on one Postgres.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tidewatch_listen::{Exchange, Heard, Hint};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks at a condition.
const LOOK: Duration = Duration::from_millis(5);
const CHANNEL: &str = "test_things";

struct Process {
    things: Hint,
    others: Hint,
    heard: Heard,
    heard_others: Heard,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Process {
    /// One that listens.
    async fn start(pool: &PgPool, name: &str) -> Self {
        let mut exchange = Exchange::default();
        let (things, others) = (exchange.hint(CHANNEL, "things"), exchange.hint(CHANNEL, "others"));
        let (heard, heard_others) = (things.subscribe(), others.subscribe());
        let shutdown = CancellationToken::new();
        let options: PgConnectOptions = pool.connect_options().as_ref().clone();
        let task = tokio::spawn(exchange.run(options.application_name(name), shutdown.clone()));
        let mut process = Self { things, others, heard, heard_others, shutdown, task };
        // All hints are said when it has begun to listen.
        wait(&mut process.heard).await;
        wait(&mut process.heard_others).await;
        process
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.expect("it ends");
    }
}

async fn wait(heard: &mut Heard) {
    tokio::time::timeout(PATIENCE, heard.wait()).await.expect("waited in vain: a hint is heard");
}

/// Whether it was said since the last wait.
async fn was_said(heard: &mut Heard) -> bool {
    tokio::time::timeout(Duration::ZERO, heard.wait()).await.is_ok()
}

#[sqlx::test]
async fn what_one_process_says_the_other_hears_and_it_alone(pool: PgPool) {
    let (mut here, mut there) = (Process::start(&pool, "here").await, Process::start(&pool, "there").await);
    here.things.say();
    wait(&mut here.heard).await;
    wait(&mut there.heard).await;
    assert!(!was_said(&mut there.heard_others).await, "the other hint of the channel");

    // An answer that comes behind whatever its own session would have told it.
    there.others.say();
    wait(&mut here.heard_others).await;
    assert!(!was_said(&mut here.heard).await, "its own word does not come back");
    here.stop().await;
    there.stop().await;
}

#[sqlx::test]
async fn what_is_said_here_stays_here(pool: PgPool) {
    let (mut here, mut there) = (Process::start(&pool, "here").await, Process::start(&pool, "there").await);
    here.things.say_here();
    wait(&mut here.heard).await;
    here.others.say();
    wait(&mut there.heard_others).await;
    assert!(!was_said(&mut there.heard).await);
    here.stop().await;
    there.stop().await;
}

#[sqlx::test]
async fn who_lost_its_connections_listens_and_tells_again(pool: PgPool) {
    let (mut here, mut there) = (Process::start(&pool, "here").await, Process::start(&pool, "there").await);
    here.things.say();
    wait(&mut here.heard).await;
    wait(&mut there.heard).await;
    let lost: Vec<bool> = sqlx::query_scalar(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'here'",
    )
    .fetch_all(&pool)
    .await
    .expect("ended");
    assert_eq!(lost, [true, true], "one tells, one listens");
    // It may have missed something, so it looks.
    wait(&mut here.heard).await;

    there.things.say();
    wait(&mut here.heard).await;
    // A word that was on its way when the connection was lost is lost with it; polling finds what it was about.
    let again = async {
        while tokio::time::timeout(LOOK, there.heard_others.wait()).await.is_err() {
            here.others.say();
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("waited in vain: it tells again");
    here.stop().await;
    there.stop().await;
}
