//! The ways that lead outside: what is sent to a person is told by e-mail and Web Push, too, where they want that.
//!
//! ```text
//!  transaction that sends              queues `mail` and `outside`
//!  ┌───────────────────────┐   jobs   ┌──────────────────────────────────────────────┐
//!  │ receipts              │ ───────▶ │ mail_notification, push_notification         │ ──▶ SMTP server,
//!  │ enqueue: what does    │          │ (wait out quiet hours)                       │     push services
//!  │ their recipient want? │          └──────────────────────────────────────────────┘
//!  └──────────┬────────────┘          ┌──────────────────────────────────────────────┐
//!             └ email = 'digest' ───▶ │ send_digests, by the clock ──▶ mail_digest   │ ──▶ SMTP server
//!                                     └──────────────────────────────────────────────┘
//! ```
//!
//! What went out is noted in the transaction that completes its job, which is tried again until it is. Between the other
//! side's word that it has it and that note there is no transaction that both could be in: who is killed there sends it
//! once more. An e-mail then has the same `Message-ID`, and a push the same tag, so that mailboxes and browsers that look
//! at that show it once. A digest is of what waits when it is sent, and has another `Message-ID` where that is not the same.

pub mod letter;
pub mod link;
pub mod mail;
pub mod push;
pub mod quiet;
pub mod unsubscribe;
pub mod vapid;

use std::path::{Path, PathBuf};

use lettre::message::Mailbox;
use lettre::transport::smtp::client::Certificate;
use sqlx::{PgConnection, PgPool};
use tidewatch_app::model::EmailPreference;
use tidewatch_events::id::{NotificationId, UserId};
use tidewatch_events::{EventType, ProjectId};
use tidewatch_jobs::{EnqueueError, enqueue_all};
use tidewatch_webhooks::{Guard, Poster, SenderError};

use self::letter::Writer;
use self::mail::Mailer;
use self::push::Pusher;
use self::unsubscribe::UnsubscribeTokens;
use self::vapid::VapidKey;
use super::preferences::of_notification;
use crate::access::seal::Sealer;
use crate::access::secret::Digester;
use crate::config::outside::OutsideConfig;
use crate::db;
use crate::error::Error;
use crate::jobs::{mail_notification, push_notification};

/// What a certificate begins with ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468#section-5)).
const BEGIN_CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// A notification that was just sent to one recipient: its receipt is written, in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The receipt.
    pub id: NotificationId,
    /// Whose it is.
    pub user: UserId,
    /// The type of the event that it tells of.
    pub event_type: String,
    /// Whether somebody has to say that it is done: quiet hours do not hold it.
    pub must_acknowledge: bool,
    /// Whether it is of high priority.
    pub high: bool,
}

/// Has what was just sent told outside, where its recipient's preferences say so: notes on each receipt how it is told
/// by e-mail, and enqueues a job for each e-mail and push of its own; of e-mail where this server sends any. To be called
/// in the transaction that wrote the receipts, after they are written, on a connection of the owner.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn enqueue(
    connection: &mut PgConnection,
    project: ProjectId,
    sent: &[Sent],
    sends_email: bool,
) -> Result<(), Error> {
    if sent.is_empty() {
        return Ok(());
    }
    let users: Vec<UserId> = sent.iter().map(|one| one.user).collect();
    let preferences = db::notifications::settings::preferences(connection, project, &users).await?;
    let browsers = db::push_subscriptions::of(connection, project, &users).await?;
    let (mut mailed, mut jobs) = (Vec::new(), Vec::new());
    for one in sent {
        let event_type: EventType = one
            .event_type
            .parse()
            .map_err(|_| Error::Internal(format!("`{}` is no event type", one.event_type)))?;
        let said = preferences.get(&one.user).map_or(&[][..], Vec::as_slice);
        let wanted = of_notification(said, &event_type, one.must_acknowledge);
        if wanted.email != EmailPreference::Off {
            mailed.push((one.id, wanted.email));
        }
        let priority = if one.high || one.must_acknowledge { 10 } else { 0 };
        if sends_email && wanted.email == EmailPreference::Instant {
            jobs.push(mail_notification::new_job(project, one.id)?.with_priority(priority));
        }
        if wanted.push {
            for browser in browsers.get(&one.user).into_iter().flatten() {
                jobs.push(push_notification::new_job(project, one.id, *browser)?.with_priority(priority));
            }
        }
    }
    db::notifications::outside::set_email(connection, project, &mailed).await?;
    enqueue_all(connection, &jobs).await.map(drop).map_err(|error| match error {
        EnqueueError::Database(error) => error.into(),
        other => Error::Internal(other.to_string()),
    })
}

