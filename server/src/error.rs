//! The one error of the HTTP surface: logged once, answered as problem+json.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tidewatch_app::AppError;
use tidewatch_events::{Channel, Permission, Position};
use tidewatch_modules::Record;
use tidewatch_outbox::RecordError;

use crate::http::problem::{FieldProblem, ParameterProblem, Problem};
use crate::http::problem_kind::ProblemKind;
use crate::http::record_json::RecordJson;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Query parameters, parts of the path or headers will not do.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Parameters(Vec<ParameterProblem>),
    /// The body is not what it says it is: 400, 413, 415.
    #[error("{1}")]
    Body(StatusCode, String),
    /// The body's fields will not do.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Fields(Vec<FieldProblem>),
    /// Nobody is signed in.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The caller may not do that.
    #[error("the permission {0} is missing")]
    Forbidden(Permission),
    /// The token opens other things than that.
    #[error("{0}")]
    TokenScope(&'static str),
    /// Notifications are for persons.
    #[error("an API key has no inbox: ask as a person, by a session or an access token")]
    NoInbox,
    /// What is asked for is a person's.
    #[error("{0}")]
    PersonsOnly(&'static str),
    /// The caller is not let into a private channel.
    #[error("{}{reason}", .channel.as_ref().map(|channel| format!("channel `{channel}`: ")).unwrap_or_default())]
    ChannelRefused {
        /// Which one, where that is known.
        channel: Option<Channel>,
        /// Why not.
        reason: String,
    },
    /// There is no such thing in the caller's project.
    #[error("there is no {0}")]
    NotFound(String),
    /// There is, but not in a form that the caller accepts.
    #[error("{0}")]
    NotAcceptable(&'static str),
    /// Somebody else was first, or the move is not possible from here.
    #[error("{message}")]
    Conflict {
        /// What is there now.
        current: Box<Record>,
        /// The moves that it may make now.
        moves: Vec<String>,
        /// What happened.
        message: String,
    },
    /// Somebody else was first: what the change is meant for is no longer there.
    #[error("{message}")]
    ChangedMeanwhile {
        /// The version that is there now.
        current: u64,
        /// What happened, for people.
        message: String,
    },
    /// What is asked for would break something that must hold.
    #[error("{0}")]
    Refused(String),
    /// A request with the same idempotency key has not ended yet.
    #[error("a request with this Idempotency-Key is being carried out; ask again for its answer")]
    InFlight,
    /// The idempotency key was used for another body.
    #[error(
        "this Idempotency-Key was used for a request with another body; draw a new key for a new request"
    )]
    KeyReused,
    /// An event of this version of an aggregate, or of a later one, is recorded.
    #[error("aggregateVersion is not above {current}, which is recorded already")]
    StaleAggregate {
        /// The version that is recorded.
        current: i64,
    },
    /// The caller publishes more than its share.
    #[error("at most {per_second} events a second can be published; come back in {wait_seconds} s")]
    TooManyPublishes {
        /// When it may go on.
        wait_seconds: u32,
        /// Its share.
        per_second: u32,
    },
    /// The events that the caller asked for are gone.
    #[error("the events behind that point are no longer kept, or it was never given out")]
    HistoryGap {
        /// The oldest position kept.
        oldest: Position,
    },
    /// The service is going down or a dependency is away.
    #[error("{0}")]
    Unavailable(&'static str),
    /// The caller has to wait so many seconds before it tries again.
    #[error("too many attempts; try again in {0} s")]
    Throttled(u32),
    /// The caller has as many streams open as it may.
    #[error("this {what} has {limit} streams and waiting polls open, which is the most")]
    TooManyStreams {
        /// How many it may have.
        limit: u32,
        /// Person, API key or address.
        what: &'static str,
    },
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
}

/// When to try again after a 503, in seconds.
const RETRY_AFTER_SECONDS: u32 = 2;

/// When a stream may be free again, in seconds.
const STREAM_RETRY_SECONDS: u32 = 10;

/// When a request under the same idempotency key should have ended, in seconds.
const IN_FLIGHT_RETRY_SECONDS: u32 = 1;

impl Error {
    /// A query parameter that will not do.
    pub fn parameter(name: impl Into<String>, message: impl ToString) -> Self {
        Self::Parameters(vec![ParameterProblem::new(name, message)])
    }

    /// Too many attempts: the next one has to wait so long.
    #[must_use]
    pub fn throttled(wait: time::Duration) -> Self {
        // Rounded up: who comes at the very second must not be refused again.
        Self::Throttled(u32::try_from(wait.whole_seconds() + 1).unwrap_or(u32::MAX))
    }

    /// One field that will not do.
    pub fn field(name: &str, message: impl ToString) -> Self {
        Self::Fields(vec![FieldProblem::new(name, message)])
    }

    /// The problem that tells the caller, who is told nothing of what went wrong inside: that is logged.
    #[must_use]
    pub fn into_problem(self) -> Problem {
        self.log();
        let detail = self.to_string();
        match self {
            Self::Parameters(parameters) => Problem::new(ProblemKind::InvalidParameter)
                .detail(detail)
                .extension("errors", serde_json::json!(parameters)),
            Self::Body(status, _) => {
                let kind = match status {
                    StatusCode::PAYLOAD_TOO_LARGE => ProblemKind::BodyTooLarge,
                    StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemKind::UnsupportedMediaType,
                    _ => ProblemKind::MalformedBody,
                };
                Problem::new(kind).detail(detail)
            }
            Self::Fields(fields) => Problem::new(ProblemKind::InvalidFields)
                .detail(detail)
                .extension("errors", serde_json::json!(fields)),
            Self::Unauthenticated(_) => Problem::new(ProblemKind::Unauthenticated).detail(detail),
            Self::Forbidden(permission) => Problem::new(ProblemKind::Forbidden)
                .detail(detail)
                .extension("permission", serde_json::json!(permission)),
            Self::TokenScope(_) => Problem::new(ProblemKind::TokenScope).detail(detail),
            Self::NoInbox => Problem::new(ProblemKind::NoInbox).detail(detail),
            Self::PersonsOnly(_) => Problem::new(ProblemKind::PersonsOnly).detail(detail),
            Self::ChannelRefused { channel, .. } => Problem::new(ProblemKind::ChannelRefused)
                .detail(detail)
                .extension("channel", serde_json::json!(channel)),
            Self::InFlight => {
                Problem::new(ProblemKind::RequestInFlight).detail(detail).retry_after(IN_FLIGHT_RETRY_SECONDS)
            }
            Self::KeyReused => Problem::new(ProblemKind::IdempotencyKeyReused).detail(detail),
            Self::StaleAggregate { current } => Problem::new(ProblemKind::StaleVersion)
                .detail(detail)
                .extension("currentVersion", current.into()),
            Self::ChangedMeanwhile { current, .. } => Problem::new(ProblemKind::StaleVersion)
                .detail(detail)
                .extension("currentVersion", current.into()),
            Self::TooManyPublishes { wait_seconds, per_second } => {
                Problem::new(ProblemKind::TooManyPublishes)
                    .detail(detail)
                    .extension("limit", per_second.into())
                    .retry_after(wait_seconds)
            }
            Self::NotFound(_) => Problem::new(ProblemKind::NotFound).detail(detail),
            Self::NotAcceptable(_) => Problem::new(ProblemKind::NotAcceptable).detail(detail),
            Self::Conflict { current, moves, .. } => Problem::new(ProblemKind::Conflict)
                .detail(detail)
                .extension("current", serde_json::json!(RecordJson { record: *current, moves })),
            Self::Refused(_) => Problem::new(ProblemKind::Refused).detail(detail),
            Self::HistoryGap { oldest } => Problem::new(ProblemKind::HistoryGap)
                .detail(detail)
                .extension("oldestPosition", serde_json::json!(oldest)),
            Self::Unavailable(_) => {
                Problem::new(ProblemKind::Unavailable).detail(detail).retry_after(RETRY_AFTER_SECONDS)
            }
            Self::Throttled(seconds) => {
                Problem::new(ProblemKind::TooManyAttempts).detail(detail).retry_after(seconds)
            }
            Self::TooManyStreams { limit, .. } => Problem::new(ProblemKind::TooManyStreams)
                .detail(detail)
                .extension("limit", limit.into())
                .retry_after(STREAM_RETRY_SECONDS),
            // What went wrong inside is for the log alone.
            Self::Internal(_) => Problem::new(ProblemKind::Internal)
                .detail("The service's log tells more under the request's id (header `x-request-id`)."),
        }
    }

    fn log(&self) {
        match self {
            Self::Internal(reason) => tracing::error!(reason, "a request failed by a fault of ours"),
            Self::Unavailable(reason) => tracing::warn!(reason, "a request could not be served"),
            other => tracing::debug!(reason = %other, "a request was refused"),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.into_problem().into_response()
    }
}

impl Error {
    /// The same error for the dashboard. `request_id` is by what the log finds it.
    #[must_use]
    pub fn into_app_error(self, request_id: &str) -> AppError {
        self.log();
        match self {
            Self::Unauthenticated(_) => AppError::Unauthenticated,
            Self::Forbidden(permission) => AppError::Forbidden { permission: permission.to_string() },
            Self::NotFound(_) => AppError::NotFound,
            Self::Conflict { current, message, .. } => {
                AppError::Conflict { status: current.status, version: current.version, message }
            }
            Self::Fields(fields) => fields.into_iter().next().map_or_else(
                || AppError::Invalid { field: String::new(), message: "the form is not valid".to_owned() },
                |field| AppError::Invalid { field: field.name().to_owned(), message: field.detail },
            ),
            Self::ChannelRefused { .. }
            | Self::TokenScope(_)
            | Self::NoInbox
            | Self::PersonsOnly(_)
            | Self::InFlight
            | Self::KeyReused
            | Self::StaleAggregate { .. }
            | Self::TooManyPublishes { .. } => {
                AppError::Invalid { field: String::new(), message: self.to_string() }
            }
            Self::Refused(message) | Self::ChangedMeanwhile { message, .. } => {
                AppError::Invalid { field: String::new(), message }
            }
            Self::Parameters(parameters) => parameters.into_iter().next().map_or_else(
                || AppError::Invalid { field: String::new(), message: "the address is not valid".to_owned() },
                |first| AppError::Invalid { field: first.parameter, message: first.detail },
            ),
            Self::Unavailable(_) => AppError::Unavailable { retry_after_seconds: RETRY_AFTER_SECONDS },
            Self::TooManyStreams { .. } => {
                AppError::Unavailable { retry_after_seconds: STREAM_RETRY_SECONDS }
            }
            Self::Throttled(seconds) => AppError::Unavailable { retry_after_seconds: seconds },
            Self::Body(..) | Self::NotAcceptable(_) | Self::HistoryGap { .. } | Self::Internal(_) => {
                AppError::Internal { request_id: request_id.to_owned() }
            }
        }
    }
}

/// SQLSTATE classes of a server that is away or going: connection exceptions, insufficient
/// resources, operator intervention.
const AWAY: [&str; 3] = ["08", "53", "57"];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let away = match &error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(database) => {
                database.code().is_some_and(|code| AWAY.iter().any(|class| code.starts_with(class)))
            }
            _ => false,
        };
        if away {
            tracing::warn!(%error, "Postgres is away");
            Self::Unavailable("the database cannot be reached; nothing was changed")
        } else {
            Self::Internal(error.to_string())
        }
    }
}

impl From<RecordError> for Error {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Database(error) => error.into(),
            RecordError::PayloadTooLarge { .. } => {
                Self::Body(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())
            }
            RecordError::Nul { .. } => Self::field("", error),
            RecordError::VersionTaken { .. } | RecordError::Invalid(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<tower_sessions::session::Error> for Error {
    fn from(error: tower_sessions::session::Error) -> Self {
        tracing::warn!(%error, "the session store failed");
        Self::Unavailable("sessions cannot be looked up now")
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.to_string())
    }
}
