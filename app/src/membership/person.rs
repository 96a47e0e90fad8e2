//! One person: their place, what happened to it, and what the reader may do about it. A sheet.

use domain::{
    MembershipId, Refusal,
    db::Read,
    membership::{Person, State},
    role::Role,
};
use leptos::prelude::*;

use super::{Address, StateTag, Telephone, crumbs, to_people};
use crate::{
    audit::{self, feed},
    door,
    form::{Act, Echo, Refusals},
    sheet::{Asked, Drawing},
    ui::{Around, Moment, Notice},
};

/// A person, and what the reader is to them.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts a page asks for, in no order"
)]
pub(super) struct Shown {
    pub person: Person,
    /// Whether they have a page of this tenant open.
    pub here: bool,
    /// Whether the reader may change their place.
    pub may_change: bool,
    pub is_me: bool,
    /// The roles the reader may give and take.
    pub given: Vec<Role>,
    /// Whether the reader proved who they are in the last five minutes.
    pub stepped_up: bool,
    /// The refused form the page is drawn for.
    pub echo: Echo,
}

impl Shown {
    /// Refuses [`Refusal::NotFound`] for those the reader may not see.
    pub async fn read(read: &mut Read, around: &Around, id: &str) -> Result<Self, Refusal> {
        let person = domain::membership::find(read, super::id_of(id)?).await?;
        let standing = &read.standing;
        let is_me = person.account == standing.account;
        let touches_admin = person.roles.iter().any(|role| role.is_admin());
        Ok(Self {
            here: (door::services().here)(standing.tenant).contains(&person.account),
            may_change: around.manages_people() && !is_me && (!touches_admin || around.is_admin()),
            is_me,
            given: Role::given_by(&standing.roles, standing.kind),
            stepped_up: standing.stepped_up,
            echo: use_context().unwrap_or_default(),
            person,
        })
    }

    /// The same for a page with a form. Where there is nothing to do about the person, or no more, there is no such page, and a
    /// form that came too late is told why.
    pub async fn to_change(
        read: &mut Read,
        around: &Around,
        id: &str,
        open: fn(State) -> bool,
    ) -> Result<Self, Refusal> {
        let shown = Self::read(read, around, id).await?;
        if shown.may_change && open(shown.person.state) {
            return Ok(shown);
        }
        let told = shown.echo.refusal.filter(|_| shown.may_change);
        Err(told.unwrap_or(Refusal::NotFound))
    }
}

