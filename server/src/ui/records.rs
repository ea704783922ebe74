//! Records of all modules, for pages.

mod entered;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidewatch_app::backend::Many;
use tidewatch_app::model::{
    BulkImpact, BulkStarted, Comment, DeliveryProof, MoveRequest, RecordCharts, RecordDetail, RecordPage,
    Snapshot,
};
use tidewatch_events::access::Actor;
use tidewatch_events::id::{OrganizationId, UserId};
use tidewatch_events::money::Currency;
use tidewatch_events::{Envelope, EventId, visible};
use tidewatch_modules::{Domain, FieldKind, Module, Record, RecordQuery, Sort};
use tidewatch_outbox::PublishedLog;
use uuid::Uuid;

use self::entered::{asks_the_record, values_of};
use super::{RequestBackend, finish};
use crate::access::Caller;
use crate::access::roles::roles_with;
use crate::commands::people::custom_roles;
use crate::commands::records::{self as commands, Selection};
use crate::db;
use crate::db::records::Search;
use crate::error::Error;
use crate::http::api::records::{move_by_body, read_id};
use crate::queries;

/// Events of a record whose delivery its page shows.
const PROOFS: u32 = 20;

impl RequestBackend {
    fn domain(&self, name: &str) -> Result<&dyn Domain, Error> {
        self.state.modules.find(name).ok_or_else(|| Error::NotFound(format!("page /{name}")))
    }

    pub(super) async fn read_records(
        &self,
        name: &str,
        asked: RecordQuery,
    ) -> Result<Snapshot<RecordPage>, Error> {
        let caller = self.caller().await?;
        let module = self.domain(name)?.module();
        caller.require(&module.read)?;
        let query = cleaned(module, asked);
        let mut snapshot = db::begin_snapshot(&self.state.pool, caller.project()).await?;
        let search = Search::new(&mut snapshot, module, &caller.subject, &query).await?;
        let (records, next) = queries::records::page(&mut snapshot, &search).await?;
        let total = queries::records::total_of(search.count(&mut snapshot).await?);
        let charts = queries::records::charts(&mut snapshot, caller, module).await?;
        let may_act = caller.may(&module.act);
        let module = module.for_holder(&caller.subject.permissions);
        let people = assignees(&mut snapshot, caller, &records).await?;
        let page = RecordPage { module, query, records, next, total, may_act, charts, people };
        finish(&mut snapshot, caller.project(), page).await
    }

    pub(super) async fn read_record_charts(&self, name: &str) -> Result<Snapshot<RecordCharts>, Error> {
        let caller = self.caller().await?;
        let module = self.domain(name)?.module();
        caller.require(&module.read)?;
        let mut snapshot = db::begin_snapshot(&self.state.pool, caller.project()).await?;
        let charts = queries::records::charts(&mut snapshot, caller, module).await?;
        let charts = charts.ok_or_else(|| Error::NotFound(format!("charts of {name}")))?;
        finish(&mut snapshot, caller.project(), charts).await
    }

    pub(super) async fn read_record(&self, name: &str, id: &str) -> Result<Snapshot<RecordDetail>, Error> {
        let caller = self.caller().await?;
        let module = self.domain(name)?.module();
        let id = read_id(module, id)?;
        caller.require(&module.read)?;
        let project = caller.project();
        let mut snapshot = db::begin_snapshot(&self.state.pool, project).await?;
        let record = queries::records::find(&mut snapshot, caller, module, id).await?;
        let limit = u32::try_from(RecordDetail::MAX_TIMELINE).unwrap_or(u32::MAX);
        let aggregate = record.id.to_string();
        let events =
            PublishedLog::of_aggregate(&mut snapshot, project, &module.aggregate_type, &aggregate, limit)
                .await?;
        let timeline: Vec<Envelope> = events
            .into_iter()
            .filter(|event| visible(&event.routing, &caller.subject))
            .map(|event| event.envelope)
            .collect();
        let comments = db::comments::of_record(&mut snapshot, &caller.subject, &record.id).await?;
        let organization = match record.organization_id {
            Some(id) => db::organizations::find_name(&mut snapshot, project, id).await?,
            None => None,
        };
        let mentioned = mentioned(module, &record, &timeline, &comments);
        let detail = RecordDetail {
            module: module.for_holder(&caller.subject.permissions),
            record,
            timeline,
            comments,
            organization,
            people: people_for(&mut snapshot, caller, module, mentioned).await?,
            organizations: organizations_for(&mut snapshot, caller).await?,
            me: caller.member.as_ref().map(|member| UserId::from_uuid(member.user_id)),
            may_act: caller.may(&module.act),
        };
        finish(&mut snapshot, project, detail).await
    }

