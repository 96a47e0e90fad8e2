//! `/board`: who holds which seat, how many make a quorum, what ends soon, and the committees.

use domain::{
    Refusal,
    board::{self, Board, Category, Named, Seat, Term},
    day,
    db::Read,
    overview,
};
use leptos::prelude::*;

use crate::{
    door,
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Notice, counted},
};

/// Somebody's name, with a way to their page where the reader sees them.
pub fn named(person: &Named) -> AnyView {
    match &person.name {
        Some(name) => {
            view! { <a href=format!("/people/{}", person.id)>{name.clone()}</a> }.into_any()
        }
        None => view! { <span class="muted">"Somebody you cannot see here"</span> }.into_any(),
    }
}

/// "1 September 2024 to 31 August 2028", or without an end.
pub fn span(term: &Term) -> String {
    match term.to {
        Some(to) => format!("{} to {}", day::words(term.from), day::words(to)),
        None => format!("since {}, with the office", day::words(term.from)),
    }
}

/// `/board`
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    let board = board::board(read, door::today()).await?;
    let trust = overview::trust(read).await?;
    let keeps = around.manages_people();
    let seats = board.governors().count();
    let (in_post, quorum, vacancies) = (board.in_post(), board.quorum(), board.vacancies());
    let done = match asked.query("done") {
        "opened" => Some("The seat is on the board."),
        "closed" => Some("The seat is closed."),
        "committee-closed" => Some("The committee is closed, and the places on it have ended."),
        _ => None,
    };
    let lead = match seats {
        0 => "No seats yet. Add those that the instrument of government or the articles name."
            .to_owned(),
        n => format!("{in_post} of {} are filled.", counted(n, "seat", "seats")),
    };
    let page = view! {
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title="The board" lead=lead>
            <a class="button" href="/board/interests">"Register of interests"</a>
            {keeps.then(|| view! { <a class="button primary" href="/board/seats/add"><Icon name="add" />"Add a seat"</a> })}
        </Heading>
        {(seats > 0).then(|| view! {
            <dl class="facts">
                <div><dt>"In post"</dt><dd>{in_post}<small>{format!("of {}", counted(seats, "seat", "seats"))}</small></dd></div>
                <div><dt>"Quorum"</dt><dd>{quorum}<small>"must be present"</small></dd></div>
                <div><dt>"Vacant"</dt><dd>{vacancies}<small>{if vacancies == 1 { "seat" } else { "seats" }}</small></dd></div>
                <div><dt>"Ending soon"</dt><dd>{board.ending().len()}<small>"within 90 days"</small></dd></div>
            </dl>
        })}
        <div class="split">
            <div class="stack">
                {if seats == 0 && board.seats.is_empty() {
                    view! {
                        <section class="card"><div class="empty">
                            <Icon name="board" />
                            <h2>"No seats yet"</h2>
                            <p>"Each seat has a category and an appointing body. Once they are here, Quorate counts vacancies and the quorum, and tells you what ends soon."</p>
                            {keeps.then(|| view! { <div class="actions"><a class="button primary" href="/board/seats/add">"Add a seat"</a></div> })}
                        </div></section>
                    }.into_any()
                } else {
                    table(&board, keeps).into_any()
                }}
                {committees(&board, keeps)}
            </div>
            <aside class="stack" aria-label="At a glance">
                {(seats > 0).then(|| standing(&board, in_post, quorum, seats))}
                {(seats > 0).then(|| ending(&board))}
                {(vacancies > 0).then(|| vacant(&board))}
                {trust.map(|trust| view! {
                    <section class="card" aria-labelledby="trust">
                        <header><h2 id="trust">"What the trust sees"</h2></header>
                        <div class="body"><p class="muted">{trust} " sees how many people there are here, how many are invited or have never signed in, how many seats are vacant, how many terms end soon and how many declarations are due. It sees these numbers and nobody’s name."</p></div>
                    </section>
                })}
                {(keeps && !(board.without_term.is_empty() && board.without_role.is_empty())).then(|| to_mend(&board))}
            </aside>
        </div>
    };
    Ok(Drawing {
        title: "The board".to_owned(),
        page: page.into_any(),
    })
}

