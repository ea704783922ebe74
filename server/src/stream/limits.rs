//! How many streams one person, one key and one address may have open.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tidewatch_events::access::Actor;
use tidewatch_events::id::{ApiKeyId, UserId};

use crate::access::Caller;
use crate::db::connections::HeldElsewhere;
use crate::error::Error;

/// Who has streams open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    User(UserId),
    Key(ApiKeyId),
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

/// Counts open streams, those of other instances as they were told a second ago at most. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StreamCounts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: StreamLimits,
    open: Mutex<HashMap<Holder, u32>>,
    elsewhere: Mutex<HashMap<Holder, u32>>,
}

/// The place of one stream; free again when dropped.
#[derive(Debug)]
pub struct Place {
    counts: StreamCounts,
    holders: [Option<Holder>; 2],
}

impl Drop for Place {
    fn drop(&mut self) {
        self.counts.leave(self.holders);
    }
}

impl StreamCounts {
    /// Nobody has a stream open yet.
    #[must_use]
    pub fn new(limits: StreamLimits) -> Self {
        Self(Arc::new(Inner { limits, open: Mutex::default(), elsewhere: Mutex::default() }))
    }

    /// So many streams are open on other instances now.
    pub fn set_elsewhere(&self, held: &[HeldElsewhere]) {
        let counts = held.iter().filter_map(|held| {
            let holder = match (&held.actor, &held.address) {
                (Some(actor), _) => match actor.parse().ok()? {
                    Actor::User(id) => Holder::User(id),
                    Actor::Key(id) => Holder::Key(id),
                    Actor::System(_) => return None,
                },
                (None, address) => Holder::Address(address.as_deref()?.parse().ok()?),
            };
            Some((holder, u32::try_from(held.connections).unwrap_or(u32::MAX)))
        });
        *self.0.elsewhere.lock() = counts.collect();
    }

    /// A place for one more stream of this caller from this address.
    ///
    /// # Errors
    /// 429 that says which limit is reached.
    pub fn enter(&self, caller: &Caller, address: Option<IpAddr>) -> Result<Place, Error> {
        let limits = &self.0.limits;
        let of_caller = match caller.actor {
            Actor::User(id) => Some((Holder::User(id), limits.per_user, "person")),
            Actor::Key(id) => Some((Holder::Key(id), limits.per_key, "API key")),
            Actor::System(_) => None,
        };
        // The mapped form of an IPv4 address is that address.
        let of_address =
            address.map(|address| (Holder::Address(address.to_canonical()), limits.per_address, "address"));
        let wanted = [of_caller, of_address];
        let mut open = self.0.open.lock();
        let elsewhere = self.0.elsewhere.lock();
        for (holder, limit, what) in wanted.iter().flatten() {
            let of = |counts: &HashMap<Holder, u32>| counts.get(holder).copied().unwrap_or_default();
            if of(&open).saturating_add(of(&elsewhere)) >= *limit {
                return Err(Error::TooManyStreams { limit: *limit, what });
            }
        }
        drop(elsewhere);
        let holders = wanted.map(|wanted| wanted.map(|(holder, ..)| holder));
        for holder in holders.into_iter().flatten() {
            *open.entry(holder).or_default() += 1;
        }
        Ok(Place { counts: self.clone(), holders })
    }

    fn leave(&self, holders: [Option<Holder>; 2]) {
        let mut open = self.0.open.lock();
        for holder in holders.into_iter().flatten() {
            if let Entry::Occupied(mut entry) = open.entry(holder) {
                *entry.get_mut() = entry.get().saturating_sub(1);
                if *entry.get() == 0 {
                    entry.remove();
                }
            }
        }
    }
}
