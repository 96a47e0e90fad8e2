//! Checking exports, offline: one pass, one line in memory at a time.

use crate::{
    Against, Bound, Break, Checkpoint, FORMAT, Header, Lines, Mark, Point, PublicKey, Record,
    Source, Unreadable, VERSION, Walk, Why, grouped, shown, utc,
};
use std::{io::BufRead, str::FromStr};

/// What the reader has, beside the files.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The key, from somewhere else than the files.
    pub key: Option<PublicKey>,
    /// Checkpoints that were kept.
    pub checkpoints: Vec<Checkpoint>,
    /// Heads from receipts and digests.
    pub heads: Vec<Head>,
}

/// Where the log stood, as a receipt or a digest says it: `1204:ab12cd34…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The row.
    pub seq: i64,
    /// The first digits of its hash, eight at least.
    pub hash: String,
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "a row and at least eight digits of its hash, such as 1204:ab12cd34";
        let (seq, hash) = text.split_once(':').ok_or(WANTED)?;
        let seq: i64 = seq.replace(',', "").parse().map_err(|_| WANTED)?;
        let hash = hash.trim_end_matches(['…', '.']).to_ascii_lowercase();
        let good =
            (8..=64).contains(&hash.len()) && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        if seq < 1 || !good {
            return Err(WANTED);
        }
        Ok(Self { seq, hash })
    }
}

/// What was found whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What the tenant was called.
    pub name: String,
    /// Where the files begin: the row before the first.
    pub after: Point,
    /// Where they end.
    pub head: Point,
    /// When the last of them was made, in microseconds since 1970 (UTC).
    pub made: i64,
    /// Signatures in the files.
    pub signed: u64,
    /// Kept checkpoints that the rows led to.
    pub kept: u64,
    /// Heads that the rows led to.
    pub heads: u64,
    /// Kept checkpoints that lie outside the rows.
    pub outside: u64,
    /// Rows that do not say what they hold.
    pub withheld: u64,
    /// The key, and whether it came out of the files themselves.
    pub key: PublicKey,
    /// See [`Report::key`].
    pub key_from_file: bool,
}

impl Report {
    /// How many rows there were.
    pub const fn rows(&self) -> i64 {
        self.head.seq.saturating_sub(self.after.seq)
    }

    /// One sentence, and what else must be said with it.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = vec![format!(
            "{}: rows {} to {}, {} signed {}, head {} {}…, exported {}: unbroken.",
            shown(&self.name),
            grouped(self.after.seq.saturating_add(1)),
            grouped(self.head.seq),
            grouped(self.signed + self.kept),
            if self.signed + self.kept == 1 {
                "checkpoint"
            } else {
                "checkpoints"
            },
            self.head.seq,
            self.head.hash.short(),
            utc(self.made),
        )];
        if self.rows() == 0 {
            sentences[0] = format!(
                "{}: no rows, after row {}: unbroken.",
                shown(&self.name),
                grouped(self.head.seq)
            );
        }
        if self.heads > 0 {
            sentences.push(format!(
                "The rows lead to the {} you kept.",
                counted(self.heads, "hash", "hashes")
            ));
        }
        if self.withheld > 0 {
            sentences.push(format!(
                "{} withheld: whoever exported this does not read the folders that they are about. That they stand in their place is shown; what they say is not.",
                counted(self.withheld, "row is", "rows are")
            ));
        }
        if self.key_from_file {
            sentences.push(format!(
                "The signatures were checked with the key in the file itself, {}: that nothing was changed since then is shown, and whose key it is is not. Compare it with the key that your school was given, and pass that with --key.",
                self.key
            ));
        }
        if self.outside > 0 {
            sentences.push(format!(
                "{} you kept lie outside these rows and were not compared.",
                counted(self.outside, "checkpoint", "checkpoints")
            ));
        }
        sentences
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The log was rewritten, or something that vouches for it was.
    #[error("{0}")]
    Broken(Break),
    /// Nothing is shown either way.
    #[error("{0}")]
    Unreadable(Unreadable),
    /// A hash was given for a row that the files do not reach.
    #[error("Row {} is not in these files, so the hash you kept of it was not compared. Export a period that it lies in.", grouped(*.0))]
    NotCovered(i64),
    /// Nothing to check.
    #[error("There is no file to check.")]
    NoFile,
}

/// Checks that the files hold what was signed and handed out, row by row, and that each goes on where the one before ends.
pub fn verify<R: BufRead>(
    files: impl IntoIterator<Item = Lines<R>>,
    given: &Given,
) -> Result<Report, Failure> {
    let mut files = files.into_iter();
    let mut first = files.next().ok_or(Failure::NoFile)?;
    let header = header_of(&mut first)?;
    let (tenant, key) = (header.tenant, given.key.unwrap_or(header.key));
    let mut marks = marks(given, &header, &key)?.into_iter().map(Ok::<_, Break>);
    let mut against = Against::new(&mut marks);
    let mut walk = Walk::after(tenant, header.after);
    let (name, after) = (header.name.clone(), header.after);
    against.meet(&after)?;

    let mut signed = 0;
    let mut last = header;
    let mut file = first;
    loop {
        if last.key != key {
            return broken(last.after.seq, Why::OtherKey);
        }
        signed += body_of(&mut file, &last, &key, &mut walk, &mut against)?;
        let Some(next) = files.next() else { break };
        file = next;
        last = header_of(&mut file)?;
        let here = walk.here();
        let first = last.after.seq.saturating_add(1);
        if last.tenant != tenant {
            return broken(first, Why::ForeignTenant);
        }
        if last.after != here {
            return broken(first, Why::FilesDoNotFollow(here.seq));
        }
    }

    let head = walk.here();
    let mut outside = against.passed();
    while let Some(mark) = against.rest()? {
        if must_reach(&last, &mark) {
            return broken(mark.seq, Why::Shorter(mark.source, head.seq));
        }
        outside += 1;
    }
    if let Some(head) = given
        .heads
        .iter()
        .find(|kept| kept.seq < after.seq || kept.seq > head.seq)
    {
        return Err(Failure::NotCovered(head.seq));
    }
    Ok(Report {
        name,
        after,
        head,
        made: last.made,
        signed,
        kept: against.met(Source::Signed),
        heads: against.met(Source::Kept),
        outside,
        withheld: walk.withheld(),
        key,
        key_from_file: given.key.is_none(),
    })
}

