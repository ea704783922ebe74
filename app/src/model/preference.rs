//! What a browser remembers of how pages are to look.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text is none of the choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be {0}")]
pub struct ParsePreferenceError(&'static str);

macro_rules! preferences {
    ($($(#[$doc:meta])* $name:ident: $choices:literal {
        $($(#[$choice_doc:meta])* $choice:ident = $text:literal,)+
    })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name {
            $($(#[$choice_doc])* $choice,)+
        }

        impl $name {
            /// Every choice, in the order of the switch.
            pub const ALL: &'static [Self] = &[$(Self::$choice),+];

            /// As the cookie and the document write it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$choice => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ParsePreferenceError;

            fn from_str(text: &str) -> Result<Self, ParsePreferenceError> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|choice| choice.as_str() == text)
                    .ok_or(ParsePreferenceError($choices))
            }
        }
    )+};
}

preferences! {
    /// The colours that a person wants.
    Theme: "light, dark or system" {
        /// Dark on light.
        Light = "light",
        /// Light on dark.
        Dark = "dark",
        /// What the operating system asks for.
        #[default]
        System = "system",
    }

    /// How close rows stand.
    Density: "comfortable or compact" {
        /// With room between them.
        #[default]
        Comfortable = "comfortable",
        /// As many as fit.
        Compact = "compact",
    }
}
