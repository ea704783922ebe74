//! The binary `tidewatch`.

use std::process::ExitCode;

use tidewatch_server::cli::{Cli, run};

/// Gives back what is not used any more: when thousands of readers come at once, what hyper needed to
/// read their requests is several times what their streams need from then on. Without huge pages, of
/// which none would ever be free as a whole.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::from_environment();
    let ended = match tidewatch_server::telemetry::start() {
        Ok(()) => run(cli).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            // Standard error, not the log: whoever started it by hand reads this.
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("tidewatch: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}
