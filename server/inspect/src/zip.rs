//! The package that office documents are (APPNOTE.TXT 6.3.3, ISO 21320-1), read strictly: what two programs could read
//! differently is refused.

use crate::budget::Budget;
use domain::file::Fault;
use flate2::read::DeflateDecoder;
use std::{collections::HashSet, io::Read as _};

const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_LENGTH: usize = 46;
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_LENGTH: usize = 30;
/// General purpose bits: encrypted, in either way, and sizes that follow the data.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
const SIZES_FOLLOW: u16 = 1 << 3;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Kinds of file, in the upper half of what Unix writes there.
const FILE_TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

/// One part of a package.
pub struct Part<'a> {
    /// Its name, as it is written.
    pub name: String,
    /// Whether it stands in the package as it is.
    pub stored: bool,
    /// Whether its local header has fields of its own, which nothing may before a text of LibreOffice says what it is.
    pub extra: bool,
    packed: &'a [u8],
    deflated: bool,
    size: usize,
    checksum: u32,
}

impl Part<'_> {
    /// Its content, counted as it grows, of the size and the checksum that the package gives.
    pub fn read(&self, budget: &mut Budget) -> Result<Vec<u8>, Fault> {
        let mut content = Vec::new();
        if self.deflated {
            // One byte more than there is room for tells that there is more.
            let most = budget.room().min(self.size) as u64 + 1;
            let mut unpacking = DeflateDecoder::new(self.packed).take(most);
            unpacking
                .read_to_end(&mut content)
                .map_err(|_| Fault::Damaged)?;
            // Counted first: a trap is called one, even where its header lies as well.
            budget.spend(self.packed.len(), content.len())?;
            if unpacking.into_inner().total_in() != self.packed.len() as u64 {
                return Err(Fault::Damaged);
            }
        } else {
            budget.spend(self.packed.len(), self.packed.len())?;
            content.extend_from_slice(self.packed);
        }
        if content.len() != self.size || crc32fast::hash(&content) != self.checksum {
            return Err(Fault::Damaged);
        }
        Ok(content)
    }
}

/// The parts of a package in the order in which they stand in the file.
///
/// Refuses [`Fault::Locked`] for an encrypted part, [`Fault::ManyEntries`], and [`Fault::Damaged`] for whatever a program
/// could trip over: bytes before or after the package, parts that overlap, names twice or that lead out of it, links.
pub fn parts<'a>(file: &'a [u8], budget: &mut Budget) -> Result<Vec<Part<'a>>, Fault> {
    let (count, mut list, list_at) = end(file)?;
    budget.parts(count)?;
    let mut found: Vec<(usize, usize, Part<'a>)> = Vec::with_capacity(count);
    for _ in 0..count {
        let (entry, rest) = entry(file, list)?;
        list = rest;
        found.push(entry);
    }
    if !list.is_empty() || found.is_empty() {
        return Err(Fault::Damaged);
    }
    found.sort_by_key(|(begin, _, _)| *begin);
    let begins = found.iter().map(|(begin, _, _)| *begin).skip(1);
    let apart = found
        .iter()
        .zip(begins.chain([list_at]))
        .all(|((_, end, _), next)| *end <= next);
    if found[0].0 != 0 || !apart {
        return Err(Fault::Damaged);
    }
    // Windows and Office tell no case apart (ECMA-376-2, 6.2.2.3).
    let names: HashSet<String> = found
        .iter()
        .map(|(_, _, part)| part.name.to_lowercase())
        .collect();
    if names.len() != found.len() {
        return Err(Fault::Damaged);
    }
    Ok(found.into_iter().map(|(_, _, part)| part).collect())
}

/// How many entries there are, their list, and where it begins. The end of the list is the end of the file.
fn end(file: &[u8]) -> Result<(usize, &[u8], usize), Fault> {
    let from = file
        .len()
        .saturating_sub(END_LENGTH + usize::from(u16::MAX));
    let at = (from..(file.len() + 1).saturating_sub(END_LENGTH))
        .rev()
        .find(|at| {
            file[*at..].starts_with(END)
                && usize::from(short(file, at + 20).unwrap_or_default())
                    == file.len() - at - END_LENGTH
        })
        .ok_or(Fault::Damaged)?;
    let disks = (short(file, at + 4)?, short(file, at + 6)?);
    let count = short(file, at + 10)?;
    if disks != (0, 0) || short(file, at + 8)? != count {
        return Err(Fault::Damaged);
    }
    if count == u16::MAX {
        return Err(Fault::ManyEntries);
    }
    let size = long(file, at + 12)? as usize;
    let begin = long(file, at + 16)? as usize;
    let list = file.get(begin..at).ok_or(Fault::Damaged)?;
    if list.len() != size {
        return Err(Fault::Damaged);
    }
    Ok((usize::from(count), list, begin))
}

