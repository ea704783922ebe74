//! A connected client: what it listens to, and what it is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use secrecy::SecretString;
use serde_json::{Value, json};
use socketioxide::extract::{AckSender, Extension, SocketRef, State, TryData};
use socketioxide::socket::DisconnectReason;
use tidewatch_app::model::{Notification, NotificationStep};
use tidewatch_events::id::{ConnectionId, NotificationId};
use tidewatch_events::stream::SystemCode;
use tidewatch_events::{Channel, EventFilter, EventType, Permission, ResumePoint};
use tidewatch_hub::{CloseReason, Delivery, StartAt, SubscribeRequest, Subscription};
use tokio::sync::SetOnce;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::messages::{Acknowledge, ChannelEvent, Listen, Remove, detail, failure, say, send_event, success};
use crate::access::Caller;
use crate::access::channels::{admit, with_grants};
use crate::commands::Origin;
use crate::commands::notifications::steps::{self, Recipient};
use crate::error::Error;
use crate::notifications::receipts::Way;
use crate::presence::Present;
use crate::queries;
use crate::state::AppState;
use crate::stream::limits::Place;
use crate::stream::reach::Reach;
use crate::stream::resume;
use crate::stream::sse::REMOVED_FROM_CHANNEL;
use crate::stream::warden::Watch;
use crate::traces::Traces;
use crate::traces::path::envelopes;

/// Most channels of one socket.
const MAX_CHANNELS: usize = 100;
/// How long something that a client says early waits for it to be in.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How long the channels of a connection that is ended have for what they have to say.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// A type of which no event is ever delivered: the connection's own subscription is there to be ended
/// and to be told.
const NO_EVENT: EventType = EventType::from_static("connection.control");

/// What is held for a client as long as it is there.
#[derive(Debug)]
pub(super) struct Held {
    /// It counts against the limits.
    #[expect(dead_code, reason = "it is there to be dropped")]
    pub(super) place: Place,
    /// It is seen to be there, with its channels.
    pub(super) present: Present,
}

/// A connected client.
#[derive(Debug)]
pub(super) struct Session {
    id: ConnectionId,
    caller: Caller,
    reach: Reach,
    held: Held,
    listening: Mutex<HashMap<Channel, AbortHandle>>,
    /// The same, to be waited for.
    tasks: TaskTracker,
    /// From here on the client can be told something. It may ask for something before: as soon as it knows
    /// that it is in, which can be earlier than this side does.
    begun: SetOnce<()>,
    /// The client is gone.
    over: CancellationToken,
}

impl Session {
    pub(super) fn new(id: ConnectionId, caller: Caller, reach: Reach, held: Held) -> Self {
        Self {
            id,
            caller,
            reach,
            held,
            listening: Mutex::default(),
            tasks: TaskTracker::new(),
            begun: SetOnce::new(),
            over: CancellationToken::new(),
        }
    }

    /// Waits until the client can be told something; `false`: it is gone.
    async fn can_be_told(&self) -> bool {
        tokio::select! {
            begun = tokio::time::timeout(CONNECT_WAIT, self.begun.wait()) => begun.is_ok(),
            () = self.over.cancelled() => false,
        }
    }

    fn end(&self, why: DisconnectReason) {
        tracing::info!(
            target: "tidewatch_server::http",
            who = %self.caller.actor, end = ?why, connection.id = %self.id, "socket ended"
        );
        self.over.cancel();
        self.leave_all();
    }

    fn leave(&self, channel: &Channel) -> bool {
        let task = self.listening.lock().remove(channel).inspect(AbortHandle::abort);
        self.held.present.leaves([channel]);
        task.is_some()
    }

    fn leave_all(&self) {
        self.listening.lock().drain().for_each(|(_, task)| task.abort());
    }
}

/// The session as its socket holds it.
#[derive(Debug, Clone)]
pub(super) struct Entrance(Arc<Session>);

/// What the client says is heard from before it knows that it is in: nothing that it says is lost.
pub(super) fn hear(socket: &SocketRef, session: Session) {
    let session = Arc::new(session);
    socket.extensions.insert(Entrance(Arc::clone(&session)));
    socket.on("listen", listen);
    socket.on("remove", remove);
    socket.on("acknowledge", acknowledge);
    socket.on_disconnect(move |why: DisconnectReason| async move { session.end(why) });
}

/// The client is in, until it is gone.
pub(super) async fn begin(
    socket: SocketRef,
    State(state): State<AppState>,
    Extension(Entrance(session)): Extension<Entrance>,
) {
    drop(session.begun.set(()));
    let over = session.over.clone();
    over.run_until_cancelled(control(state, session, socket)).await;
}

