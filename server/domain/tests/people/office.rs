//! The verbs of a board, each one change by one person, all the way; and the same with the row policies alone in the way.

use crate::{
    change::change,
    scene::{Scene, hex},
};
use domain::{
    MembershipId, Refusal,
    board::{self, Board, Category, Facts, Interest, Register, Rule, Why, interest::Kind},
    db::{Caller, Db},
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _};
use time::{Date, Duration};
use uuid::Uuid;

pub async fn open_seat(
    db: &Db,
    caller: &Caller,
    category: Category,
    appointed_by: &str,
    from: Date,
) -> Result<Uuid, Refusal> {
    change(db, caller, async |write| {
        board::open_seat(write, category, appointed_by, from).await
    })
    .await
}

pub async fn close_seat(db: &Db, caller: &Caller, seat: Uuid, on: Date) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), board::close_seat(write, seat, on).await?))
    })
    .await
}

pub async fn start(
    db: &Db,
    caller: &Caller,
    seat: Uuid,
    person: MembershipId,
    from: Date,
    to: Option<Date>,
) -> Result<Uuid, Refusal> {
    change(db, caller, async |write| {
        board::start_term(write, seat, person, from, to).await
    })
    .await
}

pub async fn end(
    db: &Db,
    caller: &Caller,
    term: Uuid,
    last: Date,
    why: Why,
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), board::end_term(write, term, last, why).await?))
    })
    .await
}

pub async fn drop_term(db: &Db, caller: &Caller, term: Uuid, today: Date) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), board::drop_term(write, term, today).await?))
    })
    .await
}

pub async fn suspend(
    db: &Db,
    caller: &Caller,
    term: Uuid,
    until: Date,
    today: Date,
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        let act = board::suspend_from_meetings(write, term, until, today).await?;
        Ok(((), act))
    })
    .await
}

pub async fn reinstate(db: &Db, caller: &Caller, term: Uuid, today: Date) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), board::reinstate(write, term, today).await?))
    })
    .await
}

pub async fn open_committee(
    db: &Db,
    caller: &Caller,
    name: &str,
    remit: &str,
    quorum: u32,
) -> Result<Uuid, Refusal> {
    change(db, caller, async |write| {
        board::open_committee(write, name, remit, quorum).await
    })
    .await
}

pub async fn rename_committee(
    db: &Db,
    caller: &Caller,
    committee: Uuid,
    name: &str,
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), board::rename_committee(write, committee, name).await?))
    })
    .await
}

pub async fn set_remit(
    db: &Db,
    caller: &Caller,
    committee: Uuid,
    remit: &str,
    quorum: u32,
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        let act = board::set_remit(write, committee, remit, quorum).await?;
        Ok(((), act))
    })
    .await
}

pub async fn close_committee(
    db: &Db,
    caller: &Caller,
    committee: Uuid,
    today: Date,
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), board::close_committee(write, committee, today).await?))
    })
    .await
}

pub async fn join(
    db: &Db,
    caller: &Caller,
    committee: Uuid,
    person: MembershipId,
    (from, to): (Date, Option<Date>),
    today: Date,
) -> Result<Uuid, Refusal> {
    change(db, caller, async |write| {
        board::join_committee(write, committee, person, from, to, today).await
    })
    .await
}

pub async fn leave(
    db: &Db,
    caller: &Caller,
    place: Uuid,
    last: Date,
    today: Date,
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        let act = board::leave_committee(write, place, last, today).await?;
        Ok(((), act))
    })
    .await
}

pub async fn chair(
    db: &Db,
    caller: &Caller,
    committee: Uuid,
    person: Option<MembershipId>,
    today: Date,
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        let act = board::choose_chair(write, committee, person, today).await?;
        Ok(((), act))
    })
    .await
}

pub async fn declare(
    db: &Db,
    caller: &Caller,
    interests: &[Interest],
    today: Date,
) -> Result<Uuid, Refusal> {
    change(db, caller, async |write| {
        board::declare_interests(write, interests.is_empty(), interests, today).await
    })
    .await
}

pub async fn record_dbs(
    db: &Db,
    caller: &Caller,
    person: MembershipId,
    on: Date,
    today: Date,
) -> Result<Uuid, Refusal> {
    change(db, caller, async |write| {
        board::record_dbs(write, person, on, today).await
    })
    .await
}

pub async fn train(
    db: &Db,
    caller: &Caller,
    person: MembershipId,
    title: &str,
    (on, renew_by): (Date, Option<Date>),
    today: Date,
) -> Result<Uuid, Refusal> {
    change(db, caller, async |write| {
        board::record_training(write, person, title, on, renew_by, today).await
    })
    .await
}

