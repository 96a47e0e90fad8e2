//! A thousand ways of rewriting a history, each tried by somebody who owns the database, and each found: by the check of the
//! database, and by a customer who has an export of it and what they kept.

use crate::scene::{Scene, forged_export, offline, verify};
use domain::TenantId;
use quorate_verify::{Failure, Given, Head, Why};
use server::{audit::Trouble, export::Notary};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use std::collections::BTreeMap;

/// Numbers that are the same in each run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: i64) -> i64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 1;
        i64::try_from(drawn).unwrap() % most
    }
}

/// What a tampering leaves behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hashes {
    /// As they were.
    Left,
    /// That of the row fits the row.
    OfTheRow,
    /// All of the row and after it, and the note of the head.
    OfAll,
}

/// One tampering.
#[derive(Clone, Debug)]
struct Tampering {
    name: &'static str,
    sql: String,
    tenant: TenantId,
    /// The first row that is not as it was.
    first: i64,
    hashes: Hashes,
    /// Whether the lines still make a chain, so that only what was kept speaks against them.
    is_chain: bool,
    /// Whether the database's note of the head fits too.
    fits_head: bool,
    /// The school that a row was moved to.
    also: Option<TenantId>,
}

/// Recomputes hashes from a row to the end, and notes the new head, as a superuser would.
pub const RESTAMP: &str = "
create function restamp(tenant uuid, since bigint, most integer) returns void language plpgsql as $$
declare
  before bytea;
  e event;
  stamped bytea;
begin
  select x.hash into before from event x where x.tenant_id = tenant and x.seq < since order by x.seq desc, x.at desc limit 1;
  before := coalesce(before, decode(repeat('00', 32), 'hex'));
  for e in select x.* from event x where x.tenant_id = tenant and x.seq >= since order by x.seq, x.at limit most loop
    stamped := sec.event_hash(before, e.tenant_id, e.seq, e.at, e.act, e.actor, e.about, e.detail, e.topics, e.closes);
    update event x set prev = before, hash = stamped where x.tenant_id = tenant and x.seq = e.seq and x.at = e.at;
    before := stamped;
  end loop;
  if most is null then
    update sec.event_head h set hash = before, seq = (select coalesce(max(x.seq), 0) from event x where x.tenant_id = tenant)
    where h.tenant_id = tenant;
  end if;
end
$$";

const EDITS: &[(&str, &str)] = &[
    ("act", "act = case act when 'a.b' then 'a.c' else 'a.b' end"),
    ("actor", "actor = gen_random_uuid()"),
    (
        "actor to nobody",
        "actor = case when actor is null then gen_random_uuid() end",
    ),
    (
        "about",
        "about = case when about is null then gen_random_uuid() end",
    ),
    ("detail", "detail = detail || '{\"edited\": true}'"),
    (
        "a number in detail",
        "detail = jsonb_build_object('n', 7.0, 'was', detail)",
    ),
    ("topics", "topics = topics || array['edited']"),
    (
        "closes",
        "closes = case when closes is null then '{}'::jsonb end",
    ),
    ("at", "at = at + interval '1 microsecond'"),
    ("at to never", "at = 'infinity'"),
];

