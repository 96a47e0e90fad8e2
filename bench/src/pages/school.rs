//! The school whose pages are drawn: a thousand people, papers that wait for answers, and the facts that each page has to tell.
//! Written straight into the database, as `quorate/seed.rs` does and for its reason.

use crate::{
    fault::Result,
    quorate::{
        Quorate,
        seed::{Person, School},
    },
    workload::Bench,
};

/// People of the school, its clerk among them.
pub const PEOPLE: i32 = 1_000;
/// How many of them a page of the list has (`app/src/membership/list.rs`).
const ROWS: i64 = 100;
/// Who has not accepted the invitation yet.
const INVITED: i32 = 6;
/// Papers, each with one approval.
const PAPERS: i32 = 36;
/// Of these, how many wait for the clerk, and then for others; the rest are closed.
const MINE: i32 = 8;
const OTHERS: i32 = 8;
/// Who is asked beside the clerk.
const ASKED: i64 = 5;

/// A page that every contestant draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The list of people.
    People,
    /// What waits and what changed.
    Home,
    /// What is to be agreed to.
    Approvals,
}

impl Page {
    /// In the order of the table.
    pub const ALL: [Self; 3] = [Self::People, Self::Home, Self::Approvals];

    /// Its address.
    pub const fn path(self) -> &'static str {
        match self {
            Self::People => "/people",
            Self::Home => "/",
            Self::Approvals => "/approvals",
        }
    }

    /// As the table calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Home => "home",
            Self::Approvals => "approvals",
        }
    }
}

/// The school and who looks at its pages.
pub struct Drawn {
    /// Where.
    pub school: School,
    /// Whose session it is.
    pub clerk: Person,
}

impl Drawn {
    /// Fills a school.
    pub fn make(bench: &Bench, node: &Quorate) -> Result<Self> {
        let school = node.open_schools(bench, 1)?.remove(0);
        let clerk = node.people(bench, &school, "clerk", 1)?.remove(0);
        bench.hands.block_on(async {
            people(node, &school).await?;
            invited(node, &school).await?;
            papers(node, &school, &clerk).await?;
            approvals(node, &school, &clerk).await?;
            answers(node, &school).await
        })?;
        node.analyse(bench)?;
        Ok(Self { school, clerk })
    }

    /// What a page has to tell, in this order and among other words.
    pub fn facts(&self, bench: &Bench, node: &Quorate, page: Page) -> Result<Vec<String>> {
        let statement = match page {
            Page::People => {
                "select unnest(array[r.name || r.email, r.state]) from (
                   select m.name, a.email, initcap(m.state) as state from membership m join account a on a.id = m.account_id
                   where m.tenant_id = $1 and $2::uuid is not null order by lower(m.name), m.id limit $3) r"
            }
            Page::Home => {
                "select fact from (
                   select m.invited_at as since, m.name || ' has not accepted the invitation' as fact from membership m
                   where m.tenant_id = $1 and m.state = 'invited'
                   union all
                   select a.asked_at, 'Answer about ' || d.title from approval a
                   join document d on d.tenant_id = a.tenant_id and d.id = a.document_id
                   join approval_place p on p.tenant_id = a.tenant_id and p.approval_id = a.id and p.membership_id = $2
                   where a.tenant_id = $1 and a.state = 'open') duty
                 order by since limit least($3, 12)"
            }
            Page::Approvals => {
                "select d.title || ', version ' || d.newest from approval a
                 join document d on d.tenant_id = a.tenant_id and d.id = a.document_id
                 left join approval_place p on p.tenant_id = a.tenant_id and p.approval_id = a.id and p.membership_id = $2
                 where a.tenant_id = $1
                 order by a.state = 'open' desc, a.state = 'open' and p.id is not null desc,
                   case a.state when 'open' then a.asked_at end,
                   a.closed_at desc, a.id desc limit $3"
            }
        };
        let facts = bench.hands.block_on(
            sqlx::query_scalar(statement)
                .bind(self.school.id)
                .bind(self.clerk.membership)
                .bind(ROWS)
                .fetch_all(&node.behind),
        )?;
        Ok(facts)
    }
}

