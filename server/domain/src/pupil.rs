//! Pupils: who they are and who may see them. A teacher sees those of their caseload while it lasts, and for an hour one whom they
//! gave a reason to look up; the SENCO, senior leaders and administrators see the school. Nobody else sees any.

pub mod access;
pub mod caseload;
pub mod code;
pub mod duty;
pub mod field;
pub mod group;
pub mod guardian;
pub mod rollover;
pub mod tag;
pub mod unusual;
pub mod upn;
pub mod year;

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use crate::role::Role;
use year::YearGroup;

/// Rows on one page of a list of pupils.
pub const ROWS: usize = 100;

/// Whether somebody with these roles sees every pupil of the school.
pub fn sees_school(roles: &[Role]) -> bool {
    roles
        .iter()
        .any(|role| matches!(role, Role::SchoolAdmin | Role::SeniorLeader | Role::Senco))
}

/// Whether somebody with these roles has a caseload.
pub fn has_caseload(roles: &[Role]) -> bool {
    roles
        .iter()
        .any(|role| matches!(role, Role::Teacher | Role::TeachingAssistant))
}

/// Whether pupils are anything to them at all.
pub fn is_for(roles: &[Role]) -> bool {
    sees_school(roles) || has_caseload(roles)
}

/// Whether they keep the roll: add, correct, take off.
pub fn keeps(roles: &[Role]) -> bool {
    roles.contains(&Role::SchoolAdmin)
}

/// A pupil in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pupil {
    /// Their key here.
    pub id: Uuid,
    /// In law.
    pub first_name: String,
    /// In law.
    pub last_name: String,
    /// What they are called, where that is another name.
    pub preferred_name: Option<String>,
    /// The National Curriculum year they are taught in.
    pub year: YearGroup,
    /// Their registration group today.
    pub registration: Option<String>,
    /// The first day on which they were no pupil here any more.
    pub left_on: Option<Date>,
}

impl Pupil {
    /// As one speaks of them: "Dominika Wiśniewska".
    pub fn called(&self) -> String {
        let first = self.preferred_name.as_deref().unwrap_or(&self.first_name);
        format!("{first} {}", self.last_name)
    }

    /// First letters, for the round mark beside the name.
    pub fn initials(&self) -> String {
        crate::membership::initials(&self.called())
    }
}

/// All that the school's own sheet says of a pupil.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// As in a list.
    pub pupil: Pupil,
    /// Date of birth.
    pub born: Date,
    /// As recorded; none where it was not.
    pub sex: Option<code::Sex>,
    /// None while one is awaited.
    pub upn: Option<upn::Upn>,
    /// The school's own number for them.
    pub admission_number: Option<String>,
    /// The groups they are in today.
    pub groups: Vec<group::Named>,
}

/// What is typed of a pupil.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// In law.
    pub first_name: String,
    /// In law.
    pub last_name: String,
    /// Empty for none.
    pub preferred_name: String,
    /// A date as people type it.
    pub born: String,
    /// Empty for not recorded.
    pub sex: String,
    /// A year group as people write it.
    pub year: String,
    /// Empty while one is awaited.
    pub upn: String,
    /// Empty for none.
    pub admission_number: String,
}

/// Which pupils a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The caller's own caseload.
    Mine,
    /// All that the caller sees.
    Seen,
}

/// What a list is narrowed to; everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Parts of a name.
    pub words: String,
    /// Of this year group.
    pub year: Option<YearGroup>,
    /// In this group today.
    pub group: Option<Uuid>,
    /// Those who left, and only them.
    pub left: bool,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// By surname and first name, at most [`ROWS`].
    pub rows: Vec<Pupil>,
    /// How many match.
    pub matching: usize,
}

/// By what right somebody sees a pupil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// They teach them.
    Caseload,
    /// They see the school.
    Role,
    /// They gave a reason, less than an hour ago.
    Reason,
}

impl Basis {
    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Caseload => "caseload",
            Self::Role => "role",
            Self::Reason => "reason",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caseload => "On their caseload",
            Self::Role => "By their role",
            Self::Reason => "For a reason they gave",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Caseload, Self::Role, Self::Reason]
            .into_iter()
            .find(|basis| basis.code() == code)
    }
}

