//! Several instances on one Postgres: whoever is where has every event, by the log and by a broker that comes and goes.

use std::num::NonZeroU32;

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_server::commands::publish::MAX_BATCH;
use tidewatch_server::config::ServeConfig;

use crate::broker_program::Program;
use crate::support::{SseReader, TestServer, eventually};

async fn start(pool: &PgPool, name: &str, adjust: impl FnOnce(&mut ServeConfig)) -> TestServer {
    TestServer::start_with(pool, |config| {
        config.instance = Some(name.to_owned());
        adjust(config);
    })
    .await
}

/// The reference of the next settlement that the stream tells of.
async fn next(stream: &mut SseReader) -> Value {
    stream.next().await.data["payload"]["reference"].clone()
}

/// What each instance says of its broker, and what there is to be concerned about.
async fn brokers(server: &TestServer) -> (Vec<Value>, usize) {
    let status = server.client.json("/api/v1/system").await;
    let instances = status["instances"].as_array().expect("instances");
    let concerns = status["concerns"].as_array().expect("concerns").len();
    (instances.iter().map(|instance| instance["broker"].clone()).collect(), concerns)
}

async fn until_all_say(server: &TestServer, broker: &Value) -> usize {
    eventually("the instances to say how their broker does", async || {
        let (said, concerns) = brokers(server).await;
        (said.len() == 2 && said.iter().all(|one| one == broker)).then_some(concerns)
    })
    .await
}

