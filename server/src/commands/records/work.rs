//! One transaction over records: each change with its event, and what follows from it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use tidewatch_events::access::Actor;
use tidewatch_events::id::{BalanceId, OrganizationId, RecordId, UserId};
use tidewatch_events::{
    EventType, Metadata, NewEvent, PermissionSet, ProjectId, Routing, Subject, SubjectRef, Timestamp,
};
use tidewatch_modules::{Context, Domain, Effect, Module, MoveError, Outcome, Posting, Record};
use tidewatch_outbox::OutboxTransaction;
use uuid::Uuid;

use super::super::{Origin, now};
use super::refused;
use crate::access::Caller;
use crate::db;
use crate::db::audit::NewAuditEntry;
use crate::db::ledger::NewEntry;
use crate::db::records::Row;
use crate::domain::Modules;
use crate::error::Error;
use crate::jobs;
use crate::state::AppState;

/// Who does something.
#[derive(Debug, Clone, Copy)]
pub struct Doer<'a> {
    /// In which project.
    pub project: ProjectId,
    /// Under which name it is recorded.
    pub actor: &'a Actor,
    /// What they are called.
    pub name: &'a str,
    /// The person behind them, where that can be told.
    pub person: Option<UserId>,
    /// What records must be for; `None`: Tidewatch itself, which reaches all.
    pub subject: Option<&'a Subject>,
}

impl<'a> From<&'a Caller> for Doer<'a> {
    fn from(caller: &'a Caller) -> Self {
        Self {
            project: caller.project(),
            actor: &caller.actor,
            name: &caller.name,
            person: caller.person,
            subject: Some(&caller.subject),
        }
    }
}

/// A transaction over records. Dropped before [`Work::commit`], nothing has happened.
pub struct Work<'a> {
    transaction: OutboxTransaction,
    modules: Modules,
    approval_limit_minor: i64,
    doer: Doer<'a>,
    origin: &'a Origin,
    at: Timestamp,
    events: Vec<NewEvent>,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

impl<'a> Work<'a> {
    /// Begins.
    ///
    /// # Errors
    /// No connection was to be had, or Postgres refused.
    pub async fn begin(state: &AppState, doer: Doer<'a>, origin: &'a Origin) -> Result<Self, Error> {
        Ok(Self {
            transaction: state.outbox.begin(doer.project).await?,
            modules: state.modules.clone(),
            approval_limit_minor: state.config.approval_limit_minor,
            doer,
            origin,
            at: now(),
            events: Vec::new(),
        })
    }

    /// The project that it is about.
    #[must_use]
    pub const fn project(&self) -> ProjectId {
        self.doer.project
    }