/// Why something about a pupil was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "fault", content = "with")]
pub enum Fault {
    /// What is wrong with a number, by its own rules.
    #[error("{0}")]
    Upn(#[from] upn::UpnFault),
    /// See [`upn`].
    #[error(
        "Another pupil, here now or before, has this UPN. Open their record, or check the number."
    )]
    UpnTaken,
    /// The school's own number.
    #[error("Another pupil, here now or before, has this admission number. Check it.")]
    AdmissionTaken,
    /// Too long, or with hidden characters.
    #[error("Enter an admission number of at most 20 characters.")]
    Admission,
    /// Empty, too long, or with hidden characters.
    #[error("Enter a first name of at most 120 characters.")]
    FirstName,
    /// Empty, too long, or with hidden characters.
    #[error("Enter a surname of at most 120 characters.")]
    LastName,
    /// Too long, or with hidden characters.
    #[error("Enter a preferred name of at most 120 characters, or leave it empty.")]
    PreferredName,
    /// Its switch is off.
    #[error(
        "Your school does not keep preferred names. An administrator can switch the field on, with a purpose."
    )]
    PreferredOff,
    /// No date, or one that no pupil has.
    #[error("Enter the date of birth, like 9 May 2016 or 09/05/2016.")]
    Born,
    /// No year group of England.
    #[error("Choose a year group: Nursery, Reception, Year 1 to Year 14.")]
    Year,
    /// A reason is chosen from the list.
    #[error("Choose the reason for which you open this record.")]
    Reason,
    /// And said in words.
    #[error("Say in a few words why: at least 10 characters, at most 500.")]
    Words,
    /// Nobody here bears the name.
    #[error("No pupil here is called that. Check the spelling of both names and try again.")]
    NobodyCalled,
    /// More than one does.
    #[error("{0} pupils are called that. Add the registration group, which tells them apart.")]
    SeveralCalled(u32),
    /// They are on the caseload.
    #[error("Choose a teacher or a teaching assistant: only they have a caseload.")]
    NotTeacher,
    /// Twice at once.
    #[error("They have this on their caseload in that time already. Choose other days.")]
    CaseloadTwice,
    /// Cover has an end.
    #[error("Say until when the cover lasts.")]
    CoverEnds,
    /// A caseload of nothing.
    #[error("Choose a class or a pupil.")]
    NothingGiven,
    /// An end before its beginning, or one that is over.
    #[error("The end lies before the beginning, or in the past. Correct one of the two.")]
    TimesOrder,
    /// Not a time of the day.
    #[error("Enter a time like 15:30.")]
    Time,
    /// Empty, too long, taken by another of its kind.
    #[error("Enter a name for the group, at most 40 characters.")]
    GroupName,
    /// Two groups of a kind have different names.
    #[error("There is a group of that name already. Choose another name.")]
    GroupNameTaken,
    /// In it already, or in another registration group.
    #[error("They are in that group, or in another registration group, in that time already.")]
    GroupTwice,
    /// Something hangs on them.
    #[error("There are records about this pupil, so they stay. Record that they left instead.")]
    PupilStays,
    /// Only parents have children here.
    #[error("Choose somebody with the role of a parent. Invite them first if they are not listed.")]
    NotParent,
    /// Linked already.
    #[error("They are linked to this child already.")]
    GuardianTwice,
    /// Restricted already.
    #[error("There is a contact restriction for this person and this child already.")]
    RestrictionTwice,
    /// A restriction without its ground.
    #[error("Say what the restriction rests on, like the court and the date of its order.")]
    RestrictionWords,
    /// On without a purpose.
    #[error("Say what your school needs this for: at least 10 characters, at most 500.")]
    Purpose,
    /// A kind of tag that is off, or not theirs.
    #[error(
        "Your school does not keep this, or it is not yours to set. An administrator can switch the field on, with a purpose."
    )]
    TagOff,
    /// A value that its kind does not have.
    #[error("Choose one of the values of this field; a language is written in at most 40 letters.")]
    TagValue,
    /// Before June.
    #[error("Tags are renewed for the next school year from 1 June on. They hold until 31 August.")]
    RenewEarly,
    /// A list that is signed.
    #[error("This list is signed already. What you have to say can be added to it below.")]
    ReviewTwice,
    /// A list that nobody has signed.
    #[error("This list is not signed yet. Sign it first; then something can be added.")]
    ReviewUnsigned,
    /// Signed without a word.
    #[error("Say what you looked into: of the whole list, or of each line of it.")]
    ReviewWords,
    /// To be followed up, and nobody knows how.
    #[error("Say what is to be followed up, beside each line that you marked.")]
    ReviewFollowUp,
    /// What keeps the roll from being moved up.
    #[error("{0}")]
    Rollover(#[from] rollover::Fault),
    /// How to reach somebody.
    #[error("Say how they are reached: a number, a room. At most 200 characters.")]
    Reached,
}

