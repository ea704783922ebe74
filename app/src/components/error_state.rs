//! What went wrong, and what to do about it.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{Icon, IconName};
use crate::error::AppError;
use crate::request;

/// Something could not be shown or done. A page that its reader may not see answers so to programs as well: 403.
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
    if let AppError::Forbidden { .. } = &error {
        request::set_status(403);
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
    let signed_out = error == AppError::Unauthenticated;
    let login = Memo::new(move |_| format!("/login?next={}", encode(&here())));
    view! {
        <div class="error-state" role="alert" data-error=error.name()>
            <Icon name=IconName::Alert/>
            <div>
                <p class="error-title">{if lost { format!("You can no longer see {what}. {error}") } else { format!("Could not load {what}. {error}") }}</p>
                <p>{help}</p>
                {if signed_out {
                    view! { <a class="button" rel="external" href=move || login.get()>"Log in"</a> }.into_any()
                } else {
                    view! { <a class="button" rel="external" href=here>"Reload"</a> }.into_any()
                }}
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
