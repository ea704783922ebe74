//! Bad input: each its status, and a problem+json that says what is wrong and where.

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::TestServer;

struct Case {
    name: &'static str,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    status: u16,
    kind: &'static str,
    /// The parameter or pointer that the problem names.
    at: Option<&'static str>,
}

fn get(
    name: &'static str,
    path: impl Into<String>,
    status: u16,
    kind: &'static str,
    at: Option<&'static str>,
) -> Case {
    Case { name, method: Method::GET, path: path.into(), headers: Vec::new(), body: None, status, kind, at }
}

fn post(
    name: &'static str,
    path: &str,
    body: impl ToString,
    status: u16,
    kind: &'static str,
    at: Option<&'static str>,
) -> Case {
    Case {
        name,
        method: Method::POST,
        path: path.to_owned(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: Some(body.to_string().into_bytes()),
        status,
        kind,
        at,
    }
}

impl Case {
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }
}

const PARAMETER: &str = "invalid-parameter";
const FIELDS: &str = "invalid-fields";
const SETTLEMENTS: &str = "/api/v1/settlements";

fn cases(id: &str) -> Vec<Case> {
    let moves = format!("{SETTLEMENTS}/{id}/moves");
    let json_page = |case: Case| case.with("accept", "application/json");
    let good = json!({ "reference": "INV-1", "amountMinor": 100, "currency": "EUR" });
    let but = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let mut cases = vec![
        // Where to start.
        get("malformed after", "/api/v1/events?after=yesterday", 400, PARAMETER, Some("after")),
        get("malformed event id", "/api/v1/events?after=evt_short", 400, PARAMETER, Some("after")),
        get(
            "damaged token",
            "/api/v1/events?after=pos_00000000000000000000000000",
            400,
            PARAMETER,
            Some("after"),
        ),
        get("negative position", "/api/v1/events?after=-1", 400, PARAMETER, Some("after")),
        get(
            "position past 63 bits",
            "/api/v1/events?after=9223372036854775808",
            400,
            PARAMETER,
            Some("after"),
        ),
        get("time in the future", "/api/v1/events?after=2999-01-01T00:00:00Z", 400, PARAMETER, Some("after")),
        get("empty after", "/api/v1/events?after=", 400, PARAMETER, Some("after")),
        get("malformed header", "/api/v1/events", 400, PARAMETER, Some("Last-Event-ID"))
            .with("last-event-id", "nonsense"),
        get("malformed lastEventId", "/api/v1/events?lastEventId=x%20y", 400, PARAMETER, Some("lastEventId")),
        // What to read.
        get("malformed type", "/api/v1/events?types=Settlement", 400, PARAMETER, Some("types")),
        get("empty list", "/api/v1/events?types=", 400, PARAMETER, Some("types")),
        get(
            "malformed resource type",
            "/api/v1/events?resourceTypes=settlement",
            400,
            PARAMETER,
            Some("resourceTypes"),
        ),
        get("malformed resource id", "/api/v1/events?resourceId=a%20b", 400, PARAMETER, Some("resourceId")),
        get("malformed channel", "/api/v1/events?channels=a%20b", 400, PARAMETER, Some("channels")),
        get("unknown parameter", "/api/v1/events?type=settlement.*", 400, PARAMETER, Some("type")),
        get("parameter given twice", "/api/v1/events?after=1&after=2", 400, PARAMETER, Some("after")),
        get("no event of this id", "/api/v1/events/evt_01h455vb4pex5vsknk084sn02q", 404, "not-found", None),
        get("malformed id", "/api/v1/events/whatever", 404, "not-found", None),
        get("unacceptable form", "/api/v1/events", 406, "not-acceptable", None).with("accept", "text/html"),
        // Pages.
        json_page(get("limit of 0", "/api/v1/events?limit=0", 400, PARAMETER, Some("limit"))),
        json_page(get("limit too high", "/api/v1/events?limit=1001", 400, PARAMETER, Some("limit"))),
        json_page(get("wait too long", "/api/v1/events?wait=31", 400, PARAMETER, Some("wait"))),
        json_page(get("wait is no number", "/api/v1/events?wait=soon", 400, PARAMETER, Some("wait"))),
        get("wait on a stream", "/api/v1/events?wait=1", 400, PARAMETER, Some("wait")),
        // Settlements.
        get("unknown status", format!("{SETTLEMENTS}?status=lost"), 400, PARAMETER, Some("status")),
        get("malformed cursor", format!("{SETTLEMENTS}?after=abc"), 400, PARAMETER, Some("after")),
        get("limit of a list", format!("{SETTLEMENTS}?limit=-5"), 400, PARAMETER, Some("limit")),
        get(
            "no such settlement",
            format!("{SETTLEMENTS}/stl_01h455vb4pex5vsknk084sn02q"),
            404,
            "not-found",
            None,
        ),
        get(
            "another kind's id",
            format!("{SETTLEMENTS}/evt_01h455vb4pex5vsknk084sn02q"),
            404,
            "not-found",
            None,
        ),
        post(
            "no such settlement to move",
            &format!("{SETTLEMENTS}/stl_01h455vb4pex5vsknk084sn02q/moves"),
            json!({ "move": "submit", "expectedVersion": 1 }),
            404,
            "not-found",
            None,
        ),
        // Bodies.
        post("wrong content type", SETTLEMENTS, &good, 415, "unsupported-media-type", None)
            .with("content-type", "text/plain"),
        post("form instead of JSON", SETTLEMENTS, "reference=x", 415, "unsupported-media-type", None)
            .with("content-type", "application/x-www-form-urlencoded"),
        post("bad JSON", SETTLEMENTS, "{\"reference\":", 400, "malformed-body", None),
        post("no body", SETTLEMENTS, "", 400, "malformed-body", None),
        post("not UTF-8", SETTLEMENTS, "", 400, "malformed-body", None),
        post(
            "body over 1 MiB",
            SETTLEMENTS,
            but("reference", "x".repeat(1024 * 1024).into()),
            413,
            "body-too-large",
            None,
        ),
        post("an array", SETTLEMENTS, json!([good]), 422, FIELDS, None),
        post(
            "missing field",
            SETTLEMENTS,
            json!({ "reference": "INV-1", "currency": "EUR" }),
            422,
            FIELDS,
            Some("#/amountMinor"),
        ),
        post("unknown field", SETTLEMENTS, but("colour", "red".into()), 422, FIELDS, Some("#/colour")),
        post("amount of 0", SETTLEMENTS, but("amountMinor", 0.into()), 422, FIELDS, Some("#/amountMinor")),
        post(
            "negative amount",
            SETTLEMENTS,
            but("amountMinor", (-5).into()),
            422,
            FIELDS,
            Some("#/amountMinor"),
        ),
        post("fraction of a cent", SETTLEMENTS, but("amountMinor", 1.5.into()), 422, FIELDS, None),
        post("amount past 63 bits", SETTLEMENTS, but("amountMinor", u64::MAX.into()), 422, FIELDS, None),
        post("no currency of ours", SETTLEMENTS, but("currency", "euro".into()), 422, FIELDS, None),
        post("empty reference", SETTLEMENTS, but("reference", "  ".into()), 422, FIELDS, Some("#/reference")),
        post(
            "NUL in a reference",
            SETTLEMENTS,
            but("reference", "a\0b".into()),
            422,
            FIELDS,
            Some("#/reference"),
        ),
        post(
            "reference too long",
            SETTLEMENTS,
            but("reference", "x".repeat(201).into()),
            422,
            FIELDS,
            Some("#/reference"),
        ),
        // Moves.
        post("no version", &moves, json!({ "move": "submit" }), 422, FIELDS, Some("#/expectedVersion")),
        post(
            "version is text",
            &moves,
            json!({ "move": "submit", "expectedVersion": "1" }),
            422,
            FIELDS,
            Some("#/expectedVersion"),
        ),
        post("no move", &moves, json!({ "expectedVersion": 1 }), 422, FIELDS, Some("#/move")),
        post(
            "unknown move",
            &moves,
            json!({ "move": "jump", "expectedVersion": 1 }),
            422,
            FIELDS,
            Some("#/move"),
        ),
        post(
            "detail missing",
            &moves,
            json!({ "move": "fail", "expectedVersion": 1 }),
            422,
            FIELDS,
            Some("#/error"),
        ),
        post(
            "stale version",
            &moves,
            json!({ "move": "hold", "reason": "x", "expectedVersion": 7 }),
            409,
            "conflict",
            None,
        ),
        post(
            "not from here",
            &moves,
            json!({ "move": "release", "expectedVersion": 1 }),
            409,
            "conflict",
            None,
        ),
        // Everything else.
        get("unknown path", "/api/v1/nowhere", 404, "not-found", None),
        post("method not allowed", "/api/v1/events", json!({}), 405, "method-not-allowed", None),
        get("no key", SETTLEMENTS, 401, "unauthenticated", None).with("authorization", ""),
        get("unknown key", SETTLEMENTS, 401, "unauthenticated", None)
            .with("authorization", "Bearer tw_unknown"),
        get("another scheme", SETTLEMENTS, 401, "unauthenticated", None).with("authorization", "Basic YTpi"),
    ];
    for case in &mut cases {
        if case.name == "not UTF-8" {
            case.body = Some(b"{\"reference\":\"\xff\xfe\"}".to_vec());
        }
    }
    cases
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn bad_input_is_told_what_is_wrong_and_where(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let created = server.client.create("INV-0").await;
    let mut wrong = Vec::new();
    for case in cases(created["id"].as_str().expect("an id")) {
        let has_own_key = case.headers.iter().any(|(name, _)| *name == "authorization");
        let client = if has_own_key { server.client.anonymous() } else { server.client.clone() };
        let mut request = client.request(case.method.clone(), &case.path);
        if !case.headers.iter().any(|(name, _)| *name == "accept") {
            request = request.header(ACCEPT, "*/*");
        }
        for (name, value) in &case.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = case.body {
            request = request.body(body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let content_type =
            answer.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or("").to_owned());
        // A stream that should have been refused would never end.
        if content_type.as_deref() != Some("application/problem+json") {
            wrong.push(format!("{}: {status} as {content_type:?}", case.name));
            continue;
        }
        let problem: Value = answer.json().await.expect("JSON");
        let kind = format!("urn:tidewatch:problem:{}", case.kind);
        let first = &problem["errors"][0];
        let at = first["parameter"].as_str().or(first["pointer"].as_str());
        let is_right = status == case.status
            && problem["type"] == kind
            && problem["status"] == case.status
            && problem["title"].is_string()
            && problem["detail"].as_str().is_some_and(|detail| !detail.is_empty())
            && case.at.is_none_or(|expected| at == Some(expected));
        if !is_right {
            wrong.push(format!(
                "{}: wanted {} {} at {:?}, got {status} {problem}",
                case.name, case.status, case.kind, case.at
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let count: i64 =
        sqlx::query_scalar("select count(*) from domain_events").fetch_one(&pool).await.expect("a count");
    assert_eq!(count, 1, "bad input leaves nothing behind");
    let ready = server.client.get("/readyz").send().await.expect("an answer");
    assert_eq!(ready.status(), StatusCode::OK);
    server.stop().await;
}
