//! What the roll says of a pupil, as a form: `/pupils/add` and `/pupils/:pupil/edit`.

use domain::{
    Refusal, day,
    db::Read,
    pupil::{
        self, Fault, Typed, Whole,
        code::Sex,
        duty,
        field::{ADMISSION_NUMBER_MOST, Field as Kept, NAME_MOST},
        upn,
        year::YearGroup,
    },
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{keepers_only, to_pupils};
use crate::{
    form::{Act, Choice, Echo, Field, Refusals, id_of},
    membership::crumbs,
    sheet::Drawing,
    ui::{Around, Heading},
};

/// `/pupils/add`
pub async fn add(read: &mut Read, around: &Around) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let preferred = keeps_preferred(read).await?;
    let title = "Add a pupil".to_owned();
    let page = view! {
        {crumbs(vec![to_pupils(around)])}
        <Heading title=title.clone() lead="Nobody but those who see the school sees them until they are on somebody’s caseload." />
        <section class="card narrow"><div class="body">{form(None, Typed::default(), preferred)}</div></section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// `/pupils/:pupil/edit`
pub async fn edit(read: &mut Read, around: &Around, id: &str) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let (whole, _) = pupil::look(read, id_of(id)?, &["details"]).await?;
    let preferred = keeps_preferred(read).await?;
    let id = whole.pupil.id;
    let called = whole.pupil.called();
    let title = format!("Correct the details of {called}");
    let page = view! {
        {crumbs(vec![to_pupils(around), (format!("/pupils/{id}"), called)])}
        <Heading title=title.clone() lead="The log says which fields you changed, and not what they said." />
        <section class="card narrow"><div class="body">{form(Some(id), typed(&whole), preferred)}</div></section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

async fn keeps_preferred(read: &mut Read) -> Result<bool, Refusal> {
    let switches = duty::switches(read).await?;
    Ok(switches
        .iter()
        .any(|switch| switch.field == Kept::PreferredName))
}

/// As it would be typed.
fn typed(whole: &Whole) -> Typed {
    Typed {
        first_name: whole.pupil.first_name.clone(),
        last_name: whole.pupil.last_name.clone(),
        preferred_name: whole.pupil.preferred_name.clone().unwrap_or_default(),
        born: day::field(whole.born),
        sex: whole.sex.map(Sex::code).unwrap_or_default().to_owned(),
        year: whole.pupil.year.code().to_owned(),
        upn: whole
            .upn
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        admission_number: whole.admission_number.clone().unwrap_or_default(),
    }
}

/// The form, for a new pupil or for one who is there.
fn form(pupil: Option<Uuid>, was: Typed, preferred: bool) -> impl IntoView {
    let echo: Echo = use_context().unwrap_or_default();
    let act = if pupil.is_some() {
        "pupils/correct"
    } else {
        "pupils/add"
    };
    let refusal = echo.of(act);
    let value = |name: &str, was: String| {
        if refusal.is_some() {
            echo.value(name).unwrap_or_default()
        } else {
            was
        }
    };
    let meant = match &refusal {
        Some(Refusal::Pupil(Fault::Upn(_))) => {
            upn::suggestions(&echo.value("upn").unwrap_or_default())
        }
        _ => vec![],
    };
    let sexes = Sex::ALL
        .iter()
        .map(|sex| (sex.code().to_owned(), sex.name().to_owned()))
        .collect();
    let years = YearGroup::ALL
        .iter()
        .map(|year| (year.code().to_owned(), year.name().to_owned()))
        .collect();
    let (save, back) = match pupil {
        Some(id) => ("Save", format!("/pupils/{id}")),
        None => ("Add the pupil", "/pupils".to_owned()),
    };
    view! {
        <Refusals refusal=refusal.clone() />
        <form class="form" method="post">
            <Act name=act />
            {pupil.map(|id| view! { <input type="hidden" name="pupil" value=id.to_string() /> })}
            <Field name="first_name" label="First name" most=NAME_MOST hint="In law." value=value("first_name", was.first_name) refusal=refusal.clone() />
            <Field name="last_name" label="Surname" most=NAME_MOST hint="In law." value=value("last_name", was.last_name) refusal=refusal.clone() />
            {preferred.then(|| view! {
                <Field name="preferred_name" label="Preferred name" most=NAME_MOST optional=true hint="What they are called, where that is another first name."
                    value=value("preferred_name", was.preferred_name) refusal=refusal.clone() />
            })}
            <Field name="born" label="Date of birth" kind="date" value=value("born", was.born) refusal=refusal.clone() />
            <Choice name="sex" label="Sex" options=sexes nobody="Not asked yet" chosen=value("sex", was.sex)
                hint="As the school census records it." refusal=refusal.clone() />
            <Choice name="year" label="Year group" options=years nobody="Choose a year group" chosen=value("year", was.year)
                hint="The year they are taught in, which need not be that of their age." refusal=refusal.clone() />
            <Field name="upn" label="Unique pupil number (UPN)" most=20 optional=true class="short" hint="A letter and twelve more characters. Leave it empty while you wait for one."
                value=value("upn", was.upn) refusal=refusal.clone() />
            {(!meant.is_empty()).then(|| view! {
                <div class="meant">
                    <p>"Did you mean one of these? Compare it with the pupil’s papers before you type it."</p>
                    <ul>{meant.into_iter().map(|upn| view! { <li><code>{upn.to_string()}</code></li> }).collect_view()}</ul>
                </div>
            })}
            <Field name="admission_number" label="Admission number" most=ADMISSION_NUMBER_MOST optional=true class="short" hint="Your school’s own number for them."
                value=value("admission_number", was.admission_number) refusal=refusal.clone() />
            <div class="actions"><button class="button primary">{save}</button><a class="button" href=back>"Cancel"</a></div>
        </form>
    }
}