/// Waits until the connection is ended, or its rights change.
async fn control(state: AppState, session: Arc<Session>, socket: SocketRef) {
    let filter = EventFilter {
        types: vec![tidewatch_events::filter::TypePattern::Exact(NO_EVENT)],
        ..EventFilter::default()
    };
    let caller = &session.caller;
    let subject = session.reach.subject(&caller.subject, &caller.credential);
    let _watch = state.warden.watch(session.id, caller.credential, Vec::new(), session.reach, &subject);
    let mut subscription = state.hub.subscribe(SubscribeRequest {
        id: session.id,
        subject: subject.into_owned(),
        filter,
        after: StartAt::Head,
        reader: None,
    });
    loop {
        let reason = match subscription.next().await {
            Delivery::Closed(reason) => reason,
            Delivery::PermissionsChanged(_) => {
                let message = "What you may see has changed. Read the present state anew.";
                say(&socket, SystemCode::PermissionsChanged, message, Value::Null).await;
                continue;
            }
            _ => continue,
        };
        let (code, message) = match reason {
            CloseReason::Draining => (
                SystemCode::ServerDraining,
                "This instance is going down. Connect again and listen after the last event you had.",
            ),
            CloseReason::SessionExpired => {
                (SystemCode::SessionExpired, "The key or token of this connection has ended.")
            }
            CloseReason::Forbidden => {
                (SystemCode::PermissionsChanged, "The permission events.read was taken from you.")
            }
            CloseReason::Removed => (SystemCode::Error, "This connection was ended by an operator."),
        };
        // What its channels have to say comes first: each ends by itself when its rights do.
        session.tasks.close();
        if reason != CloseReason::Removed {
            drop(tokio::time::timeout(LAST_WORDS, session.tasks.wait()).await);
        }
        session.leave_all();
        say(&socket, code, message, Value::Null).await;
        // Whoever is told so by the server connects again only when its program says so. An instance that
        // goes down closes the transport instead, and then clients come back by themselves.
        if reason != CloseReason::Draining {
            drop(socket.disconnect());
        }
        return;
    }
}

async fn listen(
    socket: SocketRef,
    State(state): State<AppState>,
    Extension(Entrance(session)): Extension<Entrance>,
    TryData(request): TryData<Listen>,
    ack: AckSender,
) {
    if !session.can_be_told().await {
        return;
    }
    let (channel, done) = match request {
        Ok(request) => (Some(request.channel_name.clone()), join(&state, &session, request).await),
        Err(error) => {
            (None, Err(Error::field("", format!("`listen` takes {{channelName, token?, after?}}: {error}"))))
        }
    };
    answer(&socket, ack, channel.as_ref(), done).await;
}

async fn remove(
    socket: SocketRef,
    Extension(Entrance(session)): Extension<Entrance>,
    TryData(request): TryData<Remove>,
    ack: AckSender,
) {
    if !session.can_be_told().await {
        return;
    }
    let (channel, done) = match request {
        Ok(Remove { channel_name: channel }) if session.leave(&channel) => {
            let answer = success(&channel, Value::Null);
            (Some(channel), Ok((answer, None)))
        }
        Ok(Remove { channel_name: channel }) => {
            let error = Error::NotFound(format!("channel `{channel}` that you listen to"));
            (Some(channel), Err(error))
        }
        Err(error) => (None, Err(Error::field("", format!("`remove` takes {{channelName}}: {error}")))),
    };
    answer(&socket, ack, channel.as_ref(), done).await;
}

/// The recipient says that what a notification tells of is done.
async fn acknowledge(
    State(state): State<AppState>,
    Extension(Entrance(session)): Extension<Entrance>,
    TryData(request): TryData<Acknowledge>,
    ack: AckSender,
) {
    let done = match request {
        Ok(Acknowledge { notification_id }) => acknowledged(&state, &session.caller, notification_id).await,
        Err(error) => Err(Error::field("", format!("`acknowledge` takes {{notificationId}}: {error}"))),
    };
    let answer = match done {
        Ok(notification) => json!({ "ok": true, "notification": notification }),
        Err(error) => json!({ "ok": false, "problem": error.into_problem().into_json() }),
    };
    drop(ack.send(&answer));
}

async fn acknowledged(state: &AppState, caller: &Caller, id: NotificationId) -> Result<Notification, Error> {
    let recipient = Recipient::of(caller, &Origin::default(), Way::SocketIo)?;
    steps::take(state, &recipient, &[id], NotificationStep::Acknowledge).await?;
    Ok(queries::notifications::notification(state, &recipient, id).await?.data)
}

/// A channel's subscription, to be run once the client knows that it has it.
type Joined = (Value, Option<Listener>);

/// Tells the client, by the acknowledgement where it wants one and by `system_message` in any case.
async fn answer(socket: &SocketRef, ack: AckSender, channel: Option<&Channel>, done: Result<Joined, Error>) {
    let (code, message, answer, listener) = match done {
        Ok((answer, listener)) => (SystemCode::Success, "Done.".to_owned(), answer, listener),
        Err(error) => {
            let code = match &error {
                Error::Throttled(_) | Error::TooManyStreams { .. } => SystemCode::RateLimited,
                _ => SystemCode::Error,
            };
            let problem = error.into_problem().into_json();
            (code, detail(&problem), failure(channel, &problem), None)
        }
    };
    say(socket, code, message, answer.clone()).await;
    drop(ack.send(&answer));
    if let Some(listener) = listener {
        listener.start(socket.clone());
    }
}

