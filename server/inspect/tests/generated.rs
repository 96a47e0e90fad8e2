//! The rosters that `quorate demo roster` writes, read back by the real child: what stands in a file is what was meant, and its faults
//! are where its list says.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

// What writes them is the server's, and needs nothing else of it.
#[path = "../../src/demo/roster/file.rs"]
mod file;

use std::{collections::BTreeMap, collections::BTreeSet, io::Write as _, path::Path};

use domain::{
    demo::pupils::{
        NORTHGATE, SEED,
        roster::{PUPILS_MOST, Row, Wanted, Way, rows},
    },
    pupil::{field::Field, year::SchoolYear},
    roster::{
        column::{self, Column},
        fault::Severity,
        line::{Against, Line, judge},
        twice,
    },
};
use file::{How, Unwritten, write};
use inspect::{
    Inspector, Limits,
    roster::{Encoding, Format, Source},
};
use tempfile::NamedTempFile;
use time::{Date, Month};

fn today() -> Date {
    Date::from_calendar_date(2026, Month::November, 22).unwrap()
}

fn wanted(pupils: u32, faults: u32, sensitive: bool) -> Wanted {
    Wanted {
        school: &NORTHGATE,
        seed: SEED,
        pupils,
        faults,
        sensitive,
        today: today(),
    }
}

fn plain(format: Format) -> How {
    How {
        format,
        encoding: Encoding::Utf8,
        marked: false,
        delimiter: b',',
    }
}

/// Line, field and fault, as they are listed.
type Listed = BTreeSet<(u64, String)>;

/// What was read of a file: its columns, its lines as the import judges them, and what the list beside it says.
struct Tried {
    source: Option<Source>,
    columns: Vec<Column>,
    lines: Vec<Line>,
    listed: Listed,
}

async fn tried(wanted: Wanted, how: How) -> Tried {
    let (mut content, mut list) = (Vec::new(), Vec::new());
    write(wanted, how, &mut content, &mut list).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&content).unwrap();
    file.flush().unwrap();
    let child = Path::new(env!("CARGO_BIN_EXE_inspect"));
    let inspector = Inspector::new(child, None::<&str>, Limits::default());
    let mut table = inspector.roster(file.path()).await.unwrap();
    assert_eq!(table.format, how.format);
    if how.format == Format::Csv {
        assert_eq!(table.encoding, Some(how.encoding));
        assert_eq!(table.delimiter, Some(char::from(how.delimiter)));
    }
    let columns = column::guess(&table.header, &BTreeMap::new());
    assert!(
        columns.iter().all(|column| column.field().is_some()),
        "{:?}",
        table.header
    );
    let against = Against {
        today: wanted.today,
        school_year: SchoolYear::of(wanted.today),
        ethnicities: BTreeMap::new(),
        day_first: true,
    };
    let mut lines = Vec::new();
    while let Some(row) = table.rows.next().await.unwrap() {
        let number = u32::try_from(row.line).unwrap();
        lines.push(judge(number, &row.cells, &columns, &against));
    }
    twice::find(&mut lines);
    let mut list = csv::Reader::from_reader(&list[..]);
    assert_eq!(list.headers().unwrap(), vec!["line", "field", "fault"]);
    let listed = list.records().map(|record| {
        let record = record.unwrap();
        assert!(!record[2].is_empty());
        (record[0].parse().unwrap(), record[1].to_owned())
    });
    Tried {
        source: table.source.clone(),
        columns,
        lines,
        listed: listed.collect(),
    }
}

impl Tried {
    /// Where something is wrong or odd. That a transfer file has no admission numbers is so in every line.
    fn found(&self) -> Listed {
        let transfer = self.source.is_some();
        let mut found = Listed::new();
        for line in &self.lines {
            for fault in &line.faults {
                let field = fault.field.unwrap();
                if fault.severity > Severity::Note && !(transfer && field == Field::AdmissionNumber)
                {
                    found.insert((u64::from(line.number), field.code().to_owned()));
                }
            }
        }
        found
    }
}

/// As it was meant, in a line that has no fault.
fn assert_alike(row: &Row, line: &Line, how: How) {
    let (pupil, fields) = (&row.pupil, &line.fields);
    assert_eq!(fields.upn, pupil.upn);
    assert_eq!(fields.born, Some(pupil.born));
    assert_eq!(fields.sex, Some(pupil.sex));
    assert_eq!(fields.year_group, Some(pupil.year));
    if how.encoding != Encoding::Windows1252 {
        assert_eq!(fields.first_name.as_deref(), Some(pupil.first_name));
        assert_eq!(fields.last_name.as_deref(), Some(pupil.last_name.as_str()));
    }
    if how.format != Format::Ctf {
        // With its leading nought, also in a workbook.
        assert_eq!(
            fields.admission_number.as_ref(),
            Some(&pupil.admission_number)
        );
        assert_eq!(
            fields.registration_group.as_ref(),
            Some(&pupil.registration)
        );
        assert_eq!(fields.class_code.as_ref(), Some(&pupil.classes[0].1));
        assert_eq!(fields.teacher, Some(row.said(Field::Teacher, Way::Table)));
    }
}

