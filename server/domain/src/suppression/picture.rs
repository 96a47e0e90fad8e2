//! The school's picture of one day, frozen: how many pupils there are of each kind.

use std::collections::BTreeMap;

use super::{Dimension, Refused, Table};

/// Kinds of pupils beyond which only those that occur are thought of.
const KINDS: usize = 2_000;

/// Values that pupils have in common: dimension and value, ordered by dimension. No value: all pupils.
pub(super) type Group = Vec<(usize, usize)>;

/// Of each pupil the context (year, special needs, pupil premium) and, measure by measure (wellbeing, movement), the value. It
/// holds no names and keeps no pupil together across measures; still it is as secret as the pupils, and never serialised.
#[derive(Clone)]
pub struct Picture {
    /// Contexts first, then measures.
    dimensions: Vec<Dimension>,
    contexts: usize,
    /// Values of the contexts, one kind each.
    kinds: Vec<Vec<usize>>,
    /// Pupils of each kind.
    counts: Vec<i64>,
    /// Measure by measure, kind by kind, value by value.
    levels: Vec<Vec<i64>>,
}

impl Picture {
    /// Pupils as positions of their values: first of each context, then of each measure.
    ///
    /// Refuses [`Refused::NotInPicture`] where a pupil has not one value of each, or two dimensions or values have one name.
    pub fn new(
        contexts: Vec<Dimension>,
        measures: Vec<Dimension>,
        pupils: &[Vec<usize>],
    ) -> Result<Self, Refused> {
        let split = contexts.len();
        let dimensions: Vec<Dimension> = contexts.into_iter().chain(measures).collect();
        let named = distinct(dimensions.iter().map(|dimension| &dimension.name))
            && (dimensions.iter()).all(|dimension| distinct(dimension.values.iter()));
        let valued = pupils.iter().all(|pupil| {
            pupil.len() == dimensions.len()
                && (pupil.iter().zip(&dimensions)).all(|(at, of)| *at < of.values.len())
        });
        if !named || !valued {
            return Err(Refused::NotInPicture);
        }
        let kinds = kinds(&dimensions[..split], pupils);
        let places: BTreeMap<&[usize], usize> = (kinds.iter().enumerate())
            .map(|(at, kind)| (kind.as_slice(), at))
            .collect();
        let mut counts = vec![0; kinds.len()];
        let mut levels: Vec<Vec<i64>> = dimensions[split..]
            .iter()
            .map(|measure| vec![0; kinds.len() * measure.values.len()])
            .collect();
        for pupil in pupils {
            let (context, answers) = pupil.split_at(split);
            let Some(kind) = places.get(context) else {
                return Err(Refused::NotInPicture);
            };
            counts[*kind] += 1;
            for ((level, of), at) in levels.iter_mut().zip(&dimensions[split..]).zip(answers) {
                level[kind * of.values.len() + at] += 1;
            }
        }
        Ok(Self {
            dimensions,
            contexts: split,
            kinds,
            counts,
            levels,
        })
    }

    /// Counts of these rows, and columns where there are any, among the pupils with all these values.
    ///
    /// Refuses [`Refused::NotInPicture`] and [`Refused::TwoMeasures`].
    pub fn table(
        &self,
        rows: &str,
        columns: Option<&str>,
        within: &[(&str, &str)],
    ) -> Result<Table, Refused> {
        let of = |name: &str| self.position(name).map(|at| self.dimensions[at].clone());
        let (rows, columns) = (of(rows)?, columns.map(of).transpose()?);
        let across = columns.as_ref().map_or(1, |columns| columns.values.len());
        let empty = Table {
            within: (within.iter())
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            counts: vec![vec![0; across]; rows.values.len()],
            rows,
            columns,
        };
        let asked = Asked::of(self, &empty.within, &empty.rows, empty.columns.as_ref())?;
        let mut table = empty;
        for (row, counts) in table.counts.iter_mut().enumerate() {
            for (column, count) in counts.iter_mut().enumerate() {
                *count = u32::try_from(self.count(&asked.cell(row, column)))
                    .map_err(|_| Refused::TooFine)?;
            }
        }
        Ok(table)
    }

    pub(super) fn count(&self, group: &Group) -> i64 {
        match self.measure(group) {
            None => self.sum(group, &self.counts),
            Some(measure) => self.sum(group, &self.levels[measure]),
        }
    }

    /// How many of these are in the group: counts of kinds, or of the measure that the group names.
    pub(super) fn sum(&self, group: &Group, counts: &[i64]) -> i64 {
        self.places(group).iter().map(|at| counts[*at]).sum()
    }

