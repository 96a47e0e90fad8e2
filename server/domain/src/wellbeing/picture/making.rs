//! From where pupils stand now, and stood when they were last counted, to what may be told of it.
//!
//! Whoever compares two days must not learn of one child what neither day tells. So each thing that pupils are told apart by
//! (who is here, who is in which year group, each circumstance, each domain) is counted anew only once five pupils stand
//! elsewhere in it, or the last count is [`WEEKS`] old; until then all count as they did. Where they stood is read again from
//! records that are never overwritten; only of year groups a trail is kept for this, and for no longer than it is of use. The
//! ledger does the rest: see [`Ledger::after`].

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Band, By, Told, WEEKS};
use crate::{
    pupil::{field::TagKind, year::YearGroup},
    suppression::{Dimension, Ledger, Picture, Refused, SMALL},
    wellbeing::{Domain, Level},
};

/// Microseconds since 1970, as exact as the database is.
pub(super) type Moment = i64;

/// Work for one table, in steps of [`Ledger::within_steps`]: about a fifth of a second where all of it is needed.
const STEPS: u64 = 60_000_000;

/// As of when each thing was counted that pupils are told apart by: "roll", "years", and the codes of circumstances and domains.
pub(super) type Counted = BTreeMap<String, Moment>;

/// Who is here.
pub(super) const ROLL: &str = "roll";
/// Who is in which year group.
pub(super) const YEARS: &str = "years";

/// What the picture before this one was made of, and what it told.
#[derive(Clone, Default)]
pub(super) struct Earlier {
    pub counted: Counted,
    pub tables: Vec<Told>,
}

/// Where every pupil stands now, and stood at the moments of an earlier count. As secret as the records it is read from.
#[derive(Clone, Default)]
pub(super) struct Known {
    pub now: Moment,
    /// In which year group everybody was.
    pub years: BTreeMap<Moment, BTreeMap<Uuid, YearGroup>>,
    /// Who was here.
    pub here: BTreeMap<Moment, BTreeSet<Uuid>>,
    /// The circumstances that the school keeps, with who was in them.
    pub tags: BTreeMap<TagKind, BTreeMap<Moment, BTreeSet<Uuid>>>,
    /// Everybody's latest level then.
    pub levels: BTreeMap<Moment, BTreeMap<(Uuid, Domain), Level>>,
}

impl Known {
    fn is_here(&self, at: Moment, pupil: Uuid) -> bool {
        self.here.get(&at).is_some_and(|here| here.contains(&pupil))
    }

    fn year(&self, at: Moment, pupil: Uuid) -> YearGroup {
        let then = self.years.get(&at);
        then.and_then(|then| then.get(&pupil).copied())
            .unwrap_or(YearGroup::X)
    }

    fn has(&self, kind: TagKind, at: Moment, pupil: Uuid) -> bool {
        (self.tags.get(&kind))
            .and_then(|then| then.get(&at))
            .is_some_and(|who| who.contains(&pupil))
    }

    fn band(&self, domain: Domain, at: Moment, pupil: Uuid) -> Band {
        let level = self
            .levels
            .get(&at)
            .and_then(|then| then.get(&(pupil, domain)));
        Band::of(level.copied())
    }
}

/// What is kept of a picture.
#[derive(Clone, Debug)]
pub(super) struct Count {
    pub counted: Counted,
    pub tables: Vec<Told>,
}

/// How something is counted today.
#[derive(Clone, Copy)]
struct AsOf {
    at: Moment,
    /// Nobody counts otherwise than in the picture before.
    same: bool,
}

impl AsOf {
    /// Those of five or more who stand elsewhere hide each other.
    fn of(last: Option<Moment>, now: Moment, moved: impl Fn(Moment) -> usize) -> Self {
        let small = usize::try_from(SMALL).unwrap_or(usize::MAX);
        let (at, same) = match last.filter(|last| !is_old(*last, now)) {
            None => (now, false),
            Some(last) => match moved(last) {
                0 => (now, true),
                few if few < small => (last, true),
                _ => (now, false),
            },
        };
        Self { at, same }
    }
}

/// Whether a count is too old for anything to be counted as it was then.
pub(super) fn is_old(last: Moment, now: Moment) -> bool {
    now - last > i64::from(WEEKS) * 7 * 86_400 * 1_000_000
}

