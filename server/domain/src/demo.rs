//! Two invented schools and their trust, for a first look and for the tests. Everybody has the same published password and
//! second factor, so the server loads them on loopback only.

mod board;
mod plan;
pub mod pupils;

use std::collections::{HashMap, HashSet};

use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use crate::{
    AccountId, Refusal, TenantId,
    db::{broken, refused},
    factor,
    password::Hasher,
    role::Role,
    secret::Secrets,
};

/// What every demo account signs in with.
pub const PASSWORD: &str = "quiet otter lantern harbour";
/// The second factor of every demo account, as one types it into an authenticator app.
pub const FACTOR_BASE32: &str = "JBSWY3DPEHPK3PXP";
/// The same in bytes.
const FACTOR: &[u8] = b"Hello!\xDE\xAD\xBE\xEF";

/// What the authenticator app of every demo account shows at a time.
pub fn code(unix_seconds: u64) -> Option<String> {
    factor::Secret::from_bytes(FACTOR.to_vec()).code_at(unix_seconds)
}

/// A tenant of the demo.
#[derive(Clone, Copy, Debug)]
pub struct Tenant {
    /// Its host's first part, and the domain of its people's addresses.
    pub label: &'static str,
    /// As people read it.
    pub name: &'static str,
    kind: &'static str,
    phase: Option<&'static str>,
    trust: Option<&'static str>,
    seats: Option<i32>,
    accent: &'static str,
    people: &'static [Person],
    board: Option<plan::Plan>,
}

