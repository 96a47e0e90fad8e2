//! Many people at once: a pasted or uploaded list, one person a line, judged line by line before anybody is added.
//!
//! A line holds address, name, role, and for the board category, first and last day of the term, divided by tabs, semicolons or
//! commas. A first line may name the columns, in any order. A wrong line never keeps a good one from being added, and the same
//! list again changes nothing.

mod line;

use std::collections::{HashMap, HashSet};

use time::Date;
use uuid::Uuid;

use line::{CATEGORY, EMAIL, FROM, NAME, ROLE, TO, plain};

use super::{Person, State, tidy_email, tidy_name};
use crate::{
    Refusal,
    board::{Category, Rule, Seat, Term, seat, term},
    day,
    role::{Role, TenantKind},
};

/// Most people of one list.
pub const LINES_MOST: u16 = 5_000;

/// Most people that are added in one transaction: others who write wait for it.
pub const TOGETHER: usize = 100;

/// What becomes of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The person is added and invited.
    Add(Newcomer),
    /// The person has a place already; nothing is changed.
    Here {
        /// What they are called here.
        name: String,
    },
    /// The address stands in an earlier line, which counts.
    Twice {
        /// Which one.
        of: usize,
    },
    /// Nothing can be done with it.
    Wrong(Fault),
}

/// Somebody who is to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// Tidied.
    pub name: String,
    /// Tidied.
    pub email: String,
    /// One or more.
    pub roles: Vec<Role>,
    /// Whether they were here before and were removed.
    pub again: bool,
    /// The seat that they take.
    pub office: Option<Office>,
}

/// A seat that a newcomer takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Office {
    /// The seat's key.
    pub seat: Uuid,
    /// "Parent governor 2".
    pub title: String,
    /// First day.
    pub from: Date,
    /// Last day; none for ex officio.
    pub to: Option<Date>,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// What refuses the same where one person is added.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// No such role, or not in this kind of tenant.
    #[error("“{0}” is not a role here. Use one of: {1}.")]
    Role(String, String),
    /// An administrator wants a fresh proof and a look of their own.
    #[error("Administrators are added one by one, not from a list.")]
    Administrator,
    /// No such category.
    #[error("“{0}” is not a category of governor. Use one of: {1}.")]
    Category(String, String),
    /// Nobody can take a seat that there is not.
    #[error(
        "No seat for a {0} is vacant. Add a seat on the board’s page, or leave the category out."
    )]
    NoSeat(String),
}

/// A line with its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The line.
    pub line: Line,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// What a list is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Against<'a> {
    /// Everybody here, those removed among them.
    pub people: &'a [Person],
    /// The seats of the board, as they are held today.
    pub seats: &'a [Seat],
    /// Decides how long a term may be.
    pub rule: Rule,
    /// What the caller is here.
    pub own: &'a [Role],
    /// Decides which roles there are.
    pub kind: TenantKind,
    /// The school's day.
    pub today: Date,
}

/// Judges every line, in its order; who is added, and on which seat, follows from the lines before it too.
pub fn judge(lines: Vec<Line>, against: &Against<'_>) -> Vec<Judged> {
    let places: HashMap<&str, &Person> = against
        .people
        .iter()
        .filter_map(|person| Some((person.email.as_deref()?, person)))
        .collect();
    let mut met: HashMap<String, usize> = HashMap::new();
    let mut taken: HashSet<Uuid> = HashSet::new();
    lines
        .into_iter()
        .map(|line| {
            let verdict =
                one(&line, against, &places, &mut met, &mut taken).unwrap_or_else(Verdict::Wrong);
            Judged { line, verdict }
        })
        .collect()
}

fn one(
    line: &Line,
    against: &Against<'_>,
    places: &HashMap<&str, &Person>,
    met: &mut HashMap<String, usize>,
    taken: &mut HashSet<Uuid>,
) -> Result<Verdict, Fault> {
    let email = tidy_email(&line.cells[EMAIL])?;
    if let Some(of) = met.get(&email) {
        return Ok(Verdict::Twice { of: *of });
    }
    let place = places.get(email.as_str());
    if let Some(person) = place.filter(|person| person.state != State::Ended) {
        met.insert(email, line.number);
        return Ok(Verdict::Here {
            name: person.name.clone(),
        });
    }
    let name = tidy_name(&line.cells[NAME])?;
    let category = match line.cells[CATEGORY].as_str() {
        "" => None,
        typed => Some(category(typed)?),
    };
    let roles = roles(&line.cells[ROLE], category, against)?;
    let office = category
        .map(|category| office(line, category, against, taken))
        .transpose()?;
    if let Some(office) = &office {
        taken.insert(office.seat);
    }
    met.insert(email.clone(), line.number);
    Ok(Verdict::Add(Newcomer {
        name,
        email,
        roles,
        again: place.is_some(),
        office,
    }))
}

