//! Somebody who is signed in and opens pages, one after the other on one connection.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::time::Instant;

use super::addresses::{Page, Shows, encoded};
use crate::http::{Answer, HttpConnection};
use crate::systems::tidewatch::Account;

/// What browsers take, so that what it costs to compress an answer counts.
const ENCODINGS: &str = "gzip, deflate, br, zstd";

/// Somebody who is signed in.
#[derive(Debug)]
pub struct Visitor {
    connection: HttpConnection,
    cookie: String,
}

impl Visitor {
    /// Signs in by the form.
    ///
    /// # Errors
    /// The server does not answer, or not with a session.
    pub async fn sign_in(address: SocketAddr, account: &Account) -> Result<Self> {
        let mut connection = HttpConnection::connect(address).await?;
        let form = format!("email={}&password={}", encoded(&account.email), encoded(&account.password));
        let request = format!(
            "POST /login HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let answer = connection.ask(&request).await?;
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.context("the server gave no session")?.to_owned();
        Ok(Self { connection, cookie })
    }

    /// Opens an address as a browser does; says how long that took until the whole answer was read.
    ///
    /// # Errors
    /// The answer is not 200, or the connection was lost.
    pub async fn open(&mut self, address: &str) -> Result<Duration> {
        let request = self.request(address, ENCODINGS);
        let begun = Instant::now();
        let answer = self.connection.ask(&request).await?;
        let took = begun.elapsed();
        ensure!(answer.status == 200, "{address} answered {}", answer.status);
        Ok(took)
    }

    /// Opens an address and looks at what came.
    ///
    /// # Errors
    /// It is not what the page shows.
    pub async fn look(&mut self, page: &Page, address: &str) -> Result<()> {
        let request = self.request(address, "identity");
        let answer = self.connection.ask(&request).await?;
        check(page.shows, &answer).with_context(|| format!("{address} answered {}", answer.status))
    }

    fn request(&self, address: &str, encodings: &str) -> String {
        format!(
            "GET {address} HTTP/1.1\r\nHost: bench\r\nCookie: {}\r\nAccept-Encoding: {encodings}\r\n\r\n",
            self.cookie
        )
    }
}

/// Whether an answer holds what its page shows.
fn check(shows: Shows, answer: &Answer) -> Result<()> {
    ensure!(answer.status == 200, "not 200");
    let text = String::from_utf8_lossy(&answer.body);
    if let Shows::Json(name) = shows {
        let value: serde_json::Value = serde_json::from_str(&text)?;
        let rows = value.get(name).and_then(serde_json::Value::as_array);
        ensure!(rows.is_some_and(|rows| !rows.is_empty()), "no row of {name}");
        return Ok(());
    }
    let heading = text.split_once("<h1").and_then(|(_, rest)| rest.split_once('>'));
    let heading = heading.and_then(|(_, rest)| rest.split_once("</h1>")).map(|(heading, _)| heading);
    ensure!(heading.is_some_and(|heading| !heading.trim().is_empty()), "no heading");
    ensure!(shows == Shows::Page || text.contains(" data-id=\""), "no row");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_page_without_what_it_shows_is_no_page() {
        let list = r#"<h1 class="a">Jobs</h1><tr data-id="job_1">"#;
        assert!(check(Shows::List, &answer(200, list)).is_ok());
        assert!(check(Shows::List, &answer(500, list)).is_err());
        assert!(check(Shows::List, &answer(200, "<h1>Jobs</h1>")).is_err());
        assert!(check(Shows::Page, &answer(200, "<h1>Jobs</h1>")).is_ok());
        assert!(check(Shows::Page, &answer(200, "<h1> </h1>")).is_err());
        assert!(check(Shows::Page, &answer(200, "Jobs")).is_err());
        assert!(check(Shows::Json("jobs"), &answer(200, r#"{"jobs":[{}]}"#)).is_ok());
        assert!(check(Shows::Json("jobs"), &answer(200, r#"{"jobs":[]}"#)).is_err());
    }
}
