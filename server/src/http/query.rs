//! Query parameters, read strictly: a name given twice is an error, and an unknown one was refused before
//! ([`super::strictness`]).

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::error::Error;

/// The query's parameters by name.
#[derive(Debug, Clone, Default)]
pub struct Query(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Self::read(parts.uri.query().unwrap_or_default())
    }
}

impl Query {
    /// The parameters of a query.
    ///
    /// # Errors
    /// 400 for one that is given twice, or has a NUL in it.
    pub fn read(query: &str) -> Result<Self, Error> {
        let mut parameters = BTreeMap::new();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|error| Error::parameter("query", format!("is not form-urlencoded: {error}")))?;
        for (name, value) in pairs {
            if name.contains('\0') || value.contains('\0') {
                return Err(Error::parameter(name.replace('\0', ""), "has a NUL, which no text here has"));
            }
            if parameters.contains_key(&name) {
                return Err(Error::parameter(name, "is given more than once"));
            }
            parameters.insert(name, value);
        }
        Ok(Self(parameters))
    }

    /// The names of all that are given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A parameter's text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter as `T`.
    ///
    /// # Errors
    /// 400 that names it and says what its text must be.
    pub fn parse<T: std::str::FromStr<Err: ToString>>(&self, name: &str) -> Result<Option<T>, Error> {
        self.get(name)
            .map(|text| text.parse().map_err(|error: T::Err| Error::parameter(name, error)))
            .transpose()
    }

    /// A parameter that is a whole number within bounds.
    ///
    /// # Errors
    /// 400 that names it and the bounds.
    pub fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, Error> {
        let Some(text) = self.get(name) else { return Ok(default) };
        text.parse().ok().filter(|number| bounds.contains(number)).ok_or_else(|| {
            Error::parameter(
                name,
                format!("must be a whole number from {} to {}", bounds.start(), bounds.end()),
            )
        })
    }
}
