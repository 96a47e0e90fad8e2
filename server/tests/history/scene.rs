//! Two schools with a few hundred lines each, and what is signed of them.

use domain::{TenantId, trail, trail::id_of};
use quorate_verify::{
    Checkpoint, FORMAT, Failure, Given, Header, Line, Lines, Point, Record, Report, Signer,
    VERSION, Writer,
};
use server::{
    audit::{self, Trouble, Whole},
    checkpoint::{Checkpointer, Folder, Pace, Parts},
    clock,
    export::Notary,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection};
use std::{ops::ControlFlow, sync::Arc, time::Duration};
use testing::{Behind, Fresh, Role};
use tokio::sync::Notify;

pub struct Scene {
    pub fresh: Fresh,
    pub behind: Behind,
    _place: tempfile::TempDir,
    pub notary: Notary,
    pub oakfield: TenantId,
    pub northgate: TenantId,
}

/// Often enough for a test; lines as in real life.
pub fn pace() -> Pace {
    Pace {
        rows: 1_000,
        every: Duration::from_hours(1),
        gather: Duration::from_millis(5),
        look: Duration::from_millis(50),
        retry: Duration::from_millis(50),
    }
}

impl Scene {
    pub async fn new() -> Self {
        let fresh = Fresh::demo().await;
        let mut behind = fresh.behind().await;
        behind.execute(sqlx::raw_sql(GROW)).await.unwrap();
        let (oakfield, northgate) = (
            behind.tenant("oakfield").await,
            behind.tenant("northgate").await,
        );
        let place = tempfile::tempdir().unwrap();
        let notary = Notary {
            signer: testing::secrets().signer().unwrap(),
            folder: Folder::new(place.path().join("checkpoints")),
            clock: clock::now,
        };
        Self {
            fresh,
            behind,
            _place: place,
            notary,
            oakfield,
            northgate,
        }
    }

    pub fn signer(&self) -> &Signer {
        &self.notary.signer
    }

    /// So many more lines in a school's log, as if much had happened there.
    pub async fn grow(&mut self, tenant: TenantId, rows: i64) {
        sqlx::query("select grow($1, $2)")
            .bind(tenant)
            .bind(rows)
            .execute(&mut *self.behind)
            .await
            .unwrap();
    }

    /// As the server starts it.
    pub fn checkpointer(&self, pace: Pace) -> (Checkpointer, Arc<Notify>) {
        let bell = Arc::new(Notify::new());
        let parts = Parts {
            auditor: self.fresh.options(Role::Auditor),
            folder: self.notary.folder.clone(),
            signer: self.signer().clone(),
            clock: clock::now,
            pace,
        };
        (Checkpointer::start(parts, bell.clone()), bell)
    }

    /// Signs as a server does that is started and ended: on the way every so many lines, and the end.
    pub async fn sign(&self, rows: i64) {
        let (checkpointer, _) = self.checkpointer(Pace { rows, ..pace() });
        checkpointer.stop().await;
    }

    pub fn checkpoints(&self, tenant: TenantId) -> Vec<Checkpoint> {
        let kept = self.notary.folder.read(tenant, u64::MAX).unwrap();
        kept.into_iter().flatten().map(Result::unwrap).collect()
    }

    pub fn signed(&self, tenant: TenantId) -> Vec<i64> {
        self.checkpoints(tenant).iter().map(|one| one.seq).collect()
    }

    pub async fn head(&mut self, tenant: TenantId) -> Point {
        let heads = trail::heads(&mut self.behind).await.unwrap();
        heads.into_iter().find(|(id, _)| *id == tenant).unwrap().1
    }

    pub async fn auditor(&self) -> PgConnection {
        self.fresh.options(Role::Auditor).connect().await.unwrap()
    }

    pub async fn sql(&mut self, sql: &str) -> u64 {
        self.behind
            .execute(AssertSqlSafe(sql.to_owned()))
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
            .rows_affected()
    }
}

/// What `quorate audit verify` does for one school.
pub async fn verify(
    connection: &mut PgConnection,
    notary: &Notary,
    tenant: TenantId,
) -> Result<Whole, Trouble> {
    let heads = trail::heads(connection).await?;
    let head = heads.into_iter().find(|(id, _)| *id == tenant).unwrap().1;
    let kept = notary.folder.read(tenant, u64::MAX).unwrap();
    let key = notary.signer.public();
    audit::verify(connection, tenant, head, kept.into_iter().flatten(), &key).await
}

/// The export of whoever holds the database and the key: all rows as they stand, and a signature for any end.
pub async fn forged_export(
    connection: &mut PgConnection,
    notary: &Notary,
    tenant: TenantId,
) -> Vec<u8> {
    let mut writer = Writer::default();
    let header = Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        tenant: id_of(tenant),
        name: "A school".to_owned(),
        made: i64::MAX,
        from: None,
        to: None,
        key: notary.signer.public(),
        after: Point::START,
    };
    let mut file = writer.line(&Record::Header(header));
    let mut last: Option<Point> = None;
    trail::lines(connection, tenant, i64::MIN, None, |line: &Line<'_>| {
        file.extend(writer.line(&Record::Event(line.clone())));
        last = Some(Point {
            seq: line.seq,
            hash: line.hash,
        });
        ControlFlow::Continue(())
    })
    .await
    .unwrap();
    if let Some(last) = last {
        let signed = notary.signer.sign(id_of(tenant), last, i64::MAX);
        file.extend(writer.line(&Record::Checkpoint(signed)));
    }
    file.extend(writer.end(Some(&notary.signer)));
    file
}

/// What `quorate-verify` says of a file.
pub fn offline(file: &[u8], given: &Given) -> Result<Report, Failure> {
    quorate_verify::verify([Lines::new("export.jsonl", file)], given)
}

/// Lines of every kind, each appended by the database's own function.
pub const GROW: &str = r#"
create function grow(tenant uuid, rows bigint) returns void language plpgsql as $$
declare
  people uuid[];
  accounts uuid[];
  n integer;
begin
  select array_agg(m.id order by m.id), array_agg(m.account_id order by m.id) into people, accounts
  from membership m where m.tenant_id = grow.tenant;
  for n in 1 .. rows loop
    perform sec.append_for(grow.tenant,
      case when n % 5 > 0 then accounts[1 + n % cardinality(accounts)] end,
      (array['session.opened', 'membership.removed', 'tenant.factor_rule_set', 'membership.invited'])[1 + n % 4],
      case when n % 3 > 0 then people[1 + n % cardinality(people)] end,
      (array['{}', '{"why": "a \"quote\" and a\nline", "n": 7}', '{"roles": ["governor", "chair"]}'])[1 + n % 3]::jsonb,
      case n % 3 when 0 then '{}' when 1 then array['people', 'me/a b'] else array['settings'] end,
      case when n % 7 = 0 then '{"code": 4403, "sessions": []}'::jsonb end);
  end loop;
end
$$;
"#;
