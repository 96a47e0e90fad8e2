//! A demo installation, and what a test does and looks up there.

use crate::pupil::Roll;
use domain::{
    MembershipId, Refusal, TenantId,
    db::{Caller, Db, MailDb},
    demo,
    factor::{self, Secret},
    mailing::{Kind, LinkToken, Wanted},
    membership::{self, Person},
    password::Hasher,
    recovery,
    role::Role as Held,
    session::{self, Live, Needs, SignIn, Token},
};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use std::sync::atomic::{AtomicU64, Ordering};
use testing::{Behind, Fresh, Role, code_at, secrets};

pub const ADMIN: &str = "admin@oakfield.example";
pub const CLERK: &str = "clerk@oakfield.example";
pub const JOAN: &str = "clerk@beacon.example";
pub const CHAIR: &str = "chair@oakfield.example";
pub const GOVERNOR: &str = "governor1@oakfield.example";
pub const TEACHER: &str = "teacher1@oakfield.example";
pub const PARENT: &str = "parent1@oakfield.example";
pub const PLACE: &str = "Oakfield Primary School";
pub const NEW_PASSWORD: &str = "violet granite pelican saffron";

pub struct Scene {
    pub fresh: Fresh,
    pub behind: Behind,
    pub db: Db,
    pub hasher: Hasher,
    pub oakfield: TenantId,
    pub northgate: TenantId,
    clock: AtomicU64,
}

impl Scene {
    pub async fn new() -> Self {
        let fresh = Fresh::demo().await;
        let mut behind = fresh.behind().await;
        let (oakfield, northgate) = (
            behind.tenant("oakfield").await,
            behind.tenant("northgate").await,
        );
        let db = Db::new(fresh.options(Role::Web), 8);
        // Ten threads have a queue that two hundred guesses fit into.
        Self {
            fresh,
            behind,
            db,
            hasher: Hasher::new(10).unwrap(),
            oakfield,
            northgate,
            clock: AtomicU64::new(1_800_000_000),
        }
    }

    /// The demo, and its administrator signed in.
    pub async fn with_admin() -> (Self, Caller) {
        let mut scene = Self::new().await;
        let admin = scene.caller(ADMIN).await;
        (scene, admin)
    }

    /// The demo, with six pupils of whom Imran and Jasmine see some.
    pub async fn with_roll() -> (Self, Roll) {
        let mut scene = Self::new().await;
        let roll = scene.roll().await;
        (scene, roll)
    }

    pub async fn try_password(
        &self,
        email: &str,
        password: &str,
    ) -> Result<(Token, Needs), Refusal> {
        self.try_from(email, password, Some(self.oakfield), false, None)
            .await
    }

    pub async fn try_from(
        &self,
        email: &str,
        password: &str,
        tenant: Option<TenantId>,
        shared: bool,
        known: Option<Token>,
    ) -> Result<(Token, Needs), Refusal> {
        let ask = SignIn {
            email,
            password,
            tenant,
            shared,
            agent: "Firefox on Windows",
            known,
        };
        session::sign_in(&self.db, &self.hasher, ask).await
    }

    /// The next code of the demo's app: each call is a time step later.
    pub fn next_code(&self) -> (String, u64) {
        let now = self.clock.fetch_add(60, Ordering::Relaxed);
        (code_at(&demo_factor(), now), now)
    }

    pub async fn live(&self, token: Token) -> Option<Live> {
        session::live(&self.db, token).await.unwrap()
    }

    /// All the way in, by password and code.
    pub async fn sign_in(&self, email: &str) -> Token {
        let (token, needs) = self.try_password(email, demo::PASSWORD).await.unwrap();
        assert_eq!(needs, Needs::Factor);
        self.pass(token).await.unwrap()
    }

    pub async fn pass(&self, token: Token) -> Result<Token, Refusal> {
        let (code, now) = self.next_code();
        let live = self.live(token).await.unwrap();
        factor::pass(&self.db, &secrets(), token, &live, &code, now).await
    }

