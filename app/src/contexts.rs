//! What every component can ask for.

pub mod announcer;
pub mod clock;
pub mod form_answer;
pub mod hydration;
pub mod names;
pub mod notifications;
pub mod project;
pub mod toasts;
pub mod user;
