//! The bell: how many notifications are unread, on every page.

use std::time::Duration;

use leptos::either::Either;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::A;
use leptos_router::hooks::use_location;
use tidewatch_events::id::NotificationId;

use super::{Icon, IconName};
use crate::api::{count_notifications, move_notifications};
use crate::contexts::announcer::use_announcer;
use crate::contexts::hydration::use_hydrated;
use crate::contexts::notifications::use_notifications_done;
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::format;
use crate::live::reduce::BellState;
use crate::live::{Anchor, use_live};
use crate::model::{NotificationCount, NotificationStep, Snapshot};

/// Above this the bell says that there are more.
const MOST: u64 = 99;
/// Within so many milliseconds some tab of the browser says that what came was delivered; the others hear of it.
const CONFIRMED_WITHIN: f64 = 1_500.0;
/// After a count that failed, until the next.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// Most that are confirmed at once.
const MOST_AT_ONCE: usize = 100;

/// The number, as it is asked for.
type Counting = Resource<Result<Snapshot<NotificationCount>, AppError>>;

/// A link to one's notifications, with their number. It follows events, and the server counts.
#[component]
pub fn Bell() -> impl IntoView {
    let project = use_project();
    let opened = opened_id(&use_location().pathname.get_untracked());
    let count: Counting = Resource::new(
        || (),
        move |()| async move {
            // The page that is rendered beside this one counts it as read: first that, then the number. It does no
            // harm to do it twice, and where it fails the page says so.
            if let Some(id) = opened {
                let _ = move_notifications(project.slug(), vec![id], NotificationStep::Read).await;
            }
            count_notifications(project.slug()).await
        },
    );
    view! {
        <Transition fallback=|| view! { <BellLink count=Signal::stored(None)/> }>
            {move || Suspend::new(async move {
                match count.await {
                    Ok(snapshot) => {
                        let anchor = Anchor::from(&snapshot);
                        let state = RwSignal::new(BellState::new(&snapshot));
                        Either::Left(view! { <LiveBell state anchor/> })
                    }
                    // A page that can be shown is not kept back because of a number.
                    Err(error) => Either::Right(view! { <UncountedBell count error/> }),
                }
            })}
        </Transition>
    }
}

/// Which notification the page at this path opens.
fn opened_id(path: &str) -> Option<NotificationId> {
    path.strip_prefix("/notifications/")?.split('/').next()?.parse().ok()
}

/// A bell whose number is not known: it says none, and asks again.
#[component]
fn UncountedBell(count: Counting, error: AppError) -> impl IntoView {
    // Who may not have it is not given it the next time either.
    let may_help =
        matches!(error, AppError::Unavailable { .. } | AppError::Internal { .. } | AppError::Transport(_));
    Effect::new(move |_| {
        let again =
            may_help.then(|| set_timeout_with_handle(move || count.refetch(), ASK_AGAIN).ok()).flatten();
        on_cleanup(move || {
            if let Some(again) = again {
                again.clear();
            }
        });
    });
    view! { <BellLink count=Signal::stored(None)/> }
}

#[component]
fn LiveBell(state: RwSignal<BellState>, anchor: Anchor) -> impl IntoView {
    let count = Memo::new(move |_| state.with(BellState::count));
    let announcer = use_announcer();
    Effect::new(move |before: Option<u64>| {
        let now = count.get();
        if before.is_some_and(|before| before < now.unread) {
            announcer.say(name_of(Some(now)));
        }
        now.unread
    });
    // The page opens the stream behind its own data, which may be older than this number: so it comes first.
    let hydrated = use_hydrated();
    let anchor = StoredValue::new(anchor);
    view! {
        <BellLink count=Signal::derive(move || Some(count.get()))/>
        {move || hydrated.get().then(|| view! { <Follow state anchor=anchor.get_value()/> })}
    }
}

