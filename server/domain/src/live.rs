//! What a socket may watch, and what the log tells the hub: topics, events, and whose sockets an event closes.

use serde::Deserialize;
use uuid::Uuid;

use crate::{AccountId, Seq, role::Role};

/// WebSocket close code: removed, or a role was lost.
pub const CLOSE_REMOVED: u16 = 4403;
/// WebSocket close code: signed out or expired.
pub const CLOSE_SIGNED_OUT: u16 = 4401;

/// Something a page shows that can change. A frame names topics and never carries a record, so there is nothing to leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Who belongs to the tenant, and as what.
    People,
    /// The tenant's own settings.
    Settings,
    /// The person's own place, roles and sessions.
    Me,
    /// Who is here now. Not in the log: only the hub knows.
    Here,
    /// Folders and what lies in them, as far as each reads them.
    Library,
    /// One folder.
    Folder(Uuid),
    /// One document, with who has it open.
    Paper(Uuid),
    /// Who has a document open, and on which page. Not in the log: only the hub knows.
    Readers(Uuid),
    /// Approvals of papers, as far as each reads the paper.
    Approvals,
    /// Whose pupils are whose, and what is recorded of them: a word that something changed, and of whom to nobody.
    Caseload,
    /// One pupil.
    Pupil(Uuid),
    /// A word that a new picture of the school is there, and never anything of it.
    SchoolPicture,
}

/// How the log and the hub call [`Topic::Here`].
pub const HERE: &str = "here";

impl Topic {
    /// The topic of a name that a client sends; none for a name that is not in the list.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "people" => Self::People,
            "settings" => Self::Settings,
            "me" => Self::Me,
            HERE => Self::Here,
            "library" => Self::Library,
            "approvals" => Self::Approvals,
            "caseload" => Self::Caseload,
            "school-picture" => Self::SchoolPicture,
            _ => {
                let (noun, id) = name.split_once('/')?;
                // As it is written, and in no other way: a topic has one name.
                let id = Uuid::try_parse(id)
                    .ok()
                    .filter(|one| one.to_string() == id)?;
                match noun {
                    "folder" => Self::Folder(id),
                    "paper" => Self::Paper(id),
                    "readers" => Self::Readers(id),
                    "pupil" => Self::Pupil(id),
                    _ => return None,
                }
            }
        })
    }

    /// As clients say and see it.
    pub fn name(self) -> String {
        match self {
            Self::People => "people".to_owned(),
            Self::Settings => "settings".to_owned(),
            Self::Me => "me".to_owned(),
            Self::Here => HERE.to_owned(),
            Self::Library => "library".to_owned(),
            Self::Approvals => "approvals".to_owned(),
            Self::Caseload => "caseload".to_owned(),
            Self::SchoolPicture => "school-picture".to_owned(),
            Self::Folder(id) => format!("folder/{id}"),
            Self::Paper(id) => format!("paper/{id}"),
            Self::Readers(id) => format!("readers/{id}"),
            Self::Pupil(id) => format!("pupil/{id}"),
        }
    }

    /// Whether roles alone decide who may watch it; the others are of a record that some see and others do not.
    pub const fn is_by_role(self) -> bool {
        !matches!(
            self,
            Self::Folder(_) | Self::Paper(_) | Self::Readers(_) | Self::Pupil(_)
        )
    }

    /// As the log and the hub call it: the person's own topic carries whose it is.
    pub fn key(self, account: AccountId) -> String {
        match self {
            Self::Me => format!("me/{account}"),
            other => other.name(),
        }
    }
}

