//! Query parameters, read strictly: an unknown name or a name given twice is an error, for a
//! filter that is silently ignored shows more than was asked for.

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
    fn read(query: &str) -> Result<Self, Error> {
        let mut parameters = BTreeMap::new();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|error| Error::parameter("query", format!("is not form-urlencoded: {error}")))?;
        for (name, value) in pairs {
            if parameters.contains_key(&name) {
                return Err(Error::parameter(name, "is given more than once"));
            }
            parameters.insert(name, value);
        }
        Ok(Self(parameters))
    }

    /// Refuses every parameter that is not among `known`; `project`, which says whom all the others
    /// are about, is known everywhere.
    ///
    /// # Errors
    /// 400 that names the unknown one and the known ones.
    pub fn only(self, known: &[&str]) -> Result<Self, Error> {
        match self.0.keys().find(|name| !known.contains(&name.as_str()) && name.as_str() != "project") {
            Some(unknown) => {
                let message =
                    format!("is unknown here; known are: {}", [known, &["project"]].concat().join(", "));
                Err(Error::parameter(unknown.clone(), message))
            }
            None => Ok(self),
        }
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
