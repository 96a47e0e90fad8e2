//! Scores of an instrument that the school uses under its own licence: which one first, and then its sub-scales.

use domain::{
    Refusal, day,
    pupil::Whole,
    wellbeing::{
        Fault,
        instrument::{self, Informant, Instrument, NAME_MOST, Points, TABLE},
        record::{BODY_MOST, Kind},
    },
};
use leptos::prelude::*;

use super::note::NoteArea;
use crate::{
    door,
    form::{Act, Choice, Echo, Field, Refusals},
    sheet::Asked,
    ui::Icon,
};

/// Sub-scales that the form for another instrument has.
const ROWS: usize = 8;

/// Sub-scales with their scores. What is empty was not answered; a name without a score is refused where somebody typed the name.
pub(super) fn entered<'a>(
    known: bool,
    scales: &'a [String],
    points: &[String],
) -> Result<Vec<(&'a str, Points)>, Refusal> {
    let mut entered = Vec::new();
    for (scale, typed) in scales.iter().zip(points) {
        if typed.trim().is_empty() && (known || scale.trim().is_empty()) {
            continue;
        }
        let points = Points::parse(typed).map_err(Fault::Scores)?;
        entered.push((scale.as_str(), points));
    }
    Ok(entered)
}

/// A score that may be left empty.
pub(super) fn points(typed: &str) -> Result<Option<Points>, Refusal> {
    match typed.trim() {
        "" => Ok(None),
        typed => Ok(Some(Points::parse(typed).map_err(Fault::Scores)?)),
    }
}

/// The form: which instrument, or the one that was chosen.
pub(super) fn form(whole: &Whole, asked: &Asked, echo: &Echo) -> AnyView {
    match asked.query("of") {
        "" => choose(whole).into_any(),
        of => fields(whole, instrument::from_code(of), echo).into_any(),
    }
}

fn choose(whole: &Whole) -> impl IntoView + use<> {
    let id = whole.pupil.id;
    let href = |of: &str| {
        format!(
            "/pupils/{id}/records/add?kind={}&of={of}",
            Kind::Instrument.code()
        )
    };
    let known: Vec<_> = TABLE
        .iter()
        .map(|one| view! { <li><a href=href(one.code)><b>{one.name}</b></a><small>{one.licence}</small></li> })
        .collect();
    view! {
        <h2>"Which one was answered?"</h2>
        <ul role="list" class="lines">
            {known}
            <li><a href=href("other")><b>"Another one"</b></a><small>"You enter its name, its version and the names of its sub-scales. No bands are shown for it."</small></li>
        </ul>
    }
}

fn fields(whole: &Whole, known: Option<&'static Instrument>, echo: &Echo) -> impl IntoView + use<> {
    let refusal = echo.of("records/score");
    let typed = |name: &str| {
        refusal
            .as_ref()
            .and_then(|_| echo.value(name))
            .unwrap_or_default()
    };
    let id = whole.pupil.id.to_string();
    let day = if refusal.is_some() {
        typed("happened_at")
    } else {
        day::field(door::today())
    };
    let informants: Vec<(String, String)> = known
        .map_or(&Informant::ALL[..], |one| one.informants)
        .iter()
        .map(|one| (one.code().to_owned(), one.name().to_owned()))
        .collect();
    let chosen = match &informants[..] {
        [(only, _)] => only.clone(),
        _ => typed("informant"),
    };
    let rows = known.map_or(ROWS, |one| one.scales.len());
    let scales: Vec<_> = (0..rows)
        .map(|n| {
            let (scale, points) = (format!("scale[{n}]"), format!("points[{n}]"));
            match known.and_then(|one| one.scales.get(n)) {
                Some(one) => view! {
                    <input type="hidden" name=scale value=one.code />
                    <Field name=points.clone() label=one.name inputmode="decimal" most=8 optional=true value=typed(&points)
                        hint=format!("From {} to {}", one.least, one.most) />
                }
                .into_any(),
                None => view! {
                    <Field name=scale.clone() label=format!("Sub-scale {}", n + 1) most=NAME_MOST optional=true value=typed(&scale) />
                    <Field name=points.clone() label=format!("Score {}", n + 1) inputmode="decimal" most=8 optional=true value=typed(&points) />
                }
                .into_any(),
            }
        })
        .collect();
    let total = known.and_then(|one| one.total).map(|total| {
        view! {
            <Field name="total" label=total.name inputmode="decimal" most=8 optional=true value=typed("total")
                hint="May be left empty: it is added up. If you enter it, it is checked." />
        }
    });
    let wrong = refusal
        .as_ref()
        .filter(|refusal| refusal.field() == Some("scores"))
        .map(ToString::to_string);
    let name = known.map_or("Another instrument", |one| one.name);
    let under = known.map_or(
        "Use it under your school’s own licence. Only the scores that you type in are kept.",
        |one| one.licence,
    );
    view! {
        <h2>{name}</h2>
        <p class="hint">{known.map(|one| format!("{}. ", one.version))} {under}</p>
        <Refusals refusal=refusal.clone() />
        <form class="form" method="post">
            <Act name="records/score" />
            <input type="hidden" name="pupil" value=id.clone() />
            <input type="hidden" name="instrument" value=known.map_or("other", |one| one.code) />
            {known.is_none().then(|| view! {
                <Field name="called" label="Its name" most=NAME_MOST value=typed("called") />
                <Field name="edition" label="Version and norms" most=NAME_MOST value=typed("edition") hint="Scores are compared within one version only." />
            })}
            <Choice name="informant" label="Who answered it" options=informants nobody="Choose one" chosen=chosen />
            <Field name="happened_at" label="When it was answered" kind="date" value=day refusal=refusal.clone() />
            <fieldset class="field boxed scores" id="scores" data-error=wrong.is_some().then_some("")>
                <legend>"Scores"</legend>
                <p class="hint">"Leave empty what was not answered."</p>
                {wrong.clone().map(|wrong| view! { <p class="error"><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p> })}
                {scales}
                {total}
            </fieldset>
            <NoteArea name="body" label="Note" hint="May be left empty." value=typed("body") rows=4 most=BODY_MOST refusal=refusal.clone() />
            <div class="actions"><button class="button primary">"Save"</button><a class="button" href=format!("/pupils/{id}")>"Cancel"</a></div>
        </form>
    }
}