/// "Governor + Parent", by name or code. Left empty beside a category it is what sits there.
fn roles(
    typed: &str,
    category: Option<Category>,
    against: &Against<'_>,
) -> Result<Vec<Role>, Fault> {
    let given = Role::given_by(against.own, against.kind);
    let mut roles = Vec::new();
    for word in typed
        .split([',', ';', '/', '+', '&'])
        .map(str::trim)
        .filter(|word| !word.is_empty())
    {
        let wanted = plain(word);
        let role = Role::ALL
            .iter()
            .copied()
            .filter(|role| role.fits(against.kind))
            .find(|role| plain(role.code()) == wanted || plain(role.name()) == wanted);
        match role {
            Some(role) if role.is_admin() => return Err(Fault::Administrator),
            Some(role) if given.contains(&role) => roles.push(role),
            Some(_) => return Err(Refusal::NotAllowed.into()),
            None => {
                let known: Vec<_> = given
                    .iter()
                    .filter(|role| !role.is_admin())
                    .map(|role| role.name())
                    .collect();
                return Err(Fault::Role(word.to_owned(), known.join(", ")));
            }
        }
    }
    if roles.is_empty() {
        let seated = match category {
            Some(category) if category.is_governor() => Role::Governor,
            Some(_) => Role::Associate,
            None => return Err(Refusal::NoRole.into()),
        };
        if !given.contains(&seated) {
            return Err(Refusal::NoRole.into());
        }
        roles.push(seated);
    }
    roles.sort_unstable();
    roles.dedup();
    Ok(roles)
}

/// "Co-opted", "co-opted governor", or a seat such as "Co-opted governor 3", of which the category counts.
fn category(typed: &str) -> Result<Category, Fault> {
    let wanted = plain(typed);
    let short = (wanted == "la").then_some(Category::LocalAuthority);
    let named =
        |category: &&Category| plain(category.code()) == wanted || plain(category.name()) == wanted;
    short
        .or_else(|| Category::ALL.iter().find(named).copied())
        .ok_or_else(|| {
            let known: Vec<_> = Category::ALL
                .iter()
                .map(|category| category.name())
                .collect();
            Fault::Category(typed.to_owned(), known.join(", "))
        })
}

/// The first seat of the category that nobody holds in that time, and no line before took.
fn office(
    line: &Line,
    category: Category,
    against: &Against<'_>,
    taken: &HashSet<Uuid>,
) -> Result<Office, Fault> {
    let from = match line.cells[FROM].as_str() {
        "" => against.today,
        typed => day::parse(typed)?,
    };
    let to = match line.cells[TO].as_str() {
        "" => None,
        typed => Some(day::parse(typed)?),
    };
    let to = term::check_days(against.rule, category, from, to)?;
    let clear = |term: Option<&Term>| {
        term.is_none_or(|term| {
            to.is_some_and(|to| to < term.from) || term.to.is_some_and(|last| last < from)
        })
    };
    let free = against.seats.iter().find(|seat| {
        seat.category == category
            && !taken.contains(&seat.id)
            && clear(seat.holder.as_ref())
            && clear(seat.next.as_ref())
    });
    let free = free.ok_or_else(|| Fault::NoSeat(category.name().to_lowercase()))?;
    Ok(Office {
        seat: free.id,
        title: seat::title(free.category, free.number),
        from,
        to,
    })
}

pub use line::{Line, lines};
pub use queries::{add_some, judged};

mod queries {
    use time::Date;

    use super::{Against, Judged, Line, Newcomer, Verdict, judge, lines};
    use crate::{
        Refusal, board,
        db::{Read, Write, refused},
        event::Act,
        membership,
    };

    /// Judges a list by how things stand. Refuses what [`lines`] refuses, and whoever may not add anybody.
    pub async fn judged(read: &mut Read, text: &str, today: Date) -> Result<Vec<Judged>, Refusal> {
        if !read.standing.roles.iter().any(|role| role.manages_people()) {
            return Err(Refusal::NotAllowed);
        }
        let lines: Vec<Line> = lines(text)?;
        let people = membership::list(read).await?;
        let board = board::board(read, today).await?;
        let against = Against {
            people: &people,
            seats: &board.seats,
            rule: board.rule,
            own: &read.standing.roles,
            kind: read.standing.kind,
            today,
        };
        Ok(judge(lines, &against))
    }

