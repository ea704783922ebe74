//! From where a reader wants to start to a position.

use std::time::Duration;

use tidewatch_events::{Position, ProjectId, ResumePoint, Timestamp};
use tidewatch_hub::StartAt;
use time::OffsetDateTime;

use crate::error::Error;
use crate::state::AppState;

/// How far ahead of ours a caller's clock may go before its time counts as wrong.
const CLOCK_TOLERANCE_MS: i64 = 60_000;
/// How long to wait until this instance has read what another one, or a snapshot, told the caller of.
const CATCH_UP: Duration = Duration::from_secs(2);
/// How often to look meanwhile.
const CATCH_UP_STEP: Duration = Duration::from_millis(5);

/// Where the reader starts in the project's stream.
///
/// What cannot be honoured (an unknown event, another history, a position that was never given
/// out) is [`StartAt::Unrecoverable`], never a guess: the reader is told of the gap.
///
/// # Errors
/// 400 for a time in the future, 503 when Postgres is needed and cannot be reached.
pub async fn resolve(state: &AppState, project: ProjectId, point: ResumePoint) -> Result<StartAt, Error> {
    match point {
        ResumePoint::Latest => Ok(StartAt::Head),
        ResumePoint::Earliest => Ok(StartAt::After(state.log.head(project).await?.oldest.previous())),
        ResumePoint::Event(event) => match state.log.position_of(project, event).await? {
            Some(position) => known_position(state, project, position).await,
            None => Ok(StartAt::Unrecoverable),
        },
        ResumePoint::Token(token) => match state.hub.head(project) {
            Some(head) if head.epoch == token.epoch => known_position(state, project, token.position).await,
            _ => Ok(StartAt::Unrecoverable),
        },
        ResumePoint::Position(position) => known_position(state, project, position).await,
        ResumePoint::Time(time) => {
            let now: Timestamp = OffsetDateTime::now_utc().into();
            if time.millis_since(now) > CLOCK_TOLERANCE_MS {
                return Err(Error::parameter("after", "is a time in the future"));
            }
            let position = state.log.position_before(project, time).await?;
            known_position(state, project, position).await
        }
    }
}

/// The position itself, once this instance knows of it. Another instance, or a snapshot of the
/// database, can be some milliseconds ahead of what this one has read; a position ahead of the
/// log itself was never given out.
async fn known_position(state: &AppState, project: ProjectId, position: Position) -> Result<StartAt, Error> {
    let reached = || state.hub.head(project).is_some_and(|head| head.position >= position);
    if reached() && state.hub.reaches(project, position) {
        return Ok(StartAt::After(position));
    }
    let stream = state.log.head(project).await?;
    if stream.last < position || position.next() < stream.oldest {
        return Ok(StartAt::Unrecoverable);
    }
    let deadline = tokio::time::Instant::now() + CATCH_UP;
    while !reached() {
        if tokio::time::Instant::now() >= deadline {
            return Err(Error::Unavailable("this instance has not read that far yet"));
        }
        tokio::time::sleep(CATCH_UP_STEP).await;
    }
    Ok(StartAt::After(position))
}
