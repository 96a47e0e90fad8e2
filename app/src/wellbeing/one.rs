//! `/pupils/:pupil/records/:record`: a record as a whole: what it says, how far it is on record, its versions, and withdrawing it.

use domain::{
    Refusal,
    db::Read,
    pupil,
    wellbeing::{
        onrecord::{self, Put, State},
        timeline::{self, Entry},
    },
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{
    add::way,
    entry::{Staff, may_change, put_down, told},
    shown,
};
use crate::{
    form::{Act, Echo, Field, Refusals, id_of},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Moment, Notice},
};

/// `/pupils/:pupil/records/:record`
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    (id, record): (&str, &str),
) -> Result<Drawing, Refusal> {
    if !pupil::is_for(&around.roles) {
        return Err(Refusal::NotFound);
    }
    let (id, record) = (id_of(id)?, id_of(record)?);
    let (whole, _) = pupil::look(read, id, &["details", "timeline"]).await?;
    let versions = timeline::versions(read, record, id).await?;
    let newest = versions.first().ok_or(Refusal::NotFound)?;
    let mut puts = onrecord::of_pupil(read, id).await?;
    puts.retain(|put| put.record == record);
    let staff = Staff::read(read).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let may = may_change(newest, &around.roles);
    let school = pupil::sees_school(&around.roles);
    let (called, title) = (whole.pupil.called(), newest.kind.name().to_owned());
    let done = done_words(asked.query("done"), &called);
    let here = format!("/pupils/{id}/records/{record}");
    let stands = puts
        .first()
        .is_some_and(|put| matches!(put.state, State::Cooling(_) | State::Open(_)));
    let may_put = !newest.withdrawn && !stands;
    let page = view! {
        {way(around, &whole)}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead=format!("About {called}.")>
            {may.then(|| view! { <a class="button" href=format!("{here}/edit")>"Change it"</a> })}
            {may_put.then(|| view! { <a class="button primary" href=format!("{here}/put")>"Put on record…"</a> })}
        </Heading>
        <Refusals refusal=echo.refusal.clone() />
        <div class="split">
            <div class="stack">
                {whole_of(newest, &staff)}
                {(versions.len() > 1).then(|| earlier(&versions, &staff))}
            </div>
            <aside class="stack" aria-label="Whether parents read it, and what became of it">
                {on_record(&puts, (id, record), school, &echo)}
                {may.then(|| withdrawing(newest, (id, record), &echo))}
            </aside>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn whole_of(one: &Entry, staff: &Staff) -> impl IntoView + use<> {
    let (author, withdrawn) = (one.author.clone(), one.withdrawn);
    let why = one.reason.clone().filter(|_| withdrawn);
    view! {
        <section class="card" aria-labelledby="what">
            <header><h2 id="what">"What it says"</h2>{(one.version > 1).then(|| view! { <span class="tag">{format!("Version {}", one.version)}</span> })}</header>
            <div class="body">
                {withdrawn.then(|| view! { <div class="notice bad"><Icon name="warning" /><p><b>"Withdrawn as a mistake."</b> " It counts nowhere. " {why.map(|why| format!("“{why}”"))}</p></div> })}
                <p class="entry-by"><Moment at=one.happened_at.clone() /> " · " {author} {put_down(one)}</p>
                {told(one, staff)}
            </div>
        </section>
    }
}

/// Every version, the newest first, each with who changed it and why.
fn earlier(versions: &[Entry], staff: &Staff) -> impl IntoView + use<> {
    let lines: Vec<_> = versions
        .iter()
        .map(|one| {
            let why = match &one.reason {
                Some(why) if one.withdrawn => format!("Withdrawn: {why}"),
                Some(why) => why.clone(),
                None => "As it was first put down".to_owned(),
            };
            view! {
                <li>
                    <details>
                        <summary><b>{format!("Version {}", one.version)}</b> " · " <Moment at=one.made_at.clone() /></summary>
                        <p class="muted">{why}</p>
                        {told(one, staff)}
                    </details>
                </li>
            }
        })
        .collect();
    view! {
        <section class="card" aria-labelledby="versions">
            <header><h2 id="versions">"Versions"</h2><p>"Nothing is overwritten"</p></header>
            <div class="body"><ol role="list" class="versions">{lines}</ol></div>
        </section>
    }
}

/// What of it parents read, now or until when, and taking it back or off.
fn on_record(puts: &[Put], ids: (Uuid, Uuid), school: bool, echo: &Echo) -> impl IntoView + use<> {
    let none = puts.is_empty();
    let all: Vec<_> = puts
        .iter()
        .map(|put| one_put(put, ids, school, echo))
        .collect();
    view! {
        <section class="card" aria-labelledby="on-record">
            <header><h2 id="on-record">"On record"</h2></header>
            <div class="body">
                {none.then(|| view! { <p class="muted">"Not on record: parents read nothing of it."</p> })}
                <ul role="list" class="puts">{all}</ul>
            </div>
        </section>
    }
}

fn one_put(
    put: &Put,
    (pupil, record): (Uuid, Uuid),
    school: bool,
    echo: &Echo,
) -> impl IntoView + use<> {
    let fields = move |entry: Uuid| {
        view! {
            <input type="hidden" name="pupil" value=pupil.to_string() />
            <input type="hidden" name="record" value=record.to_string() />
            <input type="hidden" name="entry" value=entry.to_string() />
        }
    };
    let (entry, may) = (put.id, school || put.own);
    let (off, why) = match put.state.clone() {
        State::Cooling(at) => (
            view! {
                <p><span class="tag wait">"Goes out at " <Moment at=at /></span></p>
                <p class="muted">"Until then nobody but staff sees it."</p>
                {may.then(|| view! { <form method="post"><Act name="records/take-back" />{fields(entry)}<button class="button">"Take it back"</button></form> })}
            }
            .into_any(),
            None,
        ),
        State::Open(at) => {
            let refusal = echo.of("records/take-off");
            let open = refusal.is_some();
            let id = if open { "reason" } else { "off-reason" };
            let typed = refusal.as_ref().and_then(|_| echo.value("reason"));
            (
                view! {
                    <p><span class="tag good">"On record since " <Moment at=at /></span></p>
                    {may.then(|| view! { <details open=open>
                        <summary>"Take it off the record"</summary>
                        <form class="form" method="post">
                            <Act name="records/take-off" />
                            {fields(entry)}
                            <p class="hint">"Parents do not see it any more. Staff see that it was there, until when and why not now."</p>
                            <Field name="reason" id=id label="Why" most=500 value=typed.unwrap_or_default() refusal=refusal />
                            <div class="actions"><button class="button">"Take it off"</button></div>
                        </form>
                    </details> })}
                }
                .into_any(),
                None,
            )
        }
        State::TakenBack(at) => (
            view! { <p><span class="tag">"Taken back unseen"</span> " " <Moment at=at /></p> }.into_any(),
            None,
        ),
        State::Off { at, why } => (
            view! { <p><span class="tag">"Taken off the record"</span> " " <Moment at=at /></p> }.into_any(),
            Some(why),
        ),
    };
    let said: Vec<_> = put
        .statements
        .iter()
        .map(|(by, words)| view! { <li><b>{by.clone()}</b> " said to it:" <p class="lines-kept">{words.clone()}</p></li> })
        .collect();
    view! {
        <li>
            {off}
            {why.map(|why| view! { <p class="muted">{format!("“{why}”")}</p> })}
            <div class="shown">{shown::entry(&put.shown)}</div>
            {(!said.is_empty()).then(|| view! { <ul role="list" class="lines">{said}</ul> })}
        </li>
    }
}

fn withdrawing(one: &Entry, (pupil, record): (Uuid, Uuid), echo: &Echo) -> impl IntoView + use<> {
    let refusal = echo.of("records/withdraw");
    let open = refusal.is_some();
    let typed = refusal.as_ref().and_then(|_| echo.value("reason"));
    let version = one.version;
    // The other form of the page with such a field was refused.
    let id = if echo.of("records/take-off").is_some() {
        "withdraw-reason"
    } else {
        "reason"
    };
    view! {
        <section class="card" aria-labelledby="withdraw">
            <header><h2 id="withdraw">"A mistake?"</h2></header>
            <div class="body">
                <details open=open>
                    <summary>"Withdraw this record"</summary>
                    <form class="form" method="post">
                        <Act name="records/withdraw" />
                        <input type="hidden" name="pupil" value=pupil.to_string() />
                        <input type="hidden" name="record" value=record.to_string() />
                        <input type="hidden" name="version" value=version.to_string() />
                        <p class="hint">"It stays to be read by staff, as withdrawn. It counts nowhere any more, and parents do not see it."</p>
                        <Field name="reason" id=id label="Why" most=500 value=typed.unwrap_or_default() refusal=refusal />
                        <div class="actions"><button class="button">"Withdraw it"</button></div>
                    </form>
                </details>
            </div>
        </section>
    }
}

fn done_words(done: &str, called: &str) -> Option<String> {
    Some(match done {
        "recorded" => {
            format!("Saved. It stands in {called}’s timeline, and parents do not see it.")
        }
        "changed" => "Saved as a new version. The earlier one is kept below.".to_owned(),
        "withdrawn" => "The record is withdrawn.".to_owned(),
        "put" => "It is on its way. Until it goes out you can take it back unseen.".to_owned(),
        "back" => "Taken back. No parent has seen it.".to_owned(),
        "off" => "It is off the record. Parents do not see it any more.".to_owned(),
        _ => return None,
    })
}
