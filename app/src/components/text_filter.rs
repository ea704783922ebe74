//! A list that is narrowed by words. The words stand in the address.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::contexts::project::use_project;

/// A form that asks for rows with these words. Works without JavaScript.
#[component]
pub fn TextFilter(
    /// The page, such as `/people`.
    path: &'static str,
    /// What the words are looked for in.
    placeholder: &'static str,
) -> impl IntoView {
    let project = use_project();
    let words = use_words();
    view! {
        <form method="get" action=path class="form form-inline search" role="search">
            {(!project.slug().is_empty()).then(|| view! { <input type="hidden" name="project" value=project.slug()/> })}
            <label class="field field-wide">
                <span>"Search"</span>
                <input type="search" name="q" value=move || words.get() placeholder=placeholder autocomplete="off" data-search=""/>
            </label>
            <button class="button">"Apply"</button>
            {move || (!words.get().is_empty()).then(|| view! { <a class="button button-quiet" href=project.href(path)>"Show all"</a> })}
        </form>
    }
}

/// The words that the address asks for.
pub fn use_words() -> Memo<String> {
    let params = use_query_map();
    Memo::new(move |_| params.read().get("q").map(|words| words.trim().to_owned()).unwrap_or_default())
}

/// Whether each of the words is somewhere in these texts, in capitals or not.
#[must_use]
pub fn has_words<'a>(words: &str, texts: impl IntoIterator<Item = &'a str>) -> bool {
    if words.is_empty() {
        return true;
    }
    let all = texts.into_iter().collect::<Vec<_>>().join("\n").to_lowercase();
    words.to_lowercase().split_whitespace().all(|word| all.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_word_in_any_text() {
        let texts = ["Ann Müller", "ann@example.test", "operator"];
        for words in ["", "ann", "MÜLLER oper", "example.test ann"] {
            assert!(has_words(words, texts), "{words}");
        }
        assert!(!has_words("ann viewer", texts));
    }
}