/// Staff, board and parents. Names of many kinds of letters, and some that HTML has to be careful with.
async fn people(node: &Quorate, school: &School) -> Result<()> {
    sqlx::query(
        "select sec.make_person($1, 'person' || n || '@' || $2 || '.example',
           (array['Aisha', 'Benedict', 'Chloë', 'Dilip', 'Eleanor', 'Farid', 'Grace', 'Hamza', 'Imogen', 'Jakub', 'Kezia',
             'Liam', 'Margaret', 'Niamh', 'Oluwaseun', 'Priya', 'Quentin', 'Rukhsana', 'Siân', 'Thomas', 'Una', 'Victor',
             'Wen', 'Xanthe', 'Yusuf', 'Zofia', 'Amara', 'Bronwen', 'Callum', 'Delphine', 'Edwin', 'Fatima'])[1 + n % 32]
           || ' ' ||
           (array['Adeyemi', 'Brathwaite-Kowalczyk', 'Choudhury', 'Davies', 'Edwards', 'Fraser', 'Goldberg', 'Hargreaves',
             'Ibrahim', 'Jones & Jones', 'Khan', 'Lim', 'MacLeod', 'Nowak', 'O''Brien', 'Parmar', 'Quirke', 'Rahman',
             'Siddiqui', 'Taylor', 'Usman', 'Vaughan', 'Williams', 'Xu', 'Young', 'Zieliński', 'Ahmed', 'Baptiste', 'Clarke',
             'Doyle', 'Evans', 'Feeney'])[1 + n / 32 % 32],
           case when n % 40 = 1 then array['governor', 'parent'] when n % 40 = 2 then array['chair', 'teacher']
             when n % 10 = 3 then array['teacher'] when n % 10 = 4 then array['teaching_assistant']
             when n % 20 = 5 then array['senior_leader'] when n % 20 = 6 then array['associate'] else array['parent'] end)
         from generate_series(1, $3) n",
    )
    .bind(school.id)
    .bind(&school.label)
    .bind(PEOPLE - 1 - INVITED)
    .execute(&node.behind)
    .await?;
    sqlx::query(
        "update membership m set state = 'suspended' from account a
         where m.tenant_id = $1 and a.id = m.account_id and a.email like 'person%7@%' and not 'governor' = any (m.roles)
           and m.roles = array['parent']",
    )
    .bind(school.id)
    .execute(&node.behind)
    .await?;
    Ok(())
}

async fn invited(node: &Quorate, school: &School) -> Result<()> {
    sqlx::query(
        "insert into membership (tenant_id, account_id, name, roles, invited_at)
         select $1, sec.make_account('invited' || n || '@' || $2 || '.example'),
           (array['Abigail', 'Bartholomew', 'Cerys', 'Dmitri', 'Esther', 'Florian'])[n] || ' Aaronson', array['teacher'],
           now() - make_interval(days => 3 * n)
         from generate_series(1, $3) n",
    )
    .bind(school.id)
    .bind(&school.label)
    .bind(INVITED)
    .execute(&node.behind)
    .await?;
    Ok(())
}

/// A folder that the board reads, and in it papers, every third of them in its second version.
async fn papers(node: &Quorate, school: &School, clerk: &Person) -> Result<()> {
    sqlx::query(
        "with made as (
           insert into folder (tenant_id, name, restricted, made_by) values ($1, 'Policies', false, $2) returning id)
         insert into folder_reader (tenant_id, folder_id, role)
         select $1, made.id, r from made, unnest(array['governor', 'chair', 'teacher']) r",
    )
    .bind(school.id)
    .bind(clerk.membership)
    .execute(&node.behind)
    .await?;
    sqlx::query(
        "with made as (
           insert into document (tenant_id, folder_id, title, kind, newest, made_by)
           select $1, f.id, (array['Admissions', 'Attendance', 'Behaviour & exclusion', 'Charging', 'Complaints', 'Equality'])
               [1 + n % 6] || ' policy, part ' || n, 'policy', case when n % 3 = 0 then 2 else 1 end, $2
           from folder f, generate_series(1, $3) n where f.tenant_id = $1 returning id, newest)
         insert into version (tenant_id, document_id, number, file_name, format, size, sha256, key, made_by)
         select $1, made.id, v, 'policy.pdf', 'pdf', 1000, sha256(uuid_send(made.id) || int4send(v)),
           't/' || $1 || '/d/' || made.id || '/v/' || gen_random_uuid(), $2
         from made, generate_series(1, made.newest) v",
    )
    .bind(school.id)
    .bind(clerk.membership)
    .bind(PAPERS)
    .execute(&node.behind)
    .await?;
    // Of what waits, the clerk has opened the first version of all, and the newest of every second.
    sqlx::query(
        "insert into opening (tenant_id, version_id, membership_id)
         select $1, v.id, $2 from document d join version v on v.tenant_id = d.tenant_id and v.document_id = d.id
         where d.tenant_id = $1 and (v.number < d.newest or right(d.title, 1) in ('0', '2', '4', '6', '8'))",
    )
    .bind(school.id)
    .bind(clerk.membership)
    .execute(&node.behind)
    .await?;
    Ok(())
}

