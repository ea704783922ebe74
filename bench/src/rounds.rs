//! Rounds: in each, every system once, so that what is compared was measured side by side.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::report::{Record, RowSpec};
use crate::systems::System;

/// What takes part in rounds.
pub trait Contender {
    /// Its name in the results.
    fn name(&self) -> &'static str;

    /// Why it cannot be measured here; `None` when it can.
    fn missing(&self, context: &Context) -> Option<String>;
}

impl Contender for Box<dyn System> {
    fn name(&self) -> &'static str {
        System::name(&**self)
    }

    fn missing(&self, context: &Context) -> Option<String> {
        System::missing(&**self, context)
    }
}

/// Measures rows whose values come one a run: see [`rounds`].
///
/// # Errors
/// Tidewatch itself failed.
pub async fn measure_rows(
    context: &Context,
    specs: &[RowSpec],
    systems: &[Box<dyn System>],
    runs: usize,
    mut one_run: impl AsyncFnMut(&Context, &dyn System, &mut [Record]) -> Result<()>,
) -> Result<Vec<Record>> {
    let mut records: Vec<Record> = specs.iter().map(|spec| Record::new(spec.id, runs)).collect();
    rounds(context, systems, runs, &mut records, async |context, system, records| {
        one_run(context, system.as_ref(), records).await
    })
    .await?;
    Ok(records)
}

/// Measures every system `runs` times, in rounds. A peer that is missing or fails is left out with
/// the reason.
///
/// # Errors
/// Tidewatch itself failed.
pub async fn rounds<C: Contender>(
    context: &Context,
    systems: &[C],
    runs: usize,
    records: &mut [Record],
    mut one_run: impl AsyncFnMut(&Context, &C, &mut [Record]) -> Result<()>,
) -> Result<()> {
    let (mut left_out, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for system in systems {
        if let Some(reason) = system.missing(context) {
            tracing::warn!(system = system.name(), reason, "left out");
            records.iter_mut().for_each(|record| record.leave_out(system.name(), &reason));
            left_out.insert(system.name());
        }
    }
    for run in 1..=runs {
        for system in systems.iter().filter(|system| !left_out.contains(system.name())) {
            tracing::info!(run, of = runs, "{}", system.name());
            match one_run(context, system, records).await {
                Ok(()) => {}
                Err(error) if is_tidewatch(system) => {
                    return Err(error).with_context(|| format!("{} failed", system.name()));
                }
                Err(error) => {
                    tracing::warn!(system = system.name(), "left out: {error:#}");
                    records
                        .iter_mut()
                        .for_each(|record| record.leave_out(system.name(), &format!("{error:#}")));
                    failed.insert(system.name());
                }
            }
        }
        left_out.append(&mut failed);
    }
    Ok(())
}

fn is_tidewatch(system: &impl Contender) -> bool {
    system.name().starts_with(crate::systems::TIDEWATCH)
}
