//! The child by itself.

fn main() -> std::process::ExitCode {
    inspect::child::main(std::env::args().nth(1).as_deref())
}
