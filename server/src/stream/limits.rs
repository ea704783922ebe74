//! How many streams one person, one key and one address may have open.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tidewatch_events::access::Actor;
use tidewatch_events::id::{ApiKeyId, UserId};
use tidewatch_hub::{CloseReason, Delivery};

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

impl Holder {
    /// Whose limit it is, as metrics have it: a place in [`LIMITS`].
    const fn place(self) -> usize {
        match self {
            Self::User(_) => 0,
            Self::Key(_) => 1,
            Self::Address(_) => 2,
        }
    }
}

/// Whose limits there are.
const LIMITS: [&str; 3] = ["user", "key", "address"];

/// Why the service has ended a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// Its reader was too slow.
    Lagged,
    /// Its reader has taken nothing for too long while something waited for it.
    Stalled,
    /// The history could not be read.
    Unavailable,
    /// The instance goes down.
    Draining,
    /// The session, key or token behind it has ended.
    SessionExpired,
    /// Its reader may read no stream any more.
    Forbidden,
    /// A person has ended it.
    Removed,
}

impl StreamEnd {
    /// All of them.
    const ALL: [Self; 7] = [
        Self::Lagged,
        Self::Stalled,
        Self::Unavailable,
        Self::Draining,
        Self::SessionExpired,
        Self::Forbidden,
        Self::Removed,
    ];

    /// Whether, and why, a stream ends with what it is given.
    #[must_use]
    pub fn of(delivery: &Delivery) -> Option<Self> {
        match delivery {
            Delivery::Lagged => Some(Self::Lagged),
            Delivery::Unavailable => Some(Self::Unavailable),
            Delivery::Closed(CloseReason::Draining) => Some(Self::Draining),
            Delivery::Closed(CloseReason::SessionExpired) => Some(Self::SessionExpired),
            Delivery::Closed(CloseReason::Forbidden) => Some(Self::Forbidden),
            Delivery::Closed(CloseReason::Removed) => Some(Self::Removed),
            _ => None,
        }
    }

    /// As metrics and the log have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Lagged => "lagged",
            Self::Stalled => "stalled",
            Self::Unavailable => "unavailable",
            Self::Draining => "draining",
            Self::SessionExpired => "session_expired",
            Self::Forbidden => "forbidden",
            Self::Removed => "removed",
        }
    }
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
    /// Those that found no place, by [`LIMITS`].
    refused: [AtomicU64; 3],
    /// Those that the service has ended, by [`StreamEnd::ALL`].
    ended: [AtomicU64; 7],
}

/// The place of one stream; free again when dropped.
#[derive(Debug)]
pub struct Place {
    counts: StreamCounts,
    holders: [Option<Holder>; 2],
    why: Arc<OnceLock<StreamEnd>>,
}

impl Place {
    /// The service ends the stream that has this place.
    pub fn ends(&self, why: StreamEnd) {
        self.counts.note_end(why);
        let _ = self.why.set(why);
    }

    /// Why the service has ended that stream, as soon as it has.
    #[must_use]
    pub fn why(&self) -> Arc<OnceLock<StreamEnd>> {
        Arc::clone(&self.why)
    }
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
        Self(Arc::new(Inner {
            limits,
            open: Mutex::default(),
            elsewhere: Mutex::default(),
            refused: Default::default(),
            ended: Default::default(),
        }))
    }

    /// How many streams and polls found no place since the start, by whose limit that was.
    #[must_use]
    pub fn refused(&self) -> [(&'static str, u64); 3] {
        [0, 1, 2].map(|place| (LIMITS[place], self.0.refused[place].load(Ordering::Relaxed)))
    }

    /// How many streams the service has ended since the start, and why.
    #[must_use]
    pub fn ended(&self) -> [(&'static str, u64); 7] {
        StreamEnd::ALL.map(|end| (end.as_str(), self.0.ended[end as usize].load(Ordering::Relaxed)))
    }

    /// The service has ended a stream.
    pub fn note_end(&self, why: StreamEnd) {
        self.0.ended[why as usize].fetch_add(1, Ordering::Relaxed);
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
                self.0.refused[holder.place()].fetch_add(1, Ordering::Relaxed);
                return Err(Error::TooManyStreams { limit: *limit, what });
            }
        }
        drop(elsewhere);
        let holders = wanted.map(|wanted| wanted.map(|(holder, ..)| holder));
        for holder in holders.into_iter().flatten() {
            *open.entry(holder).or_default() += 1;
        }
        Ok(Place { counts: self.clone(), holders, why: Arc::default() })
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
