//! Addresses of pages.

/// The path with those of the parameters that have a value. Values are escaped already.
#[must_use]
pub fn with_parameters<const N: usize>(path: &str, parameters: [(&str, Option<String>); N]) -> String {
    let said: Vec<String> =
        parameters.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
    if said.is_empty() { path.to_owned() } else { format!("{path}?{}", said.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::with_parameters;

    #[test]
    fn says_what_has_a_value() {
        let address = |a: Option<&str>, b: Option<&str>| {
            with_parameters("/jobs", [("a", a.map(str::to_owned)), ("b", b.map(str::to_owned))])
        };
        assert_eq!(address(None, None), "/jobs");
        assert_eq!(address(Some("1"), Some("2")), "/jobs?a=1&b=2");
        assert_eq!(address(None, Some("2")), "/jobs?b=2");
    }
}
