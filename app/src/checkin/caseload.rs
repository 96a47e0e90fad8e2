//! `/caseload`: how one's pupils are, side by side; who has not been seen for long; which of one's own plans and interventions are to
//! be looked at again. For those who see the school, one year group or class at a time.

use domain::{
    Refusal, day,
    db::Read,
    pupil::{
        self, access,
        group::{self, Group},
        year::YearGroup,
    },
    wellbeing::{
        Domain,
        caseload::{self, Latest, Listed, Order, ROWS, UNSEEN_DAYS, Which},
        record::PUPILS_MOST,
        timeline::{self, Due},
    },
};
use leptos::prelude::*;
use time::{Date, Duration};
use uuid::Uuid;

use crate::{
    chart::Cell,
    door,
    pupil::{about, list_name, staff_only},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Notice, counted},
};

/// A review of the next days is told of too.
const AHEAD: Duration = Duration::days(14);

/// What of it is asked for.
struct Wanted {
    which: Which,
    order: Order,
    page: usize,
    /// Whether the reader may choose between their caseload and the school.
    both: bool,
}

impl Wanted {
    fn of(asked: &Asked, around: &Around) -> Self {
        let school = pupil::sees_school(&around.roles);
        let both = school && pupil::has_caseload(&around.roles);
        Self {
            which: Which {
                mine: !school || (both && asked.query("whose") != "school"),
                year: YearGroup::from_code(asked.query("year")),
                group: Uuid::try_parse(asked.query("group")).ok(),
                ..Which::default()
            },
            order: if asked.query("order") == "unseen" {
                Order::Unseen
            } else {
                Order::Surname
            },
            page: asked.query("page").parse().unwrap_or(1).max(1),
            both,
        }
    }

    fn narrows(&self) -> bool {
        self.which.year.is_some() || self.which.group.is_some()
    }

    /// Whether there is something to show: a whole school is no picture.
    fn shows(&self) -> bool {
        self.which.mine || self.narrows()
    }

    /// Whose pupils, and which of them, as a query.
    fn query(&self) -> form_urlencoded::Serializer<'static, String> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if self.both && !self.which.mine {
            query.append_pair("whose", "school");
        }
        if let Some(year) = self.which.year {
            query.append_pair("year", year.code());
        }
        if let Some(group) = self.which.group {
            query.append_pair("group", &group.to_string());
        }
        query
    }

    fn link(&self, order: Order, page: usize) -> String {
        let mut query = self.query();
        if order == Order::Unseen {
            query.append_pair("order", "unseen");
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        format!("/caseload?{}", query.finish())
    }

    /// Checking in with those of them who have not been seen for long.
    fn unseen(&self) -> String {
        format!(
            "/check-in?{}",
            self.query().append_pair("who", "unseen").finish()
        )
    }
}

/// `/caseload`
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    staff_only(around)?;
    let wanted = Wanted::of(asked, around);
    let today = door::today();
    let listed = if wanted.shows() {
        Some(caseload::latest(read, &wanted.which, wanted.order, wanted.page, today).await?)
    } else {
        None
    };
    let mut groups = group::all(read).await?;
    groups.retain(|one| one.pupils > 0);
    let years = if wanted.which.mine {
        vec![]
    } else {
        pupil::years(read, pupil::Whose::Seen).await?
    };
    let mut due = timeline::reviews_due(read, today + AHEAD).await?;
    // Of a plan about pupils who are not theirs to see any more there is nothing to say.
    due.retain(|one| !one.pupils.is_empty());
    let reviews = access::reviews(read).await?;
    let title = list_name(around);
    let done = asked.query("done").parse::<usize>().ok().filter(|n| *n > 0);
    let page = view! {
        {done.map(|n| view! {
            <Notice text=format!("Checked in with {}. It stands in their records; parents see nothing of it unless somebody puts it on record.", counted(n, "pupil", "pupils")) />
        })}
        {head(&wanted, listed.as_ref(), title)}
        {about(around, "/caseload", reviews)}
        {(!due.is_empty()).then(|| to_review(&due, today))}
        <section class="card" aria-label="How they are">
            {filter(&wanted, &groups, &years)}
            {match listed {
                Some(listed) if !listed.rows.is_empty() => sheet(&listed, &wanted, today).into_any(),
                Some(_) => nobody(&wanted).into_any(),
                None => choose(&wanted, &groups, &years).into_any(),
            }}
        </section>
    };
    Ok(Drawing {
        title: title.to_owned(),
        page: page.into_any(),
    })
}

