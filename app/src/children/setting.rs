//! `/settings/pupils/parents`: how long an entry can be taken back, what parents see beside it, and whom they can ask. For
//! administrators who have just proved who they are.

use domain::{
    Refusal,
    db::Read,
    pupil,
    wellbeing::onrecord::{self, TALK_TO_MOST},
};
use leptos::prelude::*;

use crate::{
    form::{Act, Echo, Field, ProofBeside, Refusals, TextArea},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Notice, step_up_first},
};

/// `/settings/pupils/parents`
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    if !pupil::keeps(&around.roles) {
        return Err(Refusal::NotFound);
    }
    let echo: Echo = use_context().unwrap_or_default();
    // A form that was refused meanwhile keeps what was typed, and asks for the proof beside it.
    if !read.standing.stepped_up && echo.refusal.is_none() {
        return Ok(step_up_first("/settings/pupils/parents"));
    }
    let rule = onrecord::rule(read).await?;
    let refusal = echo.of("pupils/parents-rule");
    let typed = |name: &str| {
        refusal
            .as_ref()
            .map(|_| echo.value(name).unwrap_or_default())
    };
    let cooling = typed("cooling").unwrap_or_else(|| rule.cooling.to_string());
    let trend = typed("trend").map_or(rule.trend, |typed| !typed.is_empty());
    let talk_to = typed("talk_to").unwrap_or(rule.talk_to);
    let saved = asked.query("done") == "saved";
    let title = "What parents see".to_owned();
    let page = view! {
        {crumbs(vec![("/settings".to_owned(), "Settings".to_owned()), ("/settings/pupils".to_owned(), "What is kept of pupils".to_owned())])}
        {saved.then(|| view! { <Notice text="Saved." /> })}
        <Heading title=title.clone() lead="Parents read what staff put on record for their own child, and nothing else. Every change is in the log." />
        <Refusals refusal=refusal.clone() />
        <ProofBeside refusal=refusal.clone() />
        <section class="card narrow" aria-labelledby="parents">
            <header><h2 id="parents">"Entries on record"</h2></header>
            <div class="body">
                <form class="form" method="post">
                    <Act name="pupils/parents-rule" />
                    <Field name="cooling" label="Minutes before parents see an entry" inputmode="numeric" most=5 value=cooling
                        hint="So long it can be taken back, and nobody notices. 30 is usual; 10,080 is a week, which is the most. Entries that wait already keep their time."
                        refusal=refusal.clone() />
                    <label class="option">
                        <input type="checkbox" name="trend" value="yes" checked=trend />
                        <b>"Parents see how their child has been"</b>
                        <small>"A picture for each part of wellbeing with at least three weeks of check-ins: the middle of each week, without notes, names or numbers of check-ins."</small>
                    </label>
                    <TextArea name="talk_to" label="Who parents can talk to" most=u32::from(TALK_TO_MOST) value=talk_to
                        hint="Like: your child’s class teacher at the gate, or Mrs Beaumont on 0114 496 0123. Without it, parents read that they can ask the school office."
                        refusal=refusal />
                    <div class="actions"><button class="button primary">"Save"</button></div>
                </form>
            </div>
        </section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}
