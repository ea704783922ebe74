//! The documents say what the server does, all of it, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tidewatch_app::model::EventQuery;
use tidewatch_events::catalog;

use super::{ApiDocuments, Operation, problems};
use crate::domain::Modules;
use crate::error::Error;
use crate::http::problem_kind::{ProblemKind, URN};
use crate::http::{api, health};

#[path = "../../../examples/parcels/src/parcel.rs"]
mod parcel;

fn operations() -> Vec<Operation> {
    operations_of(&Modules::built_in())
}

fn operations_of(modules: &Modules) -> Vec<Operation> {
    let routes = api::routes(modules).merge(health::routes());
    routes.operations().to_vec()
}

fn documents() -> ApiDocuments {
    documents_of(Modules::built_in())
}

fn documents_of(modules: Modules) -> ApiDocuments {
    ApiDocuments::new(operations_of(&modules), modules)
}

/// Every text of a document that is under this name.
fn all_under<'d>(value: &'d Value, name: &str, found: &mut Vec<&'d str>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                match value {
                    Value::String(text) if member == name => found.push(text),
                    value => all_under(value, name, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| all_under(value, name, found)),
        _ => {}
    }
}

#[test]
fn no_route_of_the_api_is_made_without_its_operation() {
    // Routes are made by `Routes`, which takes both. Whoever goes by it would be found here.
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let mut folders = vec![source.join("api")];
    let mut files = vec![source.join("health.rs"), source.join("router.rs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path())
        {
            if entry.is_dir() { folders.push(entry) } else { files.push(entry) }
        }
    }
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file");
        let is_router = file.ends_with("router.rs");
        for line in text.lines().filter(|line| line.contains(".route(") || line.contains("axum::Router")) {
            let is_of_pages =
                is_router && !line.contains("\"/api") && !line.contains("z\"") && !line.contains("/metrics");
            assert!(is_of_pages, "{}: {line}", file.display());
        }
    }
}

#[test]
fn every_operation_has_a_place_and_a_name_of_its_own() {
    let operations = operations();
    assert!(operations.len() > 120, "{}", operations.len());
    let places: BTreeSet<(String, &String)> =
        operations.iter().map(|operation| (operation.method.to_string(), &operation.path)).collect();
    assert_eq!(places.len(), operations.len());
    let names: BTreeSet<&String> = operations.iter().map(|operation| &operation.id).collect();
    assert_eq!(names.len(), operations.len());
    for path in ["/api/v1/events", "/api/events", "/api/v1/settlements/{id}/moves", "/readyz", "/api/docs"] {
        assert!(operations.iter().any(|operation| operation.path == path), "{path}");
    }
}

#[test]
fn every_operation_says_what_it_takes_and_gives() {
    for operation in operations() {
        let place = format!("{} {}", operation.method, operation.path);
        assert!(!operation.summary.is_empty() && !operation.tag.is_empty(), "{place}");
        let in_path: BTreeSet<&str> =
            operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let told = operation.parameters.iter().filter(|parameter| parameter.place == "path");
        assert_eq!(in_path, told.map(|parameter| &*parameter.name).collect(), "{place}");
        assert!(operation.answers.iter().any(|answer| answer.status.is_success()), "{place}");
        for everywhere in [ProblemKind::Internal, ProblemKind::InvalidParameter] {
            assert!(operation.problems.contains(&everywhere), "{place}");
        }
        let changes = operation.method != Method::GET;
        assert_eq!(operation.problems.contains(&ProblemKind::CrossSiteRequest), changes, "{place}");
        let takes_body = !operation.body.is_empty();
        assert_eq!(operation.problems.contains(&ProblemKind::UnsupportedMediaType), takes_body, "{place}");
    }
}

#[test]
fn what_is_made_is_said_to_have_an_address() {
    let documents = documents();
    let paths = documents.openapi()["paths"].as_object().expect("paths").values();
    let operations = paths.flat_map(|path| path.as_object().expect("methods").values());
    let made: Vec<&Value> =
        operations.filter(|operation| operation["responses"].get("201").is_some()).collect();
    assert!(made.len() > 20);
    for operation in made {
        let header = &operation["responses"]["201"]["headers"]["Location"];
        assert_eq!(header["schema"]["format"], "uri-reference", "{}", operation["operationId"]);
    }
}

