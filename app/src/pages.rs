//! The pages.

pub mod api_keys;
pub mod audit;
pub mod invitation;
pub mod login;
pub mod not_found;
pub mod overview;
pub mod people;
pub mod project;
pub mod sessions;
pub mod settlement;
pub mod settlements;

pub use api_keys::ApiKeysPage;
pub use audit::AuditPage;
pub use invitation::InvitationPage;
pub use login::LoginPage;
pub use not_found::NotFoundPage;
pub use overview::OverviewPage;
pub use people::PeoplePage;
pub use project::ProjectPage;
pub use sessions::SessionsPage;
pub use settlement::SettlementPage;
pub use settlements::SettlementsPage;
