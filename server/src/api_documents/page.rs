//! The documents as a page for people: all that they say, without a script, and each thing with an address of its own.

mod events;
mod markup;
mod schema;

use std::fmt::{self, Write};

use serde_json::Value;

use crate::http::api::documents::STYLE_PATH;
use markup::{Escaped, Json, Prose};

/// The page of both documents.
#[must_use]
pub fn render(openapi: &Value, asyncapi: &Value) -> String {
    let mut page = String::new();
    // Writing to a String never fails.
    let _ = write_page(&mut page, openapi, asyncapi);
    page
}

fn write_page(out: &mut String, openapi: &Value, asyncapi: &Value) -> fmt::Result {
    write!(
        out,
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>API · Tidewatch</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"icon\" href=\"/favicon.svg\"><link rel=\"stylesheet\" href=\"{STYLE_PATH}\"></head><body>\
         <a class=\"skip\" href=\"#main\">Skip to the reference</a>"
    )?;
    write_contents(out, openapi)?;
    write!(
        out,
        "<main id=\"main\" tabindex=\"-1\"><h1>Tidewatch API <small>{}</small></h1>\
         <p class=\"lead\">{}</p>{}\
         <p>For programs: <a href=\"/api/openapi.json\">OpenAPI 3.1</a> · \
         <a href=\"/api/asyncapi.json\">AsyncAPI 3.0</a>. For people: <a href=\"/\">the dashboard</a>.</p>",
        text(&openapi["info"]["version"]),
        text(&openapi["info"]["summary"]),
        Prose(openapi["info"]["description"].as_str().unwrap_or_default()),
    )?;
    for tag in openapi["tags"].as_array().into_iter().flatten() {
        write_group(out, openapi, tag)?;
    }
    events::write(out, asyncapi)?;
    write_problems(out, openapi)?;
    schema::write_all(out, openapi, asyncapi)?;
    out.write_str("</main></body></html>")
}

/// A text of the document.
fn text(value: &Value) -> Escaped<'_> {
    Escaped(value.as_str().unwrap_or_default())
}

/// What a heading is found by: lower case, with hyphens.
fn slug(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// What an operation does, in a line.
fn summary_of(operation: &Value) -> impl fmt::Display {
    Prose::inline(operation["summary"].as_str().unwrap_or_default())
}

/// The operations of a group: method, path and what is said of it. Short names of addresses come last.
fn operations_of<'d>(openapi: &'d Value, tag: &str) -> Vec<(&'d str, &'d str, &'d Value)> {
    let paths = openapi["paths"].as_object().into_iter().flatten();
    let of_path = |(path, methods): (&'d String, &'d Value)| {
        methods
            .as_object()
            .into_iter()
            .flatten()
            .map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    };
    let mut operations: Vec<_> =
        paths.flat_map(of_path).filter(|(_, _, operation)| operation["tags"][0] == tag).collect();
    operations.sort_by_key(|(_, path, _)| !path.starts_with("/api/v1/"));
    operations
}

fn write_contents(out: &mut String, openapi: &Value) -> fmt::Result {
    out.write_str(
        "<nav aria-label=\"Contents\"><p class=\"brand\"><a href=\"/\">Tidewatch</a></p>\
         <details class=\"contents\"><summary>Contents</summary><ul>",
    )?;
    for tag in openapi["tags"].as_array().into_iter().flatten() {
        let name = tag["name"].as_str().unwrap_or_default();
        write!(
            out,
            "<li><details><summary>{}</summary><ul><li><a href=\"#{}\">All of {0}</a></li>",
            Escaped(name),
            slug(name)
        )?;
        for (_, _, operation) in operations_of(openapi, name) {
            write!(
                out,
                "<li><a href=\"#{}\">{}</a></li>",
                text(&operation["operationId"]),
                summary_of(operation)
            )?;
        }
        out.write_str("</ul></details></li>")?;
    }
    out.write_str(
        "<li><a href=\"#messages\">Messages of streams</a></li><li><a href=\"#problems\">Problems</a></li>\
         <li><a href=\"#schemas\">Schemas</a></li></ul></details></nav>",
    )
}

fn write_group(out: &mut String, openapi: &Value, tag: &Value) -> fmt::Result {
    let name = tag["name"].as_str().unwrap_or_default();
    write!(out, "<section aria-labelledby=\"{0}\"><h2 id=\"{0}\">{1}</h2>", slug(name), Escaped(name))?;
    write!(out, "<p>{}</p>", text(&tag["description"]))?;
    for (method, path, operation) in operations_of(openapi, name) {
        write_operation(out, openapi, method, path, operation)?;
    }
    out.write_str("</section>")
}