    /// What who acts may do; `None`: Tidewatch itself, which may do all.
    fn held(&self) -> Option<&'a PermissionSet> {
        self.doer.subject.map(|subject| &subject.permissions)
    }

    /// What a record with this id may ask of the world.
    fn context(&self, id: &RecordId) -> Context<'a> {
        Context {
            id: id.clone(),
            actor: self.doer.actor,
            person: self.doer.person,
            now: self.at,
            approval_limit_minor: self.approval_limit_minor,
            draw: &Uuid::now_v7,
        }
    }

    /// Its connection.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// The record, for nobody else to change until this ends.
    ///
    /// # Errors
    /// 404 where there is none, or none for this one.
    pub async fn lock(&mut self, module: &Module, id: Uuid) -> Result<Record, Error> {
        db::records::lock(&mut self.transaction, module, self.doer.project, self.doer.subject, id)
            .await?
            .ok_or_else(|| {
                Error::NotFound(format!("{} {}", module.one, RecordId::new(module.prefix.clone(), id)))
            })
    }

    /// Whom a record is for: the project's staff, its organization, and whom the module adds.
    ///
    /// # Errors
    /// What is stored is not the module's.
    pub fn audience_of(&self, domain: &dyn Domain, record: &Record) -> Result<Vec<SubjectRef>, Error> {
        let more = domain
            .audience(&record.fields)
            .map_err(|error| refused(domain.module(), Some(record), self.held(), error))?;
        let organization = record.organization_id.map(SubjectRef::Organization);
        Ok(std::iter::once(SubjectRef::staff()).chain(organization).chain(more).collect())
    }

    /// Makes a record, and what follows from it.
    ///
    /// # Errors
    /// 422 for what will not do.
    pub fn create<'w>(
        &'w mut self,
        domain: &'w dyn Domain,
        id: RecordId,
        organization_id: Option<OrganizationId>,
        new: Value,
    ) -> Boxed<'w, Record> {
        Box::pin(async move {
            let module = domain.module();
            let context = self.context(&id);
            let (fields, mut outcome) =
                domain.create(new, &context).map_err(|error| refused(module, None, self.held(), error))?;
            self.check(&outcome).await?;
            let first = module.statuses.first().map(|status| status.name.clone());
            let status = outcome.status.take().or(first).unwrap_or_default().into_owned();
            let record = Record {
                id,
                status,
                version: 1,
                organization_id,
                assignee: None,
                created_at: self.at,
                updated_at: self.at,
                fields,
            };
            let audience = self.audience_of(domain, &record)?;
            let row = Row { project: self.doer.project, record: &record, audience: &audience };
            db::records::insert(&mut self.transaction, module, row).await?;
            let told = outcome.event_type.take();
            self.record_event(module, &record, &audience, told, "created", outcome.payload)?;
            self.note_record(module, "create", None, &record).await?;
            self.carry_out(&record, outcome.effects).await?;
            Ok(record)
        })
    }

    /// Makes a move of a record that is locked, and what follows from it.
    ///
    /// # Errors
    /// 409 with what is current where the table does not have the move, 422 for what will not do.
    pub fn make<'w>(&'w mut self, domain: &'w dyn Domain, record: Record, step: Value) -> Boxed<'w, Record> {
        Box::pin(async move {
            let module = domain.module();
            let name = step.get("move").and_then(Value::as_str).unwrap_or_default().to_owned();
            let context = self.context(&record.id);
            let (fields, mut outcome) = domain
                .make(&record.fields, step, &record.status, &context)
                .map_err(|error| refused(module, Some(&record), self.held(), error))?;
            check_destination(module, &name, &outcome)?;
            self.check(&outcome).await?;
            let mut next = self.next_of(&record);
            next.fields = fields;
            if let Some(status) = outcome.status.take() {
                next.status = status.into_owned();
            }
            let mut payload = outcome.payload;
            if next.status != record.status {
                payload.insert("fromStatus".to_owned(), record.status.clone().into());
                payload.insert("toStatus".to_owned(), next.status.clone().into());
            }
            self.write(domain, &record, &next, &name, outcome.event_type.take(), "status_changed", payload)
                .await?;
            self.carry_out(&next, outcome.effects).await?;
            Ok(next)
        })
    }

    /// The same, but what cannot be done leaves nothing behind, and the transaction goes on.
    ///
    /// # Errors
    /// The outer one: Postgres refused or could not be reached. The inner one: as of [`Work::make`].
    pub async fn attempt(
        &mut self,
        domain: &dyn Domain,
        record: Record,
        step: Value,
    ) -> Result<Result<Record, Error>, Error> {
        let told = self.events.len();
        sqlx::query("savepoint attempt").execute(&mut *self.transaction).await?;
        match self.make(domain, record, step).await {
            Ok(next) => {
                sqlx::query("release savepoint attempt").execute(&mut *self.transaction).await?;
                Ok(Ok(next))
            }
            Err(error) => {
                sqlx::query("rollback to savepoint attempt").execute(&mut *self.transaction).await?;
                self.events.truncate(told);
                Ok(Err(error))
            }
        }
    }

    /// Says who looks after a record that is locked.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn assign(
        &mut self,
        domain: &dyn Domain,
        record: Record,
        assignee: Option<UserId>,
    ) -> Result<Record, Error> {
        let mut next = self.next_of(&record);
        next.assignee = assignee;
        let payload = Map::from_iter([("changed".to_owned(), json!(["assignee"]))]);
        self.write(domain, &record, &next, "assign", None, "updated", payload).await?;
        Ok(next)
    }

    fn next_of(&self, record: &Record) -> Record {
        let mut next = record.clone();
        next.version += 1;
        // Clocks step; the order of versions stays that of times for whoever reads both.
        next.updated_at = self.at.max(record.updated_at);
        next
    }

    async fn write(
        &mut self,
        domain: &dyn Domain,
        before: &Record,
        next: &Record,
        action: &str,
        told: Option<EventType>,
        usual: &str,
        payload: Map<String, Value>,
    ) -> Result<(), Error> {
        let module = domain.module();
        let audience = self.audience_of(domain, next)?;
        let row = Row { project: self.doer.project, record: next, audience: &audience };
        db::records::update(&mut self.transaction, module, row).await?;
        self.record_event(module, next, &audience, told, usual, payload)?;
        self.note_record(module, action, Some(before), next).await
    }

    fn record_event(
        &mut self,
        module: &Module,
        record: &Record,
        audience: &[SubjectRef],
        told: Option<EventType>,
        usual: &str,
        payload: Map<String, Value>,
    ) -> Result<(), Error> {
        let event_type = match told {
            Some(event_type) => event_type,
            None => format!("{}.{usual}", module.one)
                .parse()
                .map_err(|error| Error::Internal(format!("{}: {error}", module.name)))?,
        };
        let mut facts = record.facts(module);
        facts.extend(payload);
        let mut routing = Routing::in_project(self.doer.project);
        routing.permissions.insert(module.read.clone());
        routing.audience.extend(audience.iter().cloned());
        self.events.push(NewEvent {
            event_type,
            aggregate_type: module.aggregate_type.clone(),
            aggregate_id: record.id.to_string(),
            aggregate_version: record.version,
            occurred_at: Some(record.updated_at),
            payload: Value::Object(facts),
            metadata: Metadata {
                actor: Some(self.doer.actor.clone()),
                signed_by: None,
                correlation_id: self.origin.correlation(),
                causation_id: None,
                traceparent: self.origin.traceparent.clone(),
            },
            routing,
        });
        Ok(())
    }

    /// An event beside those of records.
    pub fn tell(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    async fn note_record(
        &mut self,
        module: &Module,
        action: &str,
        before: Option<&Record>,
        after: &Record,
    ) -> Result<(), Error> {
        let action = format!("{}.{action}", module.one);
        self.note(
            &action,
            &after.id,
            &after.title(module),
            before.map(|record| json!(record)),
            Some(json!(after)),
        )
        .await
    }

    /// Notes what somebody changed. What Tidewatch does by itself stands in its events alone.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn note(
        &mut self,
        action: &str,
        target: &RecordId,
        target_name: &str,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<(), Error> {
        if matches!(self.doer.actor, Actor::System(_)) {
            return Ok(());
        }
        let entry = NewAuditEntry {
            project: self.doer.project,
            actor: &self.doer.actor.to_string(),
            actor_name: self.doer.name,
            action,
            target: &target.to_string(),
            target_name,
            before,
            after,
            request_id: &self.origin.request_id,
        };
        Ok(db::audit::insert(&mut self.transaction, &entry).await?)
    }

    /// Whether who acts holds what the outcome takes, and the project has every organization that it names.
    async fn check(&mut self, outcome: &Outcome) -> Result<(), Error> {
        if let (Some(held), Some(permission)) = (self.held(), &outcome.requires)
            && !held.contains(permission)
        {
            return Err(Error::Forbidden(permission.clone()));
        }
        for (field, organization) in &outcome.organizations {
            if !db::organizations::exists(&mut self.transaction, self.doer.project, *organization).await? {
                return Err(Error::field(field, "names no organization of this project"));
            }
        }
        Ok(())
    }

    async fn carry_out(&mut self, cause: &Record, effects: Vec<Effect>) -> Result<(), Error> {
        for effect in effects {
            match effect {
                Effect::Post(postings) => self.post(cause, &postings).await?,
                Effect::Create { module, id, new } => {
                    let modules = self.modules.clone();
                    let domain = find(&modules, module)?;
                    self.create(domain, id, cause.organization_id, new).await?;
                }
                Effect::Move { module, id, step } => self.move_other(module, &id, step).await?,
                Effect::Job { kind, payload } => {
                    jobs::enqueue_effect(&mut self.transaction, self.doer.project, kind, payload).await?;
                }
            }
        }
        Ok(())
    }

    /// A move of another record, where it can make it.
    async fn move_other(&mut self, module: &str, id: &RecordId, step: Value) -> Result<(), Error> {
        let modules = self.modules.clone();
        let domain = find(&modules, module)?;
        let project = self.doer.project;
        let other =
            db::records::lock(&mut self.transaction, domain.module(), project, None, id.uuid()).await?;
        let name = step.get("move").and_then(Value::as_str).unwrap_or_default();
        let can = |record: &Record| domain.module().moves_from(&record.status).any(|rule| rule.name == name);
        match other.filter(can) {
            Some(other) => self.make(domain, other, step).await.map(drop),
            None => Ok(()),
        }
    }

    /// Moves money. Balances are locked in the order of their names, whoever posts.
    async fn post(&mut self, cause: &Record, postings: &[Posting]) -> Result<(), Error> {
        let mut deltas: BTreeMap<(&str, _), i64> = BTreeMap::new();
        for posting in postings {
            let delta = deltas.entry((posting.account, posting.currency)).or_default();
            *delta = delta.checked_add(posting.delta_minor).ok_or_else(too_much)?;
        }
        let transaction_id = Uuid::now_v7();
        let modules = self.modules.clone();
        let domain = find(&modules, "balances")?;
        let (module, project) = (domain.module(), self.doer.project);
        for ((account, currency), delta) in deltas {
            let known =
                db::ledger::lock_balance(&mut self.transaction, module, project, account, currency).await?;
            let before = known.as_ref().and_then(|balance| balance.number("balanceMinor")).unwrap_or(0);
            let balance_minor = before.checked_add(delta).ok_or_else(too_much)?;
            let mut balance = match &known {
                Some(balance) => self.next_of(balance),
                None => self.first_balance(account, currency),
            };
            balance.fields.insert("balanceMinor".to_owned(), balance_minor.into());
            let audience = [SubjectRef::staff()];
            let row = Row { project, record: &balance, audience: &audience };
            match known {
                Some(_) => db::records::update(&mut self.transaction, module, row).await?,
                None => db::records::insert(&mut self.transaction, module, row).await?,
            }
            let entry = NewEntry {
                project,
                transaction_id,
                balance: balance.id.uuid(),
                version: balance.version,
                currency,
                delta_minor: delta,
                balance_minor,
                cause: &cause.id,
                at: balance.updated_at,
            };
            db::ledger::insert(&mut self.transaction, &entry).await?;
            let payload = Map::from_iter([
                ("deltaMinor".to_owned(), delta.into()),
                ("cause".to_owned(), cause.id.to_string().into()),
                ("transactionId".to_owned(), transaction_id.to_string().into()),
            ]);
            self.record_event(module, &balance, &audience, None, "updated", payload)?;
        }
        Ok(())
    }

    fn first_balance(&self, account: &str, currency: tidewatch_events::money::Currency) -> Record {
        Record {
            id: RecordId::new(BalanceId::PREFIX, Uuid::now_v7()),
            status: "open".to_owned(),
            version: 1,
            organization_id: None,
            assignee: None,
            created_at: self.at,
            updated_at: self.at,
            fields: Map::from_iter([
                ("account".to_owned(), account.into()),
                ("currency".to_owned(), json!(currency)),
            ]),
        }
    }

    /// Writes the events of what was done so far, in one round trip.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn write_events(&mut self) -> Result<(), Error> {
        let events = std::mem::take(&mut self.events);
        if !events.is_empty() {
            self.transaction.record_all(&events).await?;
        }
        Ok(())
    }

    /// Makes all of it happen.
    ///
    /// # Errors
    /// Postgres refused or could not be reached; then nothing has happened.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.write_events().await?;
        Ok(self.transaction.commit().await?)
    }
}

fn find<'m>(modules: &'m Modules, name: &str) -> Result<&'m dyn Domain, Error> {
    modules.find(name).ok_or_else(|| Error::Internal(format!("there is no module {name}")))
}

fn too_much() -> Error {
    Error::field("amountMinor", "is more than an account can hold")
}

/// Whether the table of moves has where a move led.
fn check_destination(module: &Module, name: &str, outcome: &Outcome) -> Result<(), Error> {
    let rule = module.rule(name);
    let is_right = match (&outcome.status, rule.map(|rule| rule.to.as_slice())) {
        (None, Some([])) => true,
        (Some(status), Some(to)) => to.contains(status),
        _ => false,
    };
    if is_right {
        return Ok(());
    }
    let broken = MoveError::Broken(format!("{}: the move {name} led to {:?}", module.name, outcome.status));
    Err(refused(module, None, None, broken))
}
