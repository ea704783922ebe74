//! What can go wrong.

use std::time::Duration;

use crate::problem::Problem;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is missing.
    #[error("the environment variable {0} is not set")]
    MissingVariable(&'static str),
    /// Something that the caller gave will not do. Nothing was sent.
    #[error("{what}: {reason}")]
    Invalid {
        /// What it is.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The service said no, and why.
    #[error("the service answers {0}")]
    Refused(Box<Problem>),
    /// No answer. Whether the request was carried out is not known.
    #[error("the service cannot be reached: {0}")]
    Unreachable(String),
    /// An answer, but not one of this service.
    #[error("the answer cannot be understood: {0}")]
    UnexpectedAnswer(String),
    /// The program's own provider of tokens failed.
    #[error("no token could be had: {0}")]
    Token(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The failure of a provider of tokens that has an error of its own.
    pub fn token(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Token(reason.into())
    }

    pub(crate) fn invalid(what: &'static str, reason: impl ToString) -> Self {
        Self::Invalid { what, reason: reason.to_string() }
    }

    /// The status of the answer, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.problem().map(|problem| problem.status)
    }

    /// What the service said.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    /// How long the service asked to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.problem()?.retry_after
    }

    /// Whether a stream that could not be opened for this reason is not worth another try: what was asked for is
    /// wrong (400, 406) or not allowed (401, 403), and will be so the next time.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::MissingVariable(_) | Self::Invalid { .. } => true,
            Self::Refused(problem) => matches!(problem.status, 400 | 401 | 403 | 406),
            Self::Unreachable(_) | Self::UnexpectedAnswer(_) | Self::Token(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_give_up_on_four_answers() {
        let permanent: Vec<u16> = (100..600)
            .filter(|status| Error::Refused(Box::new(Problem::new(*status, ""))).is_permanent())
            .collect();
        assert_eq!(permanent, [400, 401, 403, 406]);
        assert!(!Error::Unreachable(String::new()).is_permanent());
        assert!(!Error::token("the vault is sealed").is_permanent());
    }
}