/// A place of a person in a tenant of the demo.
type Person = (&'static str, &'static str, &'static [Role]);

use Role::{
    Associate, Chair, Clerk, Governor, Parent, SchoolAdmin, Senco, SeniorLeader, Teacher,
    TeachingAssistant, TrustAdmin, TrustLead,
};

/// The trust first: a school belongs to it. The part of an address before the `@`, unless it is whole.
pub const TENANTS: &[Tenant] = &[
    Tenant {
        label: "beacon",
        name: "Beacon Learning Trust",
        kind: "trust",
        phase: None,
        trust: None,
        seats: None,
        accent: "purple",
        people: &[
            ("admin", "Folasade Akinwande", &[TrustAdmin]),
            ("lead", "Catriona MacAllister", &[TrustLead]),
        ],
        board: None,
    },
    Tenant {
        label: "oakfield",
        name: "Oakfield Primary School",
        kind: "school",
        phase: Some("primary"),
        trust: Some("beacon"),
        // 11 in post: the chair, nine governors and the head. 3 are vacant.
        seats: Some(14),
        accent: "green",
        people: &[
            ("admin", "Beatrice Lim", &[SchoolAdmin]),
            ("head", "Eleanor Hargreaves", &[SeniorLeader, Governor]),
            ("clerk", "Nasreen Choudhury", &[Clerk]),
            ("clerk@beacon.example", "Joan Whitlock", &[Clerk]),
            ("chair", "Margaret Oyelaran", &[Chair, Governor]),
            ("governor1", "Dilip Parmar", &[Governor]),
            ("governor2", "Siân Edwards", &[Governor]),
            ("governor3", "Thomas Brathwaite-Kowalczyk", &[Governor]),
            ("governor4", "Rukhsana Ahmed", &[Governor]),
            ("governor5", "Callum Fraser", &[Governor]),
            ("governor6", "Adaeze Nwosu", &[Governor]),
            ("governor7", "Wei Ling Tan", &[Governor]),
            ("governor8", "Patrick O’Donnell", &[Governor]),
            ("governor9", "Zofia Wiśniewska", &[Governor]),
            ("senco", "Harriet Beaumont", &[Senco]),
            ("teacher1", "Imran Siddiqui", &[Teacher]),
            ("teacher2", "Lucy Pemberton", &[Teacher, Associate]),
            ("teacher3", "Kwame Asante", &[Teacher]),
            ("teacher4", "Megan Llewellyn", &[Teacher]),
            ("ta1", "Jasmine Baptiste", &[TeachingAssistant]),
            ("parent1", "Oluwaseun Adeyemi", &[Parent]),
            ("parent2", "Rachel Goldberg", &[Parent]),
        ],
        board: Some(plan::OAKFIELD),
    },
    Tenant {
        label: "northgate",
        name: "Northgate Academy",
        kind: "school",
        phase: Some("secondary"),
        trust: Some("beacon"),
        seats: Some(12),
        accent: "navy",
        people: &[
            ("admin", "Gareth Pritchard", &[SchoolAdmin]),
            ("head", "Simone Grant", &[SeniorLeader, Governor]),
            ("clerk", "Alistair Doyle", &[Clerk]),
            ("clerk@beacon.example", "Joan Whitlock", &[Clerk]),
            ("chair", "Winston Clarke", &[Chair, Governor]),
            ("governor1", "Priya Ramanathan", &[Governor]),
            ("governor2", "Fergus Mackenzie", &[Governor]),
            ("governor3", "Halima Yusuf", &[Governor]),
            ("governor4", "Deborah Ashworth", &[Governor]),
            ("governor5", "Tomasz Zieliński", &[Governor]),
            ("governor6", "Anjali Desai", &[Governor]),
            ("governor7", "Owen Rhys-Jones", &[Governor]),
            ("governor8", "Chinwe Okafor", &[Governor]),
            ("governor9", "Brigid Gallagher", &[Governor]),
            ("senco", "Yasmin Karimi", &[Senco]),
            ("teacher1", "Daniel Osei", &[Teacher]),
            ("teacher2", "Charlotte Wainwright", &[Teacher]),
            ("teacher3", "Hiroshi Tanaka", &[Teacher]),
            ("teacher4", "Ailsa Campbell", &[Teacher]),
            ("ta1", "Mateusz Nowak", &[TeachingAssistant]),
            ("parent1", "Fatoumata Diallo", &[Parent]),
            ("parent2", "Stephen Thornbury", &[Parent]),
        ],
        board: Some(plan::NORTHGATE),
    },
];

/// Loads the demo, and `more` schools for load. What is there already is left as it is, so a second run changes nothing.
/// Returns how many places of people it made.
pub async fn load(
    connection: &mut PgConnection,
    hasher: &Hasher,
    secrets: &Secrets,
    more: u32,
) -> Result<usize, Refusal> {
    let mut made = 0;
    let complete = complete(connection).await?;
    let mut phcs = hash_missing(hasher, &complete).await?;
    let mut tenants: HashMap<&str, TenantId> = HashMap::new();
    for tenant in TENANTS {
        let trust = tenant.trust.and_then(|label| tenants.get(label).copied());
        let Tenant {
            label,
            name,
            kind,
            phase,
            seats,
            accent,
            people,
            ..
        } = *tenant;
        let id = open(connection, (label, name, kind, phase, trust, seats, accent)).await?;
        tenants.insert(label, id);
        for (address, name, roles) in people {
            let email = full(address, label);
            let hash = phcs.remove(&email);
            if complete.contains(&(label.to_owned(), email.clone())) {
                continue;
            }
            add(
                connection,
                secrets,
                id,
                &email,
                name,
                roles,
                hash.as_deref(),
            )
            .await?;
            made += 1;
        }
        if let Some(plan) = &tenant.board {
            board::load(connection, id, plan).await?;
        }
    }
    Ok(made + load_more(connection, hasher, secrets, more, &complete).await?)
}

/// Schools for load, with invented names that repeat. Their people share one password hash: hashing is not what is measured.
async fn load_more(
    connection: &mut PgConnection,
    hasher: &Hasher,
    secrets: &Secrets,
    more: u32,
    complete: &HashSet<(String, String)>,
) -> Result<usize, Refusal> {
    if more == 0 {
        return Ok(0);
    }
    let hash = hasher.hash(PASSWORD).await?;
    let people = TENANTS
        .iter()
        .find(|tenant| tenant.label == "oakfield")
        .map_or(&[][..], |tenant| tenant.people);
    let mut made = 0;
    for number in 1..=more {
        let label = format!("school-{number}");
        let name = format!("School {number}");
        let mut whole = connection.begin().await.map_err(refused)?;
        let id = open(
            &mut whole,
            (
                &label,
                &name,
                "school",
                Some("primary"),
                None,
                Some(14),
                "slate",
            ),
        )
        .await?;
        for (address, name, roles) in people.iter().filter(|(address, ..)| !address.contains('@')) {
            let email = full(address, &label);
            if !complete.contains(&(label.clone(), email.clone())) {
                add(&mut whole, secrets, id, &email, name, roles, Some(&hash)).await?;
                made += 1;
            }
        }
        whole.commit().await.map_err(refused)?;
    }
    Ok(made)
}

/// Who is there already with all they need, by label and address.
async fn complete(connection: &mut PgConnection) -> Result<HashSet<(String, String)>, Refusal> {
    // The migrator may look as the owner of the functions it calls, and only inside this transaction.
    let mut look = connection.begin().await.map_err(refused)?;
    sqlx::raw_sql("set local role quorate_sec")
        .execute(&mut *look)
        .await
        .map_err(refused)?;
    let rows = sqlx::query!(
        "select t.label, a.email from membership m
         join tenant t on t.id = m.tenant_id
         join account a on a.id = m.account_id
         join sec.credential c on c.account_id = a.id
         join sec.factor f on f.account_id = a.id and not f.pending
         where a.email like '%.example'"
    )
    .fetch_all(&mut *look)
    .await
    .map_err(refused)?;
    look.rollback().await.map_err(refused)?;
    Ok(rows.into_iter().map(|row| (row.label, row.email)).collect())
}

/// One hash with a salt of its own for each account that has none, a few at a time.
async fn hash_missing(
    hasher: &Hasher,
    complete: &HashSet<(String, String)>,
) -> Result<HashMap<String, String>, Refusal> {
    let there: HashSet<&String> = complete.iter().map(|(_, email)| email).collect();
    let missing: HashSet<String> = TENANTS
        .iter()
        .flat_map(|tenant| {
            tenant
                .people
                .iter()
                .map(|(address, ..)| full(address, tenant.label))
        })
        .filter(|email| !there.contains(email))
        .collect();
    let mut phcs = HashMap::new();
    let mut running = JoinSet::new();
    for email in missing {
        if running.len() >= 8 {
            keep(&mut running, &mut phcs).await?;
        }
        let hasher = hasher.clone();
        running.spawn(async move { hasher.hash(PASSWORD).await.map(|hash| (email, hash)) });
    }
    while !running.is_empty() {
        keep(&mut running, &mut phcs).await?;
    }
    Ok(phcs)
}

async fn keep(
    running: &mut JoinSet<Result<(String, String), Refusal>>,
    phcs: &mut HashMap<String, String>,
) -> Result<(), Refusal> {
    if let Some(done) = running.join_next().await {
        let (email, hash) = done.map_err(|error| broken("hashing", &error))??;
        phcs.insert(email, hash);
    }
    Ok(())
}

type Opening<'a> = (
    &'a str,
    &'a str,
    &'a str,
    Option<&'a str>,
    Option<TenantId>,
    Option<i32>,
    &'a str,
);