fn table(board: &Board, keeps: bool) -> impl IntoView + use<> {
    let caption = format!(
        "{}, by category. On {}.",
        counted(board.seats.len(), "seat", "seats"),
        day::words(board.on)
    );
    let on = board.on;
    let rows: Vec<_> = board
        .seats
        .iter()
        .map(|seat| row(seat, on, keeps))
        .collect();
    view! {
        <section class="card" aria-label="Seats">
            <table class="table">
                <caption>{caption}</caption>
                <thead><tr>
                    <th scope="col">"Seat"</th><th scope="col">"Held by"</th><th scope="col">"Term of office"</th><th scope="col">"Appointed by"</th>
                    {keeps.then(|| view! { <th scope="col"><span class="hidden-text">"Change"</span></th> })}
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
}

fn row(seat: &Seat, on: time::Date, keeps: bool) -> AnyView {
    let title = seat.title();
    let holder = match &seat.holder {
        Some(term) => view! {
            {named(&term.person)}
            {term.is_suspended(on).then(|| view! { " " <span class="tag bad">"Suspended from meetings"</span> })}
        }
        .into_any(),
        None => view! { <span class="tag wait">"Vacant"</span> }.into_any(),
    };
    let next = seat.next.as_ref().map(|term| {
        view! { <small>"Next: " {named(&term.person)} ", from " {day::words(term.from)}</small> }
    });
    let term = seat.holder.as_ref().map(|term| {
        let soon = term.ends_soon(on);
        view! { {span(term)} {soon.then(|| view! { " " <span class="tag wait">"Ends soon"</span> })} }
    });
    view! {
        <tr>
            <th scope="row">{title.clone()}</th>
            <td data-label="Held by">{holder} {next}</td>
            <td data-label="Term">{term.map_or_else(|| "–".into_any(), IntoAny::into_any)}</td>
            <td data-label="Appointed by">{seat.appointed_by.clone()}</td>
            {keeps.then(|| view! {
                <td class="act"><a class="button quiet" href=format!("/board/seats/{}", seat.id)>"Change" <span class="hidden-text">" " {title}</span></a></td>
            })}
        </tr>
    }
    .into_any()
}

/// The quorum as a ring: filled seats, and the mark that must be reached. The numbers stand beside it in words.
fn standing(board: &Board, in_post: u32, quorum: u32, seats: usize) -> impl IntoView + use<> {
    let seats = u32::try_from(seats).unwrap_or(u32::MAX).max(1);
    // In hundredths of the way round.
    let share = |n: u32| n.min(seats).saturating_mul(100) / seats;
    let (filled, needed) = (share(in_post), share(quorum));
    let suspended = board.suspended();
    let rule = board.rule;
    view! {
        <section class="card" aria-labelledby="quorum">
            <header><h2 id="quorum">"Quorum now"</h2></header>
            <div class="body">
                <div class="standing">
                    <svg class="ring" viewBox="0 0 36 36" aria-hidden="true">
                        <circle cx="18" cy="18" r="15.9155" />
                        <circle class="done" cx="18" cy="18" r="15.9155" stroke-dasharray=format!("{filled} 100") />
                        <circle class="mark" cx="18" cy="18" r="15.9155" stroke-dasharray="2 98" stroke-dashoffset=format!("{}", 1 - i64::from(needed)) />
                    </svg>
                    <p><b class="figure">{quorum}</b>" governors must be present"<small>{format!("{in_post} in post")}{(suspended > 0).then(|| format!(", {suspended} suspended"))}</small></p>
                </div>
                <p class="muted">{rule.name()} ": " {rule.words()}</p>
            </div>
        </section>
    }
}

fn ending(board: &Board) -> impl IntoView + use<> {
    let rows: Vec<_> = board
        .ending()
        .into_iter()
        .filter_map(|seat| Some((seat.title(), seat.holder.as_ref()?)))
        .map(|(title, term)| {
            let to = term.to.map(day::words).unwrap_or_default();
            view! { <li><b>{named(&term.person)}</b><small>{title} ", until " {to}</small></li> }
        })
        .collect();
    let none = rows.is_empty();
    view! {
        <section class="card" aria-labelledby="ending">
            <header><h2 id="ending">"Ending within 90 days"</h2></header>
            <div class="body">
                {none.then(|| view! { <p class="muted">"No term ends without somebody to follow."</p> })}
                {(!none).then(|| view! { <ul role="list" class="lines">{rows}</ul> })}
            </div>
        </section>
    }
}

fn vacant(board: &Board) -> impl IntoView + use<> {
    let rows: Vec<_> = Category::ALL
        .iter()
        .filter(|category| category.is_governor())
        .map(|category| (category.name(), board.vacancies_of(*category)))
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| view! { <div><dt>{name}</dt><dd>{count}</dd></div> })
        .collect();
    view! {
        <section class="card" aria-labelledby="vacant">
            <header><h2 id="vacant">"Vacancies"</h2></header>
            <div class="body"><dl class="details counts">{rows}</dl></div>
        </section>
    }
}

/// Where the law's list and the list of people say different things.
fn to_mend(board: &Board) -> impl IntoView + use<> {
    let lines = |people: &[Named], words: &'static str| {
        let people: Vec<_> = people
            .iter()
            .map(|person| view! { <li><b>{named(person)}</b><small>{words}</small></li> })
            .collect();
        people
    };
    view! {
        <section class="card" aria-labelledby="mend">
            <header><h2 id="mend">"To put right"</h2></header>
            <div class="body">
                <ul role="list" class="lines">
                    {lines(&board.without_term, "is a governor here, and holds no seat")}
                    {lines(&board.without_role, "holds a seat, and is no governor here")}
                </ul>
            </div>
        </section>
    }
}

fn committees(board: &Board, keeps: bool) -> impl IntoView + use<> {
    let rows: Vec<_> = board
        .committees
        .iter()
        .map(|committee| {
            let chair = committee.chair.as_ref().map(named);
            view! {
                <tr>
                    <th scope="row"><a class="open" href=format!("/board/committees/{}", committee.id)>{committee.name.clone()}</a></th>
                    <td data-label="Chair">{chair.unwrap_or_else(|| view! { <span class="tag wait">"None"</span> }.into_any())}</td>
                    <td data-label="Members">{committee.members.len()} " (" {committee.governors()} " governors)"</td>
                    <td data-label="Quorum">{committee.quorum}</td>
                </tr>
            }
        })
        .collect();
    let none = rows.is_empty();
    view! {
        <section class="card" aria-labelledby="committees">
            <header>
                <h2 id="committees">"Committees"</h2>
                {keeps.then(|| view! { <a class="button" href="/board/committees/add">"Add a committee"</a> })}
            </header>
            {if none {
                view! { <div class="empty"><p>"No committees. The board does all of its work itself."</p></div> }.into_any()
            } else {
                view! {
                    <table class="table">
                        <caption class="hidden-text">"Committees"</caption>
                        <thead><tr><th scope="col">"Committee"</th><th scope="col">"Chair"</th><th scope="col">"Members"</th><th scope="col">"Quorum"</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                }.into_any()
            }}
        </section>
    }
}
