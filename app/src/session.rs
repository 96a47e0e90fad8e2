//! Signing in: password, second factor, forgotten passwords, invitations, and proving again that it is you.

mod factor;
mod link;

use domain::Refusal;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

pub use self::{
    factor::{EnrolPage, EnrolmentView, codes_shown, enrol, enrolment},
    link::{
        ForgottenPage, InvitationPage, LinkView, NewPassword, ResetPage, accept, forgotten,
        invitation, reset, reset_link,
    },
};
use crate::{
    error::Result,
    form::{Act, Echo, Field, Refusals},
    ui::{self, Icon, carded},
};

/// What a stranger may know: whose host this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doorway {
    /// The tenant's name, or "Quorate".
    pub place: String,
    /// Whether this is a tenant's host.
    pub tenant: bool,
    /// The refused form this page is drawn for.
    pub echo: Echo,
}

/// The host and the echo, for the pages before sign-in.
#[allow(clippy::unused_async, reason = "a server function is one")]
#[server(endpoint = "session/doorway", input = leptos::server_fn::codec::GetUrl)]
pub async fn read_doorway() -> Result<Doorway> {
    let host = crate::door::host()?;
    Ok(Doorway {
        place: host.name,
        tenant: host.tenant.is_some(),
        echo: use_context().unwrap_or_default(),
    })
}

/// Signs in and sends the browser on: to the second factor, to enrolling one, or to where it wanted to go.
#[server(endpoint = "session/sign-in")]
pub async fn sign_in(
    email: String,
    password: String,
    #[server(default)] shared: bool,
    #[server(default)] next: String,
) -> Result<()> {
    use crate::door;
    use domain::session::{self, Needs, SignIn};
    let services = door::services();
    let (host, agent, known) = (
        door::host()?,
        door::asked::<door::Agent>()?,
        door::asked::<door::Known>()?,
    );
    let ask = SignIn {
        email: &email,
        password: &password,
        tenant: host.tenant,
        shared,
        agent: &agent.0,
        known: known.0,
    };
    let (token, needs) = session::sign_in(&services.db, &services.hasher, ask).await?;
    door::hand_out(token, shared);
    door::send_to(&match needs {
        Needs::Nothing => door::safe_next(&next).to_owned(),
        Needs::Factor => with_next("/sign-in/factor", &next),
        Needs::Enrolment => "/sign-in/enrol".to_owned(),
    });
    Ok(())
}

/// Says that somebody is there: what a page asks by itself does not keep a session alive.
#[allow(clippy::unused_async, reason = "a server function is one")]
#[server(endpoint = "session/stay")]
pub async fn stay() -> Result<()> {
    crate::door::session().map(drop)
}

/// Ends this session, in every tab.
#[server(endpoint = "session/sign-out")]
pub async fn sign_out() -> Result<()> {
    use crate::door;
    if let (Ok(token), Ok(live)) = (door::token(), door::begun_session()) {
        domain::session::sign_out(&door::services().db, token).await?;
        if live.shared {
            door::forget();
        }
    }
    door::send_to("/sign-in?why=left");
    Ok(())
}

/// Passes the second factor with a code of the app.
#[server(endpoint = "session/factor")]
pub async fn pass_factor(code: String, #[server(default)] next: String) -> Result<()> {
    use crate::door;
    let (services, live, token) = (door::services(), door::begun_session()?, door::token()?);
    let new = domain::factor::pass(
        &services.db,
        &services.secrets,
        token,
        &live,
        &code,
        (services.now)(),
    )
    .await?;
    door::hand_out(new, live.shared);
    door::send_to(door::safe_next(&next));
    Ok(())
}

/// Passes the second factor with a recovery code.
#[server(endpoint = "session/recovery")]
pub async fn pass_recovery(code: String, #[server(default)] next: String) -> Result<()> {
    use crate::door;
    let (live, token) = (door::begun_session()?, door::token()?);
    let new = domain::factor::recover(&door::services().db, token, &code).await?;
    door::hand_out(new, live.shared);
    door::send_to(door::safe_next(&next));
    Ok(())
}

/// Proves with the password that it is still the same person.
#[server(endpoint = "session/step-up")]
pub async fn step_up(old: String, #[server(default)] next: String) -> Result<()> {
    use crate::door;
    let (services, live, token) = (door::services(), door::session()?, door::token()?);
    let new =
        domain::session::step_up(&services.db, &services.hasher, token, &live.email, &old).await?;
    door::hand_out(new, live.shared);
    door::send_to(door::safe_next(&next));
    Ok(())
}

