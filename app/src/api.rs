//! Server functions: authorize, delegate, return. What they do stands behind the port.

#![expect(missing_docs, reason = "the server macro makes a public struct of each function's arguments")]

pub mod overview;
pub mod settlements;
pub mod user;

pub use overview::get_overview;
pub use settlements::{
    CreateSettlement, MoveSettlement, create_settlement, get_settlement, list_settlements, move_settlement,
};
pub use user::get_current_user;
