//! All that a module's file needs: `use tidewatch_modules::prelude::*;`.

pub use tidewatch_events::money::Currency;
pub use tidewatch_events::{AggregateType, Permission, SubjectRef};

pub use crate::aggregate::{Aggregate, Context, MoveError, checked_amount, checked_text};
pub use crate::module::{Chart, FieldKind, InputKind, Module, Tone, choice, field, input, rule, status};
pub use crate::outcome::{Effect, Outcome};
