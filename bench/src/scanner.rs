//! Finds the numbers of events in a stream of bytes, whatever the reads it arrives in.
//!
//! It knows nothing of HTTP's chunks and of lines, which would cost the generator more than they
//! cost a browser. The price: a server that split one message over two chunks in the middle of the
//! marker would be seen to lose an event. None does; each run compares what was sent and received.

use memchr::memmem::Finder;

use crate::event::{DIGITS, MARKER};

/// Bytes that may have to wait for the next read: a marker and digits, without the last.
pub const HEADROOM: usize = 32;

/// The end of a read that may be the beginning of a marker.
#[derive(Debug, Default, Clone, Copy)]
pub struct Carry {
    bytes: [u8; HEADROOM],
    len: usize,
}

/// Looks for numbered events.
#[derive(Debug)]
pub struct Scanner {
    marker: Finder<'static>,
}

impl Default for Scanner {
    fn default() -> Self {
        Self { marker: Finder::new(MARKER) }
    }
}

impl Scanner {
    /// Calls `found` with the number of each event in `buffer[HEADROOM..end]`. The headroom is
    /// overwritten by what the read before left over.
    pub fn scan(&self, carry: &mut Carry, buffer: &mut [u8], end: usize, mut found: impl FnMut(u64)) {
        let start = HEADROOM - carry.len;
        buffer[start..HEADROOM].copy_from_slice(&carry.bytes[..carry.len]);
        let mut rest = &buffer[start..end];
        while let Some(at) = self.marker.find(rest) {
            let digits = at + MARKER.len();
            let Some(number) = rest.get(digits..digits + DIGITS) else {
                return carry.keep(&rest[at..]);
            };
            if let Some(number) = parse(number) {
                found(number);
            }
            rest = &rest[digits..];
        }
        carry.keep(&rest[rest.len().saturating_sub(MARKER.len() - 1)..]);
    }
}

impl Carry {
    fn keep(&mut self, rest: &[u8]) {
        self.len = rest.len();
        self.bytes[..rest.len()].copy_from_slice(rest);
    }
}

fn parse(digits: &[u8]) -> Option<u64> {
    digits
        .iter()
        .try_fold(0u64, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan_in_reads(stream: &[u8], size: usize) -> Vec<u64> {
        let scanner = Scanner::default();
        let mut carry = Carry::default();
        let mut found = Vec::new();
        let mut buffer = vec![0u8; HEADROOM + size];
        for read in stream.chunks(size) {
            buffer[HEADROOM..HEADROOM + read.len()].copy_from_slice(read);
            scanner.scan(&mut carry, &mut buffer, HEADROOM + read.len(), |number| found.push(number));
        }
        found
    }

    #[test]
    fn every_number_is_found_once_in_reads_of_any_size() {
        let mut stream = b"HTTP/1.1 200 OK\r\n\r\n1f\r\n".to_vec();
        let numbers: Vec<u64> = (1_000_000_000..1_000_000_020).collect();
        for number in &numbers {
            stream.extend(format!("id: 1\ndata: {{\"x\":\"\\\"bench\",{MARKER}{number}}}\n\n").bytes());
        }
        for size in 1..=stream.len() {
            assert_eq!(scan_in_reads(&stream, size), numbers, "reads of {size} bytes");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_none() {
        let stream = format!("{MARKER}100000000x {MARKER}1000000001 {MARKER}12");
        for size in 1..=stream.len() {
            assert_eq!(scan_in_reads(stream.as_bytes(), size), [1_000_000_001], "reads of {size} bytes");
        }
    }
}