/// One for each paper. Everybody has been reminded twice, which is as often as anybody is: a reminder that a job sends during
/// the run would stand on home.
async fn approvals(node: &Quorate, school: &School, clerk: &Person) -> Result<()> {
    sqlx::query(
        "with paper as (
           select d.id, v.id as version, v.sha256, row_number() over (order by d.id) as n,
             exists (select from opening o
               where o.tenant_id = $1 and o.version_id = v.id and o.membership_id = $2) as opened
           from document d join version v on v.tenant_id = d.tenant_id and v.document_id = d.id and v.number = d.newest
           where d.tenant_id = $1
         ), asker as (
           select m.id from membership m where m.tenant_id = $1 and 'chair' = any (m.roles) order by m.id limit 1
         ), made as (
           insert into approval (tenant_id, document_id, version_id, sha256, rule, least, routine, asked_by, asked_at, due)
           select $1, paper.id, paper.version, paper.sha256,
             (array['everyone', 'majority', 'at_least'])[1 + (n % 3)::integer], case when n % 3 = 2 then 2 end, n % 2 = 0,
             asker.id, now() - make_interval(days => n::integer), sec.today() + (n % 7)::integer
           from paper, asker returning id, document_id)
         insert into approval_place (tenant_id, approval_id, membership_id, nudged)
         select $1, made.id, p.id, 2 from made join paper on paper.id = made.document_id
         cross join lateral (
           (select m.id from membership m where m.tenant_id = $1 and m.state = 'active' and 'governor' = any (m.roles)
            order by m.id limit $4)
           union all
           select $2 where paper.n <= $3) p",
    )
    .bind(school.id)
    .bind(clerk.membership)
    .bind(MINE)
    .bind(ASKED)
    .execute(&node.behind)
    .await?;
    Ok(())
}

/// Two answers to each of the open ones; enough to close the others. One after the other, as each may be the last.
async fn answers(node: &Quorate, school: &School) -> Result<()> {
    let places: Vec<(uuid::Uuid, uuid::Uuid, i64, i64)> = sqlx::query_as(
        "select p.approval_id, p.membership_id, dense_rank() over (order by a.document_id),
           row_number() over (partition by p.approval_id order by p.membership_id)
         from approval_place p join approval a on a.tenant_id = p.tenant_id and a.id = p.approval_id
         join membership m on m.tenant_id = p.tenant_id and m.id = p.membership_id and 'governor' = any (m.roles)
         where p.tenant_id = $1 order by 3, 4",
    )
    .bind(school.id)
    .fetch_all(&node.behind)
    .await?;
    for (approval, person, paper, place) in places {
        let open = paper <= i64::from(MINE + OTHERS);
        if open && place > 1 {
            continue;
        }
        // Some are adopted, some rejected; whatever comes after the deciding answer is refused, and is not sent.
        let answer = if paper % 4 == 3 { "object" } else { "agree" };
        sqlx::query(
            "insert into approval_answer (tenant_id, approval_id, membership_id, by_id, answer, reason)
             select $1, $2, $3, $3, $4, case when $4 = 'object' then 'It says nothing of appeals.' else '' end
             from approval a where a.tenant_id = $1 and a.id = $2 and a.state = 'open'",
        )
        .bind(school.id)
        .bind(approval)
        .bind(person)
        .bind(answer)
        .execute(&node.behind)
        .await?;
    }
    Ok(())
}
