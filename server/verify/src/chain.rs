//! Walking a log from line to line, and comparing the way with what was signed or handed out.

use crate::{Break, Hash, Id, Line, Why, Withheld};
use serde::{Deserialize, Serialize};
use std::{fmt, iter::Peekable};

/// A place in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The line; 0 is before the first.
    pub seq: i64,
    /// Its hash.
    pub hash: Hash,
}

impl Point {
    /// Before the first line.
    pub const START: Self = Self {
        seq: 0,
        hash: Hash::ZERO,
    };
}

/// A way through a log.
#[derive(Clone, Debug)]
pub struct Walk {
    tenant: Id,
    here: Point,
    withheld: u64,
}

impl Walk {
    /// Begins behind a point.
    pub const fn after(tenant: Id, here: Point) -> Self {
        Self {
            tenant,
            here,
            withheld: 0,
        }
    }

    /// Whose log it is.
    pub const fn tenant(&self) -> Id {
        self.tenant
    }

    /// How far it has come.
    pub const fn here(&self) -> Point {
        self.here
    }

    /// How many lines on the way did not say what they hold.
    pub const fn withheld(&self) -> u64 {
        self.withheld
    }

    /// Which line comes next, if this one does.
    fn next(&self, tenant: Id, seq: i64) -> Result<i64, Break> {
        let last = self.here.seq;
        let broken = |seq, why| Err(Break { seq, why });
        if tenant != self.tenant {
            return broken(seq, Why::ForeignTenant);
        }
        let next = last.saturating_add(1);
        if seq == last {
            return broken(seq, Why::Doubled);
        }
        if seq < last {
            return broken(seq, Why::OutOfOrder(last));
        }
        if seq != next {
            return broken(next, Why::Missing(Some(seq)));
        }
        Ok(next)
    }

    /// Goes on over a line that does not say what it holds, if it follows. That it holds what was hashed is for those to see who
    /// may read it.
    pub fn pass(&mut self, line: &Withheld) -> Result<(), Break> {
        let next = self.next(line.tenant, line.seq)?;
        if line.prev != self.here.hash {
            return Err(Break {
                seq: next,
                why: Why::DoesNotFollow,
            });
        }
        self.withheld += 1;
        self.here = Point {
            seq: next,
            hash: line.hash,
        };
        Ok(())
    }

    /// Goes on to the next line, if that is what it is.
    pub fn step(&mut self, line: &Line<'_>) -> Result<(), Break> {
        let next = self.next(line.tenant, line.seq)?;
        let broken = |seq, why| Err(Break { seq, why });
        if let Some(field) = line.misshapen() {
            return broken(next, Why::Misshapen(field));
        }
        if line.computed(&line.prev) != line.hash {
            return broken(next, Why::Edited);
        }
        if line.prev != self.here.hash {
            return broken(next, Why::DoesNotFollow);
        }
        self.here = Point {
            seq: next,
            hash: line.hash,
        };
        Ok(())
    }
}

/// Who says what the hash of a line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A checkpoint.
    Signed,
    /// A receipt, a digest, or a page that somebody copied it from.
    Kept,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signed => "was signed",
            Self::Kept => "you kept the hash of",
        })
    }
}

/// What the hash of a line was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The line.
    pub seq: i64,
    /// The first bytes of its hash as hexadecimal digits; all 64 where they are known.
    pub hash: String,
    /// When that was said, in microseconds since 1970, where it is known.
    pub at: Option<i64>,
    /// Who says so.
    pub source: Source,
}

impl From<&super::Checkpoint> for Mark {
    fn from(checkpoint: &super::Checkpoint) -> Self {
        Self {
            seq: checkpoint.seq,
            hash: checkpoint.hash.to_string(),
            at: Some(checkpoint.at),
            source: Source::Signed,
        }
    }
}

/// Marks in the order of their lines, which a walk is compared with as it goes.
pub struct Against<I: Iterator> {
    marks: Peekable<I>,
    agreed: i64,
    met: [u64; 2],
    passed: u64,
    newest: i64,
}

impl<E, I> Against<I>
where
    I: Iterator<Item = Result<Mark, E>>,
    E: From<Break>,
{
    /// Of marks whose signatures hold.
    pub fn new(marks: I) -> Self {
        Self {
            marks: marks.peekable(),
            agreed: 0,
            met: [0; 2],
            passed: 0,
            newest: 0,
        }
    }

    /// Compares what there is for this point; what lies before it was never walked over. True when there was a mark here.
    pub fn meet(&mut self, here: &Point) -> Result<bool, E> {
        let before = self.met;
        while let Some(mark) = self
            .marks
            .next_if(|mark| !matches!(mark, Ok(mark) if mark.seq > here.seq))
        {
            let mark = mark?;
            self.in_order(&mark)?;
            if mark.seq < here.seq {
                self.passed += 1;
            } else if here.hash.to_string().starts_with(&mark.hash) {
                self.agreed = here.seq;
                self.met[mark.source as usize] += 1;
            } else {
                let why = Why::Otherwise(mark.source, self.agreed);
                return Err(Break { seq: mark.seq, why }.into());
            }
        }
        Ok(self.met != before)
    }

    /// Notes that the walk agreed with a signature that stood elsewhere.
    pub const fn agree(&mut self, seq: i64) {
        self.agreed = seq;
    }

    /// The next mark that was not met, once the walk has ended.
    pub fn rest(&mut self) -> Result<Option<Mark>, E> {
        match self.marks.next().transpose()? {
            Some(mark) => {
                self.in_order(&mark)?;
                Ok(Some(mark))
            }
            None => Ok(None),
        }
    }

    fn in_order(&mut self, mark: &Mark) -> Result<(), Break> {
        if mark.seq < self.newest || mark.seq < 1 {
            return Err(Break {
                seq: mark.seq,
                why: Why::CheckpointOutOfOrder,
            });
        }
        self.newest = mark.seq;
        Ok(())
    }

    /// How many of a source the walk agreed with.
    pub const fn met(&self, source: Source) -> u64 {
        self.met[source as usize]
    }

    /// How many lay before the walk.
    pub const fn passed(&self) -> u64 {
        self.passed
    }

    /// The last line at which the walk agreed with a mark; 0 for none.
    pub const fn agreed(&self) -> i64 {
        self.agreed
    }
}
