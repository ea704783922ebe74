//! What a page shows, kept right by events. Pure: data in, data out.

mod bell;
mod charts;
mod detail;
mod events;
mod facts;
mod inbox;
mod notification;
mod overview;
mod pages;
mod polled;
mod records;
mod steps;
#[cfg(test)]
mod testing;

use std::time::Duration;

use tidewatch_events::Envelope;

use crate::model::Snapshot;

pub use bell::BellState;
pub use charts::ChartsState;
pub use detail::DetailState;
pub use events::EventList;
pub use inbox::InboxList;
pub use notification::NotificationState;
pub use overview::OverviewState;
pub use polled::{ListPage, Polled, PolledList};
pub use records::RecordList;

/// Rows that can be kept where they are while someone points at them.
pub trait Holdable {
    /// From now on nothing moves: what is new waits.
    fn hold(&mut self);

    /// Shows what waits, and goes on.
    fn release(&mut self);

    /// How many new rows wait.
    fn waiting(&self) -> usize;
}

/// State that begins with a snapshot and follows by events.
///
/// ```
/// use tidewatch_app::live::reduce::Reducer;
/// use tidewatch_app::model::Snapshot;
/// use tidewatch_events::Envelope;
///
/// /// How many parcels were finished.
/// struct Finished(u64);
///
/// impl Reducer for Finished {
///     type Data = u64;
///
///     fn apply(&mut self, envelope: &Envelope) -> bool {
///         let is_one = envelope.event_type.as_str() == "parcel.finished";
///         self.0 += u64::from(is_one);
///         is_one
///     }
///
///     fn replace(&mut self, snapshot: Snapshot<u64>) {
///         self.0 = snapshot.data;
///     }
///
///     fn wants_refetch(&self) -> bool {
///         false // events alone say all there is to say
///     }
/// }
/// ```
pub trait Reducer {
    /// What the server reads.
    type Data;

    /// How often the data is read anew for what no event tells.
    const REFRESH: Option<Duration> = None;

    /// Takes an event in; whether it changed anything.
    fn apply(&mut self, envelope: &Envelope) -> bool;

    /// Begins anew with newer data.
    fn replace(&mut self, snapshot: Snapshot<Self::Data>);

    /// Whether events alone cannot say what is to be shown: the data should be read anew, in
    /// silence, while what is there stays.
    fn wants_refetch(&self) -> bool;
}
