//! Sessions of tower-sessions, kept in Postgres under a digest of their id.

use sqlx::PgPool;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result, SessionStore};
use uuid::Uuid;

use super::secret::Digester;
use crate::db;

/// The key in a session's data under which the person's id stands.
pub const USER_ID_KEY: &str = "user_id";

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
        self.digester.digest("session", &id.0.to_be_bytes())
    }
}

fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}

fn encode(record: &Record) -> Result<(Option<Uuid>, serde_json::Value)> {
    let user = record
        .data
        .get(USER_ID_KEY)
        .and_then(|value| value.as_str())
        .and_then(|text| text.parse::<tidewatch_events::id::UserId>().ok())
        .map(tidewatch_events::id::UserId::uuid);
    let data = serde_json::to_value(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
    Ok((user, data))
}

#[async_trait::async_trait]
impl SessionStore for PgSessionStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let (user, data) = encode(record)?;
        // Ids have 128 random bits; should two meet all the same, the newcomer takes another.
        while !db::sessions::insert(&self.pool, &self.digest(&record.id), user, &data, record.expiry_date)
            .await
            .map_err(backend)?
        {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let (user, data) = encode(record)?;
        db::sessions::update(&self.pool, &self.digest(&record.id), user, &data, record.expiry_date)
            .await
            .map_err(backend)
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
