//! `/pupils/seek`: a teacher opens the record of a pupil who is not on their caseload, by the whole name and for a reason that is put
//! down.

use domain::{
    Refusal,
    db::Read,
    pupil::{
        self,
        access::Reason,
        duty::{self, Duty},
    },
};
use leptos::prelude::*;

use super::{there_is, to_pupils};
use crate::{
    form::{Act, Choice, Echo, Field, Refusals, TextArea},
    membership::crumbs,
    sheet::Drawing,
    ui::{Around, Heading, Icon},
};

/// `/pupils/seek`: for those who have a caseload to look beyond.
pub async fn page(read: &mut Read, around: &Around) -> Result<Drawing, Refusal> {
    there_is(pupil::has_caseload(&around.roles))?;
    let lead = duty::holders(read)
        .await?
        .into_iter()
        .find(|holder| holder.duty == Duty::DataProtection && !holder.name.is_empty())
        .map(|holder| holder.name);
    let readers = match lead {
        Some(name) => format!("{name}, who answers for data protection, and the administrators"),
        None => "The administrators".to_owned(),
    };
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("pupils/seek");
    let typed = |name: &str| echo.value(name).unwrap_or_default();
    let reasons = Reason::ALL
        .iter()
        .map(|reason| (reason.code().to_owned(), reason.name().to_owned()))
        .collect();
    let title = "Open another pupil’s record".to_owned();
    let page = view! {
        {crumbs(vec![to_pupils(around)])}
        <Heading title=title.clone() lead="For a pupil who is not on your caseload. You see who they are for an hour." />
        <section class="card narrow"><div class="body">
            <div class="notice" role="note"><Icon name="info" /><p>"Your name, the reason, your words and the time are put down, also when nobody is found. " {readers} " read them."</p></div>
            <Refusals refusal=refusal.clone() />
            <form class="form" method="post">
                <Act name="pupils/seek" />
                <Field name="first_name" label="First name" most=120 hint="In full, or the name they go by." value=typed("first_name") refusal=refusal.clone() />
                <Field name="last_name" label="Surname" most=120 hint="In full." value=typed("last_name") refusal=refusal.clone() />
                <Field name="registration" label="Registration group, if you know it" most=40 optional=true class="short"
                    hint="Needed only where two pupils have one name." value=typed("registration") refusal=refusal.clone() />
                <Choice name="reason" label="Why" options=reasons nobody="Choose a reason" chosen=typed("reason") refusal=refusal.clone() />
                <TextArea name="words" label="In a few words" most=500 hint="At least 10 characters. Write nothing here that belongs into the record itself."
                    value=typed("words") refusal=refusal.clone() />
                <div class="actions"><button class="button primary">"Open the record"</button><a class="button" href="/pupils">"Cancel"</a></div>
            </form>
        </div></section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}
