//! Row 14: how long the server takes for each page, with ten million events and a million settlements behind it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

use crate::context::Context;
use crate::pages::addresses::{self, Page};
use crate::pages::data::fill;
use crate::pages::visitor::Visitor;
use crate::readers::{Reader, Readers};
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::systems::tidewatch::{Demo, Prepared, RunningTidewatch};
use crate::systems::{Running, Tidewatch};

/// The database, beside that of the other rows.
const DATABASE: &str = "bench_pages";
/// Requests of a page before any is counted.
const WARM_UP: usize = 5;
/// How long the server keeps an overview, and a little more.
const KEPT: Duration = Duration::from_millis(2_100);
/// Of so many requests of other pages there is one of what is kept: each waits.
const SELDOM: usize = 10;
/// What the report calls the page with the highest p95.
const SLOWEST: &str = "the slowest of them";
/// What is told of a page's times, and which quantiles those are.
const METRICS: [&str; 3] = ["p50", "p95", "max"];
const QUANTILES: [f64; 3] = [0.5, 0.95, 1.0];
/// What a page may take, in ms.
const TARGET: f64 = 50.0;
/// What stands in the names of scripts and styles.
const HASHES: &str = "js: bench\nwasm: bench\ncss: bench\n";
/// How long the server may take to go through the log once.
const SUMMED_UP_WITHIN: Duration = Duration::from_secs(30 * 60);
/// Readers of the stream, so that pages about connections show some.
const CONNECTED: usize = 20;

pub(super) const SPECS: &[RowSpec] = &[RowSpec {
    id: "pages",
    title: "14. Server time of each page, 10,000,000 events and 1,000,000 settlements",
    columns: &[
        Column::new("p50", "p50, ms", 1),
        Column::new("p95", "p95, ms", 1),
        Column::new("max", "max, ms", 1),
        Column::new("over", "pages with a p95 above 50 ms", 0),
    ],
    compared: "",
    checks: &[Check { metric: "p95", of: SLOWEST, target: Target::AtMost(TARGET) }],
}];

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    let context = &with_hashes(context)?;
    // The witness would read the whole log meanwhile.
    let mut tidewatch =
        Tidewatch::new(context.database.clone()).with("TIDEWATCH_WITNESS_MINUTES", "0".to_owned());
    tidewatch.database_name = DATABASE;
    let demo = match context.plan.pages_again {
        true => tidewatch.find_demo(context).await?,
        false => new_demo(context, &tidewatch).await?,
    };
    let mut connection = PgConnection::connect(&demo.prepared.url).await?;
    let pages = addresses::all(&mut connection).await?;
    connection.close().await?;

    let server = tidewatch.serve(context, demo.prepared.clone()).await?;
    let begun = Instant::now();
    summed_up(&demo.prepared.url).await?;
    tracing::info!("the server has summed up the log after {:.0} s", begun.elapsed().as_secs_f64());
    let readers = Readers::start(context.clock.clone())?;
    readers.connect(connected(&server, &demo)).await?;
    let mut visitor = Visitor::sign_in(server.address(), &demo.account).await?;
    let mut record = Record::new(SPECS[0].id, context.plan.few_runs);
    for run in 1..=context.plan.few_runs {
        tracing::info!(run, of = context.plan.few_runs, "{} pages", pages.len());
        let (mut slowest, mut over) = ([0.0; 3], 0);
        for page in &pages {
            let begun = Instant::now();
            let times = match open_often(context, &mut visitor, page).await {
                Ok(times) => {
                    let times = QUANTILES.map(|quantile| quantile_ms(&times, quantile));
                    METRICS.iter().zip(times).for_each(|(name, time)| record.add(&page.name, name, time));
                    times
                }
                Err(error) => {
                    // It counts as slow, by how long it took to fail.
                    tracing::error!("{}: {error:#}", page.name);
                    record.leave_out(&page.name, &format!("{error:#}"));
                    visitor = Visitor::sign_in(server.address(), &demo.account).await?;
                    [begun.elapsed().as_secs_f64() * 1000.0; 3]
                }
            };
            tracing::info!("{:8.1} ms  {}", times[1], page.name);
            over += usize::from(times[1] > TARGET);
            if times[1] > slowest[1] {
                slowest = times;
            }
        }
        METRICS.iter().zip(slowest).for_each(|(name, time)| record.add(SLOWEST, name, time));
        record.add(SLOWEST, "over", over as f64);
    }
    if context.plan.quick {
        let sizes = context.plan.pages;
        record.warn(format!("Of {} events and {} settlements.", sizes.events, sizes.settlements));
    }
    drop(readers);
    Box::new(server).stop().await;
    Ok(vec![record])
}