impl Fault {
    /// The field of the form it is about.
    pub const fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::Upn(_) | Self::UpnTaken => "upn",
            Self::Admission | Self::AdmissionTaken => "admission_number",
            Self::FirstName | Self::NobodyCalled => "first_name",
            Self::LastName => "last_name",
            Self::PreferredName | Self::PreferredOff => "preferred_name",
            Self::Born => "born",
            Self::Year => "year",
            Self::Reason => "reason",
            Self::Words | Self::RestrictionWords => "words",
            Self::SeveralCalled(_) => "registration",
            Self::NotTeacher | Self::NotParent | Self::GuardianTwice | Self::RestrictionTwice => {
                "person"
            }
            Self::NothingGiven | Self::CaseloadTwice => "of",
            Self::CoverEnds | Self::TimesOrder | Self::Time => "until",
            Self::GroupName | Self::GroupNameTaken => "name",
            Self::GroupTwice => "group",
            Self::Purpose => "purpose",
            Self::Reached => "reached",
            Self::TagOff | Self::TagValue => "value",
            Self::ReviewWords => "words",
            Self::ReviewFollowUp => "lines",
            Self::RenewEarly | Self::PupilStays | Self::ReviewTwice | Self::ReviewUnsigned => {
                return None;
            }
            Self::Rollover(fault) => return fault.field(),
        })
    }
}

#[cfg(feature = "db")]
pub use queries::{add, come_back, correct, leave, list, look, look_over, names, remove, years};

#[cfg(feature = "db")]
mod queries {
    use std::collections::{BTreeSet, HashMap};

    use time::Date;
    use uuid::Uuid;

    use super::{
        Basis, Fault, Filter, Listed, Pupil, ROWS, Typed, Whole, Whose, code,
        field::{self, Field},
        group, keeps,
        upn::Upn,
        year::YearGroup,
    };
    use crate::{
        Refusal, day,
        db::{Read, Write, refused},
        event::Act,
    };