fn every_way() -> Vec<How> {
    let mut ways = vec![plain(Format::Xlsx), plain(Format::Ctf)];
    for delimiter in [b',', b';', b'\t'] {
        for (encoding, marked) in [
            (Encoding::Utf8, false),
            (Encoding::Utf8, true),
            (Encoding::Utf16Le, true),
            (Encoding::Windows1252, false),
        ] {
            ways.push(How {
                format: Format::Csv,
                encoding,
                marked,
                delimiter,
            });
        }
    }
    ways
}

#[tokio::test]
async fn each_file_is_read_as_it_was_meant_and_has_its_faults_where_its_list_says() {
    for how in every_way() {
        for (sensitive, faults) in [(false, 0), (true, 0), (false, 20), (true, 24)] {
            let wanted = wanted(240, faults, sensitive);
            let tried = tried(wanted, how).await;
            assert_eq!(tried.lines.len(), 240);
            assert_eq!(tried.listed, tried.found(), "{how:?} {sensitive}");
            assert!(tried.listed.len() >= usize::try_from(faults).unwrap());
            let switched = tried.columns.iter().filter_map(|column| column.field());
            let switched = switched.filter(|field| field.switch().is_some()).count();
            // A transfer file has all its columns, whether anything stands in them or not.
            assert!(sensitive || switched == 0 || how.format == Format::Ctf);
            let told = tried
                .lines
                .iter()
                .filter(|line| line.tags.len() > 1)
                .count();
            assert_eq!(told == 240, sensitive, "{how:?} {told}");
            for (row, line) in rows(wanted).unwrap().zip(&tried.lines) {
                if row.slip.is_none() {
                    assert_alike(&row, line, how);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_transfer_file_says_which_school_it_is_of() {
    let tried = tried(wanted(20, 0, true), plain(Format::Ctf)).await;
    let source = Source {
        la: "820".to_owned(),
        establishment: "4031".to_owned(),
        name: "Northgate Academy".to_owned(),
    };
    assert_eq!(tried.source, Some(source));
}

#[test]
fn every_name_can_be_written_as_windows_has_it() {
    let how = How {
        encoding: Encoding::Windows1252,
        ..plain(Format::Csv)
    };
    let mut content = Vec::new();
    write(wanted(20_000, 0, true), how, &mut content, std::io::sink()).unwrap();
    // Neither a mark of a lost letter nor a number for one.
    assert!(!content.windows(2).any(|two| two == b"&#"));
    assert!(content.contains(&0x92), "an apostrophe");
}

#[test]
fn a_hundred_thousand_are_written_line_by_line() {
    /// Counts, and keeps nothing.
    #[derive(Default)]
    struct Counted {
        lines: usize,
        most: usize,
    }
    impl std::io::Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.lines += memchr::memchr_iter(b'\n', bytes).count();
            self.most = self.most.max(bytes.len());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (mut content, mut list) = (Counted::default(), Counted::default());
    let wanted = wanted(100_000, 1000, true);
    write(wanted, plain(Format::Csv), &mut content, &mut list).unwrap();
    assert_eq!(content.lines, 100_001);
    assert!(content.most < 1000, "{}", content.most);
    assert!(list.lines > 1000);
}

#[test]
fn what_cannot_be_is_refused_in_a_sentence_and_what_cannot_be_written_is_told() {
    let refused = |wanted| {
        let written = write(wanted, plain(Format::Csv), std::io::sink(), std::io::sink());
        written.unwrap_err().to_string()
    };
    assert_eq!(refused(wanted(0, 0, false)), "Ask for 1 to 120000 pupils.");
    assert_eq!(
        refused(wanted(PUPILS_MOST, PUPILS_MOST, false)),
        "Ask for at most half as many faults as pupils."
    );
    let mut room = [0; 100];
    let full = write(
        wanted(20, 0, false),
        plain(Format::Csv),
        &mut room[..],
        std::io::sink(),
    );
    assert!(matches!(full, Err(Unwritten::Disk(_))), "{full:?}");
    let mut room = [0; 4];
    let full = write(
        wanted(20, 5, false),
        plain(Format::Csv),
        std::io::sink(),
        &mut room[..],
    );
    assert!(matches!(full, Err(Unwritten::Disk(_))), "{full:?}");
}
