//! The command palette (Ctrl-K), shortcuts, and the list of them (`?`).
//!
//! Keys without a modifier can be switched off, as
//! [WCAG 2.1.4](https://www.w3.org/WAI/WCAG22/Understanding/character-key-shortcuts.html) asks; the browser
//! remembers that.

mod commands;
mod help;

use leptos::prelude::*;
use leptos::{ev, html};
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;

use self::commands::{Act, Command, commands_for, shortcuts_of};
use self::help::Help;
use super::{Icon, IconName};
use crate::contexts::project::use_project;
use crate::contexts::user::use_current_user;
use crate::model::CurrentUser;

/// Where the browser remembers that keys without a modifier do nothing.
const OFF_KEY: &str = "tidewatch_single_keys_off";
/// The way back that was offered last.
const UNDO: &str = ":nth-last-child(1 of .toast:has([data-undo])) [data-undo]";

/// Opens by Ctrl-K, or by its button; leads to pages, records and searches.
#[component]
pub fn CommandPalette() -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let help = NodeRef::<html::Dialog>::new();
    let input = NodeRef::<html::Input>::new();
    let text = RwSignal::new(String::new());
    let place = RwSignal::new(0_usize);
    let project = use_project();
    // Empty until it is opened: what the server renders and what hydrates is the same.
    let found = RwSignal::new(Vec::<Command>::new());
    let user = RwSignal::new(None);
    let known = use_current_user();
    Effect::new(move |_| user.set(known.get().and_then(Result::ok)));
    let look_for = move |words: String| {
        found.set(user.with_untracked(|user| commands_for(&words, user.as_ref())));
        text.set(words);
        place.set(0);
    };
    let open = move || {
        look_for(String::new());
        if let Some(dialog) = dialog.get_untracked() {
            // It is open already, or the browser knows no dialogs: nothing to do about either.
            let _ = dialog.show_modal();
        }
        if let Some(input) = input.get_untracked() {
            let _ = input.focus();
        }
    };
    let navigate = use_navigate();
    let close = move || {
        for dialog in [dialog, help] {
            if let Some(dialog) = dialog.get_untracked() {
                dialog.close();
            }
        }
    };
    let go = {
        let navigate = navigate.clone();
        move |path: &str| {
            close();
            let address = project.href(path);
            // Records are found by the server, whatever they are.
            if path.starts_with("/records/") {
                let _ = window().location().set_href(&address);
            } else {
                navigate(&address, Default::default());
            }
        }
    };
    listen(open, help, user, go.clone());
    let act = move |act: &Act| match act {
        Act::Go(path) => go(path),
        Act::Press(button) => {
            close();
            press(button);
        }
        Act::Help => {
            close();
            show(help);
        }
    };
    let choose = {
        let act = act.clone();
        move || {
            let chosen = found.with_untracked(|found| found.get(place.get_untracked()).cloned());
            if let Some(command) = chosen {
                act(&command.act);
            }
        }
    };
    let typed = move |event: ev::KeyboardEvent| {
        let last = found.with_untracked(Vec::len).saturating_sub(1);
        match event.key().as_str() {
            "ArrowDown" => place.update(|place| *place = (*place + 1).min(last)),
            "ArrowUp" => place.update(|place| *place = place.saturating_sub(1)),
            "Enter" => choose(),
            _ => return,
        }
        event.prevent_default();
        bring_into_view(&option_id(place.get_untracked()));
    };
    view! {
        <button type="button" class="button button-small palette-button needs-scripting" on:click=move |_| open() aria-keyshortcuts="Control+K">
            <Icon name=IconName::Search/>"Go to…"<kbd>"Ctrl K"</kbd>
        </button>
        <dialog class="palette" node_ref=dialog aria-label="Go to a page, a record or a search">
            <input
                type="text"
                node_ref=input
                role="combobox"
                aria-expanded="true"
                aria-controls="palette-list"
                aria-activedescendant=move || option_id(place.get())
                aria-label="Page, id or words"
                placeholder="A page, an id, or words to look for"
                autocomplete="off"
                prop:value=move || text.get()
                on:input=move |event| look_for(event_target_value(&event))
                on:keydown=typed
            />
            <div id="palette-list" role="listbox" aria-label="Where to">
                {move || groups(found.get()).into_iter().map(|(name, commands)| {
                    let act = act.clone();
                    view! {
                        <div role="group" aria-label=name>
                            <p class="palette-group" aria-hidden="true">{name}</p>
                            {commands.into_iter().map(|(index, command)| view! {
                                <Entry index command place act=act.clone()/>
                            }).collect_view()}
                        </div>
                    }
                }).collect_view()}
            </div>
            <Show when=move || !text.read().is_empty() && found.read().is_empty()><p class="hint">"Nothing is called that. An id leads to its record."</p></Show>
        </dialog>
        <Help dialog=help user/>
    }
}

