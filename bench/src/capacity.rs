//! What a tree of instances would hold: a simulation out of what the other rows measured.
//!
//! ```text
//!  transactions ──▶ relay ──▶ leader's follower ──▶ broker ──▶ (forwarders) ──▶ instances ──▶ readers
//!     Poisson       batch        batch              a copy for each below it      batch, a write for each reader
//! ```
//!
//! Each box is a queue with one server that takes all that waits at once, as the program does: a busy one pays once for many
//! events. What a box costs is measured on one core (`RESULTS.md`, rows 1a, 2, 5, 7); how they add up over many machines is
//! computed here, and was not measured.

use std::fmt::Write as _;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What each step costs, in seconds of one core.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// The relay: a transaction, and each event in it.
    pub relay: (f64, f64),
    /// The leader's look at the log, and each event in it.
    pub follower: (f64, f64),
    /// A message to one receiver, and each event in it: by the broker or a forwarder.
    pub copy: (f64, f64),
    /// A write to one reader, and each event in it.
    pub delivery: (f64, f64),
    /// Between two machines.
    pub hop: f64,
    /// An event on the wire, in bytes.
    pub event_bytes: f64,
    /// An idle connection in the server and in the kernel, in bytes.
    pub connection_bytes: f64,
}

impl Default for Costs {
    /// As measured (`RESULTS.md`): 0.67 s for 100,000 deliveries one at a time and 0.04 s at saturation; 20,500 events a second
    /// through the relay, in batches of 1,000; for an idle connection 1,714 bytes in the server, and in the kernel 8,334 for both
    /// ends, of which an instance has one: 4,167.
    fn default() -> Self {
        Self {
            relay: (3e-3, 45.7e-6),
            follower: (1.5e-3, 20e-6),
            copy: (20e-6, 2e-6),
            delivery: (6.3e-6, 0.4e-6),
            hop: 0.5e-3,
            event_bytes: 375.0,
            connection_bytes: 5_881.0,
        }
    }
}

/// A deployment.
#[derive(Debug, Clone, Copy)]
pub struct Deployment {
    /// Connections that are held.
    pub readers: f64,
    /// Events a second.
    pub rate: f64,
    /// Of all readers, how many an event concerns.
    pub share: f64,
    /// Instances that hold readers, each with a core for them.
    pub instances: u32,
    /// How many receivers a broker or a forwarder sends to.
    pub degree: u32,
}

/// What it comes to.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Levels between the leader and the instances.
    pub levels: u32,
    /// Share of a core that an instance uses for deliveries.
    pub instance: f64,
    /// The same of the busiest broker or forwarder.
    pub broker: f64,
    /// The same of the relay.
    pub relay: f64,
    /// Bytes a second that leave an instance.
    pub egress: f64,
    /// Memory of an instance's connections.
    pub memory: f64,
    /// Commit to the last reader of an instance: half of the events, and all but one in a hundred, in seconds. `None`: it never
    /// catches up.
    pub delay: Option<(f64, f64)>,
}

/// A queue whose server takes all that waits at once. Gives, for each event, when its batch is done; and the busy share.
fn stage(arrivals: &[f64], each: impl Fn(usize) -> f64) -> (Vec<f64>, f64) {
    let (mut done, mut busy, mut free, mut next) = (Vec::with_capacity(arrivals.len()), 0.0, 0.0_f64, 0);
    while next < arrivals.len() {
        let begin = free.max(arrivals[next]);
        let count = arrivals[next..].iter().take_while(|at| **at <= begin).count().max(1);
        let service = each(count);
        free = begin + service;
        busy += service;
        done.extend(std::iter::repeat_n(free, count));
        next += count;
    }
    let span = done.last().copied().unwrap_or_default().max(f64::EPSILON);
    (done, busy / span)
}

