//! Traces, as a collector of OpenTelemetry takes them.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::routing::post;
use http::StatusCode;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use parking_lot::Mutex;
use prost::Message;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_server::config::ServeConfig;
use tokio::net::TcpListener;

use crate::support::{TestServer, eventually};
use crate::webhook_receiver::{Receiver, make_at};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// Takes spans.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    services: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    async fn start() -> (Self, String) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let collector = Self::default();
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, address)
    }

    fn of_trace(&self, trace: &str) -> Vec<Span> {
        self.spans.lock().iter().filter(|span| hex(&span.trace_id) == trace).cloned().collect()
    }

    /// The span of this name in a trace, as soon as it is there.
    async fn span(&self, trace: &str, name: &str) -> Span {
        eventually(name, async || self.of_trace(trace).into_iter().find(|span| span.name == name)).await
    }
}

async fn take(State(collector): State<Collector>, request: Request) -> StatusCode {
    assert_eq!(request.headers()["content-type"], "application/x-protobuf");
    assert_eq!(request.headers()["x-scope"], "tests");
    let body = to_bytes(request.into_body(), 1 << 24).await.expect("a body");
    let taken = ExportTraceServiceRequest::decode(body).expect("a request of OTLP");
    for of_resource in taken.resource_spans {
        let resource = of_resource.resource.expect("a resource");
        let of_name = |it: &&opentelemetry_proto::tonic::common::v1::KeyValue| it.key == "service.name";
        let name = resource.attributes.iter().find(of_name).and_then(|it| it.value.clone()?.value);
        collector.services.lock().extend(name.map(|name| text_of(&name)));
        collector.spans.lock().extend(of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
    }
    StatusCode::OK
}

fn text_of(value: &Any) -> String {
    match value {
        Any::StringValue(text) => text.clone(),
        Any::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|it| it.key == key);
    let value = found.and_then(|it| it.value.as_ref()?.value.as_ref());
    text_of(value.unwrap_or_else(|| panic!("{} has no {key}: {:?}", span.name, span.attributes)))
}

fn traced(config: &mut ServeConfig, address: &str) {
    config.traces.otlp_endpoint = Some(address.parse().expect("an address"));
    config.traces.otlp_headers =
        Some(tidewatch_server::config::traces::parse_headers("x-scope=tests").expect("headers"));
    config.webhook_allowed_networks = vec!["127.0.0.0/8".parse().expect("a network")];
}

async fn create(server: &TestServer, reference: &str, traceparent: &str) -> Value {
    let body = json!({ "reference": reference, "amountMinor": 100, "currency": "EUR" });
    let request = server.client.post("/api/v1/settlements").header("traceparent", traceparent).json(&body);
    crate::support::read_json(request.send().await.expect("an answer"), StatusCode::CREATED).await
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn one_settlement_is_one_trace_from_http_to_the_browser(pool: PgPool) {
    let (collector, address) = Collector::start().await;
    let server = TestServer::start_with(&pool, |config| traced(config, &address)).await;
    let receiver = Receiver::start().await;
    make_at(&server.client, &receiver).await;
    let mut stream = server.client.stream("?types=settlement.*").await;
    assert_eq!(stream.connected.data["traced"], true);
    let connection = stream.connected.data["connectionId"].as_str().expect("an id").to_owned();

    let settlement = create(&server, "TRACED", &format!("00-{TRACE}-{PARENT}-01")).await;
    let event = stream.next().await.data;
    let event_id = event["eventId"].as_str().expect("an id");

    let http = collector.span(TRACE, "POST /api/v1/settlements").await;
    assert_eq!(hex(&http.parent_span_id), PARENT, "it continues the caller's");
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/api/v1/settlements"),
        ("url.path", "/api/v1/settlements"),
        ("http.response.status_code", "201"),
    ] {
        assert_eq!(attribute(&http, key), value);
    }
    let mut parent = http;
    for name in [
        "transaction",
        "record settlement.created",
        "publish settlement.created",
        "deliver settlement.created",
    ] {
        let span = collector.span(TRACE, name).await;
        assert_eq!(hex(&span.parent_span_id), hex(&parent.span_id), "{name} comes of {}", parent.name);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{name}");
        if name != "transaction" {
            assert_eq!(attribute(&span, "messaging.system"), "tidewatch");
            assert_eq!(attribute(&span, "messaging.destination.name"), "settlement.created");
            assert_eq!(attribute(&span, "messaging.message.id"), event_id);
        }
        if name == "record settlement.created" {
            let recorded = format!("00-{TRACE}-{}-01", hex(&span.span_id));
            assert_eq!(event["metadata"]["traceparent"], recorded, "the event carries who recorded it");
        }
        parent = span;
    }
    let delivery = parent;
    assert_eq!(attribute(&delivery, "messaging.client.id"), connection);

    // Webhooks go on with it, and hand it on.
    let publication = collector.span(TRACE, "publish settlement.created").await;
    let job = collector.span(TRACE, "process webhook.deliver").await;
    assert_eq!(hex(&job.parent_span_id), hex(&publication.span_id));
    let sent = collector.span(TRACE, "POST").await;
    assert_eq!(hex(&sent.parent_span_id), hex(&job.span_id));
    assert_eq!(attribute(&sent, "http.response.status_code"), "200");
    let received = receiver.wait_for(1).await.remove(0);
    assert_eq!(received.header("traceparent"), format!("00-{TRACE}-{}-01", hex(&sent.span_id)));

    // A page tells when it had it; of what one may not see, nothing comes.
    let receipt = json!({
        "connectionId": connection,
        "events": [
            { "eventId": event_id, "receivedMsAgo": 4_000_000_000_u64, "renderedMsAgo": 0 },
            { "eventId": "evt_01h455vb4pex5vsknk084sn02q", "receivedMsAgo": 1, "renderedMsAgo": 1 },
        ],
    });
    let elsewhere = server.add_project("elsewhere").await;
    let stranger = server.client_of(elsewhere, &["*"]).await;
    for client in [&stranger, &server.client] {
        let told = client.post("/api/v1/traces/receipts").json(&receipt).send().await.expect("an answer");
        assert_eq!(told.status(), StatusCode::NO_CONTENT);
    }
    let browser = collector.span(TRACE, "browser receive").await;
    assert_eq!(hex(&browser.parent_span_id), hex(&delivery.span_id));
    assert!(browser.start_time_unix_nano >= publication.start_time_unix_nano, "not before it was published");
    assert!(browser.start_time_unix_nano <= browser.end_time_unix_nano);
    let too_many = json!({ "connectionId": connection, "events": vec![receipt["events"][0].clone(); 51] });
    let refused =
        server.client.post("/api/v1/traces/receipts").json(&too_many).send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);

    // Moves are traces of their own, and a broken context begins one.
    let body = json!({ "move": "select_network", "network": "polygon", "expectedVersion": 1 });
    let id = settlement["id"].as_str().expect("an id");
    let request = server.client.post(&format!("/api/v1/settlements/{id}/moves"));
    let answer = request.header("traceparent", "00-nonsense-01").json(&body).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{:?}", answer.text().await);
    let moved = stream.next().await.data;
    let traceparent = moved["metadata"]["traceparent"].as_str().expect("a trace").to_owned();
    let trace = traceparent.split('-').nth(1).expect("an id");
    assert_ne!(trace, TRACE);
    let http = collector.span(trace, "POST /api/v1/settlements/{id}/moves").await;
    assert!(http.parent_span_id.is_empty(), "it is the root");

    // Who does not record does not have us record.
    let unsampled = TRACE.replace("0af", "1af");
    create(&server, "UNSAMPLED", &format!("00-{unsampled}-{PARENT}-00")).await;
    let event = stream.next().await.data;
    let traceparent = event["metadata"]["traceparent"].as_str().expect("a trace").to_owned();
    assert!(traceparent.starts_with(&format!("00-{unsampled}-")) && traceparent.ends_with("-00"));

    let metrics = server.client.get("/metrics").send().await.expect("an answer").text().await.expect("text");
    assert!(metrics.contains("tidewatch_traces_spans_total{outcome=\"dropped\"} 0"), "{metrics}");
    server.stop().await;
    assert!(collector.of_trace(&unsampled).is_empty());
    let named = |name: &str| collector.of_trace(TRACE).iter().filter(|span| span.name == name).count();
    assert_eq!(named("browser receive"), 1, "a stranger's word makes none");
    assert_eq!(collector.services.lock().first().map(String::as_str), Some("tidewatch"));
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_is_left_is_sent_at_the_end(pool: PgPool) {
    let (collector, address) = Collector::start().await;
    let server = TestServer::start_with(&pool, |config| traced(config, &address)).await;
    create(&server, "LAST", &format!("00-{TRACE}-{PARENT}-01")).await;
    server.stop().await;
    let names: Vec<String> = collector.of_trace(TRACE).into_iter().map(|span| span.name).collect();
    for name in ["POST /api/v1/settlements", "transaction", "record settlement.created"] {
        assert!(names.iter().any(|span| span == name), "{name} in {names:?}");
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_collector_that_is_away_hurts_nobody(pool: PgPool) {
    let nobody = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = format!("http://{}", nobody.local_addr().expect("an address"));
    drop(nobody);
    let server = TestServer::start_with(&pool, |config| traced(config, &address)).await;
    let mut stream = server.client.stream("?types=settlement.*").await;
    create(&server, "AWAY", &format!("00-{TRACE}-{PARENT}-01")).await;
    assert_eq!(stream.next().await.event, "settlement.created");
    eventually("spans to be given up", async || {
        let metrics = server.client.get("/metrics").send().await.ok()?.text().await.ok()?;
        let line = metrics.lines().find(|line| line.contains("traces_spans_total{outcome=\"failed\"}"))?;
        line.split(' ').next_back()?.parse::<u64>().ok().filter(|failed| *failed > 0)
    })
    .await;
    server.stop().await;
}

/// Without a collector, an event and the webhooks behind it keep what the caller said, and nothing is told of traces.
#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn off_is_as_if_there_were_none(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| {
        config.webhook_allowed_networks = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let receiver = Receiver::start().await;
    make_at(&server.client, &receiver).await;
    let mut stream = server.client.stream("?types=settlement.*").await;
    assert!(stream.connected.data.get("traced").is_none());
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    create(&server, "OFF", &traceparent).await;
    assert_eq!(stream.next().await.data["metadata"]["traceparent"], traceparent);
    let received = receiver.wait_for(1).await.remove(0);
    assert_eq!(received.header("traceparent"), traceparent, "not a span that nobody will ever have");
    server.stop().await;
}
