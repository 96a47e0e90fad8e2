//! The process: reads the command line, does it, and says in one sentence why it could not.

use clap::Parser as _;
use server::cli::Cli;
use std::process::ExitCode;

/// A page is drawn from thousands of small pieces of memory, and this one hands them out sooner than the system's does.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // A process that reads a stranger's file has no configuration, no log and no second thread.
    if let Some(kind) = cli.inspects() {
        return inspect::child::main(Some(kind));
    }
    if let Some((scratch, line)) = cli.cages() {
        return inspect::cage::main(scratch, line);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("quorate: The machine gives no threads: {error}.");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(cli.run());
    // Whatever still runs is not worth waiting for: all that must end in order has been ended.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            eprintln!("quorate: {stop}");
            stop.code()
        }
    }
}
