//! The SDK of Tidewatch: publish events, and follow the stream of them.
//!
//! | | |
//! |---|---|
//! | [`Publisher`] | publishes to channels; each publish carries an idempotency key, so that its retries never publish twice |
//! | [`Subscriber`] | a stream of [`Notice`]s that resumes from its place after any loss and delivers each event once |
//! | [`Api`] | the HTTP core below both: JSON requests with a key, [`Problem`]s as errors |
//! | [`Versions`] | drops events that are older than the data one holds |
//!
//! ```no_run
//! use futures::StreamExt;
//! use tidewatch_client::{Notice, Publisher, Subscriber};
//!
//! # async fn run() -> Result<(), tidewatch_client::Error> {
//! let publisher = Publisher::from_env()?; // TIDEWATCH_URL and TIDEWATCH_API_KEY
//! publisher.channel("orders").publish(serde_json::json!({ "hello": "world" })).await?;
//!
//! let mut orders = Subscriber::from_env()?.channels(["orders"]).build()?;
//! while let Some(notice) = orders.next().await {
//!     match notice {
//!         Notice::Event(event) => println!("{} {}", event.event_type, event.payload),
//!         Notice::Gap(gap) => println!("read the present state anew, then go on behind {}", gap.behind),
//!         Notice::GaveUp(error) => return Err(error),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What decides is pure and apart from I/O: the parser of Server-Sent Events, the state machine of a subscriber
//! and the rule of retries have neither socket nor clock.

mod api;
mod env;
mod error;
mod http;
mod machine;
mod notice;
mod problem;
mod publisher;
mod retry;
mod sse;
mod subscriber;
mod versions;

pub use api::Api;
pub use error::Error;
pub use notice::{Gap, GapCause, Loss, Notice, State, Unreadable};
pub use problem::Problem;
pub use publisher::{BatchError, ChannelPublisher, Draft, Message, Publisher, SignedToken};
pub use retry::RetryPolicy;
pub use subscriber::{Subscriber, SubscriberBuilder};
pub use tidewatch_events::Backoff;
pub use versions::Versions;

/// Compiles what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Compiles what the book's chapter on publishing shows.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/publishing.md")]
struct PublishingChapter;

/// The vocabulary of events, for those who have no dependency on it themselves.
pub use tidewatch_events as events;
