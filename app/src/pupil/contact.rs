//! The steps about one pupil that say first what will happen: restricting a parent's contact or allowing it again, and taking somebody
//! off the roll who was put there by mistake.

use domain::{
    Refusal,
    db::Read,
    pupil::{
        self,
        guardian::{self, Link, Restriction},
    },
};
use leptos::prelude::*;

use super::{keepers_only, to_pupils};
use crate::{
    form::{Act, Echo, Field, ProofBeside, Refusals, TextArea, id_of},
    membership::crumbs,
    sheet::Drawing,
    ui::{Around, Heading, Icon, step_up_first},
};

/// `/pupils/:pupil/contact/:person`
pub async fn page(
    read: &mut Read,
    around: &Around,
    id: &str,
    person: &str,
) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let (id, person) = (id_of(id)?, id_of(person)?);
    let echo: Echo = use_context().unwrap_or_default();
    // A form that was refused meanwhile keeps what was typed, and asks for the proof beside it.
    if !read.standing.stepped_up && echo.refusal.is_none() {
        return Ok(step_up_first(&format!("/pupils/{id}/contact/{person}")));
    }
    let (whole, _) = pupil::look(read, id, &["parents"]).await?;
    let link = guardian::of_pupil(read, id)
        .await?
        .into_iter()
        .find(|link| link.person == person)
        .ok_or(Refusal::NotFound)?;
    let called = whole.pupil.called();
    let refusal = echo.refusal.clone();
    let title = match link.restricted {
        Some(_) => format!("Lift the restriction on {}?", link.name),
        None => format!("Restrict {}’s contact", link.name),
    };
    let back = format!("/pupils/{id}");
    let page = view! {
        {crumbs(vec![to_pupils(around), (back.clone(), called.clone())])}
        <Heading title=title.clone() />
        <div class="confirm">
            <Refusals refusal=refusal.clone() />
            <ProofBeside refusal=refusal />
            {match &link.restricted {
                Some(restriction) => lift(id, &link, restriction, &called, back).into_any(),
                None => restrict(id, &link, &called, &echo, back).into_any(),
            }}
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn restrict(
    pupil: uuid::Uuid,
    link: &Link,
    called: &str,
    echo: &Echo,
    back: String,
) -> impl IntoView + use<> {
    let refusal = echo.of("pupils/restrict");
    let typed = |name: &str| echo.value(name).unwrap_or_default();
    let what = [
        (
            "lock",
            format!("What {} sees of {called} is gone at once, on every device.", link.name),
        ),
        (
            "info",
            "Nothing tells them why, and no letter goes out. Their other children stay as they are.".to_owned(),
        ),
        (
            "people",
            "Those who see the school read that contact is restricted and what it rests on.".to_owned(),
        ),
    ];
    view! {
        {consequences(what.to_vec(), "You can lift it again on the same page.".to_owned())}
        <form class="form" method="post">
            <Act name="pupils/restrict" />
            <input type="hidden" name="pupil" value=pupil.to_string() />
            <input type="hidden" name="person" value=link.person.to_string() />
            <TextArea name="words" label="What it rests on" most=u32::from(guardian::WORDS_MOST) hint="Like the court and the date of its order. No more than that."
                value=typed("words") refusal=refusal.clone() />
            <Field name="until" label="Last day, if it has one" kind="date" optional=true hint="Leave it empty for one that holds until it is lifted."
                value=typed("until") refusal=refusal.clone() />
            <div class="actions"><button class="button primary danger">"Restrict contact"</button><a class="button" href=back>"Cancel"</a></div>
        </form>
    }
}

fn lift(
    pupil: uuid::Uuid,
    link: &Link,
    restriction: &Restriction,
    called: &str,
    back: String,
) -> impl IntoView + use<> {
    let what = [
        (
            "people",
            format!("{} sees again what is on record for {called}.", link.name),
        ),
        (
            "history",
            format!(
                "It rested on: {}. That it was there stays on record.",
                restriction.words
            ),
        ),
    ];
    view! {
        {consequences(what.to_vec(), "You can restrict contact again at any time.".to_owned())}
        <form class="form" method="post">
            <Act name="pupils/lift" />
            <input type="hidden" name="pupil" value=pupil.to_string() />
            <input type="hidden" name="restriction" value=restriction.id.to_string() />
            <div class="actions"><button class="button primary">"Lift the restriction"</button><a class="button" href=back>"Cancel"</a></div>
        </form>
    }
}

/// `/pupils/:pupil/remove`
pub async fn remove(read: &mut Read, around: &Around, id: &str) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let id = id_of(id)?;
    if !read.standing.stepped_up {
        return Ok(step_up_first(&format!("/pupils/{id}/remove")));
    }
    let (whole, _) = pupil::look(read, id, &["details"]).await?;
    let called = whole.pupil.called();
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("pupils/remove");
    let title = format!("Take {called} off the roll?");
    let back = format!("/pupils/{id}");
    let what = vec![
        (
            "warning",
            "This is for somebody who was added by mistake. For a pupil who has gone, record that they left: their record must be kept.".to_owned(),
        ),
        (
            "close",
            "Their details, groups, caseloads, parents’ links and the list of who looked at them are deleted. This cannot be undone.".to_owned(),
        ),
        (
            "history",
            "The log keeps that you did this, without their name.".to_owned(),
        ),
    ];
    let other =
        "Where something was recorded about them they stay, and you are told so.".to_owned();
    let page = view! {
        {crumbs(vec![to_pupils(around), (back.clone(), called)])}
        <Heading title=title.clone() />
        <div class="confirm">
            <Refusals refusal=refusal />
            {consequences(what, other)}
            <form class="form" method="post">
                <Act name="pupils/remove" />
                <input type="hidden" name="pupil" value=id.to_string() />
                <div class="actions"><button class="button primary danger">"Take off the roll"</button><a class="button" href=back>"Cancel"</a></div>
            </form>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// What will happen, line by line, and last what can still be done.
pub(super) fn consequences(what: Vec<(&'static str, String)>, after: String) -> impl IntoView {
    view! {
        <section class="card grave" aria-labelledby="what">
            <header><h2 id="what">"What will happen"</h2></header>
            <div class="body">
                <ul role="list" class="consequences">
                    {what.into_iter().map(|(icon, line)| view! { <li><Icon name=icon /><span>{line}</span></li> }).collect_view()}
                    <li><Icon name="undo" class="icon good" /><span>{after}</span></li>
                </ul>
            </div>
        </section>
    }
}
