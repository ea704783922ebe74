//! Schemas as the page shows them.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write};

use serde_json::Value;

use super::markup::{Escaped, Prose};

/// What a schema allows, in a few words and with links to what has a name.
pub(super) struct Kind<'s>(pub(super) &'s Value);

impl Display for Kind<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let schema = self.0;
        if let Some(name) = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()) {
            return write!(f, "<a href=\"#schema-{0}\">{0}</a>", Escaped(name));
        }
        if let Some(constant) = schema.get("const") {
            return write!(f, "<code>{}</code>", Escaped(&constant.to_string()));
        }
        if let Some(words) = schema["enum"].as_array() {
            return join(f, words.iter(), " or ", |f, word| {
                write!(f, "<code>{}</code>", Escaped(&word.to_string()))
            });
        }
        for choices in ["oneOf", "anyOf", "allOf"] {
            if let Some(parts) = schema[choices].as_array().filter(|parts| !parts.is_empty()) {
                let joint = if choices == "allOf" { " with " } else { " or " };
                return join(f, parts.iter(), joint, |f, part| Kind(part).fmt(f));
            }
        }
        if schema["type"] == "array" {
            return write!(f, "list of {}", Kind(&schema["items"]));
        }
        match &schema["type"] {
            Value::String(kind) => f.write_str(kind)?,
            Value::Array(kinds) => {
                join(f, kinds.iter(), " or ", |f, kind| f.write_str(kind.as_str().unwrap_or_default()))?;
            }
            _ => f.write_str("any JSON")?,
        }
        write_bounds(f, schema)
    }
}

fn write_bounds(f: &mut Formatter<'_>, schema: &Value) -> fmt::Result {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => write!(f, ", {least} to {most}")?,
        (Some(least), None) => write!(f, ", at least {least}")?,
        (None, Some(most)) => write!(f, ", at most {most}")?,
        (None, None) => {}
    }
    match schema.get("default") {
        Some(default) => write!(f, ", usually {}", Escaped(&default.to_string())),
        None => Ok(()),
    }
}

fn join<'v>(
    f: &mut Formatter<'_>,
    values: impl Iterator<Item = &'v Value>,
    joint: &str,
    write: impl Fn(&mut Formatter<'_>, &Value) -> fmt::Result,
) -> fmt::Result {
    for (index, value) in values.enumerate() {
        if index > 0 {
            f.write_str(joint)?;
        }
        write(f, value)?;
    }
    Ok(())
}

/// Every schema that has a name, of both documents: what both have is the same.
pub(super) fn write_all(out: &mut String, openapi: &Value, asyncapi: &Value) -> fmt::Result {
    let schemas: BTreeMap<&String, &Value> = [asyncapi, openapi]
        .into_iter()
        .filter_map(|document| document["components"]["schemas"].as_object())
        .flatten()
        .collect();
    out.write_str("<section aria-labelledby=\"schemas\"><h2 id=\"schemas\">Schemas</h2>")?;
    for (name, schema) in schemas {
        write!(
            out,
            "<article id=\"schema-{0}\" aria-labelledby=\"schema-{0}-name\"><h3 id=\"schema-{0}-name\">\
             <a href=\"#schema-{0}\">{0}</a></h3>{1}",
            Escaped(name),
            Prose(schema["description"].as_str().unwrap_or_default()),
        )?;
        write_shape(out, schema)?;
        out.write_str("</article>")?;
    }
    out.write_str("</section>")
}

fn write_shape(out: &mut String, schema: &Value) -> fmt::Result {
    let properties = schema["properties"].as_object().filter(|properties| !properties.is_empty());
    let Some(properties) = properties else {
        write!(out, "<p>{}</p>", Kind(schema))?;
        return schema["pattern"]
            .as_str()
            .map_or(Ok(()), |pattern| write!(out, "<p>Like <code>{}</code></p>", Escaped(pattern)));
    };
    let required = schema["required"].as_array();
    out.write_str("<dl>")?;
    for (name, property) in properties {
        let needed = required.is_some_and(|names| names.iter().any(|known| known == name));
        write!(
            out,
            "<dt><code>{}</code> <small>{}{}</small></dt><dd>{}</dd>",
            Escaped(name),
            Kind(property),
            if needed { ", required" } else { "" },
            Prose::inline(property["description"].as_str().unwrap_or_default()),
        )?;
    }
    out.write_str("</dl>")
}