/// Waits until the server has gone through the whole log for its charts, as it would have while the log grew.
async fn summed_up(url: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let deadline = Instant::now() + SUMMED_UP_WITHIN;
    loop {
        let behind: bool = sqlx::query_scalar(
            "select exists (select from project_streams s left join rollup_cursors c using (project_id)
                            where s.last_position > coalesce(c.position, 0))",
        )
        .fetch_one(&mut connection)
        .await?;
        if !behind {
            return Ok(connection.close().await?);
        }
        ensure!(Instant::now() < deadline, "the server does not come to the end of the log");
        sleep(Duration::from_millis(500)).await;
    }
}

/// With the program in a folder of its own, beside the hashes of the site's files, without which it renders no page. The
/// site itself is not asked for.
fn with_hashes(context: &Context) -> Result<Context> {
    let folder = context.run_folder.join("pages");
    std::fs::create_dir_all(&folder)?;
    let server_program = folder.join("tidewatch");
    std::fs::copy(&context.server_program, &server_program)?;
    std::fs::write(folder.join("hash.txt"), HASHES)?;
    Ok(Context { server_program, ..context.clone() })
}

async fn new_demo(context: &Context, tidewatch: &Tidewatch) -> Result<Demo> {
    let demo = tidewatch.prepare_demo(context).await?;
    let Prepared { url, project, .. } = &demo.prepared;
    fill(url, *project, context.plan.pages).await.context("the data of the pages")?;
    if context.plan.quick {
        // What was made is what the server would have written: at full size that takes minutes.
        tidewatch.verify(context, &demo.prepared).await?;
    }
    Ok(demo)
}

fn connected(server: &RunningTidewatch, demo: &Demo) -> Vec<Reader> {
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\nAuthorization: Bearer {}\r\n\r\n",
        demo.account.api_key
    );
    let request: Arc<[u8]> = Arc::from(request.into_bytes());
    vec![Reader { address: server.address(), request, reads: true }; CONNECTED]
}

/// Opens a page's addresses in turn; the times in order.
async fn open_often(context: &Context, visitor: &mut Visitor, page: &Page) -> Result<Vec<Duration>> {
    let requests = context.plan.page_requests;
    let (warm_up, requests) = if page.kept { (1, requests / SELDOM) } else { (WARM_UP, requests) };
    let mut addresses = page.addresses.iter().cycle();
    for address in addresses.by_ref().take(warm_up) {
        visitor.open(address).await?;
    }
    let mut times = Vec::with_capacity(requests);
    for address in addresses.take(requests) {
        if page.kept {
            sleep(KEPT).await;
        }
        times.push(visitor.open(address).await?);
    }
    // Not before: what was looked at once lies in memory.
    for address in &page.addresses {
        visitor.look(page, address).await?;
    }
    times.sort_unstable();
    Ok(times)
}

/// A quantile of times in order, in milliseconds.
fn quantile_ms(times: &[Duration], quantile: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a length, never negative"
    )]
    let place = ((times.len() as f64 * quantile).ceil() as usize).saturating_sub(1);
    times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let times: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();
        assert!((quantile_ms(&times, 0.5) - 10.0).abs() < 1e-9);
        assert!((quantile_ms(&times, 0.95) - 19.0).abs() < 1e-9);
        assert!((quantile_ms(&times, 1.0) - 20.0).abs() < 1e-9);
        assert!(quantile_ms(&[], 0.5).abs() < 1e-9);
    }
}
