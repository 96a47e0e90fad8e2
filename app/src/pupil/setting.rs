//! `/settings/pupils`: who answers for safeguarding and for data protection, and what the school keeps of its pupils beyond what it
//! must. For administrators who have just proved who they are.

use domain::{
    Refusal,
    db::Read,
    membership::State,
    pupil::{
        self,
        duty::{self, Duty, Holder, PROCESS_MOST, PURPOSE_MOST, REACHED_MOST},
        field::Switch,
    },
};
use leptos::prelude::*;

use super::keepers_only;
use crate::{
    form::{Act, Choice, Echo, Field, ProofBeside, Refusals, TextArea},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Moment, Notice, step_up_first},
};

/// `/settings/pupils`
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let echo: Echo = use_context().unwrap_or_default();
    // A form that was refused meanwhile keeps what was typed, and asks for the proof beside it.
    if !read.standing.stepped_up && echo.refusal.is_none() {
        return Ok(step_up_first("/settings/pupils"));
    }
    let holders = duty::holders(read).await?;
    let on = duty::switches(read).await?;
    // Who answers for pupils' data is somebody to whom pupils are something.
    let people: Vec<(String, String)> = domain::membership::list(read)
        .await?
        .into_iter()
        .filter(|person| person.state != State::Ended && pupil::is_for(&person.roles))
        .map(|person| (person.id.to_string(), person.name))
        .collect();
    let done = match asked.query("done") {
        "duty" => Some("Saved."),
        "on" => Some("The field is on, with the purpose you gave."),
        "off" => Some("The field is off, and what was kept of it is deleted."),
        _ => None,
    };
    let duties: Vec<_> = Duty::ALL
        .iter()
        .map(|duty| {
            let holder = holders.iter().find(|holder| holder.duty == *duty);
            answers(*duty, holder, people.clone(), &echo)
        })
        .collect();
    let fields: Vec<_> = Switch::all()
        .map(|switch| {
            let kept = on.iter().find(|one| one.field == switch.field());
            field(switch, kept, &echo)
        })
        .collect();
    let refusal = echo.refusal.clone();
    let title = "What is kept of pupils".to_owned();
    let page = view! {
        {crumbs(vec![("/settings".to_owned(), "Settings".to_owned())])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead="And who answers for it. Every change is in the log." />
        <Refusals refusal=refusal.clone() />
        <ProofBeside refusal=refusal />
        <p><a class="button" href="/settings/pupils/parents">"What parents see"</a></p>
        <p><a href="/pupils/year">"The new school year"</a>": move the roll up, when one is over."</p>
        {duties}
        <section class="card narrow" aria-labelledby="fields">
            <header><h2 id="fields">"Optional fields"</h2></header>
            <div class="body">
                <p class="hint">"All are off until your school says what it needs one for. What is off is not kept, also when a file brings it. Switching one off deletes what was kept of it."</p>
                <div>{fields}</div>
            </div>
        </section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn answers(
    duty: Duty,
    holder: Option<&Holder>,
    people: Vec<(String, String)>,
    echo: &Echo,
) -> impl IntoView + use<> {
    let code = duty.code();
    let refusal = echo
        .of("pupils/duty")
        .filter(|_| echo.value("duty").as_deref() == Some(code));
    let value = |name: &str, was: Option<String>| {
        if refusal.is_some() {
            echo.value(name).unwrap_or_default()
        } else {
            was.unwrap_or_default()
        }
    };
    let person = value("person", holder.map(|holder| holder.person.to_string()));
    let reached = value("reached", holder.map(|holder| holder.reached.clone()));
    let process = value("process", holder.map(|holder| holder.process.clone()));
    let (what, steps) = match duty {
        Duty::Safeguarding => (
            "Whom staff tell when they are worried about a child. Quorate is not where they write it down.",
            "What to do when you are worried about a child, in your school’s own words.",
        ),
        Duty::DataProtection => (
            "Goes through who looked at whose records, and with which reason.",
            "What staff are to know about it. May be left empty.",
        ),
    };
    // The field a refusal leads to, once on the page.
    let id = |name: &str| {
        if refusal.is_some() {
            name.to_owned()
        } else {
            format!("{code}-{name}")
        }
    };
    let title_id = format!("{code}-title");
    view! {
        <section class="card narrow" aria-labelledby=title_id.clone()>
            <header><h2 id=title_id.clone()>{duty.name()}</h2></header>
            <div class="body">
                <p>{what}</p>
                <form class="form" method="post">
                    <Act name="pupils/duty" />
                    <input type="hidden" name="duty" value=code />
                    <Choice name="person" id=id("person") label="Who" options=people nobody="Choose a person" chosen=person refusal=refusal.clone() />
                    <Field name="reached" id=id("reached") label="How they are reached" most=REACHED_MOST hint="A number, a room." value=reached refusal=refusal.clone() />
                    <TextArea name="process" id=id("process") label="What to do" most=u32::from(PROCESS_MOST) hint=steps value=process refusal=refusal.clone() />
                    <div class="actions"><button class="button primary">"Save" <span class="hidden-text">": " {duty.name()}</span></button></div>
                </form>
            </div>
        </section>
    }
}

fn field(switch: Switch, on: Option<&duty::Switch>, echo: &Echo) -> impl IntoView + use<> {
    let (code, name) = (switch.code(), switch.name());
    let refusal = echo
        .of("pupils/switch-on")
        .filter(|_| echo.value("field").as_deref() == Some(code));
    let typed = refusal
        .as_ref()
        .and_then(|_| echo.value("purpose"))
        .unwrap_or_default();
    let id = if refusal.is_some() {
        "purpose".to_owned()
    } else {
        format!("{code}-purpose")
    };
    match on {
        Some(on) => view! {
            <div class="switch">
                <div><b>{name}</b> " " <span class="tag good">"On"</span><small>{on.purpose.clone()} ", since " <Moment at=on.since.clone() day=true /></small></div>
                <details>
                    <summary>"Switch off" <span class="hidden-text">": " {name}</span></summary>
                    <form class="form" method="post">
                        <Act name="pupils/switch-off" />
                        <input type="hidden" name="field" value=code />
                        <p>"What was kept of it is deleted at once, of every pupil. That cannot be undone."</p>
                        <div class="actions"><button class="button danger">"Switch off and delete"</button></div>
                    </form>
                </details>
            </div>
        }
        .into_any(),
        None => view! {
            <div class="switch">
                <div><b>{name}</b> " " <span class="tag">"Off"</span><small>"Nothing of it is kept."</small></div>
                <details open=refusal.is_some()>
                    <summary>"Switch on" <span class="hidden-text">": " {name}</span></summary>
                    <form class="form" method="post">
                        <Act name="pupils/switch-on" />
                        <input type="hidden" name="field" value=code />
                        <TextArea name="purpose" id=id label="What your school needs it for" rows=2 most=u32::from(PURPOSE_MOST)
                            hint="At least 10 characters. It stands beside the field." value=typed refusal=refusal.clone() />
                        <div class="actions"><button class="button">"Switch on"</button></div>
                    </form>
                </details>
            </div>
        }
        .into_any(),
    }
}
