//! One move for many records, as an automation that everybody can watch.

use serde_json::{Map, Value, json};
use tidewatch_events::id::{AutomationId, RecordId};
use tidewatch_modules::{Domain, RecordQuery};
use uuid::Uuid;

use super::super::Origin;
use super::{Doer, Work, finish, require_move};
use crate::access::Caller;
use crate::db;
use crate::db::records::Search;
use crate::error::Error;
use crate::jobs::bulk_move::BulkMove;
use crate::queries;
use crate::state::AppState;

/// Most records of one such move.
pub const BULK_LIMIT: u32 = 10_000;

/// Which records.
#[derive(Debug, Clone)]
pub enum Selection {
    /// These.
    Ids(Vec<Uuid>),
    /// All that a list shows, on all its pages.
    Query(Box<RecordQuery>),
}

/// A move for many that goes on by itself.
#[derive(Debug, Clone)]
pub struct Bulk {
    /// The automation that tells how far it is.
    pub automation: RecordId,
    /// For so many records.
    pub count: usize,
}

/// For how many records a move would be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkImpact {
    /// Those of the selection that the caller may see and that can make it now.
    pub can: usize,
    /// All of the selection that the caller may see.
    pub of: usize,
}

/// For how many records the move would be made.
///
/// # Errors
/// As of [`bulk_move`].
pub async fn bulk_count(
    state: &AppState,
    caller: &Caller,
    domain: &dyn Domain,
    selection: &Selection,
    name: &str,
) -> Result<BulkImpact, Error> {
    let Chosen { ids, of } = choose(state, caller, domain, selection, name).await?;
    Ok(BulkImpact { can: ids.len(), of })
}

/// Begins a move for many records. Each is moved if it still can when its turn comes, and skipped otherwise.
///
/// # Errors
/// 403 without the module's permission or the one that the move takes besides; 422 for a move that is not for many, for no record, and for more than
/// [`BULK_LIMIT`]; 503.
pub async fn bulk_move(
    state: &AppState,
    caller: &Caller,
    domain: &dyn Domain,
    selection: &Selection,
    step: Map<String, Value>,
    origin: &Origin,
) -> Result<Bulk, Error> {
    let module = domain.module();
    let name = step.get("move").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Chosen { ids, .. } = choose(state, caller, domain, selection, &name).await?;
    if ids.is_empty() {
        return Err(Error::field("ids", format!("name no {} that can make the move {name} now", module.one)));
    }
    let automations = state
        .modules
        .find("automations")
        .ok_or_else(|| Error::Internal("there is no module automations".to_owned()))?;
    let count = ids.len();
    let label = module.rule(&name).and_then(|rule| rule.label.as_deref()).unwrap_or(&name).to_owned();
    let mut work = Work::begin(state, Doer::from(caller), origin).await?;
    let id = RecordId::new(AutomationId::PREFIX, Uuid::now_v7());
    let new = json!({
        "name": format!("{label}: {count} {}", if count == 1 { &module.one } else { &module.name }),
        "total": count,
    });
    let automation = work.create(automations, id, None, new).await?;
    let job = BulkMove {
        module: module.name.to_string(),
        automation: automation.id.clone(),
        ids,
        step,
        actor: caller.actor.clone(),
        actor_name: caller.name.clone(),
        person: caller.person,
        correlation_id: origin.correlation_id.clone().unwrap_or_else(|| origin.request_id.clone()),
    };
    job.enqueue(work.connection(), caller.project(), origin.traceparent.clone()).await?;
    let done = finish(work, automation).await?;
    Ok(Bulk { automation: done.record.id, count })
}

/// The records of a selection that can make a move.
struct Chosen {
    ids: Vec<Uuid>,
    /// Out of so many.
    of: usize,
}

/// The records, in the order of their ids: whoever locks several locks them in this order.
async fn choose(
    state: &AppState,
    caller: &Caller,
    domain: &dyn Domain,
    selection: &Selection,
    name: &str,
) -> Result<Chosen, Error> {
    let module = domain.module();
    require_move(caller, module, name)?;
    let rule = module.rule(name).filter(|rule| rule.bulk).ok_or_else(|| {
        let known: Vec<&str> = module.moves.iter().filter(|rule| rule.bulk).map(|rule| &*rule.name).collect();
        Error::field("move", format!("must be one that can be made for many: {}", known.join(", ")))
    })?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let records = match selection {
        Selection::Ids(ids) if ids.len() > BULK_LIMIT as usize => {
            return Err(Error::field("ids", format!("must be at most {BULK_LIMIT}")));
        }
        Selection::Ids(ids) => db::records::find_many(&mut snapshot, module, &caller.subject, ids).await?,
        Selection::Query(query) => {
            queries::records::check(module, query)?;
            let search = Search::new(&mut snapshot, module, &caller.subject, query).await?;
            let found = search.list(&mut snapshot, None, BULK_LIMIT + 1).await?;
            if found.len() > BULK_LIMIT as usize {
                let message = format!("matches more than {BULK_LIMIT} {}; narrow it", module.name);
                return Err(Error::field("query", message));
            }
            found
        }
    };
    let of = records.len();
    let can = |status: &str| rule.from.iter().any(|from| from == status);
    let mut ids: Vec<Uuid> =
        records.into_iter().filter(|record| can(&record.status)).map(|record| record.id.uuid()).collect();
    ids.sort_unstable();
    Ok(Chosen { ids, of })
}
