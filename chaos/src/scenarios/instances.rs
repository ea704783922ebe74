//! Instances that die, end and stand still.

use std::time::Duration;

use rand::seq::IteratorRandom;
use rustix::process::Signal;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use crate::readers::Readers;
use crate::world::{INSTANCES, World};

/// How long an instance stays away.
const AWAY: Duration = Duration::from_secs(3);
/// Between two that are killed.
const KILL_EVERY: Duration = Duration::from_secs(20);

pub(super) async fn kill(world: &mut World) -> anyhow::Result<Vec<String>> {
    let begin = Instant::now();
    let (mut killed, mut leaders) = (0, 0);
    loop {
        let next = Instant::now() + KILL_EVERY;
        let number = (0..INSTANCES).choose(&mut rand::rng()).unwrap_or_default();
        leaders += usize::from(world.leader().await.is_ok_and(|leader| leader == number));
        world.kill(number);
        killed += 1;
        sleep(AWAY).await;
        world.start(number).await?;
        world.until_ready(INSTANCES).await?;
        if begin.elapsed() + KILL_EVERY > world.options.span() {
            break;
        }
        tokio::time::sleep_until(next).await;
    }
    Ok(vec![format!("{killed} killed, {leaders} of them the leader")])
}

pub(super) async fn roll(world: &mut World, readers: &Readers) -> anyhow::Result<Vec<String>> {
    let (mut notes, from) = (Vec::new(), OffsetDateTime::now_utc());
    for number in 0..INSTANCES {
        let took = world.restart(number, &[]).await?;
        notes.push(format!("{} ended in {:.1} s", world.instances[number].name, took.as_secs_f64()));
    }
    notes.push(format!("at most {} came back in a second", readers.tally.most_in_a_second(from)));
    Ok(notes)
}

pub(super) async fn pause_leader(world: &mut World) -> anyhow::Result<Vec<String>> {
    let leader = world.leader().await?;
    let Some(process) = &world.instances[leader].process else { anyhow::bail!("the leader does not run") };
    process.signal(Signal::STOP);
    let begin = Instant::now();
    let taken_over = loop {
        if world.leader().await? != leader {
            break begin.elapsed();
        }
        anyhow::ensure!(begin.elapsed() < Duration::from_secs(60), "nobody takes over");
        sleep(Duration::from_millis(50)).await;
    };
    sleep(world.options.span().saturating_sub(taken_over)).await;
    if let Some(process) = &world.instances[leader].process {
        process.signal(Signal::CONT);
    }
    world.until_ready(INSTANCES).await?;
    Ok(vec![format!("another took over in {:.1} s", taken_over.as_secs_f64())])
}