pub async fn set_phone(
    db: &Db,
    caller: &Caller,
    person: MembershipId,
    typed: &str,
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), board::set_phone(write, person, typed).await?))
    })
    .await
}

pub async fn set_rule(db: &Db, caller: &Caller, rule: Rule) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), board::set_board_rule(write, rule).await?))
    })
    .await
}

/// An interest like any other.
pub fn catering() -> Interest {
    Interest {
        kind: Kind::Business,
        who: "Beacon Catering Ltd".to_owned(),
        nature: "Director; supplies school meals.".to_owned(),
        since: None,
    }
}

pub fn days(many: i64) -> Duration {
    Duration::days(many)
}

impl Scene {
    /// The day that the database and the schools have.
    pub async fn today(&mut self) -> Date {
        domain::day::parse(&self.text("select sec.today()::text").await).unwrap()
    }

    pub async fn board(&self, caller: &Caller, day: Date) -> Board {
        let mut read = self.db.read(caller).await.unwrap();
        board::board(&mut read, day).await.unwrap()
    }

    pub async fn register(&self, caller: &Caller, day: Date) -> Register {
        let mut read = self.db.read(caller).await.unwrap();
        board::register(&mut read, day).await.unwrap()
    }

    pub async fn facts(&self, caller: &Caller, person: MembershipId, day: Date) -> Facts {
        let mut read = self.db.read(caller).await.unwrap();
        board::facts_of(&mut read, person, day).await.unwrap()
    }

    /// Oakfield's seat of a category and number.
    pub async fn seat(&mut self, category: Category, number: u32) -> Uuid {
        let oakfield = self.oakfield;
        let id = self
            .text(&format!(
                "select id::text from seat where tenant_id = '{oakfield}' and category = '{}' and number = {number}",
                category.code()
            ))
            .await;
        Uuid::parse_str(&id).unwrap()
    }

    /// The term that somebody of Oakfield is in.
    pub async fn term(&mut self, email: &str) -> Uuid {
        let place = self.place(email).await;
        let id = self
            .text(&format!("select id::text from term where membership_id = '{place}' and during @> sec.today()"))
            .await;
        Uuid::parse_str(&id).unwrap_or_else(|_| panic!("{email} holds no seat"))
    }

    /// Oakfield's committee of a name.
    pub async fn committee(&mut self, name: &str) -> Uuid {
        let oakfield = self.oakfield;
        let id = self
            .text(&format!("select id::text from committee where tenant_id = '{oakfield}' and name = '{name}' order by id desc limit 1"))
            .await;
        Uuid::parse_str(&id).unwrap()
    }

    /// What an SQL statement does as the web server's login under somebody's genuine seal, to its commit: how many rows it
    /// touches, or the code and the constraint with which it is refused.
    pub async fn raw(&mut self, email: &str, sql: &str) -> Result<u64, String> {
        let token = hex(self.caller(email).await.token.bytes());
        let mut web = self
            .fresh
            .options(testing::Role::Web)
            .connect()
            .await
            .unwrap();
        let begin = format!("begin; select sec.enter('\\x{token}')");
        web.execute(sqlx::raw_sql(AssertSqlSafe(begin)))
            .await
            .unwrap();
        let told = |error: sqlx::Error| {
            let database = error
                .as_database_error()
                .unwrap_or_else(|| panic!("{sql}: {error}"));
            [database.code().as_deref(), database.constraint()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
        };
        let done = web
            .execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())))
            .await
            .map_err(told)?;
        web.execute("commit").await.map_err(told)?;
        Ok(done.rows_affected())
    }

    /// The first column of every row that any SQL of somebody's own shows them.
    pub async fn raw_texts(&mut self, email: &str, sql: &str) -> Vec<String> {
        self.sees_while(email, "select", sql).await
    }

    /// The same, after something was done behind their back while their transaction was open: `$now` in it is when that began.
    pub async fn sees_while(&mut self, email: &str, done: &str, sql: &str) -> Vec<String> {
        let token = hex(self.caller(email).await.token.bytes());
        let options = self.fresh.options(testing::Role::Web);
        let mut web = options.connect().await.unwrap();
        let begin = format!("begin; select sec.enter('\\x{token}')");
        web.execute(sqlx::raw_sql(AssertSqlSafe(begin)))
            .await
            .unwrap();
        let now: String = web
            .fetch_one(sqlx::raw_sql("select now()::text"))
            .await
            .unwrap()
            .get(0);
        self.sql(&done.replace("$now", &format!("'{now}'::timestamptz")))
            .await;
        let rows = web
            .fetch_all(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())))
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        web.execute("commit").await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}
