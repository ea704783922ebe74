//! Every kind of problem that the API answers with. A problem is made of one of these and of nothing else, so that
//! each of them is described where the API is.

use http::StatusCode;

/// What a problem's `type` begins with.
pub const URN: &str = "urn:tidewatch:problem:";

macro_rules! problem_kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $status:ident $name:literal $title:literal;)+) => {
        /// A kind of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl ProblemKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The status that it is answered with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$kind => StatusCode::$status,)+
                }
            }

            /// What its `type` ends with; it stays the same for programs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// What it is, in a line that is the same each time.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$kind => $title,)+
                }
            }

            /// When it comes up, and what to do.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!($($doc),+),)+
                }
            }
        }
    };
}

problem_kinds! {
    /// Query parameters will not do or are not known, or a header or a part of the path will not do; `errors` names each
    /// and says why.
    InvalidParameter = BAD_REQUEST "invalid-parameter" "A parameter is not valid";
    /// The body is no JSON, or it broke off.
    MalformedBody = BAD_REQUEST "malformed-body" "The request's body cannot be read";
    /// Nobody is signed in, or what was sent as a credential does not count (any more).
    Unauthenticated = UNAUTHORIZED "unauthenticated" "Authentication is needed";
    /// The caller lacks a permission; `permission` names it.
    Forbidden = FORBIDDEN "forbidden" "A permission is missing";
    /// The token opens other things than that, such as a bell's token outside of its person's notifications.
    TokenScope = FORBIDDEN "token-scope" "The token does not open that";
    /// An API key asked for an inbox, which only persons have.
    NoInbox = FORBIDDEN "no-inbox" "Keys have no inbox";
    /// An API key asked for what only persons have, such as logins and a password.
    PersonsOnly = FORBIDDEN "persons-only" "Only persons have that";
    /// The caller is not let into a private channel: its token is missing, over, or for another channel.
    ChannelRefused = FORBIDDEN "channel-refused" "The channel is not open to you";
    /// A change that a session's cookie would authorize was sent from another site.
    CrossSiteRequest = FORBIDDEN "cross-site-request" "The request comes from another site";
    /// There is no such thing in the caller's project, or the caller may not see it: both look the same.
    NotFound = NOT_FOUND "not-found" "Not found";
    /// The address does not take this method; the header `Allow` names those that it takes.
    MethodNotAllowed = METHOD_NOT_ALLOWED "method-not-allowed" "Method not allowed";
    /// There is nothing in a form that `Accept` allows.
    NotAcceptable = NOT_ACCEPTABLE "not-acceptable" "Not acceptable";
    /// The answer did not begin in time; the change may have been made.
    Timeout = REQUEST_TIMEOUT "timeout" "The request took too long";
    /// Somebody else was first, or the move is not possible from here; `current` is the record as it is now.
    Conflict = CONFLICT "conflict" "What is there does not allow this now";
    /// It was changed meanwhile, or a later version is recorded; `currentVersion` is the one that is there.
    StaleVersion = CONFLICT "stale-version" "It was changed meanwhile";
    /// What is asked for would break something that must hold; `detail` says what.
    Refused = CONFLICT "refused" "That is not possible now";
    /// A request with the same `Idempotency-Key` has not ended; ask again for its answer.
    RequestInFlight = CONFLICT "request-in-flight" "A request with this idempotency key is being carried out";
    /// The events that were asked for are no longer kept; `oldestPosition` is the oldest that is.
    HistoryGap = GONE "history-gap" "Events are no longer kept";
    /// The body is larger than the address takes.
    BodyTooLarge = PAYLOAD_TOO_LARGE "body-too-large" "The request's body cannot be read";
    /// The body's content type is none that the address takes.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The request's body cannot be read";
    /// Fields of the body will not do; `errors` points at each and says why.
    InvalidFields = UNPROCESSABLE_ENTITY "invalid-fields" "Some fields are not valid";
    /// The `Idempotency-Key` was used for a request with another body.
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY "idempotency-key-reused"
        "The idempotency key was used for another request";
    /// There were too many attempts to sign in; the header `Retry-After` says when to come again.
    TooManyAttempts = TOO_MANY_REQUESTS "too-many-attempts" "Too many attempts";
    /// The API key publishes more events a second than its share, which is `limit`.
    TooManyPublishes = TOO_MANY_REQUESTS "too-many-publishes" "Too many events published";
    /// The caller has as many streams and waiting polls open as it may, which is `limit`.
    TooManyStreams = TOO_MANY_REQUESTS "too-many-streams" "Too many streams";
    /// A fault of the service; its log tells more under the request's id.
    Internal = INTERNAL_SERVER_ERROR "internal" "A fault of ours";
    /// The instance is going down, or what it needs cannot be reached; nothing was changed. Try again after the
    /// seconds that the header `Retry-After` names.
    Unavailable = SERVICE_UNAVAILABLE "unavailable" "Not available now";
}
