//! A server that takes e-mail ([RFC 5321](https://www.rfc-editor.org/rfc/rfc5321)) and keeps it, and what is needed to
//! read it.

use std::collections::VecDeque;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::eventually;

const GREETING: &[u8] = b"220 mail.test ESMTP\r\n";

/// An e-mail as it arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    /// As the envelope has it.
    pub(crate) from: String,
    /// As the envelope has it.
    pub(crate) to: Vec<String>,
    /// All of it, with line ends as they are on the wire.
    pub(crate) text: String,
}

impl Mail {
    /// A header's value, unfolded and with encoded words decoded.
    pub(crate) fn header(&self, name: &str) -> String {
        find_header(&self.text, name).unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }

    /// The part of this media type, decoded.
    pub(crate) fn part(&self, media_type: &str) -> String {
        let content_type = self.header("Content-Type");
        assert!(content_type.starts_with("multipart/alternative"), "{content_type}");
        let boundary = content_type.split("boundary=").nth(1).expect("a boundary").trim_matches('"');
        let part = self
            .text
            .split(&format!("--{boundary}"))
            .find(|part| {
                find_header(part.trim_start(), "Content-Type").is_some_and(|it| it.starts_with(media_type))
            })
            .unwrap_or_else(|| panic!("no {media_type}"));
        let part = part.trim_start();
        let (_, body) = part.split_once("\r\n\r\n").expect("a body");
        match find_header(part, "Content-Transfer-Encoding").expect("an encoding").as_str() {
            "quoted-printable" => unquoted(body, false),
            "base64" => {
                let text: String = body.split_whitespace().collect();
                String::from_utf8(STANDARD.decode(text).expect("base 64")).expect("UTF-8")
            }
            _ => body.to_owned(),
        }
        .replace("\r\n", "\n")
    }
}

/// A header's value in a message or a part of one.
fn find_header(text: &str, name: &str) -> Option<String> {
    let head = text.split("\r\n\r\n").next()?;
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let value = head.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })?;
    // RFC 2047: white space between two encoded words is none.
    let value = value.replace("?= =?", "?==?");
    let mut decoded = String::new();
    let mut rest = value.as_str();
    while let Some((before, word)) = rest.split_once("=?") {
        let mut parts = word.splitn(4, '?');
        let (_, coding, text) =
            (parts.next(), parts.next().expect("a coding"), parts.next().expect("a text"));
        let after = parts.next().expect("an end").strip_prefix('=').expect("an end");
        decoded.push_str(before);
        decoded.push_str(&match coding {
            "b" | "B" => String::from_utf8(STANDARD.decode(text).expect("base 64")).expect("UTF-8"),
            _ => unquoted(text, true),
        });
        rest = after;
    }
    decoded.push_str(rest);
    Some(decoded)
}

fn unquoted(text: &str, is_header: bool) -> String {
    let text = text.replace("=\r\n", "");
    let bytes = text.as_bytes();
    let (mut decoded, mut place) = (Vec::new(), 0);
    while place < bytes.len() {
        match bytes[place] {
            b'=' => {
                decoded.push(u8::from_str_radix(&text[place + 1..place + 3], 16).expect("two digits"));
                place += 3;
            }
            b'_' if is_header => {
                decoded.push(b' ');
                place += 1;
            }
            byte => {
                decoded.push(byte);
                place += 1;
            }
        }
    }
    String::from_utf8(decoded).expect("UTF-8")
}

#[derive(Default)]
struct Inner {
    mails: Mutex<Vec<Mail>>,
    /// What the next recipients are answered.
    answers: Mutex<VecDeque<String>>,
    /// How many e-mails may be taken yet, where it takes its time.
    gate: Mutex<Option<Arc<Semaphore>>>,
}

/// When a connection speaks TLS.
#[derive(Clone)]
enum Tls {
    None,
    /// From the first byte.
    Wrapped(TlsAcceptor),
    /// From STARTTLS on, and without it nothing is taken.
    OnRequest(TlsAcceptor),
}

/// Takes e-mail on this machine.
#[derive(Clone)]
pub(crate) struct SmtpServer {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

impl SmtpServer {
    pub(crate) async fn start() -> Self {
        Self::accept("smtp", Tls::None).await
    }

    /// One that offers TLS on request ([RFC 3207](https://www.rfc-editor.org/rfc/rfc3207)) and takes no e-mail before; and
    /// the authority of its certificate in PEM.
    pub(crate) async fn start_with_starttls() -> (Self, String) {
        let (acceptor, authority) = tls();
        (Self::accept("smtp", Tls::OnRequest(acceptor)).await, authority)
    }

