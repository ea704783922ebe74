//! The rule in SQL is the rule; and the second wall stands by itself.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tidewatch_events::id::{OrganizationId, UserId};
use tidewatch_events::{Permission, PermissionSet, ProjectId, Routing, Subject, SubjectRef, visible};
use tidewatch_outbox::set_project_statement;
use tidewatch_server::db::visibility::SubjectColumns;
use tidewatch_server::serve::connect_restricted;
use uuid::Uuid;

use crate::notifications_support::{make_rule, rule};
use crate::support::{Client, TestServer, config, eventually};
use crate::webhook_receiver::{delivery_in, make, post};

const CASES: usize = 20_000;

/// Few names and permissions, so that overlaps are as frequent as misses.
fn names() -> impl Strategy<Value = BTreeSet<SubjectRef>> {
    let id = |n: u128| Uuid::from_u128(n);
    let pool = vec![
        SubjectRef::staff(),
        SubjectRef::Role("landlord".to_owned()),
        SubjectRef::Role("night_shift".to_owned()),
        SubjectRef::User(UserId::from_uuid(id(1))),
        SubjectRef::User(UserId::from_uuid(id(2))),
        SubjectRef::Organization(OrganizationId::from_uuid(id(1))),
        SubjectRef::Organization(OrganizationId::from_uuid(id(2))),
    ];
    proptest::sample::subsequence(pool, 0..=7).prop_map(|names| names.into_iter().collect())
}

fn permissions() -> impl Strategy<Value = BTreeSet<Permission>> {
    let pool: Vec<Permission> = Permission::BUILT_IN.iter().take(6).cloned().collect();
    proptest::sample::subsequence(pool, 0..=6).prop_map(|names| names.into_iter().collect())
}

fn held() -> impl Strategy<Value = PermissionSet> {
    prop_oneof![1 => Just(PermissionSet::All), 5 => permissions().prop_map(PermissionSet::Named)]
}

fn case() -> impl Strategy<Value = (Routing, Subject)> {
    let project = || (1u128..3).prop_map(|n| ProjectId::from_uuid(Uuid::from_u128(n)));
    (project(), permissions(), names(), project(), names(), held()).prop_map(
        |(of_event, needed, audience, of_subject, identities, permissions)| {
            let routing = Routing { permissions: needed, audience, ..Routing::in_project(of_event) };
            (routing, Subject { project_id: of_subject, identities, permissions })
        },
    )
}

