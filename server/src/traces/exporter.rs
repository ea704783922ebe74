//! Sends spans to a collector
//! ([OTLP over HTTP](https://opentelemetry.io/docs/specs/otlp/#otlphttp)), in batches, behind everything else.

use std::time::Duration;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Counts, attribute};
use crate::config::traces::{Headers, Protocol, TracesConfig};

/// Spans of one request.
const BATCH: usize = 512;
/// How long they are gathered.
const DELAY: Duration = Duration::from_secs(1);
/// Longest time of a request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Pauses before a request is made again that failed for now. Behind them the batch is given up: what comes is worth more
/// than what was.
const AGAIN: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// Posts batches.
pub(super) struct Exporter {
    client: reqwest::Client,
    address: Url,
    headers: Headers,
    protocol: Protocol,
    resource: Resource,
    /// Whether the last batch was taken.
    is_well: bool,
}

/// Why a batch was not taken.
enum Refusal {
    /// It may be another time.
    ForNow(String),
    ForGood(String),
}

impl Exporter {
    pub(super) fn new(config: &TracesConfig, address: Url, instance: String) -> reqwest::Result<Self> {
        Ok(Self {
            // Where it says, and nowhere else.
            client: reqwest::Client::builder()
                .timeout(TIMEOUT)
                .redirect(reqwest::redirect::Policy::none())
                .build()?,
            address,
            headers: config.otlp_headers.clone().unwrap_or_default(),
            protocol: config.otlp_protocol,
            resource: Resource {
                attributes: vec![
                    attribute("service.name", config.service_name.clone()),
                    attribute("service.version", env!("CARGO_PKG_VERSION")),
                    attribute("service.instance.id", instance),
                ],
                ..Resource::default()
            },
            is_well: true,
        })
    }

    /// Sends what comes until `stop`, and then what is left.
    pub(super) async fn run(
        mut self,
        mut queue: mpsc::Receiver<Span>,
        counts: &Counts,
        stop: CancellationToken,
    ) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                _ = queue.recv_many(&mut batch, BATCH) => {}
                () = stop.cancelled() => queue.close(),
            }
            let gathered = tokio::time::sleep(DELAY);
            tokio::pin!(gathered);
            while batch.len() < BATCH {
                let room = BATCH - batch.len();
                tokio::select! {
                    biased;
                    came = queue.recv_many(&mut batch, room) => if came == 0 { break },
                    () = &mut gathered => break,
                    () = stop.cancelled() => queue.close(),
                }
            }
            if batch.is_empty() {
                return;
            }
            self.send(std::mem::take(&mut batch), counts, &stop).await;
        }
    }

    async fn send(&mut self, spans: Vec<Span>, counts: &Counts, stop: &CancellationToken) {
        let many = spans.len() as u64;
        let body = self.body_of(spans);
        let mut pauses = AGAIN.iter();
        let why = loop {
            match self.post(body.clone()).await {
                Ok(()) => {
                    counts.sent(many);
                    if !std::mem::replace(&mut self.is_well, true) {
                        tracing::info!("traces are taken again");
                    }
                    return;
                }
                Err(Refusal::ForNow(why)) => match pauses.next().filter(|_| !stop.is_cancelled()) {
                    Some(pause) => tokio::time::sleep(*pause).await,
                    None => break why,
                },
                Err(Refusal::ForGood(why)) => break why,
            }
        };
        counts.failed(many);
        // Once, and not for each batch: a collector that is away is no fault of ours.
        if std::mem::replace(&mut self.is_well, false) {
            tracing::warn!(error = why, "traces are not taken; they are given up until they are");
        }
    }

    fn body_of(&self, spans: Vec<Span>) -> bytes::Bytes {
        let scope = InstrumentationScope {
            name: "tidewatch".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        };
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(self.resource.clone()),
                scope_spans: vec![ScopeSpans { scope: Some(scope), spans, schema_url: String::new() }],
                schema_url: String::new(),
            }],
        };
        match self.protocol {
            Protocol::Protobuf => request.encode_to_vec().into(),
            // Nothing in it fails to be JSON.
            Protocol::Json => serde_json::to_vec(&request).unwrap_or_default().into(),
        }
    }

    async fn post(&self, body: bytes::Bytes) -> Result<(), Refusal> {
        let content_type = match self.protocol {
            Protocol::Protobuf => "application/x-protobuf",
            Protocol::Json => "application/json",
        };
        let request = self
            .client
            .post(self.address.clone())
            .headers(self.headers.0.clone())
            .header(CONTENT_TYPE, content_type)
            .body(body);
        let answer = request.send().await.map_err(|error| {
            // Its address can hold what is nobody's business.
            Refusal::ForNow(format!("{:#}", anyhow::Error::from(error.without_url())))
        })?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status @ (StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT) => Err(Refusal::ForNow(status.to_string())),
            status => Err(Refusal::ForGood(status.to_string())),
        }
    }
}
