//! A seat: adding one, who holds it and for how long, and closing it. For those who keep the board.

use domain::{
    Refusal,
    board::{self, Category, Seat, Term, Why},
    day,
    db::Read,
    membership::State,
    role::Role,
};
use leptos::prelude::*;

use super::whole::{named, span};
use crate::{
    door,
    form::{Act, Choice, Echo, Field, Refusals},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Notice},
};

fn to_board() -> (String, String) {
    ("/board".to_owned(), "The board".to_owned())
}

/// Refuses [`Refusal::NotFound`] to those who do not keep the board.
pub(super) fn keepers_only(around: &Around) -> Result<(), Refusal> {
    if around.manages_people() {
        Ok(())
    } else {
        Err(Refusal::NotFound)
    }
}

/// Who may hold office, by name: all who have a place, with parents and young people last, who seldom do.
pub(super) async fn people(read: &mut Read) -> Result<Vec<(String, String)>, Refusal> {
    let mut people = domain::membership::list(read).await?;
    people.retain(|person| person.state != State::Ended);
    people.sort_by_key(|person| {
        person
            .roles
            .iter()
            .all(|role| matches!(role, Role::Parent | Role::Member))
    });
    Ok(people
        .into_iter()
        .map(|person| {
            let name = format!("{} ({})", person.name, person.role_names());
            (person.id.to_string(), name)
        })
        .collect())
}

