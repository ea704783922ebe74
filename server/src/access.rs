//! Who is asking, and what they may: passwords, sessions, API keys, roles.

pub mod caller;
pub mod login;
pub mod password;
pub mod roles;
pub mod secret;
pub mod session_store;

pub use caller::Caller;
