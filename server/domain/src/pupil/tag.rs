//! Context tags: what a school knows of a pupil's circumstances. Each kind is off until the school says what it is for; values are
//! sealed with the tenant's own key before the database has them, end with the school year unless renewed, and leave a trail that is
//! sealed as they are.

#[cfg(feature = "db")]
pub mod ending;

use serde::{Deserialize, Serialize};

use super::{
    code::{Ethnicity, Sen},
    field::TagKind,
};

/// What is known of a pupil, opened for who may read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Which circumstance.
    pub kind: TagKind,
    /// As the import and the forms write it: "K", "WBRI", "yes".
    pub value: String,
    /// Since when it is that, RFC 3339 in UTC; renewing it changes nothing of this.
    pub since: Option<String>,
    /// Its last day, 2027-08-31.
    pub expires_on: String,
}

/// The values that a kind has, as they are kept and as people read them; none for what is written freely.
pub fn choices(kind: TagKind) -> Option<Vec<(&'static str, &'static str)>> {
    Some(match kind {
        TagKind::Ethnicity => Ethnicity::ALL
            .iter()
            .map(|one| (one.code(), one.name()))
            .collect(),
        TagKind::Sen => Sen::ALL
            .iter()
            .map(|one| (one.code(), one.name()))
            .collect(),
        TagKind::HomeLanguage => return None,
        _ => vec![("yes", "Yes"), ("no", "No")],
    })
}

/// A value as people read it: "SEN support" for "K".
pub fn words(kind: TagKind, value: &str) -> String {
    choices(kind)
        .into_iter()
        .flatten()
        .find_map(|(code, name)| (code == value).then_some(name))
        .unwrap_or(value)
        .to_owned()
}

/// A line of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which circumstance.
    pub kind: TagKind,
    /// What was done.
    pub why: Why,
    /// What it was before; none where there was nothing, or the school has switched the kind off since.
    pub was: Option<String>,
    /// What it became; none as above.
    pub became: Option<String>,
    /// By whom; none for what the clock did.
    pub by: Option<String>,
    /// When, RFC 3339 in UTC.
    pub at: String,
}

/// What was done to a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It was given, or given another value.
    Set,
    /// It was taken away.
    Removed,
    /// It holds for another school year.
    Renewed,
    /// Its school year was over.
    Expired,
}

impl Why {
    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Set => "Set",
            Self::Removed => "Removed",
            Self::Renewed => "Renewed",
            Self::Expired => "Ended with the school year",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "set" => Self::Set,
            "removed" => Self::Removed,
            "renewed" => Self::Renewed,
            "expired" => Self::Expired,
            _ => return None,
        })
    }
}

#[cfg(feature = "db")]
pub(crate) use queries::{Keeper, give_way, kept, sealed, values_at};
#[cfg(feature = "db")]
pub use queries::{everybody, may_renew, of_pupil, on, remove, renew, set, trail};

#[cfg(feature = "db")]
mod queries {
    use std::collections::{BTreeMap, HashMap};

    use sqlx::PgConnection;
    use time::{Date, OffsetDateTime};
    use uuid::Uuid;

    use super::{Change, Tag, TagKind, Why};
    use crate::{
        Refusal, TenantId,
        day::{self, moment},
        db::{MailDb, Read, Write, refused, refused_quietly},
        event::Act,
        pupil::{
            Fault, code,
            field::{Field, tidy},
            year::SchoolYear,
        },
        secret::{Secrets, TenantKey},
    };

    /// Table and column, under which the values are sealed.
    const COLUMN: &str = "tag sealed";

    fn row(pupil: Uuid, kind: TagKind) -> String {
        format!("{pupil}|{}", kind.code())
    }

    /// A value as it lies in the table.
    pub(crate) fn sealed(
        key: &TenantKey,
        pupil: Uuid,
        kind: TagKind,
        value: &str,
    ) -> Result<Vec<u8>, Refusal> {
        key.seal(COLUMN, &row(pupil, kind), value)
    }

    /// The newest key of a tenant's own; none before the first value was sealed.
    async fn key(
        connection: &mut PgConnection,
        secrets: &Secrets,
        tenant: TenantId,
    ) -> Result<Option<TenantKey>, Refusal> {
        let found = sqlx::query!(
            "select number, wrapped from tenant_key where tenant_id = $1 order by number desc limit 1",
            tenant
        )
        .fetch_optional(connection)
        .await
        .map_err(refused)?;
        found
            .map(|row| {
                let number = u8::try_from(row.number).map_err(|_| Refusal::Broken)?;
                secrets.unwrap(tenant, number, &row.wrapped)
            })
            .transpose()
    }

