//! The events themselves: live, paused, or as of a moment.

use leptos::either::Either;
use leptos::prelude::*;
use tidewatch_events::{Envelope, Position};

use super::board::BoardPanel;
use super::curl::{Curl, of_query};
use super::row::EventRow;
use super::scope::Scope;
use crate::api::search_events;
use crate::components::{EmptyState, Freshness, Icon, IconName, LiveTable, Pagination, WhileAllowed};
use crate::contexts::announcer::use_announcer;
use crate::contexts::clock::monotone;
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::EventList;
use crate::live::{Anchor, use_live};
use crate::model::{EventPage, EventQuery, Moment, Snapshot};

/// A page of events, live where it is the newest one.
#[component]
pub(super) fn EventStream(scope: Scope, snapshot: Snapshot<EventPage>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let (as_of, head) = (snapshot.as_of, snapshot.position);
    let (moment, board) = (snapshot.data.as_of, snapshot.data.board.clone());
    let list = RwSignal::new(EventList::new(snapshot.data));
    let project = use_project();
    let live = use_live(list, anchor, move || search_events(project.slug(), scope.query.get_value()));

    let query = scope.query.get_value();
    let (follows, is_later) = (query.follows(), query.before.is_some());
    let first = is_later.then(|| scope.with(|_| ()));
    let older = Memo::new(move |_| {
        let next = list.with(|list| list.next().filter(|_| list.looked_to().is_none()))?;
        Some(scope.with(|query| query.before = Some(next)))
    });
    let looked_to = Memo::new(move |_| list.with(EventList::looked_to));
    let is_paused = Memo::new(move |_| list.with(EventList::is_paused));
    let paused = Memo::new(move |_| is_paused.get().then(monotone));
    let is_empty = Memo::new(move |_| list.with(|list| list.visible().is_empty()));
    let command = of_query(&query);
    let what = StoredValue::new((moment, board, first, command));
    view! {
        <WhileAllowed live what="these events">
            {
                let (moment, board, ..) = what.get_value();
                view! {
                    {moment.map(|moment| view! { <Then scope moment/> })}
                    {board.map(|board| view! { <BoardPanel board/> })}
                }
            }
            {follows.then(|| view! { <Pause list scope head/> })}
            <LiveTable list what="events" freshness=move || match follows {
                true => Either::Left(view! { <Freshness as_of paused/> }),
                false => Either::Right(view! { <span class="freshness">"This page does not follow the stream"</span> }),
            }>
                <Rows list is_empty/>
                <Show when=move || is_empty.get()>
                    <Nothing scope/>
                </Show>
            </LiveTable>
            {move || looked_to.get().map(|looked_to| view! { <LookedTo scope looked_to/> })}
            <footer class="list-foot">
                <Pagination newest=what.get_value().2 older/>
                <p class="exports" aria-label="Export everything that was found">
                    <a class="button button-quiet button-small" href=scope.export("csv") rel="external" download="">"CSV"</a>
                    <a class="button button-quiet button-small" href=scope.export("json") rel="external" download="">"JSON"</a>
                </p>
                <details class="event-curl">
                    <summary>"The same by API"</summary>
                    <Curl command=what.get_value().3/>
                </details>
            </footer>
        </WhileAllowed>
    }
}

#[component]
fn Rows(list: RwSignal<EventList>, is_empty: Memo<bool>) -> impl IntoView {
    view! {
        <ol class="event-list" class:is-empty=move || is_empty.get() aria-label="Events, newest first">
            <For each=move || list.with(|list| list.visible().to_vec()) key=|event: &Envelope| event.event_id let:event>
                {
                    let has_arrived = list.with_untracked(|list| list.has_arrived(event.event_id));
                    view! { <EventRow event has_arrived/> }
                }
            </For>
        </ol>
    }
}

/// Stops what moves by itself, and says that it is stopped.
#[component]
fn Pause(list: RwSignal<EventList>, scope: Scope, head: Position) -> impl IntoView {
    let is_paused = Memo::new(move |_| list.with(EventList::is_paused));
    let waiting = Memo::new(move |_| list.with(EventList::waiting_while_paused));
    let announcer = use_announcer();
    let toggle = move |_| {
        let pause = !is_paused.get_untracked();
        list.update(|list| list.set_paused(pause));
        announcer.say(if pause { "Paused" } else { "Live" });
    };
    let state = move || match (is_paused.get(), waiting.get()) {
        (false, _) => "Live: new events appear by themselves".to_owned(),
        (true, 0) => "Paused".to_owned(),
        (true, new) => {
            let more = if list.with(EventList::is_full_while_paused) { "+" } else { "" };
            format!("Paused, {new}{more} new")
        }
    };
    // What is on the screen when somebody asks for a link to it, not what was when it was loaded.
    let then = move || {
        let newest = list.with(|list| list.visible().first().map(|event| event.position));
        let moment = Moment::Position(newest.map_or(head, |newest| newest.max(head)));
        scope.with(|query| query.as_of = Some(moment))
    };
    view! {
        <div class="event-live" data-paused=move || is_paused.get().to_string()>
            <button type="button" class="button button-small needs-scripting" on:click=toggle>
                {move || if is_paused.get() { view! { <Icon name=IconName::Play/> } } else { view! { <Icon name=IconName::Pause/> } }}
                {move || if is_paused.get() { "Go on" } else { "Pause" }}
            </button>
            <span class="event-live-state needs-scripting">{state}</span>
            <a class="button button-quiet button-small" href=then data-freeze=""><Icon name=IconName::History/>"Hold this moment"</a>
        </div>
    }
}

/// Says that this is the past, and leads back.
#[component]
fn Then(scope: Scope, moment: Position) -> impl IntoView {
    let now = scope.with(|query| query.as_of = None);
    let asked = scope.query.with_value(|query| query.as_of);
    let by_time = match asked {
        Some(Moment::Time(time)) => format!(", {}", format::absolute(time)),
        _ => String::new(),
    };
    view! {
        <p class="alert event-then" data-tone="warn" role="status" data-as-of=moment.to_string()>
            <Icon name=IconName::History/>
            <span>
                {format!("You see the stream as it stood at #{}{by_time}. Nothing here moves. ", format::count(moment.get()))}
                <a href=now data-live="">"Back to live"</a>
            </span>
        </p>
    }
}

/// How far a search went before it was broken off.
#[component]
fn LookedTo(scope: Scope, looked_to: Position) -> impl IntoView {
    let further = scope.with(|query| query.before = Some(looked_to));
    view! {
        <p class="alert looked-to" data-tone="neutral" data-looked-to=looked_to.to_string()>
            <Icon name=IconName::Hourglass/>
            <span>
                {format!("Looked back as far as #{}; there is more behind it. ", format::count(looked_to.get()))}
                <a href=further rel="next">"Look further back"</a>
            </span>
        </p>
    }
}

#[component]
fn Nothing(scope: Scope) -> impl IntoView {
    let all = scope.project.href("/events");
    if scope.query.with_value(EventQuery::is_filtered) {
        Either::Left(view! {
            <EmptyState title="No event is like this">
                <p>"Spelling and case of types and ids count, those of text do not. " <a href=all>"Show all"</a></p>
            </EmptyState>
        })
    } else {
        Either::Right(view! {
            <EmptyState title="No events here">
                <p>"Every change appears here as soon as it is committed and published. Only those that you may see are shown."</p>
            </EmptyState>
        })
    }
}
