//! Data together with the stream's position in the same snapshot.

use sqlx::PgConnection;
use tidewatch_app::model::Snapshot;
use tidewatch_events::ProjectId;
use tidewatch_events::position::PositionToken;
use tidewatch_outbox::{StreamHead, read_head};
use time::OffsetDateTime;

use crate::error::Error;

/// Reads the stream's position in the same snapshot as the data, and puts both together.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn finish<T>(
    snapshot: &mut PgConnection,
    project: ProjectId,
    data: T,
) -> Result<Snapshot<T>, Error> {
    let head = read_head(snapshot, project).await?;
    Ok(Snapshot {
        data,
        position: head.last,
        resume_token: token_of(head),
        as_of: OffsetDateTime::now_utc().into(),
    })
}

/// The token to open the stream with behind this head.
#[must_use]
pub fn token_of(head: StreamHead) -> String {
    PositionToken { epoch: head.epoch, position: head.last }.to_string()
}
