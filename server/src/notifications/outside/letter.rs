//! What an e-mail says: as plain text and as HTML, in which nothing of what a notification says is markup.

use std::fmt::Write as _;

use tidewatch_app::contexts::project::in_project;
use tidewatch_events::ProjectId;
use tidewatch_events::id::{NotificationId, UserId};
use time::OffsetDateTime;
use time::macros::format_description;
use url::Url;

use super::link::{INBOX, destination};
use super::unsubscribe::UnsubscribeTokens;

/// Most notifications that a digest lists; of more it says how many.
pub const MAX_LISTED: usize = 100;
/// Where they say what they want.
const SETTINGS: &str = "/notifications/settings";

/// To whom an e-mail goes.
#[derive(Debug, Clone)]
pub struct Addressee {
    /// In which project.
    pub project: ProjectId,
    /// What it is called in addresses.
    pub project_slug: String,
    /// What it is called.
    pub project_name: String,
    /// Who.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
}

/// A notification that an e-mail tells of.
#[derive(Debug, Clone)]
pub struct Item {
    /// Which.
    pub id: NotificationId,
    /// In a line.
    pub title: String,
    /// Beyond that; may be empty.
    pub body: String,
    /// Whether somebody has to say that it is done.
    pub must_acknowledge: bool,
    /// When it was sent, by its reader's clock.
    pub sent_at: OffsetDateTime,
}

/// An e-mail before it is put into its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// To which address.
    pub email: String,
    /// Whose that is.
    pub name: String,
    /// What it is about, in a line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// The link by which its reader wants no more.
    pub unsubscribe: Url,
    /// The same each time that this e-mail is sent, and of no other: mailboxes know by it what they have.
    pub id: String,
}

/// Writes e-mails.
#[derive(Debug, Clone)]
pub struct Writer {
    public_url: Url,
    unsubscribe: UnsubscribeTokens,
}

impl Writer {
    /// A writer whose links lead to `public_url`.
    #[must_use]
    pub const fn new(public_url: Url, unsubscribe: UnsubscribeTokens) -> Self {
        Self { public_url, unsubscribe }
    }

    /// An e-mail of one notification.
    #[must_use]
    pub fn instant(&self, to: &Addressee, item: &Item) -> Letter {
        let label = if item.must_acknowledge { "Please acknowledge: " } else { "" };
        let subject = format!("{label}{}", item.title);
        self.letter(to, subject, "", std::slice::from_ref(item), 0, &item.id.to_string())
    }

    /// An e-mail of all that waits, which are `total`: these are the newest, the newest first. `id`: the job's.
    #[must_use]
    pub fn digest(&self, to: &Addressee, items: &[Item], total: usize, id: &str) -> Letter {
        let subject = match items {
            [item] if total == 1 => format!("1 unread notification: {}", item.title),
            _ => format!("{total} unread notifications in {}", to.project_name),
        };
        let intro = format!("What you have not read in {}, the newest first.", to.project_name);
        self.letter(to, subject, &intro, items, total.saturating_sub(items.len()), id)
    }

    fn letter(
        &self,
        to: &Addressee,
        subject: String,
        intro: &str,
        items: &[Item],
        more: usize,
        id: &str,
    ) -> Letter {
        let unsubscribe = self.unsubscribe_link(to);
        let page = Page {
            subject: &subject,
            intro,
            entries: items.iter().map(|item| self.entry(to, item)).collect(),
            more,
            inbox: self.address(&in_project(INBOX, &to.project_slug)),
            settings: self.address(&in_project(SETTINGS, &to.project_slug)),
            unsubscribe: unsubscribe.to_string(),
            project: &to.project_name,
        };
        Letter {
            email: to.email.clone(),
            name: to.name.clone(),
            text: page.text(),
            html: page.html(),
            // A line of a header has no end in it.
            subject: one_line(&subject),
            unsubscribe,
            id: id.to_owned(),
        }
    }

    fn entry<'a>(&self, to: &Addressee, item: &'a Item) -> Entry<'a> {
        Entry {
            item,
            link: self.address(&destination(item.id, item.must_acknowledge, &to.project_slug)),
            time: written(item.sent_at),
        }
    }

    /// The address of a path of the dashboard.
    fn address(&self, path: &str) -> String {
        self.public_url.join(path).map_or_else(|_| self.public_url.to_string(), |url| url.to_string())
    }

    fn unsubscribe_link(&self, to: &Addressee) -> Url {
        let mut url = self.public_url.clone();
        url.set_path("/unsubscribe");
        url.query_pairs_mut().append_pair("token", &self.unsubscribe.sign(to.project, to.user));
        url
    }
}

/// A notification as it stands in an e-mail.
struct Entry<'a> {
    item: &'a Item,
    link: String,
    time: String,
}

struct Page<'a> {
    subject: &'a str,
    intro: &'a str,
    entries: Vec<Entry<'a>>,
    more: usize,
    inbox: String,
    settings: String,
    unsubscribe: String,
    project: &'a str,
}

