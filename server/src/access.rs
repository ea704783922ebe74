//! Who is asking, and what they may: passwords, sessions, tokens, API keys, roles.

pub mod caller;
pub mod channel_token;
pub mod channels;
pub mod credential;
pub mod embed_scope;
pub mod embed_token;
mod jwt;
pub mod login;
pub mod password;
pub mod publish_limit;
pub mod roles;
pub mod seal;
pub mod secret;
pub mod session_store;
pub mod throttle;
pub mod token;

pub use caller::Caller;
