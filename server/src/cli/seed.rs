//! `tidewatch seed`: the demo project.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use crate::access::password;
use crate::access::secret::{Digester, hint_of, new_api_key, new_password, random_bytes};
use crate::config::DatabaseConfig;
use crate::db;
use crate::db::api_keys::NewApiKey;
use crate::serve::connect;

/// Slug of the demo project.
const PROJECT_SLUG: &str = "demo";
/// Name of the demo project's API key; an older one of this name is revoked.
const KEY_NAME: &str = "demo";

#[derive(Debug, Args)]
pub(super) struct Seed {
    #[command(flatten)]
    database: DatabaseConfig,

    /// Address of the demo's operator
    #[arg(long, default_value = "operator@demo.tidewatch.local")]
    email: String,

    /// Where the server will be
    #[arg(long, env = "TIDEWATCH_URL", default_value = "http://127.0.0.1:3000")]
    url: String,

    /// File to write the accounts to. One that still works is kept as it is
    #[arg(long)]
    write_env: PathBuf,

    /// Key of the digests, as the server has it
    #[arg(long, env = "TIDEWATCH_SECRET", hide_env_values = true)]
    secret: Option<SecretString>,
}

/// What the file holds.
struct Accounts {
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
    let known = read_accounts(&command.write_env);
    let project = db::projects::ensure(&mut transaction, PROJECT_SLUG, "Demo").await?;

    let still_works = match &known {
        Some(accounts) => {
            let digest = digester.api_key(accounts.api_key.expose_secret());
            let key = db::api_keys::use_by_digest(&mut transaction, &digest).await?;
            key.is_some_and(|key| key.project_id == project.uuid())
                && password_works(&mut transaction, &command.email, &accounts.password).await?
        }
        None => false,
    };
    let accounts = match known {
        Some(accounts) if still_works => accounts,
        _ => {
            let accounts = Accounts { api_key: new_api_key(), password: new_password() };
            let hash = super::hash(accounts.password.clone()).await?;
            let user = db::users::ensure(&mut transaction, &command.email, "Demo Operator", &hash).await?;
            for role in ["admin", "operator"] {
                db::users::grant_role(&mut transaction, project, user, role).await?;
            }
            db::api_keys::revoke_by_name(&mut transaction, project, KEY_NAME).await?;
            let digest = digester.api_key(accounts.api_key.expose_secret());
            let new = NewApiKey {
                name: KEY_NAME,
                digest: &digest,
                hint: hint_of(&accounts.api_key),
                scopes: &["*".to_owned()],
                created_by: "tidewatch seed",
                expires_at: None,
            };
            db::api_keys::insert(&mut transaction, project, &new).await?;
            accounts
        }
    };
    transaction.commit().await?;
    write_accounts(&command, &accounts)?;
    super::say(format_args!(
        "The demo project is there; its accounts stand in {}.",
        command.write_env.display()
    ));
    Ok(())
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

fn read_accounts(path: &Path) -> Option<Accounts> {
    let text = std::fs::read_to_string(path).ok()?;
    let value = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(SecretString::from)
    };
    Some(Accounts { api_key: value("TIDEWATCH_API_KEY")?, password: value("TIDEWATCH_PASSWORD")? })
}

/// Writes the file anew, readable by its owner alone.
fn write_accounts(command: &Seed, accounts: &Accounts) -> anyhow::Result<()> {
    let path = &command.write_env;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let database_url = std::env::var("DATABASE_URL").unwrap_or_default();
    let text = format!(
        "TIDEWATCH_URL={}\nTIDEWATCH_API_KEY={}\nTIDEWATCH_EMAIL={}\nTIDEWATCH_PASSWORD={}\nDATABASE_URL={}\n",
        command.url,
        accounts.api_key.expose_secret(),
        command.email,
        accounts.password.expose_secret(),
        database_url,
    );
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
