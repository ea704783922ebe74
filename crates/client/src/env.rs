//! The settings that the environment gives.

use secrecy::SecretString;

use crate::error::Error;

/// Where the service is.
const URL: &str = "TIDEWATCH_URL";
/// The API key.
const API_KEY: &str = "TIDEWATCH_API_KEY";

/// Where the service is, and with what key.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) url: String,
    pub(crate) api_key: SecretString,
}

impl Settings {
    /// Reads `TIDEWATCH_URL` and `TIDEWATCH_API_KEY`.
    pub(crate) fn from_env() -> Result<Self, Error> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// The environment is a parameter: tests cannot change that of their process.
    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let get = |name: &'static str| {
            variable(name).filter(|value| !value.trim().is_empty()).ok_or(Error::MissingVariable(name))
        };
        Ok(Self { url: get(URL)?, api_key: get(API_KEY)?.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn names_the_variable_that_is_missing() {
        let missing = |given: &[&str]| {
            let given: Vec<String> = given.iter().map(ToString::to_string).collect();
            let read = Settings::read(|name| given.iter().any(|it| it == name).then(|| "x".to_owned()));
            read.expect_err("something is missing").to_string()
        };
        assert_eq!(missing(&[]), "the environment variable TIDEWATCH_URL is not set");
        assert_eq!(missing(&[URL]), "the environment variable TIDEWATCH_API_KEY is not set");
    }

    #[test]
    fn an_empty_variable_is_a_missing_one() {
        let read = Settings::read(|_| Some(" ".to_owned()));
        assert!(matches!(read, Err(Error::MissingVariable(URL))));
    }

    #[test]
    fn reads_both() {
        let settings = Settings::read(|name| Some(format!("value of {name}"))).expect("settings");
        assert_eq!(settings.url, "value of TIDEWATCH_URL");
        assert_eq!(settings.api_key.expose_secret(), "value of TIDEWATCH_API_KEY");
    }
}
