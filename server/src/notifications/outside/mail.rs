//! E-mail goes out by SMTP ([RFC 5321](https://www.rfc-editor.org/rfc/rfc5321)).

use std::sync::Arc;
use std::time::Duration;

use lettre::address::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::sync::Semaphore;
use url::Url;

use super::letter::Letter;
use crate::config::outside::{SmtpTls, SmtpUrl};

/// Longest wait for the server at each step.
const TIMEOUT: Duration = Duration::from_secs(30);
/// E-mails on their way at one time, each on a connection of its own: most servers allow few.
pub const AT_ONCE: usize = 4;

/// Why an e-mail did not go out.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It can never be sent: there is no such address, or its mailbox takes nothing.
    #[error("{0}")]
    Refused(String),
    /// It may be sent later.
    #[error("{0}")]
    Failed(String),
}

/// Sends e-mail. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// What the ids of e-mails end with.
    host: String,
    turns: Arc<Semaphore>,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Mailer {
    /// A mailer that hands e-mail to this server, whose certificate may be of this authority, too. It calls itself by the
    /// host of `public_url`.
    ///
    /// # Errors
    /// TLS cannot be prepared: the system has no certificate authorities, or the server's name is none.
    pub fn new(
        smtp: &SmtpUrl,
        authority: Option<Certificate>,
        from: Mailbox,
        public_url: &Url,
    ) -> Result<Self, lettre::transport::smtp::Error> {
        let host = public_url.host_str().unwrap_or("localhost").to_owned();
        let parameters = || {
            let mut builder = TlsParameters::builder(smtp.host().to_owned());
            if let Some(authority) = &authority {
                builder = builder.add_root_certificate(authority.clone());
            }
            builder.build()
        };
        let tls = match smtp.tls() {
            SmtpTls::Wrapped => Tls::Wrapper(parameters()?),
            SmtpTls::Required => Tls::Required(parameters()?),
            SmtpTls::Opportunistic => Tls::Opportunistic(parameters()?),
            SmtpTls::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(smtp.host())
            .port(smtp.port())
            .tls(tls)
            .hello_name(ClientId::Domain(host.clone()))
            .timeout(Some(TIMEOUT))
            .pool_config(PoolConfig::new().max_size(u32::try_from(AT_ONCE).unwrap_or(1)));
        if let Some((name, password)) = smtp.credentials() {
            builder = builder.credentials(Credentials::new(name, password));
        }
        Ok(Self { transport: builder.build(), from, host, turns: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Connects, and greets as if there were something to send.
    ///
    /// # Errors
    /// [`MailError::Failed`]: the server cannot be reached, or does not want this name and password.
    pub async fn try_connection(&self) -> Result<(), MailError> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(MailError::Failed("the server does not answer".to_owned())),
            Err(error) => Err(MailError::Failed(described(&error))),
        }
    }

    /// Sends an e-mail, as soon as there are not as many on their way as may be: when this returns, the server has taken it.
    ///
    /// # Errors
    /// See [`MailError`].
    pub async fn send(&self, letter: Letter) -> Result<(), MailError> {
        let message = self.message(letter).map_err(|error| MailError::Refused(error.to_string()))?;
        let _turn = self.turns.acquire().await.map_err(|error| MailError::Failed(error.to_string()))?;
        self.transport.send(message).await.map(drop).map_err(|error| {
            let said = described(&error);
            if is_of_the_mailbox(&error) { MailError::Refused(said) } else { MailError::Failed(said) }
        })
    }

    fn message(&self, letter: Letter) -> Result<Message, MessageError> {
        let Letter { email, name, subject, text, html, unsubscribe, id } = letter;
        let name: String = name.chars().filter(|c| !c.is_control()).collect();
        let to = Mailbox::new(Some(name).filter(|name| !name.trim().is_empty()), email.parse::<Address>()?);
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            // Sent twice, it is one e-mail to mailboxes that look at that.
            .message_id(Some(format!("<{id}@{}>", self.host)))
            .multipart(MultiPart::alternative_plain_html(text, html))?;
        // RFC 3834: no answering machine answers. RFC 2369: the mailbox offers the link beside the e-mail, and by TLS
        // (RFC 8058) it follows it by itself, with one POST.
        let mut added = vec![
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("List-Unsubscribe", format!("<{unsubscribe}>")),
        ];
        if unsubscribe.scheme() == "https" {
            added.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        let headers = message.headers_mut();
        for (name, value) in added {
            let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|_| MessageError::Header)?;
            // As they are: they are plain ASCII, and an address that is folded is none.
            headers.insert_raw(HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value));
        }
        Ok(message)
    }
}

#[derive(Debug, thiserror::Error)]
enum MessageError {
    #[error("the person's address is none: {0}")]
    Address(#[from] lettre::address::AddressError),
    #[error("the e-mail cannot be put together: {0}")]
    Message(#[from] lettre::error::Error),
    #[error("a header has no name")]
    Header,
}

/// Whether the server said that this very mailbox takes nothing: 550 to 553 of
/// [RFC 5321, section 4.2.3](https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3). Other refusals are the sender's
/// fault, which somebody may mend.
fn is_of_the_mailbox(error: &lettre::transport::smtp::Error) -> bool {
    let status = error.status().map(u16::from);
    error.is_permanent() && status.is_some_and(|status| matches!(status, 550 | 551 | 553))
}

/// The error with what it goes back to.
fn described(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
