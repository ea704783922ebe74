//! What an operation of the API takes and gives.

use std::borrow::Cow;
use std::collections::BTreeSet;

use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::schemas::Shape;
use crate::http::problem_kind::ProblemKind;
use crate::http::strictness::Known;

/// The media type of most bodies.
pub const JSON: &str = "application/json";

/// The parameter that every operation for callers knows: which project it is about.
pub(super) const PROJECT: &str = "project";

/// An operation: a method of an address.
#[derive(Debug, Clone)]
pub struct Operation {
    /// How it is called, by [`super::Routes`].
    pub(super) method: Method,
    /// Where it is, by [`super::Routes`].
    pub(super) path: String,
    /// The group that it is in, by [`super::Routes`].
    pub(super) tag: Cow<'static, str>,
    pub(super) id: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) needs_caller: bool,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Vec<Content>,
    pub(super) answers: Vec<Answer>,
    pub(super) problems: BTreeSet<ProblemKind>,
}

/// Something that an address or a header says.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) place: &'static str,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) shape: Shape,
}

/// A body in one of its forms.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) media_type: &'static str,
    pub(super) shape: Shape,
    pub(super) example: Option<Value>,
}

/// An answer that is no problem.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) description: String,
    pub(super) contents: Vec<Content>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
}

impl Operation {
    /// An operation with a name for programs (`listJobs`) and one for people (`List jobs`), for callers who have shown
    /// who they are.
    #[must_use]
    pub fn new(id: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: String::new(),
            tag: Cow::Borrowed(""),
            id: id.into(),
            summary: summary.into(),
            description: String::new(),
            needs_caller: true,
            parameters: Vec::new(),
            body: Vec::new(),
            answers: Vec::new(),
            problems: BTreeSet::from([
                // A parameter that it does not know.
                ProblemKind::InvalidParameter,
                ProblemKind::Timeout,
                ProblemKind::Internal,
                ProblemKind::Unavailable,
                ProblemKind::Unauthenticated,
                ProblemKind::TokenScope,
                // The parameter `project` may name one that the caller is not in.
                ProblemKind::NotFound,
            ]),
        }
    }

    /// What there is to say beyond the summary.
    #[must_use]
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = join(&description.into(), &self.description);
        self
    }

    /// It asks for no caller.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.needs_caller = false;
        for problem in [ProblemKind::Unauthenticated, ProblemKind::TokenScope, ProblemKind::NotFound] {
            self.problems.remove(&problem);
        }
        self
    }

    /// It is for persons: an API key is refused.
    #[must_use]
    pub fn for_persons(mut self, problem: ProblemKind) -> Self {
        let refusal = format!("For persons: an API key is refused (403, `{}`).", problem.name());
        self.description = join(&self.description, &refusal);
        self.gives([problem])
    }

    /// The parameters that its address may have.
    pub(super) fn known_parameters(&self) -> Known {
        let told = self.parameters.iter().filter(|parameter| parameter.place == "query");
        // Whom all the others are about.
        let project = self.needs_caller.then(|| PROJECT.to_owned());
        Known::new(told.map(|parameter| parameter.name.clone()).chain(project))
    }

    /// It takes a permission, in words.
    #[must_use]
    pub fn needs(mut self, permission: &str) -> Self {
        self.description = join(&self.description, &format!("Needs the permission `{permission}`."));
        self.gives([ProblemKind::Forbidden])
    }

    /// Its address has this part. One that is malformed names nothing: 404.
    #[must_use]
    pub fn path<T: JsonSchema>(self, name: &str, description: &str) -> Self {
        self.path_like(name, description, Shape::of::<T>())
    }

    /// Its address has this part, which is like that.
    #[must_use]
    pub fn path_like(mut self, name: &str, description: &str, shape: Shape) -> Self {
        self.parameters.push(Parameter {
            place: "path",
            name: name.to_owned(),
            description: description.to_owned(),
            shape,
        });
        self.gives([ProblemKind::NotFound])
    }

    /// It takes this parameter.
    #[must_use]
    pub fn query<T: JsonSchema>(self, name: &str, description: &str) -> Self {
        self.query_like(name, description, Shape::of::<T>())
    }

    /// It takes this parameter. One that is empty counts as not given, as forms send all of theirs.
    #[must_use]
    pub fn query_or_empty<T: JsonSchema>(self, name: &str, description: &str) -> Self {
        self.query_like(name, description, Shape::or_empty::<T>())
    }

    /// It takes this parameter, which is like that.
    #[must_use]
    pub fn query_like(mut self, name: &str, description: &str, shape: Shape) -> Self {
        self.parameters.push(Parameter {
            place: "query",
            name: name.to_owned(),
            description: description.to_owned(),
            shape,
        });
        self
    }

    /// It takes one of these words as a parameter.
    #[must_use]
    pub fn query_of(self, name: &str, description: &str, words: &[&str]) -> Self {
        self.query_like(name, description, Shape::Json(json!({ "type": "string", "enum": words })))
    }

    /// It takes a whole number as a parameter.
    #[must_use]
    pub fn query_number(self, name: &str, description: &str, from: u64, to: u64, default: u64) -> Self {
        let schema = json!({ "type": "integer", "minimum": from, "maximum": to, "default": default });
        self.query_like(name, description, Shape::Json(schema))
    }

    /// It takes this header.
    #[must_use]
    pub fn header(mut self, name: &str, description: &str, shape: Shape) -> Self {
        self.parameters.push(Parameter {
            place: "header",
            name: name.to_owned(),
            description: description.to_owned(),
            shape,
        });
        self
    }

    /// It takes a body in JSON.
    #[must_use]
    pub fn body<T: JsonSchema>(self) -> Self {
        self.body_like(JSON, Shape::of::<T>())
    }

    /// It takes a body of this media type.
    #[must_use]
    pub fn body_like(mut self, media_type: &'static str, shape: Shape) -> Self {
        self.body.push(Content { media_type, shape, example: None });
        self.gives([
            ProblemKind::MalformedBody,
            ProblemKind::BodyTooLarge,
            ProblemKind::UnsupportedMediaType,
            ProblemKind::InvalidFields,
        ])
    }

    /// Its body is this, for example. Without it, one is made of the schema.
    #[must_use]
    pub fn for_example(mut self, example: Value) -> Self {
        if let Some(body) = self.body.last_mut() {
            body.example = Some(example);
        }
        self
    }

    /// It answers 200 with this.
    #[must_use]
    pub fn answers<T: JsonSchema>(self, description: &str) -> Self {
        self.answers_with(StatusCode::OK, description, JSON, Shape::of::<T>())
    }

    /// It answers 201 with this and, in `Location`, its address.
    #[must_use]
    pub fn creates<T: JsonSchema>(self, description: &str) -> Self {
        self.creates_like(description, Shape::of::<T>())
    }

    /// It answers 201 with what is like that and, in `Location`, its address.
    #[must_use]
    pub fn creates_like(self, description: &str, shape: Shape) -> Self {
        self.answers_with(StatusCode::CREATED, description, JSON, shape)
            .with_header("Location", "Its address.")
    }

    /// It answers 200 with an object that has a list under this name.
    #[must_use]
    pub fn lists<T: JsonSchema>(self, name: &'static str, description: &str) -> Self {
        self.answers_with(StatusCode::OK, description, JSON, Shape::list_of::<T>(name))
    }

    /// It answers without a body.
    #[must_use]
    pub fn answers_nothing(mut self, status: StatusCode, description: &str) -> Self {
        self.answers.push(Answer {
            status,
            description: description.to_owned(),
            contents: Vec::new(),
            headers: Vec::new(),
        });
        self
    }

    /// It answers with this status and a body of this media type. Given twice for a status, it answers either, as the
    /// caller asks.
    #[must_use]
    pub fn answers_with(
        mut self,
        status: StatusCode,
        description: &str,
        media_type: &'static str,
        shape: Shape,
    ) -> Self {
        let content = Content { media_type, shape, example: None };
        match self.answers.iter_mut().find(|answer| answer.status == status) {
            Some(answer) => answer.contents.push(content),
            None => self.answers.push(Answer {
                status,
                description: description.to_owned(),
                contents: vec![content],
                headers: Vec::new(),
            }),
        }
        self
    }

    /// The answer given last has this header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, description: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push((name, description));
        }
        self
    }

    /// The last form of the answer given last is this, for example.
    #[must_use]
    pub fn answered_like(mut self, example: impl Into<Value>) -> Self {
        if let Some(content) = self.answers.last_mut().and_then(|answer| answer.contents.last_mut()) {
            content.example = Some(example.into());
        }
        self
    }

    /// It answers with these problems, too.
    #[must_use]
    pub fn gives(mut self, problems: impl IntoIterator<Item = ProblemKind>) -> Self {
        self.problems.extend(problems);
        self
    }

    /// It never gives these problems, which others do.
    #[must_use]
    pub fn without(mut self, problems: &[ProblemKind]) -> Self {
        self.problems.retain(|problem| !problems.contains(problem));
        self
    }

    /// How it is called and where it is.
    #[must_use]
    pub const fn address(&self) -> (&Method, &String) {
        (&self.method, &self.path)
    }
}

fn join(first: &str, second: &str) -> String {
    let joint = if first.is_empty() || second.is_empty() { "" } else { " " };
    format!("{first}{joint}{second}")
}
