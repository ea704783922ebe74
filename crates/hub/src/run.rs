//! Events in a row, shared by all who are given the same ones.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};

use crate::published::PublishedEvent;

/// Most events that one delivery holds.
pub(crate) const RUN_EVENTS: usize = 256;
/// Bytes of encoded events past which a delivery is closed; a single event can be larger. What a
/// reader has in its hands while it does not read is no more than this.
const RUN_BYTES: usize = 64 * 1024;

/// The events of one delivery, in order. Cheap to clone: readers that stand at the same place and see
/// the same are given the same run, whose bytes are put together once for all of them.
#[derive(Clone)]
pub struct Run(Arc<Inner>);

struct Inner {
    events: Box<[Arc<PublishedEvent>]>,
    full: bool,
    frames: OnceLock<Bytes>,
    /// The same without their names.
    nameless: OnceLock<Bytes>,
}

impl Run {
    /// As many of these as fit into one delivery, and at least one.
    pub(crate) fn fill<'a>(events: impl Iterator<Item = &'a Arc<PublishedEvent>>) -> Self {
        let (mut taken, mut bytes, mut full) = (Vec::new(), 0, false);
        for event in events {
            bytes += event.frame_len();
            taken.push(Arc::clone(event));
            full = taken.len() == RUN_EVENTS || bytes >= RUN_BYTES;
            if full {
                break;
            }
        }
        let events = taken.into_boxed_slice();
        Self(Arc::new(Inner { events, full, frames: OnceLock::new(), nameless: OnceLock::new() }))
    }

    /// Whether nothing more would fit into it.
    pub(crate) fn is_full(&self) -> bool {
        self.0.full
    }

    /// All of them as Server-Sent Events, one behind the other.
    #[must_use]
    pub fn sse_frames(&self) -> Bytes {
        match &*self.0.events {
            [only] => only.sse_frame(),
            many => {
                self.0.frames.get_or_init(|| concatenate(many.iter().map(|event| event.sse_frame()))).clone()
            }
        }
    }

    /// The same without their ids: see [`PublishedEvent::sse_frame_without_id`].
    #[must_use]
    pub fn sse_frames_without_id(&self) -> Bytes {
        concatenate(self.0.events.iter().map(|event| event.sse_frame_without_id()))
    }

    /// The same without their names: see [`PublishedEvent::sse_frame_without_name`].
    #[must_use]
    pub fn sse_frames_without_names(&self) -> Bytes {
        let parts = || self.0.events.iter().flat_map(|event| event.sse_frame_without_name());
        self.0.nameless.get_or_init(|| concatenate(parts())).clone()
    }

    /// The same without names and ids.
    #[must_use]
    pub fn sse_data(&self) -> Bytes {
        concatenate(self.0.events.iter().map(|event| event.sse_data()))
    }
}

fn concatenate(frames: impl Iterator<Item = Bytes> + Clone) -> Bytes {
    let mut bytes = BytesMut::with_capacity(frames.clone().map(|frame| frame.len()).sum());
    frames.for_each(|frame| bytes.extend_from_slice(&frame));
    bytes.freeze()
}

impl Deref for Run {
    type Target = [Arc<PublishedEvent>];

    fn deref(&self) -> &Self::Target {
        &self.0.events
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|event| event.position())).finish()
    }
}
