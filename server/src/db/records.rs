//! The tables of all modules: each has the columns of the head that all records share, and a column for
//! each field of its module (`make_record_table` of the migrations).
//!
//! Rows travel as JSON: what a module's struct says is what its table has, and no module brings SQL.

use std::cmp::Reverse;

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, QueryBuilder};
use tidewatch_events::id::{OrganizationId, RecordId, UserId};
use tidewatch_events::{ProjectId, Subject, SubjectRef};
use tidewatch_modules::query::searched_text;
use tidewatch_modules::words::words;
use tidewatch_modules::{Assignee, Cursor, FieldKind, Module, Record, RecordQuery, Sort};
use time::OffsetDateTime;
use uuid::Uuid;

use super::visibility::SubjectColumns;

/// Up to here rows are counted one by one; above, Postgres estimates.
const COUNTED: i64 = 1_000;
/// Up to so many records of a word are found by it; of a word that more have, a page is full soon without.
const FEW: i32 = 5_000;
/// So many of the words that are asked for are tried.
const MOST_WORDS: usize = 4;
/// Characters of a field's value that the index has.
const LONGEST_VALUE: usize = 64;

/// How many rows a list has in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exact(u64),
    /// About so many, as Postgres' statistics say.
    About(u64),
}

/// A record with what its row needs beside it.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// Whose.
    pub project: ProjectId,
    /// The record.
    pub record: &'a Record,
    /// Whom it is for.
    pub audience: &'a [SubjectRef],
}

/// Writes a new record.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(connection: &mut PgConnection, module: &Module, row: Row<'_>) -> Result<(), sqlx::Error> {
    let columns = columns_of(module, &row);
    let (table, names) = (&module.name, names_of(&columns));
    let statement =
        format!("insert into {table} ({names}) select {names} from jsonb_populate_record(null::{table}, $1)");
    // Table and columns come from the module's description, which is compiled in.
    sqlx::query(AssertSqlSafe(statement)).bind(Value::Object(columns)).execute(connection).await.map(drop)
}

/// Writes a record's state after a change.
///
/// # Errors
/// Postgres refused (a constraint) or could not be reached.
pub async fn update(connection: &mut PgConnection, module: &Module, row: Row<'_>) -> Result<(), sqlx::Error> {
    let mut columns = columns_of(module, &row);
    for fixed in ["id", "project_id", "created_at", "organization_id"] {
        columns.remove(fixed);
    }
    let (table, names) = (&module.name, names_of(&columns));
    let statement = format!(
        "update {table} set ({names}) = (select {names} from jsonb_populate_record(null::{table}, $3))
         where project_id = $1 and id = $2"
    );
    sqlx::query(AssertSqlSafe(statement))
        .bind(row.project.uuid())
        .bind(row.record.id.uuid())
        .bind(Value::Object(columns))
        .execute(connection)
        .await
        .map(drop)
}

fn names_of(columns: &Map<String, Value>) -> String {
    columns.keys().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// A column's name as SQL has it: a module may call a field `order` or `from`.
fn quoted(column: &str) -> String {
    format!("\"{column}\"")
}

fn columns_of(module: &Module, row: &Row<'_>) -> Map<String, Value> {
    let record = row.record;
    let mut columns: Map<String, Value> =
        record.fields.iter().map(|(name, value)| (snake_case(name), value.clone())).collect();
    let values =
        module.fields.iter().filter(|field| !field.choices.is_empty()).filter_map(|field| {
            text_of(record.get(&field.name)).map(|value| value_word(&field.name, &value))
        });
    let search: Vec<String> =
        words(&searched_text(module, record)).iter().map(|word| format!("'{word}'")).chain(values).collect();
    let audience: Vec<String> = row.audience.iter().map(ToString::to_string).collect();
    let head: [(&str, Value); 10] = [
        ("id", record.id.uuid().to_string().into()),
        ("project_id", row.project.uuid().to_string().into()),
        ("organization_id", record.organization_id.map(|id| id.uuid().to_string()).into()),
        ("audience", audience.into()),
        ("status", record.status.clone().into()),
        ("version", record.version.into()),
        ("assignee", record.assignee.map(|id| id.uuid().to_string()).into()),
        ("search", search.join(" ").into()),
        ("created_at", record.created_at.to_string().into()),
        ("updated_at", record.updated_at.to_string().into()),
    ];
    columns.extend(head.map(|(name, value)| (name.to_owned(), value)));
    columns
}

/// One record, if the subject may see it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(
    connection: &mut PgConnection,
    module: &Module,
    subject: &Subject,
    id: Uuid,
) -> Result<Option<Record>, sqlx::Error> {
    let mut query = select(module);
    query.push(" where project_id = ").push_bind(subject.project_id.uuid()).push(" and id = ").push_bind(id);
    push_visible(&mut query, module, subject);
    fetch_one(connection, module, query).await
}

