//! Which connections the address asks for.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use crate::address::with_parameters;
use crate::components::error_state::encode;
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::model::{ConnectionQuery, ConnectionSort};

/// What the address asks for.
pub(super) fn read_query(params: &ParamsMap) -> Result<ConnectionQuery, AppError> {
    let text =
        |name: &str| params.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let invalid = |field: &str, message: String| AppError::Invalid { field: field.to_owned(), message };
    Ok(ConnectionQuery {
        channel: text("channel")
            .map(|text| text.parse().map_err(|error| invalid("channel", format!("`{text}` {error}"))))
            .transpose()?,
        key: text("key")
            .map(|text| text.parse().map_err(|error| invalid("key", format!("`{text}` {error}"))))
            .transpose()?,
        q: text("q"),
        // What is no order counts as not said.
        sort: text("sort").and_then(|sort| sort.parse().ok()).unwrap_or_default(),
        after: text("after"),
    })
}

/// The address of a page of these connections.
pub(super) fn href(query: &ConnectionQuery, after: Option<&str>) -> String {
    with_parameters(
        "/connections",
        [
            ("channel", query.channel.as_ref().map(|channel| encode(&channel.to_string()))),
            ("key", query.key.map(|key| key.to_string())),
            ("q", query.q.as_deref().map(encode)),
            ("sort", (query.sort != ConnectionSort::default()).then(|| query.sort.as_str().to_owned())),
            ("after", after.map(encode)),
        ],
    )
}

/// What the address asks for, without the page.
pub(super) fn asked(query: &ConnectionQuery) -> String {
    href(query, None).split_once('?').map(|(_, asked)| asked.to_owned()).unwrap_or_default()
}

/// An order in words.
const fn order(sort: ConnectionSort) -> &'static str {
    match sort {
        ConnectionSort::Newest => "Newest first",
        ConnectionSort::Waiting => "Most waiting first",
        ConnectionSort::Rate => "Busiest first",
    }
}

/// A form that asks for those on a channel, or on the word of a key.
#[component]
pub(super) fn Filter() -> impl IntoView {
    let params = use_query_map();
    let project = use_project();
    let value = move |name: &'static str| move || params.read().get(name).unwrap_or_default();
    let wrong = Memo::new(move |_| match read_query(&params.read()) {
        Err(AppError::Invalid { field, message }) => Some((field, message)),
        _ => None,
    });
    let message_of = move |name: &'static str| {
        move || {
            wrong.with(|wrong| {
                wrong.as_ref().filter(|(field, _)| field == name).map(|(_, message)| message.clone())
            })
        }
    };
    let is_wrong = move |name: &'static str| move || message_of(name)().map(|_| "true");
    let message = move |name: &'static str| {
        move || message_of(name)().map(|message| view! { <span class="field-error">{message}</span> })
    };
    let is_filtered = move || {
        ["q", "channel", "key", "sort"]
            .iter()
            .any(|name| params.read().get(name).is_some_and(|text| !text.is_empty()))
    };
    view! {
        <form method="get" action="/connections" class="form form-inline panel" role="search">
            {(!project.slug().is_empty()).then(|| view! { <input type="hidden" name="project" value=project.slug()/> })}
            <label class="field field-wide">
                <span>"Search"</span>
                <input type="search" name="q" value=value("q") placeholder="A name, an address, a program" autocomplete="off" data-search=""/>
            </label>
            <label class="field field-wide">
                <span>"On the channel"</span>
                <input type="text" name="channel" value=value("channel") placeholder="orders" autocomplete="off" aria-invalid=is_wrong("channel")/>
                {message("channel")}
            </label>
            <label class="field field-wide">
                <span>"On the word of the API key"</span>
                <input type="text" name="key" value=value("key") placeholder="key_…" autocomplete="off" aria-invalid=is_wrong("key")/>
                {message("key")}
            </label>
            <label class="field">
                <span>"Order"</span>
                <select name="sort">
                    {ConnectionSort::ALL
                        .map(|sort| {
                            let selected = move || value("sort")() == sort.as_str();
                            view! { <option value=sort.as_str() selected=selected>{order(sort)}</option> }
                        })
                        .into_iter()
                        .collect_view()}
                </select>
            </label>
            <button class="button">"Filter"</button>
            {move || is_filtered().then(|| view! { <a class="button button-quiet" href=project.href("/connections")>"Show all"</a> })}
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote() {
        let mut params = ParamsMap::new();
        params.insert("channel", "private-orders".to_owned());
        params.insert("q", "ann 10.0".to_owned());
        params.insert("sort", "waiting".to_owned());
        params.insert("after", "12:con_x".to_owned());
        let query = read_query(&params).expect("a query");
        assert_eq!(
            href(&query, query.after.as_deref()),
            "/connections?channel=private-orders&q=ann%2010.0&sort=waiting&after=12%3Acon_x"
        );
    }

    #[test]
    fn an_order_that_is_none_counts_as_not_said() {
        let mut params = ParamsMap::new();
        params.insert("sort", "nonsense".to_owned());
        params.insert("after", "12:con_x".to_owned());
        let query = read_query(&params).expect("a query");
        assert_eq!((query.sort, &*asked(&query)), (ConnectionSort::Newest, ""));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let mut params = ParamsMap::new();
        params.insert("key", "nonsense".to_owned());
        assert!(matches!(read_query(&params), Err(AppError::Invalid { field, .. }) if field == "key"));
    }
}