/// The first entry of a list with where its part begins and ends in the file, and the rest of the list.
type Entry<'a> = ((usize, usize, Part<'a>), &'a [u8]);

fn entry<'a>(file: &'a [u8], list: &'a [u8]) -> Result<Entry<'a>, Fault> {
    if !list.starts_with(ENTRY) {
        return Err(Fault::Damaged);
    }
    let (flags, method) = (short(list, 8)?, short(list, 10)?);
    let checksum = long(list, 16)?;
    let lengths = [short(list, 28)?, short(list, 30)?, short(list, 32)?].map(usize::from);
    let name = slice(list, ENTRY_LENGTH, lengths[0])?;
    let extra = slice(list, ENTRY_LENGTH + lengths[0], lengths[1])?;
    let rest = list
        .get(ENTRY_LENGTH + lengths.iter().sum::<usize>()..)
        .ok_or(Fault::Damaged)?;
    let (packed, size, begin) =
        wide(extra, [long(list, 20)?, long(list, 24)?, long(list, 42)?]).ok_or(Fault::Damaged)?;
    if flags & ENCRYPTED != 0 {
        return Err(Fault::Locked);
    }
    let attributes = long(list, 38)? >> 16;
    if !matches!(method, STORED | DEFLATED)
        || !matches!(attributes & FILE_TYPE, 0 | REGULAR | FOLDER)
        || (method == STORED && packed != size)
    {
        return Err(Fault::Damaged);
    }

    let local = file.get(begin..).ok_or(Fault::Damaged)?;
    let lengths = [short(local, 26)?, short(local, 28)?].map(usize::from);
    let same = local.starts_with(LOCAL)
        && short(local, 8)? == method
        && slice(local, LOCAL_LENGTH, lengths[0])? == name;
    let local_extra = slice(local, LOCAL_LENGTH + lengths[0], lengths[1])?;
    let sizes = wide(local_extra, [long(local, 18)?, long(local, 22)?, 0]);
    let same_sizes = short(local, 6)? & SIZES_FOLLOW != 0
        || (sizes == Some((packed, size, 0)) && long(local, 14)? == checksum);
    if !same || !same_sizes || short(local, 6)? & ENCRYPTED != 0 {
        return Err(Fault::Damaged);
    }
    let data = LOCAL_LENGTH + lengths[0] + lengths[1];
    let part = Part {
        name: named(name)?,
        stored: method == STORED,
        extra: lengths[1] > 0,
        packed: slice(local, data, packed)?,
        deflated: method == DEFLATED,
        size,
        checksum,
    };
    Ok(((begin, begin + data + packed, part), rest))
}

/// A name that stays inside the package, whichever program unpacks it.
fn named(name: &[u8]) -> Result<String, Fault> {
    let name = String::from_utf8_lossy(name).into_owned();
    let inner = name.strip_suffix('/').unwrap_or(&name);
    let out = inner
        .split('/')
        .any(|step| step.is_empty() || matches!(step, "." | ".."));
    if out || name.contains(['\\', ':']) || name.chars().any(char::is_control) {
        return Err(Fault::Damaged);
    }
    Ok(name)
}

/// Sizes and a place of more than four bytes, which some programs write whether needed or not (APPNOTE.TXT 4.5.3).
fn wide(mut extra: &[u8], narrow: [u32; 3]) -> Option<(usize, usize, usize)> {
    let mut wide: &[u8] = &[];
    while let Some((id, rest)) = extra.split_first_chunk::<2>() {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (field, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        if *id == [1, 0] {
            wide = field;
        }
        extra = rest;
    }
    // Packed and unpacked stand the other way round there.
    let mut values = [0; 3];
    for index in [1, 0, 2] {
        values[index] = if narrow[index] == u32::MAX {
            let (eight, rest) = wide.split_first_chunk::<8>()?;
            wide = rest;
            usize::try_from(u64::from_le_bytes(*eight)).ok()?
        } else {
            narrow[index] as usize
        };
    }
    // Beyond any file that is taken: sums with them cannot overflow.
    values
        .iter()
        .all(|value| u32::try_from(*value).is_ok())
        .then_some(values.into())
}

fn slice(bytes: &[u8], at: usize, length: usize) -> Result<&[u8], Fault> {
    bytes.get(at..at + length).ok_or(Fault::Damaged)
}

fn short(bytes: &[u8], at: usize) -> Result<u16, Fault> {
    let two = slice(bytes, at, 2)?;
    Ok(u16::from_le_bytes([two[0], two[1]]))
}

fn long(bytes: &[u8], at: usize) -> Result<u32, Fault> {
    let four = slice(bytes, at, 4)?;
    Ok(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}
