//! The table that follows events.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::href;
use super::row::SettlementTableRow;
use crate::api::list_settlements;
use crate::components::{EmptyState, Freshness, Icon, IconName, Pagination, WhileAllowed};
use crate::contexts::announcer::use_announcer;
use crate::contexts::project::use_project;
use crate::live::reduce::{ListScope, SettlementList};
use crate::live::{Anchor, use_live};
use crate::model::{SettlementPage, SettlementQuery, SettlementRow, Snapshot};

/// Below this many pixels a page counts as not scrolled.
const SCROLLED_PX: f64 = 160.0;

/// A page of settlements, live. While someone points at it or has scrolled, rows stay where they
/// are and new ones wait behind a pill, which belongs to what can be pointed at: on the way to it
/// nothing may move.
#[component]
pub fn SettlementsTable(query: SettlementQuery, snapshot: Snapshot<SettlementPage>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let as_of = snapshot.as_of;
    let list = RwSignal::new(SettlementList::new(ListScope::from(&query), snapshot.data));
    let project = use_project();
    let asked = query.clone();
    let live = use_live(list, anchor, move || list_settlements(project.slug(), asked.clone()));

    let hold = Hold::new(list);
    let waiting = Memo::new(move |_| list.with(SettlementList::waiting));
    let announcer = use_announcer();
    Effect::new(move |before: Option<usize>| {
        let waiting = waiting.get();
        if waiting > before.unwrap_or(0) {
            announcer.say(format!("{waiting} new settlements"));
        }
        waiting
    });

    let status = query.status;
    let limit = query.limit;
    let newest = StoredValue::new(query.after.as_ref().map(|_| project.href(&href(status, None, limit))));
    let older = Memo::new(move |_| {
        list.with(SettlementList::next).map(|after| project.href(&href(status, Some(&after), limit)))
    });
    let is_empty = Memo::new(move |_| list.with(|list| list.visible().is_empty()));
    view! {
        <WhileAllowed live what="the settlements">
        <div
            class="live-table"
            on:pointerenter=move |_| hold.point(true)
            on:pointerleave=move |_| hold.point(false)
            on:focusin=move |_| hold.focus(true)
            on:focusout=move |event| hold.focus_left(&event)
        >
        <div class="table-head">
            <Freshness as_of/>
            <Show when=move || { waiting.get() > 0 }>
                <button type="button" class="new-pill" on:click=move |_| hold.show_new()>
                    <Icon name=IconName::Up/>
                    {move || format!("{} new", waiting.get())}
                </button>
            </Show>
        </div>
        <div class="table-wrap">
            <table class="table settlements" class:is-empty=move || is_empty.get()>
                <caption class="visually-hidden">"Settlements, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Reference"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col" class="numeric">"Amount"</th>
                        <th scope="col">"Network"</th>
                        <th scope="col">"Changed"</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || list.with(|list| list.visible().to_vec()) key=|row: &SettlementRow| row.id let:row>
                        <SettlementTableRow list first=row/>
                    </For>
                </tbody>
            </table>
            <Show when=move || is_empty.get()>
                <Nothing is_filtered=status.is_some()/>
            </Show>
        </div>
        </div>
        <Pagination newest=newest.get_value() older/>
        </WhileAllowed>
    }
}

/// Why the rows are held where they are.
#[derive(Clone, Copy)]
struct Hold {
    list: RwSignal<SettlementList>,
    pointed: RwSignal<bool>,
    focused: RwSignal<bool>,
    scrolled: RwSignal<bool>,
}

impl Hold {
    fn new(list: RwSignal<SettlementList>) -> Self {
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
                list.update(SettlementList::hold);
            } else {
                list.update(SettlementList::release);
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

#[component]
fn Nothing(is_filtered: bool) -> impl IntoView {
    if is_filtered {
        view! {
            <EmptyState title="No settlement stands here now">
                <p>"One that comes to this status appears by itself. " <a href=use_project().href("/settlements")>"Show all"</a></p>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            <EmptyState title="No settlements yet">
                <p>"Run the simulator, or ask for one yourself with an API key:"</p>
                <pre><code>{CURL}</code></pre>
                <p>"It appears here as soon as it is committed."</p>
            </EmptyState>
        }
        .into_any()
    }
}

const CURL: &str = "curl -X POST \"$TIDEWATCH_URL/api/v1/settlements\" \\
  -H \"Authorization: Bearer $TIDEWATCH_API_KEY\" \\
  -H 'Content-Type: application/json' \\
  -d '{\"reference\":\"INV-1001\",\"amountMinor\":1248050,\"currency\":\"EUR\"}'";
