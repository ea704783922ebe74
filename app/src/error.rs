//! The one error that reaches the UI.

use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use crate::api::text::JsonTextEncoding;

/// Why something that the UI asked for did not happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AppError {
    /// Nobody is signed in, or no longer.
    #[error("You are signed out.")]
    Unauthenticated,
    /// The one who is signed in may not do that.
    #[error("You need the permission {permission} for this.")]
    Forbidden {
        /// What is missing.
        permission: String,
    },
    /// There is no such thing in this project.
    #[error("There is nothing here by that name.")]
    NotFound,
    /// Somebody else was first: what is current differs from what the command expected.
    #[error("{message}")]
    Conflict {
        /// Where it stands now.
        status: String,
        /// Which version that is.
        version: i64,
        /// What happened, for people.
        message: String,
    },
    /// Something that was entered will not do.
    #[error("{message}")]
    Invalid {
        /// The field's name in the form; empty when it concerns the whole.
        field: String,
        /// What is wrong with it.
        message: String,
    },
    /// The service cannot answer just now.
    #[error("Tidewatch is busy or restarting. Try again in {retry_after_seconds} s.")]
    Unavailable {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// A fault of ours; the log has it under the request's id.
    #[error("Something went wrong on our side. Request {request_id}.")]
    Internal {
        /// By which the log finds it.
        request_id: String,
    },
    /// The request or its answer did not get through.
    #[error("The server could not be reached: {0}")]
    Transport(String),
}

impl AppError {
    /// The kind as a word, for pages and tests to tell errors apart.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict { .. } => "conflict",
            Self::Invalid { .. } => "invalid",
            Self::Unavailable { .. } => "unavailable",
            Self::Internal { .. } => "internal",
            Self::Transport(_) => "transport",
        }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonTextEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(message) | ServerFnErrorErr::MissingArg(message) => {
                Self::Invalid { field: String::new(), message }
            }
            other => Self::Transport(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote() {
        for error in [
            AppError::Unauthenticated,
            AppError::Forbidden { permission: "settlements.act".into() },
            AppError::Conflict { status: "held".into(), version: 3, message: "It is held.".into() },
            AppError::Invalid { field: "amountMinor".into(), message: "must be positive".into() },
            AppError::Unavailable { retry_after_seconds: 5 },
            AppError::Transport("offline".into()),
        ] {
            assert_eq!(AppError::de(error.ser()), error);
        }
    }
}