/// How many there are and how many of them nobody has seen, with the way to do something about it.
fn head(wanted: &Wanted, listed: Option<&Listed>, title: &'static str) -> impl IntoView + use<> {
    let (matching, unseen) = listed.map_or((0, 0), |listed| (listed.matching, listed.unseen));
    let weeks = UNSEEN_DAYS / 7;
    let lead = match (listed, matching, unseen) {
        (None, ..) => "Choose a year group or a class to see how its pupils are.".to_owned(),
        (_, 0, _) => "Nobody is here just now.".to_owned(),
        (_, n, 0) => format!(
            "{}. Something was put down about each of them in the last {weeks} weeks.",
            counted(n, "pupil", "pupils")
        ),
        (_, n, unseen) => format!(
            "{}. Nothing was put down about {unseen} of them for {weeks} weeks or longer.",
            counted(n, "pupil", "pupils")
        ),
    };
    let at_once = unseen.min(usize::from(PUPILS_MOST));
    let to_unseen = wanted.unseen();
    let group = wanted.which.group;
    view! {
        <Heading title=title lead=lead>
            {group.filter(|_| matching > 0).map(|group| view! {
                <a class="button" href=format!("/check-in?group={group}") rel="external">"Check in with the group"</a>
            })}
            {if at_once > 0 {
                view! { <a class="button primary" href=to_unseen rel="external">{format!("Check in with {at_once} not seen")}</a> }.into_any()
            } else {
                view! { <a class="button primary" href="/check-in">"Check in"</a> }.into_any()
            }}
        </Heading>
    }
}

fn filter(
    wanted: &Wanted,
    groups: &[Group],
    years: &[(YearGroup, usize)],
) -> impl IntoView + use<> {
    let chosen = (wanted.which.year, wanted.which.group);
    let groups: Vec<_> = groups
        .iter()
        .map(|one| {
            let id = one.group.id;
            view! { <option value=id.to_string() selected=chosen.1 == Some(id)>{format!("{} ({})", one.group.name, one.pupils)}</option> }
        })
        .collect();
    let years: Vec<_> = years
        .iter()
        .map(|(year, count)| {
            view! { <option value=year.code() selected=chosen.0 == Some(*year)>{format!("{} ({count})", year.name())}</option> }
        })
        .collect();
    let orders = wanted.shows().then(|| {
        let of = |order, name| {
            let current = (wanted.order == order).then_some("true");
            view! { <a class="choice" href=wanted.link(order, 1) aria-current=current>{name}</a> }
        };
        view! {
            <nav class="choices" aria-label="Order">
                {of(Order::Surname, "By surname")}
                {of(Order::Unseen, "Longest not seen first")}
            </nav>
        }
    });
    let mine = wanted.which.mine;
    let narrower = !mine || !groups.is_empty();
    let unseen = wanted.order == Order::Unseen;
    view! {
        <form class="filter" method="get" action="/caseload">
            {wanted.both.then(|| view! {
                <nav class="choices" aria-label="Whose">
                    <a class="choice" href="/caseload" aria-current=mine.then_some("true")>"My caseload"</a>
                    <a class="choice" href="/caseload?whose=school" aria-current=(!mine).then_some("true")>"The school"</a>
                </nav>
            })}
            {(wanted.both && !mine).then(|| view! { <input type="hidden" name="whose" value="school" /> })}
            {unseen.then(|| view! { <input type="hidden" name="order" value="unseen" /> })}
            {orders}
            {(!mine).then(|| view! {
                <div class="field fixed">
                    <label for="year">"Year group"</label>
                    <select id="year" name="year"><option value="" selected=chosen.0.is_none()>"Every year"</option>{years}</select>
                </div>
            })}
            {(!groups.is_empty()).then(|| view! {
                <div class="field fixed">
                    <label for="group">"Group or class"</label>
                    <select id="group" name="group"><option value="" selected=chosen.1.is_none()>"Every group"</option>{groups}</select>
                </div>
            })}
            {narrower.then(|| view! { <button class="button">"Show"</button> })}
        </form>
    }
}

