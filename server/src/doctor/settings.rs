//! Settings that are right each by itself and not together.

use super::Finding;
use crate::config::ServeConfig;

pub(super) fn examine(config: &ServeConfig) -> Vec<Finding> {
    let is_public_by_tls = config.outside.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
    let cookie = match (config.cookie_secure, is_public_by_tls, config.listen.ip().is_loopback()) {
        (true, _, _) => Finding::ok("cookies", "the session cookie is sent over TLS alone"),
        (false, true, _) => Finding::warning(
            "cookies",
            "people come by https, and the session cookie would be sent over plain HTTP as well",
            "Set TIDEWATCH_COOKIE_SECURE=true.",
        ),
        (false, false, false) => Finding::warning(
            "cookies",
            format!("{} is no address of this machine alone, and sessions go over plain HTTP", config.listen),
            "Put a proxy with TLS before it (deploy/nginx/tidewatch.conf), listen on 127.0.0.1, and set \
             TIDEWATCH_COOKIE_SECURE=true.",
        ),
        (false, false, true) => {
            Finding::note("cookies", "sessions go over plain HTTP, on this machine alone")
        }
    };
    let proxies = (is_public_by_tls && config.trusted_proxies.is_empty()).then(|| {
        Finding::warning(
            "proxies",
            "no proxy is trusted: everybody seems to come from the proxy's address, and shares its limits",
            "Set TIDEWATCH_TRUSTED_PROXIES to the address from which your proxy connects.",
        )
    });
    let secret = match &config.secret {
        Some(_) => Finding::ok("secret", "TIDEWATCH_SECRET is set"),
        None => Finding::note(
            "secret",
            "TIDEWATCH_SECRET is not set: the key of all digests stands in the database, and in its backups",
        ),
    };
    let mail = config.outside.smtp_url.is_none().then(|| {
        Finding::note("e-mail", "TIDEWATCH_SMTP_URL is not set: notifications are not sent by e-mail")
    });
    let shutdown = config.check_shutdown().err().map(|said| {
        Finding::problem(
            "shutdown",
            said,
            "Raise TIDEWATCH_DRAIN_SECONDS, and with it what systemd or Docker waits for.",
        )
    });
    [Some(cookie), proxies, Some(secret), mail, shutdown].into_iter().flatten().collect()
}
