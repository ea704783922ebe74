//! `tidewatch seed`: the demo project.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use tidewatch_events::ProjectId;

use crate::access::password;
use crate::access::secret::{Digester, hint_of, new_api_key, new_password, random_bytes};
use crate::config::{DatabaseConfig, parse_secret};
use crate::db;
use crate::db::api_keys::NewApiKey;
use crate::serve::connect;

/// Slug of the demo project.
const PROJECT_SLUG: &str = "demo";
/// The accounts: the operator, and who agrees to what takes a second person.
const ACCOUNTS: [Account; 2] = [
    Account {
        name: "Demo Operator",
        roles: &["admin", "operator"],
        key: "demo",
        scopes: &["*"],
        prefix: "TIDEWATCH_",
    },
    Account {
        name: "Demo Supervisor",
        roles: &["operator"],
        key: "demo supervisor",
        scopes: &["settlements.read", "settlements.act"],
        prefix: "TIDEWATCH_SUPERVISOR_",
    },
];

/// A person with an API key.
struct Account {
    name: &'static str,
    roles: &'static [&'static str],
    /// What the key is called; an older one of this name is revoked.
    key: &'static str,
    scopes: &'static [&'static str],
    /// What its variables in the file begin with.
    prefix: &'static str,
}

#[derive(Debug, Args)]
pub(super) struct Seed {
    #[command(flatten)]
    database: DatabaseConfig,

    /// Address of the demo's operator
    #[arg(long, default_value = "operator@demo.tidewatch.local")]
    email: String,

    /// Address of who agrees to what the operator must not do alone
    #[arg(long, default_value = "supervisor@demo.tidewatch.local")]
    supervisor_email: String,

    /// Where the server will be
    #[arg(long, env = "TIDEWATCH_URL", default_value = "http://127.0.0.1:3000")]
    url: String,

    /// File to write the accounts to. One that still works is kept as it is
    #[arg(long)]
    write_env: PathBuf,

    /// Key of the digests, as the server has it
    #[arg(long, env = "TIDEWATCH_SECRET", hide_env_values = true, value_parser = parse_secret)]
    secret: Option<SecretString>,
}

/// What the file holds of an account.
struct Secrets {
    api_key: SecretString,
    password: SecretString,
}

pub(super) async fn run(command: Seed) -> anyhow::Result<()> {
    let pool = connect(&command.database);
    let digester = Digester::new(match &command.secret {
        Some(secret) => secret.expose_secret().as_bytes().to_vec(),
        None => db::secrets::ensure(&pool, "digests", &random_bytes()).await?,
    });
    let mut transaction = pool.begin().await.context("cannot reach Postgres; is DATABASE_URL right?")?;
    let project = db::projects::ensure(&mut transaction, PROJECT_SLUG, "Demo").await?;
    let mut secrets = Vec::new();
    for (account, email) in ACCOUNTS.iter().zip([&command.email, &command.supervisor_email]) {
        let known = read_secrets(&command.write_env, account);
        let kept = match known {
            Some(known) if still_work(&mut transaction, &digester, project, email, &known).await? => known,
            _ => make(&mut transaction, &digester, project, account, email).await?,
        };
        secrets.push((account, email, kept));
    }
    transaction.commit().await?;
    write_accounts(&command, &secrets)?;
    super::say(format_args!(
        "The demo project is there; its accounts stand in {}.",
        command.write_env.display()
    ));
    Ok(())
}

/// Whether the key opens the project for a person, and the password is theirs.
async fn still_work(
    connection: &mut sqlx::PgConnection,
    digester: &Digester,
    project: ProjectId,
    email: &str,
    known: &Secrets,
) -> anyhow::Result<bool> {
    let digest = digester.api_key(known.api_key.expose_secret());
    let key = db::api_keys::use_by_digest(connection, &digest).await?;
    let opens = key.is_some_and(|key| key.project_id == project.uuid() && key.person_id.is_some());
    Ok(opens && password_works(connection, email, &known.password).await?)
}

/// Makes an account anew.
async fn make(
    connection: &mut sqlx::PgConnection,
    digester: &Digester,
    project: ProjectId,
    account: &Account,
    email: &str,
) -> anyhow::Result<Secrets> {
    let secrets = Secrets { api_key: new_api_key(), password: new_password() };
    let hash = super::hash(secrets.password.clone()).await?;
    let user = db::users::ensure(connection, email, account.name, &hash).await?;
    for role in account.roles {
        db::users::grant_role(connection, project, user, role).await?;
    }
    db::api_keys::revoke_by_name(connection, project, account.key).await?;
    let digest = digester.api_key(secrets.api_key.expose_secret());
    let scopes: Vec<String> = account.scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let new = NewApiKey {
        name: account.key,
        digest: &digest,
        hint: hint_of(&secrets.api_key),
        scopes: &scopes,
        created_by: "tidewatch seed",
        person: Some(user),
        expires_at: None,
    };
    db::api_keys::insert(connection, project, &new).await?;
    Ok(secrets)
}

async fn password_works(
    connection: &mut sqlx::PgConnection,
    email: &str,
    password: &SecretString,
) -> anyhow::Result<bool> {
    let found = db::users::find_credentials(connection, email).await?;
    let password = password.clone();
    let verify =
        move || password::verify(&password, found.as_ref().map(|found| found.password_hash.as_str()));
    Ok(tokio::task::spawn_blocking(verify).await?)
}

fn read_secrets(path: &Path, account: &Account) -> Option<Secrets> {
    let text = std::fs::read_to_string(path).ok()?;
    let value = |name: &str| {
        let name = format!("{}{name}=", account.prefix);
        text.lines().find_map(|line| line.strip_prefix(&name)).map(SecretString::from)
    };
    Some(Secrets { api_key: value("API_KEY")?, password: value("PASSWORD")? })
}

/// Writes the file anew, readable by its owner alone.
fn write_accounts(command: &Seed, accounts: &[(&Account, &String, Secrets)]) -> anyhow::Result<()> {
    let path = &command.write_env;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let database_url = std::env::var("DATABASE_URL").unwrap_or_default();
    let mut text = format!("TIDEWATCH_URL={}\n", command.url);
    for (account, email, secrets) in accounts {
        let (prefix, key, password) =
            (account.prefix, secrets.api_key.expose_secret(), secrets.password.expose_secret());
        let _ = write!(text, "{prefix}API_KEY={key}\n{prefix}EMAIL={email}\n{prefix}PASSWORD={password}\n");
    }
    let _ = writeln!(text, "DATABASE_URL={database_url}");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
