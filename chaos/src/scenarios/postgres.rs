//! A Postgres that goes away, stands still, and has no room left.

use std::time::Duration;

use anyhow::{Context, ensure};
use rustix::process::Signal;
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use crate::world::{INSTANCES, World};

pub(super) async fn restart(world: &mut World) -> anyhow::Result<Vec<String>> {
    world.postgres.restart().await?;
    world.until_ready(INSTANCES).await?;
    Ok(Vec::new())
}

pub(super) async fn crash(world: &mut World) -> anyhow::Result<Vec<String>> {
    world.postgres.crash().await?;
    world.until_ready(INSTANCES).await?;
    Ok(Vec::new())
}

pub(super) async fn pause(world: &mut World) -> anyhow::Result<Vec<String>> {
    world.postgres.signal(Signal::STOP).await?;
    sleep(world.options.span()).await;
    world.postgres.signal(Signal::CONT).await?;
    world.until_ready(INSTANCES).await?;
    Ok(vec![format!("for {:?}", world.options.span())])
}

pub(super) async fn use_up_connections(world: &mut World) -> anyhow::Result<Vec<String>> {
    let url = world.postgres.url().await?;
    let mut held = Vec::new();
    while let Ok(connection) = PgConnection::connect(&url).await {
        held.push(connection);
        ensure!(held.len() < 2_000, "Postgres has no end of connections");
    }
    let count = held.len();
    // Whoever has to connect anew meanwhile cannot.
    world.kill(0);
    world.start(0).await?;
    sleep(world.options.span()).await;
    drop(held);
    sleep(Duration::from_secs(1)).await;
    // It could not even begin, and ended with a word: whoever supervises it starts it again.
    world.kill(0);
    world.start(0).await?;
    world.until_ready(INSTANCES).await?;
    Ok(vec![format!(
        "{count} taken by others; an instance that was started meanwhile had to be started again"
    )])
}

/// Postgres keeps its data on a small file system of its own only where the suite may mount one.
pub(super) async fn fill_disk(world: &mut World) -> anyhow::Result<Vec<String>> {
    let admin = world.postgres.admin_url().await?;
    let mut connection = PgConnection::connect(&admin).await.context("the superuser cannot connect")?;
    let folder: String = sqlx::query_scalar("show data_directory").fetch_one(&mut connection).await?;
    connection.close().await?;
    let mut findmnt = tokio::process::Command::new("findmnt");
    let output = findmnt.args(["-no", "FSTYPE,SIZE", "-T"]).arg(&folder).output().await?;
    let mount = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    ensure!(
        mount.starts_with("tmpfs"),
        "left out: the data of Postgres stand on {mount}, which is not to be filled; CHAOS_TMPFS=600m puts them on a small tmpfs"
    );
    let ballast = std::path::Path::new(&folder).join("ballast");
    let filled = tokio::process::Command::new("dd")
        .args(["if=/dev/zero", "bs=64k"])
        .arg(format!("of={}", ballast.display()))
        .output()
        .await?;
    ensure!(!filled.status.success(), "the disk is never full");
    sleep(world.options.span()).await;
    std::fs::remove_file(&ballast)?;
    // A Postgres that could not write its log has ended; it recovers where it is started again.
    if PgConnection::connect(&world.postgres.url().await?).await.is_err() {
        world.postgres.crash().await?;
    }
    world.until_ready(INSTANCES).await?;
    Ok(vec![format!("on {mount}")])
}
