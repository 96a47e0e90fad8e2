//! Six parents, eight children and sixty-four entries of Oakfield, one child of Northgate, and chance.

use super::{CHILDREN, ENTRIES, Model, PARENTS, child_of};
use crate::{
    pupil::SENCO,
    scene::{ADMIN, Scene},
};
use domain::{
    AccountId, MembershipId, Seq,
    db::{Caller, LiveDb, MailDb},
};
use std::{collections::BTreeSet, fmt::Write as _};
use testing::Role;
use time::OffsetDateTime;
use uuid::Uuid;

/// Whom a parent can ask, as the school says it.
pub const TALK_TO: &str = "Mrs Beaumont, room 4";

pub struct Parent {
    pub email: String,
    pub account: AccountId,
    pub place: MembershipId,
    pub caller: Caller,
    /// They want a letter for each thing that is new.
    pub at_once: bool,
}

/// What was put on record, and of which record.
#[derive(Clone, Copy)]
pub struct Put {
    pub id: Uuid,
    pub record: Uuid,
}

/// What a parent has at Northgate, where they also have a child.
pub struct Elsewhere {
    pub caller: Caller,
    pub child: Uuid,
    pub entry: Uuid,
}

/// Numbers by chance, the same for the same seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most).unwrap()).unwrap()
    }
}

pub struct World {
    pub scene: Scene,
    pub admin: Caller,
    pub author: Caller,
    pub author_place: MembershipId,
    pub parents: Vec<Parent>,
    pub children: Vec<Uuid>,
    pub entries: Vec<Put>,
    pub elsewhere: Elsewhere,
    /// Every pupil, record and entry that there ever was, with whose it is: none of them is anybody else's.
    pub kept: BTreeSet<Uuid>,
    pub model: Model,
    pub random: Random,
    pub worker: MailDb,
    pub live: LiveDb,
    /// How far the log was looked at.
    pub seq: Seq,
    /// The keys of what changed since a parent's socket was looked at.
    pub heard: Vec<String>,
    pub morning: OffsetDateTime,
}

fn numbered(n: usize) -> Uuid {
    Uuid::from_u128(u128::try_from(n).unwrap())
}

/// How a child is called, by a name that nobody else bears.
pub fn surname(child: usize) -> String {
    format!("Quillfeather{child}")
}

/// What is on record in an entry, word for word.
pub fn words(entry: usize) -> String {
    format!("Published{entry:02}")
}

impl World {
    pub async fn new() -> Self {
        let mut scene = Scene::new().await;
        scene.no_board().await;
        scene.quiet().await;
        let morning = scene.monday().await;
        let (admin, author) = (scene.caller(ADMIN).await, scene.caller(SENCO).await);
        let author_place = scene.place(SENCO).await;
        let children: Vec<Uuid> = (0..CHILDREN).map(|n| numbered(0x1000 + n)).collect();
        let entries: Vec<Put> = (0..ENTRIES)
            .map(|n| Put {
                id: numbered(0x2000 + n),
                record: numbered(0x3000 + n),
            })
            .collect();
        let mut parents = Vec::new();
        for n in 0..PARENTS {
            let email = format!("guardian{n}@home.example");
            let name = format!("Guardian {n}");
            scene
                .behind
                .join("oakfield", &email, &name, &["member", "parent"])
                .await;
            parents.push(Parent {
                account: scene.behind.account(&email).await,
                place: scene.place(&email).await,
                caller: scene.caller(&email).await,
                at_once: n == PARENTS - 1,
                email,
            });
        }
        let elsewhere = elsewhere(&mut scene, &parents[0].email).await;
        let seed = scene
            .text("select (random() * 1e15)::bigint::text")
            .await
            .parse::<u64>()
            .unwrap();
        let worker = scene.worker();
        let live = LiveDb::new(scene.fresh.options(Role::Live), 1);
        let mut kept: BTreeSet<Uuid> = children.iter().copied().collect();
        kept.extend(entries.iter().flat_map(|put| [put.id, put.record]));
        kept.extend([elsewhere.child, elsewhere.entry]);
        let mut world = Self {
            scene,
            admin,
            author,
            author_place,
            parents,
            children,
            entries,
            elsewhere,
            kept,
            model: Model::new(),
            random: Random(seed | 1),
            worker,
            live,
            seq: 0,
            heard: Vec::new(),
            morning,
        };
        let setup = world.setup();
        world.run(setup).await;
        world.seq = world.scene.log_at().await.parse().unwrap();
        world
    }

