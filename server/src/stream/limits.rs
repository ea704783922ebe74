//! How many streams one person, one key and one address may have open.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tidewatch_events::access::Actor;

use crate::access::Caller;
use crate::error::Error;

/// Who has streams open.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Holder {
    Actor(Actor),
    Address(IpAddr),
}

/// The most streams and waiting polls at one time.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// Of one person.
    pub per_user: u32,
    /// Of one API key.
    pub per_key: u32,
    /// From one address.
    pub per_address: u32,
}

/// Counts open streams on this instance. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StreamCounts {
    limits: StreamLimits,
    open: Arc<Mutex<HashMap<Holder, u32>>>,
}

/// The place of one stream; free again when dropped.
#[derive(Debug)]
pub struct Place {
    counts: StreamCounts,
    holders: Vec<Holder>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.counts.leave(&self.holders);
    }
}

impl StreamCounts {
    /// Nobody has a stream open yet.
    #[must_use]
    pub fn new(limits: StreamLimits) -> Self {
        Self { limits, open: Arc::default() }
    }

    /// A place for one more stream of this caller from this address.
    ///
    /// # Errors
    /// 429 that says which limit is reached.
    pub fn enter(&self, caller: &Caller, address: Option<IpAddr>) -> Result<Place, Error> {
        let mut wanted = Vec::with_capacity(2);
        match caller.actor {
            Actor::User(_) => {
                wanted.push((Holder::Actor(caller.actor.clone()), self.limits.per_user, "person"))
            }
            Actor::Key(_) => {
                wanted.push((Holder::Actor(caller.actor.clone()), self.limits.per_key, "API key"))
            }
            Actor::System(_) => {}
        }
        // The mapped form of an IPv4 address is that address.
        let address = address.map(|address| address.to_canonical());
        wanted.extend(address.map(|address| (Holder::Address(address), self.limits.per_address, "address")));
        let mut open = self.open.lock();
        for (holder, limit, what) in &wanted {
            if open.get(holder).is_some_and(|count| count >= limit) {
                return Err(Error::TooManyStreams { limit: *limit, what });
            }
        }
        let holders: Vec<Holder> = wanted.into_iter().map(|(holder, ..)| holder).collect();
        for holder in &holders {
            *open.entry(holder.clone()).or_default() += 1;
        }
        Ok(Place { counts: self.clone(), holders })
    }

    fn leave(&self, holders: &[Holder]) {
        let mut open = self.open.lock();
        for holder in holders {
            if let Entry::Occupied(mut entry) = open.entry(holder.clone()) {
                *entry.get_mut() = entry.get().saturating_sub(1);
                if *entry.get() == 0 {
                    entry.remove();
                }
            }
        }
    }
}