fn as_json((routing, subject): &(Routing, Subject)) -> Value {
    let columns = SubjectColumns::from(subject);
    json!({
        "event_project": routing.project_id.uuid(),
        "needed": routing.permissions,
        "audience": routing.audience,
        "subject_project": subject.project_id.uuid(),
        "held": columns.held,
        "names": columns.names,
    })
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_rule_in_sql_is_the_rule(pool: PgPool) {
    let mut runner = TestRunner::default();
    let cases: Vec<(Routing, Subject)> =
        (0..CASES).map(|_| case().new_tree(&mut runner).expect("a case").current()).collect();
    let texts = |field: &str| format!("array(select jsonb_array_elements_text(c -> '{field}'))");
    let query = format!(
        "select c ->> 'event_project' = c ->> 'subject_project'
                and visible_to({}, {}, case when c -> 'held' <> 'null' then {} end, {})
         from jsonb_array_elements($1) with ordinality as cases (c, n) order by n",
        texts("needed"),
        texts("audience"),
        texts("held"),
        texts("names"),
    );
    let rows: Vec<bool> = sqlx::query_scalar(AssertSqlSafe(query))
        .bind(json!(cases.iter().map(as_json).collect::<Vec<_>>()))
        .fetch_all(&pool)
        .await
        .expect("answers");
    assert_eq!(rows.len(), CASES);
    let mut seen = 0;
    for (case, in_sql) in cases.iter().zip(&rows) {
        let by_rule = visible(&case.0, &case.1);
        assert_eq!(by_rule, *in_sql, "{case:?}");
        seen += usize::from(by_rule);
    }
    assert!((CASES / 50..CASES / 2).contains(&seen), "both answers are frequent: {seen}");
}

/// Every table that has a project, by the database's own word.
async fn tables_with_a_project(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid
         where c.relkind in ('r', 'p') and not c.relispartition and a.attname = 'project_id' and not a.attisdropped
           and c.relnamespace = current_schema()::regnamespace
         order by 1",
    )
    .fetch_all(pool)
    .await
    .expect("tables")
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn every_table_with_a_project_has_the_second_wall(pool: PgPool) {
    let tables = tables_with_a_project(&pool).await;
    assert!(tables.len() >= 11, "{tables:?}");
    for table in tables.iter().map(String::as_str).chain(["projects", "users"]) {
        let (enabled, policies, owner): (bool, i64, String) = sqlx::query_as(
            "select c.relrowsecurity, (select count(*) from pg_policy p where p.polrelid = c.oid), r.rolname::text
             from pg_class c join pg_roles r on r.oid = c.relowner
             where c.relname = $1 and c.relnamespace = current_schema()::regnamespace",
        )
        .bind(table)
        .fetch_one(&pool)
        .await
        .expect("a table");
        assert!(enabled && policies > 0, "{table} has no row-level security");
        assert_ne!(owner, "tidewatch_app", "{table}");
    }
    let bypasses: bool = sqlx::query_scalar(
        "select rolsuper or rolbypassrls or rolcanlogin from pg_roles where rolname = 'tidewatch_app'",
    )
    .fetch_one(&pool)
    .await
    .expect("the role");
    assert!(!bypasses);
}

/// A record of each module, with what belongs to it.
async fn one_of_each_module(client: &Client) {
    let money = json!({ "reference": "X", "amountMinor": 1, "currency": "EUR" });
    for (module, new) in [
        ("orders", json!({ "reference": "X", "totalMinor": 1, "currency": "EUR" })),
        ("payments", money.clone()),
        // Which moves balances, and so writes entries.
        ("invoices", money),
        ("tickets", json!({ "title": "X" })),
        ("incidents", json!({ "title": "X", "severity": "low" })),
        ("automations", json!({ "name": "X" })),
        ("logs", json!({ "message": "X" })),
        ("servers", json!({ "name": "X", "kind": "tcp", "address": "127.0.0.1:9" })),
    ] {
        let (status, made) = post(client, &format!("/api/v1/{module}"), new).await;
        assert_eq!(status, 201, "{module}: {made}");
        let path = format!("/api/v1/{module}/{}", made["id"].as_str().expect("an id"));
        if module == "incidents" {
            assert_eq!(post(client, &format!("{path}/comments"), json!({ "text": "X" })).await.0, 201);
        }
        if module == "servers" {
            eventually("a check", async || (client.json(&path).await["status"] == "failed").then_some(()))
                .await;
        }
    }
}

/// The code's own checks are switched off here: queries ask for everything.
#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn without_the_code_s_checks_nothing_of_another_project_is_to_be_had(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let other = server.add_project("other").await;
    let stranger = server.client_of(other, &["*"]).await;
    let mut streams = Vec::new();
    for (client, project) in [(&server.client, server.project), (&stranger, other)] {
        client.create("INV-1").await;
        streams.push(client.stream("?channels=a").await);
        assert_eq!(client.status("/api/v1/connections").await, 200);
        let event =
            json!({ "channelName": "a", "payload": 1, "aggregateType": "Parcel", "aggregateId": "p_1" });
        let answer = client.try_publish(&event).header("idempotency-key", "one").send().await;
        assert_eq!(answer.expect("an answer").status(), 202);
        let key = json!({ "name": "for a day", "scopes": ["events.read"], "expiresInDays": 1 });
        let answer = client.post("/api/v1/api-keys").json(&key).send().await.expect("an answer");
        assert_eq!(answer.status(), 201);
        let organization = server.add_organization(project, "One").await;
        let email = format!("ann@{project}.test");
        let person = server.add_person(project, &email, &["ops"], &[organization]).await;
        let roles = json!({ "roles": ["ops"], "organizations": [organization] });
        let answer = client.patch(&format!("/api/v1/people/{person}")).json(&roles).send().await;
        assert_eq!(answer.expect("an answer").status(), 200);
        one_of_each_module(client).await;
        let role = json!({ "title": "Night", "permissions": ["events.read"] });
        assert_eq!(
            client.put("/api/v1/roles/night").json(&role).send().await.expect("an answer").status(),
            200
        );
        let subscription = json!({ "name": "billing" });
        let answer =
            client.post("/api/v1/subscriptions").json(&subscription).send().await.expect("an answer");
        assert_eq!(answer.status(), 201);
        let invitation = json!({ "email": "bob@example.test", "roles": ["viewer"] });
        let answer = client.post("/api/v1/invitations").json(&invitation).send().await.expect("an answer");
        assert_eq!(answer.status(), 201, "{:?}", answer.text().await);
        // Refused, and so noted at once.
        let made = make(client, json!({ "url": "https://localhost/" })).await;
        let (_, test) = post(client, &format!("{}/test", made.path), json!({})).await;
        delivery_in(client, &made, test["id"].as_str().expect("an id"), "failed").await;
        let audience = json!([{ "kind": "role", "name": "ops" }]);
        let rule = make_rule(client, rule("told", &["parcel.sent"], audience)).await;
        assert_eq!(rule["enabled"], true);
        let sent =
            json!({ "channelName": "parcels", "eventType": "parcel.sent", "payload": { "title": "X" } });
        client.publish(sent).await;
    }
    eventually("somebody of both projects to be told", async || {
        let projects: i64 =
            sqlx::query_scalar("select count(distinct project_id) from notification_receipts")
                .fetch_one(&pool)
                .await
                .expect("a count");
        (projects == 2).then_some(())
    })
    .await;
    eventually("sums of both projects", async || {
        let projects: i64 = sqlx::query_scalar("select count(distinct project_id) from event_rollups")
            .fetch_one(&pool)
            .await
            .expect("a count");
        (projects == 2).then_some(())
    })
    .await;
    // From here on nobody sums up what has changed.
    let mut gate = pool.begin().await.expect("a transaction");
    sqlx::query("select from rollup_cursors for update").execute(&mut *gate).await.expect("a lock");
    // What a run of the witness would leave, and a difference that it had found.
    for statement in [
        "insert into record_count_changes (project_id, name, status, audience, change)
         select id, 'settlements', 'held', '{}', 1 from projects",
        "insert into volume_rollups (project_id, width, from_time, class_id, currency, network, amount_minor)
         select project_id, 60, now(), id, 'EUR', '', 1 from rollup_classes",
        "insert into witness_runs (id, project_id, started_at) select gen_random_uuid(), id, now() from projects",
        "insert into witness_incidents (incident_id, project_id, about) select id, project_id, 'x' from incidents",
        // What somebody was given, and looks at often.
        "insert into delivery_spans (project_id, id, kind, after, upto, filter, subject, actor, actor_name, via,
                                     instance, since)
         select id, gen_random_uuid(), 'given', 0, 1, '{}', '{}', 'system:x', 'x', 'sse', 'x', now() from projects",
        "insert into saved_views (id, project_id, user_id, path, query, name)
         select gen_random_uuid(), project_id, user_id, '/orders', '', 'x' from memberships",
        // What somebody wants to be told, and in which browser.
        "insert into notification_preferences (project_id, user_id, pattern, in_app)
         select project_id, user_id, '*', true from memberships",
        "insert into notification_settings (project_id, user_id) select project_id, user_id from memberships",
        "insert into push_subscriptions (id, project_id, user_id, endpoint, p256dh, auth)
         select gen_random_uuid(), project_id, user_id, 'https://push.example.test/x', repeat('x', 87), repeat('x', 22)
         from memberships",
    ] {
        sqlx::query(statement).execute(&pool).await.expect("rows");
    }
    let restricted = connect_restricted(&config(&pool).database);
    for table in tables_with_a_project(&pool).await {
        let count = format!("select count(*), count(*) filter (where project_id = $1) from {table}");
        let (all, _): (i64, i64) = sqlx::query_as(AssertSqlSafe(count.clone()))
            .bind(other.uuid())
            .fetch_one(&pool)
            .await
            .expect("counts");
        if table != "token_families" {
            assert!(all >= 2, "{table} has rows of both projects: {all}");
        }
        // In one project: its own rows alone.
        let mut transaction = restricted
            .begin_with(AssertSqlSafe(format!("begin; {}", set_project_statement(server.project))))
            .await
            .expect("a transaction");
        let mine: Result<(i64, i64), sqlx::Error> = sqlx::query_as(AssertSqlSafe(count.clone()))
            .bind(server.project.uuid())
            .fetch_one(&mut *transaction)
            .await;
        match mine {
            Ok((seen, own)) => assert!(seen == own && seen > 0 && seen < all, "{table}: {seen} of {all}"),
            Err(error) => assert!(is_denied(&error), "{table}: {error}"),
        }
        drop(transaction);
        // In none: nothing.
        let nothing: Result<(i64, i64), sqlx::Error> =
            sqlx::query_as(AssertSqlSafe(count)).bind(other.uuid()).fetch_one(&restricted).await;
        match nothing {
            Ok((seen, _)) => assert_eq!(seen, 0, "{table} without a project"),
            Err(error) => assert!(is_denied(&error), "{table}: {error}"),
        }
    }
    cannot_write_across(&restricted, server.project, other).await;
    cannot_read_secrets(&restricted, server.project).await;
    restricted.close().await;
    gate.rollback().await.expect("the end");
    server.stop().await;
}