#[test]
fn the_explorer_s_query_is_described_whole() {
    let operations = operations();
    let search = operations.iter().find(|operation| operation.id == "searchEvents").expect("the operation");
    let told: BTreeSet<&str> = search
        .parameters
        .iter()
        .filter(|parameter| parameter.place == "query")
        .map(|parameter| &*parameter.name)
        .collect();
    assert_eq!(told, EventQuery::PARAMETERS.into_iter().chain(["export"]).collect());
}

#[test]
fn every_kind_of_problem_is_described() {
    let documents = documents();
    let components = &documents.openapi()["components"];
    for kind in ProblemKind::ALL {
        let schema = &components["schemas"][problems::schema_name(*kind)];
        assert_eq!(schema["properties"]["type"]["const"], format!("{URN}{}", kind.name()));
        assert!(schema["description"].as_str().is_some_and(|text| !text.is_empty()), "{kind:?}");
        assert_eq!(components["examples"][kind.name()]["value"]["status"], kind.status().as_u16());
    }
    let of_an_operation: BTreeSet<ProblemKind> =
        operations().iter().flat_map(|operation| operation.problems.clone()).collect();
    // It is what addresses answer that have no such operation.
    let of_none = [ProblemKind::MethodNotAllowed];
    for kind in ProblemKind::ALL {
        assert_ne!(
            of_an_operation.contains(kind),
            of_none.contains(kind),
            "{kind:?} is given by some operation"
        );
    }
}

/// The chapter on the API, and those that it leaves calls to.
const CHAPTERS: [&str; 5] = [
    include_str!("../../../docs/http-api.md"),
    include_str!("../../../docs/streaming.md"),
    include_str!("../../../docs/publishing.md"),
    include_str!("../../../docs/notifications.md"),
    include_str!("../../../docs/webhooks.md"),
];

/// A path without its query, and without names for what stands in it.
fn unnamed(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The calls that a chapter names beside its blocks of code: "`GET`, `POST /api/v1/orders`" are two.
fn calls_of(chapter: &str) -> BTreeSet<(String, String)> {
    let (mut calls, mut is_in_block) = (BTreeSet::new(), false);
    for line in chapter.lines() {
        if line.trim_start().starts_with("```") {
            is_in_block = !is_in_block;
        }
        if is_in_block {
            continue;
        }
        let mut methods: Vec<&str> = Vec::new();
        for code in line.split('`').skip(1).step_by(2) {
            let (word, path) = code.split_once(' ').unwrap_or((code, code));
            if ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&word) {
                methods.push(word);
            }
            if path.starts_with('/') {
                calls.extend(methods.drain(..).map(|method| (method.to_owned(), unnamed(path))));
            }
        }
    }
    calls
}

#[test]
fn the_book_names_every_call_and_no_other() {
    let named: BTreeSet<(String, String)> = CHAPTERS.into_iter().flat_map(calls_of).collect();
    let there: BTreeSet<(String, String)> = operations()
        .iter()
        .map(|operation| (operation.method.to_string(), unnamed(&operation.path)))
        .collect();
    // What all modules have is named once, of settlements.
    let modules = Modules::built_in();
    let as_of_settlements = |path: &str| {
        let of_module = modules.descriptions().find_map(|module| {
            let rest = path.strip_prefix(&*format!("/api/v1/{}", module.name))?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("/api/v1/settlements{rest}"))
        });
        of_module.unwrap_or_else(|| path.to_owned())
    };
    let is_named = |(method, path): &(String, String)| {
        [path.clone(), as_of_settlements(path)]
            .into_iter()
            .any(|path| named.contains(&(method.clone(), path)))
    };
    let lacking: Vec<_> = there.iter().filter(|call| !is_named(call)).collect();
    assert!(lacking.is_empty(), "docs/http-api.md or a chapter that it links has to name {lacking:?}");
    let unknown: Vec<_> = named.difference(&there).collect();
    assert!(unknown.is_empty(), "the book names what is not there: {unknown:?}");
}

