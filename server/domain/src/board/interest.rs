//! The register of interests: what each person of the board declared, and when. A declaration is never changed; the newest
//! counts and the earlier ones stay.

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use super::{Category, Named};
use crate::{Refusal, day, text};

/// Longest name of an organisation or person, in characters.
pub const WHO_MOST: u16 = 200;

/// Longest account of an interest, in characters.
pub const NATURE_MOST: u16 = 1000;

/// Most interests in one declaration.
pub const INTERESTS_MOST: usize = 50;

/// After so many months a declaration is asked for again (governance guides of the Department for Education: at least once a year).
pub const MONTHS: u16 = 12;

/// What kind of interest it is: what the register must show (governance guides of the Department for Education).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Directorships, partnerships, employment, shareholdings.
    Business,
    /// Governor or trustee of another school.
    GovernanceElsewhere,
    /// Marriage, partnership or kinship with staff or governors.
    Relationship,
    /// Gifts and hospitality.
    Gift,
    /// Anything else that could seem to sway them.
    Other,
}

impl Kind {
    /// Every kind, in the order in which pages list them.
    pub const ALL: &[Self] = &[
        Self::Business,
        Self::GovernanceElsewhere,
        Self::Relationship,
        Self::Gift,
        Self::Other,
    ];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Business => "business",
            Self::GovernanceElsewhere => "governance_elsewhere",
            Self::Relationship => "relationship",
            Self::Gift => "gift",
            Self::Other => "other",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Business => "Business or financial interest",
            Self::GovernanceElsewhere => "Governor or trustee elsewhere",
            Self::Relationship => "Relationship with staff or governors",
            Self::Gift => "Gift or hospitality",
            Self::Other => "Another interest",
        }
    }

    /// The kind of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// One interest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interest {
    /// What kind.
    pub kind: Kind,
    /// The organisation or person: "Beacon Catering Ltd".
    pub who: String,
    /// What it consists in: "Director; the company supplies school meals".
    pub nature: String,
    /// Since when, if they say.
    pub since: Option<Date>,
}

/// One dated statement of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// Its key.
    pub id: Uuid,
    /// The day on which it was made.
    pub on: Date,
    /// None of them: they declared that they have nothing to declare.
    pub interests: Vec<Interest>,
}

impl Declaration {
    /// The day from which a new one is due.
    pub fn due(&self) -> Date {
        day::months_after(self.on, MONTHS)
    }
}

/// The register as it stands on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// The day.
    pub on: Date,
    /// Everybody who holds a seat or sits on a committee on that day, by name.
    pub entries: Vec<Entry>,
}

impl Register {
    /// Those of whom a declaration is due: none yet, or an old one.
    pub fn due(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_due(self.on))
    }
}

/// One person of the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who.
    pub person: Named,
    /// The seat they hold; none for somebody who only sits on a committee.
    pub category: Option<Category>,
    /// The newest they made, if any.
    pub declaration: Option<Declaration>,
}

impl Entry {
    /// Whether a declaration is due on the day.
    pub fn is_due(&self, day: Date) -> bool {
        self.declaration
            .as_ref()
            .is_none_or(|declaration| declaration.due() <= day)
    }
}

/// What somebody declares, as it is kept. None of them says that there is nothing to declare.
///
/// Refuses [`Refusal::InterestFormat`] for one without a name or an account, and for more than [`INTERESTS_MOST`];
/// [`Refusal::DayAhead`] for one that is yet to begin.
pub fn tidy(interests: &[Interest], today: Date) -> Result<Vec<Interest>, Refusal> {
    if interests.len() > INTERESTS_MOST {
        return Err(Refusal::InterestFormat);
    }
    interests
        .iter()
        .map(|interest| {
            if interest.since.is_some_and(|since| since > today) {
                return Err(Refusal::DayAhead);
            }
            let nature = text::block(&interest.nature, NATURE_MOST)
                .ok()
                .filter(|nature| !nature.is_empty())
                .ok_or(Refusal::InterestFormat)?;
            Ok(Interest {
                who: text::line(&interest.who, WHO_MOST).map_err(|_| Refusal::InterestFormat)?,
                nature,
                ..*interest
            })
        })
        .collect()
}

