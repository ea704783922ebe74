//! Parts of a notation: bare where that is clear, in quotes as JSON has them where it is not.

/// The text as one word.
pub(super) fn write(text: &str) -> String {
    let is_clear = !text.is_empty()
        && !text.contains(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '"' | '\\'));
    if is_clear { text.to_owned() } else { quoted(text) }
}

/// The text in quotes.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The word that a text begins with, and what follows it without the space between.
pub(super) fn first(text: &str) -> Result<(String, &str), String> {
    if text.starts_with('"') {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let word = values.next().and_then(Result::ok).ok_or("a quote is not closed")?;
        let rest = text.get(values.byte_offset()..).unwrap_or_default();
        return Ok((word, rest.trim_start()));
    }
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    Ok((word.to_owned(), rest.trim_start()))
}

/// The text of a word that stands alone.
pub(super) fn only(text: &str) -> Result<String, String> {
    match first(text)? {
        (word, "") => Ok(word),
        (word, rest) => Err(format!("{rest:?} does not belong behind {word:?}")),
    }
}

/// What stands between commas; those in quotes divide nothing.
pub(super) fn between_commas(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (index, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => {
                parts.push(text[begin..index].trim());
                begin = index + 1;
            }
            _ => {}
        }
    }
    parts.push(text[begin..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}
