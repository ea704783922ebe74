//! Notifications by e-mail: at once, in digests, not in quiet hours, and not where nobody wants it.

use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use serde_json::json;
use sqlx::PgPool;
use tidewatch_app::model::{NotificationSettings, QuietHours};
use tidewatch_jobs::JobPayload;
use tidewatch_server::access::secret::Digester;
use tidewatch_server::config::outside::OutsideConfig;
use tidewatch_server::db::notifications::outside::turn_email_off;
use tidewatch_server::jobs::mail_digest::MailDigest;
use tidewatch_server::jobs::mail_notification::MailNotification;
use tidewatch_server::jobs::send_digests::SendDigests;
use tidewatch_server::notifications::outside::{Outside, quiet};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::outside_support::{Person, hurry, person, prefer, rests, rule_for, scheduled};
use crate::smtp_server::{Mail, SmtpServer};
use crate::support::{TestServer, eventually};

const PUBLIC: &str = "https://tidewatch.example.com";

fn outside(smtp: &SmtpServer) -> OutsideConfig {
    OutsideConfig {
        smtp_url: Some(smtp.url.parse().expect("a server")),
        mail_from: Some("Tidewatch <tidewatch@example.com>".parse().expect("an address")),
        public_url: Some(PUBLIC.parse().expect("an address")),
        ..OutsideConfig::default()
    }
}

async fn start(pool: &PgPool, smtp: &SmtpServer) -> TestServer {
    TestServer::start_with(pool, |config| config.outside = outside(smtp)).await
}

/// Where a test may have a file of its own; there is none yet.
fn own_file() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.pem", uuid::Uuid::now_v7()))
}

/// Why the last try of a job of e-mail came to nothing.
async fn last_error(pool: &PgPool) -> Option<String> {
    sqlx::query_scalar(
        "select errors -> -1 ->> 'message' from jobs where kind = $1 and jsonb_array_length(errors) > 0",
    )
    .bind(MailNotification::KIND)
    .fetch_optional(pool)
    .await
    .expect("jobs")
}

/// Receipts of which it is noted that they were mailed, and all.
async fn mailed(pool: &PgPool) -> (i64, i64) {
    sqlx::query_as("select count(emailed_at), count(*) from notification_receipts")
        .fetch_one(pool)
        .await
        .expect("receipts")
}

/// Everything that was sent was so some days ago.
async fn wait_days(pool: &PgPool, days: i32) {
    sqlx::query("update notification_receipts set sent_at = sent_at - make_interval(days => $1)")
        .bind(days)
        .execute(pool)
        .await
        .expect("receipts");
}