impl Page<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        if !self.intro.is_empty() {
            let _ = writeln!(text, "{}\n", self.intro);
        }
        for Entry { item, link, time } in &self.entries {
            let _ = writeln!(text, "{}", one_line(&item.title));
            if !item.body.is_empty() {
                let _ = writeln!(text, "{}", item.body);
            }
            if item.must_acknowledge {
                let _ = writeln!(text, "Somebody has to acknowledge this.");
            }
            let _ = writeln!(text, "{time}\n{link}\n");
        }
        if self.more > 0 {
            let _ = writeln!(text, "And {} more, in your inbox.\n", self.more);
        }
        let Self { inbox, settings, unsubscribe, project, .. } = self;
        let _ = write!(
            text,
            "-- \nYour inbox: {inbox}\nWhat you are told, and how: {settings}\nNo more e-mail from {project}: {unsubscribe}\n"
        );
        text
    }

    fn html(&self) -> String {
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{}</title></head>\
             <body style=\"margin:0;padding:24px 16px;font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif\">\
             <div style=\"max-width:600px;margin:0 auto\">",
            escaped(self.subject)
        );
        if !self.intro.is_empty() {
            let _ = write!(html, "<p style=\"margin:0 0 16px\">{}</p>", escaped(self.intro));
        }
        for Entry { item, link, time } in &self.entries {
            let _ = write!(
                html,
                "<div style=\"margin:0 0 16px;padding:12px 16px;border:1px solid #7d8f99;border-radius:10px\">\
                 <p style=\"margin:0;font-weight:600\"><a href=\"{}\" style=\"color:#0b6473\">{}</a></p>",
                escaped(link),
                escaped(&one_line(&item.title))
            );
            if !item.body.is_empty() {
                let body = escaped(&item.body).replace('\n', "<br>");
                let _ = write!(html, "<p style=\"margin:4px 0 0\">{body}</p>");
            }
            if item.must_acknowledge {
                html.push_str(
                    "<p style=\"margin:4px 0 0\"><strong>Somebody has to acknowledge this.</strong></p>",
                );
            }
            let _ = write!(html, "<p style=\"margin:4px 0 0;font-size:13px\">{}</p></div>", escaped(time));
        }
        if self.more > 0 {
            let _ = write!(html, "<p style=\"margin:0 0 16px\">And {} more, in your inbox.</p>", self.more);
        }
        let Self { inbox, settings, unsubscribe, project, .. } = self;
        let _ = writeln!(
            html,
            "<p style=\"margin:24px 0 0;font-size:13px\"><a href=\"{}\">Your inbox</a> · \
             <a href=\"{}\">What you are told, and how</a> · <a href=\"{}\">No more e-mail from {}</a></p>\
             </div></body></html>",
            escaped(inbox),
            escaped(settings),
            escaped(unsubscribe),
            escaped(project)
        );
        html
    }
}

/// A time as its clock says it, and which clock that is.
fn written(time: OffsetDateTime) -> String {
    let form = format_description!(
        "[day padding:none] [month repr:short] [year], [hour]:[minute] UTC[offset_hour sign:mandatory]:[offset_minute]"
    );
    time.format(form).unwrap_or_default()
}

/// Without line ends and other control characters.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// As it stands in HTML, between tags and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::access::secret::Digester;

    fn writer() -> Writer {
        let url = "https://tidewatch.example.com".parse().expect("an address");
        Writer::new(url, UnsubscribeTokens::new(Digester::new(vec![1; 32])))
    }

    fn to() -> Addressee {
        Addressee {
            project: ProjectId::from_uuid(Uuid::from_u128(1)),
            project_slug: "quay".to_owned(),
            project_name: "Quay <Side>".to_owned(),
            user: UserId::from_uuid(Uuid::from_u128(2)),
            email: "ann@example.com".to_owned(),
            name: "Ann".to_owned(),
        }
    }

    fn item(title: &str, must_acknowledge: bool) -> Item {
        Item {
            id: NotificationId::from_uuid(Uuid::from_u128(3)),
            title: title.to_owned(),
            body: "<img src=x>\nsecond line".to_owned(),
            must_acknowledge,
            sent_at: datetime!(2026-03-02 01:35 +05:30),
        }
    }

    #[test]
    fn nothing_of_a_notification_is_markup_or_a_header() {
        let letter = writer().instant(&to(), &item("\"a\"\r\nBcc: <b>&'", true));
        assert_eq!(letter.subject, "Please acknowledge: \"a\"  Bcc: <b>&'");
        assert!(letter.html.contains("&quot;a&quot;  Bcc: &lt;b&gt;&amp;&#39;</a>"), "{}", letter.html);
        assert!(letter.html.contains("&lt;img src=x&gt;<br>second line"));
        assert!(letter.html.contains("Quay &lt;Side&gt;") && !letter.html.contains("<Side>"));
        assert!(letter.text.contains("<img src=x>\nsecond line\n"), "plain text is plain");
        assert!(letter.text.contains("2 Mar 2026, 01:35 UTC+05:30"), "{}", letter.text);
    }

    #[test]
    fn links_are_whole_addresses() {
        let id = NotificationId::from_uuid(Uuid::from_u128(3));
        for (must_acknowledge, page) in [(false, "/open"), (true, "")] {
            let letter = writer().instant(&to(), &item("a", must_acknowledge));
            let address = format!("https://tidewatch.example.com/notifications/{id}{page}?project=quay");
            assert!(letter.text.contains(&format!("\n{address}\n")), "{}", letter.text);
            assert!(letter.html.contains(&format!("href=\"{address}\"")), "{}", letter.html);
        }
    }

    #[test]
    fn a_digest_lists_much_and_counts_the_rest() {
        let items: Vec<Item> = (0..MAX_LISTED + 3).map(|n| item(&format!("number {n};"), false)).collect();
        let letter = writer().digest(&to(), &items[..MAX_LISTED], items.len(), "job_1");
        assert_eq!(letter.subject, "103 unread notifications in Quay <Side>");
        for part in [&letter.text, &letter.html] {
            assert!(
                part.contains("number 0;") && part.contains("number 99;") && !part.contains("number 100;")
            );
            assert!(part.contains("And 3 more, in your inbox."));
        }
        assert!(letter.text.contains(letter.unsubscribe.as_str()));
        assert_eq!(letter.unsubscribe.path(), "/unsubscribe");
    }
}
