//! Server-Sent Events as bytes come, by the standard
//! ([HTML, section 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation)).
//!
//! Pure: it takes pieces of any size, cut anywhere, and gives what is complete.

#[cfg(test)]
mod tests;

/// Something that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A message.
    Message(Message),
    /// `retry:` in milliseconds: how long to wait after a loss.
    Retry(u64),
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its name; `message` where it has none.
    pub(crate) name: String,
    /// Its data, lines joined by LF.
    pub(crate) data: String,
    /// The last event id: its own, or that of an earlier message when it has none.
    pub(crate) last_event_id: String,
}

/// A line or message that is longer than the reader takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message is longer than {limit} bytes")]
pub(crate) struct TooLong {
    limit: usize,
}

/// Reads one stream.
#[derive(Debug)]
pub(crate) struct Parser {
    limit: usize,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// A CR ended the last line: an LF that comes next belongs to it.
    after_cr: bool,
    /// Whether a line was read: only the very first one may begin with a byte order mark.
    begun: bool,
    name: String,
    data: String,
    /// Bytes of the lines of data, as they came.
    data_len: usize,
    last_event_id: String,
}

/// The byte order mark in UTF-8.
const BOM: &[u8] = "\u{feff}".as_bytes();

impl Parser {
    /// A parser that refuses lines and messages longer than `limit` bytes, so that a broken service cannot fill the
    /// memory of its readers.
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            after_cr: false,
            begun: false,
            name: String::new(),
            data: String::new(),
            data_len: 0,
            last_event_id: String::new(),
        }
    }

    /// Takes the next piece; what is complete with it is added to `items`. After an error the stream cannot be read on.
    pub(crate) fn push(&mut self, mut piece: &[u8], items: &mut Vec<Item>) -> Result<(), TooLong> {
        while !piece.is_empty() {
            if std::mem::take(&mut self.after_cr) && piece[0] == b'\n' {
                piece = &piece[1..];
                continue;
            }
            let end = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = piece.split_at(end.unwrap_or(piece.len()));
            if self.line.len() + part.len() > self.limit {
                return Err(TooLong { limit: self.limit });
            }
            let Some(terminator) = rest.first() else {
                self.line.extend_from_slice(part);
                return Ok(());
            };
            self.after_cr = *terminator == b'\r';
            piece = &rest[1..];
            if self.line.is_empty() {
                self.take_line(part, items)?;
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(part);
                self.take_line(&line, items)?;
                // Its memory serves the next line.
                line.clear();
                self.line = line;
            }
        }
        Ok(())
    }

    fn take_line(&mut self, line: &[u8], items: &mut Vec<Item>) -> Result<(), TooLong> {
        let line = match line.strip_prefix(BOM) {
            Some(rest) if !self.begun => rest,
            _ => line,
        };
        self.begun = true;
        let len = line.len();
        if line.is_empty() {
            items.extend(self.dispatch().map(Item::Message));
            return Ok(());
        }
        // Line ends are no part of any other character in UTF-8, so lines can be decoded one by one.
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&*line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.data_len += len;
                if self.data_len > self.limit {
                    return Err(TooLong { limit: self.limit });
                }
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.last_event_id),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                items.extend(value.parse().map(Item::Retry));
            }
            // Comments have an empty field name; other fields are not ours.
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self) -> Option<Message> {
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        self.data_len = 0;
        // The last line has an LF too much; without any line there is no message.
        data.pop()?;
        let name = if name.is_empty() { "message".to_owned() } else { name };
        Some(Message { name, data, last_event_id: self.last_event_id.clone() })
    }
}
