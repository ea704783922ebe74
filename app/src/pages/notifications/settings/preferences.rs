//! By which way one is told of which event types.

use leptos::either::Either;
use leptos::prelude::*;

use crate::model::{EmailPreference, NotificationPreference};

/// A row for everything, one for each pattern that somebody said something of, and an empty one.
#[component]
pub(super) fn Preferences(
    preferences: Vec<NotificationPreference>,
    known_types: Vec<String>,
    sends_email: bool,
    pushes: bool,
) -> impl IntoView {
    let ways = Ways { sends_email, pushes };
    let free = free_patterns(&known_types, &preferences);
    let rows = rows_of(preferences);
    let next = rows.len();
    view! {
        <section class="card" aria-labelledby="ways">
            <h2 id="ways">"What you are told, and how"</h2>
            <p class="card-foot">
                "Of several rows, the narrowest counts. Everything is in your inbox in any case. What must be acknowledged is \
                 counted whatever stands here, and waits for no digest: it is mailed at once, unless you want no e-mail of it."
            </p>
            <ul class="preferences">
                {rows
                    .into_iter()
                    .enumerate()
                    .map(|(index, preference)| view! { <Row index preference ways/> })
                    .collect_view()}
                {(!free.is_empty()).then(|| view! { <NewRow index=next free ways/> })}
            </ul>
        </section>
    }
}

/// Which ways there are on this server.
#[derive(Clone, Copy)]
struct Ways {
    sends_email: bool,
    pushes: bool,
}

/// What holds as long as nothing was said: counted, in the digest, pushed.
fn by_default(pattern: &str) -> NotificationPreference {
    let email = EmailPreference::default();
    NotificationPreference { pattern: pattern.to_owned(), in_app: true, email, push: true }
}

/// The row for everything comes first, whether something was said of it or not.
fn rows_of(mut preferences: Vec<NotificationPreference>) -> Vec<NotificationPreference> {
    preferences.sort_by(|one, other| one.pattern.cmp(&other.pattern));
    if !preferences.iter().any(|preference| preference.pattern == "*") {
        preferences.insert(0, by_default("*"));
    }
    preferences
}

/// Kinds and types of which something can be said and was not yet.
fn free_patterns(known_types: &[String], said: &[NotificationPreference]) -> Vec<String> {
    let kinds =
        known_types.iter().filter_map(|name| name.split_once('.')).map(|(kind, _)| format!("{kind}.*"));
    let mut free: Vec<String> = known_types.iter().cloned().chain(kinds).collect();
    free.sort();
    free.dedup();
    free.retain(|pattern| !said.iter().any(|preference| preference.pattern == *pattern));
    free
}

/// A pattern as people read it.
fn title_of(pattern: &str) -> String {
    match pattern.strip_suffix(".*") {
        _ if pattern == "*" => "Everything".to_owned(),
        Some(kind) => format!("All of {kind}"),
        None => pattern.to_owned(),
    }
}

#[component]
fn Row(index: usize, preference: NotificationPreference, ways: Ways) -> impl IntoView {
    let pattern = preference.pattern.clone();
    let name = |field: &str| format!("settings[preferences][{index}][{field}]");
    let is_all = pattern == "*";
    view! {
        <li data-pattern=pattern.clone()>
            <fieldset class="preference">
                <legend>{title_of(&pattern)} " " {(!is_all).then(|| view! { <code>{pattern.clone()}</code> })}</legend>
                <input type="hidden" name=name("pattern") value=pattern.clone()/>
                <Channels index preference ways/>
                {(!is_all).then(|| view! {
                    <label class="check"><input type="checkbox" name=name("remove") value="true"/><span>"Take this row away"</span></label>
                })}
            </fieldset>
        </li>
    }
}

/// One more row; it says nothing as long as no type is chosen.
#[component]
fn NewRow(index: usize, free: Vec<String>, ways: Ways) -> impl IntoView {
    let option = |pattern: String| {
        let title = title_of(&pattern);
        view! { <option value=pattern>{title}</option> }
    };
    view! {
        <li data-pattern="">
            <fieldset class="preference">
                <legend>"One more"</legend>
                <label class="field">
                    <span class="visually-hidden">"Of which events"</span>
                    <select name=format!("settings[preferences][{index}][pattern]")>
                        <option value="">"Choose a type of event…"</option>
                        {free.into_iter().map(option).collect_view()}
                    </select>
                </label>
                <Channels index preference=by_default("") ways/>
            </fieldset>
        </li>
    }
}

/// The three ways. Of those that this server does not have, what was said is sent along.
#[component]
fn Channels(index: usize, preference: NotificationPreference, ways: Ways) -> impl IntoView {
    let name = |field: &str| format!("settings[preferences][{index}][{field}]");
    let option = |email: EmailPreference| {
        let text = match email {
            EmailPreference::Off => "No",
            EmailPreference::Instant => "At once",
            EmailPreference::Digest => "In the digest",
        };
        view! { <option value=email.as_str() selected=email == preference.email>{text}</option> }
    };
    let email = if ways.sends_email {
        Either::Left(view! {
            <label class="preference-email">
                <span>"E-mail"</span>
                <select name=name("email")>{EmailPreference::ALL.into_iter().map(option).collect_view()}</select>
            </label>
        })
    } else {
        Either::Right(view! { <input type="hidden" name=name("email") value=preference.email.as_str()/> })
    };
    let push = if ways.pushes {
        Either::Left(view! {
            <label class="check">
                <input type="checkbox" name=name("push") value="true" checked=preference.push/>
                <span>"Pushed to your browsers"</span>
            </label>
        })
    } else {
        Either::Right(
            preference.push.then(|| view! { <input type="hidden" name=name("push") value="true"/> }),
        )
    };
    view! {
        <label class="check">
            <input type="checkbox" name=name("inApp") value="true" checked=preference.in_app/>
            <span>"Counted by the bell"</span>
        </label>
        {email}
        {push}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_first() {
        let patterns = |preferences| {
            rows_of(preferences).into_iter().map(|preference| preference.pattern).collect::<Vec<_>>()
        };
        assert_eq!(patterns(vec![]), ["*"]);
        assert_eq!(
            patterns(vec![by_default("ticket.*"), by_default("*"), by_default("order.paid")]),
            ["*", "order.paid", "ticket.*"]
        );
    }

    #[test]
    fn offers_kinds_and_types_of_which_nothing_is_said() {
        let known = ["ticket.created".to_owned(), "ticket.done".to_owned()];
        assert_eq!(free_patterns(&known, &[]), ["ticket.*", "ticket.created", "ticket.done"]);
        assert_eq!(free_patterns(&known, &[by_default("ticket.*")]), ["ticket.created", "ticket.done"]);
        assert_eq!(title_of("ticket.*"), "All of ticket");
    }
}
