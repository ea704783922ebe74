//! The little of Server-Sent Events that a reader needs, out of HTTP/1.1 with or without chunks.
//!
//! Lines that say a chunk's length are none that a stream of events knows, and are passed over; no server splits a line of
//! a stream over two chunks, and each run compares what was sent and received.

use memchr::memchr;
use memchr::memmem::Finder;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What a stream says.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// It is open, and goes on behind this position.
    Connected(u64),
    /// An event. One without an id has overtaken others, and moves nobody's position.
    Event {
        /// Its place.
        position: u64,
        /// Whether it moves its reader's position.
        has_id: bool,
        /// When it happened.
        occurred_at: Option<OffsetDateTime>,
    },
    /// Something else of this code: `HistoryGap`, `ServerDraining`, …
    System(String),
    /// How long to wait before coming again, in milliseconds.
    Retry(u64),
    /// Nothing, to show that the connection stands.
    Heartbeat,
}

/// Finds frames in bytes as they come.
#[derive(Debug)]
pub struct Parser {
    waiting: Vec<u8>,
    name: String,
    id: Option<String>,
    last_id: Option<String>,
    position: Finder<'static>,
    occurred_at: Finder<'static>,
    code: Finder<'static>,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            name: String::new(),
            id: None,
            last_id: None,
            position: Finder::new("\"position\":"),
            occurred_at: Finder::new("\"occurredAt\":\""),
            code: Finder::new("\"code\":\""),
        }
    }
}

impl Parser {
    /// Takes bytes and calls `found` with each frame that they complete.
    pub fn take(&mut self, bytes: &[u8], mut found: impl FnMut(Frame)) {
        self.waiting.extend_from_slice(bytes);
        let waiting = std::mem::take(&mut self.waiting);
        let mut rest = &waiting[..];
        while let Some(end) = memchr(b'\n', rest) {
            let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
            rest = &rest[end + 1..];
            if let Some(frame) = self.line(line) {
                found(frame);
            }
        }
        self.waiting = rest.to_vec();
    }

    fn line(&mut self, line: &[u8]) -> Option<Frame> {
        if line.is_empty() {
            self.name.clear();
            self.id = None;
            return None;
        }
        if let Some(id) = line.strip_prefix(b"id: ") {
            self.id = Some(String::from_utf8_lossy(id).into_owned());
        } else if let Some(name) = line.strip_prefix(b"event: ") {
            self.name = String::from_utf8_lossy(name).into_owned();
        } else if let Some(milliseconds) = line.strip_prefix(b"retry: ") {
            return Some(Frame::Retry(std::str::from_utf8(milliseconds).ok()?.parse().ok()?));
        } else if let Some(data) = line.strip_prefix(b"data: ") {
            if self.id.is_some() {
                self.last_id.clone_from(&self.id);
            }
            return self.data(data);
        }
        None
    }

    /// What the reader resumes behind: the last id, of an event or of anything else.
    #[must_use]
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    fn data(&self, data: &[u8]) -> Option<Frame> {
        match self.name.as_str() {
            "heartbeat" => Some(Frame::Heartbeat),
            "connected" => Some(Frame::Connected(number(data, &self.position)?)),
            "system_message" => Some(Frame::System(text(data, &self.code)?)),
            _ => Some(Frame::Event {
                // The envelope's own fields stand before the payload, and no text holds a bare quote.
                position: number(data, &self.position)?,
                has_id: self.id.is_some(),
                occurred_at: text(data, &self.occurred_at)
                    .and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok()),
            }),
        }
    }
}

fn number(data: &[u8], name: &Finder<'_>) -> Option<u64> {
    let digits = &data[name.find(data)? + name.needle().len()..];
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

fn text(data: &[u8], name: &Finder<'_>) -> Option<String> {
    let text = &data[name.find(data)? + name.needle().len()..];
    Some(String::from_utf8_lossy(&text[..memchr(b'"', text)?]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = concat!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2a\r\n",
        "retry: 1500\nid: 1-7\nevent: connected\ndata: {\"connectionId\":\"con_1\",\"position\":7}\n\n\r\n1f\r\n",
        "id: 1-8\nevent: order.created\ndata: {\"aggregateId\":\"\\\"position\\\":1\",",
        "\"occurredAt\":\"2026-11-28T12:00:00.5Z\",\"position\":8,\"payload\":{\"position\":99}}\n\n\r\n",
        "event: order.created\ndata: {\"position\":10}\n\n",
        "id: 1-8\nevent: heartbeat\ndata: {}\n\n",
        "event: system_message\ndata: {\"code\":\"ServerDraining\",\"message\":\"x\"}\n\n",
    );

    #[test]
    fn frames_are_found_in_reads_of_any_size() {
        for size in 1..=STREAM.len() {
            let (mut parser, mut frames) = (Parser::default(), Vec::new());
            for part in STREAM.as_bytes().chunks(size) {
                parser.take(part, |frame| frames.push(frame));
            }
            let at = OffsetDateTime::parse("2026-11-28T12:00:00.5Z", &Rfc3339).ok();
            let expected = [
                Frame::Retry(1_500),
                Frame::Connected(7),
                Frame::Event { position: 8, has_id: true, occurred_at: at },
                Frame::Event { position: 10, has_id: false, occurred_at: None },
                Frame::Heartbeat,
                Frame::System("ServerDraining".to_owned()),
            ];
            assert_eq!(frames, expected, "reads of {size} bytes");
            assert_eq!(parser.last_id(), Some("1-8"));
        }
    }
}
