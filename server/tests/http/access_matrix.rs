//! The matrix: 3 projects × every role and two API keys × every event type and audience × every path.
//! Each sees exactly what the one rule says, and nothing else.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::id::{OrganizationId, UserId};
use tidewatch_events::{
    AggregateType, EventType, Metadata, NewEvent, PermissionSet, ProjectId, Routing, Subject, SubjectRef,
    catalog, visible,
};
use tidewatch_outbox::record_all;
use tidewatch_server::access::roles::{BUILT_IN, combine, scope_permissions};
use uuid::Uuid;

use crate::support::{Client, TestServer, eventually};

/// Somebody who looks, with what the rule is asked about.
struct Reader {
    name: String,
    client: Client,
    subject: Subject,
    /// Whether it has a session, and so pages.
    is_person: bool,
}

/// An event with what the rule is asked about.
struct Written {
    id: String,
    routing: Routing,
}

struct Site {
    slug: String,
    id: ProjectId,
    organizations: [OrganizationId; 2],
    readers: Vec<Reader>,
    owner: Client,
    events: Vec<Written>,
    /// Reference, id, and whom it is for.
    settlements: Vec<(String, String, BTreeSet<SubjectRef>)>,
}

async fn site(server: &TestServer, slug: &str) -> Site {
    let id = server.add_project(slug).await;
    let organizations = [
        server.add_organization(id, &format!("{slug} one")).await,
        server.add_organization(id, &format!("{slug} two")).await,
    ];
    let mut readers = Vec::new();
    for role in &BUILT_IN {
        // Customers belong to the first organization, but for the contractor.
        let organization = organizations[usize::from(role.name == "contractor")];
        let of = if role.name == "ops"
            || role.name == "landlord"
            || role.name == "tenant"
            || role.name == "contractor"
        {
            vec![organization]
        } else {
            Vec::new()
        };
        let user = server.add_person(id, &format!("{}@{slug}.test", role.name), &[role.name], &of).await;
        readers.push(Reader {
            name: format!("{} of {slug}", role.name),
            client: server.session_of(user).await,
            subject: subject(id, user, role.name, &of),
            is_person: true,
        });
    }
    for scope in ["*", "events.read"] {
        readers.push(Reader {
            name: format!("key {scope} of {slug}"),
            client: server.client_of(id, &[scope]).await,
            subject: Subject {
                project_id: id,
                identities: BTreeSet::from([SubjectRef::staff()]),
                permissions: scope_permissions([scope]),
            },
            is_person: false,
        });
    }
    let owner = server.client_of(id, &["*"]).await;
    Site {
        slug: slug.to_owned(),
        id,
        organizations,
        readers,
        owner,
        events: Vec::new(),
        settlements: Vec::new(),
    }
}

fn subject(project_id: ProjectId, user: UserId, role: &str, organizations: &[OrganizationId]) -> Subject {
    let (permissions, mut identities) = combine(&[role.to_owned()], &[]);
    identities.insert(SubjectRef::User(user));
    identities.extend(organizations.iter().copied().map(SubjectRef::Organization));
    Subject { project_id, identities, permissions }
}

/// Every event type of the catalog for five audiences, and one at each end that everybody sees.
async fn write_events(pool: &PgPool, site: &mut Site) {
    let someone = site.readers.iter().find(|reader| reader.name.starts_with("tenant")).expect("a tenant");
    let someone = someone.subject.identities.iter().find(|name| matches!(name, SubjectRef::User(_))).cloned();
    let audiences: [Vec<SubjectRef>; 6] = [
        vec![],
        vec![SubjectRef::staff()],
        vec![SubjectRef::staff(), SubjectRef::Organization(site.organizations[0])],
        vec![SubjectRef::Organization(site.organizations[1])],
        vec![SubjectRef::Role("landlord".to_owned())],
        someone.into_iter().collect(),
    ];
    let mark =
        |name: &str| event(site.id, &EventType::from_static("log.added"), &AggregateType::LOG, name, |_| {});
    let mut events = vec![mark("first")];
    for entry in catalog::entries() {
        for (index, audience) in audiences.iter().enumerate() {
            let name = format!("{}-{index}", entry.event_type);
            events.push(event(site.id, entry.event_type, entry.aggregate_type, &name, |routing| {
                routing.permissions.insert(entry.permission.clone());
                routing.audience = audience.iter().cloned().collect();
            }));
        }
    }
    events.push(mark("last"));
    let mut transaction = pool.begin().await.expect("a transaction");
    let ids = record_all(&mut transaction, &events).await.expect("recorded");
    transaction.commit().await.expect("committed");
    site.events = ids
        .into_iter()
        .zip(events)
        .map(|(id, event)| Written { id: id.to_string(), routing: event.routing })
        .collect();
}

