//! JSON Schemas of what is text on the wire, for the documents that describe the API.
//!
//! Structs and plain enums derive theirs where they stand. What reads and writes itself as text says here what that
//! text is like.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::access::{Actor, Permission, SubjectRef};
use crate::catalog::settlement::Network;
use crate::event::Channel;
use crate::filter::TypePattern;
use crate::id::RecordId;
use crate::money::Currency;
use crate::position::{Epoch, Position};
use crate::timestamp::Timestamp;

/// 26 characters of Crockford's base 32, or a UUID: what follows the prefix of an id.
const SUFFIX: &str = "([0-7][0-9a-hjkmnp-tv-z]{25}|[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12})";
/// The suffix of every example.
const EXAMPLE: &str = "01kaghsp3mfvy8e4v0h6x2t9rd";

/// The schema of the ids with this prefix.
pub(crate) fn of_id(prefix: &str, description: &str) -> Schema {
    json_schema!({
        "type": "string",
        "description": description.trim(),
        "pattern": format!("^{prefix}_{SUFFIX}$"),
        "examples": [format!("{prefix}_{EXAMPLE}")],
    })
}

/// The schema of a text.
pub(crate) fn of_text(description: &str, pattern: &str, example: &str) -> Schema {
    json_schema!({
        "type": "string",
        "description": description,
        "pattern": pattern,
        "examples": [example],
    })
}

macro_rules! texts {
    ($($kind:ident: $description:literal, $pattern:literal, $example:literal;)+) => {$(
        impl JsonSchema for $kind {
            fn schema_name() -> Cow<'static, str> {
                stringify!($kind).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                of_text($description, $pattern, $example)
            }
        }
    )+};
}

texts! {
    RecordId: "The id of a record: the prefix of its kind and 26 characters of Crockford base 32.",
        "^[a-z]{2,8}_[0-9a-zA-Z-]{26,36}$", "stl_01kaghsp3mfvy8e4v0h6x2t9rd";
    Permission: "A right to see or do something: a resource and a verb.",
        "^(\\*|[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)+)$", "settlements.read";
    SubjectRef: "Whom something is for: `user:usr_…`, `org:org_…`, `role:name` or `channel:private-…`.",
        "^(user|org|role|channel):.+$", "role:operator";
    Actor: "Who did something: `user:usr_…`, `key:key_…` or `system:` and the part that acted.",
        "^(user|key|system):.+$", "user:usr_01kaghsp3mfvy8e4v0h6x2t9rd";
    Channel: "The name of a channel. One that begins with `private` is for holders of a token.",
        "^[A-Za-z0-9._:/-]{1,200}$", "board";
    TypePattern: "An event type, a family of them (`settlement.*`), or `*`.",
        "^(\\*|[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*(\\.\\*)?)$", "settlement.*";
    Currency: "A currency by its ISO 4217 code.", "^[A-Z]{3}$", "EUR";
    Network: "The network that carries a settlement.", "^[a-z][a-z0-9_-]{0,39}$", "polygon";
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "A point in time: RFC 3339. Answers have UTC and milliseconds.",
            "examples": ["2026-11-20T20:43:52.832Z"],
        })
    }
}

impl JsonSchema for Position {
    fn schema_name() -> Cow<'static, str> {
        "Position".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "format": "int64",
            "minimum": 0,
            "maximum": Self::MAX.get(),
            "description": "The place of an event in its project's published stream. Positions grow by one, and no \
                            event ever appears behind one that was read.",
            "examples": [48_213],
        })
    }
}

impl JsonSchema for Epoch {
    fn schema_name() -> Cow<'static, str> {
        "Epoch".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "minimum": 0,
            "description": "Which history the positions of a project count.",
        })
    }
}
