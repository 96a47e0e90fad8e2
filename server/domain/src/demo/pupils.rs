//! The pupils of the demo schools: who they are, in which groups, who teaches them and whose children they are. All of them are
//! invented, and from one seed they come out the same each time.

pub mod course;
mod dice;
mod making;
mod names;
mod people;
pub mod records;
pub mod roster;
pub mod sketch;

pub use making::load;
pub use people::{Circumstances, Pupil, people};

use crate::pupil::guardian::Relation::{self, Father, Mother};
use crate::pupil::year::YearGroup::{
    self, N2, R, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13,
};

/// From which the pupils that [`load`] puts on the roll follow.
pub const SEED: u64 = 1870;

/// A school of the demo that has pupils.
#[derive(Debug)]
pub struct School {
    /// Its host's first part.
    pub label: &'static str,
    /// As people read it.
    pub name: &'static str,
    /// How many pupils the demo gives it.
    pub pupils: u32,
    /// Its own number, as a Common Transfer File has it.
    pub establishment: u32,
    years: &'static [YearGroup],
    /// Which schools gave its pupils their numbers, and how many years before Year 1 they did.
    feeders: &'static [(u32, i32)],
    first_admission: u32,
    /// What is taught in classes of their own; nothing where the registration group is taught together.
    subjects: &'static [Subject],
    /// The child born first in a year group, and the surname that it has from a demo parent.
    children: &'static [(YearGroup, &'static str)],
    caseloads: &'static [(&'static str, &'static [&'static str])],
    /// Whom the assistant looks after: so many of the first pupils of a registration group.
    assisted: (&'static str, usize),
    cover: &'static str,
    /// Who is what to the first child of which year group, and what keeps them from it, if something does.
    parents: &'static [Parent],
    /// Who leads on safeguarding and who on data protection, and how they are reached.
    duties: [(&'static str, &'static str, &'static str); 2],
}

/// "Mathematics", and the letters of it in the code of a class.
type Subject = (&'static str, &'static str);

#[derive(Debug)]
struct Parent {
    who: &'static str,
    relation: Relation,
    of: YearGroup,
    restricted: Option<&'static str>,
}

/// The authority of every demo pupil's number: Bedfordshire's, which was divided in 2009. Nobody allocates under it any more, so
/// no number that is made here with a later year is a real child's.
pub const AUTHORITY: &str = "820";

/// One form in each year.
pub const OAKFIELD: School = School {
    label: "oakfield",
    name: "Oakfield Primary School",
    pupils: 210,
    establishment: 2107,
    years: &[N2, R, Y1, Y2, Y3, Y4, Y5, Y6],
    // At nursery.
    feeders: &[(2107, 2)],
    first_admission: 2301,
    subjects: &[],
    children: &[(Y4, "Adeyemi"), (Y2, "Adeyemi"), (Y5, "Goldberg")],
    caseloads: &[
        ("teacher1", &["4W"]),
        ("teacher2", &["5W"]),
        ("teacher3", &["2W"]),
        ("teacher4", &["RW"]),
    ],
    assisted: ("4W", 3),
    cover: "4W",
    parents: &[
        Parent {
            who: "parent1",
            relation: Father,
            of: Y4,
            restricted: None,
        },
        Parent {
            who: "parent1",
            relation: Father,
            of: Y2,
            restricted: None,
        },
        Parent {
            who: "parent2",
            relation: Mother,
            of: Y2,
            restricted: None,
        },
        Parent {
            who: "parent2",
            relation: Mother,
            of: Y5,
            restricted: Some(
                "Child arrangements order of the Family Court, invented for the demo.",
            ),
        },
    ],
    duties: [
        (
            "head",
            "01632 960010 ext 2, or the office beside the hall",
            PROCESS,
        ),
        ("admin", "01632 960010 ext 1", ""),
    ],
};

/// Six forms in each year, and sets in three subjects.
pub const NORTHGATE: School = School {
    label: "northgate",
    name: "Northgate Academy",
    pupils: 1200,
    establishment: 4031,
    years: &[Y7, Y8, Y9, Y10, Y11, Y12, Y13],
    // Oakfield at nursery, the others at reception.
    feeders: &[
        (2107, 2),
        (2012, 1),
        (2033, 1),
        (2058, 1),
        (2064, 1),
        (2079, 1),
        (2091, 1),
    ],
    first_admission: 10_201,
    subjects: &[("English", "En"), ("Mathematics", "Ma"), ("Science", "Sc")],
    children: &[(Y8, "Diallo"), (Y11, "Diallo"), (Y9, "Thornbury")],
    caseloads: &[
        ("teacher1", &["7W", "7Ma1", "8Ma1", "9Ma1", "10Ma1"]),
        ("teacher2", &["8B", "7En2", "8En2", "9En2"]),
        ("teacher3", &["9E", "8Sc3", "9Sc3", "11Sc3"]),
        ("teacher4", &["10L", "10En1", "11En1", "12En1"]),
    ],
    assisted: ("7W", 3),
    cover: "7W",
    parents: &[
        Parent {
            who: "parent1",
            relation: Mother,
            of: Y8,
            restricted: None,
        },
        Parent {
            who: "parent1",
            relation: Mother,
            of: Y11,
            restricted: None,
        },
        Parent {
            who: "parent2",
            relation: Father,
            of: Y9,
            restricted: None,
        },
    ],
    duties: [
        ("senco", "01632 960230 ext 4, or room G12", PROCESS),
        ("admin", "01632 960230 ext 1", ""),
    ],
};

const PROCESS: &str = "Tell me in person or by telephone at once, today and before you go home. Do not put it into this \
    system, and do not ask the child more than you need to know that they are safe.";

/// Both, the primary school first.
pub const SCHOOLS: [&School; 2] = [&OAKFIELD, &NORTHGATE];

impl School {
    /// The school of a label; none for a tenant without pupils.
    pub fn of(label: &str) -> Option<&'static Self> {
        SCHOOLS.into_iter().find(|school| school.label == label)
    }
}