/// Keeps the number right, and says of what comes that it was delivered.
#[component]
fn Follow(state: RwSignal<BellState>, anchor: Anchor) -> impl IntoView {
    let project = use_project();
    let live = use_live(state, anchor, move || count_notifications(project.slug()));
    let done = use_notifications_done().count();
    Effect::new(move |before: Option<u32>| {
        let now = done.get();
        if before.is_some_and(|before| before != now) {
            live.refetch();
        }
        now
    });
    let confirm = move || {
        let ids = state.try_update(BellState::take_unconfirmed).unwrap_or_default();
        for some in ids.chunks(MOST_AT_ONCE).map(<[_]>::to_vec) {
            // Who is told again does no harm, and who is not told sees it delivered in the inbox.
            spawn_local(async move {
                let _ = move_notifications(project.slug(), some, NotificationStep::Deliver).await;
            });
        }
    };
    let waits = Memo::new(move |_| state.with(|state| !state.unconfirmed().is_empty()));
    Effect::new(move |_| {
        if waits.get() {
            let wait = js_sys::Math::random() * CONFIRMED_WITHIN;
            set_timeout(confirm, Duration::from_millis(wait as u64));
        }
    });
}

/// The link; `None`: the number is not known.
#[component]
fn BellLink(count: Signal<Option<NotificationCount>>) -> impl IntoView {
    let label = Memo::new(move |_| name_of(count.get()));
    let unacknowledged = move || count.get().map(|count| count.unacknowledged);
    let tone = move || if unacknowledged().is_some_and(|count| count > 0) { "bad" } else { "active" };
    let number = move || {
        let NotificationCount { unread, unacknowledged } = count.get()?;
        (unread.max(unacknowledged) > 0).then(|| {
            // What was read may still wait for somebody.
            let shown = if unread == 0 { unacknowledged } else { unread };
            let text = if shown > MOST { format!("{MOST}+") } else { shown.to_string() };
            view! {
                <span class="bell-count" aria-hidden="true">
                    {(unacknowledged > 0).then(|| view! { <Icon name=IconName::Alert/> })}
                    {text}
                </span>
            }
        })
    };
    view! {
        <A
            href=use_project().href("/notifications")
            attr:class="bell"
            attr:aria-label=move || label.get()
            attr:title=move || label.get()
            attr:data-tone=tone
            attr:data-unread=move || count.get().map(|count| count.unread.to_string())
            attr:data-unacknowledged=move || unacknowledged().map(|count| count.to_string())
        >
            <Icon name=IconName::Bell/>
            {number}
        </A>
    }
}

/// What the bell is called: "Notifications, 3 unread, 1 to acknowledge"; "Notifications" where nobody has counted.
fn name_of(count: Option<NotificationCount>) -> String {
    let Some(NotificationCount { unread, unacknowledged }) = count else { return "Notifications".to_owned() };
    let mut name = match unread {
        0 => "Notifications, none unread".to_owned(),
        unread => format!("Notifications, {} unread", format::count(unread)),
    };
    if unacknowledged > 0 {
        name.push_str(&format!(", {} to acknowledge", format::count(unacknowledged)));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_page_that_opens_one() {
        let id = "ntf_01h455vb4pex5vsknk084sn02q";
        assert_eq!(opened_id(&format!("/notifications/{id}")).map(|id| id.to_string()).as_deref(), Some(id));
        assert!(opened_id(&format!("/notifications/{id}/open")).is_some());
        for path in ["/notifications", "/notifications/settings", "/settlements/x", "/"] {
            assert_eq!(opened_id(path), None, "{path}");
        }
    }

    #[test]
    fn says_how_many_there_are() {
        let name = |unread, unacknowledged| name_of(Some(NotificationCount { unread, unacknowledged }));
        assert_eq!(name_of(None), "Notifications");
        assert_eq!(name(0, 0), "Notifications, none unread");
        assert_eq!(name(1_234, 0), "Notifications, 1,234 unread");
        assert_eq!(name(3, 1), "Notifications, 3 unread, 1 to acknowledge");
    }
}