/// The heat map: a table, with a box before each name, so that some of them can be checked in with at once.
fn sheet(listed: &Listed, wanted: &Wanted, today: Date) -> impl IntoView + use<> {
    let order = if wanted.order == Order::Unseen {
        "longest not seen first"
    } else {
        "by surname"
    };
    let caption = format!(
        "{}, {order}. The newest check-in in each domain, from 1 (great difficulty) to 5 (thriving). A dash: not yet seen.",
        counted(listed.matching, "pupil", "pupils")
    );
    let heads: Vec<_> = Domain::ALL
        .into_iter()
        .map(|domain| view! { <th scope="col" title=domain.look()>{domain.name()}</th> })
        .collect();
    let rows: Vec<_> = listed.rows.iter().map(|one| row(one, today)).collect();
    let pages = listed.matching.div_ceil(ROWS);
    let (page, order) = (wanted.page, wanted.order);
    let pager = (pages > 1).then(|| {
        view! {
            <nav class="pager" aria-label="Pages of the list">
                {(page > 1).then(|| view! { <a class="button" rel="prev" href=wanted.link(order, page - 1)>"Those before"</a> })}
                <span>{format!("Page {page} of {pages}")}</span>
                {(page < pages).then(|| view! { <a class="button" rel="next" href=wanted.link(order, page + 1)>"Those after"</a> })}
            </nav>
        }
    });
    view! {
        <form method="get" action="/check-in">
            <table class="table heat caseload">
                <caption>{caption}</caption>
                <thead><tr><th scope="col">"Pupil"</th><th scope="col">"Last seen"</th>{heads}<th scope="col"><span class="hidden-text">"Check in"</span></th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
            <div class="ticked actions">
                <button class="button primary">"Check in with those ticked"</button>
                <small>{format!("At most {PUPILS_MOST} at once.")}</small>
            </div>
        </form>
        {pager}
    }
}

fn row(one: &Latest, today: Date) -> impl IntoView + use<> {
    let (id, called) = (one.pupil.to_string(), one.called.clone());
    let cells: Vec<_> = Domain::ALL
        .into_iter()
        .map(|domain| {
            let newest = one.levels.iter().find(|(of, ..)| *of == domain);
            let on = newest.and_then(|(_, _, on)| day::parse(on).ok());
            view! { <td data-label=domain.name()><Cell domain=domain level=newest.map(|(_, level, _)| *level) on=on /></td> }
        })
        .collect();
    view! {
        <tr>
            <th scope="row">
                <div class="person">
                    <label class="tick"><input type="checkbox" name="pupil" value=id.clone() /><span class="hidden-text">"Tick " {called.clone()}</span></label>
                    <div>
                        <a class="open" href=format!("/pupils/{id}")>{called.clone()}</a>
                        <small>{where_taught(one)}</small>
                    </div>
                </div>
            </th>
            <td data-label="Last seen">{seen(one, today)}</td>
            {cells}
            <td class="act"><a class="button quiet" href=format!("/check-in?pupil={id}") rel="external">"Check in" <span class="hidden-text">" with " {called}</span></a></td>
        </tr>
    }
}

/// "Year 4, 4W".
pub(super) fn where_taught(one: &Latest) -> String {
    let group = one.registration.as_ref();
    let group = group.map(|name| format!(", {name}")).unwrap_or_default();
    format!("{}{group}", one.year.name())
}

/// How long ago somebody put something down, the day itself, and the last check-in where that was another day.
fn seen(one: &Latest, today: Date) -> impl IntoView + use<> {
    let day_of = |at: &Option<String>| at.as_deref().and_then(|at| day::of(at).ok());
    let (seen, checked) = (day_of(&one.seen_at), day_of(&one.checked_at));
    let long = seen.is_none_or(|on| on < caseload::of_late(today));
    let check_in = match checked {
        _ if checked == seen => None,
        None => Some("No check-in yet".to_owned()),
        Some(on) => Some(format!("Check-in {}", day::words(on))),
    };
    view! {
        <span class="seen" data-long=long.then_some("")>
            <b>{since(seen, today)}</b>
            {seen.map(|on| view! { <small>{day::words(on)}</small> })}
            {check_in.map(|words| view! { <small>{words}</small> })}
        </span>
    }
}

