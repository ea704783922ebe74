//! A page that begins with a snapshot and follows by events.
//!
//! A live page is three things: a server function that reads its data in one snapshot ([`crate::api`]), a [`Reducer`] that
//! applies an event to that data and nothing else, and a component that calls [`use_live`] and shows the state. Transport,
//! resuming, other tabs, pausing and rights that change are this hook's business, and no page's.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::task::spawn_local;

use super::client::{Anchor, LiveClient, use_live_client};
use super::feed::{CatchUp, SubscriberId};
use super::held::HeldBack;
use super::reduce::Reducer;
use crate::contexts::form_answer::on_answer;
use crate::contexts::user::use_current_user;
use crate::error::AppError;
use crate::model::Snapshot;

/// Wishes to read anew that come within this time are one.
const DEBOUNCE: Duration = Duration::from_millis(400);
/// After a failed read, until the next.
const RETRY: Duration = Duration::from_secs(5);

/// What a live page is told of its data, beside the data.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    asked: RwSignal<u32>,
    refused: RwSignal<Option<AppError>>,
}

impl Live {
    /// Reads the data anew soon, in silence.
    pub fn refetch(self) {
        self.asked.update(|count| *count += 1);
    }

    /// Why the data is no longer to be seen; `None` as long as it is. A page shows this and not what
    /// it had before.
    #[must_use]
    pub fn refused(self) -> Signal<Option<AppError>> {
        self.refused.into()
    }
}

impl<T> From<&Snapshot<T>> for Anchor {
    fn from(snapshot: &Snapshot<T>) -> Self {
        Self { position: snapshot.position, resume_token: snapshot.resume_token.clone() }
    }
}

/// Keeps `state` right by the events behind `anchor`. Where events do not suffice, `fetch` is
/// called: one at a time, and what is on the screen stays until the answer is there.
///
/// On the server it does nothing; in the browser it begins after hydration.
///
/// ```
/// use leptos::prelude::*;
/// use tidewatch_app::api::list_records;
/// use tidewatch_app::components::WhileAllowed;
/// use tidewatch_app::contexts::project::use_project;
/// use tidewatch_app::live::reduce::RecordList;
/// use tidewatch_app::live::{Anchor, use_live};
/// use tidewatch_app::model::{RecordPage, Snapshot};
///
/// /// How many parcels there are, live. The snapshot comes from a resource that the page awaits.
/// #[component]
/// fn ParcelCount(snapshot: Snapshot<RecordPage>) -> impl IntoView {
///     let anchor = Anchor::from(&snapshot); // where the data stands in the stream
///     let query = snapshot.data.query.clone();
///     let state = RwSignal::new(RecordList::new(snapshot));
///     let project = use_project();
///     let live = use_live(state, anchor, move || list_records(project.slug(), "parcels".into(), query.clone()));
///     view! {
///         <WhileAllowed live what="the parcels">
///             <p>{move || state.with(|list| list.total().count)} " parcels"</p>
///         </WhileAllowed>
///     }
/// }
/// ```
pub fn use_live<R, Fetch, Answer>(state: RwSignal<R>, anchor: Anchor, fetch: Fetch) -> Live
where
    R: Reducer + Send + Sync + 'static,
    Fetch: Fn() -> Answer + Clone + 'static,
    Answer: Future<Output = Result<Snapshot<R::Data>, AppError>> + 'static,
{
    let client = use_live_client();
    let asked = RwSignal::new(0);
    let refused = RwSignal::new(None);
    Effect::new(move |_| {
        let follower = Rc::new(Follower::new(state, refused, client, fetch.clone()));
        let callback = {
            let follower = Rc::clone(&follower);
            Rc::new(move |catch_up| follower.take(catch_up))
        };
        let (id, missed) = client.subscribe(&anchor, callback);
        on_cleanup(move || client.unsubscribe(id));
        follower.id.set(Some(id));
        follower.take(missed);
        follower.refresh_by_the_clock();
        follower.go_on_when_let();
        Effect::new(move |_| {
            if asked.get() > 0 {
                follower.read_anew_after(Duration::ZERO);
            }
        });
    });
    Live { asked, refused }
}

/// Reads a page's data anew as soon as `action` has done something.
pub fn refetch_after<S>(action: ServerAction<S>, live: Live)
where
    S: ServerFn<Error = AppError> + Send + Sync + Clone + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    on_answer(action, move |_| live.refetch());
}

/// Keeps a page connected that shows nothing live: it hears of rights that change, and who goes on
/// from it to a live page finds the stream open.
pub fn use_connection() {
    let client = use_live_client();
    let user = use_current_user();
    Effect::new(move |_| {
        if let Some(Ok(user)) = user.get() {
            client.connect(&Anchor { position: user.position, resume_token: user.resume_token });
        }
    });
}

