//! The boards of the demo schools, as they would stand after some years: terms past and running, seats that nobody holds,
//! declarations new and old. Days are counted back from the day of loading.

use crate::board::{
    Category::{self, Associate, CoOpted, ExOfficio, LocalAuthority, Parent, Staff},
    Rule, Why,
    interest::Kind,
};

/// What a school's board is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) rule: Rule,
    pub(super) seats: &'static [Seat],
    pub(super) committees: &'static [Committee],
    pub(super) declared: &'static [Declared],
    /// Who, and how many days ago a certificate was seen.
    pub(super) dbs: &'static [(&'static str, i64)],
    pub(super) training: &'static [Training],
    pub(super) phones: &'static [(&'static str, &'static str)],
}

/// A category, who appoints, and the terms.
pub(super) type Seat = (Category, &'static str, &'static [Term]);
/// Who, days since it began, and, if it ended before its time or long ago, days since its last one and why.
pub(super) type Term = (&'static str, i64, Option<(i64, Why)>);
/// Name, remit, and who sits there: the first leads it. The days since a place began and since its last one.
pub(super) type Committee = (
    &'static str,
    &'static str,
    &'static [(&'static str, i64, Option<i64>)],
);
/// Who, how many days ago, and what: nothing, or some interests.
pub(super) type Declared = (&'static str, i64, &'static [Interest]);
/// Kind, who, nature, and how many days ago it began.
pub(super) type Interest = (Kind, &'static str, &'static str, Option<i64>);
/// Who, title, how many days ago it was completed, and after how many days it is due again.
pub(super) type Training = (&'static str, &'static str, i64, Option<i64>);

const PARENTS: &str = "Parents of the school";
const STAFF: &str = "Staff of the school";
const BOARD: &str = "The governing board";
const SAFEGUARDING: &str = "Safeguarding for governors";
const SAFER_RECRUITMENT: &str = "Safer recruitment";
const INDUCTION: &str = "Induction for new governors";