    /// The same, made where there is none yet. Two who make it at once use the one that was first.
    async fn own_key(write: &mut Write, secrets: &Secrets) -> Result<TenantKey, Refusal> {
        let tenant = write.standing.tenant;
        if let Some(key) = key(write.connection(), secrets, tenant).await? {
            return Ok(key);
        }
        let (_, wrapped) = secrets.tenant_key(tenant, 1)?;
        sqlx::query!(
            "insert into tenant_key (tenant_id, number, wrapped) values ($1, 1, $2) on conflict do nothing",
            tenant,
            wrapped
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        key(write.connection(), secrets, tenant)
            .await?
            .ok_or(Refusal::Broken)
    }

    /// Who seals and opens values, for those who set many at once.
    pub(crate) struct Keeper(TenantKey);

    impl Keeper {
        /// The kinds that are the writer's to set.
        pub(crate) async fn kinds(write: &mut Write) -> Result<Vec<TagKind>, Refusal> {
            kinds_on(write.connection()).await
        }

        /// With the tenant's own key, made where there is none yet.
        pub(crate) async fn new(write: &mut Write, secrets: &Secrets) -> Result<Self, Refusal> {
            Ok(Self(own_key(write, secrets).await?))
        }

        pub(crate) fn seal(
            &self,
            pupil: Uuid,
            kind: TagKind,
            value: &str,
        ) -> Result<Vec<u8>, Refusal> {
            self.0.seal(COLUMN, &row(pupil, kind), value)
        }

        pub(crate) fn open(
            &self,
            pupil: Uuid,
            kind: TagKind,
            sealed: &[u8],
        ) -> Result<String, Refusal> {
            self.0.open(COLUMN, &row(pupil, kind), sealed)
        }
    }

    /// The kinds that the school has switched on and the caller may read, in the order of [`TagKind::ALL`].
    pub async fn on(read: &mut Read) -> Result<Vec<TagKind>, Refusal> {
        kinds_on(read.connection()).await
    }

    async fn kinds_on(connection: &mut PgConnection) -> Result<Vec<TagKind>, Refusal> {
        let codes = sqlx::query_scalar!(r#"select sec.tags_on() as "on!""#)
            .fetch_one(connection)
            .await
            .map_err(refused)?;
        Ok(TagKind::ALL
            .iter()
            .copied()
            .filter(|kind| codes.iter().any(|code| code == kind.code()))
            .collect())
    }

    /// What is known of a pupil, as far as the caller may read it: nothing for who sees no tags, as for a pupil without any.
    pub async fn of_pupil(
        read: &mut Read,
        secrets: &Secrets,
        pupil: Uuid,
    ) -> Result<Vec<Tag>, Refusal> {
        let tenant = read.standing.tenant;
        let Some(key) = key(read.connection(), secrets, tenant).await? else {
            return Ok(vec![]);
        };
        let rows = sqlx::query!(
            r#"select t.kind, t.sealed, t.expires_on, (
                 select max(c.at) from tag_change c
                 where c.tenant_id = t.tenant_id and c.pupil_id = t.pupil_id and c.kind = t.kind and c.why = 'set') as since
               from tag t where t.tenant_id = $1 and t.pupil_id = $2"#,
            tenant,
            pupil
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut tags = Vec::with_capacity(rows.len());
        for found in rows {
            let kind = TagKind::from_code(&found.kind).ok_or(Refusal::Broken)?;
            tags.push(Tag {
                kind,
                value: key.open(COLUMN, &row(pupil, kind), &found.sealed)?,
                since: found.since.map(moment).transpose()?,
                expires_on: day::field(found.expires_on),
            });
        }
        tags.sort_by_key(|tag| tag.kind);
        Ok(tags)
    }

    /// What is known of every pupil here now, for a picture of the school. As far as the caller may read it.
    pub async fn everybody(
        read: &mut Read,
        secrets: &Secrets,
    ) -> Result<HashMap<Uuid, BTreeMap<TagKind, String>>, Refusal> {
        let tenant = read.standing.tenant;
        let mut all: HashMap<Uuid, BTreeMap<TagKind, String>> = HashMap::new();
        let Some(key) = key(read.connection(), secrets, tenant).await? else {
            return Ok(all);
        };
        let rows = sqlx::query!(
            "select t.pupil_id, t.kind, t.sealed from tag t
             join pupil p on p.tenant_id = t.tenant_id and p.id = t.pupil_id and p.left_on is null
             where t.tenant_id = $1",
            tenant
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        for found in rows {
            let kind = TagKind::from_code(&found.kind).ok_or(Refusal::Broken)?;
            let value = key.open(COLUMN, &row(found.pupil_id, kind), &found.sealed)?;
            all.entry(found.pupil_id).or_default().insert(kind, value);
        }
        Ok(all)
    }

    /// What was known at a moment of every pupil, those who have left among them, of these kinds: what is known now, with
    /// what changed since as it was before. As far as the caller may read it. It leaves this process only as a count with
    /// small groups hidden.
    pub(crate) async fn values_at(
        read: &mut Read,
        secrets: &Secrets,
        kinds: &[TagKind],
        at: OffsetDateTime,
    ) -> Result<HashMap<(Uuid, TagKind), String>, Refusal> {
        let tenant = read.standing.tenant;
        let mut all = HashMap::new();
        let Some(key) = key(read.connection(), secrets, tenant).await? else {
            return Ok(all);
        };
        let kinds: Vec<String> = kinds.iter().map(|kind| kind.code().to_owned()).collect();
        let rows = sqlx::query!(
            r#"with since as (
                 select distinct on (c.pupil_id, c.kind) c.pupil_id, c.kind, c.was from tag_change c
                 where c.tenant_id = $1 and c.kind = any ($2) and c.at > $3 order by c.pupil_id, c.kind, c.at, c.id
               )
               select pupil_id as "pupil_id!", kind as "kind!", was as sealed from since
               union all
               select t.pupil_id, t.kind, t.sealed from tag t
               where t.tenant_id = $1 and t.kind = any ($2)
                 and not exists (select from since s where s.pupil_id = t.pupil_id and s.kind = t.kind)"#,
            tenant,
            &kinds,
            at
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        for found in rows {
            let kind = TagKind::from_code(&found.kind).ok_or(Refusal::Broken)?;
            if let Some(sealed) = found.sealed {
                let value = key.open(COLUMN, &row(found.pupil_id, kind), &sealed)?;
                all.insert((found.pupil_id, kind), value);
            }
        }
        Ok(all)
    }

    /// Who tagged a pupil with what, when, and what it was before: the newest first. As far as the caller may read it.
    pub async fn trail(
        read: &mut Read,
        secrets: &Secrets,
        pupil: Uuid,
    ) -> Result<Vec<Change>, Refusal> {
        let tenant = read.standing.tenant;
        let Some(key) = key(read.connection(), secrets, tenant).await? else {
            return Ok(vec![]);
        };
        let rows = sqlx::query!(
            r#"select c.kind, c.why, c.was, c.became, c.at, m.name as "by?" from tag_change c
               left join membership m on m.tenant_id = c.tenant_id and m.id = c.by_id
               where c.tenant_id = $1 and c.pupil_id = $2 order by c.at desc, c.id desc"#,
            tenant,
            pupil
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|found| {
                let kind = TagKind::from_code(&found.kind).ok_or(Refusal::Broken)?;
                let open = |sealed: Option<Vec<u8>>| {
                    sealed
                        .map(|sealed| key.open(COLUMN, &row(pupil, kind), &sealed))
                        .transpose()
                };
                Ok(Change {
                    kind,
                    why: Why::from_code(&found.why).ok_or(Refusal::Broken)?,
                    was: open(found.was)?,
                    became: open(found.became)?,
                    by: found.by,
                    at: moment(found.at)?,
                })
            })
            .collect()
    }

    /// A value as it is kept. Refuses [`Fault::TagValue`] for what is none of its kind.
    pub(crate) fn kept(kind: TagKind, typed: &str) -> Result<String, Refusal> {
        let wrong = |_| Fault::TagValue;
        Ok(match kind {
            TagKind::Ethnicity => code::Ethnicity::from_code(typed.trim())
                .ok_or(Fault::TagValue)?
                .code()
                .to_owned(),
            TagKind::Sen => code::Sen::from_code(typed.trim())
                .ok_or(Fault::TagValue)?
                .code()
                .to_owned(),
            TagKind::HomeLanguage => {
                let language = tidy(Field::HomeLanguage, typed).map_err(|_| Fault::TagValue)?;
                if language.len() > 63 {
                    return Err(Fault::TagValue.into());
                }
                language
            }
            _ => {
                let yes = code::yes_no(typed)
                    .map_err(wrong)?
                    .ok_or(Fault::TagValue)?
                    .value;
                if yes { "yes" } else { "no" }.to_owned()
            }
        })
    }

    /// Sets what is known of a pupil, until the school year is over. Refuses [`Fault::TagOff`] for a kind that the school has not
    /// switched on, or that is not the caller's to set, and [`Refusal::Stale`] for what it is already. What is over gives way to it.
    pub async fn set(
        write: &mut Write,
        secrets: &Secrets,
        pupil: Uuid,
        kind: TagKind,
        typed: &str,
        today: Date,
    ) -> Result<Act, Refusal> {
        may(write, kind).await?;
        let value = kept(kind, typed)?;
        let tenant = write.standing.tenant;
        let key = own_key(write, secrets).await?;
        give_way(write, &[pupil]).await?;
        let was = sqlx::query_scalar!(
            "select sealed from tag where tenant_id = $1 and pupil_id = $2 and kind = $3 for update",
            tenant,
            pupil,
            kind.code()
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?;
        if let Some(was) = was
            && key.open(COLUMN, &row(pupil, kind), &was)? == value
        {
            return Err(Refusal::Stale);
        }
        let sealed = sealed(&key, pupil, kind, &value)?;
        sqlx::query!(
            "insert into tag (tenant_id, pupil_id, kind, sealed, expires_on) values ($1, $2, $3, $4, $5)
             on conflict on constraint tag_once_key do update set sealed = excluded.sealed, expires_on = excluded.expires_on",
            tenant,
            pupil,
            kind.code(),
            sealed,
            SchoolYear::of(today).last_day()
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::tag_set(pupil, kind))
    }

    /// Ends what is over of these pupils, before something is set in its place: until the next upkeep it lies there unseen.
    pub(crate) async fn give_way(write: &mut Write, pupils: &[Uuid]) -> Result<(), Refusal> {
        sqlx::query_scalar!("select sec.tags_give_way($1)", pupils)
            .fetch_one(write.connection())
            .await
            .map_err(refused)?;
        Ok(())
    }

    /// Takes away what is known of a pupil. Refuses as [`set`] does, and [`Refusal::Stale`] where there is nothing.
    pub async fn remove(write: &mut Write, pupil: Uuid, kind: TagKind) -> Result<Act, Refusal> {
        may(write, kind).await?;
        let tenant = write.standing.tenant;
        let gone = sqlx::query!(
            "delete from tag where tenant_id = $1 and pupil_id = $2 and kind = $3",
            tenant,
            pupil,
            kind.code()
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        match gone.rows_affected() {
            0 => Err(Refusal::Stale),
            _ => Ok(Act::tag_removed(pupil, kind)),
        }
    }

    /// Whether tags are renewed on that day: from June on.
    pub fn may_renew(today: Date) -> bool {
        day::months_after(today, 3) > SchoolYear::of(today).last_day()
    }

    /// Renews every tag of a kind for the school year after this one, from June on; before, it would outlive the purpose of two years.
    /// Refuses [`Fault::RenewEarly`], and [`Refusal::Stale`] where nothing is left to renew.
    pub async fn renew(write: &mut Write, kind: TagKind, today: Date) -> Result<Act, Refusal> {
        may(write, kind).await?;
        if !may_renew(today) {
            return Err(Fault::RenewEarly.into());
        }
        let year = SchoolYear::of(today);
        let tenant = write.standing.tenant;
        let renewed = sqlx::query!(
            "update tag set expires_on = $3 where tenant_id = $1 and kind = $2 and expires_on < $3",
            tenant,
            kind.code(),
            year.next().last_day()
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        match renewed.rows_affected() {
            0 => Err(Refusal::Stale),
            many => Ok(Act::tag_renewed(
                &[kind],
                usize::try_from(many).unwrap_or(usize::MAX),
                &[],
            )),
        }
    }

    pub(super) async fn may(write: &mut Write, kind: TagKind) -> Result<(), Refusal> {
        let may = sqlx::query_scalar!(r#"select $1 = any (sec.tags_on()) as "may!""#, kind.code())
            .fetch_one(write.connection())
            .await
            .map_err(refused)?;
        if may {
            Ok(())
        } else {
            Err(Fault::TagOff.into())
        }
    }

    impl MailDb {
        /// Ends the tags whose school year is over. Returns how many.
        pub async fn tags_expire(&self) -> Result<i32, Refusal> {
            sqlx::query_scalar!(r#"select sec.tags_expire() as "gone!""#)
                .fetch_one(self.pool())
                .await
                .map_err(refused_quietly)
        }
    }
}