/// "Today", "16 days ago", "Not yet".
pub(super) fn since(seen: Option<Date>, today: Date) -> String {
    match seen.map(|on| (today - on).whole_days()) {
        None => "Not yet".to_owned(),
        Some(..=0) => "Today".to_owned(),
        Some(1) => "Yesterday".to_owned(),
        Some(days) => format!("{days} days ago"),
    }
}

/// Of a school, which pupils.
fn choose(
    wanted: &Wanted,
    groups: &[Group],
    years: &[(YearGroup, usize)],
) -> impl IntoView + use<> {
    let whose = if wanted.both { "whose=school&" } else { "" };
    let years: Vec<_> = years
        .iter()
        .map(|(year, count)| {
            view! { <a class="choice" href=format!("/caseload?{whose}year={}", year.code())>{year.name()} <span>{*count}</span></a> }
        })
        .collect();
    let groups: Vec<_> = groups
        .iter()
        .map(|one| {
            view! { <a class="choice" href=format!("/caseload?{whose}group={}", one.group.id)>{one.group.name.clone()} <span>{one.pupils}</span></a> }
        })
        .collect();
    if years.is_empty() {
        return view! {
            <div class="empty">
                <Icon name="pupils" />
                <h2>"No pupils yet"</h2>
                <p>"How each pupil is stands here, as the adults around them saw it, once there are pupils on the roll."</p>
                <div class="actions"><a class="button" href="/pupils">"Go to the list"</a></div>
            </div>
        }
        .into_any();
    }
    view! {
        <div class="body choose">
            <h2>"Year groups"</h2>
            <nav class="choices" aria-label="Year groups">{years}</nav>
            {(!groups.is_empty()).then(|| view! {
                <h2>"Groups and classes"</h2>
                <nav class="choices" aria-label="Groups and classes">{groups}</nav>
            })}
        </div>
    }
    .into_any()
}

/// What the place is for, and the first thing to do there.
fn nobody(wanted: &Wanted) -> impl IntoView + use<> {
    let (title, text) = if wanted.narrows() {
        (
            "None of your pupils is in it",
            "Choose another group, or look at all of them.",
        )
    } else {
        (
            "No pupils yet",
            "How each of your pupils is stands here, and who has not been seen for long, once your class is on your caseload. The office, the SENCO or a senior leader puts it there.",
        )
    };
    let (href, name) = if wanted.narrows() {
        ("/caseload", "Show all of them")
    } else {
        ("/pupils/seek", "Open another pupil’s record")
    };
    let link = (wanted.which.mine || wanted.narrows())
        .then(|| view! { <div class="actions"><a class="button" href=href>{name}</a></div> });
    view! { <div class="empty"><Icon name="pupils" /><h2>{title}</h2><p>{text}</p>{link}</div> }
}

fn to_review(due: &[Due], today: Date) -> impl IntoView + use<> {
    let lines: Vec<_> = due
        .iter()
        .map(|one| {
            let on = day::parse(&one.on).ok();
            let (class, tag) = match on {
                Some(on) if on < today => ("tag bad", "Overdue"),
                Some(on) if on == today => ("tag wait", "Today"),
                _ => ("tag info", "Soon"),
            };
            let names: Vec<_> = one
                .pupils
                .iter()
                .map(|(id, called)| view! { <a href=format!("/pupils/{id}")>{called.clone()}</a> " " })
                .collect();
            view! {
                <li>
                    <span class="whom">{names}</span>
                    <small><span class=class>{tag}</span> " " {one.kind.name()} {on.map(|on| format!(", review on {}", day::words(on)))}</small>
                </li>
            }
        })
        .collect();
    view! {
        <section class="card reviews" aria-labelledby="reviews">
            <header><h2 id="reviews">"Your reviews"</h2></header>
            <div class="body"><ul role="list" class="lines">{lines}</ul></div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::since;

    #[test]
    fn how_long_ago_is_said_in_days() {
        let today = date!(2026 - 06 - 18);
        for (seen, words) in [
            (None, "Not yet"),
            (Some(today), "Today"),
            (Some(date!(2026 - 06 - 17)), "Yesterday"),
            (Some(date!(2026 - 06 - 02)), "16 days ago"),
        ] {
            assert_eq!(since(seen, today), words);
        }
    }
}
