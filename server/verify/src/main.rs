//! `quorate-verify`: checks exports of a log without Quorate. 0: unbroken. 1: broken. 2: nothing could be shown.

#![forbid(unsafe_code)]

use clap::Parser;
use quorate_verify::{Failure, Given, Head, Lines, PublicKey, Unreadable, checkpoints_in, verify};
use std::{
    fs::File,
    io::{BufReader, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Checks that the log of a school was not rewritten: each row against the one before it, and all of them against what was
/// signed. Needs nothing but the files.
#[derive(Parser, Debug)]
#[command(name = "quorate-verify", version)]
struct Arguments {
    /// Exports, in order: each goes on where the one before ends.
    #[arg(required = true)]
    exports: Vec<PathBuf>,
    /// A checkpoint file, or an earlier export, that you kept.
    #[arg(long)]
    checkpoints: Vec<PathBuf>,
    /// The key that your school was given, 64 digits. Without it the key in the file is taken, which shows less.
    #[arg(long)]
    key: Option<PublicKey>,
    /// A row and its hash from a receipt or a digest, such as 1204:ab12cd34; eight digits are enough.
    #[arg(long = "head")]
    heads: Vec<Head>,
}

fn main() -> ExitCode {
    let (sentences, code) = match check(Arguments::parse()) {
        Ok(sentences) => (sentences, 0),
        Err(Failure::Broken(broken)) => (vec![format!("Broken. {broken}")], 1),
        Err(other) => {
            eprintln!("quorate-verify: {other}");
            return ExitCode::from(2);
        }
    };
    let mut out = std::io::stdout().lock();
    for sentence in sentences {
        // Whoever closed it early reads the exit code.
        let _ = writeln!(out, "{sentence}");
    }
    ExitCode::from(code)
}

fn check(arguments: Arguments) -> Result<Vec<String>, Failure> {
    let mut given = Given {
        key: arguments.key,
        heads: arguments.heads,
        ..Given::default()
    };
    for path in &arguments.checkpoints {
        given.checkpoints.extend(checkpoints_in(open(path)?)?);
    }
    let files = arguments
        .exports
        .iter()
        .map(|path| open(path))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(verify(files, &given)?.sentences())
}

fn open(path: &Path) -> Result<Lines<BufReader<File>>, Unreadable> {
    let name = quorate_verify::shown(&path.display().to_string());
    match File::open(path) {
        Ok(file) => Ok(Lines::new(name, BufReader::with_capacity(1 << 18, file))),
        Err(error) => Err(Unreadable::Io { name, error }),
    }
}
