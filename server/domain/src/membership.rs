//! Who belongs to a tenant: inviting, changing roles, suspending, restoring, removing.

#[cfg(feature = "db")]
pub mod many;
#[cfg(feature = "db")]
pub mod part;

use serde::{Deserialize, Serialize};

use crate::{AccountId, MembershipId, Refusal, role::Role, text};

/// Longest name, in characters.
pub const NAME_MOST: u16 = 120;

/// Where a person stands with a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Asked by mail, not yet accepted.
    Invited,
    /// May sign in.
    Active,
    /// May not sign in until restored.
    Suspended,
    /// Removed.
    Ended,
}

impl State {
    /// Every state, in the order of a place's life.
    pub const ALL: &[Self] = &[Self::Invited, Self::Active, Self::Suspended, Self::Ended];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invited => "Invited",
            Self::Active => "Active",
            Self::Suspended => "Suspended",
            Self::Ended => "Removed",
        }
    }

    /// The state of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.code() == code)
    }
}

/// One person of a tenant, as far as the caller may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their place here.
    pub id: MembershipId,
    /// Their account; the key of presence.
    pub account: AccountId,
    /// As they give it.
    pub name: String,
    /// For those who manage people, and for the person; none for everybody else.
    pub email: Option<String>,
    /// What they are here.
    pub roles: Vec<Role>,
    /// Whether they may sign in.
    pub state: State,
    /// When the state began, RFC 3339 in UTC.
    pub since: String,
}

impl Person {
    /// "Chair of governors, Teacher".
    pub fn role_names(&self) -> String {
        self.roles
            .iter()
            .map(|role| role.name())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// First letters of the first and last name, for the round mark beside it.
    pub fn initials(&self) -> String {
        initials(&self.name)
    }
}

/// First letters of the first and last word of a name.
pub fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|c| c.is_alphabetic()));
    let first = words.next();
    first
        .into_iter()
        .chain(words.next_back())
        .flat_map(char::to_uppercase)
        .collect()
}

/// A person's name as it is kept: trimmed, inner white space single.
///
/// Refuses an empty one, more than [`NAME_MOST`] characters, and control or direction-changing characters, which could make
/// one name look like another.
pub fn tidy_name(typed: &str) -> Result<String, Refusal> {
    text::line(typed, NAME_MOST).map_err(|_| Refusal::NameFormat)
}

/// An e-mail address as it is kept: trimmed and in lower case. The address is proved by the mail that is sent there, so only
/// what cannot be one is refused.
pub fn tidy_email(typed: &str) -> Result<String, Refusal> {
    let email = typed.trim().to_lowercase();
    let good = email.len() <= 254
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.len() <= 64
                && domain.contains('.')
                && domain.split('.').all(|label| {
                    !label.is_empty()
                        && label.len() <= 63
                        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                })
        })
        && email.chars().all(|c| {
            !c.is_whitespace()
                && !c.is_control()
                && !matches!(c, ',' | ';' | '<' | '>' | '"' | '(' | ')' | '\\')
        });
    if good {
        Ok(email)
    } else {
        Err(Refusal::EmailFormat)
    }
}

/// Somebody who has not accepted their invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// Their place.
    pub id: MembershipId,
    /// Their name.
    pub name: String,
    /// When they were asked, RFC 3339 in UTC.
    pub at: String,
}

/// What a removal ended, beside the place itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Sessions, with their sockets.
    pub sessions: u32,
    /// Invitations not yet accepted.
    pub invitations: u32,
    /// Password links not yet used.
    pub resets: u32,
    /// Terms of office, those to come among them. Only by a removal.
    pub terms: u32,
    /// Places on committees. Only by a removal.
    pub committees: u32,
}

#[cfg(feature = "db")]
pub use queries::{
    add, correct_address, counts, drop_role, find, give_role, invite_again, invited, list, remove,
    rename, restore, suspend,
};

