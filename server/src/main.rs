//! The binary `tidewatch`.

use std::process::ExitCode;

use tidewatch_server::Tidewatch;

/// Gives back what is not used any more: when thousands of readers come at once, what hyper needed to
/// read their requests is several times what their streams need from then on. Without huge pages, of
/// which none would ever be free as a whole.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Tidewatch::new().main()
}
