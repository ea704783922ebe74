//! In-memory fan-out of published events to subscribers.
//!
//! The hub knows no SQL and no HTTP: events come in by [`Hub::publish`] in the order of their
//! positions, history that it no longer holds comes through [`History`], and what a subscriber
//! receives is a [`Delivery`]. It holds one promise for every subscriber:
//!
//! > Each event behind the starting position that matches the filter and is
//! > [visible](tidewatch_events::visible) to the subject is delivered exactly once, in the order of
//! > positions (an urgent one may overtake those of other aggregates), or else the subscriber is told
//! > that it is not ([`Delivery::Gap`], [`Delivery::Lagged`], [`Delivery::Unavailable`],
//! > [`Delivery::Closed`]).
//!
//! | module | holds |
//! |---|---|
//! | [`hub`] | the entrance: projects, publishing, subscribing |
//! | [`subscription`] | what one subscriber holds, and what it receives |
//! | [`history`] | where older events come from |
//! | [`span`] | what was given to whom |
//! | [`direct`] | giving to caught-up subscribers without waking them |
//! | [`published`], [`run`] | an event with its encoding, and events in a row, shared by all their readers |
//! | `stream`, `slot`, `ring` | one project's stream, one subscriber's place in it, its latest events |
//! | `view`, `tail`, `index` | subscribers that see the same, what waits for them, and how an event finds them |

pub mod direct;
pub mod history;
pub mod hub;
mod index;
pub mod published;
mod ring;
pub mod run;
mod slot;
pub mod span;
mod stream;
pub mod subscription;
mod tail;
mod view;

pub use direct::{DirectSink, Handout};
pub use history::{History, HistoryError, HistoryPage};
pub use hub::{Head, Hub, HubConfig, PublishError, StartAt, SubscribeRequest};
pub use published::PublishedEvent;
pub use run::Run;
pub use span::{Reader, Span};
pub use subscription::{CloseReason, Delivery, Load, RightsChange, Subscription};
