//! Clocks that are stepped, as by an operator's hand or by an NTP that was away for long.

use std::path::{Path, PathBuf};

use tokio::time::sleep;

use crate::world::{INSTANCES, World};

/// Where distributions put libfaketime's variant for programs with threads.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

/// More than a day either way, so that dates change as well.
const STEPS: [&str; 3] = ["+26h", "-26h", "+0"];

pub(super) async fn step(world: &mut World) -> anyhow::Result<Vec<String>> {
    let Some(library) = LIBRARIES.iter().find(|path| Path::new(path).exists()) else {
        anyhow::bail!("left out: libfaketime is not on this machine");
    };
    let clock = |number: usize| world.options.folder.join(format!("clock-{number}"));
    let clocks: [PathBuf; INSTANCES] = std::array::from_fn(clock);
    for (number, clock) in clocks.iter().enumerate() {
        set(clock, "+0")?;
        let environment = [
            ("LD_PRELOAD", (*library).to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", clock.to_string_lossy().into_owned()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            // What is stepped is the time of day. The monotonic clock of a machine never is.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        world.restart(number, &environment).await?;
    }
    let leader = world.leader().await?;
    // The leader first, then one that only follows.
    let stepped = [leader, (leader + 1) % INSTANCES];
    for number in stepped {
        for step in STEPS {
            set(&clocks[number], step)?;
            sleep(world.options.span() / 6).await;
        }
    }
    let led = world.leader().await?;
    for number in 0..INSTANCES {
        world.restart(number, &[]).await?;
    }
    let kept = if led == leader { "kept its lead" } else { "lost its lead" };
    Ok(vec![format!("the leader, stepped by 26 h either way, {kept}")])
}

fn set(clock: &Path, step: &str) -> std::io::Result<()> {
    // Written beside and moved: a program that reads it now must not find half of it.
    let beside = clock.with_extension("new");
    std::fs::write(&beside, format!("{step}\n"))?;
    std::fs::rename(&beside, clock)
}
