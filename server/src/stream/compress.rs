//! Compression of a stream, flushed behind each event: what is sent can be read at once.
//!
//! Each stream has a compressor of its own, whose window is kept small: a thousand readers must not
//! cost gigabytes. Envelopes repeat their field names, so that a small window finds most of it.

use std::io::{self, Write};

use brotli::CompressorWriter;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{Stream, StreamExt};
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// Brotli's quality: fast, and still well ahead of none at all.
const BROTLI_QUALITY: u32 = 3;
/// Brotli's window, as a power of 2 in bytes: 64 KiB.
const BROTLI_WINDOW: u32 = 16;
const ZSTD_LEVEL: i32 = 1;
/// zstd's window, as a power of 2 in bytes: 64 KiB.
const ZSTD_WINDOW: u32 = 16;

/// A content coding ([RFC 9110, section 8.4.1](https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// [RFC 8878](https://www.rfc-editor.org/rfc/rfc8878).
    Zstd,
    /// [RFC 7932](https://www.rfc-editor.org/rfc/rfc7932).
    Brotli,
    /// [RFC 1952](https://www.rfc-editor.org/rfc/rfc1952).
    Gzip,
}

impl Coding {
    /// The one that the reader likes best; of several alike, the cheapest. `None`: none is asked for.
    #[must_use]
    pub fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let asked: Vec<(String, f32)> = headers
            .get_all(ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|part| {
                let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
                let quality = parameters.trim().strip_prefix("q=").and_then(|q| q.trim().parse().ok());
                (name.trim().to_ascii_lowercase(), quality.unwrap_or(1.0))
            })
            .collect();
        let mut best: Option<(Self, f32)> = None;
        for coding in [Self::Zstd, Self::Brotli, Self::Gzip] {
            let quality = asked.iter().find(|(name, _)| name == coding.name()).map_or(0.0, |(_, q)| *q);
            if quality > 0.0 && best.is_none_or(|(_, highest)| quality > highest) {
                best = Some((coding, quality));
            }
        }
        best.map(|(coding, _)| coding)
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

enum Compressor {
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Compressor {
    fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
                encoder.window_log(ZSTD_WINDOW)?;
                Self::Zstd(encoder)
            }
            Coding::Brotli => {
                Self::Brotli(Box::new(CompressorWriter::new(Vec::new(), 4096, BROTLI_QUALITY, BROTLI_WINDOW)))
            }
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::fast())),
        })
    }

    /// `bytes` compressed, all of it: a reader has what was written up to here.
    fn compress(&mut self, bytes: &[u8]) -> io::Result<Bytes> {
        let writer: &mut dyn Write = match self {
            Self::Zstd(encoder) => encoder,
            Self::Brotli(encoder) => encoder,
            Self::Gzip(encoder) => encoder,
        };
        writer.write_all(bytes)?;
        writer.flush()?;
        Ok(Bytes::from(std::mem::take(self.output())))
    }

    fn output(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Zstd(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut(),
        }
    }

    /// What is written behind the last event.
    fn finish(self) -> io::Result<Bytes> {
        Ok(Bytes::from(match self {
            Self::Zstd(encoder) => encoder.finish()?,
            Self::Brotli(encoder) => encoder.into_inner(),
            Self::Gzip(encoder) => encoder.finish()?,
        }))
    }
}

/// The stream's chunks, each compressed and flushed.
///
/// # Errors
/// The compressor cannot be set up.
pub fn compress(
    stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    coding: Coding,
) -> io::Result<impl Stream<Item = io::Result<Bytes>>> {
    let state = Some((Box::pin(stream), Compressor::new(coding)?));
    Ok(futures::stream::unfold(state, |state| async move {
        let (mut stream, mut compressor) = state?;
        match stream.next().await {
            Some(Ok(bytes)) => {
                let compressed = compressor.compress(&bytes);
                Some((compressed, Some((stream, compressor))))
            }
            Some(Err(error)) => Some((Err(error), None)),
            None => Some((compressor.finish(), None)),
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn takes_what_is_liked_best() {
        for (asked, chosen) in [
            ("", None),
            ("identity", None),
            ("gzip", Some(Coding::Gzip)),
            ("gzip, deflate, br, zstd", Some(Coding::Zstd)),
            ("gzip;q=1.0, br;q=0.5", Some(Coding::Gzip)),
            ("zstd;q=0, br;q=0.1", Some(Coding::Brotli)),
            ("GZIP", Some(Coding::Gzip)),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, asked.parse().expect("a value"))]);
            assert_eq!(Coding::negotiate(&headers), chosen, "{asked:?}");
        }
        assert_eq!(Coding::negotiate(&HeaderMap::new()), None);
    }

    /// What a reader can make of the bytes that have arrived so far.
    fn readable(coding: Coding, bytes: &[u8]) -> String {
        let mut reader: Box<dyn Read> = match coding {
            Coding::Zstd => Box::new(zstd::stream::read::Decoder::new(bytes).expect("a decoder")),
            Coding::Brotli => Box::new(brotli::Decompressor::new(bytes, 4096)),
            Coding::Gzip => Box::new(flate2::read::GzDecoder::new(bytes)),
        };
        let mut text = Vec::new();
        let mut buffer = [0; 512];
        // The end of what has arrived is no end of the stream: the decoder says so by an error.
        while let Ok(read @ 1..) = reader.read(&mut buffer) {
            text.extend_from_slice(&buffer[..read]);
        }
        String::from_utf8(text).expect("UTF-8")
    }

    #[test]
    fn each_event_can_be_read_as_soon_as_it_is_sent() {
        for coding in [Coding::Zstd, Coding::Brotli, Coding::Gzip] {
            let mut compressor = Compressor::new(coding).expect("a compressor");
            let (mut sent, mut arrived) = (String::new(), Vec::new());
            for number in 0..50 {
                let envelope = serde_json::json!({
                    "eventId": format!("evt_01kaghsp3mfvy8e4v0h6x2t9{number:02}"), "eventType": "settlement.created",
                    "aggregateType": "Settlement", "aggregateId": format!("stl_01kaghsp3mfvy8e4v0h6x2t9{number:02}"),
                    "aggregateVersion": 1, "occurredAt": "2026-11-21T08:00:00.000Z", "position": number,
                    "payload": { "reference": format!("INV-{number}"), "amountMinor": 1_248_050, "currency": "EUR" },
                });
                let frame = format!("id: evt_{number}\nevent: settlement.created\ndata: {envelope}\n\n");
                arrived.extend_from_slice(&compressor.compress(frame.as_bytes()).expect("compressed"));
                sent.push_str(&frame);
                assert_eq!(readable(coding, &arrived), sent, "{coding:?}, {number}");
            }
            arrived.extend_from_slice(&compressor.finish().expect("an end"));
            assert_eq!(readable(coding, &arrived), sent, "{coding:?}");
            assert!(arrived.len() * 2 < sent.len(), "{coding:?}: {} of {}", arrived.len(), sent.len());
        }
    }
}
