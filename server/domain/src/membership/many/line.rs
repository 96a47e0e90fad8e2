//! A list as it is read: its lines, and which cell of each is what.

use crate::Refusal;

use super::LINES_MOST;

/// One line, as it was typed and as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Which one of the text, from 1.
    pub number: usize,
    /// As it was typed.
    pub text: String,
    pub(super) cells: [String; COLUMNS],
}

const COLUMNS: usize = 7;
pub(super) const EMAIL: usize = 0;
pub(super) const NAME: usize = 1;
pub(super) const ROLE: usize = 2;
pub(super) const CATEGORY: usize = 3;
pub(super) const FROM: usize = 4;
pub(super) const TO: usize = 5;
const SURNAME: usize = 6;

/// Where a column of a named list goes. A surname of its own joins the name.
fn column(head: &str) -> Option<usize> {
    Some(match plain(head).as_str() {
        "email" | "emailaddress" | "mail" | "address" => EMAIL,
        "name" | "fullname" | "firstname" | "forename" | "givenname" => NAME,
        "surname" | "lastname" | "familyname" => SURNAME,
        "role" | "roles" => ROLE,
        "category" | "seat" | "governorcategory" | "governortype" => CATEGORY,
        "from" | "termfrom" | "start" | "startdate" | "termstart" | "termbegins" => FROM,
        "to" | "termto" | "end" | "enddate" | "termend" | "termends" => TO,
        _ => return None,
    })
}

/// Letters only, in lower case: how words are compared that people write in more than one way.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The lines of a list. Empty ones are no lines.
///
/// Refuses [`Refusal::NoLines`] and more than [`LINES_MOST`] of them.
pub fn lines(text: &str) -> Result<Vec<Line>, Refusal> {
    let typed: Vec<(usize, &str)> = text
        .trim_start_matches('\u{feff}')
        .lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line))
        .filter(|(_, line)| !line.trim().is_empty())
        .collect();
    let mark = mark(&typed);
    let mut typed = typed.into_iter().peekable();
    let mut order: Option<Vec<Option<usize>>> = None;
    if let Some((_, first)) = typed.peek() {
        let heads: Vec<_> = cells(first, mark).iter().map(|cell| column(cell)).collect();
        // An address is never the name of a column, so a line with one is a person whatever they are called.
        if !first.contains('@') && heads.contains(&Some(EMAIL)) {
            order = Some(heads);
            typed.next();
        }
    }
    let lines: Vec<Line> = typed
        .map(|(number, text)| Line {
            number,
            text: text.trim().to_owned(),
            cells: placed(cells(text, mark), order.as_deref()),
        })
        .collect();
    if lines.is_empty() {
        return Err(Refusal::NoLines);
    }
    if lines.len() > usize::from(LINES_MOST) {
        return Err(Refusal::ManyLines(LINES_MOST));
    }
    Ok(lines)
}

/// What divides the cells: of tab, semicolon and comma the one that most lines have, in that order.
fn mark(lines: &[(usize, &str)]) -> u8 {
    let having = |mark: u8| {
        lines
            .iter()
            .filter(|(_, line)| line.bytes().any(|byte| byte == mark))
            .count()
    };
    b"\t;,"
        .iter()
        .copied()
        .rev()
        .max_by_key(|mark| having(*mark))
        .unwrap_or(b',')
}

/// The cells of one line (RFC 4180). Each line by itself, so that a quotation mark left open ends with it.
fn cells(line: &str, mark: u8) -> Vec<String> {
    let line = quoted(line, mark);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(mark)
        .has_headers(false)
        .flexible(true)
        .from_reader(line.as_bytes());
    let record = reader.records().next().and_then(Result::ok);
    record
        .iter()
        .flatten()
        .map(|cell| {
            let cell = cell.trim();
            // What our own tables put before what a spreadsheet would take for a formula.
            match cell.strip_prefix('\'') {
                Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
                _ => cell,
            }
            .to_owned()
        })
        .collect()
}

/// The line with no space between a mark and a quotation mark, where RFC 4180 would take the latter for a letter.
fn quoted(line: &str, mark: u8) -> String {
    let mark = char::from(mark);
    let mut parts = line.trim_start_matches('\u{feff}').split(mark);
    let mut whole = parts.next().unwrap_or_default().trim_start().to_owned();
    for part in parts {
        whole.push(mark);
        let tidy = part.trim_start();
        whole.push_str(if tidy.starts_with('"') { tidy } else { part });
    }
    whole
}

fn placed(cells: Vec<String>, order: Option<&[Option<usize>]>) -> [String; COLUMNS] {
    let mut placed: [String; COLUMNS] = Default::default();
    if let Some(order) = order {
        for (cell, to) in cells.into_iter().zip(order) {
            if let Some(place) = to.and_then(|to| placed.get_mut(to)) {
                *place = cell;
            }
        }
    } else {
        for (place, cell) in placed.iter_mut().zip(cells) {
            *place = cell;
        }
        // Name first is as common.
        if !placed[EMAIL].contains('@') && placed[NAME].contains('@') {
            placed.swap(EMAIL, NAME);
        }
    }
    let surname = std::mem::take(&mut placed[SURNAME]);
    if !surname.is_empty() {
        let first = std::mem::replace(&mut placed[NAME], surname);
        placed[NAME].insert_str(0, &format!("{first} "));
    }
    // "Siân Edwards <sian@school.example>", as mail programs copy it.
    if let Some((name, rest)) = placed[EMAIL].clone().split_once('<') {
        if placed[NAME].is_empty() {
            name.trim().trim_matches('"').clone_into(&mut placed[NAME]);
        }
        rest.trim_end_matches('>').clone_into(&mut placed[EMAIL]);
    }
    placed
}
