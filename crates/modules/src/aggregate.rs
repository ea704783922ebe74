//! What a developer writes of a module.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tidewatch_events::access::Actor;
use tidewatch_events::id::{RecordId, UserId};
use tidewatch_events::{SubjectRef, Timestamp};
use uuid::Uuid;

use crate::module::Module;
use crate::outcome::Outcome;

/// A kind of record: its fields are those of the struct, its columns the same in snake_case.
///
/// Pure: what it needs of the world stands in [`Context`].
pub trait Aggregate: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What is given for a new one. A field that it does not know is refused.
    type New: DeserializeOwned;
    /// Its moves with what each needs, tagged by `move`. `()` where there are none.
    type Move: DeserializeOwned;

    /// The description.
    fn module() -> Module;

    /// A new one.
    ///
    /// # Errors
    /// What is given will not do; see [`MoveError::Invalid`].
    fn create(new: Self::New, context: &Context<'_>) -> Result<(Self, Outcome), MoveError>;

    /// Makes a move that the table allows from `status`.
    ///
    /// # Errors
    /// A detail of the move will not do, or it is not this actor's to make.
    fn make(&mut self, step: Self::Move, status: &str, context: &Context<'_>) -> Result<Outcome, MoveError>;

    /// Whom it is for beside the project's staff and its organization.
    fn audience(&self) -> Vec<SubjectRef> {
        Vec::new()
    }
}

/// What a move may ask of the world.
pub struct Context<'a> {
    /// Which record it is about.
    pub id: RecordId,
    /// Who acts.
    pub actor: &'a Actor,
    /// The person behind that: themselves, or for whom an API key acts. `None` where that cannot be told.
    pub person: Option<UserId>,
    /// When.
    pub now: Timestamp,
    /// Above this amount, in minor units, a second person has to agree.
    pub approval_limit_minor: i64,
    /// Draws a new UUIDv7.
    pub draw: &'a (dyn Fn() -> Uuid + Sync),
}

impl Context<'_> {
    /// A new id for a record of the module with this prefix.
    #[must_use]
    pub fn new_id(&self, prefix: &'static str) -> RecordId {
        RecordId::new(prefix, (self.draw)())
    }
}

/// Why a move was not made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MoveError {
    /// The record has changed since the caller looked.
    #[error("the {one} is at version {current}, not {expected}")]
    StaleVersion {
        /// What it is.
        one: String,
        /// The version that the caller expected.
        expected: i64,
        /// The version that it has.
        current: i64,
    },
    /// The table does not have this move from here.
    #[error("a {one} that is {from} cannot make the move {name}")]
    NotAllowed {
        /// What it is.
        one: String,
        /// Where it stands.
        from: String,
        /// The move's name.
        name: String,
    },
    /// Whoever acts may not make this move of this record.
    #[error("{0}")]
    NotYours(String),
    /// A detail will not do.
    #[error("{field}: {message}")]
    Invalid {
        /// Which field.
        field: String,
        /// What is wrong with it.
        message: String,
    },
    /// A fault of ours: the module and what is stored do not fit.
    #[error("{0}")]
    Broken(String),
}

impl MoveError {
    /// A detail that will not do.
    #[must_use]
    pub fn invalid(field: &str, message: &str) -> Self {
        Self::Invalid { field: field.to_owned(), message: message.to_owned() }
    }
}

/// A text that people wrote, without the blanks around it.
///
/// # Errors
/// It is empty, longer than `most` characters, or has control characters other than line breaks.
pub fn checked_text(field: &str, text: &str, most: usize) -> Result<String, MoveError> {
    let trimmed = text.trim();
    let is_strange = |c: char| c.is_control() && c != '\n' && c != '\r' && c != '\t';
    if trimmed.is_empty() || trimmed.chars().count() > most || trimmed.chars().any(is_strange) {
        let message = format!("must be 1 to {most} characters without control characters");
        return Err(MoveError::Invalid { field: field.to_owned(), message });
    }
    Ok(trimmed.to_owned())
}

