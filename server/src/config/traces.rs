//! Whether and where traces go, by the variables that OpenTelemetry has for that
//! ([specification](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/)).

use std::str::FromStr;

use clap::{Args, ValueEnum};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::group;
use super::outside::decoded;

/// Whether and where traces go.
#[derive(Debug, Clone, Args)]
pub struct TracesConfig {
    /// Collector of OpenTelemetry that takes traces by HTTP, such as http://127.0.0.1:4318; /v1/traces is put behind it. By
    /// default no traces are made
    #[arg(long, help_heading = group::TRACES, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<Endpoint>,

    /// The whole address at which traces are taken, in its place
    #[arg(long, help_heading = group::TRACES, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")]
    pub otlp_traces_endpoint: Option<Endpoint>,

    /// Headers that the collector asks for, such as authorization=Bearer%20token, with commas between them
    #[arg(long, help_heading = group::TRACES, env = "OTEL_EXPORTER_OTLP_HEADERS", hide_env_values = true, value_parser = parse_headers)]
    pub otlp_headers: Option<Headers>,

    /// How traces are written
    #[arg(long, help_heading = group::TRACES, env = "OTEL_EXPORTER_OTLP_PROTOCOL", default_value = "http/protobuf")]
    pub otlp_protocol: Protocol,

    /// What this service is called in traces
    #[arg(long, help_heading = group::TRACES, env = "OTEL_SERVICE_NAME", default_value = "tidewatch")]
    pub service_name: String,

    /// Which requests are traced. Those that are parentbased follow who asks, where that says it in a traceparent
    #[arg(long, help_heading = group::TRACES, env = "OTEL_TRACES_SAMPLER", default_value = "parentbased_always_on")]
    pub traces_sampler: SamplerKind,

    /// How much of them, for those by traceidratio
    #[arg(long, help_heading = group::TRACES, env = "OTEL_TRACES_SAMPLER_ARG", default_value_t = 1.0, value_parser = parse_ratio)]
    pub traces_sampler_arg: f64,
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            otlp_traces_endpoint: None,
            otlp_headers: None,
            otlp_protocol: Protocol::Protobuf,
            service_name: "tidewatch".to_owned(),
            traces_sampler: SamplerKind::ParentBasedAlwaysOn,
            traces_sampler_arg: 1.0,
        }
    }
}

impl TracesConfig {
    /// Where traces are posted to; `None`: nowhere.
    #[must_use]
    pub fn address(&self) -> Option<Url> {
        let whole = self.otlp_traces_endpoint.as_ref().and_then(|endpoint| endpoint.0.clone());
        whole.or_else(|| {
            let mut base = self.otlp_endpoint.as_ref()?.0.clone()?;
            base.path_segments_mut().ok()?.pop_if_empty().extend(["v1", "traces"]);
            Some(base)
        })
    }
}

/// An address of a collector. An empty text is none, as everywhere in OpenTelemetry.
#[derive(Clone)]
pub struct Endpoint(Option<Url>);

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_ref().and_then(Url::host_str).unwrap_or("none"))
    }
}

/// Headers for a collector; its Debug does not show them.
#[derive(Clone, Default)]
pub struct Headers(pub HeaderMap);

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} headers", self.0.len())
    }
}

/// How traces are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// Protocol buffers.
    #[value(name = "http/protobuf")]
    Protobuf,
    /// JSON.
    #[value(name = "http/json")]
    Json,
}

/// Which requests are traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are OpenTelemetry's")]
pub enum SamplerKind {
    #[value(name = "always_on")]
    AlwaysOn,
    #[value(name = "always_off")]
    AlwaysOff,
    #[value(name = "traceidratio")]
    TraceIdRatio,
    #[value(name = "parentbased_always_on")]
    ParentBasedAlwaysOn,
    #[value(name = "parentbased_always_off")]
    ParentBasedAlwaysOff,
    #[value(name = "parentbased_traceidratio")]
    ParentBasedTraceIdRatio,
}

/// The text is no address of a collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an address such as http://127.0.0.1:4318")]
pub struct ParseEndpointError;

impl FromStr for Endpoint {
    type Err = ParseEndpointError;

    fn from_str(text: &str) -> Result<Self, ParseEndpointError> {
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let url = Url::parse(text).ok().filter(is_web);
        if url.is_some() || text.is_empty() { Ok(Self(url)) } else { Err(ParseEndpointError) }
    }
}

/// Headers as the variable has them.
///
/// # Errors
/// They are of another form.
pub fn parse_headers(text: &str) -> Result<Headers, String> {
    const FORM: &str =
        "must be names and values such as authorization=Bearer%20token, with commas between them";
    let mut headers = HeaderMap::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(FORM)?;
        let name: HeaderName = name.trim().parse().map_err(|_| FORM)?;
        let mut value = decoded(value.trim()).and_then(|it| HeaderValue::from_str(&it).ok()).ok_or(FORM)?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(Headers(headers))
}

fn parse_ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "must be a part of all, 0 to 1, such as 0.1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_go_where_the_variables_say() {
        let endpoint = |text: &str| text.parse().ok();
        let address = |base: &str, whole: &str| {
            let (otlp_endpoint, otlp_traces_endpoint) = (endpoint(base), endpoint(whole));
            let config = TracesConfig { otlp_endpoint, otlp_traces_endpoint, ..TracesConfig::default() };
            config.address().map(|url| url.to_string()).unwrap_or_default()
        };
        assert_eq!(address("", ""), "");
        assert_eq!(address("http://127.0.0.1:4318", ""), "http://127.0.0.1:4318/v1/traces");
        assert_eq!(address("https://tempo.test/otlp/", ""), "https://tempo.test/otlp/v1/traces");
        assert_eq!(address("http://a.test", "http://b.test/all"), "http://b.test/all");
        for text in ["127.0.0.1:4318", "ftp://a.test", "grpc://a.test", "http://"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
        assert!(parse_ratio("0.25").is_ok() && parse_ratio("1.1").is_err() && parse_ratio("NaN").is_err());
    }

    #[test]
    fn headers_are_percent_encoded_and_never_shown() {
        let headers = parse_headers("authorization=Bearer%20hunter2, x-scope = a").expect("headers");
        assert_eq!(headers.0["authorization"], "Bearer hunter2");
        assert_eq!(headers.0["x-scope"], "a");
        assert!(!format!("{headers:?}").contains("hunter2"));
        for text in ["authorization", "a b=c", "a=%ff"] {
            assert!(parse_headers(text).is_err(), "{text}");
        }
    }
}