#[test]
fn the_book_has_every_kind_of_problem_under_its_status() {
    let [chapter, ..] = CHAPTERS;
    let (_, section) = chapter.split_once("\n## Problems\n").expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let (mut told, mut statuses) = (BTreeSet::new(), Vec::new());
    for row in section.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, status, kinds, ..] = *cells.as_slice() else { continue };
        // A row without a status goes on with that of the row before.
        if !status.is_empty() {
            statuses = status.split(", ").collect();
        }
        for kind in kinds.split('`').skip(1).step_by(2) {
            told.extend(statuses.iter().map(|status| (*status, kind)));
        }
    }
    for kind in ProblemKind::ALL {
        let row = (kind.status().as_str().to_owned(), kind.name());
        assert!(told.contains(&(&*row.0, row.1)), "the table of docs/http-api.md lacks {row:?}");
    }
}

#[test]
fn problems_have_the_members_that_are_described() {
    let events = "settlements.read".parse().expect("a permission");
    let errors = [
        Error::parameter("limit", "too large"),
        Error::field("amountMinor", "too small"),
        Error::Body(StatusCode::BAD_REQUEST, "broken".to_owned()),
        Error::Body(StatusCode::PAYLOAD_TOO_LARGE, "large".to_owned()),
        Error::Body(StatusCode::UNSUPPORTED_MEDIA_TYPE, "other".to_owned()),
        Error::Unauthenticated("who?"),
        Error::Forbidden(events),
        Error::TokenScope("no"),
        Error::NoInbox,
        Error::PersonsOnly("no"),
        Error::ChannelRefused { channel: None, reason: "no".to_owned() },
        Error::NotFound("thing".to_owned()),
        Error::NotAcceptable("json"),
        Error::ChangedMeanwhile { current: 3, message: "late".to_owned() },
        Error::StaleAggregate { current: 3 },
        Error::Refused("no".to_owned()),
        Error::InFlight,
        Error::KeyReused,
        Error::TooManyPublishes { wait_seconds: 1, per_second: 2 },
        Error::TooManyStreams { limit: 10, what: "person" },
        Error::HistoryGap { oldest: tidewatch_events::Position::START },
        Error::Unavailable("away"),
        Error::Throttled(3),
        Error::Internal("bug".to_owned()),
    ];
    for error in errors {
        let problem = error.into_problem().into_json();
        let name = problem["type"].as_str().and_then(|urn| urn.strip_prefix(URN)).expect("a type");
        let kind = ProblemKind::ALL.iter().find(|kind| kind.name() == name).expect("a kind");
        let shared = ["type", "title", "status", "detail"];
        let own: BTreeSet<String> = problem
            .as_object()
            .expect("an object")
            .keys()
            .filter(|member| !shared.contains(&member.as_str()))
            .cloned()
            .collect();
        assert_eq!(own, problems::member_names(*kind).into_iter().collect(), "{name}");
        assert_eq!(problem["status"], kind.status().as_u16());
    }
}

#[test]
fn every_event_of_the_catalog_is_described_with_who_may_see_it() {
    let documents = documents();
    let messages = &documents.asyncapi()["components"]["messages"];
    for entry in catalog::entries() {
        let message = &messages[entry.event_type.as_str()];
        assert_eq!(message["tags"][0]["name"], entry.permission.as_str(), "{}", entry.event_type);
        let example = &message["examples"][0]["payload"];
        assert_eq!(example["eventType"], entry.event_type.as_str());
        // What the document gives for an example is what the catalog takes.
        entry
            .check_payload(&example["payload"])
            .unwrap_or_else(|error| panic!("{}: {error}", entry.event_type));
    }
}

#[test]
fn every_move_of_every_module_is_described() {
    let documents = documents();
    let schemas = &documents.openapi()["components"]["schemas"];
    for module in Modules::built_in().descriptions() {
        let all = &schemas[format!("{}Move", module.aggregate_type)];
        let mapping = all["discriminator"]["mapping"].as_object().expect("a mapping");
        let told: BTreeSet<&str> = mapping.keys().map(String::as_str).collect();
        let known = module.moves.iter().map(|rule| &*rule.name).chain(["assign"]).collect();
        assert_eq!(told, known, "{}", module.name);
    }
}