#[cfg(feature = "db")]
mod queries {
    use serde_json::Value;
    use time::OffsetDateTime;

    use super::{Ended, Invited, Person, State, tidy_email, tidy_name};
    use crate::{
        AccountId, MembershipId, Refusal, board, day,
        db::{Read, Write, refused},
        event::Act,
        role::{self, Role},
    };

    /// Everybody the caller may see, by name. Those removed come too; pages show them apart.
    pub async fn list(read: &mut Read) -> Result<Vec<Person>, Refusal> {
        let tenant = read.standing.tenant;
        // The addresses in one go: a thousand people one by one, as the policy of accounts has it, take a millisecond more.
        let rows = sqlx::query_as!(
            Row,
            r#"select m.id, m.account_id, m.name, a.email as "email?", m.roles, m.state,
                      case m.state when 'invited' then m.invited_at when 'active' then m.joined_at when 'suspended' then m.suspended_at
                                   else m.ended_at end as "since!: OffsetDateTime"
               from membership m left join sec.addresses() a on a.account_id = m.account_id
               where m.tenant_id = $1
               order by lower(m.name), m.id"#,
            tenant
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter().map(Row::person).collect()
    }

    /// Those of them who have not accepted their invitation, by name.
    pub async fn invited(read: &mut Read) -> Result<Vec<Invited>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select id, name, invited_at as "at!: OffsetDateTime" from membership
               where tenant_id = $1 and state = 'invited' order by lower(name), id"#,
            tenant
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Invited {
                    id: row.id,
                    name: row.name,
                    at: day::moment(row.at)?,
                })
            })
            .collect()
    }

    /// How many people the caller may see, without those removed, and how many of all of them are among these accounts.
    pub async fn counts(
        read: &mut Read,
        accounts: &[AccountId],
    ) -> Result<(usize, usize), Refusal> {
        let tenant = read.standing.tenant;
        let row = sqlx::query!(
            r#"select count(*) filter (where state <> 'ended') as "people!",
                      count(*) filter (where account_id = any ($2)) as "among!"
               from membership where tenant_id = $1"#,
            tenant,
            accounts
        )
        .fetch_one(read.connection())
        .await
        .map_err(refused)?;
        let number = |count: i64| usize::try_from(count).map_err(|_| Refusal::Broken);
        Ok((number(row.people)?, number(row.among)?))
    }

    /// One person. Refuses [`Refusal::NotFound`] for those the caller may not see, as for those who never were.
    pub async fn find(read: &mut Read, id: MembershipId) -> Result<Person, Refusal> {
        let tenant = read.standing.tenant;
        sqlx::query_as!(
            Row,
            r#"select m.id, m.account_id, m.name, a.email as "email?", m.roles, m.state,
                      case m.state when 'invited' then m.invited_at when 'active' then m.joined_at when 'suspended' then m.suspended_at
                                   else m.ended_at end as "since!: OffsetDateTime"
               from membership m left join account a on a.id = m.account_id
               where m.tenant_id = $1 and m.id = $2"#,
            tenant,
            id
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?
        .person()
    }

    /// Adds a person by e-mail. They are invited: the mail follows from the event. Somebody who was removed is invited anew
    /// in their old place.
    pub async fn add(
        write: &mut Write,
        name: &str,
        email: &str,
        roles: &[Role],
    ) -> Result<(MembershipId, Act), Refusal> {
        let (name, email) = (tidy_name(name)?, tidy_email(email)?);
        may_give(write, &[], roles)?;
        let tenant = write.standing.tenant;
        let account = sqlx::query_scalar!(r#"select sec.account_for($1) as "id!""#, email)
            .fetch_one(write.connection())
            .await
            .map_err(refused)?;
        if account == write.standing.account {
            return Err(Refusal::AlreadyHere);
        }
        let returned = sqlx::query_scalar!(
            r#"update membership set name = $3, roles = $4, state = 'invited'
               where tenant_id = $1 and account_id = $2 and state = 'ended' returning id"#,
            tenant,
            account,
            name,
            &codes(roles)
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?;
        let id = match returned {
            Some(id) => id,
            None => sqlx::query_scalar!(
                "insert into membership (tenant_id, account_id, name, roles) values ($1, $2, $3, $4) returning id",
                tenant,
                account,
                name,
                &codes(roles)
            )
            .fetch_one(write.connection())
            .await
            .map_err(refused)?,
        };
        invite(write, id).await?;
        Ok((id, Act::invited(id, account, roles)))
    }

    /// Sends the invitation again; the earlier link stops working.
    pub async fn invite_again(write: &mut Write, id: MembershipId) -> Result<Act, Refusal> {
        let place = lock(write, id).await?;
        if place.state != State::Invited {
            return Err(Refusal::Stale);
        }
        if place.roles.iter().any(|role| role.is_admin()) {
            write.standing.require_step_up()?;
        }
        invite(write, id).await?;
        Ok(Act::reinvited(id, place.account))
    }

    /// Gives the person one more role. Making an administrator wants a fresh proof.
    pub async fn give_role(
        write: &mut Write,
        id: MembershipId,
        role: Role,
    ) -> Result<Act, Refusal> {
        let mut place = lock(write, id).await?;
        if place.state == State::Ended || place.roles.contains(&role) {
            return Err(Refusal::Stale);
        }
        let before = place.roles.clone();
        place.roles.push(role);
        may_give(write, &before, &place.roles)?;
        set_roles(write, id, &place.roles).await?;
        Ok(Act::role_given(id, place.account, role))
    }

    /// Takes one role from the person; their pages here close. Refuses [`Refusal::LastRole`]: a person without any could do
    /// nothing, which is what removing is for.
    pub async fn drop_role(
        write: &mut Write,
        id: MembershipId,
        role: Role,
    ) -> Result<Act, Refusal> {
        let mut place = lock(write, id).await?;
        if place.state == State::Ended || !place.roles.contains(&role) {
            return Err(Refusal::Stale);
        }
        let before = place.roles.clone();
        place.roles.retain(|held| *held != role);
        if place.roles.is_empty() {
            return Err(Refusal::LastRole);
        }
        may_give(write, &before, &place.roles)?;
        set_roles(write, id, &place.roles).await?;
        Ok(Act::role_dropped(id, place.account, role))
    }

    async fn set_roles(write: &mut Write, id: MembershipId, roles: &[Role]) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update membership set roles = $3 where tenant_id = $1 and id = $2",
            tenant,
            id,
            &codes(roles)
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// Writes the person's name another way. `was` is the name that the form was filled in beside: where it is another one by now,
    /// [`Refusal::Meanwhile`], and nothing is overwritten.
    pub async fn rename(
        write: &mut Write,
        id: MembershipId,
        name: &str,
        was: &str,
    ) -> Result<Act, Refusal> {
        let name = tidy_name(name)?;
        let place = lock(write, id).await?;
        if place.state == State::Ended {
            return Err(Refusal::Stale);
        }
        if place.name != was {
            return Err(Refusal::Meanwhile);
        }
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update membership set name = $3 where tenant_id = $1 and id = $2",
            tenant,
            id,
            name
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::renamed(id, place.account))
    }

    /// Corrects the address of somebody who has not joined, and invites them there; earlier links stop working.
    ///
    /// Whoever has joined signs in with their address, here and elsewhere, and only they may change it: who could change it for
    /// them could then ask for a new password and be them. So [`Refusal::AddressTheirs`].
    pub async fn correct_address(
        write: &mut Write,
        id: MembershipId,
        email: &str,
    ) -> Result<Act, Refusal> {
        let email = tidy_email(email)?;
        let place = lock(write, id).await?;
        if place.state != State::Invited {
            return Err(Refusal::AddressTheirs);
        }
        let account = sqlx::query_scalar!(
            r#"select sec.correct_address($1, $2) as "account!""#,
            id,
            email
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        invite(write, id).await?;
        Ok(Act::address_corrected(id, account))
    }

    /// Bars the person until they are restored: sessions and sockets here end.
    pub async fn suspend(write: &mut Write, id: MembershipId) -> Result<(Ended, Act), Refusal> {
        let place = lock(write, id).await?;
        if place.state != State::Active {
            return Err(Refusal::Stale);
        }
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update membership set state = 'suspended' where tenant_id = $1 and id = $2",
            tenant,
            id
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        let (ended, detail) = revoke(write, place.account, "suspended").await?;
        Ok((ended, Act::suspended(id, place.account, detail)))
    }

    /// Lets a suspended person in again.
    pub async fn restore(write: &mut Write, id: MembershipId) -> Result<Act, Refusal> {
        let place = lock(write, id).await?;
        if place.state != State::Suspended {
            return Err(Refusal::Stale);
        }
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update membership set state = 'active' where tenant_id = $1 and id = $2",
            tenant,
            id
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::restored(id, place.account))
    }

    /// Ends the person's place: sessions, sockets, invitations and password links of this tenant end with it, and with the day
    /// their terms of office and places on committees. What they did stays on record, and so does their name beside it.
    pub async fn remove(write: &mut Write, id: MembershipId) -> Result<(Ended, Act), Refusal> {
        let place = lock(write, id).await?;
        if place.state == State::Ended {
            return Err(Refusal::Stale);
        }
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update membership set state = 'ended' where tenant_id = $1 and id = $2",
            tenant,
            id
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        let (mut ended, mut detail) = revoke(write, place.account, "removed").await?;
        (ended.terms, ended.committees) = board::end_all(write, id).await?;
        detail["terms"] = ended.terms.into();
        detail["committees"] = ended.committees.into();
        Ok((ended, Act::removed(id, place.account, detail)))
    }

    struct Place {
        account: AccountId,
        name: String,
        roles: Vec<Role>,
        state: State,
    }

    /// Reads a person's place and keeps it still until the act is done. Everybody's own place is refused here, and an
    /// administrator's to a clerk, before the row policies refuse it again.
    async fn lock(write: &mut Write, id: MembershipId) -> Result<Place, Refusal> {
        let tenant = write.standing.tenant;
        // Without `for update`: the row policies of an update would hide an administrator from a clerk, who does see them.
        let row = sqlx::query!(
            "select account_id, roles, state from membership where tenant_id = $1 and id = $2",
            tenant,
            id
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let roles = role::parse(row.roles.iter().map(String::as_str));
        if !write
            .standing
            .roles
            .iter()
            .any(|role| role.manages_people())
        {
            return Err(Refusal::NotAllowed);
        }
        if row.account_id == write.standing.account {
            return Err(Refusal::OwnPlace);
        }
        if roles.iter().any(|role| role.is_admin())
            && !write.standing.roles.iter().any(|role| role.is_admin())
        {
            return Err(Refusal::AdminsOnly);
        }
        // Now still: two clerks acting on one person take turns, and the second sees what the first left.
        let row = sqlx::query!("select account_id, name, roles, state from membership where tenant_id = $1 and id = $2 for update", tenant, id)
            .fetch_optional(write.connection())
            .await
            .map_err(refused)?
            .ok_or(Refusal::Stale)?;
        Ok(Place {
            account: row.account_id,
            name: row.name,
            roles: role::parse(row.roles.iter().map(String::as_str)),
            state: State::from_code(&row.state).ok_or(Refusal::Broken)?,
        })
    }

    /// Whether the caller may turn the roles `from` into `to`.
    fn may_give(write: &Write, from: &[Role], to: &[Role]) -> Result<(), Refusal> {
        if to.is_empty() {
            return Err(Refusal::NoRole);
        }
        let given = Role::given_by(&write.standing.roles, write.standing.kind);
        if given.is_empty() {
            return Err(Refusal::NotAllowed);
        }
        let changed = Role::ALL
            .iter()
            .filter(|role| from.contains(role) != to.contains(role));
        for role in changed {
            if !given.contains(role) {
                return Err(if role.is_admin() {
                    Refusal::AdminsOnly
                } else {
                    Refusal::NotAllowed
                });
            }
            if role.is_admin() {
                write.standing.require_step_up()?;
            }
        }
        Ok(())
    }

    async fn invite(write: &mut Write, id: MembershipId) -> Result<(), Refusal> {
        sqlx::query_scalar!(r#"select sec.invite($1)::text as "done""#, id)
            .fetch_one(write.connection())
            .await
            .map_err(refused)?;
        Ok(())
    }

    async fn revoke(
        write: &mut Write,
        account: AccountId,
        why: &str,
    ) -> Result<(Ended, Value), Refusal> {
        let detail: Value =
            sqlx::query_scalar!(r#"select sec.revoke($1, $2) as "ended!""#, account, why)
                .fetch_one(write.connection())
                .await
                .map_err(refused)?;
        let count = |what: &str| {
            let part = &detail[what];
            u32::try_from(
                part.as_array()
                    .map_or_else(|| part.as_u64().unwrap_or(0), |list| list.len() as u64),
            )
            .unwrap_or(u32::MAX)
        };
        let ended = Ended {
            sessions: count("sessions"),
            invitations: count("invitations"),
            resets: count("resets"),
            ..Ended::default()
        };
        Ok((ended, detail))
    }

    fn codes(roles: &[Role]) -> Vec<String> {
        roles.iter().map(|role| role.code().to_owned()).collect()
    }

    /// A person as a row has them.
    pub(super) struct Row {
        pub id: MembershipId,
        pub account_id: AccountId,
        pub name: String,
        pub email: Option<String>,
        pub roles: Vec<String>,
        pub state: String,
        pub since: OffsetDateTime,
    }

    impl Row {
        pub fn person(self) -> Result<Person, Refusal> {
            Ok(Person {
                id: self.id,
                account: self.account_id,
                name: self.name,
                email: self.email,
                roles: role::parse(self.roles.iter().map(String::as_str)),
                state: State::from_code(&self.state).ok_or(Refusal::Broken)?,
                since: day::moment(self.since)?,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_last_word() {
        assert_eq!(initials("Thomas Brathwaite-Kowalczyk"), "TB");
        assert_eq!(initials("Siân"), "S");
        assert_eq!(initials("Joan Mary Whitlock (clerk)"), "JC");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn a_name_is_kept_as_given_but_tidy() {
        assert_eq!(tidy_name("  Siân   Edwards ").unwrap(), "Siân Edwards");
        // A joiner stands inside Persian names and between the parts of an emoji.
        for good in ["Ó", "علی\u{200c}رضا", "Sam 👩\u{200d}🏫", "D’Arcy O'Neil"] {
            assert_eq!(tidy_name(good).unwrap(), good);
        }
        for bad in [
            "",
            "   ",
            "\u{200d}",
            "a\u{202e}b",
            "a\u{0}b",
            &"x".repeat(121),
        ] {
            assert_eq!(tidy_name(bad), Err(Refusal::NameFormat), "{bad:?}");
        }
    }

    #[test]
    fn an_address_is_tidied_and_only_the_impossible_is_refused() {
        assert_eq!(
            tidy_email(" Clerk@Oakfield.Example ").unwrap(),
            "clerk@oakfield.example"
        );
        for good in [
            "o'brien+gov@mail.school.sch.uk",
            "a.b_c@xn--bcher-kva.example",
        ] {
            assert!(tidy_email(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "clerk",
            "clerk@",
            "@oakfield.example",
            "a b@c.de",
            "a@b",
            "a@b..c",
            "a@b.c, d@e.f",
            "<a@b.c>",
        ] {
            assert_eq!(tidy_email(bad), Err(Refusal::EmailFormat), "{bad:?}");
        }
    }
}
