//! Delays for those who guess passwords.
//!
//! Failures are counted for the account and for the address that they come from, in Postgres, so
//! that all instances count together. From the fifth failure on an account waits, each time twice
//! as long, up to 15 minutes; an address may fail more often, for many people can share one. Unknown
//! accounts are counted like known ones: the delay does not tell who exists. A success forgets the
//! account's failures and not the address's, or whoever has one account could go on guessing others'.

use std::net::IpAddr;

use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use super::secret::Digester;
use crate::db::login_failures;

/// Failures of an account that are free of delay.
const FREE_OF_ACCOUNT: i32 = 4;
/// Failures from an address that are free of delay.
const FREE_OF_ADDRESS: i32 = 20;
/// The first delay.
const FIRST_DELAY: Duration = Duration::seconds(2);
/// The longest.
const LONGEST_DELAY: Duration = Duration::minutes(15);
/// Failures are forgotten so long after the last one.
pub const FORGET_AFTER: Duration = Duration::hours(1);

/// The account and the address of one attempt, as digests.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    account: [u8; 32],
    address: Option<[u8; 32]>,
}

impl Attempt {
    /// An attempt for the account with this e-mail address from this address.
    #[must_use]
    pub fn new(digester: &Digester, email: &str, address: Option<IpAddr>) -> Self {
        let network = address.map(|address| digester.digest("login address", &network(address)));
        Self { account: digester.digest("login account", email.to_lowercase().as_bytes()), address: network }
    }

    /// How long the next attempt has to wait yet; `None`: it may be made.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn must_wait(&self, access: &PgPool) -> Result<Option<Duration>, sqlx::Error> {
        let now = OffsetDateTime::now_utc();
        let keys = std::iter::once(self.account).chain(self.address).collect();
        let until = login_failures::blocked_until(access, keys).await?;
        Ok(until.filter(|until| *until > now).map(|until| until - now))
    }

    /// Counts a failure.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn failed(&self, access: &PgPool) -> Result<(), sqlx::Error> {
        login_failures::count(access, self.account, |failures| delay(failures - FREE_OF_ACCOUNT)).await?;
        if let Some(address) = self.address {
            login_failures::count(access, address, |failures| delay(failures - FREE_OF_ADDRESS)).await?;
        }
        Ok(())
    }

    /// Forgets the account's failures.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn succeeded(&self, access: &PgPool) -> Result<(), sqlx::Error> {
        login_failures::forget(access, self.account).await
    }
}

/// The part of an address that one customer of a network provider has: all of an IPv4 one, the
/// first 64 bits of an IPv6 one.
fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

/// The delay after so many failures beyond the free ones.
fn delay(beyond: i32) -> Duration {
    if beyond < 1 {
        return Duration::ZERO;
    }
    let doublings = u32::try_from(beyond - 1).unwrap_or(0).min(16);
    (FIRST_DELAY * 2_i32.pow(doublings)).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_a_quarter_of_an_hour() {
        assert_eq!(delay(0), Duration::ZERO);
        assert_eq!(delay(-4), Duration::ZERO);
        assert_eq!(delay(1), Duration::seconds(2));
        assert_eq!(delay(4), Duration::seconds(16));
        assert_eq!(delay(10), LONGEST_DELAY);
        assert_eq!(delay(i32::MAX), LONGEST_DELAY);
    }

    #[test]
    fn counts_by_the_network_of_a_customer() {
        let network = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
