//! Tidewatch with parcels: every command of `tidewatch`, and all of them know the module.

mod parcel;

use tidewatch_server::Tidewatch;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

fn main() -> std::process::ExitCode {
    Tidewatch::new().module::<parcel::Parcel>().migrations("parcels", &MIGRATIONS).main()
}
