//! The hub as its callers see it.

mod cases;
mod direct;
mod load;
mod model;
mod rights;
mod spans;
mod support;
