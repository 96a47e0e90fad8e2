//! `quorate demo roster`: a roster with known faults, for tests and for trying the import out.

mod file;

use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use domain::{
    day,
    demo::pupils::{SEED, School, roster::Wanted},
};
use inspect::roster::{Encoding, Format};

use crate::{cli::say, clock, stop::Stop};
use file::How;

/// What roster is wanted, and where.
#[derive(Args, Debug)]
pub struct Asked {
    /// How many pupils, at most 120000.
    #[arg(long)]
    pupils: u32,
    /// How many of them have a fault, at most every second one.
    #[arg(long, default_value_t = 0)]
    faults: u32,
    /// csv, xlsx, or ctf for a Common Transfer File.
    #[arg(long, value_enum, default_value_t = As::Csv)]
    format: As,
    /// How a CSV is written; utf-8 where nothing is said.
    #[arg(long, value_enum)]
    encoding: Option<Letters>,
    /// What stands between the values of a CSV; a comma where nothing is said.
    #[arg(long, value_enum)]
    delimiter: Option<Delimiter>,
    /// Another number makes other pupils. Where nothing is said they are those of the demo.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// Whose pupils: oakfield or northgate.
    #[arg(long, default_value = "northgate")]
    school: String,
    /// With the fields that a school has to switch on.
    #[arg(long)]
    sensitive: bool,
    /// Where to; the faults are listed beside it, in a file whose name ends in `.faults.csv`.
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum As {
    Csv,
    Xlsx,
    Ctf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Letters {
    #[value(name = "utf-8")]
    Utf8,
    #[value(name = "utf-8-bom")]
    Utf8Marked,
    #[value(name = "utf-16le")]
    Utf16,
    #[value(name = "windows-1252")]
    Windows1252,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Delimiter {
    #[value(name = ",")]
    Comma,
    #[value(name = ";")]
    Semicolon,
    Tab,
}

/// Writes the roster and the list of its faults. A file that is there already is left as it is.
pub fn write(asked: &Asked) -> Result<(), Stop> {
    let how = how(asked)?;
    let school = School::of(&asked.school).ok_or_else(|| {
        Stop::config("There are pupils of oakfield and northgate: give one of the two to --school.")
    })?;
    let wanted = Wanted {
        school,
        seed: asked.seed,
        pupils: asked.pupils,
        faults: asked.faults,
        sensitive: asked.sensitive,
        today: day::today(clock::unix_seconds()),
    };
    let mut listed = asked.file.clone().into_os_string();
    listed.push(".faults.csv");
    let listed = PathBuf::from(listed);
    let (to, faults) = (create(&asked.file)?, create(&listed)?);
    file::write(wanted, how, to, faults)
        .map_err(|error| Stop::failed(format!("The roster was not written: {error}")))?;
    say(&format!(
        "{} pupils are in {}, and what is wrong with them in {}.\n",
        asked.pupils,
        asked.file.display(),
        listed.display()
    ))
}

fn how(asked: &Asked) -> Result<How, Stop> {
    if asked.format != As::Csv && (asked.encoding.is_some() || asked.delimiter.is_some()) {
        return Err(Stop::config(
            "Only a CSV has an encoding and a delimiter to choose: leave both out, or ask for --format csv.",
        ));
    }
    let (encoding, marked) = match asked.encoding {
        None | Some(Letters::Utf8) => (Encoding::Utf8, false),
        Some(Letters::Utf8Marked) => (Encoding::Utf8, true),
        // As Excel saves it, which always puts its mark.
        Some(Letters::Utf16) => (Encoding::Utf16Le, true),
        Some(Letters::Windows1252) => (Encoding::Windows1252, false),
    };
    Ok(How {
        format: match asked.format {
            As::Csv => Format::Csv,
            As::Xlsx => Format::Xlsx,
            As::Ctf => Format::Ctf,
        },
        encoding,
        marked,
        delimiter: match asked.delimiter {
            None | Some(Delimiter::Comma) => b',',
            Some(Delimiter::Semicolon) => b';',
            Some(Delimiter::Tab) => b'\t',
        },
    })
}

fn create(path: &Path) -> Result<BufWriter<File>, Stop> {
    let file = File::create_new(path)
        .map_err(|error| Stop::failed(format!("Cannot write {}: {error}.", path.display())))?;
    Ok(BufWriter::new(file))
}
