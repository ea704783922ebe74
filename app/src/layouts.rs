//! What stands around pages.

pub mod dashboard;

pub use dashboard::DashboardLayout;