struct Follower<R: 'static, Fetch> {
    state: RwSignal<R>,
    refused: RwSignal<Option<AppError>>,
    client: LiveClient,
    fetch: Fetch,
    id: Cell<Option<SubscriberId>>,
    /// A read is planned or under way.
    reading: Cell<bool>,
    /// What came while the page stands still.
    held_back: RefCell<HeldBack>,
}

impl<R, Fetch, Answer> Follower<R, Fetch>
where
    R: Reducer + Send + Sync + 'static,
    Fetch: Fn() -> Answer + 'static,
    Answer: Future<Output = Result<Snapshot<R::Data>, AppError>> + 'static,
{
    fn new(
        state: RwSignal<R>,
        refused: RwSignal<Option<AppError>>,
        client: LiveClient,
        fetch: Fetch,
    ) -> Self {
        let (id, reading, held_back) = (Cell::new(None), Cell::new(false), RefCell::default());
        Self { state, refused, client, fetch, id, reading, held_back }
    }

    fn take(self: &Rc<Self>, catch_up: CatchUp) {
        if self.is_held() {
            self.held_back.borrow_mut().push(catch_up);
            return;
        }
        let CatchUp::Events(events) = catch_up else {
            self.read_anew_after(Duration::ZERO);
            return;
        };
        // Every event is applied, changed or not: no short circuit.
        self.state.try_maybe_update(|state| {
            let changed = events.iter().fold(false, |changed, event| state.apply(event) | changed);
            (changed, ())
        });
        if self.state.try_with_untracked(Reducer::wants_refetch) == Some(true) {
            self.read_anew_after(DEBOUNCE);
        }
    }

    fn read_anew_after(self: &Rc<Self>, delay: Duration) {
        if self.reading.replace(true) {
            return;
        }
        let follower = Rc::clone(self);
        set_timeout(
            move || {
                // The page may be left while a read is planned: what `fetch` reads of it is then gone as well.
                if follower.state.is_disposed() {
                    return;
                }
                spawn_local(async move {
                    let answer = (follower.fetch)().await;
                    follower.reading.set(false);
                    follower.answered(answer);
                });
            },
            delay,
        );
    }

    fn answered(self: &Rc<Self>, answer: Result<Snapshot<R::Data>, AppError>) {
        if self.state.is_disposed() {
            return;
        }
        match (answer, self.id.get()) {
            (Ok(snapshot), Some(id)) => {
                let position = snapshot.position;
                // What waits is behind this position, or comes again.
                self.held_back.take();
                self.state.try_update(|state| state.replace(snapshot));
                if self.refused.with_untracked(Option::is_some) {
                    self.refused.set(None);
                }
                match self.client.resume(id, position) {
                    // The answer may be one that the service kept for a moment, and older than what the feed
                    // has: a newer one is there soon, but not at once.
                    CatchUp::Gap => self.read_anew_after(DEBOUNCE),
                    events => self.take(events),
                }
            }
            // Nothing that a second try would change. What may no longer be seen goes from the screen.
            (
                Err(error @ (AppError::Unauthenticated | AppError::Forbidden { .. } | AppError::NotFound)),
                _,
            ) => self.refused.set(Some(error)),
            (_, None) => {}
            (Err(_), Some(_)) => self.read_anew_after(RETRY),
        }
    }

    fn is_held(&self) -> bool {
        self.client.held().with_untracked(Option::is_some)
    }

    /// Takes what waits once the page is let go on, and reads anew what no event tells of.
    fn go_on_when_let(self: &Rc<Self>) {
        let follower = Rc::clone(self);
        let held = self.client.held();
        Effect::new(move |was_held: Option<bool>| {
            let is_held = held.with(Option::is_some);
            if was_held == Some(true) && !is_held {
                let waiting = follower.held_back.borrow_mut().take();
                follower.take(waiting);
                if R::REFRESH.is_some() {
                    follower.read_anew_after(Duration::ZERO);
                }
            }
            is_held
        });
    }

    fn refresh_by_the_clock(self: &Rc<Self>) {
        let Some(every) = R::REFRESH else { return };
        let follower = Rc::clone(self);
        let status = self.client.status();
        let refresh = move || {
            if status.get_untracked().is_fresh() && !document().hidden() && !follower.is_held() {
                follower.read_anew_after(Duration::ZERO);
            }
        };
        if let Ok(interval) = set_interval_with_handle(refresh, every) {
            on_cleanup(move || interval.clear());
        }
    }
}