/// Whether somebody with these roles may watch the topic, as far as roles decide it. Parents and young people do not see who
/// belongs to the school.
pub fn is_for(topic: Topic, roles: &[Role]) -> bool {
    match topic {
        Topic::Me
        | Topic::Library
        | Topic::Folder(_)
        | Topic::Paper(_)
        | Topic::Readers(_)
        | Topic::Approvals => true,
        Topic::People | Topic::Here => roles
            .iter()
            .any(|role| !matches!(role, Role::Parent | Role::Member)),
        Topic::Settings => roles.iter().any(|role| role.manages_people()),
        Topic::Caseload | Topic::Pupil(_) => crate::pupil::is_for(roles),
        Topic::SchoolPicture => crate::pupil::sees_school(roles),
    }
}

/// The name under which a client sees a key of the log.
pub fn name_of(key: &str) -> &str {
    if key.starts_with("me/") { "me" } else { key }
}

/// The key under which the log says that somebody has chosen anew whether others see what they read. It is for the hub of each
/// process, which knows the papers; no client can watch it.
pub fn reading_key(account: AccountId) -> String {
    format!("reading/{account}")
}

/// Who chose, where the key says that somebody did.
pub fn who_chose_reading(key: &str) -> Option<AccountId> {
    Uuid::try_parse(key.strip_prefix("reading/")?).ok()
}

/// Most events of one tenant in one answer of the log.
pub const TAIL_MOST: usize = 512;

/// One event of a tenant's log, as far as sockets are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the tenant's log.
    pub seq: Seq,
    /// Keys of what changed.
    pub topics: Vec<String>,
    /// Whose sockets end with it.
    pub closes: Option<Kick>,
}

/// Whose sockets end with an event, and with which close code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Kick {
    /// Every socket of these people in the tenant.
    #[serde(default)]
    pub accounts: Vec<AccountId>,
    /// The sockets of these sessions.
    #[serde(default)]
    pub sessions: Vec<Uuid>,
    /// 4403 removed or role lost, 4401 signed out.
    pub code: u16,
}

impl Kick {
    /// Whether a socket of this person and session is among them.
    pub fn ends(&self, account: AccountId, session: Uuid) -> bool {
        self.accounts.contains(&account) || self.sessions.contains(&session)
    }
}

#[cfg(feature = "db")]
pub use queries::{dead, epoch, heads, may_watch, tail};

#[cfg(feature = "db")]
mod queries {
    use uuid::Uuid;

    use super::{Event, Topic, is_for};
    use crate::{
        Refusal, Seq, TenantId,
        db::{LiveDb, Read, refused},
    };

