//! Row 15: how soon all of a person's devices show the same number of unread notifications.
//!
//! A device does what the bell of the dashboard does: it follows `notification.*` on a stream, and asks the server for the
//! number when it hears of a change.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tidewatch_events::id::UserId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::context::Context;
use crate::http::{Answer, HttpConnection};
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::systems::tidewatch::{Account, Demo};
use crate::systems::{Running, TIDEWATCH, Tidewatch};

/// The database, beside that of the other rows.
const DATABASE: &str = "bench_badge";
/// Devices of the person.
const DEVICES: usize = 50;
/// Notifications that are sent, and then read, one after the other.
const NOTIFICATIONS: u64 = 100;
const QUICK: u64 = 10;
/// How long a device may take before the run is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// The event type that the rule waits for.
const EVENT_TYPE: &str = "bench.told";
/// What a badge may take, in ms.
const TARGET: f64 = 1_000.0;

pub(super) const SPECS: &[RowSpec] = &[RowSpec {
    id: "badge",
    title: "15. A person's 50 devices: until each shows the new number of unread notifications",
    columns: &[
        Column::new("read_p50", "read at one → all: p50, ms", 1),
        Column::new("read_p99", "p99, ms", 1),
        Column::new("read_max", "max, ms", 1),
        Column::new("sent_p50", "published → all: p50, ms", 1),
        Column::new("sent_p99", "p99, ms", 1),
        Column::new("sent_max", "max, ms", 1),
    ],
    compared: "",
    checks: &[
        Check { metric: "read_max", of: TIDEWATCH, target: Target::AtMost(TARGET) },
        Check { metric: "sent_max", of: TIDEWATCH, target: Target::AtMost(TARGET) },
    ],
}];

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    let mut tidewatch = Tidewatch::new(context.database.clone());
    tidewatch.database_name = DATABASE;
    let demo = tidewatch.prepare_demo(context).await?;
    let server = tidewatch.serve(context, demo.prepared.clone()).await?;
    let mut record = Record::new(SPECS[0].id, context.plan.few_runs);
    let notifications = if context.plan.quick { QUICK } else { NOTIFICATIONS };
    for _ in 0..context.plan.few_runs {
        let [read, sent] = LocalSet::new().run_until(one_run(server.address(), &demo, notifications)).await?;
        for (name, times) in [("read", read), ("sent", sent)] {
            let ms = |quantile| times.value_at_quantile(quantile) as f64 / 1000.0;
            record.add(TIDEWATCH, &format!("{name}_p50"), ms(0.5));
            record.add(TIDEWATCH, &format!("{name}_p99"), ms(0.99));
            record.add(TIDEWATCH, &format!("{name}_max"), ms(1.0));
        }
    }
    Box::new(server).stop().await;
    Ok(vec![record])
}

/// Sends notifications and reads them, each when all devices show the one before; microseconds from the request to each
/// device, of reading and of sending.
async fn one_run(address: SocketAddr, demo: &Demo, notifications: u64) -> Result<[Histogram<u64>; 2]> {
    let mut person = Api::sign_in(address, &demo.account).await?;
    let user = user_of(demo).await?;
    let mut publisher = Api::with(address, demo.account.api_key.clone()).await?;
    let rule = json!({
        "name": "Badge", "types": [EVENT_TYPE], "audience": [{ "kind": "payload", "pointer": "/to" }],
        "template": { "title": "{{/title}}", "body": "", "link": "/", "group": "" },
    });
    let rule = publisher.ask("POST", "/api/v1/notification-rules", Some(&rule)).await?;

    let (wanted, _) = watch::channel(None);
    let (shown, mut all_shown) = mpsc::unbounded_channel();
    for _ in 0..DEVICES {
        let device = Device::connect(address, &person.token).await?;
        tokio::task::spawn_local(device.follow(wanted.subscribe(), shown.clone()));
    }
    let mut times = [Histogram::new(3)?, Histogram::new(3)?];
    let [read, sent] = &mut times;
    let mut unread = person.unread().await?;
    for n in 0..notifications {
        let event = json!({
            "channelName": "bench", "eventType": EVENT_TYPE, "payload": { "title": format!("n{n}"), "to": [user] },
        });
        unread += 1;
        wanted.send_replace(Some(unread));
        let begun = Instant::now();
        publisher.ask("POST", "/api/v1/publishers/events/publish", Some(&event)).await?;
        until_all_show(&mut all_shown, begun, unread, sent).await?;

        let inbox = person.ask("GET", "/api/v1/notifications?folder=unread&limit=1", None).await?;
        let id = inbox["notifications"][0]["id"].as_str().context("nothing is unread")?.to_owned();
        unread -= 1;
        wanted.send_replace(Some(unread));
        let begun = Instant::now();
        person.ask("POST", &format!("/api/v1/notifications/{id}/read"), None).await?;
        until_all_show(&mut all_shown, begun, unread, read).await?;
    }
    let id = rule["id"].as_str().context("the rule has no id")?;
    publisher.ask("DELETE", &format!("/api/v1/notification-rules/{id}"), None).await?;
    Ok(times)
}

