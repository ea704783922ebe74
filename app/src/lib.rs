//! The dashboard: pages, components and the live client.
//!
//! One crate for two targets. With feature `ssr` it renders on the server and asks the server
//! through [`backend::Backend`]; with feature `hydrate` it takes over in the browser. It knows
//! events and nothing below: no SQL, no HTTP server.
//!
//! | module | holds |
//! |---|---|
//! | [`model`] | what pages show and forms send; the same types on both sides |
//! | [`error`] | the one error that reaches the UI |
//! | `backend` | the port that the server implements (`ssr` only) |
//! | [`api`] | server functions: authorize, delegate, return |
//! | [`live`] | the stream: state machine, share, feed and reducers are pure; the transport touches the browser |
//! | `shell` | the document (`ssr` only) |
//! | [`navigation`] | the pages that somebody can reach from everywhere |
//! | [`routes`], [`layouts`], [`pages`], [`components`], [`contexts`] | what is seen |
//! | [`format`], [`request`] | texts that are the same on both sides; what only the rendering side knows |

#![recursion_limit = "256"]
#![expect(unreachable_pub, reason = "the component macro wants `pub` on components and their properties")]

#[cfg(not(erase_components))]
compile_error!(
    "Compile with `--cfg erase_components`, as .cargo/config.toml of Tidewatch's repository says: it is found from a folder \
     inside of it, and where RUSTFLAGS is not set."
);

pub mod address;
pub mod api;
#[cfg(feature = "ssr")]
pub mod backend;
pub mod components;
pub mod contexts;
pub mod error;
pub mod format;
pub mod layouts;
pub mod live;
pub mod model;
pub mod navigation;
pub mod pages;
pub mod request;
pub mod routes;
#[cfg(feature = "ssr")]
pub mod shell;

pub use error::AppError;
pub use routes::App;
#[cfg(feature = "ssr")]
pub use shell::shell;