/// Fourteen governors' seats, three of them vacant, and an associate member.
pub(super) const OAKFIELD: Plan = Plan {
    rule: Rule::Maintained,
    seats: &[
        (Parent, PARENTS, &[("governor1", 1401, None)]),
        (
            Parent,
            PARENTS,
            &[
                ("governor2", 700, None),
                ("governor9", 2300, Some((1000, Why::Resigned))),
            ],
        ),
        (
            Parent,
            PARENTS,
            &[
                ("governor3", 300, None),
                ("parent1", 1800, Some((341, Why::TermEnded))),
            ],
        ),
        (
            Parent,
            PARENTS,
            &[("parent2", 1500, Some((120, Why::Resigned)))],
        ),
        (
            Staff,
            STAFF,
            &[
                ("governor6", 500, None),
                ("teacher3", 1990, Some((531, Why::TermEnded))),
            ],
        ),
        (
            LocalAuthority,
            "Oakfield Borough Council",
            &[("governor8", 1900, Some((441, Why::TermEnded)))],
        ),
        (
            CoOpted,
            BOARD,
            &[
                ("chair", 1000, None),
                ("chair", 2460, Some((1001, Why::TermEnded))),
            ],
        ),
        (CoOpted, BOARD, &[("governor4", 1395, None)]),
        (CoOpted, BOARD, &[("governor5", 820, None)]),
        (CoOpted, BOARD, &[("governor7", 210, None)]),
        (CoOpted, BOARD, &[("governor8", 430, None)]),
        (CoOpted, BOARD, &[("governor9", 900, None)]),
        (CoOpted, BOARD, &[]),
        (
            ExOfficio,
            "Head teacher of the school",
            &[("head", 1200, None)],
        ),
        (Associate, BOARD, &[("teacher2", 250, None)]),
    ],
    committees: &[
        (
            "Finance and Premises",
            "Recommends the budget, watches spending against it, and looks after buildings and grounds.",
            &[
                ("governor4", 1300, None),
                ("governor3", 280, None),
                ("governor5", 800, None),
                ("governor7", 200, None),
                ("head", 1200, None),
                ("governor1", 1300, Some(600)),
            ],
        ),
        (
            "Teaching and Learning",
            "Follows how pupils learn and get on, the curriculum, and support for those who need it.",
            &[
                ("governor2", 690, None),
                ("governor1", 600, None),
                ("governor6", 480, None),
                ("head", 1200, None),
                ("teacher2", 250, None),
            ],
        ),
        (
            "Pay",
            "Decides on pay recommendations within the school’s pay policy.",
            &[
                ("governor5", 800, None),
                ("governor8", 420, None),
                ("governor9", 880, None),
            ],
        ),
    ],
    declared: &[
        (
            "chair",
            40,
            &[
                (
                    Kind::Business,
                    "Oyelaran Accountancy Ltd",
                    "Director and shareholder. The firm does not work for schools.",
                    Some(4000),
                ),
                (
                    Kind::GovernanceElsewhere,
                    "Northgate Academy",
                    "Member of the finance committee, co-opted.",
                    Some(600),
                ),
            ],
        ),
        ("chair", 420, &[]),
        ("governor1", 40, &[]),
        (
            "governor2",
            35,
            &[(
                Kind::Relationship,
                "Jasmine Baptiste",
                "Sister-in-law, who is a teaching assistant at the school.",
                None,
            )],
        ),
        ("governor4", 400, &[]),
        (
            "governor5",
            30,
            &[(
                Kind::Business,
                "Fraser Roofing Ltd",
                "Managing director.\nThe company tendered for the hall roof and was not chosen.",
                Some(3000),
            )],
        ),
        ("governor6", 38, &[]),
        ("governor8", 500, &[]),
        ("governor9", 36, &[]),
        ("head", 20, &[]),
        ("clerk", 40, &[]),
        ("teacher2", 30, &[]),
    ],
    dbs: &[
        ("chair", 2450),
        ("chair", 990),
        ("governor1", 1390),
        ("governor2", 690),
        ("governor3", 280),
        ("governor4", 1380),
        ("governor5", 810),
        ("governor6", 2900),
        ("governor8", 1890),
        ("governor9", 2290),
        ("head", 1250),
    ],
    training: &[
        ("chair", SAFEGUARDING, 200, Some(365)),
        ("chair", SAFER_RECRUITMENT, 900, Some(1826)),
        ("governor1", SAFEGUARDING, 500, Some(365)),
        ("governor2", SAFEGUARDING, 200, Some(365)),
        ("governor3", INDUCTION, 240, None),
        ("governor4", SAFEGUARDING, 340, Some(365)),
        ("governor5", SAFER_RECRUITMENT, 300, Some(1826)),
        ("governor7", INDUCTION, 150, None),
        ("head", SAFEGUARDING, 90, Some(365)),
        ("head", SAFER_RECRUITMENT, 1000, Some(1826)),
    ],
    phones: &[
        ("clerk", "01632 960014"),
        ("chair", "01632 960118"),
        ("head", "01632 960010 ext 2"),
        ("governor1", "+44 7700 900123"),
    ],
};