    /// A page of pupils by surname, `page` from 1. Under the caller's own seal, so that nobody else comes or is counted.
    pub async fn list(
        read: &mut Read,
        whose: Whose,
        filter: &Filter,
        page: usize,
    ) -> Result<Listed, Refusal> {
        let tenant = read.standing.tenant;
        let words: Vec<String> = filter
            .words
            .to_lowercase()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let skip = i64::try_from(page.saturating_sub(1).saturating_mul(ROWS)).unwrap_or(i64::MAX);
        let rows = sqlx::query!(
            r#"select p.id, p.first_name, p.last_name, p.preferred_name, p.year_group, p.left_on, r.name as "registration?",
                      count(*) over () as "matching!"
               from pupil p
               left join lateral (
                 select g.name from group_pupil x join teaching_group g on g.tenant_id = x.tenant_id and g.id = x.group_id
                 where x.tenant_id = p.tenant_id and x.pupil_id = p.id and x.kind = 'registration' and x.during @> sec.today()
               ) r on true
               where p.tenant_id = $1 and (p.left_on is not null) = $5
                 and (not $2 or p.id = any ((select sec.caseload())::uuid[]))
                 and ($3::text is null or p.year_group = $3)
                 and ($4::uuid is null or exists (
                   select from group_pupil x where x.tenant_id = p.tenant_id and x.pupil_id = p.id and x.group_id = $4
                     and x.during @> sec.today()))
                 and not exists (
                   select from unnest($6::text[]) as w (word)
                   where strpos(lower(concat_ws(' ', p.first_name, p.preferred_name, p.last_name)), w.word) = 0)
               order by lower(p.last_name), lower(p.first_name), p.id
               limit $7 offset $8"#,
            tenant,
            whose == Whose::Mine,
            filter.year.map(YearGroup::code),
            filter.group,
            filter.left,
            &words,
            i64::try_from(ROWS).unwrap_or(i64::MAX),
            skip
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let matching = rows.first().map_or(0, |row| row.matching);
        let rows = rows.into_iter().map(|row| {
            Ok(Pupil {
                id: row.id,
                first_name: row.first_name,
                last_name: row.last_name,
                preferred_name: row.preferred_name,
                year: YearGroup::from_code(&row.year_group).ok_or(Refusal::Broken)?,
                registration: row.registration,
                left_on: row.left_on,
            })
        });
        Ok(Listed {
            rows: rows.collect::<Result<_, Refusal>>()?,
            matching: usize::try_from(matching).unwrap_or_default(),
        })
    }

    /// How many pupils of each year group the caller sees, the youngest first.
    pub async fn years(read: &mut Read, whose: Whose) -> Result<Vec<(YearGroup, usize)>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select year_group, count(*) as "count!" from pupil
               where tenant_id = $1 and left_on is null and (not $2 or id = any ((select sec.caseload())::uuid[]))
               group by year_group"#,
            tenant,
            whose == Whose::Mine
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut years: Vec<(YearGroup, usize)> = rows
            .into_iter()
            .filter_map(|row| {
                let year = YearGroup::from_code(&row.year_group)?;
                Some((year, usize::try_from(row.count).unwrap_or_default()))
            })
            .collect();
        years.sort_unstable();
        Ok(years)
    }

    /// How pupils are called, of those among these whom the caller sees.
    pub async fn names(read: &mut Read, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select id, coalesce(preferred_name, first_name) || ' ' || last_name as "called!"
               from pupil where tenant_id = $1 and id = any ($2)"#,
            tenant,
            ids
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        Ok(rows.into_iter().map(|row| (row.id, row.called)).collect())
    }

