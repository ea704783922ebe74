//! Which pages there are, and by which addresses they are opened.

use anyhow::Result;
use sqlx::PgConnection;
use tidewatch_events::id::RecordId;
use uuid::Uuid;

use super::{events, records};

/// Addresses of a page that are opened in turn.
pub(super) const ADDRESSES: i64 = 20;

/// What an answer has to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// A heading.
    Page,
    /// A heading and a row at least.
    List,
    /// JSON with a list of this name, which is not empty.
    Json(&'static str),
}

/// A page, in one of the ways in which it is opened.
#[derive(Debug, Clone)]
pub struct Page {
    /// What the report calls it.
    pub name: String,
    /// Where it is; of another record or place each.
    pub addresses: Vec<String>,
    /// What it holds.
    pub shows: Shows,
    /// Whether the server keeps it for a moment, so that it is opened again after that moment alone.
    pub kept: bool,
}

impl Page {
    /// A page of one address, without rows.
    pub(super) fn one(address: &str) -> Self {
        Self {
            name: address.to_owned(),
            addresses: vec![address.to_owned()],
            shows: Shows::Page,
            kept: false,
        }
    }

    /// One that shows rows.
    pub(super) fn list(address: &str) -> Self {
        Self { shows: Shows::List, ..Self::one(address) }
    }

    /// The same under another name.
    pub(super) fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same at several addresses.
    pub(super) fn at(mut self, addresses: impl IntoIterator<Item = String>) -> Self {
        self.addresses = addresses.into_iter().collect();
        self
    }

    /// A list as JSON.
    pub(super) fn json(address: &str, name: &'static str) -> Self {
        Self { shows: Shows::Json(name), ..Self::one(address) }
    }
}

/// Every page, and the lists of the API.
///
/// # Errors
/// Postgres could not be asked for what there is.
pub async fn all(connection: &mut PgConnection) -> Result<Vec<Page>> {
    let mut pages = overviews();
    pages.extend(records::pages(connection).await?);
    pages.extend(events::pages(connection).await?);
    pages.extend(around(connection).await?);
    Ok(pages)
}

/// The first page: as it is kept for a moment, and read anew for each of its ranges.
fn overviews() -> Vec<Page> {
    let anew = ["1h", "6h", "24h", "7d"].map(|range| {
        let page = Page::one(&format!("/?range={range}")).named(format!("/?range={range}, read anew"));
        Page { kept: true, ..page }
    });
    [Page::one("/").named("/, kept for a moment")].into_iter().chain(anew).collect()
}

/// What is neither of records nor of events.
async fn around(connection: &mut PgConnection) -> Result<Vec<Page>> {
    let jobs = ids(connection, "job", "select id from jobs order by id desc limit $1").await?;
    let hooks = ids(connection, "whk", "select id from webhook_endpoints order by id limit $1").await?;
    let entries = ids(
        connection,
        "aud",
        "select id from (select id, row_number() over (order by at) as number, count(*) over () as entries
                         from audit_entries) every
         where number % greatest(entries / $1, 1) = 0 order by id limit $1",
    )
    .await?;
    let actors: Vec<String> =
        sqlx::query_scalar("select actor from audit_entries group by actor order by actor limit $1")
            .bind(ADDRESSES)
            .fetch_all(&mut *connection)
            .await?;
    let targets: Vec<String> = sqlx::query_scalar(
        "select target from (select target, row_number() over (order by at) as number, count(*) over () as entries
                             from audit_entries) every
         where number % greatest(entries / $1, 1) = 0 limit $1",
    )
    .bind(ADDRESSES)
    .fetch_all(&mut *connection)
    .await?;
    let mut pages = vec![
        Page::list("/connections"),
        Page::one("/channels"),
        Page::list("/jobs"),
        Page::list("/jobs?state=completed"),
        Page::list("/jobs?state=dead"),
        Page::one("/jobs/…").at(jobs.iter().map(|id| format!("/jobs/{id}"))),
        Page::list("/webhooks"),
        Page::list("/webhooks/…").at(hooks.iter().map(|id| format!("/webhooks/{id}"))),
        Page::list("/people"),
        Page::list("/api-keys"),
        Page::list("/audit"),
        Page::list("/audit?after=…").at(entries.iter().map(|id| format!("/audit?after={id}"))),
        Page::list("/audit?action=incident.resolved"),
        Page::list("/audit?actor=hopper"),
        Page::list("/audit?actor=user:…")
            .at(actors.iter().map(|actor| format!("/audit?actor={}", encoded(actor)))),
        Page::list("/audit?target=…").at(targets.iter().map(|id| format!("/audit?target={id}"))),
        Page::list("/witness"),
        Page::one("/project"),
        Page::list("/sessions"),
        Page::json("/api/v1/jobs", "jobs"),
        Page::json("/api/v1/audit", "entries"),
        Page::json("/api/v1/people", "people"),
        Page::json("/api/v1/api-keys", "apiKeys"),
        Page::json("/api/v1/connections", "connections"),
        Page::json("/api/v1/webhooks", "webhooks"),
    ];
    pages.retain(|page| !page.addresses.is_empty());
    Ok(pages)
}

/// Ids as addresses write them.
async fn ids(
    connection: &mut PgConnection,
    prefix: &'static str,
    query: &'static str,
) -> Result<Vec<RecordId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(query).bind(ADDRESSES).fetch_all(connection).await?;
    Ok(ids.into_iter().map(|id| RecordId::new(prefix, id)).collect())
}

/// A text as a value in an address.
#[must_use]
pub fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_addresses_take_them() {
        assert_eq!(encoded("a b&c=ü"), "a%20b%26c%3D%C3%BC");
    }
}