fn is_denied(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "42501")
}

async fn cannot_write_across(restricted: &PgPool, own: ProjectId, other: ProjectId) {
    for statement in [
        format!(
            "insert into organizations (id, project_id, name) values (gen_random_uuid(), '{}', 'X')",
            other.uuid()
        ),
        format!("update organizations set project_id = '{}'", other.uuid()),
        "delete from audit_entries".to_owned(),
        "update audit_entries set actor = 'system:nobody'".to_owned(),
        "update users set password_hash = ''".to_owned(),
    ] {
        let mut transaction = restricted
            .begin_with(AssertSqlSafe(format!("begin; {}", set_project_statement(own))))
            .await
            .expect("a transaction");
        let refused = sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut *transaction).await;
        assert!(refused.is_err(), "{statement}");
    }
    let mut transaction = restricted
        .begin_with(AssertSqlSafe(format!("begin; {}", set_project_statement(own))))
        .await
        .expect("a transaction");
    let changed = sqlx::query("update organizations set name = name || '!'").execute(&mut *transaction).await;
    assert_eq!(changed.expect("changed").rows_affected(), 1, "its own one alone");
}

async fn cannot_read_secrets(restricted: &PgPool, own: ProjectId) {
    for query in [
        "select digest from api_keys",
        "select password_hash from users",
        "select digest from invitations",
        "select id from sessions",
        "select value from server_secrets",
        "select digest from refresh_tokens",
        "select key from login_failures",
        "select sealed from webhook_secrets",
        "select * from domain_events_default",
    ] {
        let mut transaction = restricted
            .begin_with(AssertSqlSafe(format!("begin; {}", set_project_statement(own))))
            .await
            .expect("a transaction");
        let refused = sqlx::query(query).fetch_all(&mut *transaction).await.expect_err(query);
        assert!(is_denied(&refused), "{query}: {refused}");
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_audit_log_is_append_only_for_the_owner_as_well(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    server.client.create("INV-1").await;
    for statement in
        ["update audit_entries set actor_name = 'x'", "delete from audit_entries", "truncate audit_entries"]
    {
        let refused = sqlx::query(statement).execute(&pool).await.expect_err(statement);
        assert!(refused.to_string().contains("append-only"), "{statement}: {refused}");
    }
    server.stop().await;
}