    /// One that speaks TLS from the first byte, and the authority of its certificate in PEM.
    pub(crate) async fn start_wrapped() -> (Self, String) {
        let (acceptor, authority) = tls();
        (Self::accept("smtps", Tls::Wrapped(acceptor)).await, authority)
    }

    async fn accept(scheme: &str, tls: Tls) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("{scheme}://{}", listener.local_addr().expect("an address"));
        let inner = Arc::<Inner>::default();
        let server = Self { url, inner: Arc::clone(&inner) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (inner, tls) = (Arc::clone(&inner), tls.clone());
                // A client may leave whenever it likes, also where it does not trust the certificate.
                tokio::spawn(async move {
                    drop(converse(stream, tls, &inner).await);
                });
            }
        });
        server
    }

    /// Answers this to the next recipient.
    pub(crate) fn answer_once(&self, answer: &str) {
        self.inner.answers.lock().push_back(answer.to_owned());
    }

    /// Takes no more e-mail but so many, and keeps those waiting that bring it.
    pub(crate) fn let_through(&self, count: usize) {
        let mut gate = self.inner.gate.lock();
        gate.get_or_insert_with(|| Arc::new(Semaphore::new(0))).add_permits(count);
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.inner.mails.lock().clone()
    }

    /// What has arrived, as soon as that is so many.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Mail> {
        eventually("e-mail", async || {
            let mails = self.mails();
            (mails.len() >= count).then_some(mails)
        })
        .await
    }
}

/// What speaks TLS as 127.0.0.1, and the authority of its certificate in PEM.
fn tls() -> (TlsAcceptor, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .and_then(|params| params.signed_by(&key, &authority))
        .expect("a certificate");
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
        )
        .expect("a configuration");
    let lines = STANDARD.encode(authority.as_ref().der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n");
    (TlsAcceptor::from(Arc::new(config)), pem)
}

async fn converse(stream: TcpStream, tls: Tls, inner: &Inner) -> std::io::Result<()> {
    match tls {
        Tls::None => serve(BufReader::new(stream), true, inner).await,
        Tls::Wrapped(tls) => serve(BufReader::new(tls.accept(stream).await?), true, inner).await,
        Tls::OnRequest(tls) => {
            let mut stream = BufReader::new(stream);
            if until_starttls(&mut stream).await? {
                let stream = tls.accept(stream.into_inner()).await?;
                return serve(BufReader::new(stream), false, inner).await;
            }
            Ok(())
        }
    }
}

/// Greets, and refuses what is asked for in the clear; whether TLS was asked for.
async fn until_starttls(stream: &mut BufReader<TcpStream>) -> std::io::Result<bool> {
    stream.write_all(GREETING).await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let answer: &[u8] = match line.trim_end().split(' ').next() {
            Some("EHLO") => b"250-mail.test\r\n250-8BITMIME\r\n250 STARTTLS\r\n",
            Some("STARTTLS") => {
                stream.write_all(b"220 go ahead\r\n").await?;
                return Ok(true);
            }
            _ => b"530 must issue a STARTTLS command first\r\n",
        };
        stream.write_all(answer).await?;
    }
}

async fn serve(
    mut stream: impl AsyncBufRead + AsyncWrite + Unpin,
    greets: bool,
    inner: &Inner,
) -> std::io::Result<()> {
    if greets {
        stream.write_all(GREETING).await?;
    }
    let mut mail = Mail::default();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let (command, argument) = line.split_once([' ', ':']).unwrap_or((line, ""));
        let answer = match command.to_ascii_uppercase().as_str() {
            "EHLO" => "250-mail.test\r\n250 8BITMIME".to_owned(),
            "MAIL" => {
                mail = Mail { from: address(argument), ..Mail::default() };
                "250 ok".to_owned()
            }
            "RCPT" => {
                let answer = inner.answers.lock().pop_front().unwrap_or_else(|| "250 ok".to_owned());
                mail.to.push(address(argument));
                answer
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                mail.text = read_data(&mut stream).await?;
                let gate = inner.gate.lock().clone();
                if let Some(gate) = gate {
                    gate.acquire().await.expect("open").forget();
                }
                inner.mails.lock().push(std::mem::take(&mut mail));
                "250 taken".to_owned()
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 ok".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

async fn read_data(stream: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        match line.as_str() {
            ".\r\n" | "" => return Ok(text),
            line => text.push_str(line.strip_prefix('.').unwrap_or(line)),
        }
    }
}

fn address(argument: &str) -> String {
    let start = argument.find('<').expect("an address") + 1;
    argument[start..argument.find('>').expect("an address")].to_owned()
}
