//! Where checkpoints are kept: outside the database, one file for each tenant, to which lines are only ever added.

use domain::TenantId;
use quorate_verify::{Checkpoint, Checkpoints, Lines, Record, Unreadable};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read as _, Seek as _, SeekFrom, Take, Write as _},
    path::{Path, PathBuf},
};

/// More than a line of a checkpoint file is long.
const LINE_MOST: u64 = 4096;

/// The folder of checkpoints.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// It is made with the first checkpoint.
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The file of a tenant, whether it is there or not.
    pub fn file(&self, tenant: TenantId) -> PathBuf {
        self.0.join(format!("{tenant}.jsonl"))
    }

    /// The tenants that have a file, with its length.
    pub fn lengths(&self) -> io::Result<Vec<(TenantId, u64)>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".jsonl"));
            if let Some(id) = id.and_then(|id| TenantId::try_parse(id).ok()) {
                found.push((id, entry.metadata()?.len()));
            }
        }
        Ok(found)
    }

    /// The checkpoints of a tenant, in the order in which they were written; none when there is no file. What is written
    /// beyond `most` bytes while they are read is left out.
    pub fn read(
        &self,
        tenant: TenantId,
        most: u64,
    ) -> Result<Option<Checkpoints<BufReader<Take<File>>>>, Unreadable> {
        let path = self.file(tenant);
        let name = path.display().to_string();
        match File::open(&path) {
            Ok(file) => Ok(Some(Checkpoints::new(Lines::new(
                name,
                BufReader::new(file.take(most)),
            )))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Unreadable::Io { name, error }),
        }
    }

    /// The last checkpoint of a tenant; none where there is none. A last line that was cut while it was written does not
    /// count.
    ///
    /// Refuses with [`io::ErrorKind::InvalidData`] where the last whole line is no checkpoint.
    pub fn last(&self, tenant: TenantId) -> io::Result<Option<Checkpoint>> {
        match File::open(self.file(tenant)) {
            Ok(mut file) => Ok(end_of(&mut file)?.1),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Adds those of the checkpoints that are newer than the last of the file, and returns once they are on the disk. What was
    /// cut while it was written goes first, and what could not be written whole goes too.
    pub fn append(&self, tenant: TenantId, checkpoints: &[Checkpoint]) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let path = self.file(tenant);
        let is_new = !path.exists();
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)?;
        // Two processes that were given the same folder take turns.
        file.lock()?;
        let (end, last) = end_of(&mut file)?;
        if file.metadata()?.len() > end {
            tracing::warn!(%tenant, "a checkpoint that was cut while it was written is taken out");
            file.set_len(end)?;
        }
        let newest = last.map_or(0, |last| last.seq);
        let mut text = Vec::new();
        for checkpoint in checkpoints.iter().filter(|one| one.seq > newest) {
            serde_json::to_writer(&mut text, &Record::Checkpoint(checkpoint.clone()))?;
            text.push(b'\n');
        }
        let written = file.write_all(&text).and_then(|()| file.sync_data());
        if written.is_err() {
            let _ = file.set_len(end);
        }
        written?;
        if is_new {
            File::open(&self.0)?.sync_all()?;
        }
        Ok(())
    }
}