    /// Where the pupils of a group are counted.
    pub(super) fn places(&self, group: &Group) -> Vec<usize> {
        let split = group.partition_point(|(dimension, _)| *dimension < self.contexts);
        let (context, measure) = group.split_at(split);
        let kinds = (self.kinds.iter().enumerate()).filter(|(_, kind)| {
            context
                .iter()
                .all(|(dimension, value)| kind[*dimension] == *value)
        });
        match measure.first() {
            None => kinds.map(|(at, _)| at).collect(),
            Some((dimension, value)) => {
                let levels = self.dimensions[*dimension].values.len();
                kinds.map(|(at, _)| at * levels + value).collect()
            }
        }
    }

    /// The measure that a group names, counted from the first measure.
    pub(super) fn measure(&self, group: &Group) -> Option<usize> {
        let (dimension, _) = group.last()?;
        dimension.checked_sub(self.contexts)
    }

    pub(super) fn values(&self, dimension: usize) -> usize {
        self.dimensions[dimension].values.len()
    }

    pub(super) fn levels(&self, measure: usize) -> usize {
        self.values(self.contexts + measure)
    }

    pub(super) fn kinds(&self) -> &[i64] {
        &self.counts
    }

    pub(super) fn of_measure(&self, measure: usize) -> &[i64] {
        &self.levels[measure]
    }

    fn position(&self, name: &str) -> Result<usize, Refused> {
        (self.dimensions.iter())
            .position(|dimension| dimension.name == name)
            .ok_or(Refused::NotInPicture)
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> bool {
    let mut names: Vec<_> = names.collect();
    let all = names.len();
    names.sort();
    names.dedup();
    names.len() == all
}

/// Every kind that there could be, or where those are too many every one that there is.
fn kinds(contexts: &[Dimension], pupils: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let could = contexts.iter().try_fold(1_usize, |product, context| {
        product.checked_mul(context.values.len())
    });
    if could.is_none_or(|could| could > KINDS) {
        let mut kinds: Vec<Vec<usize>> = (pupils.iter())
            .map(|pupil| pupil[..contexts.len()].to_vec())
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        return kinds;
    }
    contexts.iter().fold(vec![Vec::new()], |kinds, context| {
        (kinds.iter())
            .flat_map(|kind| {
                (0..context.values.len()).map(move |value| {
                    let mut kind = kind.clone();
                    kind.push(value);
                    kind
                })
            })
            .collect()
    })
}

/// What a table asks for, in the picture's terms.
pub(super) struct Asked {
    /// The values that it is confined to.
    pub within: Group,
    pub rows: (usize, usize),
    pub columns: Option<(usize, usize)>,
}

impl Asked {
    pub fn of(
        picture: &Picture,
        confined: &[(String, String)],
        rows: &Dimension,
        columns: Option<&Dimension>,
    ) -> Result<Self, Refused> {
        let known = |asked: &Dimension| {
            let at = picture.position(&asked.name)?;
            if picture.dimensions[at] == *asked {
                Ok((at, asked.values.len()))
            } else {
                Err(Refused::NotInPicture)
            }
        };
        let rows = known(rows)?;
        let columns = columns.map(known).transpose()?;
        let mut within = Group::new();
        for (name, value) in confined {
            let at = picture.position(name)?;
            let value = (picture.dimensions[at].values.iter())
                .position(|known| known == value)
                .ok_or(Refused::NotInPicture)?;
            within.push((at, value));
        }
        within.sort_unstable();
        let mut used: Vec<usize> = within.iter().map(|(at, _)| *at).collect();
        used.extend([rows.0].into_iter().chain(columns.map(|columns| columns.0)));
        used.sort_unstable();
        if used.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Refused::NotInPicture);
        }
        if used.iter().filter(|at| **at >= picture.contexts).count() > 1 {
            return Err(Refused::TwoMeasures);
        }
        Ok(Self {
            within,
            rows,
            columns,
        })
    }

    /// The group of a cell; a row or column past the last is the total.
    pub fn cell(&self, row: usize, column: usize) -> Group {
        let mut group = self.within.clone();
        if row < self.rows.1 {
            group.push((self.rows.0, row));
        }
        if let Some((dimension, values)) = self.columns
            && column < values
        {
            group.push((dimension, column));
        }
        group.sort_unstable();
        group
    }

    /// The groups of a table's grid, in its order.
    pub fn groups(&self) -> Vec<Group> {
        match self.columns {
            None => (0..=self.rows.1).map(|row| self.cell(row, 0)).collect(),
            Some((_, across)) => (0..=self.rows.1)
                .flat_map(|row| (0..=across).map(move |column| self.cell(row, column)))
                .collect(),
        }
    }
}
