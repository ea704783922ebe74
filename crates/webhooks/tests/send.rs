//! Webhooks on their way, to real servers on this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use axum::routing::post;
use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tidewatch_webhooks::{
    Attempt, Guard, MAX_EXCERPT_BYTES, Message, Outcome, Refusal, Sender, SigningSecret, Verdict, sign,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What a server received.
#[derive(Debug)]
struct Received {
    id: String,
    timestamp: u64,
    signature: String,
    content_type: String,
    body: Bytes,
}

async fn read(request: Request) -> Received {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let header = |name: &str| {
        let value = parts.headers.get(name).unwrap_or_else(|| panic!("{name}"));
        value.to_str().expect("text").to_owned()
    };
    Received {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().expect("seconds"),
        signature: header("webhook-signature"),
        content_type: header("content-type"),
        body,
    }
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A server that answers so, whatever it is asked.
async fn answering(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> SocketAddr {
    serve(Router::new().fallback(move || async move { answer })).await
}

fn secret() -> SigningSecret {
    SigningSecret::generate().expect("random bytes")
}

fn guard() -> Guard {
    Guard::new(vec!["127.0.0.0/8".parse().expect("a network"), "::1/128".parse().expect("a network")])
}

async fn send_with(guard: Guard, url: &str, secrets: &[SigningSecret]) -> Attempt {
    let message =
        Message { id: "whd_1", secrets, body: Bytes::from_static(br#"{"type":"a.b"}"#), traceparent: None };
    Sender::new(guard).expect("a sender").send(url, message).await
}

async fn send(url: &str) -> Outcome {
    send_with(guard(), url, &[secret()]).await.outcome
}

#[tokio::test]
async fn is_signed_by_each_secret_over_what_arrives() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let address = serve(Router::new().route(
        "/hook",
        post(move |request: Request| async move {
            tell.send(read(request).await).expect("heard");
            (StatusCode::CREATED, "taken")
        }),
    ))
    .await;
    let secrets = [secret(), secret()];
    let attempt = send_with(guard(), &format!("http://{address}/hook?tenant=7"), &secrets).await;
    let taken = Outcome::Answered { status: 201, excerpt: "taken".to_owned(), retry_after: None };
    assert_eq!((&attempt.outcome, attempt.outcome.verdict()), (&taken, Verdict::Delivered));
    let received = told.recv().await.expect("a request");
    assert_eq!((received.id.as_str(), received.content_type.as_str()), ("whd_1", "application/json"));
    assert_eq!(received.signature, sign(&secrets, "whd_1", received.timestamp, &received.body));
    assert_eq!(received.signature.split(' ').count(), 2);
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    assert!(now - received.timestamp < 60);
}

#[tokio::test]
async fn a_name_is_refused_for_what_it_stands_for_when_it_is_connected_to() {
    let address = answering(StatusCode::OK).await;
    let url = format!("https://localhost:{}/", address.port());
    assert!(Guard::default().check(&url).is_ok(), "by itself the name says nothing");
    let attempt = send_with(Guard::default(), &url, &[secret()]).await;
    let Outcome::Refused(Refusal::Address { address, what: "loopback" }) = attempt.outcome else {
        panic!("{attempt:?}")
    };
    assert!(address.is_loopback());
    let plain =
        format!("http://localhost:{}/", url.rsplit(':').next().expect("a port").trim_end_matches('/'));
    assert!(
        matches!(send(&plain).await, Outcome::Answered { status: 200, .. }),
        "where it is allowed, it goes"
    );
    let elsewhere = Guard::new(vec!["10.0.0.0/8".parse().expect("a network")]);
    let attempt = send_with(elsewhere, &plain, &[secret()]).await;
    assert_eq!(attempt.outcome.verdict(), Verdict::Refused, "{attempt:?}");
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let inside = answering(StatusCode::OK).await;
    for redirect in
        [Redirect::temporary(&format!("http://{inside}/")), Redirect::to(&format!("http://{inside}/"))]
    {
        let outcome = send(&format!("http://{}/", answering(redirect).await)).await;
        assert!(matches!(outcome, Outcome::Answered { status: 303 | 307, .. }), "{outcome:?}");
        assert_eq!(outcome.verdict(), Verdict::Retry { after: None });
    }
}

#[tokio::test]
async fn answers_are_told_by_their_status() {
    for (status, verdict) in [
        (StatusCode::NO_CONTENT, Verdict::Delivered),
        (StatusCode::GONE, Verdict::Gone),
        (StatusCode::INTERNAL_SERVER_ERROR, Verdict::Retry { after: None }),
        (StatusCode::NOT_FOUND, Verdict::Retry { after: None }),
    ] {
        let outcome = send(&format!("http://{}/", answering(status).await)).await;
        assert_eq!((outcome.status(), outcome.verdict()), (Some(status.as_u16()), verdict));
    }
    let busy = answering((StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")])).await;
    let after = Some(Duration::from_secs(7));
    assert_eq!(send(&format!("http://{busy}/")).await.verdict(), Verdict::Retry { after });
}

#[tokio::test]
async fn little_is_kept_of_a_long_answer_and_it_can_be_shown() {
    let address = answering("é\0".repeat(1 << 20)).await;
    let outcome = send(&format!("http://{address}/")).await;
    assert!(outcome.excerpt().starts_with("é\u{fffd}é"), "{}", &outcome.excerpt()[..20]);
    // Three bytes were two characters; a NUL takes three as the one that stands for it.
    let characters = outcome.excerpt().chars().count();
    assert_eq!(characters, MAX_EXCERPT_BYTES / 3 * 2, "cut between characters");
}

#[tokio::test]
async fn nobody_there_and_no_answer_are_told_apart() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let outcome = send(&format!("http://{address}/")).await;
    assert!(matches!(&outcome, Outcome::ConnectFailed(reason) if reason.contains("refused")), "{outcome:?}");

    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let _ = socket.read(&mut [0; 1024]).await;
    });
    let outcome = send(&format!("http://{address}/")).await;
    assert!(matches!(outcome, Outcome::Broken(_)), "{outcome:?}");

    let outcome = send("http://no-such-host.invalid/").await;
    assert!(matches!(outcome, Outcome::ConnectFailed(_)), "{outcome:?}");
    assert_eq!(outcome.verdict(), Verdict::Retry { after: None }, "names come back");
}

#[tokio::test]
async fn who_never_answers_is_given_up() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let begun = Instant::now();
    let outcome = send(&format!("http://{address}/")).await;
    assert_eq!(outcome, Outcome::TimedOut);
    assert!(begun.elapsed() >= tidewatch_webhooks::TIMEOUT, "not before its time");
}

/// A server that speaks TLS under a certificate for `localhost`, and the authority behind that.
async fn serve_tls() -> (SocketAddr, reqwest::Certificate) {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
        .and_then(|params| params.signed_by(&key, &authority))
        .expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            let Ok(mut socket) = acceptor.accept(socket).await else { continue };
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            let _ = socket.shutdown().await;
        }
    });
    let authority = reqwest::Certificate::from_der(authority.as_ref().der()).expect("a certificate");
    (address, authority)
}

#[tokio::test]
async fn tls_goes_to_whom_a_trusted_authority_vouches_for() {
    let (address, authority) = serve_tls().await;
    let secrets = [secret()];
    let message =
        || Message { id: "whd_1", secrets: &secrets, body: Bytes::from_static(b"{}"), traceparent: None };
    let sender = Sender::trusting(guard(), [authority]).expect("a sender");
    let attempt = sender.send(&format!("https://localhost:{}/", address.port()), message()).await;
    assert_eq!(attempt.outcome.status(), Some(204), "{attempt:?}");
    let attempt = sender.send(&format!("https://{address}/"), message()).await;
    assert!(matches!(attempt.outcome, Outcome::ConnectFailed(_)), "another name: {attempt:?}");
    let stranger = Sender::new(guard()).expect("a sender");
    let attempt = stranger.send(&format!("https://localhost:{}/", address.port()), message()).await;
    assert!(matches!(attempt.outcome, Outcome::ConnectFailed(_)), "another authority: {attempt:?}");
}