fn write_operation(
    out: &mut String,
    openapi: &Value,
    method: &str,
    path: &str,
    operation: &Value,
) -> fmt::Result {
    let id = text(&operation["operationId"]);
    write!(
        out,
        "<article id=\"{id}\" aria-labelledby=\"{id}-name\"><h3 id=\"{id}-name\"><a href=\"#{id}\">{}</a></h3>\
         <p class=\"address\"><span class=\"method method-{method}\">{}</span> <code>{}</code></p>",
        summary_of(operation),
        method.to_ascii_uppercase(),
        Escaped(path),
    )?;
    if let Some(description) = operation["description"].as_str() {
        write!(out, "{}", Prose(description))?;
    }
    if operation["security"].as_array().is_some_and(Vec::is_empty) {
        out.write_str("<p>Open to everybody.</p>")?;
    }
    write_parameters(out, openapi, operation)?;
    if let Some(body) = operation["requestBody"]["content"].as_object() {
        out.write_str("<h4>Body</h4>")?;
        for (media_type, content) in body {
            write_content(out, media_type, content)?;
            if let Some(example) = content.get("example") {
                write!(out, "<pre>{}</pre>", Json(example))?;
            }
        }
    }
    write_answers(out, operation)?;
    out.write_str("</article>")
}

fn write_parameters(out: &mut String, openapi: &Value, operation: &Value) -> fmt::Result {
    let Some(parameters) = operation["parameters"].as_array() else { return Ok(()) };
    out.write_str("<h4>Parameters</h4><dl>")?;
    for parameter in parameters {
        let parameter = resolve(openapi, parameter);
        write!(
            out,
            "<dt><code>{}</code> <small>{}{}</small></dt><dd>{} <small>{}</small></dd>",
            text(&parameter["name"]),
            text(&parameter["in"]),
            if parameter["required"] == true { ", required" } else { "" },
            Prose::inline(parameter["description"].as_str().unwrap_or_default()),
            schema::Kind(&parameter["schema"]),
        )?;
    }
    out.write_str("</dl>")
}

/// What a reference stands for.
fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let target = value["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    target.and_then(|target| document.pointer(target)).unwrap_or(value)
}

fn write_content(out: &mut String, media_type: &str, content: &Value) -> fmt::Result {
    write!(out, "<p><code>{}</code> {}</p>", Escaped(media_type), schema::Kind(&content["schema"]))
}

/// An example that is looked at by whoever wants to: there are many, and some are long.
fn write_example(out: &mut String, example: &Value) -> fmt::Result {
    write!(out, "<details><summary>Example</summary><pre>{}</pre></details>", Json(example))
}

fn write_answers(out: &mut String, operation: &Value) -> fmt::Result {
    out.write_str("<h4>Answers</h4><dl class=\"answers\">")?;
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        write!(out, "<dt><code>{}</code></dt><dd>", Escaped(status))?;
        let problems = answer["content"]["application/problem+json"]["examples"].as_object();
        if let Some(problems) = problems {
            for (index, name) in problems.keys().enumerate() {
                let joint = if index > 0 { ", " } else { "" };
                write!(out, "{joint}<a href=\"#problem-{0}\"><code>{0}</code></a>", Escaped(name))?;
            }
        } else {
            write!(out, "{}", Prose::inline(answer["description"].as_str().unwrap_or_default()))?;
            for (name, header) in answer["headers"].as_object().into_iter().flatten() {
                write!(out, "<p><code>{}</code>: {}</p>", Escaped(name), text(&header["description"]))?;
            }
            for (media_type, content) in answer["content"].as_object().into_iter().flatten() {
                write_content(out, media_type, content)?;
                if let Some(example) = content.get("example") {
                    write_example(out, example)?;
                }
            }
        }
        out.write_str("</dd>")?;
    }
    out.write_str("</dl>")
}

fn write_problems(out: &mut String, openapi: &Value) -> fmt::Result {
    out.write_str(
        "<section aria-labelledby=\"problems\"><h2 id=\"problems\">Problems</h2><p>What <code>type</code> of \
         <code>application/problem+json</code> can be. It stays the same; programs go by it.</p>",
    )?;
    for (name, example) in openapi["components"]["examples"].as_object().into_iter().flatten() {
        let value = &example["value"];
        let kind = &value["type"];
        let schemas = openapi["components"]["schemas"].as_object();
        let described = schemas.into_iter().flatten().map(|(_, schema)| schema);
        let mut described = described.filter(|schema| schema["properties"]["type"]["const"] == *kind);
        let description =
            described.next().and_then(|schema| schema["description"].as_str()).unwrap_or_default();
        write!(
            out,
            "<article id=\"problem-{0}\" aria-labelledby=\"problem-{0}-name\"><h3 id=\"problem-{0}-name\">\
             <a href=\"#problem-{0}\">{0}</a> <small>{1}</small></h3>{2}<pre>{3}</pre></article>",
            Escaped(name),
            value["status"],
            Prose(description),
            Json(value),
        )?;
    }
    out.write_str("</section>")
}
