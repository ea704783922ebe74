//! The pages of the modules' records: lists in all their ways, and what there is of one record.

use anyhow::Result;
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use tidewatch_events::Timestamp;
use tidewatch_events::id::RecordId;
use uuid::Uuid;

use super::addresses::{ADDRESSES, Page, encoded};

/// A module, and how its lists are opened.
struct Module {
    name: &'static str,
    prefix: &'static str,
    /// The column that a record is called by.
    title: &'static str,
    /// A status to narrow by.
    status: &'static str,
    /// A word that many records have.
    word: &'static str,
    /// Whether lists can be ordered by an amount.
    has_amount: bool,
    /// Fields by which lists can be narrowed: one with a value that many records have, and one that none has.
    narrowed: &'static [&'static str],
}

const MODULES: &[Module] = &[
    module("settlements", "stl", "reference", "failed", "inv").with_amount().narrowed_by(&[
        "currency=EUR",
        "currency=KWD",
        "network=polygon",
        "network=solana",
    ]),
    module("payments", "pay", "reference", "partially_refunded", "pay")
        .with_amount()
        .narrowed_by(&["currency=KWD", "method=card"]),
    module("orders", "ord", "reference", "cancelled", "ord").with_amount().narrowed_by(&["currency=KWD"]),
    module("invoices", "inv", "reference", "open", "bill").with_amount().narrowed_by(&["currency=KWD"]),
    module("balances", "bal", "account", "open", "bank").with_amount(),
    module("tickets", "tkt", "title", "quoted", "heating").with_amount(),
    module("incidents", "inc", "title", "open", "webhooks").narrowed_by(&["severity=critical"]),
    module("servers", "srv", "name", "failed", "refused"),
    module("automations", "aut", "name", "failed", "dunning"),
    module("logs", "log", "message", "error", "timed"),
];

const fn module(
    name: &'static str,
    prefix: &'static str,
    title: &'static str,
    status: &'static str,
    word: &'static str,
) -> Module {
    Module { name, prefix, title, status, word, has_amount: false, narrowed: &[] }
}

impl Module {
    const fn with_amount(mut self) -> Self {
        self.has_amount = true;
        self
    }

    const fn narrowed_by(mut self, narrowed: &'static [&'static str]) -> Self {
        self.narrowed = narrowed;
        self
    }
}

/// A record out of a list, some way down in it.
#[derive(FromRow)]
struct Sample {
    id: Uuid,
    created: i64,
    changed: i64,
    title: String,
}

pub(super) async fn pages(connection: &mut PgConnection) -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    for module in MODULES {
        let samples = samples(connection, module).await?;
        pages.extend(pages_of(module, &samples));
    }
    Ok(pages)
}

/// Records from all parts of a list. The last has none behind it.
async fn samples(connection: &mut PgConnection, module: &Module) -> Result<Vec<Sample>> {
    let Module { name, title, .. } = module;
    // Both are constants of this program.
    let query = format!(
        "select id, (extract(epoch from created_at) * 1000)::bigint as created,
                (extract(epoch from updated_at) * 1000)::bigint as changed, {title} as title
         from (select *, row_number() over (order by created_at, id) as number, count(*) over () as records
               from {name}) every
         where number % greatest(records / ($1 + 1), 1) = 0 and number > 1 order by number limit $1"
    );
    Ok(sqlx::query_as(AssertSqlSafe(query)).bind(ADDRESSES).fetch_all(connection).await?)
}

fn pages_of(module: &Module, samples: &[Sample]) -> Vec<Page> {
    let Module { name, prefix, status, word, .. } = *module;
    let cursor = |key: i64, sample: &Sample| format!("{key}-{}", RecordId::new(prefix, sample.id));
    let each = |address: &dyn Fn(&Sample) -> String| samples.iter().map(address).collect::<Vec<_>>();
    let mut pages = vec![
        Page::list(&format!("/{name}")),
        Page::list(&format!("/{name}?after=…"))
            .at(each(&|sample| format!("/{name}?after={}", cursor(sample.created, sample)))),
        Page::list(&format!("/{name}?status={status}")),
        Page::list(&format!("/{name}?q={word}")),
        Page::list(&format!("/{name}?q=…"))
            .named(format!("/{name}?q=(one record)"))
            .at(each(&|sample| format!("/{name}?q={}", encoded(&sample.title)))),
        Page::list(&format!("/{name}?sort=oldest")),
        Page::list(&format!("/{name}?sort=changed")),
        Page::list(&format!("/{name}?sort=changed&after=…"))
            .at(each(&|sample| format!("/{name}?sort=changed&after={}", cursor(sample.changed + 1, sample)))),
        Page::one(&format!("/{name}/…"))
            .at(each(&|sample| format!("/{name}/{}", RecordId::new(prefix, sample.id)))),
        Page::json(&format!("/api/v1/{name}"), name),
        Page::json(&format!("/api/v1/{name}?after=…"), name)
            .at(each(&|sample| format!("/api/v1/{name}?after={}", cursor(sample.created, sample)))),
        Page::json(&format!("/api/v1/{name}?status={status}&total=true"), name),
    ];
    if module.has_amount {
        pages.push(Page::list(&format!("/{name}?sort=amount")));
    }
    // Some have no row.
    pages.extend(module.narrowed.iter().map(|field| Page::one(&format!("/{name}?{field}"))));
    pages.push(Page::one(&format!("/{name}?status={status}&sort=changed")));
    let day = samples.get(samples.len() / 2).map(|sample| sample.created - sample.created % 86_400_000);
    if let Some(day) = day.and_then(Timestamp::from_unix_millis) {
        let from = encoded(&day.to_string());
        pages.push(Page::one(&format!("/{name}?from={from}")).named(format!("/{name}?from=(a day)")));
        pages.push(Page::one(&format!("/{name}?to={from}")).named(format!("/{name}?to=(a day)")));
    }
    pages
}
