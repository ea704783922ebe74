//! Where in a trace something happens ([W3C Trace Context](https://www.w3.org/TR/trace-context/)).

use std::fmt;
use std::str::FromStr;

/// A place in a trace, as a `traceparent` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// Which trace.
    pub trace: [u8; 16],
    /// Which span of it.
    pub span: [u8; 8],
    /// Whether the trace is recorded.
    pub sampled: bool,
}

/// The text is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a traceparent, such as 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
pub struct ParseTraceContextError;

impl TraceContext {
    /// What this `traceparent` says, where its trace is recorded.
    #[must_use]
    pub fn recorded(traceparent: Option<&str>) -> Option<Self> {
        traceparent?.parse().ok().filter(|context: &Self| context.sampled)
    }

    /// Another span of the same trace.
    #[must_use]
    pub const fn at(self, span: [u8; 8]) -> Self {
        Self { span, ..self }
    }
}

/// The bytes that so many lower-case digits stand for; `None` for other text, and for zeroes alone, which name nothing.
fn id<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let digits = Some(text.as_bytes()).filter(|digits| digits.len() == 2 * N)?;
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes).filter(|bytes| bytes.iter().any(|byte| *byte != 0))
}

impl FromStr for TraceContext {
    type Err = ParseTraceContextError;

    /// A version to come may have more behind its flags; one that is known has not.
    fn from_str(text: &str) -> Result<Self, ParseTraceContextError> {
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or(ParseTraceContextError);
        let (version, trace, span, flags) = (next()?, next()?, next()?, next()?);
        let is_known = version == "00";
        let is_later = !is_known && version != "ff" && id::<1>(version).is_some();
        let flags = if flags == "00" { Some([0]) } else { id::<1>(flags) };
        if !(is_later || is_known && parts.next().is_none()) {
            return Err(ParseTraceContextError);
        }
        match (id(trace), id(span), flags) {
            (Some(trace), Some(span), Some([flags])) => Ok(Self { trace, span, sampled: flags & 1 == 1 }),
            _ => Err(ParseTraceContextError),
        }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("00-")?;
        write_hex(f, &self.trace)?;
        f.write_str("-")?;
        write_hex(f, &self.span)?;
        f.write_str(if self.sampled { "-01" } else { "-00" })
    }
}

/// A trace's id, as people look for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId(pub [u8; 16]);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn is_read_and_written() {
        let context: TraceContext = TRACEPARENT.parse().expect("a context");
        assert!(context.sampled && context.to_string() == TRACEPARENT);
        assert_eq!(TraceId(context.trace).to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(TraceContext::recorded(Some(TRACEPARENT)), Some(context));
        let unsampled = TRACEPARENT.replace("-01", "-00");
        assert_eq!(TraceContext::recorded(Some(&unsampled)), None);
        assert_eq!(unsampled.parse::<TraceContext>().map(|it| it.to_string()), Ok(unsampled));
        // Of the flags, one is known.
        assert_eq!(TRACEPARENT.replace("-01", "-03").parse(), Ok(context));
        let later = format!("{}-more", TRACEPARENT.replace("00-0", "cc-0"));
        assert_eq!(later.parse(), Ok(context));
    }

    #[test]
    fn what_is_broken_is_none() {
        for text in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-xy",
        ] {
            assert_eq!(text.parse::<TraceContext>(), Err(ParseTraceContextError), "{text}");
        }
    }
}
