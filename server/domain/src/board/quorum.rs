//! How many governors must be present, and by which rule a school counts them.

use serde::{Deserialize, Serialize};

/// How the quorum is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// School Governance (Roles, Procedures and Allowances) (England) Regulations 2013, regulation 14.
    Maintained,
    /// The model articles of association of an academy trust.
    Academy,
}

impl Rule {
    /// Both.
    pub const ALL: &[Self] = &[Self::Maintained, Self::Academy];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Maintained => "maintained",
            Self::Academy => "academy",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Maintained => "Maintained school",
            Self::Academy => "Academy",
        }
    }

    /// The rule in one sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Maintained => {
                "Half of the governors in post, rounded up; vacancies and suspended governors are not counted."
            }
            Self::Academy => {
                "Three governors or, where that is more, a third of those in post, rounded up."
            }
        }
    }

    /// The rule of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.code() == code)
    }
}

/// How many governors must be present, for a meeting and again for each vote.
///
/// Maintained schools: one half, rounded up, of the membership without vacancies and suspended governors (2013 Regulations,
/// regulation 14). Academies: three or, if greater, one third, rounded up, of those holding office (model articles); one who is
/// suspended still holds office. Associate members are not governors: the numbers are without them.
pub const fn quorum(rule: Rule, in_post: u32, suspended: u32) -> u32 {
    match rule {
        Rule::Maintained => in_post.saturating_sub(suspended).div_ceil(2),
        Rule::Academy => {
            let third = in_post.div_ceil(3);
            if third > 3 { third } else { 3 }
        }
    }
}

#[cfg(feature = "db")]
pub use queries::set_board_rule;

#[cfg(feature = "db")]
mod queries {
    use super::Rule;
    use crate::{
        Refusal,
        db::{Write, refused},
        event::Act,
    };

    /// Says how the quorum is counted. For administrators.
    pub async fn set_board_rule(write: &mut Write, rule: Rule) -> Result<Act, Refusal> {
        if !write.standing.roles.iter().any(|role| role.is_admin()) {
            return Err(Refusal::NotAllowed);
        }
        let tenant = write.standing.tenant;
        let done = sqlx::query!(
            "update tenant set board_rule = $2 where id = $1 and board_rule <> $2",
            tenant,
            rule.code()
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if done.rows_affected() == 0 {
            return Err(Refusal::Stale);
        }
        Ok(Act::board_rule_set(rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maintained_schools_quorum_is_half_of_those_in_post_rounded_up() {
        // Seats, vacancies, quorum.
        for (seats, vacant, needed) in [
            (14, 0, 7),
            (14, 3, 6),
            (13, 0, 7),
            (16, 4, 6),
            (5, 0, 3),
            (9, 0, 5),
            (15, 0, 8),
            (7, 0, 4),
            (1, 0, 1),
            (7, 7, 0),
        ] {
            assert_eq!(
                quorum(Rule::Maintained, seats - vacant, 0),
                needed,
                "{seats} seats, {vacant} vacant"
            );
        }
    }

    #[test]
    fn a_suspended_governor_is_not_counted_in_a_maintained_school_and_holds_office_in_an_academy() {
        assert_eq!(quorum(Rule::Maintained, 11, 1), 5);
        assert_eq!(quorum(Rule::Maintained, 14, 2), 6);
        assert_eq!(quorum(Rule::Maintained, 2, 3), 0);
        assert_eq!(quorum(Rule::Academy, 13, 1), 5);
        assert_eq!(quorum(Rule::Academy, 12, 0), 4);
    }

    #[test]
    fn an_academys_quorum_is_three_or_a_third_of_those_in_post_rounded_up() {
        for (in_post, needed) in [
            (0, 3),
            (5, 3),
            (6, 3),
            (7, 3),
            (8, 3),
            (9, 3),
            (10, 4),
            (11, 4),
            (12, 4),
            (13, 5),
            (14, 5),
            (15, 5),
            (16, 6),
        ] {
            assert_eq!(quorum(Rule::Academy, in_post, 0), needed, "{in_post}");
        }
    }
}