    /// Adds those who are to be added. Who turns out otherwise now that it is done, since somebody else was quicker, gets a new
    /// verdict and leaves the others as they are.
    ///
    /// Refuses, and then nobody was added, what refuses every line: a caller who was signed out, a database that is gone.
    pub async fn add_some(write: &mut Write, some: &mut [Judged]) -> Result<Vec<Act>, Refusal> {
        let mut acts = Vec::new();
        for judged in some {
            let Verdict::Add(newcomer) = &judged.verdict else {
                continue;
            };
            step(write, "savepoint line").await?;
            match add_one(write, newcomer).await {
                Ok(done) => {
                    step(write, "release savepoint line").await?;
                    acts.extend(done);
                }
                Err(refusal) if refusal.status() >= 500 || refusal == Refusal::SignedOut => {
                    return Err(refusal);
                }
                Err(refusal) => {
                    step(write, "rollback to savepoint line").await?;
                    judged.verdict = Verdict::Wrong(refusal.into());
                }
            }
        }
        Ok(acts)
    }

    async fn add_one(write: &mut Write, newcomer: &Newcomer) -> Result<Vec<Act>, Refusal> {
        let Newcomer {
            name,
            email,
            roles,
            office,
            ..
        } = newcomer;
        let (id, act) = membership::add(write, name, email, roles).await?;
        let mut acts = vec![act];
        if let Some(office) = office {
            let (_, act) =
                board::start_term(write, office.seat, id, office.from, office.to).await?;
            acts.push(act);
        }
        Ok(acts)
    }