/// The path and query of the link by which a mailbox unsubscribes.
fn unsubscribe_link(mail: &Mail) -> String {
    let header = mail.header("List-Unsubscribe");
    let link = header.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).expect("one address");
    link.strip_prefix(PUBLIC).expect("our address").to_owned()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn goes_out_at_once_where_that_is_wanted(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    ann.want(json!({ "preferences": prefer("instant", true) })).await;
    rule_for(&server, &ann, json!({})).await;
    server.client.create("Grün-1").await;

    let mail = smtp.wait_for(1).await.remove(0);
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("tidewatch@example.com", &[ann.email.clone()][..]));
    assert_eq!(mail.header("From"), "Tidewatch <tidewatch@example.com>");
    assert_eq!(mail.header("Subject"), "<b>Grün-1</b> & co");
    assert_eq!(mail.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    let notification = ann.unread(1).await.remove(0);
    let id = notification["id"].as_str().expect("an id");
    assert_eq!(mail.header("Message-ID"), format!("<{id}@tidewatch.example.com>"));
    let link = format!("{PUBLIC}/notifications/{id}/open?project=demo");
    let text = mail.part("text/plain");
    assert!(text.contains("<b>Grün-1</b> & co\nfirst line\n<img src=x>\n"), "{text}");
    assert!(text.contains(&link), "{text}");
    assert!(text.contains(&format!("{PUBLIC}{}", unsubscribe_link(&mail))), "{text}");
    let html = mail.part("text/html");
    assert!(html.contains("&lt;b&gt;Grün-1&lt;/b&gt; &amp; co</a>"), "{html}");
    assert!(html.contains("first line<br>&lt;img src=x&gt;") && !html.contains("<img"), "{html}");
    assert!(html.contains(&format!("href=\"{link}\"")), "{html}");

    eventually("the note of it", async || (mailed(&pool).await == (1, 1)).then_some(())).await;
    server.client.create("Grün-2").await;
    assert_eq!(smtp.wait_for(2).await.len(), 2, "each once");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn goes_by_tls_to_a_server_that_is_trusted_and_to_no_other(pool: PgPool) {
    let (smtp, authority) = SmtpServer::start_wrapped().await;
    goes_where_it_is_trusted(&pool, &smtp, authority).await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn goes_by_starttls_to_a_server_that_is_trusted_and_to_no_other(pool: PgPool) {
    let (mut smtp, authority) = SmtpServer::start_with_starttls().await;
    smtp.url += "?tls=required";
    goes_where_it_is_trusted(&pool, &smtp, authority).await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn goes_nowhere_in_the_clear_where_tls_is_required(pool: PgPool) {
    let mut smtp = SmtpServer::start().await;
    smtp.url += "?tls=required";
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    ann.want(json!({ "preferences": prefer("instant", true) })).await;
    rule_for(&server, &ann, json!({})).await;
    server.client.create("A-1").await;
    let why = eventually("a refusal", async || last_error(&pool).await).await;
    assert!(why.contains("STARTTLS"), "{why}");
    assert!(smtp.mails().is_empty());
    server.stop().await;
}

/// An e-mail waits until the authority of the server's certificate is trusted, and then goes out.
async fn goes_where_it_is_trusted(pool: &PgPool, smtp: &SmtpServer, authority: String) {
    let server = start(pool, smtp).await;
    let ann = person(&server, "ann").await;
    ann.want(json!({ "preferences": prefer("instant", true) })).await;
    rule_for(&server, &ann, json!({})).await;
    server.client.create("A-1").await;
    let why = eventually("a refusal", async || last_error(pool).await).await;
    assert!(why.contains("certificate"), "{why}");
    assert!(smtp.mails().is_empty());
    server.stop().await;

    let path = own_file();
    std::fs::write(&path, authority).expect("a file");
    let server = TestServer::start_with(pool, |config| {
        config.outside = OutsideConfig { smtp_ca: Some(path.clone()), ..outside(smtp) };
    })
    .await;
    std::fs::remove_file(path).expect("the file");
    hurry(pool, MailNotification::KIND).await;
    assert_eq!(smtp.wait_for(1).await[0].to, std::slice::from_ref(&ann.email), "what waited goes out");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_file_without_authorities_is_refused_at_the_start(pool: PgPool) {
    let path = own_file();
    let digester = Digester::new(vec![0; 32]);
    let smtp = SmtpServer::start().await;
    let config = OutsideConfig { smtp_ca: Some(path.clone()), ..outside(&smtp) };
    for (text, said) in [(None, "No such file"), (Some("x"), "there is none in it")] {
        if let Some(text) = text {
            std::fs::write(&path, text).expect("a file");
        }
        let refused = Outside::prepare(&config, &pool, &digester).await.expect_err("a refusal").to_string();
        assert!(refused.contains("TIDEWATCH_SMTP_CA") && refused.contains(said), "{refused}");
    }
    std::fs::remove_file(path).expect("the file");
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn is_tried_again_and_given_up_where_there_is_no_such_mailbox(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    ann.want(json!({ "preferences": prefer("instant", true) })).await;
    rule_for(&server, &ann, json!({})).await;
    smtp.answer_once("451 come back");
    server.client.create("A-1").await;
    smtp.wait_for(1).await;

    smtp.answer_once("550 no such mailbox");
    server.client.create("A-2").await;
    let why: String = eventually("a job to be given up", async || {
        sqlx::query_scalar(
            "select errors -> -1 ->> 'message' from jobs where kind = $1 and state = 'cancelled'",
        )
        .bind(MailNotification::KIND)
        .fetch_optional(&pool)
        .await
        .expect("jobs")
    })
    .await;
    assert!(why.contains("550") && why.contains("no such mailbox"), "{why}");
    assert_eq!(smtp.mails().len(), 1);
    assert_eq!(mailed(&pool).await, (1, 2));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_week_offline_is_one_digest_with_everything_in_it(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    ann.want(json!({ "digest": "weekly" })).await;
    rule_for(&server, &ann, json!({})).await;
    rests(&pool, SendDigests::KIND).await;
    for n in 1..=4 {
        server.client.create(&format!("A-{n}")).await;
        ann.unread(n).await;
    }
    let read = ann.unread(4).await.into_iter().find(|one| one["title"] == "<b>A-2</b> & co").expect("it");
    let path = format!("/api/v1/notifications/{}/read", read["id"].as_str().expect("an id"));
    assert_eq!(ann.client.post(&path).send().await.expect("an answer").status(), StatusCode::OK);

    wait_days(&pool, 6).await;
    hurry(&pool, SendDigests::KIND).await;
    rests(&pool, SendDigests::KIND).await;
    assert!(smtp.mails().is_empty(), "a week is not over");

    wait_days(&pool, 1).await;
    hurry(&pool, SendDigests::KIND).await;
    let mail = smtp.wait_for(1).await.remove(0);
    assert_eq!(mail.header("Subject"), "3 unread notifications in Demo");
    let text = mail.part("text/plain");
    let places: Vec<usize> = ["A-4", "A-3", "A-1"]
        .iter()
        .map(|name| text.find(name).unwrap_or_else(|| panic!("{name}: {text}")))
        .collect();
    assert!(places.is_sorted(), "the newest first: {text}");
    assert!(!text.contains("A-2"), "what was read is not in it");
    assert_eq!(mail.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    eventually("the note of it", async || (mailed(&pool).await == (3, 4)).then_some(())).await;

    rests(&pool, SendDigests::KIND).await;
    hurry(&pool, SendDigests::KIND).await;
    rests(&pool, SendDigests::KIND).await;
    server.client.create("A-5").await;
    ann.unread(4).await;
    wait_days(&pool, 8).await;
    hurry(&pool, SendDigests::KIND).await;
    rests(&pool, SendDigests::KIND).await;
    assert_eq!(smtp.mails().len(), 1, "nothing twice, and never two in a week");
    sqlx::query("update notification_settings set last_digest_at = last_digest_at - interval '8 days'")
        .execute(&pool)
        .await
        .expect("a week");
    hurry(&pool, SendDigests::KIND).await;
    let mail = smtp.wait_for(2).await.remove(1);
    assert_eq!(mail.header("Subject"), "1 unread notification: <b>A-5</b> & co");
    server.stop().await;
}

/// The states of all jobs that mail digests, the oldest first.
async fn digests(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("select state from jobs where kind = $1 order by id")
        .bind(MailDigest::KIND)
        .fetch_all(pool)
        .await
        .expect("jobs")
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_digest_that_nobody_takes_is_due_again_when_its_time_has_come_again(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    rule_for(&server, &ann, json!({})).await;
    rests(&pool, SendDigests::KIND).await;
    server.client.create("A-1").await;
    ann.unread(1).await;
    wait_days(&pool, 1).await;
    smtp.answer_once("550 no such mailbox");
    hurry(&pool, SendDigests::KIND).await;
    eventually("it to be refused", async || (digests(&pool).await == ["cancelled"]).then_some(())).await;
    for _ in 0..2 {
        rests(&pool, SendDigests::KIND).await;
        hurry(&pool, SendDigests::KIND).await;
    }
    rests(&pool, SendDigests::KIND).await;
    assert_eq!(digests(&pool).await, ["cancelled"], "not at the next look");

    let next_day = async || {
        sqlx::query("update notification_settings set last_digest_at = last_digest_at - interval '1 day'")
            .execute(&pool)
            .await
            .expect("a day");
        hurry(&pool, SendDigests::KIND).await;
    };
    smtp.answer_once("451 come back");
    smtp.answer_once("451 come back");
    next_day().await;
    eventually("it to have one attempt left", async || {
        let waiting = sqlx::query(
            "update jobs set attempt = max_attempts - 1, run_at = now() where kind = $1 and state = 'scheduled'",
        );
        let done = waiting.bind(MailDigest::KIND).execute(&pool).await.expect("a last attempt");
        (done.rows_affected() == 1).then_some(())
    })
    .await;
    eventually("it to be given up", async || (digests(&pool).await == ["cancelled", "dead"]).then_some(()))
        .await;
    rests(&pool, SendDigests::KIND).await;
    hurry(&pool, SendDigests::KIND).await;
    rests(&pool, SendDigests::KIND).await;
    assert_eq!(digests(&pool).await.len(), 2, "not at the next look either");
    assert!(smtp.mails().is_empty());
    next_day().await;
    assert_eq!(smtp.wait_for(1).await.len(), 1, "and a day later it is tried again");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_was_turned_off_meanwhile_is_in_no_digest(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    rule_for(&server, &ann, json!({})).await;
    rule_for(&server, &ann, json!({ "types": ["settlement.status_changed"] })).await;
    rests(&pool, SendDigests::KIND).await;
    server.client.create("A-1").await;
    ann.unread(1).await;
    let off = json!([{ "pattern": "settlement.created", "inApp": true, "email": "off", "push": true }]);
    ann.want(json!({ "preferences": off })).await;
    wait_days(&pool, 1).await;
    hurry(&pool, SendDigests::KIND).await;
    eventually("it to be called off", async || (digests(&pool).await == ["cancelled"]).then_some(())).await;
    rests(&pool, SendDigests::KIND).await;
    hurry(&pool, SendDigests::KIND).await;
    rests(&pool, SendDigests::KIND).await;
    assert_eq!(digests(&pool).await.len(), 1, "it is due no more");

    // What else waits is mailed without it, also after all is wanted again.
    let settlement = server.client.create("A-2").await;
    ann.unread(2).await;
    server.client.make_move(&settlement, json!({ "move": "hold", "reason": "x" })).await;
    ann.unread(3).await;
    ann.want(json!({})).await;
    wait_days(&pool, 1).await;
    hurry(&pool, SendDigests::KIND).await;
    let mail = smtp.wait_for(1).await.remove(0);
    assert_eq!(mail.header("Subject"), "1 unread notification: <b>A-2</b> & co");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_digest_that_has_got_longer_is_another_e_mail(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    rule_for(&server, &ann, json!({})).await;
    rests(&pool, SendDigests::KIND).await;
    server.client.create("A-1").await;
    ann.unread(1).await;
    wait_days(&pool, 1).await;
    refuse_notes(&pool).await;
    hurry(&pool, SendDigests::KIND).await;
    smtp.wait_for(1).await;
    server.client.create("A-2").await;
    ann.unread(2).await;
    // Its worker loses the job before it has noted that, and another one takes it.
    let mut transaction = pool.begin().await.expect("a transaction");
    for statement in [
        "drop trigger refuse_note on notification_receipts",
        "update jobs set state = 'waiting', leased_until = null, leased_by = null, lease = lease + 1
         where kind = 'notification.mail_digest'",
    ] {
        sqlx::query(statement).execute(&mut *transaction).await.expect(statement);
    }
    transaction.commit().await.expect("committed");
    let mails = smtp.wait_for(2).await;
    assert_eq!(mails[0].header("Subject"), "1 unread notification: <b>A-1</b> & co");
    assert_eq!(mails[1].header("Subject"), "2 unread notifications in Demo");
    assert_ne!(mails[0].header("Message-ID"), mails[1].header("Message-ID"), "a mailbox would drop it");
    eventually("the note of it", async || (mailed(&pool).await == (2, 2)).then_some(())).await;
    server.stop().await;
}

/// Has Postgres refuse the note that an e-mail went out, and a sequence count how often: it goes on whatever is rolled
/// back.
async fn refuse_notes(pool: &PgPool) {
    for statement in [
        "create sequence refusals",
        "create function refuse_note() returns trigger language plpgsql as $$
         begin
             perform nextval('refusals');
             raise exception 'refused by a test';
         end $$",
        "create trigger refuse_note before update of emailed_at on notification_receipts
         for each row execute function refuse_note()",
    ] {
        sqlx::query(statement).execute(pool).await.expect("a trigger");
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_went_out_is_noted_until_that_is_written_and_goes_out_once(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    ann.want(json!({ "preferences": prefer("instant", true) })).await;
    rule_for(&server, &ann, json!({})).await;
    refuse_notes(&pool).await;
    server.client.create("A-1").await;
    eventually("the note to be refused twice", async || {
        let refusals: i64 =
            sqlx::query_scalar("select last_value from refusals").fetch_one(&pool).await.expect("a count");
        (refusals >= 2).then_some(())
    })
    .await;
    assert_eq!(mailed(&pool).await, (0, 1));
    sqlx::query("drop trigger refuse_note on notification_receipts").execute(&pool).await.expect("dropped");
    eventually("the note of it", async || (mailed(&pool).await == (1, 1)).then_some(())).await;
    let attempts: i32 =
        sqlx::query_scalar("select attempt from jobs where kind = $1 and state = 'completed'")
            .bind(MailNotification::KIND)
            .fetch_one(&pool)
            .await
            .expect("a job");
    assert_eq!((attempts, smtp.mails().len()), (1, 1));
    server.stop().await;
}

/// Quiet hours that go on for an hour.
fn quiet_now() -> serde_json::Value {
    let now = OffsetDateTime::now_utc();
    let minute = i64::from(now.hour()) * 60 + i64::from(now.minute());
    json!({ "from": (minute - 1).rem_euclid(1_440), "until": (minute + 60) % 1_440 })
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn quiet_hours_are_those_of_the_person_s_clock_also_when_it_is_changed(pool: PgPool) {
    let mut connection = pool.acquire().await.expect("a connection");
    let mut left = async |zone: &str, now: OffsetDateTime| {
        let settings = NotificationSettings {
            quiet: Some(QuietHours { from: 22 * 60, until: 7 * 60 }),
            time_zone: zone.to_owned(),
            ..NotificationSettings::default()
        };
        let left = quiet::left(&mut connection, &settings, now).await.expect("an answer");
        left.map(|left| left.as_secs() / 60)
    };
    let night = Some(8 * 60 + 30);
    for (zone, now, expected, why) in [
        ("Europe/Vienna", datetime!(2026-03-27 21:30 UTC), night, "22:30 in winter"),
        ("Europe/Vienna", datetime!(2026-03-27 20:30 UTC), None, "21:30 in winter"),
        ("Europe/Vienna", datetime!(2026-03-30 20:30 UTC), night, "22:30 in summer"),
        ("Europe/Vienna", datetime!(2026-03-31 05:30 UTC), None, "07:30 in summer"),
        ("Europe/Vienna", datetime!(2026-03-28 21:30 UTC), Some(7 * 60 + 30), "an hour is left out"),
        ("Europe/Vienna", datetime!(2026-10-24 20:30 UTC), Some(9 * 60 + 30), "an hour comes twice"),
        ("America/New_York", datetime!(2026-07-01 02:30 UTC), night, "22:30 of the day before"),
        ("Asia/Kolkata", datetime!(2026-07-01 17:00 UTC), night, "half an hour beside the others"),
        ("Atlantis/City", datetime!(2026-07-01 22:30 UTC), night, "one that is gone is taken for UTC"),
    ] {
        assert_eq!(left(zone, now).await, expected, "{zone} {now}: {why}");
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn quiet_hours_are_waited_out_unless_it_must_be_acknowledged(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    ann.want(json!({ "preferences": prefer("instant", true), "quiet": quiet_now() })).await;
    rule_for(&server, &ann, json!({})).await;
    server.client.create("A-1").await;
    let waits = eventually("the job to wait", async || {
        scheduled(&pool, MailNotification::KIND).await.first().copied()
    })
    .await;
    assert!((3_000.0..=3_660.0).contains(&waits), "until they are over: {waits}");

    rule_for(&server, &ann, json!({ "types": ["settlement.status_changed"], "mustAcknowledge": true })).await;
    let settlement = server.client.create("A-2").await;
    server.client.make_move(&settlement, json!({ "move": "hold", "reason": "x" })).await;
    let mail = smtp.wait_for(1).await.remove(0);
    assert!(mail.header("Subject").starts_with("Please acknowledge: "), "{}", mail.header("Subject"));

    ann.want(json!({ "preferences": prefer("instant", true) })).await;
    // As the release before has put it: it is done there, too.
    sqlx::query("update jobs set queue = 'outside' where kind = $1 and state = 'scheduled'")
        .bind(MailNotification::KIND)
        .execute(&pool)
        .await
        .expect("jobs");
    hurry(&pool, MailNotification::KIND).await;
    assert_eq!(smtp.wait_for(3).await.len(), 3, "both that waited");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_must_be_acknowledged_waits_for_no_digest_and_goes_not_where_nobody_wants_e_mail(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let (ann, bob) = (person(&server, "ann").await, person(&server, "bob").await);
    bob.want(json!({ "preferences": prefer("off", true) })).await;
    let both = json!([{ "kind": "user", "id": ann.id }, { "kind": "user", "id": bob.id }]);
    rule_for(&server, &ann, json!({ "audience": both, "mustAcknowledge": true })).await;
    server.client.create("A-1").await;
    // She has said nothing: what need not be acknowledged would be in a digest a day later.
    let mail = smtp.wait_for(1).await.remove(0);
    assert_eq!(mail.header("Subject"), "Please acknowledge: <b>A-1</b> & co");
    assert_eq!(mail.to, std::slice::from_ref(&ann.email));
    bob.unread(1).await;

    // Nor does it go to whoever turned it off meanwhile.
    ann.want(json!({ "preferences": prefer("digest", true) })).await;
    assert_eq!(smtp.mails().len(), 1);
    let (link, anybody) = (unsubscribe_link(&mail), server.client.anonymous());
    let unsubscribed = anybody.post(&link).header("content-type", "application/x-www-form-urlencoded");
    let unsubscribed = unsubscribed.body("List-Unsubscribe=One-Click").send().await.expect("an answer");
    assert_eq!(unsubscribed.status(), StatusCode::OK);
    server.client.create("A-2").await;
    ann.unread(2).await;
    let jobs: Vec<String> = sqlx::query_scalar("select state from jobs where kind = $1")
        .bind(MailNotification::KIND)
        .fetch_all(&pool)
        .await
        .expect("jobs");
    assert_eq!((jobs.len(), smtp.mails().len()), (1, 1), "to nobody else, and no more: {jobs:?}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_finds_no_turn_waits_in_its_queue_and_what_is_urgent_overtakes_it(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    ann.want(json!({ "preferences": prefer("instant", true) })).await;
    rule_for(&server, &ann, json!({})).await;
    rule_for(&server, &ann, json!({ "types": ["settlement.status_changed"], "mustAcknowledge": true })).await;
    // Jobs of e-mail: all, those that are under way, and how often one was claimed at most.
    let jobs = async || -> (i64, i64, i64) {
        sqlx::query_as(
            "select count(*), count(*) filter (where state = 'running'), coalesce(max(lease), 0)
             from jobs where kind = $1",
        )
        .bind(MailNotification::KIND)
        .fetch_one(&pool)
        .await
        .expect("jobs")
    };
    smtp.let_through(0);
    let mut settlement = json!(null);
    for n in 1..=40 {
        settlement = server.client.create(&format!("A-{n}")).await;
    }
    eventually("as many as may be to be under way", async || {
        let (all, running, _) = jobs().await;
        ((all, running) == (40, 4)).then_some(())
    })
    .await;
    server.client.make_move(&settlement, json!({ "move": "hold", "reason": "x" })).await;
    eventually("one more", async || (jobs().await.0 == 41).then_some(())).await;
    smtp.let_through(8);
    let urgent = |mail: &Mail| mail.header("Subject").starts_with("Please acknowledge: ");
    assert!(smtp.wait_for(8).await.iter().any(urgent), "the last of 41, and among the next");
    smtp.let_through(100);
    assert_eq!(smtp.wait_for(41).await.len(), 41);
    eventually("the notes of them", async || (mailed(&pool).await == (41, 41)).then_some(())).await;
    let (all, running, claims) = jobs().await;
    assert_eq!((all, running), (41, 0));
    // Again only where a slow machine had a mail wait longer than the mail server is waited for.
    assert!(claims <= 3, "none came again and again: {claims}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_was_read_before_it_went_out_does_not_go_out(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    ann.want(json!({ "preferences": prefer("instant", true), "quiet": quiet_now() })).await;
    rule_for(&server, &ann, json!({})).await;
    server.client.create("A-1").await;
    eventually("the job to wait", async || scheduled(&pool, MailNotification::KIND).await.first().copied())
        .await;
    let id = ann.unread(1).await[0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/notifications/{id}/read");
    assert_eq!(ann.client.post(&path).send().await.expect("an answer").status(), StatusCode::OK);
    hurry(&pool, MailNotification::KIND).await;
    eventually("the job to be called off", async || {
        let state: String = sqlx::query_scalar("select state from jobs where kind = $1")
            .bind(MailNotification::KIND)
            .fetch_one(&pool)
            .await
            .expect("a job");
        (state == "cancelled").then_some(())
    })
    .await;
    assert!(smtp.mails().is_empty());
    server.stop().await;
}

/// The person has turned e-mail off.
async fn assert_off(ann: &Person) {
    let settings = ann.settings().await;
    assert_eq!(settings["digest"], "off", "{settings}");
    let preferences = settings["preferences"].as_array().expect("preferences");
    assert!(preferences.iter().any(|one| one["pattern"] == "*"), "{settings}");
    assert!(preferences.iter().all(|one| one["email"] == "off" && one["inApp"] == true), "{settings}");
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn one_click_of_a_mailbox_turns_e_mail_off(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    let settlements = json!([{ "pattern": "settlement.*", "inApp": true, "email": "instant", "push": true }]);
    ann.want(json!({ "preferences": settlements })).await;
    rule_for(&server, &ann, json!({})).await;
    server.client.create("A-1").await;
    let link = unsubscribe_link(&smtp.wait_for(1).await[0]);
    let anybody = server.client.anonymous();
    let post = async |link: &str| {
        let request = anybody.post(link).header("content-type", "application/x-www-form-urlencoded");
        // As a mailbox's page would send it.
        let request = request.header("origin", "https://mail.example").header("sec-fetch-site", "cross-site");
        request.body("List-Unsubscribe=One-Click").send().await.expect("an answer").status()
    };
    for forged in ["/unsubscribe", "/unsubscribe?token=", "/unsubscribe?token=abc", &format!("{link}AAAA")] {
        assert_eq!(post(forged).await, StatusCode::NOT_FOUND, "{forged}");
    }
    let page = anybody.get(&link).send().await.expect("an answer");
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.expect("a page");
    assert!(page.contains("action=\"/unsubscribe\"") && page.contains("name=\"token\""), "{page}");
    assert_eq!(ann.settings().await["digest"], "daily", "to look at it changes nothing");

    assert_eq!(post(&link).await, StatusCode::OK);
    assert_off(&ann).await;
    assert_eq!(post(&link).await, StatusCode::OK, "done twice, it is done once");
    server.client.create("A-2").await;
    ann.unread(2).await;
    let off: i64 = sqlx::query_scalar("select count(*) from notification_receipts where email = 'off'")
        .fetch_one(&pool)
        .await
        .expect("receipts");
    assert_eq!((off, smtp.mails().len()), (1, 1));
    let audit = server.client.json("/api/v1/audit?action=notifications.unsubscribe").await;
    assert_eq!(audit["entries"][0]["actorName"], ann.email.as_str(), "{audit}");
    assert_eq!(audit["entries"].as_array().map(Vec::len), Some(1), "done twice, it is noted once: {audit}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_turns_e_mail_off_reads_no_receipts_of_others(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (ann, bob) = (person(&server, "ann").await, person(&server, "bob").await);
    rule_for(&server, &bob, json!({})).await;
    server.client.create("A-1").await;
    bob.unread(1).await;
    for statement in [
        "insert into notifications
             (id, project_id, rule_id, rule_name, event_id, event_type, position, aggregate_type, aggregate_id, occurred_at,
              title, body, link, group_key, priority, must_acknowledge, event_audience, escalation)
         select gen_random_uuid(), project_id, rule_id, rule_name, gen_random_uuid(), event_type, position, aggregate_type,
                aggregate_id, occurred_at, 'hay', '', link, group_key, priority, must_acknowledge, event_audience, escalation
         from notifications, generate_series(1, 5000) n",
        "insert into notification_receipts (id, project_id, notification_id, user_id, step, waits, email)
         select n.id, n.project_id, n.id, r.user_id, 0, false, 'digest'
         from notifications n, notification_receipts r where n.title = 'hay'",
        "analyze notification_receipts",
    ] {
        sqlx::query(statement).execute(&pool).await.expect(statement);
    }
    let mut transaction = pool.begin().await.expect("a transaction");
    let done = turn_email_off(&mut transaction, server.project, ann.id).await.expect("turned off");
    assert_eq!(done, Some(true));
    let scans: i64 =
        sqlx::query_scalar("select pg_stat_get_xact_numscans('notification_receipts_to_mail'::regclass)")
            .fetch_one(&mut *transaction)
            .await
            .expect("a count");
    assert_eq!(scans, 1, "by the index of what waits to be mailed");
    transaction.rollback().await.expect("rolled back");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_page_of_the_link_turns_e_mail_off_without_a_login(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let (ann, bob) = (person(&server, "ann").await, person(&server, "bob").await);
    ann.want(json!({ "preferences": prefer("instant", true) })).await;
    rule_for(&server, &ann, json!({})).await;
    server.client.create("A-1").await;
    let link = unsubscribe_link(&smtp.wait_for(1).await[0]);
    let token = link.split("token=").nth(1).expect("a token").to_owned();
    let anybody = server.client.anonymous();
    let submit = async |token: &str| {
        let request =
            anybody.post("/unsubscribe").header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(format!("token={token}")).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        answer.headers()["location"].to_str().expect("text").to_owned()
    };
    assert_eq!(submit("forged").await, "/unsubscribe?error=token");
    assert_eq!(ann.settings().await["digest"], "daily");
    assert_eq!(submit(&token).await, "/unsubscribe?done=1");
    assert_off(&ann).await;
    assert_eq!(bob.settings().await["digest"], "daily", "nobody else's");
    for (path, text) in
        [("/unsubscribe?done=1", "You get no more e-mail"), ("/unsubscribe?error=token", "not one of ours")]
    {
        let page = anybody.get(path).send().await.expect("an answer").text().await.expect("a page");
        assert!(page.contains(text), "{path}: {page}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn settings_say_whether_the_server_sends_e_mail(pool: PgPool) {
    let smtp = SmtpServer::start().await;
    let server = start(&pool, &smtp).await;
    let ann = person(&server, "ann").await;
    assert_eq!(ann.client.json("/api/v1/notifications/settings").await["sendsEmail"], true);
    server.stop().await;
    let server = TestServer::start(&pool).await;
    let ann = person(&server, "ann").await;
    assert_eq!(ann.client.json("/api/v1/notifications/settings").await["sendsEmail"], false);
    server.stop().await;
}
