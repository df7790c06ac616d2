//! The binary `lienthong`: everything is in the library beside it.

use std::process::ExitCode;

/// The exchange makes many small allocations on several threads; the system's allocator took a
/// seventh of the demo's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lienthong::main()
}
