//! What came of the form that led to the page: with JavaScript a form's action has its answer, without it the answer
//! comes along with the page that follows.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_location;
use serde::de::DeserializeOwned;

use crate::error::AppError;
use crate::model::FormAnswer;
use crate::request;

#[derive(Clone, Copy)]
struct Answer(StoredValue<Option<FormAnswer>>);

/// Takes over what the server knows of the form that led here. The browser reads it from the page, so that its first
/// render is the same.
pub fn provide_form_answer() {
    let answer = SharedValue::new(request::form_answer).into_inner();
    provide_context(Answer(StoredValue::new(answer)));
}

/// Who goes on to another page has read the answer.
pub fn forget_form_answer_on_navigation() {
    let location = use_location();
    let Answer(answer) = expect_context();
    Effect::new(move |before: Option<()>| {
        location.pathname.track();
        location.search.track();
        if before.is_some() {
            answer.set_value(None);
        }
    });
}

/// The action of a form. Its value is there from the start where the form led here without JavaScript.
///
/// # Panics
/// Outside of [`crate::App`].
#[must_use]
pub fn use_form_action<S>() -> ServerAction<S>
where
    S: ServerFn<Error = AppError> + Send + Sync + Clone + 'static,
    S::Output: DeserializeOwned + Send + Sync + 'static,
{
    let action = ServerAction::<S>::new();
    let Answer(answer) = expect_context();
    let answer = answer.with_value(|answer| answer.as_ref().and_then(|answer| read(answer, S::PATH)));
    if answer.is_some() {
        action.value().set(answer);
    }
    action
}

/// Calls `then` with each answer to what a script sends by this action. What a form that no script sent was answered is
/// not among them: the page shows that from the start.
pub fn on_answer<S>(action: ServerAction<S>, then: impl Fn(Result<S::Output, AppError>) + 'static)
where
    S: ServerFn<Error = AppError> + Send + Sync + Clone + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    Effect::new(move |before: Option<usize>| {
        let version = action.version().get();
        if before.is_some_and(|before| before != version)
            && let Some(answer) = action.value().get_untracked()
        {
            then(answer);
        }
        version
    });
}

/// Changes with each answer that it is done, and not where it was refused: a form that is made anew for each is empty
/// once it is done, and keeps what was entered until then.
pub fn times_done<S>(action: ServerAction<S>) -> Memo<usize>
where
    S: ServerFn<Error = AppError> + Send + Sync + Clone + 'static,
    S::Output: Send + Sync + 'static,
{
    Memo::new(move |before: Option<&usize>| {
        let version = action.version().get();
        let is_done = action.value().with_untracked(|answer| matches!(answer, Some(Ok(_))));
        if is_done { version } else { before.copied().unwrap_or_default() }
    })
}

/// What the function at `path` answered.
fn read<T: DeserializeOwned>(answer: &FormAnswer, path: &str) -> Option<Result<T, AppError>> {
    if answer.function != path {
        return None;
    }
    match &answer.body {
        Ok(body) => serde_json::from_str(body).ok().map(Ok),
        Err(body) => serde_json::from_str(body).ok().map(Err),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Changed;

    fn answer(body: Result<&str, &str>) -> FormAnswer {
        FormAnswer {
            function: "/fn/change_project".to_owned(),
            body: body.map(ToOwned::to_owned).map_err(ToOwned::to_owned),
        }
    }

    #[test]
    fn is_for_the_function_that_was_asked_alone() {
        let made = answer(Ok(r#"{"id":"key_1","message":"Made.","secret":"tw_x"}"#));
        let read_made =
            read::<Changed>(&made, "/fn/change_project").expect("an answer").expect("it was done");
        assert_eq!(read_made.secret.as_deref(), Some("tw_x"));
        assert_eq!(read::<Changed>(&made, "/fn/save_view"), None);
        assert!(!format!("{made:?}").contains("tw_x"));
    }

    #[test]
    fn says_why_nothing_was_done() {
        let refused = answer(Err(r#"{"forbidden":{"permission":"keys.manage"}}"#));
        let why = read::<Changed>(&refused, "/fn/change_project").expect("an answer");
        assert_eq!(why, Err(AppError::Forbidden { permission: "keys.manage".to_owned() }));
        assert_eq!(read::<()>(&answer(Ok("null")), "/fn/change_project"), Some(Ok(())));
    }
}
