//! The toasts on the screen.

use leptos::prelude::*;

use super::{Icon, IconName};
use crate::contexts::toasts::{Toast, use_toasts};

/// The place of the toasts: over the page, out of its way.
#[component]
pub fn ToastArea() -> impl IntoView {
    let toasts = use_toasts();
    view! {
        <section class="toasts" aria-label="Messages">
            <For each=move || toasts.shown().get() key=|toast: &Toast| toast.id let:toast>
                <OneToast toast/>
            </For>
        </section>
    }
}

#[component]
fn OneToast(toast: Toast) -> impl IntoView {
    let toasts = use_toasts();
    let (id, stays) = (toast.id, toast.stays());
    let held = RwSignal::new(false);
    // Whoever points at it or is in it reads it: the time begins anew when they leave.
    Effect::new(move |_| {
        if held.get() {
            return;
        }
        if let Ok(handle) = set_timeout_with_handle(move || toasts.dismiss(id), stays) {
            on_cleanup(move || handle.clear());
        }
    });
    let tone = if toast.is_bad { "bad" } else { "good" };
    let icon = if toast.is_bad { IconName::Alert } else { IconName::CheckCircle };
    view! {
        <div
            class="toast"
            data-tone=tone
            on:pointerenter=move |_| held.set(true)
            on:pointerleave=move |_| held.set(false)
            on:focusin=move |_| held.set(true)
            on:focusout=move |_| held.set(false)
        >
            <Icon name=icon/>
            <p>{toast.text}</p>
            {toast.undo.map(|undo| view! {
                <button
                    type="button"
                    class="button button-small"
                    data-undo=""
                    aria-keyshortcuts="u"
                    on:click=move |_| {
                        toasts.dismiss(id);
                        undo();
                    }
                >
                    "Undo" <kbd aria-hidden="true">"U"</kbd>
                </button>
            })}
            <button type="button" class="button button-quiet button-small" aria-label="Dismiss" title="Dismiss" on:click=move |_| toasts.dismiss(id)>
                <Icon name=IconName::Cross/>
            </button>
        </div>
    }
}
