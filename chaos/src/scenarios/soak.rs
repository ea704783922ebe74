//! Nothing is broken, for long: what instances and Postgres use must not grow.

use std::time::Duration;

use anyhow::ensure;
use sqlx::{FromRow, PgConnection};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::world::{Usage, World};

/// How many looks there are, whatever the time.
const LOOKS: u32 = 30;
/// Caches fill and allocators reach their size within this part of the time; what is flat is flat behind it.
const SETTLED: usize = LOOKS as usize / 3;
/// Growth that is no leak: an allocator's fragments, a page more or less.
const TOLERANCE: f64 = 1.15;
/// What a mean of so many files and connections may move by without anything being lost.
const A_FEW: f64 = 10.0;

/// What was seen at one look.
#[derive(Debug)]
struct Look {
    usage: Usage,
    tables: Vec<Table>,
}

/// A figure of a look.
type Read<'a> = &'a dyn Fn(&Look) -> f64;

/// A table of Postgres, as its statistics have it.
#[derive(Debug, Clone, FromRow)]
struct Table {
    name: String,
    live: i64,
    /// Versions of rows that nobody sees any more.
    dead: i64,
    /// On the disk, with its indexes, in bytes.
    size: i64,
}

pub(super) async fn watch(world: &mut World) -> anyhow::Result<Vec<String>> {
    let span = world.options.span();
    let mut clock = interval((span / LOOKS).max(Duration::from_millis(100)));
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let begin = Instant::now();
    let (mut looks, mut notes) = (Vec::new(), Vec::new());
    while begin.elapsed() < span {
        clock.tick().await;
        let mut connection = world.connect().await?;
        let look = Look { usage: world.usage().await?, tables: tables(&mut connection).await? };
        sqlx::Connection::close(connection).await?;
        if looks.len() % (LOOKS as usize / 6) == 0 {
            notes.push(format!("after {} s {}", begin.elapsed().as_secs(), line(&look)));
        }
        looks.push(look);
    }
    let (before, after) = thirds(&looks)?;
    let steady = steady(before, after);
    notes.push(format!("tables whose number of rows did not grow: {}", steady.join(", ")));
    let size_of_steady = |look: &Look| {
        let tables = look.tables.iter().filter(|table| steady.contains(&table.name.as_str()));
        tables.map(|table| table.size as f64).sum()
    };
    let what: [(&str, Read<'_>, f64); 4] = [
        ("memory", &|look| look.usage.memory as f64, 0.0),
        ("files", &|look| look.usage.files as f64, A_FEW),
        ("connections", &|look| look.usage.connections as f64, A_FEW),
        ("size of these tables", &size_of_steady, 0.0),
    ];
    for (name, read, slack) in what {
        let (was, is) = (mean(before, read), mean(after, read));
        notes.push(format!("{name}: {:+.1} % from the second third to the last", (is / was - 1.0) * 100.0));
        ensure!(is <= was * TOLERANCE + slack, "{name} grew from {was:.0} to {is:.0}: {}", notes.join("; "));
    }
    Ok(notes)
}

fn line(Look { usage, tables }: &Look) -> String {
    const MIB: u64 = 1024 * 1024;
    let sum = |read: fn(&Table) -> i64| tables.iter().map(read).sum::<i64>();
    format!(
        "{} MiB, {} files, {} connections, {} rows in {} MiB and {} dead ones",
        usage.memory / MIB,
        usage.files,
        usage.connections,
        sum(|table| table.live),
        sum(|table| table.size).unsigned_abs() / MIB,
        sum(|table| table.dead),
    )
}

/// The second third, and the last.
fn thirds(looks: &[Look]) -> anyhow::Result<(&[Look], &[Look])> {
    ensure!(looks.len() >= 2 * SETTLED, "{} looks are too few: give it more seconds", looks.len());
    Ok(looks[SETTLED..].split_at((looks.len() - SETTLED) / 2))
}

fn mean(looks: &[Look], read: Read<'_>) -> f64 {
    looks.iter().map(read).sum::<f64>() / looks.len().max(1) as f64
}

/// Tables with as many rows in the end as before: queues, sums, cursors, who is connected. If they take more room all
/// the same, what is dead in them is not cleared away fast enough. History grows by what it is.
fn steady<'a>(before: &'a [Look], after: &[Look]) -> Vec<&'a str> {
    let rows = |looks: &[Look], name: &str| {
        let live = |look: &Look| {
            look.tables.iter().find(|table| table.name == name).map_or(0.0, |table| table.live as f64)
        };
        mean(looks, &live)
    };
    let Some(last) = before.last() else { return Vec::new() };
    let names = last.tables.iter().map(|table| table.name.as_str());
    names.filter(|name| rows(after, name) <= rows(before, name) * TOLERANCE + A_FEW).collect()
}

async fn tables(connection: &mut PgConnection) -> anyhow::Result<Vec<Table>> {
    // What was never changed has nothing dead in it.
    Ok(sqlx::query_as(
        "select relname::text as name, n_live_tup as live, n_dead_tup as dead, pg_total_relation_size(relid) as size
         from pg_stat_user_tables where n_tup_upd + n_tup_del > 0 order by relname",
    )
    .fetch_all(connection)
    .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(memory: u64) -> Look {
        let usage = Usage { memory, files: 1, connections: 1 };
        let table = |name: &str, live| Table { name: name.to_owned(), live, dead: 0, size: 1 };
        Look { usage, tables: vec![table("queue", 5), table("history", 100 + memory.cast_signed())] }
    }

    #[test]
    fn what_comes_before_it_is_settled_does_not_count() {
        let looks: Vec<Look> = (0..30).map(|number| look(if number < 10 { 1 } else { 100 })).collect();
        let (before, after) = thirds(&looks).expect("enough");
        let memory = |look: &Look| look.usage.memory as f64;
        assert_eq!((before.len(), mean(before, &memory), mean(after, &memory)), (10, 100.0, 100.0));
        assert!(thirds(&looks[..19]).is_err());
    }

    #[test]
    fn history_may_grow_and_queues_may_not() {
        let looks: Vec<Look> = (0..30).map(|number| look(number * 100)).collect();
        let (before, after) = thirds(&looks).expect("enough");
        assert_eq!(steady(before, after), ["queue"]);
    }
}
