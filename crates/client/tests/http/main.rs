//! The SDK against a real HTTP server that does what a script says.

mod events_service;
mod publish;
mod publisher_service;
mod server;
mod sign;
mod subscribe;
mod subscribe_private;
