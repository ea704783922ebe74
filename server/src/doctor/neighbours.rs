//! What a server talks to beside Postgres: a broker, a mail server.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tidewatch_broker::{Broker, BrokerError, NatsBroker, RedisBroker};
use tokio::time::timeout;

use super::Finding;
use crate::config::ServeConfig;
use crate::notifications::outside::mailer;

/// How long each has.
const PATIENCE: Duration = Duration::from_secs(5);
/// No service's own: what is said there is heard by nobody else.
const CHANNEL: &str = "tidewatch-doctor";

pub(super) async fn examine(config: &ServeConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(url) = &config.redis_url {
        findings.push(match RedisBroker::new(url, CHANNEL) {
            Ok(broker) => carries("Redis", "TIDEWATCH_REDIS_URL", &broker).await,
            Err(error) => unreachable("Redis", "TIDEWATCH_REDIS_URL", &error.to_string()),
        });
    }
    if let Some(url) = &config.nats_url {
        let broker = NatsBroker::new(url.clone(), CHANNEL);
        findings.push(carries("NATS", "TIDEWATCH_NATS_URL", &broker).await);
    }
    findings.extend(mail(config).await);
    findings
}

/// Whether what is published there is heard.
async fn carries(name: &'static str, setting: &str, broker: &dyn Broker) -> Finding {
    let message = Bytes::from_static(b"Is anybody there?");
    let carried = async {
        let mut messages = broker.subscribe().await?;
        broker.publish(message.clone()).await?;
        while let Some(heard) = messages.next().await {
            if heard? == message {
                return Ok(());
            }
        }
        Err(BrokerError::new("the subscription ended"))
    };
    match timeout(PATIENCE, carried).await {
        Ok(Ok(())) => Finding::ok(name, "what is published there is heard"),
        Ok(Err(error)) => unreachable(name, setting, &error.to_string()),
        Err(_) => unreachable(name, setting, "it did not answer within 5 s"),
    }
}

/// Events still come by the log: it is slower, and not broken.
fn unreachable(name: &'static str, setting: &str, why: &str) -> Finding {
    Finding::warning(
        name,
        format!("cannot be used: {why}"),
        format!(
            "Look whether it runs, and whether {setting} is right. Until then each instance reads Postgres."
        ),
    )
}

async fn mail(config: &ServeConfig) -> Option<Finding> {
    let smtp = config.outside.smtp_url.as_ref()?;
    let problem = |said: String, advice: &str| Some(Finding::problem("e-mail", said, advice));
    let mailer = match mailer(&config.outside) {
        Ok(mailer) => mailer?,
        Err(error) => return problem(error.to_string(), "The server does not start with that."),
    };
    match timeout(PATIENCE, mailer.try_connection()).await {
        Ok(Ok(())) => Some(Finding::ok("e-mail", format!("{smtp:?} takes connections"))),
        Ok(Err(error)) => problem(
            format!("{smtp:?} does not take connections: {error}"),
            "Look whether it runs, and whether name, password and certificate are right. What is to be sent waits until \
             then.",
        ),
        Err(_) => problem(
            format!("{smtp:?} did not answer within 5 s"),
            "Look whether a firewall lets this machine reach it.",
        ),
    }
}
