//! Who may connect.

use std::fmt;

use secrecy::SecretString;
use socketioxide::extract::{SocketRef, State, TryData};

use super::messages::Auth;
use super::peer;
use super::session::{Entrance, Session};
use crate::access::Caller;
use crate::error::Error;
use crate::http::login_origin::client_address;
use crate::state::AppState;
use tidewatch_events::Permission;

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
        // What went wrong inside is for the log alone.
        match error {
            Error::Internal(reason) => {
                tracing::error!(reason, "a Socket.IO connection failed by a fault of ours");
                Self("a fault of ours; the service's log tells more".to_owned())
            }
            error => Self(error.to_string()),
        }
    }
}

/// Lets a client in that shows an API key or an access token, may read events, and has a place.
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
    caller.require(&Permission::EVENTS_READ)?;
    let parts = socket.req_parts();
    let address = peer(parts).map(|peer| client_address(peer, &parts.headers, &state.config.trusted_proxies));
    let place = state.stream_counts.enter(&caller, address)?;
    socket.extensions.insert(Entrance::new(Session::new(caller, place)));
    Ok(())
}
