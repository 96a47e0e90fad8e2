//! `/pupils/:pupil/records/:record/put`: what the parents will read, exactly as they will read it, before somebody puts it on record.

use domain::{
    Refusal, day,
    db::Read,
    pupil,
    wellbeing::{
        Fault,
        onrecord::{self, Shown, State, WORDS_MOST},
    },
};
use leptos::prelude::*;
use time::Duration;

use super::{
    add::{clock, way},
    note::{NoteArea, Reminder, lead},
    shown,
};
use crate::{
    door,
    form::{Act, Echo, Refusals, id_of},
    sheet::Drawing,
    ui::{Around, Heading, Icon},
};

/// `/pupils/:pupil/records/:record/put`
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
    let preview = onrecord::preview(read, record, id).await?;
    let stands = onrecord::of_pupil(read, id)
        .await?
        .iter()
        .any(|put| put.record == record && matches!(put.state, State::Cooling(_) | State::Open(_)));
    let echo: Echo = use_context().unwrap_or_default();
    // What was shown last, what was refused, or else the record's own text.
    let refused = [echo.of("records/put"), echo.of("records/show")];
    let refusal = refused.into_iter().flatten().next();
    let words = echo
        .answer_of::<String>("records/show")
        .or_else(|| refusal.as_ref().and_then(|_| echo.value("words")))
        .unwrap_or_else(|| preview.shown.words.clone());
    let fit = onrecord::fit(read, record, id, &words).await;
    let lead = lead(read).await?;
    let here = format!("/pupils/{id}/records/{record}");
    let called = whole.pupil.called();
    let title = "Put on record".to_owned();
    let until = door::now()
        .map(|now| {
            clock(day::in_england(
                now + Duration::minutes(preview.cooling.into()),
            ))
        })
        .map_err(|refused| refused.0)?;
    let goes = match preview.cooling {
        0 => "Parents see it at once.".to_owned(),
        minutes => format!(
            "It can be taken back unseen for {}: until {until}, if you put it on record now.",
            in_words(minutes)
        ),
    };
    let ids = move || {
        view! {
            <input type="hidden" name="pupil" value=id.to_string() />
            <input type="hidden" name="record" value=record.to_string() />
        }
    };
    let version = preview.version;
    let step = match &fit {
        Ok(words) => {
            let one = Shown {
                words: words.clone(),
                ..preview.shown
            };
            let words = words.clone();
            view! {
                <div class="shown">{shown::entry(&one)}</div>
                {if stands {
                    view! { <p>"This record is on record already. Take that entry back or off first."</p> }.into_any()
                } else {
                    view! {
                        <form class="form" method="post">
                            <Act name="records/put" />
                            {ids()}
                            <input type="hidden" name="version" value=version.to_string() />
                            <input type="hidden" name="words" value=words />
                            <p>{goes}</p>
                            <div class="actions"><button class="button primary">"Put on record"</button><a class="button" href=here.clone()>"Not now"</a></div>
                        </form>
                    }.into_any()
                }}
            }
            .into_any()
        }
        Err(fault) => {
            // A refused form says it at the top already.
            let said = refusal.is_none().then(|| fault.to_string());
            view! {
                {said.map(|said| view! { <div class="notice wait" role="note"><Icon name="warning" /><p>{said}</p></div> })}
                <p>"Change the words below, and look at them again."</p>
            }
            .into_any()
        }
    };
    let stays = matches!(
        refusal,
        Some(Refusal::Wellbeing(
            Fault::NamesOther(_) | Fault::Published(_)
        ))
    );
    let open = fit.is_err() || stays;
    let page = view! {
        {way(around, &whole)}
        <Heading title=title.clone() lead=format!("For the parents of {called}. Nothing else of this record is ever shown to them.") />
        <Refusals refusal=refusal.clone() />
        <Reminder lead=lead />
        <section class="card narrow" aria-labelledby="reads">
            <header><h2 id="reads">"What the parents will read"</h2></header>
            <div class="body">
                {step}
                <details open=open>
                    <summary>"Say it in other words"</summary>
                    <form class="form" method="post">
                        <Act name="records/show" />
                        {ids()}
                        <NoteArea name="words" label="What the parents are to read" value=words rows=6 most=WORDS_MOST
                            hint="The record itself stays as it is. No other pupil’s name." refusal=refusal />
                        <div class="actions"><button class="button">"Show how it reads"</button></div>
                    </form>
                </details>
            </div>
        </section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// "30 minutes", "2 hours", "3 days".
fn in_words(minutes: u32) -> String {
    let counted = |n: u32, one: &str, many: &str| {
        crate::ui::counted(usize::try_from(n).unwrap_or(usize::MAX), one, many)
    };
    match minutes {
        days if days % 1440 == 0 => counted(days / 1440, "day", "days"),
        hours if hours % 60 == 0 => counted(hours / 60, "hour", "hours"),
        minutes => counted(minutes, "minute", "minutes"),
    }
}
