//! What the palette offers. Pure: words in, places and actions out.

use tidewatch_events::id::RecordId;

use super::UNDO;
use crate::address::page_of_id;
use crate::components::error_state::encode;
use crate::model::CurrentUser;
use crate::navigation::places_of;

/// The letters that lead to a page behind `g`.
const LETTERS: [(&str, &str); 24] = [
    ("o", "/"),
    ("e", "/events"),
    ("s", "/settlements"),
    ("d", "/orders"),
    ("p", "/payments"),
    ("f", "/invoices"),
    ("b", "/balances"),
    ("t", "/tickets"),
    ("i", "/incidents"),
    ("v", "/servers"),
    ("a", "/automations"),
    ("l", "/logs"),
    ("c", "/connections"),
    ("h", "/channels"),
    ("j", "/jobs"),
    ("y", "/system"),
    ("w", "/webhooks"),
    ("n", "/notifications"),
    ("m", "/notification-rules"),
    ("u", "/people"),
    ("k", "/api-keys"),
    ("x", "/audit"),
    ("z", "/witness"),
    ("r", "/project"),
];

/// What can be done on every page, by the button that does it.
const ACTIONS: [(&str, Act); 8] = [
    ("Keyboard shortcuts", Act::Help),
    ("Undo what a message offers to", Act::Press(UNDO)),
    ("Pause or go on", Act::Press(".pause-button")),
    ("Theme: light", Act::Press(r#"[name="theme"][value="light"]"#)),
    ("Theme: dark", Act::Press(r#"[name="theme"][value="dark"]"#)),
    ("Theme: as the system", Act::Press(r#"[name="theme"][value="system"]"#)),
    ("Compact rows, or roomy ones", Act::Press(r#"[name="density"]"#)),
    ("Log out", Act::Press(r#"form[action="/logout"] button"#)),
];

/// What a command does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Leads to this address, without the project.
    Go(String),
    /// Presses the button of the page that this selector finds: it does the same by itself.
    Press(&'static str),
    /// Shows the shortcuts.
    Help,
}

/// Something that the palette offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// What it is called.
    pub(super) label: String,
    /// Under which heading.
    pub(super) group: &'static str,
    /// What it does.
    pub(super) act: Act,
}

impl Command {
    fn to(group: &'static str, label: impl Into<String>, path: impl Into<String>) -> Self {
        Self { label: label.into(), group, act: Act::Go(path.into()) }
    }

    fn is_called(&self, words: &str) -> bool {
        let label = self.label.to_lowercase();
        words.split_whitespace().all(|wanted| label.split([' ', ':']).any(|word| word.starts_with(wanted)))
    }
}

/// What these words lead to: the page of an id; pages, saved views and actions by name; searches of the modules.
pub(super) fn commands_for(text: &str, user: Option<&CurrentUser>) -> Vec<Command> {
    let text = text.trim();
    let Some(user) = user else { return Vec::new() };
    if let Ok(id) = text.parse::<RecordId>() {
        // Records are found by the server, whatever they are.
        let path = page_of_id(&id).unwrap_or_else(|| format!("/records/{id}"));
        return vec![Command::to("By id", format!("Open {id}"), path)];
    }
    let wanted = text.to_lowercase();
    let views = user.views.iter().map(|view| Command::to("Saved views", &view.name, view.address()));
    let reference = user.staff.then_some(("API reference", Act::Press(r#".nav a[href="/api/docs"]"#)));
    let actions = reference.into_iter().chain(ACTIONS);
    let actions = actions.map(|(label, act)| Command { label: label.to_owned(), group: "Actions", act });
    let searches = user.modules.iter().filter(|_| !wanted.is_empty()).map(|module| {
        let label = format!("Search {} for “{text}”", module.title.to_lowercase());
        Command::to("Searches", label, format!("/{}?q={}", module.name, encode(text)))
    });
    let named = pages_of(user).into_iter().chain(views).chain(actions);
    named.filter(|command| command.is_called(&wanted)).chain(searches).collect()
}

/// The pages that somebody can reach by `g` and a letter: letter, address, name.
pub(super) fn shortcuts_of(user: &CurrentUser) -> Vec<(&'static str, &'static str, String)> {
    let pages = pages_of(user);
    let shortcut = |(letter, path): &(&'static str, &'static str)| {
        let page = pages.iter().find(|page| matches!(&page.act, Act::Go(to) if to == path))?;
        Some((*letter, *path, page.label.clone()))
    };
    LETTERS.iter().filter_map(shortcut).collect()
}

fn pages_of(user: &CurrentUser) -> Vec<Command> {
    // Those that stand at one's name and in the inbox, not in the navigation.
    let own = [("Your notification settings", "/notifications/settings"), ("Your sessions", "/sessions")];
    let places = places_of(Some(user)).into_iter().map(|place| (place.label, place.path));
    let own = own.into_iter().map(|(label, path)| (label.to_owned(), path.to_owned()));
    places.chain(own).map(|(label, path)| Command::to("Pages", label, path)).collect()
}

#[cfg(test)]
mod tests {
    use tidewatch_events::{PermissionSet, Position};

    use super::*;
    use crate::model::{ModuleLink, OVERVIEW, SavedView};

    fn operator() -> CurrentUser {
        who_may(&["settlements.read", "jobs.read"])
    }

    fn who_may(permissions: &[&str]) -> CurrentUser {
        let module = |name: &str, title: &str| ModuleLink {
            name: name.to_owned(),
            title: title.to_owned(),
            icon: String::new(),
        };
        CurrentUser {
            id: "usr_01h455vb4pex5vsknk084sn02q".parse().expect("an id"),
            email: String::new(),
            name: String::new(),
            project_slug: String::new(),
            projects: Vec::new(),
            project_id: "prj_01h455vb4pex5vsknk084sn02q".parse().expect("an id"),
            project_name: String::new(),
            roles: Vec::new(),
            staff: true,
            position: Position::START,
            resume_token: String::new(),
            views: vec![SavedView {
                id: "view_01h455vb4pex5vsknk084sn02q".parse().expect("an id"),
                path: "/orders".to_owned(),
                query: "status=paid".to_owned(),
                name: "To pack".to_owned(),
            }],
            modules: vec![module("settlements", "Settlements"), module("orders", "Orders")],
            permissions: permissions
                .iter()
                .map(|name| name.parse().expect("a permission"))
                .collect::<PermissionSet>(),
        }
    }

    fn administrator() -> CurrentUser {
        CurrentUser { permissions: PermissionSet::All, ..operator() }
    }

    fn of_group(text: &str, user: &CurrentUser, group: &str) -> Vec<String> {
        let commands = commands_for(text, Some(user)).into_iter();
        commands
            .filter(|command| command.group == group)
            .map(|command| match command.act {
                Act::Go(path) => path,
                Act::Press(button) => button.to_owned(),
                Act::Help => "help".to_owned(),
            })
            .collect()
    }

    #[test]
    fn offers_what_somebody_may_see() {
        assert_eq!(
            of_group("", &operator(), "Pages"),
            [
                "/",
                "/notifications",
                "/settlements",
                "/orders",
                "/jobs",
                "/system",
                "/notifications/settings",
                "/sessions"
            ]
        );
        assert!(commands_for("", None).is_empty());
        let tenant = commands_for("", Some(&who_may(&["payments.read"])));
        assert!(
            tenant.iter().all(|command| command.act != Act::Go(OVERVIEW.to_owned())),
            "not the overview: {tenant:?}"
        );
    }

    #[test]
    fn offers_everything_without_a_word() {
        let all = administrator();
        assert_eq!(of_group("", &all, "Pages").len(), 18, "every page, however many there are");
        assert_eq!(of_group("", &all, "Saved views"), ["/orders?status=paid"]);
        assert_eq!(of_group("", &all, "Actions").len(), ACTIONS.len() + 1);
        let customer = CurrentUser { staff: false, ..administrator() };
        assert_eq!(of_group("api", &customer, "Actions"), [""; 0], "not the project's own");
        assert!(of_group("", &all, "Searches").is_empty());
    }

    #[test]
    fn leads_to_pages_views_actions_searches_and_records() {
        let user = operator();
        assert_eq!(of_group("ord", &user, "Pages"), ["/orders"]);
        assert_eq!(of_group("ord", &user, "Searches"), ["/settlements?q=ord", "/orders?q=ord"]);
        assert_eq!(of_group("INV 1&x", &user, "Searches")[0], "/settlements?q=INV%201%26x");
        assert_eq!(of_group("to p", &user, "Saved views"), ["/orders?status=paid"]);
        assert_eq!(of_group("theme dark", &user, "Actions"), [r#"[name="theme"][value="dark"]"#]);
        assert_eq!(of_group("keyb", &user, "Actions"), ["help"]);
        for (id, path) in [
            (" ord_01h455vb4pex5vsknk084sn02q ", "/records/ord_01h455vb4pex5vsknk084sn02q"),
            ("evt_01h455vb4pex5vsknk084sn02q", "/events/evt_01h455vb4pex5vsknk084sn02q"),
            ("job_01h455vb4pex5vsknk084sn02q", "/jobs/job_01h455vb4pex5vsknk084sn02q"),
        ] {
            assert_eq!(of_group(id, &user, "By id"), [path]);
        }
    }

    #[test]
    fn every_page_has_a_letter_of_its_own() {
        let letters: std::collections::BTreeSet<&str> = LETTERS.iter().map(|(letter, _)| *letter).collect();
        assert_eq!(letters.len(), LETTERS.len());
        let pages = of_group("", &administrator(), "Pages");
        let reached = shortcuts_of(&administrator());
        // One's own sessions stand at one's name, and one's settings in the inbox, not in the navigation.
        let without: Vec<&String> =
            pages.iter().filter(|page| !reached.iter().any(|(_, path, _)| path == page)).collect();
        assert_eq!(without, ["/notifications/settings", "/sessions"]);
        assert_eq!(shortcuts_of(&operator()).len(), 6);
    }
}
