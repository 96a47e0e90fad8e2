//! `/pupils/:pupil/records/add?kind=…`: putting something down about a pupil.

use domain::{
    Refusal, day,
    db::Read,
    pupil::{self, Whole},
    wellbeing::record::{BODY_MOST, Kind, WITH_MOST},
};
use leptos::prelude::*;

use super::{
    course,
    entry::{Staff, asks},
    note::{NoteArea, Reminder, lead},
    score,
    sent::Course,
    whom,
};
use crate::{
    door,
    form::{Act, Echo, Field, Refusals, id_of},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Around, Heading},
};

/// `/pupils/:pupil/records/add`
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    if !pupil::is_for(&around.roles) {
        return Err(Refusal::NotFound);
    }
    let (whole, _) = pupil::look(read, id_of(id)?, &["details"]).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let (form, title) = match Kind::from_code(asked.query("kind")) {
        // A check-in has a page of its own, for one pupil or a row of them.
        None | Some(Kind::CheckIn) => return Ok(choose(around, &whole)),
        Some(Kind::Instrument) => (score::form(&whole, asked, &echo).into_any(), "Enter scores"),
        Some(kind) => {
            let offered = whom::offered(read, around, &whole).await?;
            let staff = match kind {
                Kind::Intervention => Staff::read(read).await?,
                _ => Staff::default(),
            };
            (
                form(&whole, kind, offered, &staff, &echo).into_any(),
                name(kind),
            )
        }
    };
    let lead = lead(read).await?;
    let page = view! {
        {way(around, &whole)}
        <Heading title=title lead=format!("About {}. Staff who see them read it; parents read nothing of it unless you put it on record.", whole.pupil.called()) />
        <section class="card narrow"><div class="body">
            <Reminder lead=lead />
            {form}
        </div></section>
    };
    Ok(Drawing {
        title: title.to_owned(),
        page: page.into_any(),
    })
}

/// The way back: the list, and the pupil.
pub(super) fn way(around: &Around, whole: &Whole) -> impl IntoView + use<> {
    let list = if pupil::sees_school(&around.roles) {
        "Pupils"
    } else {
        "My pupils"
    };
    crumbs(vec![
        ("/pupils".to_owned(), list.to_owned()),
        (format!("/pupils/{}", whole.pupil.id), whole.pupil.called()),
    ])
}

const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::CheckIn => "Check in",
        Kind::Observation => "Write an observation",
        Kind::Conversation => "Put down a conversation",
        Kind::Plan => "Write a plan",
        Kind::Intervention => "Begin an intervention",
        Kind::Instrument => "Enter scores",
    }
}

/// An address without a kind.
fn choose(around: &Around, whole: &Whole) -> Drawing {
    let id = whole.pupil.id;
    let title = "Add to their records".to_owned();
    let kinds: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| {
            let href = match kind {
                Kind::CheckIn => format!("/check-in?pupil={id}"),
                kind => format!("/pupils/{id}/records/add?kind={}", kind.code()),
            };
            view! { <li><a href=href>{name(*kind)}</a></li> }
        })
        .collect();
    let page = view! {
        {way(around, whole)}
        <Heading title=title.clone() lead=format!("About {}.", whole.pupil.called()) />
        <section class="card narrow"><div class="body"><ul role="list" class="lines">{kinds}</ul></div></section>
    };
    Drawing {
        title,
        page: page.into_any(),
    }
}

fn form(
    whole: &Whole,
    kind: Kind,
    offered: Vec<String>,
    staff: &Staff,
    echo: &Echo,
) -> impl IntoView + use<> {
    let act = match kind {
        Kind::Conversation => "records/converse",
        Kind::Plan => "records/plan",
        Kind::Intervention => "records/intervene",
        Kind::CheckIn | Kind::Observation | Kind::Instrument => "records/observe",
    };
    let refusal = echo.of(act);
    let typed = |name: &str| {
        refusal
            .as_ref()
            .and_then(|_| echo.value(name))
            .unwrap_or_default()
    };
    let id = whole.pupil.id.to_string();
    let hint = match kind {
        Kind::Observation => {
            "What happened and what you saw, as you would say it to their parents."
        }
        Kind::Conversation => "The gist of it, and what you agreed.",
        Kind::Plan => "Who does what, and by when.",
        _ => "May be left empty.",
    };
    view! {
        <Refusals refusal=refusal.clone() />
        <form class="form" method="post">
            <Act name=act />
            <input type="hidden" name="pupil" value=id.clone() />
            {(kind == Kind::Conversation).then(|| view! {
                <Field name="with" label="With whom" most=WITH_MOST value=typed("with")
                    hint="Like “her father, by telephone”." refusal=refusal.clone() />
            })}
            {(kind == Kind::Intervention).then(|| course::fields(&Course::default().typed(|name, _| typed(name)), staff, refusal.as_ref()))}
            <NoteArea name="body" label=asks(kind) hint=hint value=typed("body") rows=6 most=BODY_MOST refusal=refusal.clone() />
            {(kind == Kind::Plan).then(|| view! {
                <Field name="review_on" label="Look at it again on" kind="date" optional=true value=typed("review_on")
                    hint="You are reminded of it then. May be left empty." refusal=refusal.clone() />
            })}
            {when(&typed, refusal.is_some(), refusal.as_ref(), kind)}
            {whom::fields(&whole.pupil.called(), offered, echo, refusal.as_ref())}
            <div class="actions"><button class="button primary">"Save"</button><a class="button" href=format!("/pupils/{id}")>"Cancel"</a></div>
        </form>
    }
}

/// The day and the time; to begin with now.
fn when(
    typed: &impl Fn(&str) -> String,
    refused: bool,
    refusal: Option<&Refusal>,
    kind: Kind,
) -> AnyView {
    let now = door::now().map(day::in_england).ok();
    let (day, time) = if refused {
        (typed("happened_at"), typed("time"))
    } else {
        (
            day::field(door::today()),
            now.map(clock).unwrap_or_default(),
        )
    };
    let legend = match kind {
        Kind::Plan | Kind::Intervention => "When it was agreed",
        _ => "When it happened",
    };
    view! {
        <fieldset class="field when">
            <legend>{legend}</legend>
            <p class="hint">"What you enter late takes its place in the timeline. Without a time, noon of an earlier day is put down."</p>
            <Field name="happened_at" label="Day" kind="date" value=day refusal=refusal.cloned() />
            <Field name="time" label="Time" most=5 optional=true value=time refusal=refusal.cloned() />
        </fieldset>
    }
    .into_any()
}

/// "14:32" by the clocks of England.
pub(super) fn clock(at: time::OffsetDateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}
