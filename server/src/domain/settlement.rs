//! Settlements: the model, and the table of moves that it may make.

mod model;
mod moves;

pub use model::{NewSettlement, Settlement};
pub use moves::{Move, MoveError, MoveInput, MoveKind, MoveRule, RULES, rule};
