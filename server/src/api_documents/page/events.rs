//! What streams, the gateway and webhooks say, as the page shows it.

use std::fmt::{self, Write};

use serde_json::Value;

use super::markup::{Escaped, Prose};
use super::{resolve, slug, text, write_example};

/// Channels and messages.
pub(super) fn write(out: &mut String, asyncapi: &Value) -> fmt::Result {
    write!(
        out,
        "<section aria-labelledby=\"messages\"><h2 id=\"messages\">Messages of streams</h2>{}<dl>",
        Prose(asyncapi["info"]["description"].as_str().unwrap_or_default()),
    )?;
    for channel in asyncapi["channels"].as_object().into_iter().flatten().map(|(_, channel)| channel) {
        write!(
            out,
            "<dt>{} <code>{}</code></dt><dd>{}</dd>",
            text(&channel["title"]),
            text(&channel["address"]),
            Prose(channel["description"].as_str().unwrap_or_default()),
        )?;
    }
    out.write_str("</dl>")?;
    for (name, message) in asyncapi["components"]["messages"].as_object().into_iter().flatten() {
        write_message(out, asyncapi, name, message)?;
    }
    out.write_str("</section>")
}

fn write_message(out: &mut String, asyncapi: &Value, name: &str, message: &Value) -> fmt::Result {
    write!(
        out,
        "<article id=\"message-{0}\" aria-labelledby=\"message-{0}-name\"><h3 id=\"message-{0}-name\">\
         <a href=\"#message-{0}\">{1}</a></h3><p>{2}</p>{3}",
        slug(name),
        Escaped(name),
        text(&message["summary"]),
        Prose(message["description"].as_str().unwrap_or_default()),
    )?;
    let payload = &message["payload"]["properties"]["payload"];
    if payload.is_object() && resolve(asyncapi, payload)["properties"].is_object() {
        write!(out, "<p>Its payload: {}</p>", super::schema::Kind(payload))?;
    }
    write_example(out, &message["examples"][0]["payload"])?;
    out.write_str("</article>")
}