/// Counts, hides what is small and what would tell of it, and holds back tables for which that does not help. None of a school
/// without pupils.
///
/// Refuses what [`Ledger::ask`] refuses, other than a table that uncovers or is too fine.
pub(super) fn count(known: &Known, earlier: &Earlier) -> Result<Option<Count>, Refused> {
    let now = known.now;
    let last = |what: &str| earlier.counted.get(what).copied();
    let everybody: BTreeSet<Uuid> = known.here.values().flatten().copied().collect();
    let roll = AsOf::of(last(ROLL), now, |then| {
        (everybody.iter())
            .filter(|pupil| known.is_here(then, **pupil) != known.is_here(now, **pupil))
            .count()
    });
    let pupils: Vec<Uuid> = (everybody.into_iter())
        .filter(|pupil| known.is_here(roll.at, *pupil))
        .collect();
    if pupils.is_empty() {
        return Ok(None);
    }
    let many = |moved: &dyn Fn(Uuid) -> bool| pupils.iter().filter(|pupil| moved(**pupil)).count();
    let years = AsOf::of(last(YEARS), now, |then| {
        many(&|p| known.year(then, p) != known.year(now, p))
    });
    let tags: BTreeMap<TagKind, AsOf> = (known.tags.keys())
        .map(|kind| {
            let moved = |then| many(&|p| known.has(*kind, then, p) != known.has(*kind, now, p));
            (*kind, AsOf::of(last(kind.code()), now, moved))
        })
        .collect();
    let levels: BTreeMap<Domain, AsOf> = (Domain::ALL.into_iter())
        .map(|of| {
            let moved = |then| many(&|p| known.band(of, then, p) != known.band(of, now, p));
            (of, AsOf::of(last(of.code()), now, moved))
        })
        .collect();

    let picture = picture(known, &pupils, years, &tags, &levels)?;
    let stands = |told: &Told| {
        let rows = match told.by {
            By::Year => years.same,
            By::Tag(kind) => tags.get(&kind).is_some_and(|of| of.same),
        };
        roll.same && rows && levels.get(&told.domain).is_some_and(|of| of.same)
    };
    let tables = tell(picture, earlier, stands, &tags)?;
    let moments = (tags.iter().map(|(kind, of)| (kind.code(), of.at)))
        .chain(levels.iter().map(|(of, at)| (of.code(), at.at)))
        .chain([(ROLL, roll.at), (YEARS, years.at)]);
    Ok(Some(Count {
        counted: moments.map(|(what, at)| (what.to_owned(), at)).collect(),
        tables,
    }))
}

/// Every pupil by their values, as of when each of these is counted.
fn picture(
    known: &Known,
    pupils: &[Uuid],
    as_of: AsOf,
    tags: &BTreeMap<TagKind, AsOf>,
    levels: &BTreeMap<Domain, AsOf>,
) -> Result<Picture, Refused> {
    let year = |pupil: &Uuid| known.year(as_of.at, *pupil);
    let years: BTreeSet<YearGroup> = pupils.iter().map(year).collect();
    let names: Vec<&str> = years.iter().map(|year| year.name()).collect();
    let mut contexts = vec![Dimension::new(By::Year.name(), &names)];
    contexts.extend((tags.keys()).map(|kind| Dimension::new(kind.name(), &TAGGED)));
    let bands = Band::ALL.map(Band::name);
    let measures = (levels.keys()).map(|of| Dimension::new(of.name(), &bands));
    let values = |pupil: &Uuid| -> Vec<usize> {
        let own = year(pupil);
        let tagged = tags
            .iter()
            .map(|(kind, of)| usize::from(!known.has(*kind, of.at, *pupil)));
        let bands = levels.iter().map(|(domain, of)| {
            let band = known.band(*domain, of.at, *pupil);
            Band::ALL.iter().take_while(|one| **one != band).count()
        });
        [years.iter().take_while(|year| **year != own).count()]
            .into_iter()
            .chain(tagged)
            .chain(bands)
            .collect()
    };
    let pupils: Vec<Vec<usize>> = pupils.iter().map(values).collect();
    Picture::new(contexts, measures.collect(), &pupils)
}

/// Those with a circumstance, and the others.
const TAGGED: [&str; 2] = ["Yes", "No, or not recorded"];

/// The fixed list of tables: every domain by year group, then by each circumstance. What stands is told as it was.
fn tell(
    picture: Picture,
    earlier: &Earlier,
    stands: impl Fn(&Told) -> bool,
    tags: &BTreeMap<TagKind, AsOf>,
) -> Result<Vec<Told>, Refused> {
    let mut standing: Vec<Told> = (earlier.tables.iter())
        .filter(|told| stands(told))
        .cloned()
        .collect();
    let released: Vec<_> = standing.iter().map(|told| told.released.clone()).collect();
    let mut ledger = match Ledger::resume(picture.clone(), &released) {
        Ok(ledger) => ledger,
        // Somebody's records were taken off the roll altogether: then all of it is counted anew.
        Err(_) => {
            standing.clear();
            Ledger::new(picture)
        }
    }
    .within_steps(STEPS);
    for told in &earlier.tables {
        // One of other rows tells nothing of these.
        if let Ok(next) = (ledger.clone()).after(std::slice::from_ref(&told.released)) {
            ledger = next;
        }
    }
    let mut tables = Vec::new();
    for by in [By::Year]
        .into_iter()
        .chain(tags.keys().copied().map(By::Tag))
    {
        for domain in Domain::ALL {
            let stood = (standing.iter()).find(|told| told.by == by && told.domain == domain);
            if let Some(told) = stood {
                tables.push(told.clone());
                continue;
            }
            match ledger.ask(by.name(), Some(domain.name()), &[]) {
                Ok(released) => tables.push(Told {
                    by,
                    domain,
                    released,
                }),
                Err(Refused::Uncovers | Refused::TooFine) => {}
                Err(refused) => return Err(refused),
            }
        }
    }
    Ok(tables)
}
