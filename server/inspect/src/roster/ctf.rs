//! A Common Transfer File (Department for Education, *Common transfer file: specification*), by which a school hands pupils on
//! to the next: the columns of a roster that are in it, and nothing of what else it tells of a child.

use super::{CELL_MOST, Encoding, Format, Head, Refused, Source, decoded::Decoded, out::Out};
use quick_xml::{Reader, events::BytesRef, events::Event};
use std::io::{Read, Write};

/// Elements inside elements; the deepest of the specification is the ninth.
const DEPTH_MOST: usize = 100;

/// The columns, in the order of [`Pupil::cells`]. A transfer file names neither registration group nor admission number.
const COLUMNS: [&str; 12] = [
    "UPN",
    "Surname",
    "Forename",
    "Preferred forename",
    "DOB",
    "Sex",
    "NC year",
    "Ethnicity",
    "SEN provision",
    "FSM",
    "In care",
    "Home language",
];

/// Reads a transfer file from its first tag to its last.
///
/// Refuses [`Refused::NotCtf`] for other markup, [`Refused::Definition`], and [`Refused::Damaged`] where it is not well formed
/// or breaks off.
pub fn read<R: Read>(
    text: Decoded<R>,
    encoding: Encoding,
    out: &mut Out<impl Write>,
) -> Result<(), Refused> {
    let mut reader = Reader::from_reader(text);
    let (mut buffer, mut path) = (Vec::new(), Vec::<String>::new());
    let mut file = Transfer::new(encoding);
    loop {
        buffer.clear();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|_| Refused::Damaged)?;
        match event {
            Event::Start(tag) => {
                let name = tag.local_name().into_inner().to_owned();
                path.push(name);
                if path.len() > DEPTH_MOST {
                    return Err(Refused::Damaged);
                }
                file.open(&path, reader.get_ref().line(), out)?;
            }
            Event::Empty(tag) => {
                path.push(tag.local_name().into_inner().to_owned());
                file.open(&path, reader.get_ref().line(), out)?;
                file.close(&path, out)?;
                path.pop();
            }
            Event::End(_) => {
                file.close(&path, out)?;
                path.pop();
            }
            Event::Text(text) => file.text(&text, reader.get_ref().line())?,
            Event::CData(text) => file.text(&text, reader.get_ref().line())?,
            Event::GeneralRef(name) => {
                let mut character = [0; 4];
                let character = reference(&name)?.encode_utf8(&mut character);
                file.text(character, reader.get_ref().line())?;
            }
            Event::DocType(_) => return Err(Refused::Definition),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if path.is_empty() && file.opened => return file.end(),
            Event::Eof => return Err(Refused::Damaged),
        }
    }
}

/// A transfer file while it is read.
struct Transfer {
    head: Head,
    /// The day that it was made on: who has free school meals then, has them for this file.
    made: String,
    opened: bool,
    begun: bool,
    pupil: Pupil,
    text: String,
}

impl Transfer {
    fn new(encoding: Encoding) -> Self {
        let head = Head {
            encoding: Some(encoding),
            header: COLUMNS.map(str::to_owned).to_vec(),
            source: Some(Source::default()),
            ..Head::new(Format::Ctf)
        };
        Self {
            head,
            made: String::new(),
            opened: false,
            begun: false,
            pupil: Pupil::default(),
            text: String::new(),
        }
    }

    fn open(
        &mut self,
        path: &[String],
        line: u64,
        out: &mut Out<impl Write>,
    ) -> Result<(), Refused> {
        self.text.clear();
        match steps(path)[..] {
            ["CTfile"] if !self.opened => self.opened = true,
            ["CTfile", "CTFpupilData", "Pupil"] => {
                self.begin(out)?;
                self.pupil = Pupil {
                    line,
                    ..Pupil::default()
                };
            }
            ["CTfile", ..] if path.len() > 1 => {}
            _ => return Err(Refused::NotCtf),
        }
        Ok(())
    }

    fn text(&mut self, text: &str, line: u64) -> Result<(), Refused> {
        // One character is four bytes at most; what is longer after its spaces are taken off, the table refuses.
        if self.text.len() + text.len() > 8 * CELL_MOST {
            return Err(Refused::LongCell(line));
        }
        self.text.push_str(text);
        Ok(())
    }

    fn close(&mut self, path: &[String], out: &mut Out<impl Write>) -> Result<(), Refused> {
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        let source = self.head.source.get_or_insert_default();
        match steps(path)[..] {
            ["CTfile", "Header", "DateTime"] => text.clone_into(&mut self.made),
            ["CTfile", "Header", "SourceSchool", "LEA"] => text.clone_into(&mut source.la),
            ["CTfile", "Header", "SourceSchool", "Estab"] => {
                text.clone_into(&mut source.establishment);
            }
            ["CTfile", "Header", "SourceSchool", "SchoolName"] => text.clone_into(&mut source.name),
            ["CTfile", "CTFpupilData", "Pupil"] => {
                let pupil = std::mem::take(&mut self.pupil);
                out.line(&self.head, pupil.line, &pupil.cells())?;
            }
            ["CTfile", "CTFpupilData", "Pupil", ref detail @ ..] => {
                self.pupil.take(detail, text, &self.made);
            }
            _ => {}
        }
        Ok(())
    }