    /// Looks at one pupil, in a snapshot of [`crate::db::Db::look`]: that the caller looked, by what right and at which parts, is put
    /// down first.
    ///
    /// Refuses [`Refusal::NotFound`] for whom the caller does not see, as for who never was.
    pub async fn look(
        read: &mut Read,
        id: Uuid,
        parts: &[&str],
    ) -> Result<(Whole, Basis), Refusal> {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let basis = sqlx::query_scalar!("select sec.look_at($1, $2)", id, &parts)
            .fetch_one(read.connection())
            .await
            .map_err(refused)?
            .ok_or(Refusal::NotFound)?;
        let basis = Basis::from_code(&basis).ok_or(Refusal::Broken)?;
        let tenant = read.standing.tenant;
        let row = sqlx::query!(
            "select id, upn, admission_number, first_name, last_name, preferred_name, born, sex, year_group, left_on
             from pupil where tenant_id = $1 and id = $2",
            tenant,
            id
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let groups = group::of_pupil(read, id).await?;
        let registration = groups
            .iter()
            .find(|group| group.kind == group::Kind::Registration)
            .map(|group| group.name.clone());
        let whole = Whole {
            pupil: Pupil {
                id: row.id,
                first_name: row.first_name,
                last_name: row.last_name,
                preferred_name: row.preferred_name,
                year: YearGroup::from_code(&row.year_group).ok_or(Refusal::Broken)?,
                registration,
                left_on: row.left_on,
            },
            born: row.born,
            sex: row.sex.as_deref().and_then(code::Sex::from_code),
            upn: row.upn.as_deref().and_then(|upn| Upn::parse(upn).ok()),
            admission_number: row.admission_number,
            groups,
        };
        Ok((whole, basis))
    }

    /// Looks at many pupils at once, in a snapshot of [`crate::db::Db::look`]: of each that the caller looked, and by what right, is put
    /// down before anything of them is shown. The part is one of [`crate::pupil::access::OVERVIEWS`].
    ///
    /// Refuses [`Refusal::NotFound`] where the caller does not see all of them.
    pub async fn look_over(
        read: &mut Read,
        pupils: &BTreeSet<Uuid>,
        part: &str,
    ) -> Result<(), Refusal> {
        if pupils.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = pupils.iter().copied().collect();
        let seen = sqlx::query_scalar!(r#"select sec.look_over($1, $2) as "seen!""#, &ids, part)
            .fetch_one(read.connection())
            .await
            .map_err(refused)?;
        if usize::try_from(seen) == Ok(ids.len()) {
            Ok(())
        } else {
            Err(Refusal::NotFound)
        }
    }

    /// What is typed, as it is kept.
    struct Kept {
        first_name: String,
        last_name: String,
        preferred_name: Option<String>,
        born: Date,
        sex: Option<code::Sex>,
        year: YearGroup,
        upn: Option<Upn>,
        admission_number: Option<String>,
    }

    fn tidy(typed: &Typed, today: Date) -> Result<Kept, Refusal> {
        let some = |text: &str| !text.trim().is_empty();
        Ok(Kept {
            first_name: field::tidy(Field::FirstName, &typed.first_name)
                .map_err(|_| Fault::FirstName)?,
            last_name: field::tidy(Field::LastName, &typed.last_name)
                .map_err(|_| Fault::LastName)?,
            preferred_name: some(&typed.preferred_name)
                .then(|| field::tidy(Field::PreferredName, &typed.preferred_name))
                .transpose()
                .map_err(|_| Fault::PreferredName)?,
            born: day::parse(&typed.born)
                .ok()
                .filter(|born| field::check_born(*born, today).is_ok())
                .ok_or(Fault::Born)?,
            sex: code::Sex::from_code(&typed.sex),
            year: YearGroup::parse(&typed.year).ok_or(Fault::Year)?,
            upn: some(&typed.upn)
                .then(|| Upn::parse(&typed.upn).map_err(Fault::from))
                .transpose()?,
            admission_number: some(&typed.admission_number)
                .then(|| field::tidy(Field::AdmissionNumber, &typed.admission_number))
                .transpose()
                .map_err(|_| Fault::Admission)?,
        })
    }

    fn keep(write: &Write) -> Result<(), Refusal> {
        if keeps(&write.standing.roles) {
            Ok(())
        } else {
            Err(Refusal::NotAllowed)
        }
    }

    /// Refuses a preferred name where the school has not switched the field on.
    async fn preferred_is_on(write: &mut Write, kept: &Kept) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        if kept.preferred_name.is_none() {
            return Ok(());
        }
        let on = sqlx::query_scalar!(
            r#"select exists (select from field_switch where tenant_id = $1 and field = 'preferred_name') as "on!""#,
            tenant
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        if on {
            Ok(())
        } else {
            Err(Fault::PreferredOff.into())
        }
    }

    /// Puts a pupil on the roll.
    pub async fn add(
        write: &mut Write,
        typed: &Typed,
        today: Date,
    ) -> Result<(Uuid, Act), Refusal> {
        keep(write)?;
        let kept = tidy(typed, today)?;
        preferred_is_on(write, &kept).await?;
        let tenant = write.standing.tenant;
        let id = sqlx::query_scalar!(
            "insert into pupil (tenant_id, upn, admission_number, first_name, last_name, preferred_name, born, sex, year_group)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id",
            tenant,
            kept.upn.as_ref().map(Upn::as_str),
            kept.admission_number,
            kept.first_name,
            kept.last_name,
            kept.preferred_name,
            kept.born,
            kept.sex.map(code::Sex::code),
            kept.year.code()
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        Ok((id, Act::pupil_added(id)))
    }

    /// Corrects what the roll says of a pupil. Refuses [`Refusal::Stale`] where it says so already.
    pub async fn correct(
        write: &mut Write,
        id: Uuid,
        typed: &Typed,
        today: Date,
    ) -> Result<Act, Refusal> {
        keep(write)?;
        let kept = tidy(typed, today)?;
        preferred_is_on(write, &kept).await?;
        let tenant = write.standing.tenant;
        let was = sqlx::query!(
            "select upn, admission_number, first_name, last_name, preferred_name, born, sex, year_group
             from pupil where tenant_id = $1 and id = $2 for update",
            tenant,
            id
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let upn = kept.upn.as_ref().map(Upn::as_str);
        let sex = kept.sex.map(code::Sex::code);
        let fields: Vec<Field> = [
            (Field::Upn, was.upn.as_deref() != upn),
            (
                Field::AdmissionNumber,
                was.admission_number != kept.admission_number,
            ),
            (Field::FirstName, was.first_name != kept.first_name),
            (Field::LastName, was.last_name != kept.last_name),
            (
                Field::PreferredName,
                was.preferred_name != kept.preferred_name,
            ),
            (Field::Born, was.born != kept.born),
            (Field::Sex, was.sex.as_deref() != sex),
            (Field::YearGroup, was.year_group != kept.year.code()),
        ]
        .into_iter()
        .filter_map(|(field, changed)| changed.then_some(field))
        .collect();
        if fields.is_empty() {
            return Err(Refusal::Stale);
        }
        sqlx::query!(
            "update pupil set upn = $3, admission_number = $4, first_name = $5, last_name = $6, preferred_name = $7, born = $8,
                              sex = $9, year_group = $10
             where tenant_id = $1 and id = $2",
            tenant,
            id,
            upn,
            kept.admission_number,
            kept.first_name,
            kept.last_name,
            kept.preferred_name,
            kept.born,
            sex,
            kept.year.code()
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::pupil_corrected(id, &fields))
    }

    /// Records that a pupil left: `last` is their last day here. They are in no group and on nobody's caseload from the day after it.
    /// Refuses [`Refusal::DayAhead`] for a day that has not come.
    pub async fn leave(
        write: &mut Write,
        id: Uuid,
        last: Date,
        today: Date,
    ) -> Result<Act, Refusal> {
        keep(write)?;
        if last > today {
            return Err(Refusal::DayAhead);
        }
        let tenant = write.standing.tenant;
        let first_without = day::after(last);
        let left = sqlx::query_scalar!(
            "update pupil set left_on = $3 where tenant_id = $1 and id = $2 and left_on is null returning id",
            tenant,
            id,
            first_without
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?;
        if left.is_none() {
            return Err(gone(write, id).await);
        }
        sqlx::query!(
            "delete from group_pupil where tenant_id = $1 and pupil_id = $2 and lower(during) >= $3",
            tenant,
            id,
            first_without
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "update group_pupil set during = daterange(lower(during), $3)
             where tenant_id = $1 and pupil_id = $2 and coalesce(upper(during) > $3, true)",
            tenant,
            id,
            first_without
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        super::caseload::end_of_pupil(write, id).await?;
        Ok(Act::pupil_left(id, &day::field(last)))
    }

    /// Takes a pupil who left onto the roll again. Groups and caseloads are given anew.
    pub async fn come_back(write: &mut Write, id: Uuid) -> Result<Act, Refusal> {
        keep(write)?;
        let tenant = write.standing.tenant;
        let back = sqlx::query_scalar!(
            "update pupil set left_on = null where tenant_id = $1 and id = $2 and left_on is not null returning id",
            tenant,
            id
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?;
        match back {
            Some(id) => Ok(Act::pupil_returned(id)),
            None => Err(gone(write, id).await),
        }
    }

    /// Takes a pupil off the roll who was put there by mistake. Refuses [`Fault::PupilStays`] where anything was recorded of them.
    pub async fn remove(write: &mut Write, id: Uuid) -> Result<Act, Refusal> {
        keep(write)?;
        let tenant = write.standing.tenant;
        let gone = sqlx::query_scalar!(
            "delete from pupil where tenant_id = $1 and id = $2 returning id",
            tenant,
            id
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?;
        gone.map(Act::pupil_removed).ok_or(Refusal::NotFound)
    }

    /// Nothing was changed of a pupil: they are not there, or it is so already.
    async fn gone(write: &mut Write, id: Uuid) -> Refusal {
        let tenant = write.standing.tenant;
        match sqlx::query_scalar!(
            "select id from pupil where tenant_id = $1 and id = $2",
            tenant,
            id
        )
        .fetch_optional(write.connection())
        .await
        {
            Ok(Some(_)) => Refusal::Stale,
            Ok(None) => Refusal::NotFound,
            Err(error) => refused(error),
        }
    }
}

/// What it means to a person that a constraint of these tables was violated; none for those of other tables.
#[cfg(feature = "db")]
pub(crate) fn refusal_of(constraint: &str) -> Option<crate::Refusal> {
    use crate::Refusal;
    Some(Refusal::Pupil(match constraint {
        "pupil_upn_key" => Fault::UpnTaken,
        // What was typed was read before, so that only other writers meet these.
        "pupil_upn_shape" | "pupil_upn_check" => Fault::Upn(upn::UpnFault::Missing),
        "pupil_admission_number_key" => Fault::AdmissionTaken,
        "pupil_admission_number_shape" => Fault::Admission,
        "pupil_first_name_shape" => Fault::FirstName,
        "pupil_last_name_shape" => Fault::LastName,
        "pupil_preferred_name_shape" => Fault::PreferredName,
        "pupil_born_finite" => Fault::Born,
        "pupil_year_group_known" => Fault::Year,
        "pupil_access_reason_known" => Fault::Reason,
        "pupil_access_words_shape" => Fault::Words,
        "caseload_of_teacher" => Fault::NotTeacher,
        "caseload_group_once" | "caseload_pupil_once" => Fault::CaseloadTwice,
        "caseload_cover_ends" => Fault::CoverEnds,
        "caseload_one" => Fault::NothingGiven,
        "caseload_during_some" => Fault::TimesOrder,
        "teaching_group_name_key" => Fault::GroupNameTaken,
        "teaching_group_name_shape" => Fault::GroupName,
        "group_pupil_once" | "group_pupil_one_registration" => Fault::GroupTwice,
        "guardian_link_of_parent" => Fault::NotParent,
        "guardian_link_open_key" => Fault::GuardianTwice,
        "contact_restriction_open_key" => Fault::RestrictionTwice,
        "contact_restriction_words_shape" => Fault::RestrictionWords,
        "field_switch_purpose_shape" => Fault::Purpose,
        "duty_holder_reached_shape" => Fault::Reached,
        "access_review_once_key" => Fault::ReviewTwice,
        "access_statement_review_fkey" => Fault::ReviewUnsigned,
        "access_statement_words_shape" => Fault::ReviewWords,
        "access_review_week_fkey"
        | "access_review_by_fkey"
        | "access_statement_finding_fkey"
        | "access_statement_by_fkey"
        | "access_finding_week_fkey"
        | "access_finding_membership_fkey"
        | "access_finding_pupil_fkey"
        | "access_finding_access_fkey" => return Some(Refusal::NotFound),
        "tag_pupil_fkey"
        | "tag_change_pupil_fkey"
        | "tag_change_by_fkey"
        | "year_change_pupil_fkey" => {
            return Some(Refusal::NotFound);
        }
        "rollover_once_key" => Fault::Rollover(rollover::Fault::Done),
        "rollover_last_day_finite" => Fault::Rollover(rollover::Fault::LastDay),
        "rollover_made_by_fkey"
        | "rollover_change_rollover_fkey"
        | "rollover_change_pupil_fkey"
        | "rollover_change_group_fkey"
        | "rollover_change_membership_fkey" => return Some(Refusal::NotFound),
        // Somebody else set it a moment earlier.
        "tag_once_key" | "tenant_key_number_key" => return Some(Refusal::Stale),
        "group_pupil_during_some" => return Some(Refusal::DatesOrder),
        "duty_holder_process_shape" => return Some(Refusal::TextFormat(duty::PROCESS_MOST)),
        "contact_restriction_until_finite"
        | "pupil_left_on_finite"
        | "teaching_group_closed_on_finite" => return Some(Refusal::DateFormat),
        // Somebody else was a moment earlier.
        "field_switch_field_key" | "duty_holder_duty_key" => return Some(Refusal::Stale),
        // What was pointed at is not there.
        "caseload_membership_fkey"
        | "caseload_group_fkey"
        | "caseload_pupil_fkey"
        | "caseload_given_by_fkey"
        | "group_pupil_group_fkey"
        | "group_pupil_pupil_fkey"
        | "pupil_access_membership_fkey"
        | "pupil_access_pupil_fkey"
        | "pupil_read_membership_fkey"
        | "pupil_read_pupil_fkey"
        | "pupil_read_access_fkey"
        | "guardian_link_membership_fkey"
        | "guardian_link_pupil_fkey"
        | "guardian_link_linked_by_fkey"
        | "contact_restriction_membership_fkey"
        | "contact_restriction_pupil_fkey"
        | "contact_restriction_made_by_fkey"
        | "contact_restriction_lifted_by_fkey"
        | "field_switch_on_by_fkey"
        | "duty_holder_membership_fkey" => {
            return Some(Refusal::NotFound);
        }
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_constraint_of_the_roll_has_a_sentence() {
        let fresh = testing::Fresh::empty().await;
        let mut behind = fresh.behind().await;
        let constraints: Vec<String> = sqlx::query_scalar(
            "select conname::text from pg_constraint
             where conrelid = any (array['pupil', 'teaching_group', 'group_pupil', 'caseload', 'pupil_access', 'pupil_read',
               'guardian_link', 'contact_restriction', 'field_switch', 'duty_holder', 'tenant_key', 'tag', 'tag_change',
               'access_week', 'access_finding', 'access_review', 'access_statement', 'rollover', 'rollover_change',
               'year_change']::regclass[])
               and contype not in ('n', 'p', 't') and conname !~ '_tenant_fkey$'
             union all
             select unnest(array['teaching_group_name_key', 'guardian_link_open_key', 'contact_restriction_open_key',
               'rollover_once_key'])
             union all
             select m[1] from pg_proc, regexp_matches(prosrc, 'constraint = ''([a-z_]+)''', 'g') m
             where oid = any (array['sec.caseload_fits()', 'sec.guardian_link_fits()']::regprocedure[])",
        )
        .fetch_all(&mut *behind)
        .await
        .unwrap();
        assert!(constraints.len() > 55, "{constraints:#?}");
        let mut mute: Vec<_> = constraints
            .iter()
            .filter(|name| refusal_of(name).is_none())
            .map(String::as_str)
            .collect();
        mute.sort_unstable();
        // What nobody types: the server makes it, and a fault there is ours.
        let made = [
            "access_finding_many_some",
            "access_finding_person_named",
            "access_finding_rule_known",
            "access_finding_week_key",
            "access_week_looks_some",
            "access_week_monday_first",
            "access_week_monday_key",
            "contact_restriction_lifted_both",
            "duty_holder_duty_known",
            "field_switch_field_known",
            "guardian_link_relation_known",
            "pupil_access_until_later",
            "pupil_read_basis_known",
            "pupil_read_parts_some",
            "pupil_read_reason_named",
            "pupil_sex_known",
            "rollover_change_what_known",
            "rollover_school_year_known",
            "tag_change_kind_known",
            "tag_change_why_known",
            "tag_expires_on_finite",
            "tag_kind_known",
            "tag_sealed_length",
            "teaching_group_kind_key",
            "teaching_group_kind_known",
            "tenant_key_number_fits",
            "tenant_key_wrapped_length",
            "year_change_was_known",
        ];
        assert_eq!(mute, made);
    }
}
