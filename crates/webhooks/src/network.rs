//! Addresses that are nobody's in the public network, by the
//! [IPv4](https://www.iana.org/assignments/iana-ipv4-special-registry) and
//! [IPv6](https://www.iana.org/assignments/iana-ipv6-special-registry) special-purpose registries of IANA.

use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::IpNet;

/// Networks that no webhook goes to, the narrower before the wider ones, and what they are.
///
/// What the registries call globally reachable inside a wider block (a few anycast services in 192.0.0.0/24 and
/// 2001::/23) is refused with it: no receiver of webhooks is there. Addresses that hold an IPv4 address in an
/// IPv6 one are refused whatever it is, since a gateway would bring them to it.
const SPECIAL: &[(&str, &str)] = &[
    // IPv4
    ("0.0.0.0/32", "unspecified"),
    ("0.0.0.0/8", "of this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "behind a carrier's translation (CGNAT)"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "for protocols of the IETF"),
    ("192.0.2.0/24", "for documentation"),
    ("192.88.99.0/24", "of 6to4 relays"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "for benchmarks"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("255.255.255.255/32", "broadcast"),
    ("240.0.0.0/4", "reserved"),
    // IPv6
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::ffff:0:0/96", "an IPv4 address, mapped"),
    ("::ffff:0:0:0/96", "an IPv4 address, translated"),
    ("::/96", "an IPv4 address, in the form of old"),
    ("64:ff9b::/96", "an IPv4 address behind NAT64"),
    ("64:ff9b:1::/48", "an IPv4 address behind NAT64"),
    ("100::/64", "for what is discarded"),
    ("2001::/32", "of Teredo tunnels"),
    ("2001:2::/48", "for benchmarks"),
    ("2001::/23", "for protocols of the IETF"),
    ("2001:db8::/32", "for documentation"),
    ("2002::/16", "an IPv4 address behind 6to4"),
    ("3fff::/20", "for documentation"),
    ("fc00::/7", "unique-local"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
    // All but 2000::/3, of which global unicast addresses are given out.
    ("::/3", "reserved"),
    ("4000::/2", "reserved"),
    ("8000::/1", "reserved"),
];

/// The same, read once.
static READ: LazyLock<Vec<(IpNet, &'static str)>> = LazyLock::new(|| {
    // A test holds that each can be read.
    SPECIAL.iter().filter_map(|(network, what)| Some((network.parse().ok()?, *what))).collect()
});

/// What an address is that is no public host's; `None` for one that can be.
pub(crate) fn special(address: IpAddr) -> Option<&'static str> {
    READ.iter().find(|(network, _)| network.contains(&address)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn of(text: &str) -> Option<&'static str> {
        special(text.parse().expect("an address"))
    }

    #[test]
    fn every_network_of_the_table_can_be_read() {
        assert_eq!(READ.len(), SPECIAL.len());
        for (network, what) in READ.iter() {
            assert_eq!(*network, network.trunc(), "no bits behind the prefix: {what}");
            assert!(special(network.addr()).is_some() && special(network.broadcast()).is_some(), "{network}");
        }
    }

    #[test]
    fn what_is_no_public_host_is_refused() {
        for (address, what) in [
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "of this network"),
            ("10.255.255.255", "private"),
            ("100.64.0.0", "behind a carrier's translation (CGNAT)"),
            ("100.127.255.255", "behind a carrier's translation (CGNAT)"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("169.254.169.254", "link-local"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.8", "for protocols of the IETF"),
            ("192.0.2.1", "for documentation"),
            ("192.88.99.1", "of 6to4 relays"),
            ("192.168.0.1", "private"),
            ("198.18.0.1", "for benchmarks"),
            ("198.19.255.255", "for benchmarks"),
            ("198.51.100.7", "for documentation"),
            ("203.0.113.7", "for documentation"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::ffff:8.8.8.8", "an IPv4 address, mapped"),
            ("::ffff:127.0.0.1", "an IPv4 address, mapped"),
            ("::ffff:0:127.0.0.1", "an IPv4 address, translated"),
            ("::127.0.0.1", "an IPv4 address, in the form of old"),
            ("64:ff9b::7f00:1", "an IPv4 address behind NAT64"),
            ("64:ff9b:1::7f00:1", "an IPv4 address behind NAT64"),
            ("100::1", "for what is discarded"),
            ("2001::1", "of Teredo tunnels"),
            ("2001:2::1", "for benchmarks"),
            ("2001:20::1", "for protocols of the IETF"),
            ("2001:1ff:ffff::1", "for protocols of the IETF"),
            ("2001:db8::1", "for documentation"),
            ("2002:7f00:1::", "an IPv4 address behind 6to4"),
            ("3fff::1", "for documentation"),
            ("3fff:fff:ffff::1", "for documentation"),
            ("5f00::1", "reserved"),
            ("fc00::1", "unique-local"),
            ("fd00:ec2::254", "unique-local"),
            ("fe80::1", "link-local"),
            ("febf::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
            ("1::1", "reserved"),
            ("4000::1", "reserved"),
            ("9000::1", "reserved"),
        ] {
            assert_eq!(of(address), Some(what), "{address}");
        }
    }

    #[test]
    fn what_lies_beside_is_not() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.112.255",
            "223.255.255.255",
            "2000::1",
            "2001:200::1",
            "2001:db7::1",
            "2001:db9::1",
            "2003::1",
            "2606:4700::1111",
            "2a00:1450::1",
            "3ffe::1",
            "3fff:1000::1",
        ] {
            assert_eq!(of(address), None, "{address}");
        }
    }

    proptest! {
        /// What the standard library knows to be special is special here too.
        #[test]
        fn never_less_than_the_standard_library(v4: u32, v6: u128) {
            let (v4, v6) = (Ipv4Addr::from_bits(v4), Ipv6Addr::from_bits(v6));
            let is_special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
                || v4.is_broadcast() || v4.is_documentation() || v4.is_unspecified();
            prop_assert!(!is_special || special(v4.into()).is_some(), "{v4}");
            let is_special = v6.is_loopback() || v6.is_multicast() || v6.is_unspecified()
                || v6.is_unique_local() || v6.is_unicast_link_local() || v6.to_ipv4_mapped().is_some();
            prop_assert!(!is_special || special(v6.into()).is_some(), "{v6}");
        }

        /// Whatever IPv4 address it holds, an IPv6 address that holds one is refused.
        #[test]
        fn no_ipv4_address_hides_in_an_ipv6_one(v4: u32) {
            let low = u128::from(v4);
            for high in ["::", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::"] {
                let high = high.parse::<Ipv6Addr>().expect("an address").to_bits();
                let address = Ipv6Addr::from_bits(high | low);
                prop_assert!(special(address.into()).is_some(), "{address}");
            }
            prop_assert!(special(Ipv6Addr::from_bits((0x2002_u128 << 112) | (low << 80)).into()).is_some());
        }
    }
}
