//! The hub as its callers see it.

mod cases;
mod model;
mod support;