/// Those of these records that the subject may see.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_many(
    connection: &mut PgConnection,
    module: &Module,
    subject: &Subject,
    ids: &[Uuid],
) -> Result<Vec<Record>, sqlx::Error> {
    let mut query = select(module);
    query.push(" where project_id = ").push_bind(subject.project_id.uuid());
    query.push(" and id = any(").push_bind(ids.to_vec()).push(")");
    push_visible(&mut query, module, subject);
    read_all(module, query.build_query_scalar().fetch_all(connection).await?)
}

/// One record, locked until the transaction ends: commands on it stand in line. Where there is a
/// subject, only if the record is for it; whether it may act on it is for the caller to ask.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock(
    connection: &mut PgConnection,
    module: &Module,
    project: ProjectId,
    subject: Option<&Subject>,
    id: Uuid,
) -> Result<Option<Record>, sqlx::Error> {
    let mut query = select(module);
    query.push(" where project_id = ").push_bind(project.uuid()).push(" and id = ").push_bind(id);
    if let Some(subject) = subject {
        push_addressed(&mut query, subject);
    }
    query.push(" for no key update");
    fetch_one(connection, module, query).await
}

/// One record, for Tidewatch itself: whomever it is for.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock_free(
    connection: &mut PgConnection,
    module: &Module,
    project: ProjectId,
    id: Uuid,
) -> Result<Option<Record>, sqlx::Error> {
    let mut query = select(module);
    query.push(" where project_id = ").push_bind(project.uuid()).push(" and id = ").push_bind(id);
    fetch_one(connection, module, query).await
}

/// The records that a query asks for and a subject may see.
///
/// It is made once for a page and its number: what few records have is looked up when it is made.
pub struct Search<'a> {
    /// Of what.
    pub module: &'a Module,
    subject: &'a Subject,
    /// What is asked for.
    pub asked: &'a RecordQuery,
    /// All of which one has to be, where few records have a word that is asked for.
    few: Option<Vec<Uuid>>,
}

