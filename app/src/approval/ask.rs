//! `/papers/:id/ask`: asking for the approval of the newest version, of the same people again where that is wanted.

use domain::{
    Refusal,
    approval::{self, Rule, asking},
    board, day,
    db::Read,
    document,
    role::Role,
};
use leptos::prelude::*;
use uuid::Uuid;

use super::beside::whom as whom_words;
use crate::{
    form::{Act, Choice, Echo, Field, ProofBeside, Refusals, TextArea},
    library::folder::to_library,
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::Heading,
};

/// How long people have where nothing else is said.
const DAYS: i64 = 14;

/// `/papers/:id/ask`, and with `?again=` as an earlier one was asked.
pub async fn page(read: &mut Read, asked: &Asked, id: &str) -> Result<Drawing, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| Refusal::NotFound)?;
    let paper = document::one(read, id).await?;
    if !paper.folder.files || paper.state != document::State::Current {
        return Err(Refusal::NotFound);
    }
    let newest = paper.version(None).ok_or(Refusal::NotFound)?.number;
    let today = crate::door::today();
    let readers = asking::audience(read, paper.folder.id).await?;
    let committees = board::board(read, today).await?.committees;
    let kind = read.standing.kind;
    let again = match Uuid::try_parse(asked.query("again")) {
        Ok(again) => Some(approval::one(read, again).await?).filter(|one| one.document == id),
        Err(_) => None,
    };
    let before = match &again {
        Some(again) => approval::places(read, again.id).await?,
        None => vec![],
    };
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("approvals/ask");
    let typed = |field: &str, otherwise: String| match refusal {
        Some(_) => echo.value(field).unwrap_or_default(),
        None => otherwise,
    };
    // The same people by name: a role or a committee may have others in it by now.
    let whom = typed(
        "whom",
        again
            .as_ref()
            .map_or_else(String::new, |_| "people".to_owned()),
    );
    let people: Vec<(String, String)> = readers
        .into_iter()
        .map(|person| (person.id.to_string(), person.called()))
        .collect();
    let reads = |id: &String| people.iter().any(|(reader, _)| reader == id);
    let (same, gone): (Vec<String>, Vec<String>) = before
        .iter()
        .map(|place| place.person.id.to_string())
        .partition(reads);
    let last_time = again.as_ref().map(|again| {
        let who = format!(
            "Last time it was asked of {}. They are ticked.",
            whom_words(again)
        );
        match gone.len() {
            0 => who,
            1 => {
                format!("{who} One of them does not read this folder any more and cannot be asked.")
            }
            n => format!("{who} {n} of them do not read this folder any more and cannot be asked."),
        }
    });
    let due = today + time::Duration::days(DAYS);
    let own = read.standing.membership.to_string();
    // Who stood in stands in again, as many days after the question, unless they cannot.
    let (stand_in, stand_in_on) = again
        .as_ref()
        .and_then(|again| {
            let (who, from) = again.stand_in.as_ref()?;
            let who = who.id.to_string();
            let after = *from - day::of(&again.at).ok()?;
            let from = (today + after.max(time::Duration::DAY)).min(due);
            (reads(&who) && !same.contains(&who) && who != own).then(|| (who, day::field(from)))
        })
        .unwrap_or_default();
    let chosen: Vec<String> = match &refusal {
        Some(_) => echo.values("people"),
        None => same,
    };
    let (rule, least) = match again.as_ref().map(|again| again.rule) {
        Some(Rule::AtLeast(least)) => ("at_least", least.to_string()),
        Some(other) => (other.code(), String::new()),
        None => ("majority", String::new()),
    };
    let rule = typed("rule", rule.to_owned());
    let options: Vec<(String, String)> =
        std::iter::once(("people".to_owned(), "The people I tick below".to_owned()))
            .chain(Role::ALL.iter().filter(|role| role.fits(kind)).map(|role| {
                (
                    format!("role:{}", role.code()),
                    format!("Everybody: {}", role.name()),
                )
            }))
            .chain(committees.into_iter().map(|one| {
                (
                    format!("committee:{}", one.id),
                    format!("Committee: {}", one.name),
                )
            }))
            .collect();
    let boxes: Vec<_> = people
        .iter()
        .enumerate()
        .map(|(n, (id, name))| view! {
            <label class="option"><input type="checkbox" name=format!("people[{n}]") value=id.clone() checked=chosen.contains(id) /><b>{name.clone()}</b></label>
        })
        .collect();
    let wrong = |field: &str| {
        refusal
            .as_ref()
            .filter(|refusal| refusal.field() == Some(field))
            .map(ToString::to_string)
    };
    let nobody = wrong("whom").map(|text| view! { <p class="error" id="people-error">{text}</p> });
    let rules = [
        ("majority", "More than half of them", "Whoever abstains by an interest is not counted."),
        ("everyone", "All of them", "One objection closes it."),
        ("at_least", "At least so many", "Say how many beside it."),
    ]
    .map(|(code, name, about)| view! {
        <label class="option"><input type="radio" name="rule" value=code checked=rule == code /><b>{name}</b><small>{about}</small></label>
    });
    let reason = again
        .as_ref()
        .map_or_else(String::new, |again| again.reason.clone());
    let title = format!("Ask for approval of {}", paper.about.title);
    let lead = format!("Of version {newest}, and of nothing that comes after it.");
    let routine = match &refusal {
        Some(_) => echo.value("routine").is_some(),
        None => again.as_ref().is_some_and(|again| again.routine),
    };
    let page = view! {
        {crumbs(vec![to_library(), (format!("/library/{}", paper.folder.id), paper.folder.name.clone()), (format!("/papers/{id}"), paper.about.title.clone())])}
        <Heading title=title.clone() lead=lead />
        <section class="card narrow"><div class="body">
            <Refusals refusal=refusal.clone() />
            <ProofBeside refusal=refusal.clone() />
            <form class="form" method="post">
                <Act name="approvals/ask" />
                <input type="hidden" name="document" value=id.to_string() />
                <input type="hidden" name="version" value=newest.to_string() />
                <Choice name="whom" label="Of whom" options=options chosen=whom hint="Of a role or a committee those are asked who are in it today and read this folder." refusal=refusal.clone() />
                <fieldset class="field"><legend>"People"</legend>{last_time.map(|text| view! { <p class="hint">{text}</p> })}{nobody}<div class="options many">{boxes}</div></fieldset>
                <fieldset class="field"><legend>"Adopted when these agree"</legend><div class="options">{rules}</div></fieldset>
                <Field name="least" label="How many" inputmode="numeric" most=3 optional=true hint="Only for “at least so many”." value=typed("least", least) refusal=refusal.clone() />
                <Field name="due" label="Last day to answer" kind="date" value=typed("due", day::field(due)) refusal=refusal.clone() />
                <TextArea name="reason" label="Why you ask" hint="Everybody who reads the document sees it. May be left empty." value=typed("reason", reason) rows=2 refusal=refusal.clone() />
                <label class="option"><input type="checkbox" name="routine" value="yes" checked=routine /><b>"It is routine"</b><small>"Whoever has opened it may answer it together with others from their list."</small></label>
                <Choice name="stand_in" label="Who stands in" options=people nobody="Nobody" chosen=typed("stand_in", stand_in) hint="One person who may answer in the place of somebody who has not." refusal=refusal.clone() />
                <Field name="stand_in_on" label="From which day" kind="date" optional=true value=typed("stand_in_on", stand_in_on) />
                <p class="hint">"Those who have not answered are reminded after three days and after seven."</p>
                <div class="actions"><button class="button primary">"Ask them"</button><a class="button" href=format!("/papers/{id}")>"Cancel"</a></div>
            </form>
        </div></section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}