async fn open(
    connection: &mut PgConnection,
    (label, name, kind, phase, trust, seats, accent): Opening<'_>,
) -> Result<TenantId, Refusal> {
    sqlx::query_scalar!(
        r#"select sec.make_tenant($1, $2, $3, $4, $5, $6, $7) as "id!""#,
        label,
        name,
        kind,
        phase,
        trust,
        seats,
        accent
    )
    .fetch_one(connection)
    .await
    .map_err(refused)
}

async fn add(
    connection: &mut PgConnection,
    secrets: &Secrets,
    tenant: TenantId,
    email: &str,
    name: &str,
    roles: &[Role],
    hash: Option<&str>,
) -> Result<(), Refusal> {
    let account: AccountId = sqlx::query_scalar!(r#"select sec.make_account($1) as "id!""#, email)
        .fetch_one(&mut *connection)
        .await
        .map_err(refused)?;
    let sealed = secrets.seal(&factor::place(account), FACTOR)?;
    let roles: Vec<String> = roles.iter().map(|role| role.code().to_owned()).collect();
    sqlx::query!(
        "select sec.make_person($1, $2, $3, $4, $5, $6)",
        tenant,
        email,
        name,
        &roles,
        hash,
        sealed
    )
    .fetch_one(connection)
    .await
    .map_err(refused)?;
    Ok(())
}

fn full(address: &str, label: &str) -> String {
    if address.contains('@') {
        address.to_owned()
    } else {
        format!("{address}@{label}.example")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::TenantKind;

    #[test]
    fn oakfield_has_eleven_governors_in_post_of_fourteen() {
        let oakfield = TENANTS
            .iter()
            .find(|tenant| tenant.label == "oakfield")
            .unwrap();
        let in_post = oakfield
            .people
            .iter()
            .filter(|(_, _, roles)| roles.contains(&Governor))
            .count();
        assert_eq!((in_post, oakfield.seats), (11, Some(14)));
    }

    #[test]
    fn joan_whitlock_clerks_both_schools_with_one_account() {
        let places = TENANTS.iter().flat_map(|tenant| {
            tenant
                .people
                .iter()
                .map(|person| full(person.0, tenant.label))
        });
        assert_eq!(
            places
                .filter(|email| email == "clerk@beacon.example")
                .count(),
            2
        );
    }

    #[test]
    fn every_role_fits_its_tenant_and_every_tenant_has_an_administrator() {
        for tenant in TENANTS {
            let kind = TenantKind::from_code(tenant.kind).unwrap();
            assert!(
                tenant
                    .people
                    .iter()
                    .all(|(_, _, roles)| roles.iter().all(|role| role.fits(kind)))
            );
            assert!(
                tenant
                    .people
                    .iter()
                    .any(|(_, _, roles)| roles.iter().any(|role| role.is_admin()))
            );
        }
    }

    #[test]
    fn the_published_factor_is_the_one_that_is_stored() {
        assert_eq!(
            factor::Secret::from_bytes(FACTOR.to_vec()).base32(),
            FACTOR_BASE32
        );
    }
}
