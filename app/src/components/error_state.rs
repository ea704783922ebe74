//! What went wrong, and what to do about it.

use leptos::either::EitherOf3;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};

use super::{Icon, IconName};
use crate::contexts::project::in_project;
use crate::error::AppError;
use crate::request;

/// Something could not be shown or done. A page that its reader may not see answers so to programs as well, 403; one that
/// was asked for wrongly answers 400, and leads to the same without what was asked.
#[component]
pub fn ErrorState(
    /// Why.
    error: AppError,
    /// What was asked for, such as `the settlements`.
    #[prop(into)]
    what: String,
    /// Whether it was on the screen until now.
    #[prop(optional)]
    lost: bool,
) -> impl IntoView {
    match &error {
        AppError::Forbidden { .. } => request::set_status(403),
        AppError::Invalid { .. } => request::set_status(400),
        _ => {}
    }
    let location = use_location();
    let here = move || format!("{}{}", location.pathname.get(), location.search.with(|s| question_mark(s)));
    let help = match &error {
        AppError::Unauthenticated => "Your session has ended. Log in again to go on where you were.",
        AppError::Forbidden { .. } => "Ask an administrator of this project for the permission.",
        AppError::NotFound => "It may belong to another project, or the link may be incomplete.",
        AppError::Unavailable { .. } | AppError::Transport(_) => "Nothing is lost. Reload to try again.",
        AppError::Internal { .. } => {
            "Reload to try again. If it stays, the request's id helps us find out why."
        }
        AppError::Conflict { .. } | AppError::Invalid { .. } => "Check what you asked for and try again.",
    };
    let login = Memo::new(move |_| format!("/login?next={}", encode(&here())));
    // To ask the same again changes nothing about what is wrong with it.
    let params = use_query_map();
    let bare = move || {
        let slug = params.read().get("project").unwrap_or_default();
        in_project(&location.pathname.get(), &slug)
    };
    let way_on = match &error {
        AppError::Unauthenticated => {
            EitherOf3::A(view! { <a class="button" rel="external" href=move || login.get()>"Log in"</a> })
        }
        AppError::Invalid { .. } => {
            EitherOf3::B(view! { <a class="button" rel="external" href=bare>"Show all"</a> })
        }
        _ => EitherOf3::C(view! { <a class="button" rel="external" href=here>"Reload"</a> }),
    };
    view! {
        <div class="error-state" role="alert" data-error=error.name()>
            <Icon name=IconName::Alert/>
            <div>
                <p class="error-title">{if lost { format!("You can no longer see {what}. {error}") } else { format!("Could not load {what}. {error}") }}</p>
                <p>{help}</p>
                {way_on}
            </div>
        </div>
    }
}

fn question_mark(search: &str) -> String {
    if search.is_empty() { String::new() } else { format!("?{}", search.trim_start_matches('?')) }
}

/// A path as a value of a query: what would end it or begin another is escaped.
#[must_use]
pub fn encode(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                text.push(char::from(byte))
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_would_break_a_query() {
        assert_eq!(encode("/settlements?status=failed&x=ä"), "/settlements%3Fstatus%3Dfailed%26x%3D%C3%A4");
    }
}