#[cfg(feature = "db")]
pub(super) use queries::of_declarations;
#[cfg(feature = "db")]
pub use queries::{declare_interests, register};

#[cfg(feature = "db")]
mod queries {
    use std::collections::HashMap;

    use time::Date;
    use uuid::Uuid;

    use super::{Declaration, Entry, Interest, Kind, Register, tidy};
    use crate::{
        Refusal,
        board::{Category, Named, keeping::see},
        db::{Read, Write, refused},
        event::{Act, Whom},
        role::Role,
    };

    /// Declares what one has to declare, or that one has nothing. It counts from today until the next one.
    ///
    /// For oneself alone. Refuses [`Refusal::NotOnBoard`] for who neither holds or is going to hold a seat, nor sits on a
    /// committee, nor is clerk or chair; [`Refusal::NothingOrSome`] for both at once and neither.
    pub async fn declare_interests(
        write: &mut Write,
        nothing: bool,
        interests: &[Interest],
        today: Date,
    ) -> Result<(Uuid, Act), Refusal> {
        if nothing != interests.is_empty() {
            return Err(Refusal::NothingOrSome);
        }
        let interests = tidy(interests, today)?;
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let has_to_do = write.standing.is_any(&[Role::Clerk, Role::Chair])
            || sqlx::query_scalar!(
                r#"select exists (select from term where tenant_id = $1 and membership_id = $2
                       and coalesce(upper(during) > $3::date, true))
                     or exists (select from committee_place where tenant_id = $1 and membership_id = $2
                       and coalesce(upper(during) > $3::date, true)) as "has!""#,
                tenant,
                own,
                today
            )
            .fetch_one(write.connection())
            .await
            .map_err(refused)?;
        if !has_to_do {
            return Err(Refusal::NotOnBoard);
        }
        let declaration = sqlx::query_scalar!(
            "insert into declaration (tenant_id, membership_id, nothing) values ($1, $2, $3) returning id",
            tenant,
            own,
            nothing
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        for interest in &interests {
            sqlx::query!(
                "insert into interest (tenant_id, declaration_id, kind, who, nature, since) values ($1, $2, $3, $4, $5, $6)",
                tenant,
                declaration,
                interest.kind.code(),
                interest.who,
                interest.nature,
                interest.since
            )
            .execute(write.connection())
            .await
            .map_err(refused)?;
        }
        let whom = Whom {
            membership: own,
            account: write.standing.account,
        };
        Ok((
            declaration,
            Act::declaration_made(whom, declaration, interests.len()),
        ))
    }

