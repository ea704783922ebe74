//! Icons: strokes on a grid of 16, in the colour of the text.

use leptos::prelude::*;

/// Which icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IconName {
    /// A tide gauge's hand: the overview.
    Overview,
    /// Two arrows: settlements.
    Settlements,
    /// Something begins.
    Dot,
    /// A route.
    Route,
    /// A gauge.
    Gauge,
    /// Something is sent.
    Send,
    /// Something is on its way.
    Hourglass,
    /// Something is certain.
    Check,
    /// Something is done.
    CheckCircle,
    /// Something went wrong.
    Cross,
    /// Something is stopped.
    Pause,
    /// Something goes on.
    Play,
    /// Live.
    Signal,
    /// Trying again.
    Retry,
    /// No network.
    Offline,
    /// Signed out.
    Lock,
    /// To the clipboard.
    Copy,
    /// Attention.
    Alert,
    /// Something new.
    Plus,
    /// Light colours.
    Sun,
    /// Dark colours.
    Moon,
    /// As the system has it.
    Screen,
    /// Upwards.
    Up,
    /// People.
    People,
    /// A key.
    Key,
    /// What was.
    History,
    /// Settings.
    Gear,
    /// Another place.
    Switch,
    /// What is connected.
    Plug,
    /// A channel.
    Channel,
    /// Work in a queue.
    Stack,
    /// Calls to elsewhere.
    Hook,
    /// What was bought.
    Cart,
    /// A payment.
    Card,
    /// A paper with amounts.
    Receipt,
    /// Two sides that are equal.
    Scale,
    /// Work to be done.
    Ticket,
    /// A machine.
    Server,
    /// Lines of text.
    Lines,
    /// Something is looked for.
    Search,
    /// Notifications.
    Bell,
    /// Put away.
    Archive,
    /// Downwards.
    Down,
    /// A letter.
    Mail,
    /// Something that is sent or kept.
    Box,
}

