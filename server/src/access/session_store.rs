//! Sessions of tower-sessions, kept in Postgres under a digest of their id.

use sqlx::PgPool;
use tidewatch_events::id::UserId;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result, SessionStore};

use super::secret::Digester;
use crate::db;
use crate::db::sessions::NewSession;

/// The key in a session's data under which the person's id stands.
pub const USER_ID_KEY: &str = "user_id";
/// The key under which stands what the person's browser calls itself.
pub const CLIENT_KEY: &str = "client";
/// The key under which stands the address that the person signed in from.
pub const ADDRESS_KEY: &str = "address";

/// The key under which stands by what the browsers are known that were subscribed to Web Push in this login. Unlike the
/// session's id it stays what it is when the password is changed.
pub const PUSH_LOGIN_KEY: &str = "push_login";

/// Keeps sessions in the table `sessions`.
#[derive(Debug, Clone)]
pub struct PgSessionStore {
    pool: PgPool,
    digester: Digester,
}

impl PgSessionStore {
    /// A store over this pool.
    #[must_use]
    pub const fn new(pool: PgPool, digester: Digester) -> Self {
        Self { pool, digester }
    }

    fn digest(&self, id: &Id) -> [u8; 32] {
        self.digester.session(id)
    }
}

fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}

fn encode(record: &Record) -> Result<NewSession<'_>> {
    let text = |key: &str| record.data.get(key).and_then(|value| value.as_str());
    Ok(NewSession {
        user: text(USER_ID_KEY).and_then(|text| text.parse::<UserId>().ok()).map(UserId::uuid),
        data: serde_json::to_value(&record.data).map_err(|error| Error::Encode(error.to_string()))?,
        client: text(CLIENT_KEY).unwrap_or_default(),
        address: text(ADDRESS_KEY).unwrap_or_default(),
        expires_at: record.expiry_date,
    })
}

#[async_trait::async_trait]
impl SessionStore for PgSessionStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        // Ids have 128 random bits; should two meet all the same, the newcomer takes another.
        while !db::sessions::insert(&self.pool, &self.digest(&record.id), &encode(record)?)
            .await
            .map_err(backend)?
        {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        db::sessions::update(&self.pool, &self.digest(&record.id), &encode(record)?).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let found = db::sessions::find(&self.pool, &self.digest(id)).await.map_err(backend)?;
        found
            .map(|(data, expiry_date)| {
                let data = serde_json::from_value(data).map_err(|error| Error::Decode(error.to_string()))?;
                Ok(Record { id: *id, data, expiry_date })
            })
            .transpose()
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        db::sessions::delete(&self.pool, &self.digest(id)).await.map_err(backend)
    }
}