    /// Whether the caller may watch the topic, as of the snapshot. What is watched by id is looked up under the caller's seal.
    pub async fn may_watch(read: &mut Read, topic: Topic) -> Result<bool, Refusal> {
        let tenant = read.standing.tenant;
        match topic {
            Topic::Folder(id) => {
                sqlx::query_scalar!(r#"select $1 = any (sec.folders_read()) as "reads!""#, id)
                    .fetch_one(read.connection())
                    .await
            }
            Topic::Paper(id) | Topic::Readers(id) => {
                sqlx::query_scalar!(
                    r#"select exists (select from document where tenant_id = $1 and id = $2) as "reads!""#,
                    tenant,
                    id
                )
                .fetch_one(read.connection())
                .await
            }
            Topic::Pupil(id) => {
                sqlx::query_scalar!(
                    r#"select exists (select from pupil where tenant_id = $1 and id = $2) as "sees!""#,
                    tenant,
                    id
                )
                .fetch_one(read.connection())
                .await
            }
            other => return Ok(is_for(other, &read.standing.roles)),
        }
        .map_err(refused)
    }

    /// Where each tenant's log ends. A tenant that does not exist is left out.
    pub async fn heads(
        db: &LiveDb,
        tenants: &[TenantId],
    ) -> Result<Vec<(TenantId, Seq)>, sqlx::Error> {
        let rows = sqlx::query!(
            r#"select tenant_id as "tenant!", seq as "seq!" from sec.heads($1)"#,
            tenants
        )
        .fetch_all(db.pool())
        .await?;
        Ok(rows.into_iter().map(|row| (row.tenant, row.seq)).collect())
    }

    /// The next events of each tenant after its own seq, in order, at most [`super::TAIL_MOST`] of each.
    pub async fn tail(
        db: &LiveDb,
        cursors: &[(TenantId, Seq)],
    ) -> Result<Vec<(TenantId, Event)>, sqlx::Error> {
        let (tenants, after): (Vec<_>, Vec<_>) = cursors.iter().copied().unzip();
        let rows = sqlx::query!(
            r#"select tenant_id as "tenant!", seq as "seq!", topics as "topics!", closes from sec.tail($1, $2)"#,
            &tenants,
            &after
        )
        .fetch_all(db.pool())
        .await?;
        rows.into_iter()
            .map(|row| {
                let closes = row
                    .closes
                    .map(serde_json::from_value)
                    .transpose()
                    .map_err(|error| sqlx::Error::Decode(error.into()))?;
                Ok((
                    row.tenant,
                    Event {
                        seq: row.seq,
                        topics: row.topics,
                        closes,
                    },
                ))
            })
            .collect()
    }

    /// Those of the sessions that may hold a socket no longer.
    pub async fn dead(db: &LiveDb, sessions: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
        sqlx::query_scalar!(r#"select sec.sessions_dead($1) as "id!""#, sessions)
            .fetch_all(db.pool())
            .await
    }

    /// Which history the log is; a restored copy is another one.
    pub async fn epoch(db: &LiveDb) -> Result<Uuid, sqlx::Error> {
        sqlx::query_scalar!(r#"select sec.epoch() as "epoch!""#)
            .fetch_one(db.pool())
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_watches_nothing_but_their_own_place() {
        let may = |topic, roles: &[Role]| is_for(topic, roles);
        for topic in [Topic::People, Topic::Here] {
            assert!(may(topic, &[Role::Governor]) && may(topic, &[Role::Parent, Role::Governor]));
            assert!(
                !may(topic, &[Role::Parent])
                    && !may(topic, &[Role::Member, Role::Parent])
                    && !may(topic, &[])
            );
        }
        assert!(may(Topic::Settings, &[Role::Clerk]) && may(Topic::Settings, &[Role::SchoolAdmin]));
        assert!(!may(Topic::Settings, &[Role::Chair]));
        for topic in [Topic::Me, Topic::Library, Topic::Approvals] {
            assert!(may(topic, &[Role::Parent]));
        }
    }

    #[test]
    fn every_name_leads_back_to_its_topic() {
        let id = Uuid::from_u128(0xAB);
        for topic in [
            Topic::People,
            Topic::Settings,
            Topic::Me,
            Topic::Here,
            Topic::Library,
            Topic::Folder(id),
            Topic::Paper(id),
            Topic::Readers(id),
            Topic::Approvals,
            Topic::Caseload,
            Topic::Pupil(id),
            Topic::SchoolPicture,
        ] {
            assert_eq!(Topic::from_name(&topic.name()), Some(topic));
            assert_eq!(name_of(&topic.key(Uuid::from_u128(7))), topic.name());
        }
        let braced = format!("paper/{{{id}}}");
        for other in [
            "paper/",
            "paper/7",
            "paper",
            &braced,
            &format!("paper/{}", id.simple()),
        ] {
            assert_eq!(Topic::from_name(other), None, "{other}");
        }
    }

    #[test]
    fn nobody_names_another_persons_own_topic() {
        let margaret = Uuid::from_u128(7);
        let chosen = reading_key(margaret);
        assert_eq!(who_chose_reading(&chosen), Some(margaret));
        assert_eq!(Topic::from_name(&chosen), None);
        assert_eq!(who_chose_reading(&Topic::Readers(margaret).name()), None);
        assert_eq!(Topic::from_name(&Topic::Me.key(margaret)), None);
        assert_eq!(Topic::from_name("me/"), None);
        assert_eq!(Topic::from_name("People"), None);
    }
}