    /// Of the latest events alone: what became of older ones stands on their own pages.
    pub(super) async fn read_record_deliveries(
        &self,
        name: &str,
        id: &str,
    ) -> Result<Vec<DeliveryProof>, Error> {
        let ids = self.latest_events(name, id).await?;
        let mut proofs = queries::deliveries(&self.state, self.caller().await?, &ids).await?;
        proofs.reverse();
        Ok(proofs)
    }

    /// The latest events of a record, of which proof is shown, oldest first.
    pub(super) async fn latest_events(&self, name: &str, id: &str) -> Result<Vec<EventId>, Error> {
        let caller = self.caller().await?;
        let module = self.domain(name)?.module();
        let id = read_id(module, id)?;
        caller.require(&module.read)?;
        let project = caller.project();
        let mut snapshot = db::begin_snapshot(&self.state.pool, project).await?;
        let record = queries::records::find(&mut snapshot, caller, module, id).await?.id.to_string();
        let events =
            PublishedLog::of_aggregate(&mut snapshot, project, &module.aggregate_type, &record, PROOFS)
                .await?;
        Ok(events.iter().map(|event| event.envelope.event_id).collect())
    }

    pub(super) async fn make_record(
        &self,
        name: &str,
        new: BTreeMap<String, String>,
    ) -> Result<Record, Error> {
        let caller = self.caller().await?;
        let domain = self.domain(name)?;
        let inputs = domain.module().new.as_deref().unwrap_or_default();
        let values = values_of(inputs, new, None)?;
        let done = commands::create_record(&self.state, caller, domain, values, &self.origin()).await?;
        Ok(done.record)
    }

