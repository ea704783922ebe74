//! How notifications leave the house: e-mail and Web Push.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use lettre::message::Mailbox;
use tidewatch_webhooks::IpNet;
use url::{Host, Url};

use super::{group, parse_network};

/// How notifications leave the house.
#[derive(Debug, Clone, Default, Args)]
pub struct OutsideConfig {
    /// Server that takes e-mail: smtp://user:password@host:port, where ?tls=required or ?tls=opportunistic says when
    /// STARTTLS is spoken, or smtps:// for TLS from the first byte; by default no e-mail is sent
    #[arg(long, help_heading = group::OUTSIDE, env = "TIDEWATCH_SMTP_URL", hide_env_values = true, requires_all = ["mail_from", "public_url"])]
    pub smtp_url: Option<SmtpUrl>,

    /// File with certificates in PEM of authorities that the mail server's certificate may be of, beside those that this
    /// system trusts
    #[arg(long, help_heading = group::OUTSIDE, env = "TIDEWATCH_SMTP_CA", requires = "smtp_url")]
    pub smtp_ca: Option<PathBuf>,

    /// Whom e-mail is from, such as "Tidewatch <tidewatch@example.com>"
    #[arg(long, help_heading = group::OUTSIDE, env = "TIDEWATCH_MAIL_FROM", value_parser = parse_mailbox)]
    pub mail_from: Option<Mailbox>,

    /// Address under which people reach this service, such as https://tidewatch.example.com: for links in e-mail, and
    /// by which push services know whom to turn to
    #[arg(long, help_heading = group::OUTSIDE, env = "TIDEWATCH_PUBLIC_URL", value_parser = parse_public_url)]
    pub public_url: Option<Url>,

    /// Networks beside the public ones in which push services may be, also by plain HTTP, with commas between them
    #[arg(long, help_heading = group::OUTSIDE, env = "TIDEWATCH_PUSH_ALLOWED_NETWORKS", value_delimiter = ',', value_parser = parse_network)]
    pub push_allowed_networks: Vec<IpNet>,
}

/// What an address of an e-mail server says of STARTTLS, as lettre and others write it.
const STARTTLS_REQUIRED: &str = "tls=required";
const STARTTLS_OPPORTUNISTIC: &str = "tls=opportunistic";

/// Where a server takes e-mail, and as whom; its Debug does not show the password.
#[derive(Clone)]
pub struct SmtpUrl {
    url: Url,
}

/// How a connection to a server that takes e-mail is kept from others' eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (`smtps`).
    Wrapped,
    /// STARTTLS, or nothing is sent.
    Required,
    /// STARTTLS where the server offers it.
    Opportunistic,
    /// None: the server is on this machine.
    None,
}

impl SmtpUrl {
    /// The server's name or address.
    #[must_use]
    pub fn host(&self) -> &str {
        // An address of IPv6 stands in brackets in a URL, and nowhere else.
        self.url.host_str().unwrap_or_default().trim_matches(['[', ']'])
    }

    /// Its port: 465 for `smtps` and 587 for `smtp` where none is given
    /// ([RFC 8314](https://www.rfc-editor.org/rfc/rfc8314)).
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port().unwrap_or(if self.url.scheme() == "smtps" { 465 } else { 587 })
    }

    /// How it is spoken to: as `?tls=` says, and where that is not said so that a password goes in the clear to this
    /// machine alone.
    #[must_use]
    pub fn tls(&self) -> SmtpTls {
        match self.url.query() {
            Some(STARTTLS_REQUIRED) => return SmtpTls::Required,
            Some(STARTTLS_OPPORTUNISTIC) => return SmtpTls::Opportunistic,
            _ => {}
        }
        let is_here = match self.url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            // To other schemes than the web's, an address is a name.
            Some(Host::Domain(name)) => {
                name == "localhost"
                    || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
            }
            None => false,
        };
        match (self.url.scheme(), is_here, self.credentials().is_some()) {
            ("smtps", _, _) => SmtpTls::Wrapped,
            (_, true, _) => SmtpTls::None,
            (_, false, true) => SmtpTls::Required,
            (_, false, false) => SmtpTls::Opportunistic,
        }
    }

    /// As whom it is spoken to: name and password.
    #[must_use]
    pub fn credentials(&self) -> Option<(String, String)> {
        let password = self.url.password()?;
        Some((decoded(self.url.username())?, decoded(password)?))
    }
}

impl std::fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}:{}", self.url.scheme(), self.host(), self.port())
    }
}

/// What percent-encoded text of an address's user information stands for
/// ([RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)).
pub(super) fn decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        if *byte == b'%' {
            let digits = text.get(place + 1..place + 3)?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
            place += 3;
        } else {
            decoded.push(*byte);
            place += 1;
        }
    }
    String::from_utf8(decoded).ok()
}

