//! What pages are made of.

pub mod amount;
pub mod change_form;
pub mod connection_pill;
pub mod copyable_id;
pub mod empty_state;
pub mod error_state;
pub mod freshness;
pub mod icon;
pub mod loading;
pub mod pagination;
pub mod progress_bar;
pub mod relative_time;
pub mod sparkline;
pub mod status_badge;
pub mod theme_switch;
pub mod timeline;
pub mod while_allowed;

pub use amount::Amount;
pub use connection_pill::ConnectionPill;
pub use copyable_id::CopyableId;
pub use empty_state::EmptyState;
pub use error_state::ErrorState;
pub use freshness::Freshness;
pub use icon::{Icon, IconName};
pub use loading::Loading;
pub use pagination::Pagination;
pub use progress_bar::ProgressBar;
pub use relative_time::RelativeTime;
pub use sparkline::Sparkline;
pub use status_badge::StatusBadge;
pub use theme_switch::ThemeSwitch;
pub use timeline::Timeline;
pub use while_allowed::WhileAllowed;