#[component]
fn Entry<A>(index: usize, command: Command, place: RwSignal<usize>, act: A) -> impl IntoView
where
    A: Fn(&Act) + 'static,
{
    let Command { label, act: what, .. } = command;
    let path = match &what {
        Act::Go(path) => Some(path.clone()),
        Act::Press(_) | Act::Help => None,
    };
    view! {
        <div
            id=option_id(index)
            role="option"
            aria-selected=move || (place.get() == index).to_string()
            data-path=path
            on:pointermove=move |_| place.set(index)
            on:click=move |_| act(&what)
        >
            {label}
        </div>
    }
}

fn option_id(index: usize) -> String {
    format!("palette-{index}")
}

/// Commands under their headings, each with its place in the whole list.
fn groups(commands: Vec<Command>) -> Vec<(&'static str, Vec<(usize, Command)>)> {
    let mut groups: Vec<(&'static str, Vec<(usize, Command)>)> = Vec::new();
    for (index, command) in commands.into_iter().enumerate() {
        match groups.last_mut() {
            Some((name, group)) if *name == command.group => group.push((index, command)),
            _ => groups.push((command.group, vec![(index, command)])),
        }
    }
    groups
}

/// Scrolls the list no further than it has to.
fn bring_into_view(id: &str) {
    let options = web_sys::ScrollIntoViewOptions::new();
    options.set_block(web_sys::ScrollLogicalPosition::Nearest);
    if let Some(option) = document().get_element_by_id(id) {
        option.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

fn press(selector: &str) {
    if let Ok(Some(button)) = document().query_selector(selector) {
        button.unchecked_into::<web_sys::HtmlElement>().click();
    }
}

fn show(dialog: NodeRef<html::Dialog>) {
    if let Some(dialog) = dialog.get_untracked() {
        let _ = dialog.show_modal();
    }
}

fn is_off() -> bool {
    window()
        .local_storage()
        .ok()
        .flatten()
        .and_then(|storage| storage.get_item(OFF_KEY).ok().flatten())
        .is_some()
}

/// Listens to the keys of the whole page.
fn listen(
    open: impl Fn() + Copy + 'static,
    help: NodeRef<html::Dialog>,
    user: RwSignal<Option<CurrentUser>>,
    go: impl Fn(&str) + Clone + 'static,
) {
    Effect::new(move |_| {
        let go = go.clone();
        // Whether `g` was the key before this one.
        let going = StoredValue::new(false);
        let listener = window_event_listener(ev::keydown, move |event| {
            let key = event.key();
            if (event.ctrl_key() || event.meta_key()) && key.eq_ignore_ascii_case("k") {
                event.prevent_default();
                open();
                return;
            }
            if event.ctrl_key() || event.meta_key() || event.alt_key() || is_writing(&event) || is_off() {
                return;
            }
            if going.get_value() {
                going.set_value(false);
                let places = user.with_untracked(|user| user.as_ref().map(shortcuts_of).unwrap_or_default());
                if let Some((_, path, _)) = places.into_iter().find(|(letter, ..)| *letter == key) {
                    event.prevent_default();
                    go(path);
                }
                return;
            }
            match key.as_str() {
                "g" => going.set_value(true),
                "?" => show(help),
                "u" => press(UNDO),
                "/" => {
                    if let Ok(Some(search)) = document().query_selector("[data-search]") {
                        event.prevent_default();
                        let _ = search.unchecked_into::<web_sys::HtmlElement>().focus();
                    }
                }
                _ => {}
            }
        });
        on_cleanup(move || listener.remove());
    });
}

/// Whether the key belongs to what somebody writes, or to a dialog that is open.
fn is_writing(event: &ev::KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| {
        matches!(target.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            || target.closest("dialog").ok().flatten().is_some()
    })
}
