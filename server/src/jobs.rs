//! What is done behind requests: jobs that are enqueued in the transaction that asks for them
//! ([`tidewatch_jobs`]), and their handlers.

pub mod revoke_key;

use tidewatch_jobs::Registry;

use crate::state::AppState;

/// Everything that this instance does.
#[must_use]
pub fn registry(state: &AppState) -> Registry {
    Registry::new().with(revoke_key::KeyRevoker::new(state))
}