/// Simulates a minute of it.
#[must_use]
pub fn simulate(deployment: &Deployment, costs: &Costs, seed: u64) -> Load {
    let mut dice = StdRng::seed_from_u64(seed);
    let count = (deployment.rate * 60.0) as usize;
    let mut at = 0.0;
    let committed: Vec<f64> = (0..count)
        .map(|_| {
            at -= dice.random::<f64>().max(f64::MIN_POSITIVE).ln() / deployment.rate;
            at
        })
        .collect();
    let of = |(fixed, per_event): (f64, f64), times: f64| {
        move |events: usize| times * (fixed + per_event * events as f64)
    };
    let hop = |times: Vec<f64>| times.into_iter().map(|at| at + costs.hop).collect::<Vec<_>>();
    let (published, relay) = stage(&committed, of(costs.relay, 1.0));
    let (read, _) = stage(&published, of(costs.follower, 1.0));
    // Receivers of a level, from the instances up to the broker.
    let mut widths = vec![deployment.instances];
    while widths.last().is_some_and(|width| *width > deployment.degree) {
        let above = widths.last().map_or(1, |width| width.div_ceil(deployment.degree));
        widths.push(above);
    }
    let (mut times, mut broker) = (hop(read), 0.0_f64);
    for width in widths.iter().rev() {
        let receivers = (*width).min(deployment.degree);
        let (sent, busy) = stage(&times, of(costs.copy, f64::from(receivers)));
        broker = broker.max(busy);
        times = hop(sent);
    }
    let held = deployment.readers / f64::from(deployment.instances);
    let concerned = held * deployment.share;
    let (delivered, instance) = stage(&times, of(costs.delivery, concerned));
    let mut delays: Vec<f64> = delivered.iter().zip(&committed).map(|(done, at)| done - at).collect();
    let tail = delays.len() / 10;
    let (early, late): (f64, f64) = (
        delays[..tail].iter().sum::<f64>() / tail as f64,
        delays[delays.len() - tail..].iter().sum::<f64>() / tail as f64,
    );
    // Who falls behind by more than a second in a minute never catches up.
    let keeps_up = late < early + 1.0;
    delays.sort_by(f64::total_cmp);
    Load {
        levels: u32::try_from(widths.len()).unwrap_or_default(),
        instance,
        broker,
        relay,
        egress: concerned * deployment.rate * costs.event_bytes,
        memory: held * costs.connection_bytes,
        delay: keeps_up.then(|| (percentile(&delays, 0.5), percentile(&delays, 0.99))),
    }
}

/// Of values in their order: the one below which this share of them lies.
fn percentile(ordered: &[f64], share: f64) -> f64 {
    let place = (ordered.len().saturating_sub(1) as f64 * share).round() as usize;
    ordered.get(place).copied().unwrap_or_default()
}

/// A table of deployments, as Markdown.
#[must_use]
pub fn table(deployments: &[Deployment]) -> String {
    let mut text = String::from(
        "| readers | events/s | an event concerns | instances × readers | levels | core for deliveries | broker's core | relay's core | out of an instance | memory for connections | commit → last reader, p50 / p99 |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for deployment in deployments {
        let load = simulate(deployment, &Costs::default(), 1);
        let percent = |share: f64| format!("{} %", (share * 1_000.0).round() / 10.0);
        let delay = load.delay.map_or_else(
            || "falls behind".to_owned(),
            |(half, most)| format!("{:.0} / {:.0} ms", half * 1e3, most * 1e3),
        );
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} × {:.0} | {} | {} | {} | {} | {:.0} MB/s | {:.0} MB | {delay} |",
            deployment.readers,
            deployment.rate,
            percent(deployment.share),
            deployment.instances,
            deployment.readers / f64::from(deployment.instances),
            load.levels,
            percent(load.instance),
            percent(load.broker),
            percent(load.relay),
            load.egress / 1e6,
            load.memory / 1e6,
        );
    }
    text
}

/// The deployments of the capacity page.
#[must_use]
pub fn examples() -> Vec<Deployment> {
    let all = [
        (10_000.0, 100.0, 1.0, 1),
        (10_000.0, 100.0, 1.0, 8),
        (100_000.0, 100.0, 0.01, 1),
        (100_000.0, 100.0, 1.0, 80),
        (1_000_000.0, 100.0, 0.001, 20),
        (1_000_000.0, 1_000.0, 0.001, 20),
        (1_000_000.0, 10.0, 1.0, 100),
        (1_000_000.0, 100.0, 1.0, 800),
    ];
    all.map(|(readers, rate, share, instances)| Deployment { readers, rate, share, instances, degree: 64 })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(instances: u32) -> Deployment {
        Deployment { readers: 10_000.0, rate: 100.0, share: 1.0, instances, degree: 64 }
    }

    #[test]
    fn a_busy_server_pays_once_for_what_waits() {
        let (done, busy) = stage(&[0.0, 0.1, 0.2, 5.0], |_| 1.0);
        assert_eq!(done, [1.0, 2.0, 2.0, 6.0]);
        assert!((busy - 0.5).abs() < 1e-9);
    }

    #[test]
    fn more_instances_are_less_busy_and_quicker() {
        let (few, many) =
            (simulate(&deployment(2), &Costs::default(), 1), simulate(&deployment(16), &Costs::default(), 1));
        assert!(many.instance < few.instance && many.memory < few.memory);
        assert!(many.delay.expect("keeps up").1 < few.delay.expect("keeps up").1);
    }

    #[test]
    fn a_wide_tree_has_levels() {
        let load =
            simulate(&Deployment { instances: 800, readers: 1e6, ..deployment(1) }, &Costs::default(), 1);
        assert_eq!(load.levels, 2);
        assert_eq!(simulate(&deployment(64), &Costs::default(), 1).levels, 1);
    }

    #[test]
    fn the_capacity_page_shows_what_is_computed() {
        let page = include_str!("../../docs/capacity.md");
        for row in table(&examples()).lines() {
            assert!(page.contains(row), "docs/capacity.md lacks: {row}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let hopeless = Deployment { rate: 20_000.0, ..deployment(1) };
        assert!(simulate(&hopeless, &Costs::default(), 1).delay.is_none());
    }
}
