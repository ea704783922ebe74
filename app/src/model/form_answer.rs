//! What came of a form that was sent without JavaScript.

use serde::{Deserialize, Serialize};

/// The answer of a server function to a form that a browser sent by itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FormAnswer {
    /// The function's address.
    pub function: String,
    /// What it answered, or why it did not, as it writes both.
    pub body: Result<String, String>,
}

// A secret may be in it.
impl std::fmt::Debug for FormAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FormAnswer").field("function", &self.function).finish_non_exhaustive()
    }
}