    pub(super) async fn make_move(
        &self,
        name: &str,
        id: &str,
        request: MoveRequest,
    ) -> Result<Record, Error> {
        let caller = self.caller().await?;
        let domain = self.domain(name)?;
        let id = read_id(domain.module(), id)?;
        let inputs = domain.module().rule(&request.r#move).map_or(&[][..], |rule| &rule.inputs);
        let currency = match asks_the_record(inputs) {
            true => self.currency_of_record(domain.module(), id).await?,
            false => None,
        };
        let mut body = values_of(inputs, request.fields, currency)?;
        if request.r#move == "assign" {
            body.entry("assignee").or_insert(Value::Null);
        }
        body.insert("move".into(), request.r#move.into());
        body.insert("expectedVersion".into(), request.expected_version.into());
        Ok(move_by_body(&self.state, caller, domain, id, body, &self.origin()).await?.record)
    }

    /// What amounts of a record are counted in.
    async fn currency_of_record(&self, module: &Module, id: Uuid) -> Result<Option<Currency>, Error> {
        let caller = self.caller().await?;
        caller.require(&module.read)?;
        let mut snapshot = db::begin_snapshot(&self.state.pool, caller.project()).await?;
        Ok(queries::records::find(&mut snapshot, caller, module, id).await?.currency())
    }

    pub(super) async fn make_moves(
        &self,
        name: &str,
        many: Many,
        step: &str,
        fields: BTreeMap<String, String>,
    ) -> Result<BulkStarted, Error> {
        let caller = self.caller().await?;
        let domain = self.domain(name)?;
        let module = domain.module();
        let selection = selection_of(module, many)?;
        // A form sends the details of all moves; those of the others are no business of this one.
        let inputs = module.rule(step).map_or(&[][..], |rule| &rule.inputs);
        let own = fields.into_iter().filter(|(name, _)| inputs.iter().any(|input| input.name == *name));
        let mut body = values_of(inputs, own.collect(), None)?;
        body.insert("move".into(), step.into());
        let bulk = commands::bulk_move(&self.state, caller, domain, &selection, body, &self.origin()).await?;
        Ok(BulkStarted { automation: bulk.automation, count: bulk.count as u64 })
    }

    pub(super) async fn count_of_moves(
        &self,
        name: &str,
        many: Many,
        step: &str,
    ) -> Result<BulkImpact, Error> {
        let caller = self.caller().await?;
        let domain = self.domain(name)?;
        let selection = selection_of(domain.module(), many)?;
        let impact = commands::bulk_count(&self.state, caller, domain, &selection, step).await?;
        Ok(BulkImpact { can: impact.can as u64, of: impact.of as u64 })
    }

    pub(super) async fn write_comment(&self, name: &str, id: &str, text: &str) -> Result<(), Error> {
        let caller = self.caller().await?;
        let domain = self.domain(name)?;
        let id = read_id(domain.module(), id)?;
        commands::comment_on_record(&self.state, caller, domain, id, text, &self.origin()).await.map(drop)
    }
}

/// Which records are meant.
fn selection_of(module: &Module, many: Many) -> Result<Selection, Error> {
    Ok(match many {
        Many::Ids(ids) => Selection::Ids(ids.iter().map(|id| read_id(module, id)).collect::<Result<_, _>>()?),
        Many::Query(query) => Selection::Query(Box::new(cleaned(module, query))),
    })
}

/// What a page asks for, without what the module does not have: an address that says something wrongly
/// shows what is left of it.
fn cleaned(module: &Module, mut asked: RecordQuery) -> RecordQuery {
    let known: Vec<String> =
        asked.statuses().filter(|name| module.status(name).is_some()).map(ToOwned::to_owned).collect();
    asked.status = Some(known.join(",")).filter(|known| !known.is_empty());
    asked.fields.retain(|name, _| module.field(name).is_some_and(|field| !field.choices.is_empty()));
    if asked.sort == Sort::Amount && module.amount_field.is_none() {
        asked.sort = Sort::default();
    }
    asked
}

/// Who looks after these records, by name. Customers of the project see none of each other.
async fn assignees(
    connection: &mut sqlx::PgConnection,
    caller: &Caller,
    records: &[Record],
) -> Result<Option<BTreeMap<UserId, String>>, Error> {
    if !caller.is_staff() {
        return Ok(None);
    }
    let ids: BTreeSet<UserId> = records.iter().filter_map(|record| record.assignee).collect();
    let ids: Vec<UserId> = ids.into_iter().collect();
    Ok(Some(db::people::names(connection, caller.project(), &ids).await?))
}

/// The names on a record's page: of those who have to do with it, and of those who may act on it and so can look after it.
/// Customers of the project see none of each other.
async fn people_for(
    connection: &mut sqlx::PgConnection,
    caller: &Caller,
    module: &Module,
    mentioned: BTreeSet<UserId>,
) -> Result<BTreeMap<UserId, String>, Error> {
    if !caller.is_staff() {
        let member = caller.member.iter();
        return Ok(member.map(|one| (UserId::from_uuid(one.user_id), one.name.clone())).collect());
    }
    let project = caller.project();
    let mentioned: Vec<UserId> = mentioned.into_iter().collect();
    let mut people = db::people::names(connection, project, &mentioned).await?;
    if caller.may(&module.act) {
        let custom = custom_roles(connection, caller).await?;
        let roles = roles_with(&module.act, &custom);
        people.extend(db::people::with_roles(connection, project, &roles, RecordDetail::MAX_PEOPLE).await?);
    }
    Ok(people)
}

/// Those whom a record, its events and its comments name.
fn mentioned(
    module: &Module,
    record: &Record,
    timeline: &[Envelope],
    comments: &[Comment],
) -> BTreeSet<UserId> {
    // As an actor, `user:usr_…`, or as an id.
    let person = |text: &str| text.rsplit(':').next().and_then(|id| id.parse::<UserId>().ok());
    let fields = module.fields.iter().filter(|field| field.kind == FieldKind::Person);
    let actors = timeline.iter().filter_map(|event| match event.metadata.actor {
        Some(Actor::User(id)) => Some(id),
        _ => None,
    });
    fields
        .filter_map(|field| record.text(&field.name).and_then(person))
        .chain(comments.iter().filter_map(|comment| person(&comment.actor)))
        .chain(actors)
        .chain(record.assignee)
        .collect()
}

/// The project's organizations by name: customers see none of each other.
async fn organizations_for(
    connection: &mut sqlx::PgConnection,
    caller: &Caller,
) -> Result<BTreeMap<OrganizationId, String>, Error> {
    if !caller.is_staff() {
        return Ok(BTreeMap::new());
    }
    let all = db::organizations::list(connection, caller.project()).await?;
    Ok(all.into_iter().map(|one| (OrganizationId::from_uuid(one.id), one.name)).collect())
}
