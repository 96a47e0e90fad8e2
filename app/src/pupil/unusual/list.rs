//! `/pupils/looked/weeks/:monday`: what was out of the ordinary in a week, line by line; signing it, and adding to what was said.

use domain::{
    Refusal, day,
    db::Read,
    pupil::unusual::{self, Finding, List, Statement, WORDS_MOST},
};
use leptos::prelude::*;

use super::{monday_of, weeks::to_looked};
use crate::{
    form::{Act, Choice, Echo, Refusals, TextArea},
    membership::crumbs,
    pupil::{staff_only, to_pupils},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Moment, Notice, counted},
};

const SIGN: &str = "pupils/sign-week";
const NOTE: &str = "pupils/note-week";

/// `/pupils/looked/weeks/:monday`
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    monday: &str,
) -> Result<Drawing, Refusal> {
    staff_only(around)?;
    let list = unusual::list(read, monday_of(monday)?).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let done = match asked.query("done") {
        "signed" => Some("The list is signed, and stands as it is."),
        "noted" => Some("Added."),
        _ => None,
    };
    let title = format!("Unusual looks, {}", list.week.words());
    let lead = format!(
        "{} in all, of which {} out of the ordinary.",
        counted(list.week.looks, "look", "looks"),
        counted(list.findings.len(), "line is", "lines are")
    );
    let up = ("/pupils/looked/weeks".to_owned(), "Week by week".to_owned());
    let nothing = list.findings.is_empty();
    let page = view! {
        {crumbs(vec![to_pupils(around), to_looked(), up])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead=lead />
        <Refusals refusal=echo.refusal.clone() />
        {nothing.then(|| view! {
            <section class="card"><div class="empty"><Icon name="check" /><h2>"Nothing out of the ordinary"</h2><p>"There is nothing to sign. You can put down all the same that you have gone through the week."</p></div></section>
        })}
        {match &list.week.signed {
            Some((by, at)) => view! {
                {(!nothing).then(|| standing(&list))}
                {signed(by.clone(), at.clone(), &list)}
                {add(&list, &echo)}
            }.into_any(),
            None => sign(&list, &echo).into_any(),
        }}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// A line as it is read: the sentence, the reason that was given, and the way to who else looked at that pupil.
fn said(number: usize, finding: &Finding) -> impl IntoView + use<> {
    let reason = finding.reason.as_ref().map(|(_, words)| words.clone());
    let pupil = finding.pupil.clone();
    let own = finding.own;
    view! {
        <p><b>{format!("{number}. ")}</b>{finding.sentence()}</p>
        {reason.map(|words| view! { <p class="restricted">"“" {words} "”"</p> })}
        <p class="marks">
            <span class="tag">{finding.rule.name()}</span>
            {own.then(|| view! { " " <span class="tag wait">"About you: let somebody else sign"</span> })}
            " " <small>"First at " <Moment at=finding.at.clone() /></small>
            {pupil.map(|(id, called)| view! { " " <a href=format!("/pupils/{id}/looked")>"Who looked at " {called}</a> })}
        </p>
    }
}

fn statement(statement: &Statement) -> impl IntoView + use<> {
    view! {
        <li>
            {statement.follow_up.then(|| view! { <span class="tag wait">"To follow up"</span> " " })}
            <span class="pre">{statement.words.clone()}</span>
            <small>{statement.by.clone()} ", " <Moment at=statement.at.clone() /></small>
        </li>
    }
}

/// The lines of a list that is signed, each with what was said of it.
fn standing(list: &List) -> impl IntoView + use<> {
    let rows: Vec<_> = list
        .findings
        .iter()
        .zip(1..)
        .map(|(finding, number)| {
            let of: Vec<_> = list
                .statements
                .iter()
                .filter(|one| one.finding == Some(finding.id))
                .map(statement)
                .collect();
            let any = !of.is_empty();
            view! { <li class="finding">{said(number, finding)}{any.then(|| view! { <ul role="list" class="lines">{of}</ul> })}</li> }
        })
        .collect();
    view! {
        <section class="card" aria-labelledby="lines-title">
            <header><h2 id="lines-title">"What was out of the ordinary"</h2></header>
            <div class="body"><ul role="list" class="findings">{rows}</ul></div>
        </section>
    }
}

fn signed(by: String, at: String, list: &List) -> impl IntoView + use<> {
    let whole: Vec<_> = list
        .statements
        .iter()
        .filter(|one| one.finding.is_none())
        .map(statement)
        .collect();
    view! {
        <section class="card" aria-labelledby="signed">
            <header><h2 id="signed">"Signed"</h2></header>
            <div class="body">
                <p>"Signed by " <b>{by}</b> ", " <Moment at=at /> ". The list and what was said stand; something can be added."</p>
                <ul role="list" class="lines">{whole}</ul>
            </div>
        </section>
    }
}

/// The form that signs a list: words for each line or for the whole.
fn sign(list: &List, echo: &Echo) -> impl IntoView + use<> {
    let refusal = echo.of(SIGN);
    let typed = |name: &str| echo.value(name).unwrap_or_default();
    let follow = echo.values("follow");
    let marked = refusal
        .as_ref()
        .is_some_and(|refusal| refusal.field() == Some("lines"));
    let rows: Vec<_> = list
        .findings
        .iter()
        .enumerate()
        .map(|(n, finding)| {
            let id = finding.id.to_string();
            let (line, words, mark) = (
                format!("lines[{n}]"),
                format!("said[{n}]"),
                format!("follow[{n}]"),
            );
            let checked = follow.contains(&id);
            let value = typed(&words);
            let wrong = marked && checked && value.trim().is_empty();
            let number = n + 1;
            view! {
                <li class="finding">
                    {said(number, finding)}
                    <input type="hidden" name=line value=id.clone() />
                    {wrong.then(|| view! { <p class="error"><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>"Say what is to be followed up."</span></p> })}
                    <TextArea name=words id=format!("said-{n}") label=format!("What you say of line {number}, if anything") rows=2 most=u32::from(WORDS_MOST) value=value />
                    <label class="check"><input type="checkbox" name=mark value=id checked=checked /><span>"To be followed up" <span class="hidden-text">{format!(": line {number}")}</span></span></label>
                </li>
            }
        })
        .collect();
    let any = !rows.is_empty();
    view! {
        <section class="card" aria-labelledby="sign">
            <header><h2 id="sign">{if any { "What was out of the ordinary" } else { "Sign the week" }}</h2></header>
            <div class="body">
                <form class="form wide" method="post">
                    <Act name=SIGN />
                    <input type="hidden" name="monday" value=day::field(list.week.monday) />
                    {any.then(|| view! { <ul role="list" class="findings" id="lines" tabindex="-1">{rows}</ul> })}
                    <TextArea name="words" label="What you looked into, of the whole list" most=u32::from(WORDS_MOST)
                        hint="May be left empty where you said something of each line. Nobody can change it later, you can add to it." value=typed("words") refusal=refusal />
                    <div class="actions"><button class="button primary">"Sign the list"</button><a class="button" href="/pupils/looked/weeks">"Not now"</a></div>
                </form>
            </div>
        </section>
    }
}

/// The form that adds something to a list that is signed.
fn add(list: &List, echo: &Echo) -> impl IntoView + use<> {
    let refusal = echo.of(NOTE);
    let typed = |name: &str| echo.value(name).unwrap_or_default();
    let options: Vec<(String, String)> = list
        .findings
        .iter()
        .zip(1..)
        .map(|(finding, number): (_, usize)| {
            (
                finding.id.to_string(),
                format!("Line {number}: {}", finding.rule.name()),
            )
        })
        .collect();
    let lines = (!options.is_empty()).then(|| {
        let chosen = typed("line");
        view! { <Choice name="line" label="Of what" options=options nobody="The whole list" chosen=chosen refusal=refusal.clone() /> }
    });
    let checked = refusal.is_some() && !typed("follow_up").is_empty();
    let open = refusal.is_some();
    view! {
        <section class="card narrow" aria-labelledby="add">
            <header><h2 id="add">"Add something"</h2></header>
            <div class="body">
                <details open=open>
                    <summary>"Say more about this list"</summary>
                    <form class="form" method="post">
                        <Act name=NOTE />
                        <input type="hidden" name="monday" value=day::field(list.week.monday) />
                        {lines}
                        <TextArea name="words" label="What you add" most=u32::from(WORDS_MOST) value=typed("words") refusal=refusal />
                        <label class="check"><input type="checkbox" name="follow_up" value="yes" checked=checked /><span>"To be followed up"</span></label>
                        <div class="actions"><button class="button">"Add it"</button></div>
                    </form>
                </details>
            </div>
        </section>
    }
}
