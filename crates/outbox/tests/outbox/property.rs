//! Whatever the interleaving of transactions and of the relay's steps: the log is what was
//! committed, each event once, in the order of versions, without holes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sqlx::{PgPool, Postgres, Transaction};
use tidewatch_events::{Event, EventId, Position, ProjectId};
use tidewatch_outbox::{PublishedLog, publish_pending, record_all};

use crate::fixture::{event, ids, new_project, pool_named};

const WRITERS: usize = 4;
const AGGREGATES: usize = 5;
const PROJECTS: usize = 2;

#[derive(Debug, Clone)]
enum Step {
    /// Record so many events of an aggregate, in a new transaction if the writer has none open.
    Record {
        writer: usize,
        aggregate: usize,
        count: i64,
    },
    Commit {
        writer: usize,
    },
    Rollback {
        writer: usize,
    },
    /// One step of the relay.
    Publish {
        batch: i64,
    },
    /// Every reader reads a page.
    Read {
        limit: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..WRITERS, 0..AGGREGATES, 1..4_i64)
            .prop_map(|(writer, aggregate, count)| Step::Record { writer, aggregate, count }),
        2 => (0..WRITERS).prop_map(|writer| Step::Commit { writer }),
        1 => (0..WRITERS).prop_map(|writer| Step::Rollback { writer }),
        2 => (1..6_i64).prop_map(|batch| Step::Publish { batch }),
        1 => (1..4_usize).prop_map(|limit| Step::Read { limit }),
    ]
}

/// A writer's open transaction, and what it will have published if it commits.
struct Open {
    transaction: Transaction<'static, Postgres>,
    recorded: Vec<EventId>,
    versions: BTreeMap<usize, i64>,
}

/// One run: the database, and the model that it is held against.
struct Run {
    pool: PgPool,
    log: PublishedLog,
    projects: Vec<ProjectId>,
    /// Record each call's versions in falling order; then batches hold the whole backlog.
    falling: bool,
    open: BTreeMap<usize, Open>,
    committed: BTreeSet<EventId>,
    versions: BTreeMap<usize, i64>,
    read: BTreeMap<ProjectId, Vec<Event>>,
}

impl Run {
    fn new(pool: PgPool, falling: bool) -> Self {
        Self {
            log: PublishedLog::new(pool.clone()),
            pool,
            projects: (0..PROJECTS).map(|_| new_project()).collect(),
            falling,
            open: BTreeMap::new(),
            committed: BTreeSet::new(),
            versions: BTreeMap::new(),
            read: BTreeMap::new(),
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Record { writer, aggregate, count } => self.record(writer, aggregate, count).await,
            Step::Commit { writer } => {
                if let Some(open) = self.open.remove(&writer) {
                    open.transaction.commit().await.expect("committed");
                    self.committed.extend(open.recorded);
                    self.versions.extend(open.versions);
                }
            }
            Step::Rollback { writer } => {
                if let Some(open) = self.open.remove(&writer) {
                    open.transaction.rollback().await.expect("rolled back");
                }
            }
            Step::Publish { batch } => drop(self.publish(batch).await),
            Step::Read { limit } => {
                for project in self.projects.clone() {
                    self.read(project, limit).await;
                }
            }
        }
    }

    async fn record(&mut self, writer: usize, aggregate: usize, count: i64) {
        // Writers of one aggregate come one after the other: the aggregate's row is locked.
        let locked =
            |(other, open): (&usize, &Open)| *other != writer && open.versions.contains_key(&aggregate);
        if self.open.iter().any(locked) {
            return;
        }
        let project = self.projects[aggregate % PROJECTS];
        if let std::collections::btree_map::Entry::Vacant(entry) = self.open.entry(writer) {
            let transaction = self.pool.begin().await.expect("a transaction");
            entry.insert(Open { transaction, recorded: Vec::new(), versions: BTreeMap::new() });
        }
        let committed = self.versions.get(&aggregate).copied().unwrap_or(0);
        let open = self.open.get_mut(&writer).expect("open");
        let version = open.versions.entry(aggregate).or_insert(committed);
        let mut events: Vec<_> = (*version + 1..=*version + count)
            .map(|next| event(project, &aggregate.to_string(), next))
            .collect();
        *version += count;
        if self.falling {
            events.reverse();
        }
        open.recorded.extend(record_all(&mut open.transaction, &events).await.expect("recorded"));
    }

    async fn publish(&self, batch: i64) -> u64 {
        let mut session = self.pool.acquire().await.expect("a connection");
        publish_pending(&mut session, if self.falling { 1_000 } else { batch }).await.expect("published")
    }

    async fn read(&mut self, project: ProjectId, limit: usize) -> usize {
        let read = self.read.entry(project).or_default();
        let after = read.last().map_or(Position::START, |event| event.envelope.position);
        let page = self.log.read(project, after, limit).await.expect("the log");
        let count = page.events.len();
        read.extend(page.events);
        count
    }

    /// Ends what is open, lets the relay and the readers finish, and compares.
    async fn finish(mut self) -> Result<(), TestCaseError> {
        for writer in 0..WRITERS {
            let end = if writer % 2 == 0 { Step::Commit { writer } } else { Step::Rollback { writer } };
            self.step(end).await;
        }
        while self.publish(2).await > 0 {}
        let mut seen = Vec::new();
        for project in self.projects.clone() {
            while self.read(project, 3).await > 0 {}
            let read = &self.read[&project];
            for (event, expected) in read.iter().zip(1..) {
                prop_assert_eq!(event.envelope.position.get(), expected, "no hole and no repeat");
                prop_assert_eq!(event.routing.project_id, project);
            }
            let mut versions = BTreeMap::new();
            for event in read {
                let last = versions.entry(&event.envelope.aggregate_id).or_insert(0);
                prop_assert_eq!(event.envelope.aggregate_version, *last + 1, "in the order of versions");
                *last += 1;
            }
            seen.extend(ids(read));
        }
        prop_assert_eq!(seen.len(), self.committed.len(), "each once");
        prop_assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), self.committed);
        Ok(())
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_log_is_what_was_committed_whatever_the_interleaving(pool: PgPool) {
    let own_pool = pool_named(&pool, "writers", WRITERS as u32 + 1);
    let (runtime, cases_pool) = (tokio::runtime::Handle::current(), own_pool.clone());
    let cases = tokio::task::spawn_blocking(move || {
        let config = Config { cases: 32, failure_persistence: None, ..Config::default() };
        let strategy = (any::<bool>(), prop::collection::vec(step(), 1..60));
        TestRunner::new(config).run(&strategy, |(falling, steps)| {
            runtime.block_on(async {
                let mut run = Run::new(cases_pool.clone(), falling);
                for step in steps {
                    run.step(step).await;
                }
                run.finish().await
            })
        })
    });
    cases.await.expect("no panic").unwrap_or_else(|failure| panic!("{failure}"));
    own_pool.close().await;
}