/// An amount of money that must be there.
///
/// # Errors
/// It is less than one minor unit.
pub fn checked_amount(field: &str, amount_minor: i64) -> Result<i64, MoveError> {
    if amount_minor < 1 {
        return Err(MoveError::invalid(field, "must be 1 or more minor units"));
    }
    Ok(amount_minor)
}

/// The fields of a record, by name.
pub type Fields = Map<String, Value>;

/// An [`Aggregate`] of whatever type, over JSON.
pub trait Domain: Send + Sync {
    /// The description.
    fn module(&self) -> &Module;

    /// See [`Aggregate::create`].
    ///
    /// # Errors
    /// See [`Aggregate::create`].
    fn create(&self, new: Value, context: &Context<'_>) -> Result<(Fields, Outcome), MoveError>;

    /// See [`Aggregate::make`]. `step` is the move with its details, tagged by `move`.
    ///
    /// # Errors
    /// See [`Aggregate::make`]; also [`MoveError::NotAllowed`] where the table does not have it.
    fn make(
        &self,
        fields: &Fields,
        step: Value,
        status: &str,
        context: &Context<'_>,
    ) -> Result<(Fields, Outcome), MoveError>;

    /// See [`Aggregate::audience`].
    ///
    /// # Errors
    /// The fields are not the aggregate's.
    fn audience(&self, fields: &Fields) -> Result<Vec<SubjectRef>, MoveError>;
}

/// The domain of an aggregate.
#[must_use]
pub fn domain<A: Aggregate>() -> Box<dyn Domain> {
    Box::new(Typed::<A> { module: A::module(), aggregate: PhantomData })
}

struct Typed<A> {
    module: Module,
    aggregate: PhantomData<fn() -> A>,
}

impl<A: Aggregate> Domain for Typed<A> {
    fn module(&self) -> &Module {
        &self.module
    }

    fn create(&self, new: Value, context: &Context<'_>) -> Result<(Fields, Outcome), MoveError> {
        let (aggregate, outcome) = A::create(read(new)?, context)?;
        Ok((write(&aggregate)?, outcome))
    }

    fn make(
        &self,
        fields: &Fields,
        step: Value,
        status: &str,
        context: &Context<'_>,
    ) -> Result<(Fields, Outcome), MoveError> {
        let name = step.get("move").and_then(Value::as_str).unwrap_or_default();
        let Some(rule) = self.module.rule(name) else {
            let known: Vec<&str> = self.module.moves.iter().map(|rule| &*rule.name).collect();
            return Err(MoveError::Invalid {
                field: "move".to_owned(),
                message: format!("must be one of {}", known.join(", ")),
            });
        };
        if !rule.from.iter().any(|from| from == status) {
            return Err(MoveError::NotAllowed {
                one: self.module.one.to_string(),
                from: status.to_owned(),
                name: rule.name.to_string(),
            });
        }
        let lonely = match rule.to.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        let mut aggregate: A = stored(fields)?;
        let mut outcome = aggregate.make(read(step)?, status, context)?;
        outcome.status = outcome.status.or(lonely);
        Ok((write(&aggregate)?, outcome))
    }

    fn audience(&self, fields: &Fields) -> Result<Vec<SubjectRef>, MoveError> {
        Ok(stored::<A>(fields)?.audience())
    }
}

fn stored<A: DeserializeOwned>(fields: &Fields) -> Result<A, MoveError> {
    A::deserialize(fields).map_err(|error| MoveError::Broken(error.to_string()))
}

/// What somebody sent; an error names the field.
fn read<T: DeserializeOwned>(value: Value) -> Result<T, MoveError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        // A field that is missing has no path of its own; its name stands in the message.
        let named = || message.split('`').nth(1).unwrap_or_default().to_owned();
        let field = if path == "." { named() } else { path };
        MoveError::Invalid { field, message }
    })
}

fn write<A: Serialize>(aggregate: &A) -> Result<Fields, MoveError> {
    match serde_json::to_value(aggregate) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(MoveError::Broken("an aggregate is a struct with named fields".to_owned())),
        Err(error) => Err(MoveError::Broken(error.to_string())),
    }
}
