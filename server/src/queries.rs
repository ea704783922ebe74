//! What callers can ask: the API and the dashboard both come through here. Each asks for the permission
//! that it needs, and reads one project's rows.

mod access;
mod channels;
mod connections;
mod deliveries;
pub mod events;
mod jobs;
pub mod notifications;
mod overview;
mod paging;
pub mod records;
mod server_checks;
mod snapshot;
mod system;
pub mod webhooks;
mod witness;

pub use access::{
    AUDIT_PAGE, api_keys, audit, audit_entry, invitations, organizations, people, person_page, roles,
    sessions,
};
pub use channels::channels;
pub use connections::connections;
pub use deliveries::{MOST_EVENTS as MOST_PROOFS, deliveries};
pub use jobs::{find_job, job, job_of, jobs};
pub use overview::{is_counted, overview};
pub use paging::cut_page;
pub use server_checks::server_checks;
pub use snapshot::{finish, token_of};
pub use system::system;
pub use witness::witness;
