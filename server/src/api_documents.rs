//! The documents that describe the API: OpenAPI, AsyncAPI, and a page for people.
//!
//! They are made of what the server runs by, so that they cannot say anything else:
//!
//! | part | comes from |
//! |---|---|
//! | addresses and methods | [`Routes`], of which the router is made |
//! | bodies | the types that are read and written, by their derived schemas |
//! | records and moves | the descriptions of the modules |
//! | problems | [`crate::http::problem_kind::ProblemKind`], of which each problem is made |
//! | events | the catalog, and the descriptions of modules that are added |

pub mod asyncapi;
pub mod example;
pub mod openapi;
pub mod operation;
pub mod page;
pub mod problems;
pub mod records;
pub mod routes;
pub mod schemas;
mod tags;

use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub use operation::Operation;
pub use routes::Routes;
pub use schemas::Shape;

use crate::domain::Modules;

/// All three documents. Each is made when it is first asked for, and kept. Cheap to clone.
#[derive(Clone)]
pub struct ApiDocuments(Arc<Parts>);

struct Parts {
    operations: Vec<Operation>,
    modules: Modules,
    openapi: OnceLock<Value>,
    asyncapi: OnceLock<Value>,
    page: OnceLock<String>,
}

impl ApiDocuments {
    /// The documents of these operations and modules.
    #[must_use]
    pub fn new(operations: Vec<Operation>, modules: Modules) -> Self {
        let (openapi, asyncapi, page) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self(Arc::new(Parts { operations, modules, openapi, asyncapi, page }))
    }

    /// The OpenAPI document.
    #[must_use]
    pub fn openapi(&self) -> &Value {
        self.0.openapi.get_or_init(|| openapi::document(&self.0.operations, &self.0.modules))
    }

    /// The AsyncAPI document.
    #[must_use]
    pub fn asyncapi(&self) -> &Value {
        self.0.asyncapi.get_or_init(|| asyncapi::document(&self.0.modules))
    }

    /// The page.
    #[must_use]
    pub fn page(&self) -> &str {
        self.0.page.get_or_init(|| page::render(self.openapi(), self.asyncapi()))
    }
}

#[cfg(test)]
mod tests;
