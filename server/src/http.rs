//! The HTTP surface. Modules mirror the URL tree.

pub mod accept;
pub mod api;
pub mod assets;
pub mod cloud_event;
pub mod csrf;
pub mod csv;
pub mod detach;
pub mod embed;
pub mod event_stream;
pub mod file;
pub mod form_answer;
pub mod headers;
pub mod health;
pub mod json_body;
pub mod login_origin;
pub mod origin;
pub mod permalink;
pub mod preferences;
pub mod problem;
pub mod query;
pub mod record_json;
pub mod request_id;
pub mod router;
pub mod session_pages;
pub mod socket;
pub mod unsubscribe;
