//! `tidewatch users`

use std::io::Read;

use anyhow::Context;
use clap::{Args, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sqlx::PgConnection;
use tidewatch_app::model::Person;
use tidewatch_events::ProjectId;
use tidewatch_events::id::UserId;

use super::answer::Answer;
use super::hash;
use super::office::{Office, note};
use crate::access::roles::built_in;
use crate::access::secret::new_password;
use crate::commands::people::check_email;
use crate::db;

#[derive(Debug, Args)]
pub(super) struct Users {
    #[command(flatten)]
    office: Office,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the people of the project
    List,
    /// Make an account and put it into the project. Prints a password, unless
    /// `--password-stdin` gives one
    Create {
        /// The person's address
        email: String,
        /// What they are called
        #[arg(long)]
        name: String,
        /// A role, such as viewer; may be given more than once
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Say what a person is in the project from now on
    Roles {
        /// The person's address
        email: String,
        /// A role; may be given more than once
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
    },
    /// Give a person another password and end all their logins
    Password {
        /// The person's address
        email: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Keep a person out of all projects
    Disable {
        /// The person's address
        email: String,
    },
    /// Let a person in again
    Enable {
        /// The person's address
        email: String,
    },
    /// End a person's membership in the project
    Remove {
        /// The person's address
        email: String,
    },
}

pub(super) async fn run(command: Users) -> anyhow::Result<()> {
    let pool = command.office.pool();
    let mut transaction = pool.begin().await.context("cannot reach Postgres; is DATABASE_URL right?")?;
    let project = command.office.project(&mut transaction).await?;
    let slug = command.office.project_slug().to_owned();
    let answer = act(&mut transaction, project, &slug, command.action).await?;
    transaction.commit().await?;
    answer.say(command.office.format());
    Ok(())
}

async fn act(
    connection: &mut PgConnection,
    project: ProjectId,
    slug: &str,
    action: Action,
) -> anyhow::Result<Answer> {
    match action {
        Action::List => {
            let people = db::people::list(connection, project, None).await?;
            Ok(Answer::new(people.iter().map(describe), json!({ "people": people })))
        }
        Action::Create { email, name, roles, password_stdin } => {
            check_email(&email)?;
            check_roles(connection, project, &roles).await?;
            anyhow::ensure!(
                db::users::find_by_email(connection, &email).await?.is_none(),
                "{email} has an account already; invite them into the project, or use `tidewatch users roles`"
            );
            let chosen = choose(password_stdin)?;
            let hash = hash(chosen.password.clone()).await?;
            let id = db::users::ensure(connection, &email, &name, &hash).await?;
            db::people::join(connection, project, id).await?;
            db::people::set(connection, project, id, &roles, &[]).await?;
            let after = json!(find(connection, project, &email).await?);
            let id = id.to_string();
            note(connection, project, "person.create", &id, &email, None, Some(after.clone())).await?;
            let line = format!("{email} is in {slug} as {}.", roles.join(", "));
            let json = json!({ "person": after, "password": chosen.shown() });
            Ok(Answer::new(std::iter::once(line).chain(chosen.line()), json))
        }
        Action::Roles { email, roles } => {
            check_roles(connection, project, &roles).await?;
            let id = db::users::find_by_email(connection, &email)
                .await?
                .with_context(|| format!("nobody has the address {email}"))?;
            let before = db::people::list(connection, project, Some(id)).await?.pop();
            let organizations =
                before.as_ref().map(|person| person.organizations.clone()).unwrap_or_default();
            db::people::join(connection, project, id).await?;
            db::people::set(connection, project, id, &roles, &organizations).await?;
            let after = json!(find(connection, project, &email).await?);
            let (id, before) = (id.to_string(), before.map(|before| json!(before)));
            note(connection, project, "person.set", &id, &email, before, Some(after.clone())).await?;
            let line = format!("{email} is in {slug} as {}.", roles.join(", "));
            Ok(Answer::new([line], json!({ "person": after })))
        }
        Action::Password { email, password_stdin } => {
            let person = find(connection, project, &email).await?;
            let chosen = choose(password_stdin)?;
            let hash = hash(chosen.password.clone()).await?;
            db::users::set_password(connection, person.id, &hash).await?;
            let ended = db::sessions::end_others(connection, person.id, None, None).await?;
            note(connection, project, "password.reset", &person.id.to_string(), &email, None, None).await?;
            let line = format!("{email} has another password; {ended} logins have ended.");
            let json = json!({ "person": person, "endedLogins": ended, "password": chosen.shown() });
            Ok(Answer::new(std::iter::once(line).chain(chosen.line()), json))
        }
        Action::Disable { email } => set_disabled(connection, project, &email, true).await,
        Action::Enable { email } => set_disabled(connection, project, &email, false).await,
        Action::Remove { email } => {
            let person = find(connection, project, &email).await?;
            db::people::remove(connection, project, person.id).await?;
            let id = person.id.to_string();
            note(connection, project, "person.remove", &id, &email, Some(json!(person)), None).await?;
            Ok(Answer::new([format!("{email} is in {slug} no longer.")], json!({ "removed": id })))
        }
    }
}

async fn set_disabled(
    connection: &mut PgConnection,
    project: ProjectId,
    email: &str,
    disabled: bool,
) -> anyhow::Result<Answer> {
    let id: UserId = db::users::set_disabled(connection, email, disabled)
        .await?
        .with_context(|| format!("nobody has the address {email}"))?;
    let (action, line) = if disabled {
        ("person.disable", format!("{email} is kept out of all projects."))
    } else {
        ("person.enable", format!("{email} may sign in again."))
    };
    let after = Some(json!({ "disabled": disabled }));
    note(connection, project, action, &id.to_string(), email, None, after).await?;
    Ok(Answer::new([line], json!({ "id": id, "disabled": disabled })))
}

async fn find(connection: &mut PgConnection, project: ProjectId, email: &str) -> anyhow::Result<Person> {
    let people = db::people::list(connection, project, None).await?;
    people
        .into_iter()
        .find(|person| person.email.eq_ignore_ascii_case(email))
        .with_context(|| format!("{email} is not in this project"))
}

async fn check_roles(
    connection: &mut PgConnection,
    project: ProjectId,
    roles: &[String],
) -> anyhow::Result<()> {
    let own = db::roles::list(connection, project).await?;
    for name in roles {
        let known = built_in(name).is_some() || own.iter().any(|role| role.name == *name);
        anyhow::ensure!(known, "`{name}` is no role of this project");
    }
    Ok(())
}

/// A password, and whether it was made here.
struct Chosen {
    password: SecretString,
    is_new: bool,
}

impl Chosen {
    /// What is shown of it, once: one that was given is known already.
    fn shown(&self) -> Option<&str> {
        self.is_new.then(|| self.password.expose_secret())
    }

    fn line(&self) -> Option<String> {
        self.shown().map(|password| format!("Password: {password}"))
    }
}

/// A password from standard input, or a new one.
fn choose(from_stdin: bool) -> anyhow::Result<Chosen> {
    if !from_stdin {
        return Ok(Chosen { password: new_password(), is_new: true });
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    let text = text.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(text.chars().count() >= 12, "the password must have 12 characters or more");
    Ok(Chosen { password: text.into(), is_new: false })
}

fn describe(person: &Person) -> String {
    let state = if person.disabled { "  kept out" } else { "" };
    format!("{}  {}  {}  {}{state}", person.id, person.email, person.name, person.roles.join(","))
}
