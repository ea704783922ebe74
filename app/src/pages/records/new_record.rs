//! The form that makes a record.

use leptos::either::{Either, EitherOf3};
use leptos::form::ActionForm;
use leptos::prelude::*;
use tidewatch_modules::{Module, Record};

use crate::api::CreateRecord;
use crate::components::{Icon, IconName, RecordInput};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::error::AppError;

/// The form, behind a button.
#[component]
pub(super) fn NewRecord(module: StoredValue<Module>) -> impl IntoView {
    let action = use_form_action::<CreateRecord>();
    let answer = action.value();
    let (name, one, inputs) = module.with_value(|module| {
        (module.name.to_string(), module.one.to_string(), module.new.clone().unwrap_or_default())
    });
    let create = name.clone();
    view! {
        <details class="disclosure" open=move || answer.with(Option::is_some)>
            <summary class="button"><Icon name=IconName::Plus/>{format!("New {one}")}</summary>
            <div class="panel">
                <ActionForm action attr:class="form form-inline" attr:data-create=create>
                    <input type="hidden" name="project" value=use_project().slug()/>
                    <input type="hidden" name="module" value=name/>
                    {inputs.into_iter().map(|input| {
                        let name = format!("new[{}]", input.name);
                        view! { <RecordInput input name/> }
                    }).collect_view()}
                    <button class="button button-primary" disabled=move || action.pending().get()>
                        {move || if action.pending().get() { "Creating…" } else { "Create" }}
                    </button>
                </ActionForm>
                {move || answer.get().map(|answer| view! { <Answer module answer/> })}
            </div>
        </details>
    }
}

#[component]
fn Answer(module: StoredValue<Module>, answer: Result<Record, AppError>) -> impl IntoView {
    match answer {
        Ok(record) => {
            let (path, title) =
                module.with_value(|module| (format!("/{}/{}", module.name, record.id), record.title(module)));
            let href = use_project().href(&path);
            EitherOf3::A(view! {
                <p class="alert" data-tone="good" role="status">
                    <Icon name=IconName::CheckCircle/>
                    <span>"Created " <a href=href>{title}</a> "."</span>
                </p>
            })
        }
        Err(AppError::Invalid { field, message }) if !field.is_empty() => EitherOf3::B(view! {
            <p class="alert" data-tone="bad" role="alert">
                <Icon name=IconName::Alert/>
                <span><strong>{field}</strong> ": " {message}</span>
            </p>
        }),
        Err(error) => EitherOf3::C(Either::<_, ()>::Left(view! {
            <p class="alert" data-tone="bad" role="alert">
                <Icon name=IconName::Alert/>
                <span>{error.to_string()}</span>
            </p>
        })),
    }
}