fn draw(dice: &mut Dice, schools: &[(TenantId, i64); 2]) -> Tampering {
    let which = usize::try_from(dice.below(2)).unwrap();
    let (tenant, last) = schools[which];
    let row = 1 + dice.below(last);
    let of = |seq: i64| format!("where tenant_id = '{tenant}' and seq = {seq}");
    let hashes =
        [Hashes::Left, Hashes::OfTheRow, Hashes::OfAll][usize::try_from(dice.below(3)).unwrap()];
    let restamp = |since: i64| match hashes {
        Hashes::Left => String::new(),
        Hashes::OfTheRow => format!("select restamp('{tenant}', {since}, 1);"),
        Hashes::OfAll => format!("select restamp('{tenant}', {since}, null);"),
    };
    let all = hashes == Hashes::OfAll;
    let mut tampering = Tampering {
        name: "",
        sql: String::new(),
        tenant,
        first: row,
        hashes,
        // The last row, once restamped, has none after it that could give it away.
        is_chain: all || (hashes == Hashes::OfTheRow && row == last),
        fits_head: all,
        also: None,
    };
    match dice.below(20) {
        n @ 0..=9 => {
            let (name, edit) = EDITS[usize::try_from(n).unwrap()];
            tampering.name = name;
            tampering.sql = format!("update event set {edit} {}; {}", of(row), restamp(row));
            // A time without end has no number, so no hash can be reckoned for it.
            if name == "at to never" {
                tampering.sql = format!("update event set {edit} {}", of(row));
                (tampering.hashes, tampering.is_chain, tampering.fits_head) =
                    (Hashes::Left, false, false);
            }
        }
        10 => {
            tampering.name = "prev";
            tampering.sql = format!("update event set prev = sha256(prev) {}", of(row));
            (tampering.hashes, tampering.is_chain, tampering.fits_head) =
                (Hashes::Left, false, false);
        }
        11 => {
            tampering.name = "hash";
            tampering.sql = format!("update event set hash = sha256(hash) {}", of(row));
            (tampering.hashes, tampering.is_chain, tampering.fits_head) =
                (Hashes::Left, false, false);
        }
        12 => {
            let other = schools[1 - which].0;
            tampering.name = "moved to another school";
            tampering.sql = format!("update event set tenant_id = '{other}' {}", of(row));
            tampering.also = Some(other);
            (tampering.hashes, tampering.is_chain, tampering.fits_head) =
                (Hashes::Left, row == last, false);
        }
        13 => {
            let to = 1 + dice.below(2 * last);
            tampering.name = "another number";
            let to = if to == row { last + 7 } else { to };
            tampering.first = row.min(to);
            tampering.sql = format!("update event set seq = {to} {}", of(row));
            (tampering.hashes, tampering.is_chain, tampering.fits_head) =
                (Hashes::Left, false, false);
        }
        14 => {
            tampering.name = "inserted beside";
            tampering.sql = format!(
                "insert into event select tenant_id, seq, at + interval '1 microsecond', 'a.b', actor, about, detail, topics, closes, prev, hash from event {}; {}",
                of(row),
                restamp(row)
            );
            // The number is there twice, whatever the hashes say.
            tampering.is_chain = false;
        }
        15 => {
            tampering.name = "inserted between";
            tampering.sql = format!(
                "update event set seq = seq + 1 where tenant_id = '{tenant}' and seq >= {row};
                 insert into event select tenant_id, {row}, at - interval '1 microsecond', 'a.b', null, null, '{{}}', '{{}}', null, prev, hash
                 from event where tenant_id = '{tenant}' and seq = {row} + 1;
                 {}",
                restamp(row)
            );
            tampering.is_chain = all;
        }
        16 => {
            tampering.name = "deleted";
            tampering.sql = format!("delete from event {}; {}", of(row), restamp(row));
            // The numbers have a gap, whatever the hashes say.
            tampering.is_chain = row == last;
        }
        17 => {
            tampering.name = "deleted and closed up";
            tampering.sql = format!(
                "delete from event {}; update event set seq = seq - 1 where tenant_id = '{tenant}' and seq > {row}; {}",
                of(row),
                restamp(row)
            );
            tampering.is_chain = all || row == last;
        }
        18 => {
            let (one, two) = (
                row.min(last - 1),
                (row.min(last - 1) + 1 + dice.below(5)).min(last),
            );
            tampering.name = "swapped";
            tampering.first = one;
            tampering.sql = format!(
                "update event set seq = case seq when {one} then {two} else {one} end where tenant_id = '{tenant}' and seq in ({one}, {two}); {}",
                restamp(one)
            );
            tampering.is_chain = all;
        }
        _ => {
            tampering.name = "cut";
            let note = if all {
                restamp(last + 1)
            } else {
                String::new()
            };
            tampering.sql =
                format!("delete from event where tenant_id = '{tenant}' and seq >= {row}; {note}");
            (tampering.is_chain, tampering.fits_head) = (true, all);
        }
    }
    tampering
}

fn seq_of(failure: &Failure) -> (i64, Why) {
    match failure {
        Failure::Broken(broken) => {
            let sentence = broken.to_string();
            assert!(
                sentence.ends_with('.') && !sentence.contains('\n'),
                "{sentence}"
            );
            (broken.seq, broken.why.clone())
        }
        other => panic!("{other}"),
    }
}

/// Whether the row that was named is the first, as nearly as it can be told.
fn is_near(tampering: &Tampering, seq: i64, marks: &[i64]) -> bool {
    if tampering.is_chain {
        // Only what was kept speaks: the first of it that the change comes before, or the end that is not there.
        let mark = marks.iter().copied().find(|mark| *mark >= tampering.first);
        return mark == Some(seq) || seq == tampering.first;
    }
    // A row that fits its hash gives itself away by the one after it.
    (tampering.first..=tampering.first + 1).contains(&seq)
}

/// What a verifier found of one tampering, against what it can find.
fn judge(tampering: &Tampering, found: Result<(), (i64, Why)>, can: bool, marks: &[i64]) {
    match found {
        Ok(()) => assert!(!can, "nobody noticed: {tampering:?}"),
        Err((seq, why)) => {
            assert!(
                can,
                "it cannot be known, and was said: {why:?} {tampering:?}"
            );
            assert!(
                is_near(tampering, seq, marks),
                "row {seq} {why:?}: {tampering:?}"
            );
        }
    }
}