async fn until_all_show(
    shown: &mut mpsc::UnboundedReceiver<Result<(u64, Instant)>>,
    begun: Instant,
    wanted: u64,
    times: &mut Histogram<u64>,
) -> Result<()> {
    let mut missing = DEVICES;
    while missing > 0 {
        let one = timeout(PATIENCE, shown.recv()).await.context("a device does not show the new number")?;
        let (number, at) = one.context("the devices have ended")??;
        if number == wanted {
            times.record(u64::try_from((at - begun).as_micros())?)?;
            missing -= 1;
        }
    }
    Ok(())
}

async fn user_of(demo: &Demo) -> Result<UserId> {
    let mut connection = PgConnection::connect(&demo.prepared.url).await?;
    let id: Uuid = sqlx::query_scalar("select id from users where email = $1")
        .bind(&demo.account.email)
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(UserId::from_uuid(id))
}

/// Requests with a token, on one connection.
struct Api {
    connection: HttpConnection,
    token: Rc<str>,
}

impl Api {
    async fn with(address: SocketAddr, token: String) -> Result<Self> {
        Ok(Self { connection: HttpConnection::connect(address).await?, token: token.into() })
    }

    async fn sign_in(address: SocketAddr, account: &Account) -> Result<Self> {
        let mut api = Self::with(address, String::new()).await?;
        let body = json!({ "email": account.email, "password": account.password });
        let tokens = api.ask("POST", "/api/v1/auth/token", Some(&body)).await?;
        api.token = tokens["accessToken"].as_str().context("no token was given")?.into();
        Ok(api)
    }

    async fn unread(&mut self) -> Result<u64> {
        let count = self.ask("GET", "/api/v1/notifications/count", None).await?;
        count["unread"].as_u64().context("no number of unread notifications")
    }

    async fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let body = body.map(ToString::to_string).unwrap_or_default();
        let authorization = match &*self.token {
            "" => String::new(),
            token => format!("Authorization: Bearer {token}\r\n"),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: bench\r\n{authorization}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let Answer { status, body, .. } = self.connection.ask(&request).await?;
        let text = String::from_utf8_lossy(&body);
        ensure!((200..300).contains(&status), "{method} {path} answered {status}: {text}");
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }
}

/// A stream, and the connection by which the number is asked for.
struct Device {
    stream: Lines<BufReader<TcpStream>>,
    api: Api,
}

impl Device {
    async fn connect(address: SocketAddr, token: &Rc<str>) -> Result<Self> {
        let api = Api { connection: HttpConnection::connect(address).await?, token: Rc::clone(token) };
        let mut stream = TcpStream::connect(address).await?;
        let request = format!(
            "GET /api/v1/events?types=notification.* HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut stream = BufReader::new(stream).lines();
        let status = stream.next_line().await?.context("the stream was closed")?;
        ensure!(status.contains(" 200 "), "a stream was refused: {status}");
        // Behind the headers it follows from now on.
        while !stream.next_line().await?.context("the stream was closed")?.is_empty() {}
        Ok(Self { stream, api })
    }

    /// Tells each number that is wanted once it is what the server says.
    async fn follow(
        mut self,
        wanted: watch::Receiver<Option<u64>>,
        shown: mpsc::UnboundedSender<Result<(u64, Instant)>>,
    ) {
        let mut last = None;
        loop {
            let told = self.next(&wanted, &mut last).await;
            let failed = told.is_err();
            // Nobody listens when the run is over.
            if shown.send(told).is_err() || failed {
                return;
            }
        }
    }

    async fn next(
        &mut self,
        wanted: &watch::Receiver<Option<u64>>,
        last: &mut Option<u64>,
    ) -> Result<(u64, Instant)> {
        loop {
            let Some(line) = self.stream.next_line().await? else {
                bail!("the stream of a device was closed")
            };
            if !line.starts_with("data:") {
                continue;
            }
            let number = self.api.unread().await?;
            if Some(number) == *wanted.borrow() && *last != Some(number) {
                *last = Some(number);
                return Ok((number, Instant::now()));
            }
        }
    }
}