    async fn step(write: &mut Write, statement: &'static str) -> Result<(), Refusal> {
        sqlx::raw_sql(statement)
            .execute(write.connection())
            .await
            .map_err(refused)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const TODAY: Date = date!(2026 - 06 - 18);

    fn person(name: &str, email: &str, state: State) -> Person {
        Person {
            id: Uuid::nil(),
            account: Uuid::nil(),
            name: name.to_owned(),
            email: Some(email.to_owned()),
            roles: vec![Role::Governor],
            state,
            since: String::new(),
        }
    }

    fn seat(category: Category, number: u32) -> Seat {
        Seat {
            id: Uuid::from_u128(u128::from(number)),
            category,
            number,
            appointed_by: String::new(),
            opened_on: date!(2020 - 01 - 01),
            holder: None,
            next: None,
        }
    }

    fn verdicts(text: &str) -> Vec<Verdict> {
        let people = [
            person("Ann Here", "ann@x.example", State::Active),
            person("Bo Gone", "bo@x.example", State::Ended),
        ];
        let seats = [seat(Category::Parent, 1), seat(Category::Parent, 2)];
        let against = Against {
            people: &people,
            seats: &seats,
            rule: Rule::Maintained,
            own: &[Role::Clerk],
            kind: TenantKind::School,
            today: TODAY,
        };
        judge(lines(text).unwrap(), &against)
            .into_iter()
            .map(|judged| judged.verdict)
            .collect()
    }

    fn added(text: &str) -> Newcomer {
        match verdicts(text).pop() {
            Some(Verdict::Add(newcomer)) => newcomer,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn wrong(text: &str) -> String {
        match verdicts(text).pop() {
            Some(Verdict::Wrong(fault)) => fault.to_string(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_list_is_read_however_it_is_written() {
        for text in [
            "cy@x.example, Cy Jones, Governor",
            "Cy Jones; CY@x.example ;governor",
            "cy@x.example\tCy Jones\tGOVERNOR",
            "Surname,E-mail,Forename,Role\nJones,cy@x.example,Cy,governor",
            "\u{feff}Role;Name;Email address\r\n\r\nGovernor;Cy  Jones;cy@x.example\r\n",
            "Cy Jones <cy@x.example>,,governor",
            "\"cy@x.example\", \"Cy Jones\", \"Governor\"",
            "cy@x.example, \"Cy Jones\" ,Governor",
        ] {
            let Newcomer {
                name, email, roles, ..
            } = added(text);
            assert_eq!(
                (&*name, &*email, &*roles),
                ("Cy Jones", "cy@x.example", &[Role::Governor][..]),
                "{text}"
            );
        }
        assert_eq!(
            added("cy@x.example;Jones, Cy;Teacher, Parent").roles,
            [Role::Teacher, Role::Parent]
        );
        assert_eq!(added("cy@x.example,'=Cy,clerk to governors").name, "=Cy");
    }

    #[test]
    fn a_line_that_is_wrong_is_told_and_keeps_no_other_from_being_added() {
        let text = "a@x.example,\"Open quote,governor\nnot an address,B,governor\nc@x.example,C,governer\nd@x.example,D\n\
                    e@x.example,E,school administrator\nf@x.example,,governor\ng@x.example,G,governor\ng@X.example,G,governor\n\
                    h@x.example,H,trust leader\ni@x.example,I,,king";
        let verdicts = verdicts(text);
        let wrong: Vec<_> = verdicts
            .iter()
            .map(|verdict| match verdict {
                Verdict::Wrong(fault) => fault.to_string(),
                Verdict::Twice { of } => format!("twice {of}"),
                Verdict::Here { .. } => "here".to_owned(),
                Verdict::Add(_) => String::new(),
            })
            .collect();
        assert_eq!(wrong.len(), 10);
        assert_eq!(wrong[0], Refusal::NoRole.to_string());
        assert_eq!(wrong[1], Refusal::EmailFormat.to_string());
        assert!(wrong[2].starts_with("“governer” is not a role here. Use one of: Senior leader,"));
        assert!(!wrong[2].contains("School administrator"));
        assert_eq!(wrong[3], Refusal::NoRole.to_string());
        assert_eq!(wrong[4], Fault::Administrator.to_string());
        assert_eq!(wrong[5], Refusal::NameFormat.to_string());
        assert_eq!(wrong[6], "");
        assert_eq!(wrong[7], "twice 7");
        assert!(wrong[8].starts_with("“trust leader” is not a role here."));
        assert!(wrong[9].starts_with("“king” is not a category of governor."));
    }

    #[test]
    fn who_is_here_is_left_alone_and_who_was_removed_comes_again() {
        assert_eq!(
            verdicts("ANN@x.example,Another Name,teacher"),
            [Verdict::Here {
                name: "Ann Here".to_owned()
            }]
        );
        assert!(added("bo@x.example,Bo,governor").again);
        // A wrong line does not stand in the way of the right one below it.
        assert!(matches!(
            verdicts("c@x.example,C,king\nc@x.example,C,teacher")[..],
            [Verdict::Wrong(_), Verdict::Add(_)]
        ));
    }

    #[test]
    fn a_category_takes_the_next_vacant_seat_while_there_is_one() {
        let verdicts = verdicts(
            "a@x.example,A,,Parent\nb@x.example,B,chair,parent governor 7,1 May 2026,30/04/2028\nc@x.example,C,governor,parent\nd@x.example,D,governor,LA",
        );
        let office = |n: usize| match &verdicts[n] {
            Verdict::Add(newcomer) => newcomer.office.clone().unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            (office(0).title.as_str(), office(0).from, office(0).to),
            ("Parent governor 1", TODAY, Some(date!(2030 - 06 - 17)))
        );
        assert_eq!(
            (office(1).title.as_str(), office(1).from, office(1).to),
            (
                "Parent governor 2",
                date!(2026 - 05 - 01),
                Some(date!(2028 - 04 - 30))
            )
        );
        assert_eq!(
            verdicts[2],
            Verdict::Wrong(Fault::NoSeat("parent governor".to_owned()))
        );
        assert_eq!(
            verdicts[3],
            Verdict::Wrong(Fault::NoSeat("local authority governor".to_owned()))
        );
        assert_eq!(
            wrong("a@x.example,A,,parent,30 February 2026"),
            Refusal::DateFormat.to_string()
        );
        assert_eq!(
            wrong("a@x.example,A,,parent,18/06/2026,17/06/2026"),
            Refusal::DatesOrder.to_string()
        );
        assert_eq!(
            wrong("a@x.example,A,,parent,18/06/2026,18/06/2030"),
            Refusal::TermTooLong.to_string()
        );
    }

    #[test]
    fn an_empty_list_and_one_that_is_too_long_are_refused() {
        assert_eq!(lines(" \n\r\n"), Err(Refusal::NoLines));
        assert_eq!(lines("name,e-mail,role\n"), Err(Refusal::NoLines));
        let most = "x\n".repeat(LINES_MOST.into());
        assert_eq!(lines(&most).unwrap().len(), usize::from(LINES_MOST));
        assert_eq!(lines(&(most + "x")), Err(Refusal::ManyLines(LINES_MOST)));
    }
}