/// What was kept, in the order of its rows, once its signatures are seen to hold.
fn marks(given: &Given, header: &Header, key: &PublicKey) -> Result<Vec<Mark>, Break> {
    let mut marks = Vec::with_capacity(given.checkpoints.len() + given.heads.len());
    for checkpoint in &given.checkpoints {
        if checkpoint.tenant != header.tenant {
            return Err(Break {
                seq: checkpoint.seq,
                why: Why::ForeignCheckpoint,
            });
        }
        checkpoint.check(key)?;
        marks.push(Mark::from(checkpoint));
    }
    marks.extend(given.heads.iter().map(|head| Mark {
        seq: head.seq,
        hash: head.hash.clone(),
        at: None,
        source: Source::Kept,
    }));
    marks.sort_by_key(|mark| mark.seq);
    Ok(marks)
}

fn header_of<R: BufRead>(file: &mut Lines<R>) -> Result<Header, Failure> {
    let header = match file.read()? {
        Some(Record::Header(header)) => header,
        Some(_) => return Err(file.refuse("an export begins with its header").into()),
        None => {
            return Err(Unreadable::CutOff {
                name: file.name().to_owned(),
                line: 0,
            }
            .into());
        }
    };
    if header.format != FORMAT || header.version != VERSION {
        return Err(file
            .refuse("it is of a format that this program does not know")
            .into());
    }
    if header.after.seq < 0 {
        return Err(file.refuse("there is no row before the first").into());
    }
    let first = header.after.seq.saturating_add(1);
    // All there was begins with nothing, and so does what begins with row 1.
    if header.from.is_none() && header.after.seq != 0 {
        return broken(1, Why::Missing(Some(first)));
    }
    if header.after.seq == 0 && header.after != Point::START {
        return broken(1, Why::DoesNotFollow);
    }
    if matches!(header.from, Some(Bound::Row(from)) if from != first) {
        return broken(first, Why::Missing(Some(first)));
    }
    Ok(header)
}

/// Walks over the rows of one file. Returns how many signatures stood in it.
fn body_of<R, I>(
    file: &mut Lines<R>,
    header: &Header,
    key: &PublicKey,
    walk: &mut Walk,
    against: &mut Against<I>,
) -> Result<u64, Failure>
where
    R: BufRead,
    I: Iterator<Item = Result<Mark, Break>>,
{
    let (mut rows, mut signed, mut is_signed) = (0_u64, 0_u64, true);
    loop {
        match file.read()? {
            Some(Record::Event(line)) => {
                walk.step(&line)?;
                against.meet(&walk.here())?;
                rows += 1;
                is_signed = false;
            }
            Some(Record::Withheld(line)) => {
                walk.pass(&line)?;
                against.meet(&walk.here())?;
                rows += 1;
                is_signed = false;
            }
            Some(Record::Checkpoint(checkpoint)) => {
                let (seq, here) = (checkpoint.seq, walk.here());
                if checkpoint.tenant != header.tenant {
                    return broken(seq, Why::ForeignCheckpoint);
                }
                checkpoint.check(key)?;
                if seq != here.seq {
                    return broken(seq, Why::CheckpointOutOfOrder);
                }
                if checkpoint.hash != here.hash {
                    return broken(seq, Why::Otherwise(Source::Signed, against.agreed()));
                }
                against.agree(seq);
                signed += 1;
                is_signed = true;
            }
            Some(Record::End(end)) => {
                let seq = walk.here().seq;
                if end.rows != rows {
                    return broken(seq, Why::Count(end.rows));
                }
                let Some(signature) = end.signature.filter(|_| is_signed) else {
                    return broken(seq, Why::Unsigned);
                };
                if !key.sealed(&file.before(), &signature) {
                    return broken(seq, Why::FileChanged);
                }
                if file.read()?.is_some() {
                    return Err(file.refuse("nothing comes after the closing line").into());
                }
                return Ok(signed);
            }
            Some(Record::Header(_)) => return Err(file.refuse("an export has one header").into()),
            None => {
                return Err(Unreadable::CutOff {
                    name: file.name().to_owned(),
                    line: file.count(),
                }
                .into());
            }
        }
    }
}

fn broken<T>(seq: i64, why: Why) -> Result<T, Failure> {
    Err(Failure::Broken(Break { seq, why }))
}

/// Whether the file, by what its header says of it, had to reach a row that it does not reach.
fn must_reach(header: &Header, mark: &Mark) -> bool {
    // What was signed after the file was made says nothing against it.
    let is_earlier = mark.at.is_none_or(|at| at <= header.made);
    is_earlier
        && match (header.to, mark.at) {
            (None, _) => true,
            (Some(Bound::Row(to)), Some(_)) => mark.seq <= to,
            // What was signed before the period ended lies in it.
            (Some(Bound::Moment(to)), Some(at)) => at < to,
            (Some(_), None) => false,
        }
}
