//! What callers can ask: the API and the dashboard both come through here. Each asks for the permission
//! that it needs, and reads one project's rows.

mod access;
mod channels;
mod connections;
mod jobs;
mod paging;
pub mod webhooks;

pub use access::{AUDIT_PAGE, api_keys, audit, audit_entry, organizations, people, sessions};
pub use channels::channels;
pub use connections::connections;
pub use jobs::{find_job, job, job_of, jobs};
pub use paging::cut_page;