#[test]
fn what_an_installation_adds_is_described_as_the_rest_is() {
    let documents = documents_of(Modules::built_in().with::<parcel::Parcel>());
    let openapi = documents.openapi();
    for (path, method) in [
        ("/api/v1/parcels", "get"),
        ("/api/v1/parcels", "post"),
        ("/api/v1/parcels/moves", "post"),
        ("/api/v1/parcels/{id}", "get"),
        ("/api/v1/parcels/{id}/moves", "post"),
        ("/api/v1/parcels/{id}/comments", "get"),
        ("/api/v1/parcels/{id}/comments", "post"),
    ] {
        assert_eq!(openapi["paths"][path][method]["tags"], json!(["Parcels"]), "{method} {path}");
    }
    let schemas = &openapi["components"]["schemas"];
    assert_eq!(schemas["NewParcel"]["required"], json!(["reference", "items"]));
    assert_eq!(schemas["Parcel"]["properties"]["status"]["enum"][1], "underway");
    let method = &schemas["NewPayment"]["properties"]["method"];
    assert_eq!(method["type"], json!(["string", "null"]), "it may be left out");
    assert_eq!(method["enum"].as_array().and_then(|words| words.last()), Some(&Value::Null));
    let moves = schemas["ParcelMove"]["discriminator"]["mapping"].as_object().expect("a mapping");
    assert_eq!(moves.keys().collect::<Vec<_>>(), ["assign", "cancel", "finish", "start"]);

    let asyncapi = documents.asyncapi();
    for name in ["parcel.created", "parcel.status_changed", "parcel.updated", "parcel.other"] {
        let message = &asyncapi["components"]["messages"][name];
        assert_eq!(message["tags"][0]["name"], "parcels.read", "{name}");
        assert_eq!(message["payload"]["properties"]["aggregateType"]["const"], "Parcel");
        let example = &message["examples"][0]["payload"];
        assert!(
            example["payload"]["parcelId"].as_str().is_some_and(|id| id.starts_with("par_")),
            "{example}"
        );
        for (channel, has_it) in [("stream", true), ("webhooks", true), ("gateway", false)] {
            assert_eq!(asyncapi["channels"][channel]["messages"].get(name).is_some(), has_it, "{channel}");
        }
    }
    // Nothing of it is there where the module is not.
    assert!(self::documents().asyncapi()["components"]["messages"].get("parcel.created").is_none());
    assert!(documents.page().contains("id=\"message-parcel-created\""));
    assert!(documents.page().contains("id=\"createParcel\""));
}

#[test]
fn every_reference_leads_somewhere() {
    for documents in [documents(), documents_of(Modules::built_in().with::<parcel::Parcel>())] {
        check_references(&documents);
    }
}

fn check_references(documents: &ApiDocuments) {
    for document in [documents.openapi(), documents.asyncapi()] {
        let mut targets = Vec::new();
        all_under(document, "$ref", &mut targets);
        assert!(targets.len() > 100);
        for target in targets {
            let pointer = target.strip_prefix('#').expect("a place in the same document");
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
    }
}

#[test]
fn the_page_has_every_operation_and_problem_and_no_script() {
    let documents = documents();
    let page = documents.page();
    for operation in operations() {
        assert!(page.contains(&format!("<article id=\"{}\"", operation.id)), "{}", operation.id);
    }
    for kind in ProblemKind::ALL {
        assert!(page.contains(&format!("id=\"problem-{}\"", kind.name())), "{kind:?}");
    }
    assert!(!page.contains("<script") && !page.contains("style=\""));
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let different: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), different.len(), "no id is there twice");
    for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(different.contains(link), "#{link} leads somewhere");
    }
}

/// Leaves the documents where `scripts/check-api-documents.sh` wants them.
#[test]
fn documents_are_left_for_other_validators() {
    let Some(folder) = std::env::var_os("API_DOCUMENTS") else { return };
    let documents = documents();
    let folder = Path::new(&folder);
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("it is written");
    write("openapi.json", format!("{:#}\n", documents.openapi()));
    write("asyncapi.json", format!("{:#}\n", documents.asyncapi()));
    write("docs.html", documents.page().to_owned());
}
