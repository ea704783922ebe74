//! Who may connect.

use std::fmt;

use secrecy::SecretString;
use socketioxide::extract::{SocketRef, State, TryData};
use tidewatch_events::id::ConnectionId;
use uuid::Uuid;

use super::messages::{Auth, detail};
use super::session::{Held, Session, hear};
use crate::access::Caller;
use crate::access::credential::Credential;
use crate::access::login::LoginOrigin;
use crate::error::Error;
use crate::presence::ConnectionKind;
use crate::state::AppState;
use crate::stream::reach::Reach;

/// Why a client may not connect: the message of its `connect_error`.
#[derive(Debug)]
pub(super) struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(detail(&error.into_problem().into_json()))
    }
}

/// Lets a client in that shows an API key or an access token, may read events or is a person, and has a place.
pub(super) async fn authenticate(
    socket: SocketRef,
    State(state): State<AppState>,
    TryData(auth): TryData<Auth>,
) -> Result<(), Refusal> {
    let Ok(Auth { token }) = auth else {
        return Err(Refusal("connect with `auth: {token}`: an API key or an access token".to_owned()));
    };
    if state.readiness.is_draining() {
        return Err(Error::Unavailable("this instance is going down").into());
    }
    let caller = Caller::from_secret(&SecretString::from(token), &state).await?;
    if matches!(caller.credential, Credential::Embed { .. }) {
        return Err(Error::TokenScope(
            "a token for the bell opens no socket; use an API key or an access token",
        )
        .into());
    }
    let reach = Reach::of(&caller)?;
    let origin = LoginOrigin::read(socket.req_parts(), &state.config.trusted_proxies);
    let place = state.stream_counts.enter(&caller, origin.address)?;
    let id = ConnectionId::from_uuid(Uuid::now_v7());
    let present = state.presence.enter(id, ConnectionKind::SocketIo, &caller, &origin);
    hear(&socket, Session::new(id, caller, reach, Held { place, present }));
    Ok(())
}
