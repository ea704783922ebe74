//! Lines that are cut, slow and silent.

use std::time::Duration;

use tokio::time::sleep;

use crate::line::Weather;
use crate::world::World;

/// How much longer each part of what goes over a slow line takes.
const SLOW: Duration = Duration::from_millis(20);

pub(super) async fn cut(world: &mut World) -> anyhow::Result<Vec<String>> {
    part(world, Weather::Cut).await;
    Ok(Vec::new())
}

pub(super) async fn slow(world: &mut World) -> anyhow::Result<Vec<String>> {
    set_all(world, Weather::Slow(SLOW));
    sleep(world.options.span()).await;
    set_all(world, Weather::Clear);
    Ok(vec![format!("{SLOW:?} more for each part, ten times as long for every twentieth")])
}

pub(super) async fn silence(world: &mut World) -> anyhow::Result<Vec<String>> {
    part(world, Weather::Silent).await;
    Ok(Vec::new())
}

/// For a while one instance has this between itself and Postgres, and another between itself and the broker.
async fn part(world: &World, weather: Weather) {
    let set = |weather| {
        world.instances[0].database.set(weather);
        world.instances[1].broker.set(weather);
    };
    set(weather);
    sleep(world.options.span()).await;
    set(Weather::Clear);
}

fn set_all(world: &World, weather: Weather) {
    for instance in &world.instances {
        instance.database.set(weather);
        instance.broker.set(weather);
    }
}