/// The text is no server that takes e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    /// It is of another form.
    #[error("must be of the form smtp://user:password@host:port or smtps://…")]
    Form,
    /// It says of TLS what is not known, or what does not go with the rest.
    #[error(
        "says of TLS neither ?tls=required nor ?tls=opportunistic (smtp only; without a password the latter)"
    )]
    Tls,
    /// What stands for name or password stands for no text.
    #[error("its name and password are not percent-encoded UTF-8")]
    Encoding,
    /// One of the two is missing.
    #[error("needs a name and a password, or neither")]
    Credentials,
}

impl FromStr for SmtpUrl {
    type Err = SmtpUrlError;

    fn from_str(text: &str) -> Result<Self, SmtpUrlError> {
        let url = Url::parse(text).map_err(|_| SmtpUrlError::Form)?;
        let is_plain = url.fragment().is_none() && matches!(url.path(), "" | "/");
        if !matches!(url.scheme(), "smtp" | "smtps") || url.host_str().is_none_or(str::is_empty) || !is_plain
        {
            return Err(SmtpUrlError::Form);
        }
        // Opportunistic is in the clear wherever somebody in between leaves the offer out (RFC 3207, section 6).
        let tls_is_known = match (url.query(), url.scheme()) {
            (None, _) | (Some(STARTTLS_REQUIRED), "smtp") => true,
            (Some(STARTTLS_OPPORTUNISTIC), "smtp") => url.password().is_none(),
            _ => false,
        };
        if !tls_is_known {
            return Err(SmtpUrlError::Tls);
        }
        let smtp = Self { url };
        match (smtp.url.username().is_empty(), smtp.url.password(), smtp.credentials()) {
            (true, None, _) | (false, Some(_), Some(_)) => Ok(smtp),
            (_, Some(_), None) => Err(SmtpUrlError::Encoding),
            _ => Err(SmtpUrlError::Credentials),
        }
    }
}

fn parse_mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| "must be an address such as Tidewatch <tidewatch@example.com>".to_owned())
}

fn parse_public_url(text: &str) -> Result<Url, String> {
    const FORM: &str = "must be an address such as https://tidewatch.example.com, without a path";
    let url = Url::parse(text).map_err(|_| FORM.to_owned())?;
    let is_origin = matches!(url.scheme(), "https" | "http")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if is_origin { Ok(url) } else { Err(FORM.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(text: &str) -> SmtpUrl {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_password_goes_in_the_clear_to_this_machine_alone() {
        for (url, port, tls) in [
            ("smtps://ann:x@mail.example.com", 465, SmtpTls::Wrapped),
            ("smtp://ann:x@mail.example.com", 587, SmtpTls::Required),
            ("smtp://mail.example.com:25", 25, SmtpTls::Opportunistic),
            ("smtp://ann:x@10.0.0.1:2525", 2525, SmtpTls::Required),
            ("smtp://127.0.0.1:1025", 1025, SmtpTls::None),
            ("smtp://[::1]:1025", 1025, SmtpTls::None),
            ("smtp://ann:x@localhost:1025", 1025, SmtpTls::None),
            ("smtp://ann:x@localhost:1025?tls=required", 1025, SmtpTls::Required),
            ("smtp://mail.example.com?tls=required", 587, SmtpTls::Required),
            ("smtp://127.0.0.1/?tls=opportunistic", 587, SmtpTls::Opportunistic),
        ] {
            assert_eq!((smtp(url).port(), smtp(url).tls()), (port, tls), "{url}");
        }
    }

    #[test]
    fn names_and_passwords_are_percent_encoded_and_never_shown() {
        let url = smtp("smtps://ann%40example.com:p%40ss%2Fw%C3%B6rd@mail.example.com");
        let expected = ("ann@example.com".to_owned(), "p@ss/wörd".to_owned());
        assert_eq!(url.credentials(), Some(expected));
        assert_eq!(format!("{url:?}"), "smtps://mail.example.com:465");
        assert_eq!(smtp("smtp://mail.example.com").credentials(), None);
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for text in [
            "",
            "mail.example.com",
            "smtp://",
            "http://mail.example.com",
            "smtp://mail.example.com/inbox",
            "smtp://mail.example.com?tls=none",
            "smtp://mail.example.com?tls=required&tls=opportunistic",
            "smtp://ann:x@mail.example.com?tls=opportunistic",
            "smtps://mail.example.com?tls=required",
            "smtp://ann@mail.example.com",
            "smtp://:x@mail.example.com",
            "smtp://ann:%ff@mail.example.com",
            "smtp://ann:%f@mail.example.com",
        ] {
            assert!(text.parse::<SmtpUrl>().is_err(), "{text}");
        }
        for text in
            ["", "tidewatch.example.com", "https://a.example/b", "https://a.example/?b", "ftp://a.example"]
        {
            assert!(parse_public_url(text).is_err(), "{text}");
        }
        assert!(parse_public_url("https://tidewatch.example.com/").is_ok());
        assert!(parse_mailbox("Tidewatch <tidewatch@example.com>").is_ok());
        assert!(parse_mailbox("tidewatch").is_err());
    }
}