    /// Everybody linked to every child and none of it open; of each child three weeks of check-ins, whose level tells whose
    /// they are.
    fn setup(&self) -> String {
        let (tenant, author) = (self.scene.oakfield, self.author_place);
        let mut sql = format!(
            "insert into record_rule (tenant_id, talk_to) values ('{tenant}', '{TALK_TO}')
               on conflict on constraint record_rule_pkey do update set talk_to = excluded.talk_to, trend = false;"
        );
        for (n, child) in self.children.iter().enumerate() {
            sql.push_str(&pupil(tenant, *child, &surname(n)));
            for week in 0..3 {
                let record = numbered(0x4000 + 16 * n + week);
                write!(
                    sql,
                    "insert into record (tenant_id, id, kind, happened_at, author_id)
                       values ('{tenant}', '{record}', 'check_in', now() - interval '{week} weeks', '{author}');
                     insert into record_pupil values ('{tenant}', '{record}', '{child}', 1, 'subject');
                     insert into record_version (tenant_id, record_id, number, body, detail, made_by)
                       values ('{tenant}', '{record}', 1, 'Withheld', '{{\"of\":\"plain\"}}', '{author}');
                     insert into score
                       values ('{tenant}', '{record}', 1, '{child}', 'settled', {}, current_date - 7 * {week});",
                    level(n)
                )
                .unwrap();
            }
        }
        for parent in &self.parents {
            write!(
                sql,
                "insert into guardian_link (tenant_id, membership_id, pupil_id, relation, linked_by, ended_at)
                   select tenant_id, '{}', id, 'other', '{author}', now() from pupil where tenant_id = '{tenant}';",
                parent.place
            )
            .unwrap();
            if parent.at_once {
                write!(
                    sql,
                    "insert into notice_choice (tenant_id, membership_id, mail) values ('{tenant}', '{}', 'at_once');",
                    parent.place
                )
                .unwrap();
            }
        }
        for (n, put) in self.entries.iter().enumerate() {
            let child = self.children[child_of(n)];
            sql.push_str(&entry(tenant, author, *put, child, &words(n)));
        }
        sql
    }

    pub async fn run(&mut self, sql: String) {
        sqlx::Executor::execute(
            &mut *self.scene.behind,
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)),
        )
        .await
        .unwrap();
    }

    pub fn entries_of(&self, entries: &BTreeSet<usize>) -> BTreeSet<Uuid> {
        entries.iter().map(|n| self.entries[*n].id).collect()
    }

    pub fn children_of(&self, children: &BTreeSet<usize>) -> BTreeSet<Uuid> {
        children.iter().map(|n| self.children[*n]).collect()
    }
}

/// The level that a child has every week.
pub const fn level(child: usize) -> usize {
    1 + child % 5
}

fn pupil(tenant: Uuid, id: Uuid, surname: &str) -> String {
    format!(
        "insert into pupil (tenant_id, id, first_name, last_name, born, year_group)
         values ('{tenant}', '{id}', 'Robin', '{surname}', '2017-03-04', '4');"
    )
}

fn entry(tenant: Uuid, author: Uuid, Put { id, record }: Put, child: Uuid, words: &str) -> String {
    format!(
        "insert into record (tenant_id, id, kind, happened_at, author_id)
           values ('{tenant}', '{record}', 'observation', now(), '{author}');
         insert into record_pupil values ('{tenant}', '{record}', '{child}', 1, 'subject');
         insert into record_version (tenant_id, record_id, number, body, detail, made_by)
           values ('{tenant}', '{record}', 1, 'Withheld', '{{\"of\":\"plain\"}}', '{author}');
         insert into on_record (tenant_id, id, record_id, number, pupil_id, kind, happened_at, words, put_by, opens_at)
           select tenant_id, '{id}', id, 1, '{child}', kind, happened_at, '{words}', author_id, now() + interval '1 hour'
           from record where id = '{record}';"
    )
}

async fn elsewhere(scene: &mut Scene, email: &str) -> Elsewhere {
    let tenant = scene.northgate;
    scene
        .behind
        .join("northgate", email, "Guardian elsewhere", &["parent"])
        .await;
    let place = scene.behind.membership("northgate", email).await;
    let author = scene
        .text(&format!(
            "select id::text from membership where tenant_id = '{tenant}' and 'school_admin' = any (roles) limit 1"
        ))
        .await
        .parse()
        .unwrap();
    let child = numbered(0x5001);
    let put = Put {
        id: numbered(0x5002),
        record: numbered(0x5003),
    };
    let sql = [
        pupil(tenant, child, "Larkspur"),
        entry(tenant, author, put, child, "Elsewhere"),
        format!(
            "update on_record set put_at = now() - interval '2 hours', opens_at = now() - interval '1 hour', told_at = now()
               where id = '{}';
             insert into guardian_link (tenant_id, membership_id, pupil_id, relation, linked_by)
               values ('{tenant}', '{place}', '{child}', 'other', '{author}');",
            put.id
        ),
    ]
    .concat();
    sqlx::Executor::execute(&mut *scene.behind, sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
        .await
        .unwrap();
    Elsewhere {
        caller: scene.behind.caller("northgate", email).await,
        child,
        entry: put.id,
    }
}
