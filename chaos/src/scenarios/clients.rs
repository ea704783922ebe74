//! Clients that do not read, and clients that come back all at once.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::readers::{Readers, Wish};
use crate::world::World;

/// How many never read.
const DEAF: usize = 200;

pub(super) async fn deaf(world: &mut World) -> anyhow::Result<Vec<String>> {
    let before = world.usage().await?;
    let access = world.access(false);
    let mut held = Vec::new();
    for number in 0..DEAF {
        let address = access.addresses[number % access.addresses.len()];
        let mut stream = TcpStream::connect(address).await?;
        let request = format!(
            "GET /api/v1/events?types={}&after=earliest HTTP/1.1\r\nHost: chaos\r\nAccept: text/event-stream\r\n\
             Authorization: Bearer {}\r\n\r\n",
            Wish::All.types().join(","),
            access.key
        );
        stream.write_all(request.as_bytes()).await?;
        held.push(stream);
    }
    sleep(world.options.span()).await;
    let during = world.usage().await?;
    drop(held);
    let each = during.memory.saturating_sub(before.memory) / DEAF as u64;
    Ok(vec![format!("{DEAF} that never read cost {} KiB of memory each", each / 1024)])
}

pub(super) async fn herd(world: &mut World, readers: &Readers) -> anyhow::Result<Vec<String>> {
    let mut slowest = Duration::ZERO;
    let connected = || readers.tally.connected.load(std::sync::atomic::Ordering::Relaxed);
    for _ in 0..3 {
        let (before, begin) = (connected(), Instant::now());
        readers.cut_all();
        while connected() < before + readers.all.len() as u64 {
            anyhow::ensure!(begin.elapsed() < Duration::from_secs(60), "they do not get in again");
            sleep(Duration::from_millis(10)).await;
        }
        slowest = slowest.max(begin.elapsed());
        sleep(world.options.span() / 10).await;
    }
    Ok(vec![format!("{} were back in {:.1} s", readers.all.len(), slowest.as_secs_f64())])
}