    /// The register: the newest declaration of everybody who holds a seat or sits on a committee on the day, or that there is
    /// none. Refuses [`Refusal::NotFound`] to parents and young people.
    pub async fn register(read: &mut Read, today: Date) -> Result<Register, Refusal> {
        see(read)?;
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"with sits as (
                 select t.membership_id, s.category from term t
                 join seat s on s.tenant_id = t.tenant_id and s.id = t.seat_id
                 where t.tenant_id = $1 and t.during @> $2::date
                 union all
                 select p.membership_id, null from committee_place p
                 join committee c on c.tenant_id = p.tenant_id and c.id = p.committee_id and c.closed_on is null
                 where p.tenant_id = $1 and p.during @> $2::date
               ), people as (
                 select membership_id, max(category) as category from sits group by membership_id
               )
               select k.membership_id as "membership_id!", k.category, m.name as "name?", d.id as "declaration?",
                 d.declared_on as "declared_on?"
               from people k
               left join membership m on m.tenant_id = $1 and m.id = k.membership_id
               left join lateral (
                 select d.id, d.declared_on from declaration d
                 where d.tenant_id = $1 and d.membership_id = k.membership_id order by d.declared_on desc, d.id desc limit 1
               ) d on true
               order by lower(m.name), k.membership_id"#,
            tenant,
            today
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let declarations: Vec<Uuid> = rows.iter().filter_map(|row| row.declaration).collect();
        let mut interests = of_declarations(read, &declarations).await?;
        let entries = rows
            .into_iter()
            .map(|row| Entry {
                person: Named {
                    id: row.membership_id,
                    name: row.name,
                },
                category: row.category.as_deref().and_then(Category::from_code),
                declaration: row
                    .declaration
                    .zip(row.declared_on)
                    .map(|(id, on)| Declaration {
                        id,
                        on,
                        interests: interests.remove(&id).unwrap_or_default(),
                    }),
            })
            .collect();
        Ok(Register { on: today, entries })
    }

    /// The interests of these declarations, in the order in which they were given.
    pub(in crate::board) async fn of_declarations(
        read: &mut Read,
        declarations: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<Interest>>, Refusal> {
        if declarations.is_empty() {
            return Ok(HashMap::new());
        }
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            "select declaration_id, kind, who, nature, since from interest
             where tenant_id = $1 and declaration_id = any ($2) order by id",
            tenant,
            declarations
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut all: HashMap<Uuid, Vec<Interest>> = HashMap::new();
        for row in rows {
            all.entry(row.declaration_id).or_default().push(Interest {
                kind: Kind::from_code(&row.kind).ok_or(Refusal::Broken)?,
                who: row.who,
                nature: row.nature,
                since: row.since,
            });
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const DAY: Date = date!(2026 - 06 - 18);

    fn catering() -> Interest {
        Interest {
            kind: Kind::Business,
            who: " Beacon  Catering Ltd ".to_owned(),
            nature: "Director;\r\nsupplies school meals \n".to_owned(),
            since: Some(DAY),
        }
    }

    #[test]
    fn a_declaration_is_due_again_after_twelve_months() {
        let entry = |on| Entry {
            person: Named {
                id: Uuid::from_u128(1),
                name: None,
            },
            category: None,
            declaration: Some(Declaration {
                id: Uuid::from_u128(2),
                on,
                interests: vec![],
            }),
        };
        assert!(!entry(date!(2025 - 06 - 19)).is_due(DAY));
        assert!(entry(date!(2025 - 06 - 18)).is_due(DAY));
        assert!(!entry(date!(2024 - 02 - 29)).is_due(date!(2025 - 02 - 27)));
        assert!(entry(date!(2024 - 02 - 29)).is_due(date!(2025 - 02 - 28)));
        let never = Entry {
            declaration: None,
            ..entry(DAY)
        };
        assert!(never.is_due(DAY));
        let register = Register {
            on: DAY,
            entries: vec![entry(DAY), never.clone()],
        };
        assert_eq!(register.due().collect::<Vec<_>>(), [&never]);
    }

    #[test]
    fn an_interest_is_kept_as_given_but_tidy() {
        let kept = tidy(&[catering()], DAY).unwrap();
        assert_eq!(kept[0].who, "Beacon Catering Ltd");
        assert_eq!(kept[0].nature, "Director;\nsupplies school meals");
        assert_eq!(tidy(&[], DAY), Ok(vec![]));
    }

    #[test]
    fn an_interest_without_a_name_or_an_account_and_one_yet_to_begin_are_refused() {
        let bad = |change: fn(&mut Interest)| {
            let mut interest = catering();
            change(&mut interest);
            tidy(&[catering(), interest], DAY)
        };
        let format = Err(Refusal::InterestFormat);
        assert_eq!(bad(|i| i.who = " ".to_owned()), format);
        assert_eq!(bad(|i| i.who = "x".repeat(201)), format);
        assert_eq!(bad(|i| i.who = "a\u{202e}b".to_owned()), format);
        assert_eq!(bad(|i| i.nature = "\n".to_owned()), format);
        assert_eq!(bad(|i| i.nature = "x".repeat(1001)), format);
        assert_eq!(
            bad(|i| i.since = Some(day::after(DAY))),
            Err(Refusal::DayAhead)
        );
        assert_eq!(tidy(&vec![catering(); 51], DAY), format);
    }

    #[test]
    fn every_code_leads_back_to_its_kind() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
        }
        assert_eq!(Kind::from_code("money"), None);
    }
}