/// Two instances with a broker that is killed and started again.
async fn goes_on_without_the_broker(
    pool: PgPool,
    program: &Program,
    name: &str,
    adjust: fn(&mut ServeConfig, &Program),
) {
    let running = program.start();
    let adjust = |config: &mut ServeConfig| {
        // As in a service: who looks at the log all the time is never told anything new.
        config.poll_ms = 500;
        adjust(config, program);
    };
    let one = start(&pool, "one", adjust).await;
    let two = start(&pool, "two", adjust).await;
    let heard = |heard: bool| json!({ "name": name, "heard": heard });
    assert_eq!(until_all_say(&one, &heard(true)).await, 0);
    let mut streams = [one.client.stream("").await, two.client.stream("").await];
    one.client.create("A-1").await;
    two.client.create("A-2").await;
    for stream in &mut streams {
        assert_eq!([next(stream).await, next(stream).await], ["A-1", "A-2"]);
    }
    let metrics =
        async |server: &TestServer| server.client.get("/metrics").send().await.expect("it").text().await;
    eventually("an instance to have an event by the broker", async || {
        for server in [&one, &two] {
            let text = metrics(server).await.expect("text");
            let taken = text
                .lines()
                .find_map(|line| line.strip_prefix("tidewatch_followed_events_total{source=\"broker\"} "));
            if taken.is_some_and(|taken| taken != "0") {
                return Some(());
            }
        }
        None
    })
    .await;

    drop(running);
    assert_eq!(until_all_say(&one, &heard(false)).await, 2, "and it is a concern");
    one.client.create("A-3").await;
    two.client.create("A-4").await;
    for stream in &mut streams {
        assert_eq!([next(stream).await, next(stream).await], ["A-3", "A-4"], "out of Postgres");
    }

    let _running = program.start();
    assert_eq!(until_all_say(&one, &heard(true)).await, 0);
    one.client.create("A-5").await;
    for stream in &mut streams {
        assert_eq!(next(stream).await, "A-5");
    }
    one.stop().await;
    two.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn events_come_by_redis_and_without_it_all_the_same(pool: PgPool) {
    let Some(program) = Program::redis() else {
        println!("left out: there is no redis-server on this machine");
        return;
    };
    goes_on_without_the_broker(pool, &program, "redis", |config, program| {
        config.redis_url = Some(program.url())
    })
    .await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn events_come_by_nats_and_without_it_all_the_same(pool: PgPool) {
    let Some(program) = Program::nats() else {
        println!("left out: there is no nats-server on this machine");
        return;
    };
    goes_on_without_the_broker(pool, &program, "nats", |config, program| {
        config.nats_url = Some(program.url())
    })
    .await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_stream_goes_on_at_another_instance_where_it_was_cut(pool: PgPool) {
    let one = start(&pool, "one", |_| {}).await;
    let two = start(&pool, "two", |_| {}).await;
    let mut stream = one.client.stream("").await;
    two.client.create("A-1").await;
    let first = stream.next().await;
    let position = first.data["position"].as_u64().expect("a position");
    one.begin_shutdown();
    two.client.create("A-2").await;
    drop(stream);
    let mut stream = two.client.stream(&format!("?after={position}")).await;
    assert_eq!(next(&mut stream).await, "A-2");
    two.client.create("A-3").await;
    assert_eq!(next(&mut stream).await, "A-3");
    assert_eq!(stream.connected.data["instance"], "two");
    one.stop().await;
    two.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_overview_counts_who_is_connected_to_all_instances(pool: PgPool) {
    let one = start(&pool, "one", |_| {}).await;
    let two = start(&pool, "two", |_| {}).await;
    let ann = one.add_person(one.project, "ann@example.test", &["viewer"], &[]).await;
    let ann = one.session_of(ann).await;
    let _streams = [one.client.stream("").await, two.client.stream("").await];
    eventually("both to be counted", async || {
        // What is kept for a moment is read anew after an event.
        one.client.create("A").await;
        let overview = ann.json("/fn/get_overview?project=").await;
        (overview["data"]["connections"] == 2).then_some(())
    })
    .await;
    one.stop().await;
    two.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_goes_down_is_not_ready_before_it_ends_anything(pool: PgPool) {
    let server = start(&pool, "one", |config| config.drain_notice_seconds = 4).await;
    let mut stream = server.client.stream("").await;
    let health = async |path: &str| server.client.get(path).send().await.expect("an answer").status();
    server.begin_shutdown();
    eventually("it to be not ready", async || {
        (health("/readyz").await == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    assert_eq!(health("/healthz").await, StatusCode::OK, "nobody is to restart it");
    // What comes all the same is done, and streams are as they were.
    server.client.create("A-1").await;
    assert_eq!(next(&mut stream).await, "A-1");
    assert_eq!(stream.next().await.data["code"], "ServerDraining");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_limit_of_streams_holds_over_all_instances(pool: PgPool) {
    let one = start(&pool, "one", |config| config.streams_per_key = 2).await;
    let two = start(&pool, "two", |config| config.streams_per_key = 2).await;
    let there = one.client.at(&two);
    let request = || there.get("/api/v1/events").header("accept", "text/event-stream");
    let streams = [one.client.stream("").await, one.client.stream("").await];
    eventually("the other instance to know of them", async || {
        let answer = request().send().await.expect("an answer");
        (answer.status() == StatusCode::TOO_MANY_REQUESTS).then_some(())
    })
    .await;
    drop(streams);
    eventually("their places to be free", async || {
        (request().send().await.expect("an answer").status() == StatusCode::OK).then_some(())
    })
    .await;
    one.stop().await;
    two.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_limit_of_publishes_holds_over_all_instances(pool: PgPool) {
    let slow = |config: &mut ServeConfig| config.publishes_per_second = NonZeroU32::MIN;
    let one = start(&pool, "one", slow).await;
    let two = start(&pool, "two", slow).await;
    let message = json!({ "channelName": "a", "payload": 1 });
    let there = one.client.at(&two);
    // A bucket holds a batch; the other instance's is full as well until it is told that this one's is empty.
    one.client.publish(json!(vec![message.clone(); MAX_BATCH])).await;
    let mut let_in = 0;
    eventually("the other instance to know of them", async || {
        let answer = there.try_publish(&message).send().await.expect("an answer");
        let_in += usize::from(answer.status() == StatusCode::ACCEPTED);
        (answer.status() == StatusCode::TOO_MANY_REQUESTS).then_some(())
    })
    .await;
    assert!(let_in < MAX_BATCH / 2, "{let_in} were let in, as if there were a limit for each instance");
    one.stop().await;
    two.stop().await;
}