/// `/board/seats/add`
pub fn add(around: &Around) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("board/open-seat");
    let typed = |name: &str| echo.value(name);
    let options = Category::ALL
        .iter()
        .map(|category| (category.code().to_owned(), category.name().to_owned()))
        .collect();
    let title = "Add a seat".to_owned();
    let page = view! {
        {crumbs(vec![to_board()])}
        <Heading title=title.clone() lead="A seat stays when its holder changes. Add as many as the instrument of government or the articles name." />
        <section class="card narrow"><div class="body">
            <Refusals refusal=refusal.clone() />
            <form class="form" method="post">
                <Act name="board/open-seat" />
                <Choice name="category" label="Category" options=options chosen=typed("category").unwrap_or_default() />
                <Field name="appointed_by" label="Appointed by" hint="Who elects, nominates or appoints: parents, the local authority, the governing board." most=120
                    value=typed("appointed_by").unwrap_or_default() refusal=refusal.clone() />
                <Field name="from" label="From" kind="date" value=typed("from").unwrap_or_else(|| day::field(door::today())) refusal=refusal.clone() />
                <div class="actions"><button class="button primary">"Add the seat"</button><a class="button" href="/board">"Cancel"</a></div>
            </form>
        </div></section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// `/board/seats/:id`
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let today = door::today();
    let board = board::board(read, today).await?;
    let seat = board
        .seats
        .into_iter()
        .find(|seat| seat.id.to_string() == id)
        .ok_or(Refusal::NotFound)?;
    let people = people(read).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let own = read.standing.membership;
    let title = seat.title();
    let done = match asked.query("done") {
        "started" => Some("The term of office is recorded."),
        "ended" => Some("The end of the term is recorded."),
        "dropped" => Some("The term is taken off the record."),
        "suspended" => Some("The suspension from meetings is recorded."),
        "reinstated" => Some("They may attend meetings again."),
        _ => None,
    };
    let holds = seat.holder.is_some();
    let page = view! {
        {crumbs(vec![to_board()])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead=format!("Appointed by {}. On the board since {}.", seat.appointed_by, day::words(seat.opened_on)) />
        <Refusals refusal=echo.refusal.clone() />
        <div class="split">
            <div class="stack">
                {seat.holder.as_ref().map(|term| held(&seat, term, &echo, term.person.id == own))}
                {seat.next.as_ref().map(|term| coming(&seat, term, term.person.id == own))}
                {start(&seat, people, &echo, today)}
            </div>
            <aside class="stack" aria-label="The seat itself">
                <section class="card" aria-labelledby="close">
                    <header><h2 id="close">"Close this seat"</h2></header>
                    <div class="body">
                        {if holds || seat.next.is_some() {
                            view! { <p class="muted">"A seat can be closed when nobody holds it."</p> }.into_any()
                        } else {
                            let refusal = echo.of("board/close-seat");
                            view! {
                                <p>"It stays in the records of the past and is no vacancy any more."</p>
                                <form class="form" method="post">
                                    <Act name="board/close-seat" />
                                    <input type="hidden" name="seat" value=seat.id.to_string() />
                                    <Field name="on" label="From" kind="date" value=echo.value("on").unwrap_or_else(|| day::field(today)) refusal=refusal />
                                    <div class="actions"><button class="button danger">"Close the seat"</button></div>
                                </form>
                            }.into_any()
                        }}
                    </div>
                </section>
            </aside>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// The term that runs: ending it, and suspending its holder from meetings.
fn held(seat: &Seat, term: &Term, echo: &Echo, own: bool) -> impl IntoView + use<> {
    let today = door::today();
    let (end, suspend) = (
        echo.of("board/end-term"),
        echo.of("board/suspend-from-meetings"),
    );
    let whys = Why::ALL
        .iter()
        .map(|why| (why.code().to_owned(), why.name().to_owned()))
        .collect();
    let ids = {
        let (seat, term) = (seat.id.to_string(), term.id.to_string());
        move || {
            view! {
                <input type="hidden" name="seat" value=seat.clone() />
                <input type="hidden" name="term" value=term.clone() />
            }
        }
    };
    let until = term.suspended.map(|(_, until)| until);
    let suspended = term.is_suspended(today);
    let (end_ids, suspend_ids, lift_ids) = (ids(), ids(), ids());
    let last = echo
        .value("last")
        .unwrap_or_else(|| day::field(term.to.filter(|to| *to < today).unwrap_or(today)));
    view! {
        <section class="card" aria-labelledby="held">
            <header><h2 id="held">"Held by " {named(&term.person)}</h2><p>{span(term)}</p></header>
            <div class="body">
                {own.then(|| view! { <p class="muted">"This is your own term. Somebody else records its end."</p> })}
                {(!own).then(|| view! {
                    <details open=end.is_some()>
                        <summary>"End the term"</summary>
                        <form class="form" method="post">
                            <Act name="board/end-term" />
                            {end_ids}
                            <Field name="last" label="Last day in office" kind="date" value=last refusal=end.clone() />
                            <Choice name="why" label="Why" options=whys chosen=echo.value("why").unwrap_or_else(|| Why::Resigned.code().to_owned()) />
                            <div class="actions"><button class="button">"Record the end"</button></div>
                        </form>
                    </details>
                    {if suspended {
                        view! {
                            <p>"Suspended from meetings until " {until.map(day::words)} "."</p>
                            <form method="post"><Act name="board/reinstate" />{lift_ids}<button class="button">"They may attend again"</button></form>
                        }.into_any()
                    } else {
                        view! {
                            <details open=suspend.is_some()>
                                <summary>"Suspended from meetings by the board"</summary>
                                <form class="form" method="post">
                                    <Act name="board/suspend-from-meetings" />
                                    {suspend_ids}
                                    <p class="hint">"Only by a resolution of the board, and for six months at most. They can sign in as before; to stop that, suspend them on their own page."</p>
                                    <Field name="until" label="Until and including" kind="date" value=echo.value("until").unwrap_or_default() refusal=suspend.clone() />
                                    <div class="actions"><button class="button">"Record the suspension"</button></div>
                                </form>
                            </details>
                        }.into_any()
                    }}
                })}
            </div>
        </section>
    }
}

/// The term that comes after it.
fn coming(seat: &Seat, term: &Term, own: bool) -> impl IntoView + use<> {
    view! {
        <section class="card" aria-labelledby="next">
            <header><h2 id="next">"Next: " {named(&term.person)}</h2><p>{span(term)}</p></header>
            {(!own).then(|| view! {
                <div class="body">
                    <form method="post">
                        <Act name="board/drop-term" />
                        <input type="hidden" name="seat" value=seat.id.to_string() />
                        <input type="hidden" name="term" value=term.id.to_string() />
                        <button class="button">"Take it off the record"</button>
                    </form>
                </div>
            })}
        </section>
    }
}

/// A new term on the seat.
fn start(
    seat: &Seat,
    people: Vec<(String, String)>,
    echo: &Echo,
    today: time::Date,
) -> impl IntoView + use<> {
    let refusal = echo.of("board/start-term");
    let from = match seat.holder.as_ref().map(|term| term.to) {
        Some(Some(to)) => day::field(day::after(to)),
        Some(None) => String::new(),
        None => day::field(today),
    };
    let open = seat.category.may_be_open();
    view! {
        <section class="card" aria-labelledby="start">
            <header><h2 id="start">"Record a term of office"</h2></header>
            <div class="body">
                <form class="form" method="post">
                    <Act name="board/start-term" />
                    <input type="hidden" name="seat" value=seat.id.to_string() />
                    <Choice name="person" label="Who" options=people nobody="Choose a person" chosen=echo.value("person").unwrap_or_default()
                        hint="They need a place here first; add them under People." refusal=refusal.clone() />
                    <Field name="from" label="First day" kind="date" value=echo.value("from").unwrap_or(from) refusal=refusal.clone() />
                    <Field name="to" label="Last day" kind="date" optional=true value=echo.value("to").unwrap_or_default() refusal=refusal.clone()
                        hint=if open { "Leave it empty for somebody who is on the board by their office." } else { "Leave it empty for four years." } />
                    <div class="actions"><button class="button primary">"Record the term"</button></div>
                </form>
            </div>
        </section>
    }
}