async fn in_database(
    connection: &mut PgConnection,
    notary: &Notary,
    tenant: TenantId,
) -> Result<(), (i64, Why)> {
    match verify(connection, notary, tenant).await {
        Ok(_) => Ok(()),
        Err(Trouble::Log(failure)) => Err(seq_of(&failure)),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_thousand_tamperings_by_the_owner_of_the_database_are_all_found_by_both_verifiers() {
    let mut scene = Scene::new().await;
    let (oakfield, northgate) = (scene.oakfield, scene.northgate);
    scene.grow(oakfield, 110).await;
    scene.grow(northgate, 90).await;
    scene.sign(25).await;
    // What the customer keeps: the checkpoints so far, and a receipt of a little later.
    let mut given = BTreeMap::new();
    let mut marks = BTreeMap::new();
    for tenant in [oakfield, northgate] {
        scene.grow(tenant, 4).await;
        let receipt = scene.head(tenant).await;
        scene.grow(tenant, 16).await;
        let kept = scene.checkpoints(tenant);
        assert!(kept.len() >= 5, "{}", kept.len());
        let signed: Vec<i64> = kept.iter().map(|one| one.seq).collect();
        let mut all = signed.clone();
        all.push(receipt.seq);
        marks.insert(tenant, (signed, all));
        let head: Head = format!("{}:{}", receipt.seq, receipt.hash.short())
            .parse()
            .unwrap();
        given.insert(
            tenant,
            Given {
                key: Some(scene.signer().public()),
                checkpoints: kept,
                heads: vec![head],
            },
        );
    }
    let schools = [
        (oakfield, scene.head(oakfield).await.seq),
        (northgate, scene.head(northgate).await.seq),
    ];
    assert!(schools.iter().all(|(_, last)| *last > 120), "{schools:?}");
    scene.sql(RESTAMP).await;
    let (notary, behind) = (scene.notary.clone(), &mut scene.behind);

    // The control: a log that nobody touched passes both, and so does one that was restamped as it is.
    for untouched in [
        "select 1",
        "select restamp(id, 1, null) from tenant where kind = 'school'",
    ] {
        let mut trial = behind.begin().await.unwrap();
        trial.execute(untouched).await.unwrap();
        for tenant in [oakfield, northgate] {
            assert_eq!(in_database(&mut trial, &notary, tenant).await, Ok(()));
            let file = forged_export(&mut trial, &notary, tenant).await;
            let report = offline(&file, &given[&tenant]).unwrap();
            assert_eq!((report.heads, report.outside), (1, 0));
        }
        trial.rollback().await.unwrap();
    }

    let mut dice = Dice(20_260_618);
    let (mut by_database, mut offline_too, mut beyond) = (0, 0, 0);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    while by_database < 1_000 || offline_too < 1_000 {
        let tampering = draw(&mut dice, &schools);
        let mut trial = behind.begin().await.unwrap();
        trial
            .execute(sqlx::raw_sql(AssertSqlSafe(format!(
                "set local session_replication_role = replica; {}",
                tampering.sql
            ))))
            .await
            .unwrap_or_else(|error| panic!("{tampering:?}: {error}"));
        // The checks see it as the auditor does, in the same transaction.
        trial
            .execute("set local role quorate_auditor")
            .await
            .unwrap();
        let (signed, all) = &marks[&tampering.tenant];

        let can = !(tampering.is_chain && tampering.fits_head)
            || tampering.first <= *signed.last().unwrap();
        let found = in_database(&mut trial, &notary, tampering.tenant).await;
        judge(&tampering, found, can, signed);
        by_database += usize::from(can);

        let can = !tampering.is_chain || tampering.first <= *all.last().unwrap();
        let file = forged_export(&mut trial, &notary, tampering.tenant).await;
        let found = match offline(&file, &given[&tampering.tenant]) {
            Ok(_) => Ok(()),
            Err(failure) => Err(seq_of(&failure)),
        };
        judge(&tampering, found, can, all);
        offline_too += usize::from(can);
        beyond += usize::from(!can);

        // The other school is as it was, unless a row was put into its log.
        let other = if tampering.tenant == oakfield {
            northgate
        } else {
            oakfield
        };
        if tampering.also.is_some() || by_database % 10 == 0 {
            let touched = tampering.also == Some(other);
            let found = in_database(&mut trial, &notary, other).await;
            assert_eq!(found.is_err(), touched, "{tampering:?}");
            let file = forged_export(&mut trial, &notary, other).await;
            let found = offline(&file, &given[&other]);
            assert_eq!(found.is_err(), touched, "{tampering:?}");
        }
        *kinds.entry(tampering.name).or_default() += 1;
        trial.rollback().await.unwrap();
    }
    assert_eq!(kinds.len(), EDITS.len() + 10, "{kinds:#?}");
    // Rewritten after everything that was kept, and so not to be found: there were some, and they were not counted.
    assert!(beyond > 0 && beyond < 100, "{beyond}");
}