/// Where the last whole line ends, and what stands in it.
fn end_of(file: &mut File) -> io::Result<(u64, Option<Checkpoint>)> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(2 * LINE_MOST);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(2 * LINE_MOST).read_to_end(&mut tail)?;
    let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else {
        // Nothing but the beginning of a first line.
        return if start == 0 {
            Ok((0, None))
        } else {
            Err(io::ErrorKind::InvalidData.into())
        };
    };
    let whole = &tail[..end];
    let line = whole.rsplit(|byte| *byte == b'\n').next().unwrap_or(whole);
    match serde_json::from_slice(line) {
        Ok(Record::Checkpoint(checkpoint)) => {
            let cut = u64::try_from(tail.len() - end - 1).unwrap_or(0);
            Ok((
                start + u64::try_from(tail.len()).unwrap_or(0) - cut,
                Some(checkpoint),
            ))
        }
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use quorate_verify::{Hash, Point, Signer};

    const TENANT: TenantId = TenantId::from_u128(7);

    fn signed(seq: i64) -> Checkpoint {
        let point = Point {
            seq,
            hash: Hash::from_bytes([1; 32]),
        };
        Signer::from_secret(&[7; 32]).sign(domain::trail::id_of(TENANT), point, 5)
    }

    fn seqs(folder: &Folder) -> Vec<i64> {
        let read = folder.read(TENANT, u64::MAX).unwrap();
        read.into_iter()
            .flatten()
            .map(|one| one.unwrap().seq)
            .collect()
    }

    #[test]
    fn lines_are_added_and_an_older_one_is_not() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().join("checkpoints"));
        assert_eq!(folder.last(TENANT).unwrap(), None);
        assert_eq!((seqs(&folder), folder.lengths().unwrap()), (vec![], vec![]));
        folder
            .append(TENANT, &[signed(1000), signed(2000)])
            .unwrap();
        folder
            .append(TENANT, &[signed(2000), signed(1500), signed(2004)])
            .unwrap();
        assert_eq!(seqs(&folder), [1000, 2000, 2004]);
        assert_eq!(folder.last(TENANT).unwrap(), Some(signed(2004)));
        let length = fs::metadata(folder.file(TENANT)).unwrap().len();
        assert_eq!(folder.lengths().unwrap(), [(TENANT, length)]);
        assert!(length < 3 * LINE_MOST);
        // Another tenant has a file of its own, and a stray file is nobody's.
        fs::write(folder.path().join("notes.jsonl"), "x").unwrap();
        assert_eq!(folder.last(TenantId::nil()).unwrap(), None);
        assert_eq!(folder.lengths().unwrap().len(), 1);
    }

    #[test]
    fn a_line_that_was_cut_while_it_was_written_is_taken_out_wherever_it_was_cut() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().to_owned());
        folder.append(TENANT, &[signed(1), signed(2)]).unwrap();
        let whole = fs::read(folder.file(TENANT)).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for cut in 0..=whole.len() {
            fs::write(folder.file(TENANT), &whole[..cut]).unwrap();
            let last = match cut {
                _ if cut < first => None,
                _ if cut < whole.len() => Some(signed(1)),
                _ => Some(signed(2)),
            };
            assert_eq!(folder.last(TENANT).unwrap(), last, "{cut}");
            folder.append(TENANT, &[signed(3)]).unwrap();
            let mut wanted: Vec<i64> = (1..=last.map_or(0, |last| last.seq)).collect();
            wanted.push(3);
            assert_eq!(seqs(&folder), wanted, "{cut}");
        }
        // Zeros that a file system put where the line should be.
        for torn in [vec![0; 300], vec![b'{'; 5000]] {
            fs::write(folder.file(TENANT), [&whole[..first], &torn].concat()).unwrap();
            folder.append(TENANT, &[signed(3)]).unwrap();
            assert_eq!(seqs(&folder), [1, 3]);
        }
    }

    #[test]
    fn a_whole_line_that_is_no_checkpoint_is_not_written_after() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().to_owned());
        for bad in [
            "hello\n",
            "\n",
            "{\"end\":{\"rows\":1,\"signature\":null}}\n",
            &"x".repeat(9000),
        ] {
            fs::write(folder.file(TENANT), bad).unwrap();
            assert_eq!(
                folder.last(TENANT).unwrap_err().kind(),
                io::ErrorKind::InvalidData
            );
            assert!(folder.append(TENANT, &[signed(1)]).is_err());
            assert_eq!(fs::read_to_string(folder.file(TENANT)).unwrap(), bad);
        }
    }
}
