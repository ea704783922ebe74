//! When what was read of a project is to be read anew.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tidewatch_events::ProjectId;

/// A project that never rests is read anew that often, and no more.
const APART: Duration = Duration::from_millis(500);

/// A number for each project, which goes up when something was published: what was read under an older one is out of
/// date. It goes up at once, but twice within [`APART`] never; what is published meanwhile counts together at its end.
///
/// Nothing runs by itself: the number is brought up to date by whoever asks for it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Generations(Arc<Mutex<HashMap<ProjectId, Generation>>>);

#[derive(Debug)]
struct Generation {
    number: u64,
    since: Instant,
    /// Something was published and does not show in the number yet.
    is_behind: bool,
}

impl Generation {
    fn catch_up(&mut self, now: Instant) {
        if self.is_behind && now.duration_since(self.since) >= APART {
            *self = Self { number: self.number + 1, since: now, is_behind: false };
        }
    }
}

impl Generations {
    /// Something of this project was published.
    pub fn published(&self, project: ProjectId) {
        self.published_at(project, Instant::now());
    }

    /// The number of now. What is read from here on contains all that is behind it.
    #[must_use]
    pub fn current(&self, project: ProjectId) -> u64 {
        self.current_at(project, Instant::now())
    }

    fn published_at(&self, project: ProjectId, now: Instant) {
        let mut projects = self.0.lock();
        // One that nobody asks for has none.
        if let Some(generation) = projects.get_mut(&project) {
            generation.is_behind = true;
            generation.catch_up(now);
        }
    }

    fn current_at(&self, project: ProjectId, now: Instant) -> u64 {
        let mut projects = self.0.lock();
        let generation =
            projects.entry(project).or_insert(Generation { number: 0, since: now, is_behind: false });
        generation.catch_up(now);
        generation.number
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;

    fn project(number: u128) -> ProjectId {
        ProjectId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn an_event_counts_at_once_and_those_that_follow_count_together() {
        let (generations, start) = (Generations::default(), Instant::now());
        let first = generations.current_at(project(1), start);
        let first_event = start + APART;
        generations.published_at(project(1), first_event);
        assert_eq!(generations.current_at(project(1), first_event), first + 1);
        for _ in 0..100 {
            generations.published_at(project(1), first_event + APART / 2);
        }
        let number = generations.current_at(project(1), first_event + APART / 2);
        assert_eq!(number, first + 1, "not twice within half a second");
        assert_eq!(generations.current_at(project(1), first_event + APART), first + 2);
        let number = generations.current_at(project(1), first_event + APART * 10);
        assert_eq!(number, first + 2, "nothing more was published");
    }

    #[test]
    fn projects_are_each_their_own() {
        let (generations, start) = (Generations::default(), Instant::now());
        let one = generations.current_at(project(1), start);
        let other = generations.current_at(project(2), start);
        generations.published_at(project(1), start + APART);
        assert_eq!(generations.current_at(project(1), start + APART), one + 1);
        assert_eq!(generations.current_at(project(2), start + APART), other);
    }

    #[test]
    fn a_project_that_never_rests_is_read_twice_a_second() {
        let (generations, start) = (Generations::default(), Instant::now());
        let numbers: BTreeSet<u64> = (0..10_000)
            .map(|millis| {
                let now = start + Duration::from_millis(millis);
                generations.published_at(project(1), now);
                generations.current_at(project(1), now)
            })
            .collect();
        assert_eq!(numbers.len(), 20);
    }
}
