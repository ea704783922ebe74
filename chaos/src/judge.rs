//! What each reader should have received, by the log, and what it did.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use sqlx::{PgConnection, Row};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::readers::{MODULES, OWN, Readers, Received, Wish};

/// How long readers have to catch up with the log once nothing is published any more.
const PATIENCE: Duration = Duration::from_secs(90);

/// What was found.
#[derive(Debug, Default, Clone)]
pub struct Verdict {
    /// Readers that were looked at.
    pub readers: usize,
    /// Events that they should have received, all together.
    pub expected: u64,
    /// Events that a reader did not receive.
    pub missing: u64,
    /// Events that a reader received again, or that were not its to see.
    pub surplus: u64,
    /// Events that came behind a later one, without having been overtaken by an urgent one.
    pub disordered: u64,
    /// Urgent events that came once more to a reader that was cut before what they had overtaken had come, as the contract
    /// says; readers drop them by their ids.
    pub urgent_again: u64,
    /// Streams that said that events cannot be replayed any more.
    pub gaps: u64,
    /// The longest time between an event's own time and its arrival at a reader.
    pub worst: Duration,
}

impl Verdict {
    /// Whether each reader has each event, once and in order.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.missing == 0 && self.surplus == 0 && self.disordered == 0 && self.gaps == 0 && self.readers > 0
    }
}

/// Positions of each wish that its readers may see. What cannot be read is shown to nobody as what it was.
async fn expected(connection: &mut PgConnection, project: Uuid) -> sqlx::Result<BTreeMap<Wish, Vec<u64>>> {
    let rows = sqlx::query(
        "select position, split_part(event_type, '.', 1) as module from domain_events
         where project_id = $1 and position is not null and event_type <> 'chaos.poison' and (audience = '{}' or 'role:staff' = any (audience))
         order by position",
    )
    .bind(project)
    .fetch_all(connection)
    .await?;
    let mut expected: BTreeMap<Wish, Vec<u64>> = BTreeMap::new();
    for row in rows {
        let (position, module): (i64, String) = (row.try_get("position")?, row.try_get("module")?);
        let module = MODULES.into_iter().find(|known| *known == module).or((module == OWN).then_some(OWN));
        let Some(module) = module else { continue };
        for wish in [Wish::All, Wish::Module(module)] {
            expected.entry(wish).or_default().push(position.unsigned_abs());
        }
    }
    Ok(expected)
}

/// Waits until everything is published and has arrived, or will not, and compares.
///
/// # Errors
/// Postgres cannot be reached.
pub async fn judge(
    connection: &mut PgConnection,
    project: Uuid,
    readers: &Readers,
) -> anyhow::Result<Verdict> {
    let begin = Instant::now();
    loop {
        let waiting: bool =
            sqlx::query_scalar("select exists (select from domain_events where position is null)")
                .fetch_one(&mut *connection)
                .await?;
        if !waiting || begin.elapsed() > PATIENCE {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    let expected = expected(connection, project).await?;
    let last_of = |wish: Wish| expected.get(&wish).and_then(|all| all.last().copied()).unwrap_or_default();
    while readers.all.iter().any(|reader| reader.last() < last_of(reader.wish)) && begin.elapsed() < PATIENCE
    {
        sleep(Duration::from_millis(50)).await;
    }
    let gaps = readers.tally.said.lock().get("HistoryGap").copied().unwrap_or_default();
    let mut verdict = Verdict { gaps, ..Verdict::default() };
    for reader in &readers.all {
        let all = expected.get(&reader.wish).map(Vec::as_slice).unwrap_or_default();
        compare(&mut verdict, all, &reader.received());
    }
    Ok(verdict)
}

fn compare(verdict: &mut Verdict, all: &[u64], received: &Received) {
    let Some(began) = received.began else { return };
    let expected: HashSet<u64> = all.iter().copied().filter(|position| *position > began).collect();
    verdict.readers += 1;
    verdict.expected += expected.len() as u64;
    verdict.worst = verdict.worst.max(received.worst);
    verdict.disordered += received.in_order.windows(2).filter(|pair| pair[0] >= pair[1]).count() as u64;
    let mut seen = HashSet::new();
    for position in &received.in_order {
        if !expected.contains(position) || !seen.insert(*position) {
            verdict.surplus += 1;
        }
    }
    for position in &received.overtaking {
        if !expected.contains(position) {
            verdict.surplus += 1;
        } else if !seen.insert(*position) {
            verdict.urgent_again += 1;
        }
    }
    verdict.missing += expected.iter().filter(|position| !seen.contains(position)).count() as u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(in_order: &[u64], overtaking: &[u64]) -> Received {
        Received {
            began: Some(10),
            in_order: in_order.to_vec(),
            overtaking: overtaking.to_vec(),
            worst: Duration::from_millis(3),
        }
    }

    fn verdict(received: &Received) -> Verdict {
        let mut verdict = Verdict::default();
        compare(&mut verdict, &[9, 10, 11, 13, 14], received);
        verdict
    }

    #[test]
    fn who_has_all_is_right() {
        assert!(verdict(&received(&[11, 13, 14], &[])).is_good());
        let urgent = verdict(&received(&[11, 13], &[14]));
        assert!(urgent.is_good() && urgent.expected == 3);
    }

    #[test]
    fn what_is_wrong_is_counted() {
        assert_eq!(verdict(&received(&[11, 14], &[])).missing, 1);
        assert_eq!(verdict(&received(&[11, 13, 13, 14], &[])).surplus, 1);
        assert_eq!(verdict(&received(&[11, 12, 13, 14], &[])).surplus, 1);
        assert_eq!(verdict(&received(&[11, 14, 13], &[])).disordered, 1);
        assert_eq!(verdict(&received(&[11, 13, 14], &[14])).urgent_again, 1);
        assert!(!Verdict::default().is_good(), "where nobody read, nothing is shown");
    }
}
