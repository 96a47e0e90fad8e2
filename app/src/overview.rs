//! `/overview`: a trust's schools side by side, in numbers.

use domain::{
    Refusal, day,
    db::Read,
    overview::{self, Figures, School},
};
use leptos::prelude::*;

use crate::{
    door,
    form::Act,
    sheet::Drawing,
    ui::{Around, Heading, Icon, counted},
};

/// `/overview`: does not exist but at a trust, for those who run, lead or clerk it.
pub async fn page(read: &mut Read, around: &Around) -> Result<Drawing, Refusal> {
    let schools = overview::schools(read).await?;
    let lead = match schools.len() {
        0 => format!("No school belongs to {} yet.", around.place),
        1 => format!("One school, on {}.", day::words(door::today())),
        n => format!(
            "{n} schools side by side on {}. The one whose board has most to do comes first.",
            day::words(door::today())
        ),
    };
    let title = "Schools of the trust".to_owned();
    let pictured = domain::wellbeing::picture::is_for_trust(&around.roles);
    let page = view! {
        <Heading title=title.clone() lead=lead>
            {pictured.then(|| view! { <a class="button" href="/trust/picture"><Icon name="pupils" />"How their pupils are"</a> })}
        </Heading>
        {if schools.is_empty() {
            view! {
                <section class="card"><div class="empty">
                    <Icon name="school" />
                    <h2>"No schools yet"</h2>
                    <p>"Once a school belongs to the trust, its vacancies, terms that end and declarations that are due stand here beside those of the others. Whoever runs Quorate for you adds it."</p>
                </div></section>
            }.into_any()
        } else {
            view! { {table(&schools)} {meaning()} }.into_any()
        }}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn table(schools: &[School]) -> impl IntoView + use<> {
    let ways = schools.iter().any(|school| school.mine);
    let rows: Vec<_> = schools.iter().map(|school| row(school, ways)).collect();
    let total = (schools.len() > 1).then(|| {
        view! {
            <tbody class="total">
                <tr>
                    <th scope="row">{format!("All {} schools", schools.len())}</th>
                    {cells(&overview::total(schools))}
                    {ways.then(|| view! { <td class="act"></td> })}
                </tr>
            </tbody>
        }
    });
    view! {
        <section class="card" aria-label="Schools">
            <div class="scroll" tabindex="0" role="region" aria-label="Schools side by side">
                <table class="table sides">
                    <caption>{counted(schools.len(), "school", "schools")} ". Numbers only: who is meant stays with the school."</caption>
                    <thead><tr>
                        <th scope="col">"School"</th>
                        <th scope="col" class="number">"People"</th>
                        <th scope="col" class="number">"Vacancies"</th>
                        <th scope="col" class="number">"Terms ending"</th>
                        <th scope="col" class="number">"Undeclared interests"</th>
                        <th scope="col" class="number">"Invited, not accepted"</th>
                        <th scope="col" class="number">"Never signed in"</th>
                        {ways.then(|| view! { <th scope="col"><span class="hidden-text">"Go there"</span></th> })}
                    </tr></thead>
                    <tbody>{rows}</tbody>
                    {total}
                </table>
            </div>
        </section>
    }
}

fn row(school: &School, ways: bool) -> AnyView {
    let name = school.name.clone();
    let way = school.mine.then(|| view! {
        <form method="post" action="/schools">
            <Act name="tenancy/go" />
            <input type="hidden" name="label" value=school.label.clone() />
            <input type="hidden" name="next" value="/people" />
            <button class="button quiet">"People" <span class="hidden-text">" of " {name.clone()}</span></button>
        </form>
    });
    view! {
        <tr>
            <th scope="row">{name}</th>
            {cells(&school.figures)}
            {ways.then(|| view! { <td class="act">{way}</td> })}
        </tr>
    }
    .into_any()
}

/// The figures, each with its word for who hears it alone.
fn cells(figures: &Figures) -> impl IntoView + use<> {
    let Figures {
        people,
        invited,
        never_in,
        vacant,
        ending,
        undeclared,
    } = *figures;
    [
        ("People", people, "person", "people", false),
        ("Vacancies", vacant, "vacant seat", "vacant seats", true),
        ("Terms ending", ending, "term ends within 90 days", "terms end within 90 days", true),
        ("Undeclared", undeclared, "declaration is due", "declarations are due", true),
        ("Invited", invited, "person has not accepted", "people have not accepted", true),
        ("Never in", never_in, "person never signed in", "people never signed in", true),
    ]
    .map(|(label, n, one, many, asks)| {
        let word = if n == 1 { one } else { many };
        // What asks for nothing steps back.
        let class = if asks && n == 0 { "none" } else { "" };
        view! { <td class="number" data-label=label><span class=class>{n}<span class="hidden-text">" " {word}</span></span></td> }
    })
    .into_iter()
    .collect_view()
}

fn meaning() -> impl IntoView {
    let line = |name: &'static str, words: &'static str| view! { <div><dt>{name}</dt><dd>{words}</dd></div> };
    view! {
        <section class="card narrow" aria-labelledby="counted">
            <header><h2 id="counted">"What is counted"</h2></header>
            <div class="body">
                <dl class="details">
                    {line("People", "Everybody with a place there, invited or suspended ones too. Somebody with a place at two schools counts at both.")}
                    {line("Vacancies", "Governors’ seats that nobody holds today.")}
                    {line("Terms ending", "Terms of office that end within 90 days, with nobody found to follow.")}
                    {line("Undeclared interests", "Who holds a seat or sits on a committee, and has not declared within twelve months.")}
                    {line("Never signed in", "Who accepted the invitation and was never signed in at that school.")}
                </dl>
                <p class="muted">"You see numbers and no names. Each school tells its people on its page of the board that you do."</p>
            </div>
        </section>
    }
}