    pub fn at_oakfield(&self, token: Token) -> Caller {
        Caller {
            token,
            tenant: self.oakfield,
        }
    }

    pub async fn is_in(&self, token: Token) -> bool {
        self.db.read(&self.at_oakfield(token)).await.is_ok()
    }

    pub async fn sql(&mut self, sql: &str) -> u64 {
        self.behind
            .execute(AssertSqlSafe(sql.to_owned()))
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
            .rows_affected()
    }

    pub async fn text(&mut self, sql: &str) -> String {
        let row = self
            .behind
            .fetch_one(AssertSqlSafe(sql.to_owned()))
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        row.get::<Option<String>, _>(0).unwrap_or_default()
    }

    /// Rewrites a function of the database, to see that a test notices.
    pub async fn rewrite(&mut self, function: &str, from: &str, to: &str) {
        let text = self
            .text(&format!(
                "select pg_get_functiondef('{function}'::regprocedure)"
            ))
            .await;
        assert!(
            text.contains(from),
            "{function} does not say {from}: {text}"
        );
        self.sql(&text.replace(from, to)).await;
    }

    /// What the worker mails next, with the link's token.
    pub async fn mailed(&self, kind: Kind) -> Option<LinkToken> {
        let mail = MailDb::new(self.fresh.options(Role::Worker), 1);
        let wanted: Vec<Wanted> = mail.wanted().await.unwrap();
        let mut token = None;
        for one in wanted {
            mail.queued(one.tenant, one.seq).await.unwrap();
            let new = LinkToken::random().unwrap();
            if one.kind == kind && mail.issue(&one, &new).await.unwrap().is_some() {
                token = Some(new);
            }
        }
        mail.close().await;
        token
    }

    /// Invites somebody to Oakfield, as the clerk.
    pub async fn invite(&mut self, name: &str, email: &str) -> Option<LinkToken> {
        let clerk = self.behind.caller("oakfield", CLERK).await;
        let mut write = self.db.write(&clerk).await.unwrap();
        let (_, act) = membership::add(&mut write, name, email, &[Held::Governor])
            .await
            .unwrap();
        write.commit(act).await.unwrap();
        self.mailed(Kind::Invitation).await
    }

    pub async fn asks_reset(&self, email: &str) -> Option<LinkToken> {
        recovery::ask_reset(&self.db, email, Some(self.oakfield))
            .await
            .unwrap();
        self.mailed(Kind::Reset).await
    }

    pub async fn caller(&mut self, email: &str) -> Caller {
        self.behind.caller("oakfield", email).await
    }

    pub async fn place(&mut self, email: &str) -> MembershipId {
        self.behind.membership("oakfield", email).await
    }

    pub async fn people(&self, caller: &Caller) -> Vec<Person> {
        let mut read = self.db.read(caller).await.unwrap();
        membership::list(&mut read).await.unwrap()
    }

    pub async fn state(&mut self, email: &str) -> String {
        let place = self.place(email).await;
        self.text(&format!(
            "select state from membership where id = '{place}'"
        ))
        .await
    }

    /// Nasreen as an active clerk again, whatever became of her, with a new session.
    pub async fn behind_clerk(&mut self, place: MembershipId) -> Caller {
        // Triggers hold the steps of a membership also for a superuser.
        self.behind
            .execute(AssertSqlSafe(format!(
                "set session_replication_role = replica;
                 update membership set state = 'active', roles = '{{clerk}}', joined_at = coalesce(joined_at, now()), suspended_at = null, ended_at = null,
                   version = version + 1 where id = '{place}';
                 set session_replication_role = origin"
            )))
            .await
            .unwrap();
        self.caller(CLERK).await
    }
}

pub fn demo_factor() -> Secret {
    Secret::from_bytes(b"Hello!\xDE\xAD\xBE\xEF".to_vec())
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
