//! The pages.

pub mod login;
pub mod not_found;
pub mod overview;
pub mod settlement;
pub mod settlements;

pub use login::LoginPage;
pub use not_found::NotFoundPage;
pub use overview::OverviewPage;
pub use settlement::SettlementPage;
pub use settlements::SettlementsPage;