    /// Begins the table with the first pupil: the header of the file stands before them all.
    fn begin(&mut self, out: &mut Out<impl Write>) -> Result<(), Refused> {
        if !self.begun {
            self.begun = true;
            out.begin(self.head.clone())?;
        }
        Ok(())
    }

    /// One without pupils is empty.
    fn end(&self) -> Result<(), Refused> {
        if self.begun {
            Ok(())
        } else {
            Err(Refused::Empty)
        }
    }
}

/// What a file says of one pupil.
#[derive(Default)]
struct Pupil {
    line: u64,
    upn: String,
    surname: String,
    forename: String,
    preferred: String,
    born: String,
    sex: String,
    year: String,
    ethnicity: String,
    in_care: String,
    /// Whether there was a time with free school meals, and whether one goes on.
    meals: Option<bool>,
    meals_end: String,
    sen: Stage,
    sen_last: Stage,
    language: Language,
    home_language: String,
    first_language: String,
}

/// A time with one provision for special educational needs.
#[derive(Default)]
struct Stage {
    from: String,
    provision: String,
}

/// A language and what it is to the pupil: F the first, H that of the home.
#[derive(Default)]
struct Language {
    what: String,
    code: String,
}

impl Pupil {
    /// Takes a detail that has been read to its end; all others are left.
    fn take(&mut self, detail: &[&str], text: &str, made: &str) {
        let text = text.to_owned();
        match detail {
            ["UPN"] => self.upn = text,
            ["Surname"] => self.surname = text,
            ["Forename"] => self.forename = text,
            ["DOB"] => self.born = text,
            // Sex since 2024, Gender before.
            ["Sex" | "Gender"] => self.sex = text,
            ["BasicDetails", "PreferredForename"] => self.preferred = text,
            ["BasicDetails", "NCyearActual"] => self.year = text,
            ["BasicDetails", "Ethnicity"] => self.ethnicity = text,
            ["BasicDetails", "Languages", "Type", "LanguageType"] => self.language.what = text,
            ["BasicDetails", "Languages", "Type", "Language"] => self.language.code = text,
            ["BasicDetails", "Languages", "Type"] => {
                let language = std::mem::take(&mut self.language);
                match language.what.as_str() {
                    "H" => self.home_language = language.code,
                    "F" => self.first_language = language.code,
                    _ => {}
                }
            }
            ["LookedAfter", "InCare"] => self.in_care = yes_or_no(text),
            ["FSMhistory", "FSMinstance", "FSMendDate"] => self.meals_end = text,
            ["FSMhistory", "FSMinstance"] => {
                let end = std::mem::take(&mut self.meals_end);
                let goes_on = end.is_empty() || (!made.is_empty() && day(&end) >= day(made));
                self.meals = Some(goes_on || self.meals == Some(true));
            }
            ["SENhistory", "SEN", "StartDate"] => self.sen.from = text,
            ["SENhistory", "SEN", "SENprovision"] => self.sen.provision = text,
            ["SENhistory", "SEN"] => {
                let stage = std::mem::take(&mut self.sen);
                if day(&stage.from) >= day(&self.sen_last.from) {
                    self.sen_last = stage;
                }
            }
            _ => {}
        }
    }

    fn cells(self) -> Vec<String> {
        let meals = match self.meals {
            Some(true) => "Y",
            Some(false) => "N",
            None => "",
        };
        let language = if self.home_language.is_empty() {
            self.first_language
        } else {
            self.home_language
        };
        let cells: [String; COLUMNS.len()] = [
            self.upn,
            self.surname,
            self.forename,
            self.preferred,
            self.born,
            self.sex,
            self.year,
            self.ethnicity,
            self.sen_last.provision,
            meals.to_owned(),
            self.in_care,
            language,
        ];
        cells.into()
    }
}

fn steps(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

/// The day of a moment (ISO 8601), of which two are in order as their letters are.
fn day(moment: &str) -> &str {
    moment.get(..10).unwrap_or(moment)
}

/// As the other columns have it.
fn yes_or_no(text: String) -> String {
    match text.as_str() {
        "true" | "1" => "Y".to_owned(),
        "false" | "0" => "N".to_owned(),
        _ => text,
    }
}

/// A character given by number, or one of the five that markup takes for itself; any other is defined somewhere.
fn reference(name: &BytesRef<'_>) -> Result<char, Refused> {
    if let Some(character) = name.resolve_char_ref().map_err(|_| Refused::Damaged)? {
        return Ok(character);
    }
    match &**name {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => Err(Refused::Definition),
    }
}