impl<'a> Search<'a> {
    /// Looks up what few records have. The transaction has to name the subject's project, here and in all that follows.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn new(
        connection: &mut PgConnection,
        module: &'a Module,
        subject: &'a Subject,
        asked: &'a RecordQuery,
    ) -> Result<Self, sqlx::Error> {
        let few = with_a_word(connection, module, asked).await?;
        Ok(Self { module, subject, asked, few })
    }

    /// At most `limit` of them, in the order that the query asks for.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn list(
        &self,
        connection: &mut PgConnection,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Vec<Record>, sqlx::Error> {
        let Self { module, asked, .. } = self;
        let mut query = select(module);
        self.push_filter(&mut query);
        let column = sort_column(module, asked.sort);
        let (compare, direction) = if asked.sort.is_ascending() { (">", "asc") } else { ("<", "desc") };
        if let Some(cursor) = after {
            query.push(format!(" and ({column}, id) {compare} ("));
            match asked.sort {
                Sort::Amount => query.push_bind(cursor.key),
                _ => query.push_bind(time_of(cursor.key)),
            };
            query.push(", ").push_bind(cursor.id.uuid()).push(")");
        }
        query.push(format!(" order by {column} {direction}, id {direction} limit "));
        query.push_bind(i64::from(limit));
        read_all(module, query.build_query_scalar().fetch_all(connection).await?)
    }

    /// How many they are, page aside.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn count(&self, connection: &mut PgConnection) -> Result<Count, sqlx::Error> {
        let table = &self.module.name;
        let mut query = QueryBuilder::new(format!("select count(*) from (select from {table}"));
        self.push_filter(&mut query);
        query.push(" limit ").push_bind(COUNTED + 1).push(") few");
        let counted: i64 = query.build_query_scalar().fetch_one(&mut *connection).await?;
        if counted <= COUNTED {
            return Ok(Count::Exact(counted.unsigned_abs()));
        }
        let mut query = QueryBuilder::new(format!("explain (format json) select from {table}"));
        self.push_filter(&mut query);
        let plan: Value = query.build_query_scalar().fetch_one(connection).await?;
        let rows = plan.pointer("/0/Plan/Plan Rows").and_then(Value::as_f64).unwrap_or_default();
        // What was counted is certain, whatever the statistics say.
        let least = counted.unsigned_abs();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate, never negative"
        )]
        Ok(Count::About((rows as u64).max(least)))
    }

    fn push_filter(&self, query: &mut QueryBuilder<Postgres>) {
        let Self { module, subject, asked, few } = self;
        query.push(" where project_id = ").push_bind(subject.project_id.uuid());
        push_visible(query, module, subject);
        if let Some(few) = few {
            query.push(" and id = any(").push_bind(few.clone()).push(")");
        }
        let statuses: Vec<String> = asked.statuses().map(ToOwned::to_owned).collect();
        match statuses.as_slice() {
            [] => {}
            // By itself, so that the index by status serves its order.
            [only] => {
                query.push(" and status = ").push_bind(only.clone());
            }
            many => {
                query.push(" and status = any(").push_bind(many.to_vec()).push(")");
            }
        }
        match asked.assignee {
            Some(Assignee::Person(person)) => {
                query.push(" and assignee = ").push_bind(person.uuid());
            }
            Some(Assignee::Nobody) => {
                query.push(" and assignee is null");
            }
            None => {}
        }
        if let Some(from) = asked.from {
            query.push(" and created_at >= ").push_bind(from.into_inner());
        }
        if let Some(to) = asked.to {
            query.push(" and created_at < ").push_bind(to.into_inner());
        }
        for (name, value) in &asked.fields {
            // A name that the module does not have was refused before.
            if let Some(field) = module.field(name) {
                query
                    .push(format!(" and {}::text = ", quoted(&snake_case(&field.name))))
                    .push_bind(value.clone());
            }
        }
        match (&asked.q, asked.asked_id()) {
            (None, _) => {}
            (Some(_), Some(id)) if id.prefix() == module.prefix => {
                query.push(" and id = ").push_bind(id.uuid());
            }
            (Some(_), Some(_)) => {
                query.push(" and false");
            }
            (Some(text), None) => {
                let words: Vec<String> = words(text).iter().map(|word| format!("'{word}':*")).collect();
                if !words.is_empty() {
                    query.push(" and search @@ ").push_bind(words.join(" & ")).push("::tsquery");
                }
            }
        }
    }
}

/// Rows as JSON, as records.
pub(super) fn read_all(module: &Module, rows: Vec<Value>) -> Result<Vec<Record>, sqlx::Error> {
    rows.into_iter().map(|row| read(module, row)).collect()
}

/// A field's value as a word of the index, for lists that are narrowed by it: what few records have is found by that. No
/// text that is searched for begins like it.
fn value_word(field: &str, value: &str) -> String {
    let value: String = value.chars().take(LONGEST_VALUE).collect();
    format!("'={}={}'", snake_case(field), value.replace('\\', "\\\\").replace('\'', "''"))
}

/// A field's value as `column::text` has it.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn select(module: &Module) -> QueryBuilder<Postgres> {
    QueryBuilder::new(format!("select to_jsonb(t) - '{{search,audience}}'::text[] from {} t", module.name))
}

/// The ids of all records with one of the words or values that are asked for; `None`: none is asked for, or none that
/// few records have. See `records_with_word` of the migrations for why that is asked beforehand.
async fn with_a_word(
    connection: &mut PgConnection,
    module: &Module,
    asked: &RecordQuery,
) -> Result<Option<Vec<Uuid>>, sqlx::Error> {
    let text = asked.q.as_ref().filter(|_| asked.asked_id().is_none());
    let mut words: Vec<String> = text.map(|text| words(text)).into_iter().flatten().collect();
    // The longest first: they are rare, as a rule.
    words.sort_by_key(|word| Reverse(word.len()));
    let values = asked.fields.iter().map(|(name, value)| value_word(name, value));
    let words: Vec<String> =
        words.iter().take(MOST_WORDS).map(|word| format!("'{word}':*")).chain(values).collect();
    if words.is_empty() {
        return Ok(None);
    }
    sqlx::query_scalar("select records_with_word($1, $2::text[]::tsquery[], $3)")
        .bind(&*module.name)
        .bind(words)
        .bind(FEW)
        .fetch_one(connection)
        .await
}