/// What leads outside, as far as this server is told. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outside {
    /// Writes and sends e-mail.
    pub mail: Option<(Writer, Mailer)>,
    /// Pushes to browsers.
    pub pusher: Option<Pusher>,
    /// Makes and reads the links by which people want no more e-mail.
    pub unsubscribe: UnsubscribeTokens,
}

/// Why nothing can be sent outside as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// It is not said whom e-mail is from, or where its links lead.
    #[error("TIDEWATCH_SMTP_URL needs TIDEWATCH_MAIL_FROM and TIDEWATCH_PUBLIC_URL beside it")]
    Incomplete,
    /// The connection to the server cannot be prepared.
    #[error("cannot prepare e-mail by TIDEWATCH_SMTP_URL: {0}")]
    Mail(#[from] lettre::transport::smtp::Error),
    /// The file of certificate authorities cannot be read, or has none in it.
    #[error("cannot read certificates in PEM from TIDEWATCH_SMTP_CA ({}): {reason}", path.display())]
    Authority {
        /// Where it should be.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no HTTP client.
    #[error(transparent)]
    Http(#[from] SenderError),
    /// There is no key of Web Push.
    #[error("cannot have the key of Web Push: {0}")]
    Key(Error),
}

impl Outside {
    /// What leads outside by this configuration: e-mail where a server for it is named, Web Push where push services
    /// can be told to whom to turn.
    ///
    /// # Errors
    /// See [`OutsideError`].
    pub async fn prepare(
        config: &OutsideConfig,
        pool: &PgPool,
        digester: &Digester,
    ) -> Result<Self, OutsideError> {
        let unsubscribe = UnsubscribeTokens::new(digester.clone());
        let mail = match (mailer(config)?, &config.public_url) {
            (Some(mailer), Some(url)) => Some((Writer::new(url.clone(), unsubscribe.clone()), mailer)),
            _ => None,
        };
        let pusher = match contact(config) {
            None => None,
            Some(contact) => {
                let poster = Poster::new(Guard::new(config.push_allowed_networks.clone()))?;
                let key = VapidKey::ensure(pool, &Sealer::new(digester)).await.map_err(OutsideError::Key)?;
                Some(Pusher::new(poster, key, contact))
            }
        };
        Ok(Self { mail, pusher, unsubscribe })
    }

    /// Whether this server sends e-mail at all.
    #[must_use]
    pub const fn sends_email(&self) -> bool {
        self.mail.is_some()
    }

    /// The key under which browsers subscribe to Web Push, where this server pushes.
    #[must_use]
    pub fn push_key(&self) -> Option<&str> {
        self.pusher.as_ref().map(Pusher::public_key)
    }
}

/// What sends e-mail by this configuration; `None` where no server for it is named.
///
/// # Errors
/// It is not said from whom e-mail is or where its links lead, or TLS cannot be prepared.
pub fn mailer(config: &OutsideConfig) -> Result<Option<Mailer>, OutsideError> {
    match (&config.smtp_url, &config.mail_from, &config.public_url) {
        (None, ..) => Ok(None),
        (Some(smtp), Some(from), Some(url)) => {
            let authority = config.smtp_ca.as_deref().map(read_authority).transpose()?;
            Ok(Some(Mailer::new(smtp, authority, from.clone(), url)?))
        }
        _ => Err(OutsideError::Incomplete),
    }
}

fn read_authority(path: &Path) -> Result<Certificate, OutsideError> {
    let refused = |reason: String| OutsideError::Authority { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    // Of a file without any, lettre would make an authority that signs nothing.
    if !pem.windows(BEGIN_CERTIFICATE.len()).any(|part| part == BEGIN_CERTIFICATE) {
        return Err(refused("there is none in it".to_owned()));
    }
    Certificate::from_pem(&pem).map_err(|error| refused(error.to_string()))
}

/// To whom a push service turns that has something to say
/// ([RFC 8292, section 2.1](https://www.rfc-editor.org/rfc/rfc8292#section-2.1)).
fn contact(config: &OutsideConfig) -> Option<String> {
    let mailbox = config.mail_from.as_ref().map(|Mailbox { email, .. }| format!("mailto:{email}"));
    mailbox.or_else(|| config.public_url.as_ref().map(ToString::to_string))
}