async fn join(state: &AppState, session: &Arc<Session>, request: Listen) -> Result<Joined, Error> {
    let Listen { channel_name: channel, token, after } = request;
    let caller = &session.caller;
    caller.require(&Permission::EVENTS_READ)?;
    // A token for a public channel is not looked at: nobody needs one.
    let token = token.filter(|_| channel.is_private()).map(SecretString::from);
    let grants = admit(state, caller, std::slice::from_ref(&channel), token.as_slice()).await?;
    let point: ResumePoint = match after {
        Some(after) => after.parse().map_err(|error| Error::field("after", error))?,
        None => ResumePoint::default(),
    };
    let start = resume::resolve(state, caller.project(), point).await?;
    if session.listening.lock().len() >= MAX_CHANNELS {
        return Err(Error::field(
            "channelName",
            format!("is one too many: a socket listens to {MAX_CHANNELS} at most"),
        ));
    }
    let id = ConnectionId::from_uuid(Uuid::now_v7());
    let subject = with_grants(&caller.subject, &grants);
    session.held.present.listens([&channel], &grants, id);
    let watch = state.warden.watch(id, caller.credential, grants, Reach::All, &subject);
    let filter = EventFilter { channels: vec![channel.clone()], ..EventFilter::default() };
    let subscription = state.hub.subscribe(SubscribeRequest {
        id,
        subject,
        filter,
        after: start,
        reader: session.held.present.reader(),
    });
    let told = json!({ "position": subscription.position(), "recovered": subscription.recovered() });
    let answer = success(&channel, told);
    let listener = Listener {
        session: Arc::clone(session),
        channel,
        subscription,
        traces: state.traces.clone(),
        _watch: watch,
    };
    Ok((answer, Some(listener)))
}

/// A channel that a client listens to.
struct Listener {
    session: Arc<Session>,
    channel: Channel,
    subscription: Subscription,
    traces: Traces,
    _watch: Watch,
}

impl Listener {
    /// Sends its events from now on, in the place of whoever sent them before.
    fn start(self, socket: SocketRef) {
        let session = Arc::clone(&self.session);
        let channel = self.channel.clone();
        let mut listening = session.listening.lock();
        let task = session.tasks.spawn(self.run(socket.clone())).abort_handle();
        // A client that has left while it was let in is told nothing more.
        if session.over.is_cancelled() {
            task.abort();
        } else if let Some(before) = listening.insert(channel, task) {
            before.abort();
        }
    }

    async fn run(mut self, socket: SocketRef) {
        while self.pass_on(&socket).await {}
        let mut listening = self.session.listening.lock();
        // Unless another one has taken its place meanwhile.
        if listening.get(&self.channel).map(AbortHandle::id) == tokio::task::try_id() {
            listening.remove(&self.channel);
            self.session.held.present.leaves([&self.channel]);
        }
    }

    /// Passes the next delivery on; `false`: there is nothing more to come.
    async fn pass_on(&mut self, socket: &SocketRef) -> bool {
        let channel = &self.channel;
        match self.subscription.next().await {
            Delivery::Events(events) | Delivery::Urgent(events) => {
                let began = SystemTime::now();
                for event in &*events {
                    let envelope = &event.event().envelope;
                    if !send_event(socket, &ChannelEvent { channel_name: channel, envelope }).await {
                        return false;
                    }
                }
                if self.traces.is_on() {
                    self.traces.delivered(self.session.id, envelopes(&events), began);
                }
                true
            }
            Delivery::Gap { oldest } => {
                let data = json!({
                    "channelName": channel, "oldestPosition": oldest, "position": self.subscription.position(),
                });
                let message = "Events between your position and now cannot be replayed here.";
                say(socket, SystemCode::HistoryGap, message, data).await
            }
            Delivery::PermissionsChanged(change) if change.removed.contains(channel) => {
                let data = json!({ "channels": change.removed, "channelName": channel });
                say(socket, SystemCode::RemovedFromChannel, REMOVED_FROM_CHANNEL, data).await;
                false
            }
            // The connection's own subscription tells of it.
            Delivery::PermissionsChanged(_) => true,
            Delivery::Lagged => {
                let message = "You read too slowly. Listen again after the last event you had.";
                say(socket, SystemCode::Lagged, message, json!({ "channelName": channel })).await;
                drop(socket.clone().disconnect());
                false
            }
            Delivery::Unavailable => {
                let message = "The history cannot be read now. Listen again after the last event you had.";
                say(socket, SystemCode::Error, message, json!({ "channelName": channel })).await;
                false
            }
            Delivery::Closed(_) => false,
        }
    }
}
