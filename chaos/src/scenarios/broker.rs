//! A broker that is killed, flushed and stopped.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::sleep;

use crate::services::BrokerKind;
use crate::world::World;

/// Long enough for instances to say that it is away, and that it is back.
const WHILE: Duration = Duration::from_secs(6);

pub(super) async fn break_it(world: &mut World) -> anyhow::Result<Vec<String>> {
    anyhow::ensure!(world.options.broker != BrokerKind::Postgres, "there is no broker to break");
    let mut said = Vec::new();
    world.broker.kill();
    sleep(WHILE).await;
    said.push(format!("{} deaf while it was away", deaf(world).await?));
    world.broker.start_again()?;
    sleep(WHILE).await;
    said.push(format!("{} once it was back", deaf(world).await?));
    world.broker.flush().await?;
    world.broker.signal(Signal::STOP);
    sleep(WHILE).await;
    said.push(format!("{} while it was stopped", deaf(world).await?));
    world.broker.signal(Signal::CONT);
    sleep(WHILE).await;
    said.push(format!("{} in the end", deaf(world).await?));
    Ok(said)
}

/// How many instances say that they do not hear it.
async fn deaf(world: &World) -> anyhow::Result<i64> {
    let mut connection = world.connect().await?;
    Ok(sqlx::query_scalar("select count(*) from instances where broker is not null and not broker_heard")
        .fetch_one(&mut connection)
        .await?)
}
