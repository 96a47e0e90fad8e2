//! The migrations are compiled in, so a new one must recompile this crate.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