/// Twelve seats of an academy, one of them vacant.
pub(super) const NORTHGATE: Plan = Plan {
    rule: Rule::Academy,
    seats: &[
        (Parent, PARENTS, &[("governor1", 600, None)]),
        (Parent, PARENTS, &[("governor2", 1000, None)]),
        (Staff, STAFF, &[("governor3", 400, None)]),
        (CoOpted, TRUST, &[("chair", 800, None)]),
        (CoOpted, TRUST, &[("governor4", 1100, None)]),
        (CoOpted, TRUST, &[("governor5", 1390, None)]),
        (CoOpted, TRUST, &[("governor6", 90, None)]),
        (CoOpted, TRUST, &[("governor7", 700, None)]),
        (CoOpted, TRUST, &[("governor8", 1200, None)]),
        (CoOpted, TRUST, &[("governor9", 350, None)]),
        (CoOpted, TRUST, &[]),
        (
            ExOfficio,
            "Principal of the academy",
            &[("head", 1500, None)],
        ),
    ],
    committees: &[(
        "Audit and Risk",
        "Watches over controls and risks, and meets the auditors.",
        &[
            ("governor4", 1000, None),
            ("governor5", 1000, None),
            ("governor8", 900, None),
        ],
    )],
    declared: &[
        ("chair", 60, &[]),
        (
            "governor4",
            50,
            &[(
                Kind::Gift,
                "Ashdown Coaches",
                "Tickets to a theatre, worth 60 pounds.",
                Some(80),
            )],
        ),
        ("governor5", 380, &[]),
    ],
    dbs: &[("chair", 790), ("head", 1490)],
    training: &[("chair", SAFEGUARDING, 100, Some(365))],
    phones: &[("chair", "01632 960230")],
};

const TRUST: &str = "Beacon Learning Trust";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{board::term, day};
    use time::{Date, Duration, macros::date};

    /// Seats, held ones and terms of one plan on a day.
    fn terms(plan: &Plan, today: Date) -> Vec<(usize, &'static str, Date, Option<Date>)> {
        let ago = |days| today - Duration::days(days);
        plan.seats
            .iter()
            .enumerate()
            .flat_map(|(seat, (category, _, terms))| {
                terms.iter().map(move |(who, began, ended)| {
                    let from = ago(*began);
                    let to =
                        ended.map_or(term::last_day(*category, from), |(days, _)| Some(ago(days)));
                    (seat, *who, from, to)
                })
            })
            .collect()
    }

    #[test]
    fn the_terms_of_the_demo_never_overlap_and_last_four_years_at_most_whatever_the_day() {
        // Any day of eight years, leap days among them.
        let mut today = date!(2026 - 01 - 01);
        while today < date!(2034 - 01 - 01) {
            for plan in [&OAKFIELD, &NORTHGATE] {
                let all = terms(plan, today);
                for (n, (seat, who, from, to)) in all.iter().enumerate() {
                    let category = plan.seats[*seat].0;
                    assert!(
                        term::check_days(Rule::Maintained, category, *from, *to).is_ok(),
                        "{who} {from} {to:?} on {today}"
                    );
                    for (other_seat, other, begins, _) in &all[n + 1..] {
                        let (first, last) = if begins < from {
                            let other = all
                                .iter()
                                .find(|(s, w, f, _)| (s, w, f) == (other_seat, other, begins));
                            (from, other.unwrap().3)
                        } else {
                            (begins, *to)
                        };
                        let apart = last.is_some_and(|last| last < *first);
                        assert!(
                            apart || (seat != other_seat && who != other),
                            "{who} and {other} on {today}"
                        );
                    }
                }
            }
            today = day::after(today);
        }
    }

    #[test]
    fn oakfield_has_eleven_of_fourteen_in_post_and_one_staff_governor_and_northgate_twelve_seats() {
        for (plan, seats, held, soon) in [(&OAKFIELD, 14, 11, 2), (&NORTHGATE, 12, 11, 1)] {
            let today = date!(2026 - 06 - 18);
            let is_governor = |seat: usize| plan.seats[seat].0.is_governor();
            let running: Vec<_> = terms(plan, today)
                .into_iter()
                .filter(|(seat, _, from, to)| is_governor(*seat) && term::covers(*from, *to, today))
                .collect();
            let governors = plan
                .seats
                .iter()
                .filter(|(category, ..)| category.is_governor());
            assert_eq!((governors.count(), running.len()), (seats, held));
            let ending = running.iter().filter(|(.., to)| {
                to.is_some_and(|to| to <= today + Duration::days(crate::board::SOON))
            });
            assert_eq!(ending.count(), soon);
            let staff = plan
                .seats
                .iter()
                .filter(|(category, ..)| *category == Staff);
            assert_eq!(staff.count(), 1, "exactly one, by law");
        }
    }
}
