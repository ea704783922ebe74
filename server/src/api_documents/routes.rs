//! Routes together with what is said of them.

use std::borrow::Cow;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use http::Method;

use super::Operation;
use crate::http::problem_kind::ProblemKind;
use crate::http::strictness;
use crate::state::AppState;

/// Routes, each with its operation: neither can be without the other.
#[derive(Default)]
pub struct Routes {
    tag: Cow<'static, str>,
    router: Router<AppState>,
    operations: Vec<Operation>,
}

macro_rules! methods {
    ($($name:ident is $method:ident;)+) => {$(
        #[doc = concat!("With what answers `", stringify!($method), "` at this address.")]
        #[must_use]
        pub fn $name<H, T>(self, path: &str, handler: H, operation: Operation) -> Self
        where
            H: Handler<T, AppState>,
            T: 'static,
        {
            self.add(Method::$method, path, $name(handler), operation)
        }
    )+};
}

impl Routes {
    /// No routes yet. Those that follow belong to this group.
    #[must_use]
    pub fn of(tag: impl Into<Cow<'static, str>>) -> Self {
        Self { tag: tag.into(), ..Self::default() }
    }

    methods! {
        get is GET;
        post is POST;
        put is PUT;
        patch is PATCH;
        delete is DELETE;
    }

    /// With this at an address, which answers one method alone. What the operation does not know is refused before.
    #[must_use]
    pub fn add(
        mut self,
        method: Method,
        path: &str,
        route: MethodRouter<AppState>,
        mut operation: Operation,
    ) -> Self {
        // Whatever changes something is refused where a browser sends it from another site.
        if method != Method::GET {
            operation = operation.gives([ProblemKind::CrossSiteRequest]);
        }
        let route = route.route_layer(from_fn_with_state(operation.known_parameters(), strictness::check));
        self.operations.push(Operation { method, path: path.to_owned(), tag: self.tag.clone(), ..operation });
        Self { router: self.router.route(path, route), ..self }
    }

    /// Both.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.operations.extend(other.operations);
        Self { router: self.router.merge(other.router), ..self }
    }

    /// With all routes so far changed by `change`, such as by a layer.
    #[must_use]
    pub fn through(self, change: impl FnOnce(Router<AppState>) -> Router<AppState>) -> Self {
        Self { router: change(self.router), ..self }
    }

    /// The operations.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The router, and the operations that it has.
    pub fn into_parts(self) -> (Router<AppState>, Vec<Operation>) {
        (self.router, self.operations)
    }
}
