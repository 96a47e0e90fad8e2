//! A trust's schools side by side, in numbers: who is in them stays theirs.

use serde::{Deserialize, Serialize};

use crate::role::Role;

/// One school of the trust, or all of them together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Who has a place there, invited and suspended ones among them.
    pub people: u32,
    /// Who was invited and has not accepted.
    pub invited: u32,
    /// Who accepted and never signed in there: nobody's session was ever written in the school's log.
    pub never_in: u32,
    /// Governors' seats that nobody holds.
    pub vacant: u32,
    /// Terms that end within [`crate::board::SOON`] days without a successor.
    pub ending: u32,
    /// Who of the board has not declared their interests within [`crate::board::interest::MONTHS`] months.
    pub undeclared: u32,
}

impl Figures {
    /// What the school's board must do something about.
    pub const fn of_board(&self) -> u32 {
        self.vacant
            .saturating_add(self.ending)
            .saturating_add(self.undeclared)
    }

    /// Who is not there yet.
    pub const fn of_people(&self) -> u32 {
        self.invited.saturating_add(self.never_in)
    }
}

/// A school of the trust.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct School {
    /// First part of its host name.
    pub label: String,
    /// Its name.
    pub name: String,
    /// Whether the reader has a place there too.
    pub mine: bool,
    /// Its numbers.
    pub figures: Figures,
}

/// Whether somebody with these roles at a trust sees its schools side by side: who runs or leads it, and its clerk, whose work it
/// is that these numbers ask for.
pub fn is_for(roles: &[Role]) -> bool {
    roles
        .iter()
        .any(|role| matches!(role, Role::TrustAdmin | Role::TrustLead | Role::Clerk))
}

/// The school whose board has most to do first, then the one where most are not there yet; by name where it is the same.
pub fn worst_first(schools: &mut [School]) {
    schools.sort_by_cached_key(|school| {
        let figures = &school.figures;
        (
            std::cmp::Reverse((figures.of_board(), figures.of_people())),
            school.name.to_lowercase(),
            school.label.clone(),
        )
    });
}

/// All schools together. Who has a place at two of them is counted at both.
pub fn total(schools: &[School]) -> Figures {
    let sum = |part: fn(&Figures) -> u32| {
        schools.iter().fold(0_u32, |sum, school| {
            sum.saturating_add(part(&school.figures))
        })
    };
    Figures {
        people: sum(|figures| figures.people),
        invited: sum(|figures| figures.invited),
        never_in: sum(|figures| figures.never_in),
        vacant: sum(|figures| figures.vacant),
        ending: sum(|figures| figures.ending),
        undeclared: sum(|figures| figures.undeclared),
    }
}

#[cfg(feature = "db")]
pub use queries::{schools, trust};

#[cfg(feature = "db")]
mod queries {
    use super::{Figures, School, is_for, worst_first};
    use crate::{
        Refusal,
        db::{Read, refused},
        role::TenantKind,
    };

    /// The schools of the trust as they stand today, the worst first. Refuses [`Refusal::NotFound`] on every host but a trust's,
    /// and there to all whom it is not for.
    pub async fn schools(read: &mut Read) -> Result<Vec<School>, Refusal> {
        if read.standing.kind != TenantKind::Trust || !is_for(&read.standing.roles) {
            return Err(Refusal::NotFound);
        }
        let rows = sqlx::query!(
            r#"select label as "label!", name as "name!", mine as "mine!", people as "people!", invited as "invited!",
                 never_in as "never_in!", vacant as "vacant!", ending as "ending!", undeclared as "undeclared!"
               from sec.trust_schools()"#
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let count = |n: i32| u32::try_from(n).map_err(|_| Refusal::Broken);
        let mut schools = rows
            .into_iter()
            .map(|row| {
                Ok(School {
                    label: row.label,
                    name: row.name,
                    mine: row.mine,
                    figures: Figures {
                        people: count(row.people)?,
                        invited: count(row.invited)?,
                        never_in: count(row.never_in)?,
                        vacant: count(row.vacant)?,
                        ending: count(row.ending)?,
                        undeclared: count(row.undeclared)?,
                    },
                })
            })
            .collect::<Result<Vec<_>, Refusal>>()?;
        worst_first(&mut schools);
        Ok(schools)
    }

    /// The name of the trust that sees this school's numbers, if it belongs to one.
    pub async fn trust(read: &mut Read) -> Result<Option<String>, Refusal> {
        sqlx::query_scalar!("select sec.trust_name()")
            .fetch_one(read.connection())
            .await
            .map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn school(name: &str, [vacant, undeclared, invited]: [u32; 3]) -> School {
        School {
            label: name.to_lowercase(),
            name: name.to_owned(),
            mine: false,
            figures: Figures {
                people: 20,
                invited,
                vacant,
                undeclared,
                ..Figures::default()
            },
        }
    }

    #[test]
    fn the_school_whose_board_has_most_to_do_comes_first_and_then_names_decide() {
        let mut schools = vec![
            school("birch", [0, 0, 9]),
            school("Ash", [0, 0, 9]),
            school("Cedar", [1, 0, 0]),
            school("Elm", [1, 2, 0]),
            school("Dogwood", [0, 0, 0]),
        ];
        worst_first(&mut schools);
        let names: Vec<_> = schools.iter().map(|school| school.name.as_str()).collect();
        assert_eq!(names, ["Elm", "Cedar", "Ash", "birch", "Dogwood"]);
    }

    #[test]
    fn the_total_is_the_sum_of_each_column() {
        let mut other = school("Elm", [1, 2, 3]);
        other.figures.never_in = 4;
        other.figures.ending = 5;
        assert_eq!(
            total(&[school("Ash", [10, 20, 30]), other]),
            Figures {
                people: 40,
                invited: 33,
                never_in: 4,
                vacant: 11,
                ending: 5,
                undeclared: 22,
            }
        );
        assert_eq!(total(&[]), Figures::default());
    }

    #[test]
    fn nobody_sees_the_schools_but_who_runs_leads_or_clerks_the_trust() {
        let seen: Vec<_> = Role::ALL.iter().filter(|role| is_for(&[**role])).collect();
        assert_eq!(seen, [&Role::Clerk, &Role::TrustAdmin, &Role::TrustLead]);
    }
}