/// `/people/:id`
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    let shown = Shown::read(read, around, id).await?;
    let history = domain::tenancy::changes(read, Some(shown.person.id), None, 20).await?;
    let history: Vec<_> = history
        .into_iter()
        .map(|change| audit::line(change, false))
        .collect();
    let done = done_words(asked.query("done"), &shown.person.name);
    let today = door::today();
    let facts = domain::board::facts_of(read, shown.person.id, today).await?;
    let bounces = domain::notice::bounces(read).await?;
    let returned = bounces
        .into_iter()
        .find(|bounce| bounce.person == shown.person.id);
    let on_board = crate::board::person::card(&facts, today);
    let Shown {
        person,
        here,
        may_change,
        is_me,
        echo,
        ..
    } = shown;
    let title = person.name.clone();
    let page = view! {
        {crumbs(vec![to_people()])}
        {done.map(|text| view! { <Notice text=text /> })}
        <div class="head">
            <div class="person-head">
                <span class="face large" data-here=here.then_some("") aria-hidden="true">{person.initials()}</span>
                <div>
                    <h1>{person.name.clone()}</h1>
                    {person.email.clone().map(|email| view! { <p><Address email=email /></p> })}
                    <div class="tags">
                        <StateTag state=person.state />
                        {person.roles.iter().map(|role| view! { <span class="tag">{role.name()}</span> }).collect_view()}
                        {here.then(|| view! { <span class="tag info">"Here now"</span> })}
                        {returned.is_some().then(|| view! { <span class="tag wait">"Mail came back"</span> })}
                    </div>
                </div>
            </div>
        </div>
        <Refusals refusal=echo.refusal />
        <div class="split">
            <div class="stack">
                <section class="card" aria-labelledby="place">
                    <header><h2 id="place">"Their place here"</h2></header>
                    <div class="body">
                        <dl class="details">
                            {person.email.clone().map(|email| view! { <div><dt>"E-mail"</dt><dd><Address email=email /></dd></div> })}
                            {facts.phone.clone().map(|phone| view! { <div><dt>"Telephone"</dt><dd><Telephone number=phone /></dd></div> })}
                            {returned.map(|bounce| {
                                let other = match bounce.phone {
                                    Some(_) => "No letter reaches them there; ring them, and ask for the address.",
                                    None => "No letter reaches them there, and there is no telephone number; ask for the address.",
                                };
                                view! { <div><dt>"Mail"</dt><dd>"The last letter came back on " <Moment at=bounce.at day=true /> ". " {other}</dd></div> }
                            })}
                            <div><dt>"Roles"</dt><dd>{person.role_names()}</dd></div>
                            <div><dt>{since_words(person.state)}</dt><dd><Moment at=person.since.clone() /></dd></div>
                            <div><dt>"Now"</dt><dd>{if here { "Here, on this site" } else { "Not here" }}</dd></div>
                        </dl>
                        {facts.checks.is_some().then(|| view! { <p><a href=format!("/people/{}/checks", person.id)>"Telephone, DBS check and training"</a></p> })}
                        {is_me.then(|| view! { <p class="muted">"This is you. Your own roles are changed by another administrator."</p> })}
                    </div>
                </section>
                {on_board}
                {(!history.is_empty()).then(|| view! {
                    <section class="card" aria-labelledby="history">
                        <header><h2 id="history">"What happened"</h2><p>"newest first"</p></header>
                        <div class="body">
                            {feed(history)}
                            <p><a href=format!("/audit?about={}", person.id)>"All of it, in the log"</a></p>
                        </div>
                    </section>
                })}
            </div>
            {may_change.then(|| actions(&person, &around.place))}
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// What the reader may do about a person, the mildest first, each with what it means.
fn actions(person: &Person, place: &str) -> impl IntoView + use<> {
    let id = person.id;
    let one = |act: &'static str, label: &'static str| {
        view! {
            <form method="post">
                <Act name=act />
                <input type="hidden" name="id" value=id.to_string() />
                <button class="button">{label}</button>
            </form>
        }
        .into_any()
    };
    let next = |step: &str, label: &'static str, class: &'static str| {
        view! { <a class=class href=step_path(id, step)>{label}</a> }.into_any()
    };
    let row = |name: String, meaning: &'static str, act: AnyView| view! { <div class="act-row"><div><b>{name}</b><small>{meaning}</small></div>{act}</div> };
    let rows = match person.state {
        State::Ended => Vec::new(),
        state => vec![
            Some(row(
                "Roles".to_owned(),
                "What they may see and do here.",
                next("roles", "Change roles", "button"),
            )),
            Some(row(
                "Name".to_owned(),
                "As the person gives it.",
                next("rename", "Change the name", "button"),
            )),
            (state == State::Invited).then(|| {
                row(
                    "Invitation".to_owned(),
                    "A new letter with a new link; the earlier one stops working.",
                    one("people/invite-again", "Send the invitation again"),
                )
            }),
            (state == State::Invited).then(|| {
                row(
                    "E-mail address".to_owned(),
                    "Until they have joined you can correct it; the invitation goes there.",
                    next("address", "Correct the address", "button"),
                )
            }),
            (state == State::Suspended).then(|| {
                row(
                    "Restore".to_owned(),
                    "They may sign in again at once, with the roles that stand here.",
                    one("people/restore", "Restore"),
                )
            }),
            (state == State::Active).then(|| {
                row(
                    "Suspend".to_owned(),
                    "They are signed out at once and cannot sign in until you restore them.",
                    next("suspend", "Suspend…", "button"),
                )
            }),
            Some(row(
                format!("Remove from {place}"),
                "Ends their place for good. The next page says what that means before anything happens.",
                next("remove", "Remove…", "button danger"),
            )),
        ],
    };
    let ended = person.state == State::Ended;
    view! {
        <aside class="stack" aria-label="What you can do">
            <section class="card">
                <header><h2>"What you can do"</h2></header>
                <div class="body">
                    <div>{rows.into_iter().flatten().collect_view()}</div>
                    {ended.then(|| view! { <p class="muted">"Removed. To bring them back, add them again with the same e-mail address."</p> })}
                </div>
            </section>
        </aside>
    }
}

fn step_path(id: MembershipId, step: &str) -> String {
    format!("/people/{id}/{step}")
}

fn done_words(done: &str, name: &str) -> Option<String> {
    Some(match done {
        "added" => format!("You added {name}. An invitation is on its way."),
        "invited" => format!(
            "The invitation to {name} is on its way again. The earlier link no longer works."
        ),
        "phone" => format!("The telephone number of {name} is saved."),
        "renamed" => format!("The name is {name} now."),
        "corrected" => {
            format!("The address of {name} is corrected, and an invitation is on its way there.")
        }
        "suspended" => format!("{name} is suspended and signed out."),
        "restored" => format!("{name} may sign in again."),
        _ => return None,
    })
}

const fn since_words(state: State) -> &'static str {
    match state {
        State::Invited => "Invited",
        State::Active => "Joined",
        State::Suspended => "Suspended",
        State::Ended => "Removed",
    }
}
