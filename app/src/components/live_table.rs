//! A table whose rows stay where they are while someone points at them.
//!
//! It is a frame: what the rows are and how they follow is the business of a [`Holdable`] list and of
//! [`use_live`](crate::live::use_live).

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::{Icon, IconName};
use crate::contexts::announcer::use_announcer;
use crate::live::reduce::Holdable;

/// Below this many pixels a page counts as not scrolled.
const SCROLLED_PX: f64 = 160.0;

/// The frame of a live table. While someone points at it or has scrolled, rows stay where they are and new
/// ones wait behind a pill, which belongs to what can be pointed at: on the way to it nothing may move.
///
/// ```
/// use leptos::prelude::*;
/// use tidewatch_app::components::{Freshness, LiveTable};
/// use tidewatch_app::live::reduce::RecordList;
/// use tidewatch_events::Timestamp;
/// use tidewatch_modules::Record;
///
/// /// Rows that `use_live` keeps right.
/// #[component]
/// fn Parcels(list: RwSignal<RecordList>, as_of: Timestamp) -> impl IntoView {
///     view! {
///         <LiveTable list what="parcels" freshness=move || view! { <Freshness as_of/> }>
///             <table>
///                 <tbody>
///                     <For each=move || list.with(|list| list.visible().to_vec()) key=|row: &Record| row.id.clone() let:row>
///                         <tr><td>{row.id.to_string()}</td></tr>
///                     </For>
///                 </tbody>
///             </table>
///         </LiveTable>
///     }
/// }
/// ```
#[component]
pub fn LiveTable<L>(
    /// The rows.
    list: RwSignal<L>,
    /// What they are, such as `settlements`.
    #[prop(into)]
    what: String,
    /// As of when they are shown.
    #[prop(into)]
    freshness: ViewFn,
    /// The table.
    children: Children,
) -> impl IntoView
where
    L: Holdable + Send + Sync + 'static,
{
    let hold = Hold::new(list);
    let waiting = Memo::new(move |_| list.with(L::waiting));
    let announcer = use_announcer();
    Effect::new(move |before: Option<usize>| {
        let waiting = waiting.get();
        if waiting > before.unwrap_or(0) {
            announcer.say(format!("{waiting} new {what}"));
        }
        waiting
    });
    view! {
        <div
            class="live-table"
            on:pointerenter=move |_| hold.point(true)
            on:pointerleave=move |_| hold.point(false)
            on:focusin=move |_| hold.focus(true)
            on:focusout=move |event| hold.focus_left(&event)
        >
            <div class="table-head">
                {freshness.run()}
                <Show when=move || { waiting.get() > 0 }>
                    <button type="button" class="new-pill" on:click=move |_| hold.show_new()>
                        <Icon name=IconName::Up/>
                        {move || format!("{} new", waiting.get())}
                    </button>
                </Show>
            </div>
            <div class="table-wrap">{children()}</div>
        </div>
    }
}

/// Why the rows are held where they are.
struct Hold<L: 'static> {
    list: RwSignal<L>,
    pointed: RwSignal<bool>,
    focused: RwSignal<bool>,
    scrolled: RwSignal<bool>,
}

impl<L> Clone for Hold<L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for Hold<L> {}

impl<L: Holdable + Send + Sync> Hold<L> {
    fn new(list: RwSignal<L>) -> Self {
        let [pointed, focused, scrolled] = [(); 3].map(|()| RwSignal::new(false));
        let hold = Self { list, pointed, focused, scrolled };
        Effect::new(move |_| {
            let listener = window_event_listener(ev::scroll, move |_| {
                let now = window().scroll_y().unwrap_or(0.0) > SCROLLED_PX;
                if hold.scrolled.try_get_untracked().is_some_and(|before| before != now) {
                    hold.scrolled.set(now);
                }
            });
            on_cleanup(move || listener.remove());
        });
        Effect::new(move |_| {
            if pointed.get() || focused.get() || scrolled.get() {
                list.update(L::hold);
            } else {
                list.update(L::release);
            }
        });
        hold
    }

    fn point(self, inside: bool) {
        self.pointed.set(inside);
    }

    fn focus(self, inside: bool) {
        self.focused.set(inside);
    }

    fn focus_left(self, event: &web_sys::FocusEvent) {
        let wrap: Option<web_sys::Node> = event.current_target().and_then(|target| target.dyn_into().ok());
        let next: Option<web_sys::Node> = event.related_target().and_then(|target| target.dyn_into().ok());
        let stays = wrap.is_some_and(|wrap| wrap.contains(next.as_ref()));
        self.focus(stays && next.is_some());
    }

    /// Shows what waits, though someone points at the rows: they asked for it.
    fn show_new(self) {
        // The button that was pressed goes, and takes its focus along without a word.
        self.focused.set(false);
        self.list.update(|list| {
            list.release();
            if self.pointed.get_untracked() {
                list.hold();
            }
        });
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }
}
