//! The register of interests, and declaring one's own.

use domain::{
    Refusal,
    board::{
        self, Interest,
        interest::{Entry, Kind},
    },
    day,
    db::Read,
};
use leptos::prelude::*;

use super::whole::named;
use crate::{
    door,
    form::{Act, Choice, Echo, Field, Refusals, TextArea},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Heading, Icon, Notice, counted},
};

/// Empty rows below what is declared already: more come with the next declaration.
const ROWS_MORE: usize = 3;

/// `/board/interests`
pub async fn page(read: &mut Read, asked: &Asked) -> Result<Drawing, Refusal> {
    let today = door::today();
    let register = board::register(read, today).await?;
    let own = read.standing.membership;
    let mine = register.entries.iter().any(|entry| entry.person.id == own)
        || read
            .standing
            .is_any(&[domain::role::Role::Clerk, domain::role::Role::Chair]);
    let due = register.due().count();
    let done =
        (asked.query("done") == "declared").then_some("Your declaration is in the register.");
    let lead = match (register.entries.len(), due) {
        (0, _) => "Nobody is on the board yet.".to_owned(),
        (_, 0) => "Everybody has declared within the last twelve months.".to_owned(),
        (_, n) => format!("{} due.", counted(n, "declaration is", "declarations are")),
    };
    let rows: Vec<_> = register
        .entries
        .iter()
        .map(|entry| row(entry, today))
        .collect();
    let none = rows.is_empty();
    let title = "Register of interests".to_owned();
    let page = view! {
        {crumbs(vec![("/board".to_owned(), "The board".to_owned())])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead=lead>
            {mine.then(|| view! { <a class="button primary" href="/board/interests/declare">"Declare my interests"</a> })}
        </Heading>
        <section class="card" aria-label="Declarations">
            {if none {
                view! { <div class="empty"><Icon name="board" /><h2>"Nobody is on the board yet"</h2><p>"Whoever holds a seat or sits on a committee stands here, with what they declared."</p></div> }.into_any()
            } else {
                view! {
                    <table class="table">
                        <caption>{format!("{}, by name.", counted(register.entries.len(), "person", "people"))}</caption>
                        <thead><tr><th scope="col">"Who"</th><th scope="col">"Declared"</th><th scope="col">"Interests"</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                }.into_any()
            }}
        </section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn row(entry: &Entry, today: time::Date) -> AnyView {
    let due = entry.is_due(today);
    let role = entry
        .category
        .map_or("Committee member", board::Category::name);
    let (on, interests) = match &entry.declaration {
        None => (
            view! { <span class="tag wait">"Not yet"</span> }.into_any(),
            ().into_any(),
        ),
        Some(declaration) => (
            view! { {day::words(declaration.on)} {due.then(|| view! { " " <span class="tag wait">"Due again"</span> })} }.into_any(),
            if declaration.interests.is_empty() {
                "Nothing to declare".into_any()
            } else {
                let all: Vec<_> = declaration.interests.iter().map(interest).collect();
                view! { <ul role="list" class="lines">{all}</ul> }.into_any()
            },
        ),
    };
    view! {
        <tr>
            <th scope="row">{named(&entry.person)}<small>{role}</small></th>
            <td data-label="Declared">{on}</td>
            <td data-label="Interests">{interests}</td>
        </tr>
    }
    .into_any()
}

/// One interest in a list.
pub fn interest(interest: &Interest) -> impl IntoView + use<> {
    view! {
        <li>
            <b>{interest.who.clone()}</b>
            <small>{interest.kind.name()} {interest.since.map(|since| format!(", since {}", day::words(since)))}</small>
            <span>{interest.nature.clone()}</span>
        </li>
    }
}

/// `/board/interests/declare`: begins with what one declared last.
pub async fn declare(read: &mut Read) -> Result<Drawing, Refusal> {
    let today = door::today();
    let register = board::register(read, today).await?;
    let own = read.standing.membership;
    let entry = register
        .entries
        .into_iter()
        .find(|entry| entry.person.id == own);
    let officer = read
        .standing
        .is_any(&[domain::role::Role::Clerk, domain::role::Role::Chair]);
    if entry.is_none() && !officer {
        return Err(Refusal::NotFound);
    }
    let last = entry.and_then(|entry| entry.declaration);
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("board/declare");
    let known: Vec<Interest> = last
        .as_ref()
        .map(|last| last.interests.clone())
        .unwrap_or_default();
    let typed = |field: &str, n: usize, stands: Option<String>| {
        if refusal.is_some() {
            echo.value(&format!("{field}[{n}]"))
        } else {
            stands
        }
        .unwrap_or_default()
    };
    let what = echo.value("what").unwrap_or_else(|| {
        match &last {
            Some(last) if !last.interests.is_empty() => "some",
            _ => "",
        }
        .to_owned()
    });
    let count = (0..20)
        .take_while(|n| echo.value(&format!("kind[{n}]")).is_some())
        .count()
        .max(known.len() + ROWS_MORE)
        .min(20);
    let kinds: Vec<(String, String)> = Kind::ALL
        .iter()
        .map(|kind| (kind.code().to_owned(), kind.name().to_owned()))
        .collect();
    let rows: Vec<_> = (0..count)
        .map(|n| {
            let one = known.get(n);
            let kind = typed("kind", n, one.map(|one| one.kind.code().to_owned()));
            let who = typed("who", n, one.map(|one| one.who.clone()));
            let nature = typed("nature", n, one.map(|one| one.nature.clone()));
            let since = typed("since", n, one.and_then(|one| one.since).map(day::field));
            view! {
                <fieldset class="field boxed">
                    <legend>{format!("Interest {}", n + 1)}</legend>
                    <Choice name=format!("kind[{n}]") label="Kind" options=kinds.clone() chosen=kind />
                    <Field name=format!("who[{n}]") label="With whom" most=200 optional=true value=who />
                    <TextArea name=format!("nature[{n}]") label="What it is" value=nature rows=2 />
                    <Field name=format!("since[{n}]") label="Since" kind="date" optional=true value=since />
                </fieldset>
            }
        })
        .collect();
    let title = "Declare my interests".to_owned();
    let lead = match &last {
        None => "You have not declared yet. It counts from today, and everybody on the board and the staff can read it.".to_owned(),
        Some(last) => format!("Your last declaration is of {}. What you declare now replaces it; the earlier one stays in the history.", day::words(last.on)),
    };
    let page = view! {
        {crumbs(vec![("/board".to_owned(), "The board".to_owned()), ("/board/interests".to_owned(), "Register of interests".to_owned())])}
        <Heading title=title.clone() lead=lead />
        <section class="card narrow"><div class="body">
            <Refusals refusal=refusal.clone() />
            <form class="form" method="post">
                <Act name="board/declare" />
                <fieldset class="field">
                    <legend>"What do you declare?"</legend>
                    <div class="options">
                        <label class="option"><input type="radio" name="what" value="nothing" required checked=what == "nothing" /><b>"Nothing to declare"</b><small>"I have no interest that could seem to sway me."</small></label>
                        <label class="option"><input type="radio" name="what" value="some" checked=what == "some" /><b>"The interests below"</b><small>"Businesses, governorships elsewhere, relationships, gifts. Leave rows empty that you do not need."</small></label>
                    </div>
                </fieldset>
                {rows}
                <div class="actions"><button class="button primary">"Declare"</button><a class="button" href="/board/interests">"Cancel"</a></div>
            </form>
        </div></section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}
