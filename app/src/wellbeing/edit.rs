//! `/pupils/:pupil/records/:record/edit`: changing a record, which adds a version with its reason. For its author, and for who sees the
//! school.

use domain::{
    Refusal,
    db::Read,
    pupil,
    wellbeing::{
        Domain, Level,
        record::{BODY_MOST, Detail, Kind, WITH_MOST, WORDS_MOST},
        timeline::{self, Entry},
    },
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{
    add::way,
    course,
    entry::{Staff, asks, may_change, told},
    note::{NoteArea, Reminder, lead},
    sent::Course,
};
use crate::{
    form::{Act, Choice, Echo, Field, Refusals, id_of},
    sheet::Drawing,
    ui::{Around, Heading},
};

/// A pupil of the record and the words about their part.
struct About {
    pupil: Uuid,
    called: String,
    words: String,
}

/// `/pupils/:pupil/records/:record/edit`
pub async fn page(
    read: &mut Read,
    around: &Around,
    (id, record): (&str, &str),
) -> Result<Drawing, Refusal> {
    if !pupil::is_for(&around.roles) {
        return Err(Refusal::NotFound);
    }
    let (id, record) = (id_of(id)?, id_of(record)?);
    let (whole, _) = pupil::look(read, id, &["details", "timeline"]).await?;
    let one = timeline::one(read, record, id).await?;
    if !may_change(&one, &around.roles) {
        return Err(Refusal::NotFound);
    }
    let mut about = vec![About {
        pupil: id,
        called: whole.pupil.called(),
        words: one.words.clone(),
    }];
    // What is said of each of the others is read under their own name, and that it was is put down.
    for (other, called, _) in &one.others {
        pupil::look(read, *other, &["timeline"]).await?;
        about.push(About {
            pupil: *other,
            called: called.clone(),
            words: timeline::one(read, record, *other).await?.words,
        });
    }
    let staff = Staff::read(read).await?;
    let lead = lead(read).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let title = "Change a record".to_owned();
    let kind = one.kind.name().to_lowercase();
    let page = view! {
        {way(around, &whole)}
        <Heading title=title.clone() lead=format!("This {kind} about {} is kept as it stands; what you save becomes a new version of it. When it happened and whom it is about stay: withdraw it and write another one if they are wrong.", whole.pupil.called()) />
        <section class="card narrow"><div class="body">
            <Reminder lead=lead />
            {form(id, &one, about, &staff, &echo)}
        </div></section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn form(
    pupil: Uuid,
    one: &Entry,
    about: Vec<About>,
    staff: &Staff,
    echo: &Echo,
) -> impl IntoView + use<> {
    let refusal = echo.of("records/revise");
    let typed = |name: &str, stands: &str| {
        refusal
            .as_ref()
            .and_then(|_| echo.value(name))
            .unwrap_or_else(|| stands.to_owned())
    };
    // Somebody else was faster: they see what was saved meanwhile before they save over it.
    let newer = refusal
        .as_ref()
        .and_then(|_| echo.value("version"))
        .filter(|version| *version != one.version.to_string())
        .map(|_| {
            view! {
                <div class="meant" role="note">
                    <b>{format!("Version {} was saved meanwhile. It says:", one.version)}</b>
                    {told(one, staff)}
                    <p>"What you typed is still below. If you save it, it becomes the version after that."</p>
                </div>
            }
        });
    let several = about.len() > 1;
    let words: Vec<_> = about
        .into_iter()
        .enumerate()
        .filter(|(_, about)| several || !about.words.is_empty())
        .map(|(n, about)| {
            let (whose, field) = (format!("whose[{n}]"), format!("about[{n}]"));
            view! {
                <input type="hidden" name=whose value=about.pupil.to_string() />
                <NoteArea name=field.clone() label=format!("About the part of {}", about.called) value=typed(&field, &about.words) rows=2 most=WORDS_MOST />
            }
        })
        .collect();
    view! {
        <Refusals refusal=refusal.clone() />
        {newer}
        <form class="form" method="post">
            <Act name="records/revise" />
            <input type="hidden" name="pupil" value=pupil.to_string() />
            <input type="hidden" name="record" value=one.id.to_string() />
            <input type="hidden" name="record_kind" value=one.kind.code() />
            <input type="hidden" name="version" value=one.version.to_string() />
            {by_kind(one, staff, typed, refusal.as_ref())}
            <NoteArea name="body" label=asks(one.kind) value=typed("body", &one.body) rows=6 most=BODY_MOST refusal=refusal.clone() />
            {words}
            <Field name="reason" label="Why you change it" most=500 value=typed("reason", "")
                hint="In one line, like “The time was wrong”. It stands beside the new version." refusal=refusal.clone() />
            <div class="actions"><button class="button primary">"Save as a new version"</button><a class="button" href=format!("/pupils/{pupil}/records/{}", one.id)>"Cancel"</a></div>
        </form>
    }
}

/// The fields that only records of its kind have.
fn by_kind(
    one: &Entry,
    staff: &Staff,
    typed: impl Fn(&str, &str) -> String,
    refusal: Option<&Refusal>,
) -> Option<AnyView> {
    let some = |kept: Option<&str>| kept.unwrap_or_default().to_owned();
    Some(match &one.detail {
        Detail::Plain {} if one.kind == Kind::CheckIn => {
            levels(one, typed, refusal)
        }
        Detail::Plain {} => return None,
        Detail::Conversation { with } => view! {
            <Field name="with" label="With whom" most=WITH_MOST value=typed("with", with) refusal=refusal.cloned() />
        }
        .into_any(),
        Detail::Plan { review_on } => view! {
            <Field name="review_on" label="Look at it again on" kind="date" optional=true value=typed("review_on", &some(review_on.as_deref())) refusal=refusal.cloned() />
        }
        .into_any(),
        Detail::Intervention(stands) => {
            course::fields(&Course::of(stands).typed(typed), staff, refusal).into_any()
        }
        Detail::Instrument(_) => view! {
            {told(one, staff)}
            <p class="hint">"Scores stay as they were entered. If one is wrong, withdraw the record and enter them again."</p>
        }
        .into_any(),
    })
}

fn levels(one: &Entry, typed: impl Fn(&str, &str) -> String, refusal: Option<&Refusal>) -> AnyView {
    let wrong = refusal
        .filter(|refusal| refusal.field() == Some("levels"))
        .map(ToString::to_string);
    let fields: Vec<_> = Domain::ALL
        .into_iter()
        .enumerate()
        .map(|(n, domain)| {
            let stands = one.levels.iter().find(|(of, _)| *of == domain);
            let stands = stands.map(|(_, level)| level.to_string());
            let options = Level::ALL
                .into_iter()
                .map(|level| {
                    let words = format!("{level}: {}", domain.seen(level));
                    (level.to_string(), words)
                })
                .collect();
            let field = format!("level[{n}]");
            view! {
                <input type="hidden" name=format!("domain[{n}]") value=domain.code() />
                <Choice name=field.clone() label=domain.name() options=options nobody="Not seen"
                    chosen=typed(&field, &stands.unwrap_or_default()) />
            }
        })
        .collect();
    view! {
        <fieldset class="field boxed" id="levels" data-error=wrong.is_some().then_some("")>
            <legend>"How they were"</legend>
            {wrong.clone().map(|wrong| view! { <p class="error"><span class="hidden-text">"Error: "</span>{wrong}</p> })}
            {fields}
        </fieldset>
    }
    .into_any()
}