/// A page before sign-in: waits for what it shows, and shows the refusal where it gets none.
pub(crate) fn page_of<T>(
    resource: Resource<Result<T>>,
    draw: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + Serialize + for<'de> Deserialize<'de> + 'static,
{
    view! {
        <Transition>
            {move || {
                let draw = draw.clone();
                Suspend::new(async move {
                    match resource.await {
                        Ok(shown) => draw(shown),
                        Err(refused) => ui::refused(&refused.0),
                    }
                })
            }}
        </Transition>
    }
}

pub(crate) fn card(doorway: &Doorway, title: &str, lead: &str, content: impl IntoView) -> AnyView {
    let title = title.to_owned();
    carded(
        &doorway.place,
        false,
        view! {
            <Title text=title.clone() />
            <section class="card">
                <div class="body">
                    <div><h1>{title}</h1><p class="lead">{lead.to_owned()}</p></div>
                    {content.into_view()}
                </div>
            </section>
        }
        .into_any(),
    )
}

/// `/sign-in`
#[component]
pub fn SignInPage() -> impl IntoView {
    let doorway = Resource::new(|| (), |()| read_doorway());
    let query = use_query_map();
    page_of(doorway, move |doorway| {
        let refusal = doorway.echo.of("session/sign-in");
        let why = query
            .read_untracked()
            .get("why")
            .and_then(|why| why_here(&why));
        let next = query.read_untracked().get("next").unwrap_or_default();
        let title = if doorway.tenant {
            format!("Sign in to {}", doorway.place)
        } else {
            "Sign in to Quorate".to_owned()
        };
        let lead = if doorway.tenant {
            "For governors, staff, families and young people with an account."
        } else {
            "All your schools in one place."
        };
        card(
            &doorway.clone(),
            &title,
            lead,
            view! {
                {why.map(|why| view! { <div class="notice" role="status"><Icon name="lock" /><p>{why}</p></div> })}
                <Refusals refusal=refusal.clone() />
                <form class="form" method="post">
                    <Act name="session/sign-in" />
                    <input type="hidden" name="next" value=next />
                    <Field name="email" label="E-mail address" kind="email" autocomplete="username" inputmode="email"
                        value=doorway.echo.value("email").unwrap_or_default() />
                    <Field name="password" label="Password" kind="password" autocomplete="current-password" />
                    <label class="check">
                        <input type="checkbox" name="shared" value="true" checked=doorway.echo.value("shared").is_some() />
                        <span>"This is a shared computer" <small>"You are signed out after ten quiet minutes, and nothing is kept on it."</small></span>
                    </label>
                    <button class="button primary">"Sign in"</button>
                </form>
                <div class="links"><a href="/forgotten">"I have forgotten my password"</a></div>
            },
        )
    })
}

/// A step of signing in that keeps where the person wanted to go.
fn with_next(step: &str, next: &str) -> String {
    if next.is_empty() {
        step.to_owned()
    } else {
        format!("{step}?next={}", leptos_router::location::Url::escape(next))
    }
}

/// Why somebody finds themselves at the sign-in page: a closed list, since the address can be written by anybody.
fn why_here(why: &str) -> Option<&'static str> {
    Some(match why {
        "signed-out" => "You have been signed out. Sign in to go on.",
        "removed" => "You no longer have a place here. If that is a mistake, ask the clerk.",
        "left" => "You are signed out.",
        "new-password" => "Your password is changed. Sign in with the new one.",
        "joined" => "Welcome. Sign in to begin.",
        _ => return None,
    })
}

/// `/sign-in/factor`
#[component]
pub fn FactorPage() -> impl IntoView {
    let doorway = Resource::new(|| (), |()| read_doorway());
    let query = use_query_map();
    page_of(doorway, move |doorway| {
        let next = query.read_untracked().get("next").unwrap_or_default();
        let refusal = doorway.echo.of("session/factor");
        card(
            &doorway.clone(),
            "Enter your code",
            "Your password was right. One more step keeps pupils’ records safe.",
            view! {
                <Refusals refusal=refusal.clone() />
                <form class="form" method="post">
                    <Act name="session/factor" />
                    <input type="hidden" name="next" value=next.clone() />
                    <CodeField refusal=refusal.clone() />
                    <button class="button primary">"Continue"</button>
                </form>
                <div class="links"><a href=with_next("/sign-in/recovery", &next)>"Use a recovery code instead"</a><SignOutLink /></div>
            },
        )
    })
}

/// `/sign-in/recovery`
#[component]
pub fn RecoveryPage() -> impl IntoView {
    let doorway = Resource::new(|| (), |()| read_doorway());
    let query = use_query_map();
    page_of(doorway, move |doorway| {
        let next = query.read_untracked().get("next").unwrap_or_default();
        let refusal = doorway.echo.of("session/recovery");
        card(
            &doorway.clone(),
            "Use a recovery code",
            "One of the ten codes you kept when you set up your second step. Each works once.",
            view! {
                <Refusals refusal=refusal.clone() />
                <form class="form" method="post">
                    <Act name="session/recovery" />
                    <input type="hidden" name="next" value=next.clone() />
                    <Field name="code" label="Recovery code" most=40 hint="Four groups of four, such as 2b4c 6d8f …" refusal=refusal.clone() />
                    <button class="button primary">"Continue"</button>
                </form>
                <div class="links"><a href=with_next("/sign-in/factor", &next)>"Use the app instead"</a><SignOutLink /></div>
            },
        )
    })
}

/// `/step-up`
#[component]
pub fn StepUpPage() -> impl IntoView {
    let doorway = Resource::new(|| (), |()| read_doorway());
    let query = use_query_map();
    page_of(doorway, move |doorway| {
        let refusal = doorway.echo.of("session/step-up");
        let next = query.read_untracked().get("next").unwrap_or_default();
        card(
            &doorway.clone(),
            "Confirm it is you",
            "We ask once more before acts that matter; then not again for five minutes.",
            view! {
                <Refusals refusal=refusal.clone() />
                <form class="form" method="post">
                    <Act name="session/step-up" />
                    <input type="hidden" name="next" value=next />
                    <Field name="old" label="Your password" kind="password" autocomplete="current-password" refusal=refusal.clone() />
                    <button class="button primary">"Continue"</button>
                </form>
                <div class="links"><a href="/">"Go back, change nothing"</a></div>
            },
        )
    })
}

/// The six digits of an authenticator app.
#[component]
pub fn CodeField(
    /// The refusal of the form.
    refusal: Option<Refusal>,
) -> impl IntoView {
    view! {
        <Field name="code" label="Six-digit code" inputmode="numeric" autocomplete="one-time-code" most=7 class="code-input"
            hint="From your authenticator app. It changes every 30 seconds." refusal=refusal />
    }
}

#[component]
fn SignOutLink() -> impl IntoView {
    view! {
        <form method="post" action="/sign-in">
            <Act name="session/sign-out" />
            <button class="button quiet">"Sign out"</button>
        </form>
    }
}
