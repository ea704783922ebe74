//! Whole lists of records as files.

use axum::response::Response;
use serde_json::Value;
use tidewatch_modules::{Module, Record, RecordQuery, Sort};

use crate::access::Caller;
use crate::db;
use crate::db::records::Search;
use crate::error::Error;
use crate::http::file::{self, FileForm, FileRow};
use crate::state::AppState;

/// Records that are read at once.
const PART: u32 = 1_000;

/// Everything that the query asks for.
///
/// # Errors
/// The cursor is none; 503 where Postgres is away.
pub(super) async fn export(
    state: AppState,
    caller: Caller,
    module: Module,
    mut asked: RecordQuery,
    form: FileForm,
) -> Result<Response, Error> {
    // What changes while the file is written must not change its order.
    if asked.sort == Sort::Changed {
        asked.sort = Sort::Newest;
    }
    let first = crate::queries::records::cursor_of(&asked)?;
    let name = module.name.to_string();
    let columns = columns_of(&module);
    file::stream(&name, form, columns, first, move |after| {
        let (state, caller, module, asked) = (state.clone(), caller.clone(), module.clone(), asked.clone());
        async move {
            let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
            let after = after.as_ref();
            let search = Search::new(&mut snapshot, &module, &caller.subject, &asked).await?;
            let records = search.list(&mut snapshot, after, PART).await?;
            let last = records.last().filter(|_| records.len() == PART as usize);
            let next = last.map(|last| Some(asked.key(&module, last)));
            Ok((records, next))
        }
    })
    .await
}

/// What people look for comes first: which one, what it is called, where it stands.
fn columns_of(module: &Module) -> Vec<String> {
    let mut names = module.fields.iter().map(|field| field.name.to_string());
    std::iter::once("id".to_owned())
        .chain(names.next())
        .chain(["status".to_owned()])
        .chain(names)
        .chain(["organizationId", "assignee", "version", "createdAt", "updatedAt"].map(ToOwned::to_owned))
        .collect()
}

impl FileRow for Record {
    fn values(&self, columns: &[String]) -> Vec<String> {
        let value = |column: &String| match column.as_str() {
            "id" => self.id.to_string(),
            "status" => self.status.clone(),
            "organizationId" => self.organization_id.map(|id| id.to_string()).unwrap_or_default(),
            "assignee" => self.assignee.map(|id| id.to_string()).unwrap_or_default(),
            "version" => self.version.to_string(),
            "createdAt" => self.created_at.to_string(),
            "updatedAt" => self.updated_at.to_string(),
            field => match self.get(field) {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            },
        };
        columns.iter().map(value).collect()
    }
}