impl IconName {
    /// The icon that a module calls by this name; a dot where there is none.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "settlements" => Self::Settlements,
            "cart" => Self::Cart,
            "card" => Self::Card,
            "receipt" => Self::Receipt,
            "scale" => Self::Scale,
            "ticket" => Self::Ticket,
            "alert" => Self::Alert,
            "server" => Self::Server,
            "play" => Self::Play,
            "lines" => Self::Lines,
            "box" => Self::Box,
            "people" => Self::People,
            "key" => Self::Key,
            "mail" => Self::Mail,
            "gauge" => Self::Gauge,
            "route" => Self::Route,
            "archive" => Self::Archive,
            _ => Self::Dot,
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Overview => "M2 12a6 6 0 1 1 12 0M8 12l3-4",
            Self::Settlements => "M2 5.5h10M9.5 3 12 5.5 9.5 8M14 10.5H4M6.5 8 4 10.5 6.5 13",
            Self::Dot => "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z",
            Self::Route => {
                "M3.5 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM12.5 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM5 12h5a2 2 0 0 0 0-4H6a2 2 0 0 1 0-4h5"
            }
            Self::Gauge => "M2.5 12a6 6 0 1 1 11 0M8 11V6",
            Self::Send => "m2.5 8 11-5-4 10.5L7.5 9Z",
            Self::Hourglass => "M4.5 2.5h7M4.5 13.5h7M5 2.5c0 3 6 5.5 6 11M11 2.5c0 3-6 5.5-6 11",
            Self::Check => "m3 8.5 3.5 3.5L13 4.5",
            Self::CheckCircle => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM5.3 8.2l2 2 3.4-4",
            Self::Cross => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM6 6l4 4M10 6l-4 4",
            Self::Pause => "M5.5 3.5v9M10.5 3.5v9",
            Self::Play => "M5 3.5v9L12.5 8Z",
            Self::Signal => "M8 12.5h.01M5.5 10a3.5 3.5 0 0 1 5 0M3 7.5a7 7 0 0 1 10 0",
            Self::Retry => "M13 8a5 5 0 1 1-1.5-3.5L13 6M13 2.5V6H9.5",
            Self::Offline => {
                "M2.5 2.5l11 11M8 12.5h.01M5.5 10a3.5 3.5 0 0 1 3-1M3 7.5a7 7 0 0 1 2.6-1.6M8.5 5.4A7 7 0 0 1 13 7.5"
            }
            Self::Lock => "M4 7.5h8v6H4ZM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
            Self::Copy => "M5.5 5.5h7v8h-7ZM3.5 10.5v-8h7",
            Self::Alert => "M8 2.5 14 13H2ZM8 6.5v3M8 11.2h.01",
            Self::Plus => "M8 3v10M3 8h10",
            Self::Sun => {
                "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7"
            }
            Self::Moon => "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5Z",
            Self::Screen => "M2.5 3.5h11v7h-11ZM6 13.5h4M8 10.5v3",
            Self::Up => "M8 13V3M4 7l4-4 4 4",
            Self::People => {
                "M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM1.5 13.5a4.5 4.5 0 0 1 9 0M10.5 2.8a2.5 2.5 0 0 1 0 4.4M12 9.6a4.5 4.5 0 0 1 2.5 3.9"
            }
            Self::Key => "M10.5 9.5a3.5 3.5 0 1 0-3.2-2.1L2 12.5v1.5h2.5v-1.5H6V11l1.6-1.3M11.5 5.4v.2",
            Self::History => "M2.5 8a5.5 5.5 0 1 0 1.8-4.1L2.5 5.4M2.5 2.5v2.9h2.9M8 5v3.2l2.2 1.3",
            Self::Gear => {
                "M8 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4ZM8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.4M3.6 12.4 5 11M11 5l1.4-1.4"
            }
            Self::Switch => "M5 6l3-3 3 3M5 10l3 3 3-3",
            Self::Plug => "M5.5 2v3.5M10.5 2v3.5M3.5 5.5h9v2.5a4.5 4.5 0 0 1-9 0ZM8 12.5V14.5",
            Self::Channel => "M6.5 2.5 5 13.5M11 2.5 9.5 13.5M3 6h10.5M2.5 10H13",
            Self::Stack => "M8 2 2 5l6 3 6-3ZM2 8l6 3 6-3M2 11l6 3 6-3",
            Self::Cart => "M1.5 2.5h2l1.6 7.5h7.2L14 5H4.2M6 13.2h.01M11.5 13.2h.01",
            Self::Card => "M2 4h12v8.5H2ZM2 7h12M4.5 10h2.5",
            Self::Receipt => "M3.5 1.8v12.4l1.5-1 1.5 1 1.5-1 1.5 1 1.5-1 1.5 1V1.8ZM6 5.5h4M6 8.5h4",
            Self::Scale => "M8 2v12M5 14h6M2.5 4.5h11M2.5 4.5 1 9h3.5ZM13.5 4.5 12 9h3Z",
            Self::Ticket => "M2 4.5h12v2.2a1.4 1.4 0 0 0 0 2.6v2.2H2V9.3a1.4 1.4 0 0 0 0-2.6ZM9.5 4.5v7",
            Self::Server => "M2.5 2.5h11v4.5h-11ZM2.5 9h11v4.5h-11ZM5 4.8h.01M5 11.2h.01",
            Self::Search => "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3l3.4 3.4",
            Self::Lines => "M2.5 4h11M2.5 8h8M2.5 12h9.5",
            Self::Bell => {
                "M8 2a4 4 0 0 0-4 4c0 3-1.5 4-1.5 5.5h11C13.5 10 12 9 12 6a4 4 0 0 0-4-4ZM6.6 13.7a1.5 1.5 0 0 0 2.8 0"
            }
            Self::Archive => "M2 3h12v3H2ZM3.2 6v7h9.6V6M6.5 8.7h3",
            Self::Down => "M8 3v10M4 9l4 4 4-4",
            Self::Mail => "M2 3.8h12v8.6H2ZM2.4 4.5 8 9l5.6-4.5",
            Self::Box => "M8 1.8 13.5 4.8v6.4L8 14.2l-5.5-3V4.8ZM2.5 4.8 8 7.8l5.5-3M8 7.8v6.4M5.2 3.3l5.5 3",
            Self::Hook => {
                "M6.8 7.6 4.6 11.4M9.6 6.6l2.2 3.8M4.6 11.4h6.6M8 2.5a2.3 2.3 0 0 1 1.6 4M8 2.5a2.3 2.3 0 0 0-1.2 5.1M11.2 13.6a2.2 2.2 0 1 0-1-4M4.6 13.6a2.2 2.2 0 0 1-1.4-4"
            }
        }
    }
}

/// An icon beside a word that says the same.
#[component]
pub fn Icon(
    /// Which one.
    name: IconName,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
            <path d=name.path()></path>
        </svg>
    }
}
