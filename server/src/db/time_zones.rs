//! Time zones, as Postgres knows them: with the changes of their clocks.

use sqlx::PgConnection;
use time::{OffsetDateTime, UtcOffset};

/// "invalid parameter value" ([PostgreSQL, Appendix A](https://www.postgresql.org/docs/current/errcodes-appendix.html)).
const INVALID_PARAMETER: &str = "22023";

/// The zones that people choose from, by the names of their places; UTC first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn names(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select name from pg_timezone_names
         where name = 'UTC'
            or name ~ '^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)/'
         order by name <> 'UTC', name",
    )
    .fetch_all(connection)
    .await
}

/// Whether there is a zone of this name.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn is_known(connection: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select from pg_timezone_names where name = $1)")
        .bind(name)
        .fetch_one(connection)
        .await
}

/// These moments by the clock of a zone. One that Postgres knows no more is taken for UTC. Outside of transactions, which
/// that would end.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn local(
    connection: &mut PgConnection,
    zone: &str,
    moments: &[OffsetDateTime],
) -> Result<Vec<OffsetDateTime>, sqlx::Error> {
    let asked: Result<Vec<i32>, sqlx::Error> = sqlx::query_scalar(
        "select extract(epoch from (moment at time zone $1) - (moment at time zone 'UTC'))::integer
         from unnest($2::timestamptz[]) with ordinality as asked (moment, place) order by place",
    )
    .bind(zone)
    .bind(moments)
    .fetch_all(connection)
    .await;
    let offsets = match asked {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(INVALID_PARAMETER) => {
            vec![0; moments.len()]
        }
        asked => asked?,
    };
    let at = |(moment, seconds): (&OffsetDateTime, i32)| {
        moment.to_offset(UtcOffset::from_whole_seconds(seconds).unwrap_or(UtcOffset::UTC))
    };
    Ok(moments.iter().zip(offsets).map(at).collect())
}