fn event(
    project: ProjectId,
    event_type: &EventType,
    aggregate_type: &AggregateType,
    name: &str,
    adjust: impl FnOnce(&mut Routing),
) -> NewEvent {
    let mut routing = Routing::in_project(project);
    adjust(&mut routing);
    NewEvent {
        event_type: event_type.clone(),
        aggregate_type: aggregate_type.clone(),
        aggregate_id: name.to_owned(),
        aggregate_version: 1,
        occurred_at: None,
        payload: json!({ "name": name }),
        metadata: Metadata::default(),
        routing,
    }
}

async fn write_settlements(site: &mut Site) {
    for (index, organization) in
        [None, Some(site.organizations[0]), Some(site.organizations[1])].into_iter().enumerate()
    {
        let reference = format!("{}-INV-{index}", site.slug.to_uppercase());
        let mut body = json!({ "reference": reference, "amountMinor": 100 + index, "currency": "EUR" });
        if let Some(id) = organization {
            body["organizationId"] = json!(id);
        }
        let answer = site.owner.post("/api/v1/settlements").json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
        let created: Value = answer.json().await.expect("JSON");
        let audience =
            std::iter::once(SubjectRef::staff()).chain(organization.map(SubjectRef::Organization)).collect();
        site.settlements.push((reference, created["id"].as_str().expect("an id").to_owned(), audience));
    }
}

fn expected(site: &Site, subject: &Subject) -> Vec<String> {
    let seen = site.events.iter().filter(|event| visible(&event.routing, subject));
    seen.map(|event| event.id.clone()).collect()
}

fn may_see_settlement(subject: &Subject, audience: &BTreeSet<SubjectRef>) -> bool {
    let routing = Routing {
        permissions: BTreeSet::from([tidewatch_events::Permission::SETTLEMENTS_READ]),
        audience: audience.clone(),
        ..Routing::in_project(subject.project_id)
    };
    visible(&routing, subject)
}

/// The ids of a stream's events up to and with `last`.
async fn read_until(mut stream: crate::support::SseReader, last: &str) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let frame = stream.next().await;
        let id = frame.data["eventId"].as_str().unwrap_or_else(|| panic!("no event: {frame:?}")).to_owned();
        let is_last = id == last;
        ids.push(id);
        if is_last {
            return ids;
        }
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn everybody_sees_what_the_rule_says_on_every_path_and_nothing_else(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut sites = Vec::new();
    for slug in ["harbour", "quay", "pier"] {
        sites.push(site(&server, slug).await);
    }

    // Live: all streams are open before the first event.
    let mut live = Vec::new();
    for site in &sites {
        for reader in &site.readers {
            live.push(reader.client.stream("").await);
        }
    }
    for site in &mut sites {
        write_events(&pool, site).await;
    }
    let mut live = live.into_iter();
    for site in &sites {
        let (first, last) = (&site.events[0].id, &site.events[site.events.len() - 1].id);
        let last_path = format!("/api/v1/events/{last}");
        eventually("the last event", async || (site.owner.status(&last_path).await == 200).then_some(()))
            .await;
        let began = {
            let envelope = site.owner.json(&format!("/api/v1/events/{first}")).await;
            envelope["occurredAt"].as_str().expect("a time").to_owned()
        };
        for reader in &site.readers {
            let wanted = expected(site, &reader.subject);
            let name = &reader.name;
            assert_eq!(read_until(live.next().expect("a stream"), last).await, wanted, "live, {name}");
            let by_id = reader.client.stream(&format!("?after={first}")).await;
            assert_eq!(read_until(by_id, last).await, wanted[1..], "replay by id, {name}");
            let by_time = reader.client.stream(&format!("?after={}", began.replace('+', "%2B"))).await;
            let mut replayed = read_until(by_time, last).await;
            // The first one occurred at this very time, not after it, unless the clock stood still.
            replayed.retain(|id| id != first);
            assert_eq!(replayed, wanted[1..], "replay by time, {name}");
            let page = reader.client.json("/api/v1/events?after=earliest&limit=1000").await;
            assert_eq!(ids_of(&page), wanted, "poll, {name}");
        }
    }
    details(&sites).await;
    for site in &mut sites {
        write_settlements(site).await;
    }
    for site in &sites {
        for reader in &site.readers {
            settlements(&sites, site, reader).await;
        }
    }
    server.stop().await;
}

fn ids_of(page: &Value) -> Vec<String> {
    let events = page["events"].as_array().expect("events");
    events.iter().map(|event| event["eventId"].as_str().expect("an id").to_owned()).collect()
}

/// Each event by its id: there for those who may see it, and nothing for everybody else.
async fn details(sites: &[Site]) {
    for site in sites {
        for reader in &site.readers {
            let wanted: BTreeSet<String> = expected(site, &reader.subject).into_iter().collect();
            for event in &site.events {
                let status = reader.client.status(&format!("/api/v1/events/{}", event.id)).await;
                let should = if wanted.contains(&event.id) { 200 } else { 404 };
                assert_eq!(status, should, "{} of {:?}, {}", event.id, event.routing, reader.name);
            }
            for other in sites.iter().filter(|other| other.id != site.id) {
                for event in other.events.iter().step_by(40) {
                    let status = reader.client.status(&format!("/api/v1/events/{}", event.id)).await;
                    assert_eq!(status, 404, "{} across projects", reader.name);
                }
            }
        }
    }
}