fn push_visible(query: &mut QueryBuilder<Postgres>, module: &Module, subject: &Subject) {
    let SubjectColumns { held, names } = subject.into();
    query.push(" and visible_to(").push_bind(vec![module.read.to_string()]).push(", audience, ");
    query.push_bind(held).push(", ").push_bind(names).push(")");
}

fn push_addressed(query: &mut QueryBuilder<Postgres>, subject: &Subject) {
    let SubjectColumns { held, names } = subject.into();
    query.push(" and visible_to('{}', audience, ").push_bind(held).push(", ").push_bind(names).push(")");
}

fn sort_column(module: &Module, sort: Sort) -> String {
    match (sort, &module.amount_field) {
        (Sort::Changed, _) => "updated_at".to_owned(),
        (Sort::Amount, Some(field)) => format!("coalesce({}, 0)", quoted(&snake_case(field))),
        (Sort::Newest | Sort::Oldest | Sort::Amount, _) => "created_at".to_owned(),
    }
}

fn time_of(millis: i64) -> OffsetDateTime {
    tidewatch_events::Timestamp::from_unix_millis(millis)
        .map_or(OffsetDateTime::UNIX_EPOCH, tidewatch_events::Timestamp::into_inner)
}

async fn fetch_one(
    connection: &mut PgConnection,
    module: &Module,
    mut query: QueryBuilder<Postgres>,
) -> Result<Option<Record>, sqlx::Error> {
    let row: Option<Value> = query.build_query_scalar().fetch_optional(connection).await?;
    row.map(|row| read(module, row)).transpose()
}

/// A row as JSON, as a record.
pub(super) fn read(module: &Module, row: Value) -> Result<Record, sqlx::Error> {
    let broken = |what: &str| sqlx::Error::Decode(format!("{}: {what}", module.name).into());
    let Value::Object(mut columns) = row else { return Err(broken("a row is no object")) };
    let mut text = |name: &str| match columns.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let uuid = |text: String| text.parse::<Uuid>().map_err(|_| broken("an id is no UUID"));
    let time = |text: Option<String>| {
        text.and_then(|text| text.parse().ok()).ok_or_else(|| broken("a time is none"))
    };
    let id = text("id").ok_or_else(|| broken("no id")).and_then(uuid)?;
    let organization_id = text("organization_id").map(uuid).transpose()?.map(OrganizationId::from_uuid);
    let assignee = text("assignee").map(uuid).transpose()?.map(UserId::from_uuid);
    let (created_at, updated_at) = (time(text("created_at"))?, time(text("updated_at"))?);
    let status = text("status").ok_or_else(|| broken("no status"))?;
    let version =
        columns.remove("version").and_then(|version| version.as_i64()).ok_or_else(|| broken("no version"))?;
    for hidden in ["project_id", "organization_id", "assignee"] {
        columns.remove(hidden);
    }
    let mut fields: Map<String, Value> =
        columns.into_iter().map(|(name, value)| (camel_case(&name), value)).collect();
    for field in module.fields.iter().filter(|field| field.kind == FieldKind::Time) {
        if let Some(Value::String(at)) = fields.get_mut(&*field.name) {
            *at =
                at.parse::<tidewatch_events::Timestamp>().map_err(|_| broken("a time is none"))?.to_string();
        }
    }
    let id = RecordId::new(module.prefix.clone(), id);
    Ok(Record { id, status, version, organization_id, assignee, created_at, updated_at, fields })
}

/// A field's name as its column's.
#[must_use]
pub fn snake_case(name: &str) -> String {
    let mut column = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            column.push('_');
        }
        column.push(c.to_ascii_lowercase());
    }
    column
}

fn camel_case(column: &str) -> String {
    let mut name = String::with_capacity(column.len());
    let mut raise = false;
    for c in column.chars() {
        match (c, raise) {
            ('_', _) => raise = true,
            (c, true) => {
                name.push(c.to_ascii_uppercase());
                raise = false;
            }
            (c, false) => name.push(c),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        for (name, column) in [("amountMinor", "amount_minor"), ("id", "id"), ("txHash", "tx_hash")] {
            assert_eq!(snake_case(name), column);
            assert_eq!(camel_case(column), name);
        }
    }
}