/// List, detail, export, counts and pages of settlements.
async fn settlements(sites: &[Site], site: &Site, reader: &Reader) {
    let name = &reader.name;
    let may_read = reader.subject.permissions.contains(&tidewatch_events::Permission::SETTLEMENTS_READ);
    let mut wanted: Vec<&str> = site
        .settlements
        .iter()
        .filter(|(.., audience)| may_see_settlement(&reader.subject, audience))
        .map(|(reference, ..)| reference.as_str())
        .collect();
    wanted.reverse();
    let list = reader
        .client
        .get("/api/v1/settlements")
        .header(ACCEPT, "application/json")
        .send()
        .await
        .expect("an answer");
    let export =
        reader.client.get("/api/v1/settlements").header(ACCEPT, "text/csv").send().await.expect("an answer");
    if may_read {
        let list: Value = list.json().await.expect("JSON");
        let rows = list["settlements"].as_array().expect("settlements");
        assert_eq!(
            rows.iter().map(|row| row["reference"].as_str().expect("a reference")).collect::<Vec<_>>(),
            wanted,
            "list, {name}"
        );
        let export = export.text().await.expect("CSV");
        let lines: Vec<&str> =
            export.lines().skip(1).map(|line| line.split(',').nth(1).expect("a reference")).collect();
        assert_eq!(lines, wanted, "export, {name}");
    } else {
        assert_eq!(
            (list.status(), export.status()),
            (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN),
            "{name}"
        );
    }
    for other in sites {
        for (reference, id, _) in &other.settlements {
            let status = reader.client.status(&format!("/api/v1/settlements/{id}")).await;
            let should = match (may_read, wanted.contains(&reference.as_str())) {
                (false, _) => 403,
                (true, true) => 200,
                (true, false) => 404,
            };
            assert_eq!(status, should, "detail of {reference}, {name}");
        }
    }
    if reader.is_person {
        counts_and_pages(sites, site, reader, may_read, &wanted).await;
    }
}

async fn counts_and_pages(sites: &[Site], site: &Site, reader: &Reader, may_read: bool, wanted: &[&str]) {
    let name = &reader.name;
    let path = format!("/fn/get_overview?project={}", site.slug);
    if may_read {
        // The numbers of the day count published events: wait for the last one.
        eventually("the counts", async || {
            let overview = reader.client.json(&path).await;
            let created = overview["data"]["createdToday"].as_u64()?;
            let of_matrix = site.events.iter().filter(|event| visible(&event.routing, &reader.subject));
            let of_matrix = {
                let ids: BTreeSet<&str> = of_matrix.map(|event| event.id.as_str()).collect();
                let page = reader
                    .client
                    .json("/api/v1/events?after=earliest&limit=1000&types=settlement.created")
                    .await;
                ids_of(&page).iter().filter(|id| ids.contains(id.as_str())).count()
            };
            (created as usize == of_matrix + wanted.len()).then_some(())
        })
        .await;
        let overview = reader.client.json(&path).await;
        let by_status = overview["data"]["byStatus"].as_array().expect("counts");
        let total: u64 = by_status.iter().map(|pair| pair[1].as_u64().expect("a count")).sum();
        assert_eq!(total as usize, wanted.len(), "counts, {name}");
    }
    let every_reference =
        || sites.iter().flat_map(|site| site.settlements.iter().map(|(reference, ..)| reference));
    for page in ["/settlements", "/"] {
        let html =
            reader.client.get(&format!("{page}?project={}", site.slug)).send().await.expect("an answer");
        let html = html.text().await.expect("HTML");
        for reference in every_reference() {
            let is_there = html.contains(reference.as_str());
            let is_wanted = wanted.contains(&reference.as_str());
            if page == "/settlements" {
                assert_eq!(is_there, is_wanted, "{reference} on {page}, {name}");
            } else {
                assert!(is_wanted || !is_there, "{reference} on {page}, {name}");
            }
        }
    }
    let elsewhere = sites.iter().find(|other| other.id != site.id).expect("another project");
    for path in ["/settlements", "/", "/api/v1/settlements", "/fn/get_overview", "/api/v1/events"] {
        let status = reader.client.status(&format!("{path}?project={}", elsewhere.slug)).await;
        assert!(
            status == 404 || (path.starts_with("/fn/") && status == 500),
            "{path} of another project: {status}, {name}"
        );
    }
}

/// Somebody who holds all permissions that there are is still only who they are.
#[test]
fn all_permissions_are_no_identity() {
    let nobody = Subject {
        project_id: ProjectId::from_uuid(Uuid::from_u128(1)),
        identities: BTreeSet::new(),
        permissions: PermissionSet::All,
    };
    assert!(!may_see_settlement(&nobody, &BTreeSet::from([SubjectRef::staff()])));
}
