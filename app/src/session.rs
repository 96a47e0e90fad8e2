//! Signing in: password, second factor, forgotten passwords, invitations, and proving again that it is you.

use domain::{Refusal, recovery::Addressee};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    form::{Act, Echo, Field, Refusals},
    ui::{self, Icon, Notice, carded},
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

/// What the enrolment page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentView {
    /// The host and the echo.
    pub doorway: Doorway,
    /// The secret, for typing.
    pub typed: String,
    /// The dark squares of the QR code, row by row; the code is square.
    pub squares: Vec<bool>,
}

/// Begins enrolling an authenticator app, or shows the enrolment begun before.
#[server(endpoint = "session/enrolment", input = leptos::server_fn::codec::GetUrl)]
pub async fn enrolment() -> Result<EnrolmentView> {
    use crate::door;
    let (services, live, token) = (door::services(), door::begun_session()?, door::token()?);
    let doorway = read_doorway().await?;
    let begun = domain::factor::begin(
        &services.db,
        &services.secrets,
        token,
        &live,
        &doorway.place,
    )
    .await?;
    let code = qrcode::QrCode::new(begun.address.as_bytes()).map_err(|_| Refusal::Broken)?;
    let squares = code
        .to_colors()
        .into_iter()
        .map(|colour| colour == qrcode::Color::Dark)
        .collect();
    Ok(EnrolmentView {
        doorway,
        typed: begun.typed,
        squares,
    })
}

/// Confirms the app with its first code; answers with the recovery codes, which are shown this once.
#[server(endpoint = "session/enrol")]
pub async fn enrol(code: String) -> Result<Vec<String>> {
    use crate::door;
    let (services, live, token) = (door::services(), door::begun_session()?, door::token()?);
    let (new, codes) = domain::factor::confirm(
        &services.db,
        &services.secrets,
        token,
        &live,
        &code,
        (services.now)(),
    )
    .await?;
    door::hand_out(new, live.shared);
    Ok(codes)
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

/// Asks for a link to choose a new password. Says the same whoever is meant.
#[server(endpoint = "session/forgotten")]
pub async fn forgotten(email: String) -> Result<()> {
    use crate::door;
    let email = domain::membership::tidy_email(&email)?;
    domain::recovery::ask_reset(&door::services().db, &email, door::host()?.tenant).await?;
    door::send_to("/forgotten?sent=yes");
    Ok(())
}

/// What the page of a mailed link shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// The host and the echo.
    pub doorway: Doorway,
    /// Whose link it is.
    pub whose: Addressee,
}

/// Whom a reset link is for.
#[server(endpoint = "session/reset-link", input = leptos::server_fn::codec::GetUrl)]
pub async fn reset_link(link: String) -> Result<LinkView> {
    let whose =
        domain::recovery::reset_link(&crate::door::services().db, &bytes_of(&link)?).await?;
    Ok(LinkView {
        doorway: read_doorway().await?,
        whose,
    })
}

/// Chooses a new password by a mailed link. Signs nobody in.
#[server(endpoint = "session/reset")]
pub async fn reset(link: String, password: String) -> Result<()> {
    use crate::door;
    let services = door::services();
    domain::recovery::reset(&services.db, &services.hasher, &bytes_of(&link)?, &password).await?;
    door::send_to("/sign-in?why=new-password");
    Ok(())
}

/// Whom an invitation is for.
#[server(endpoint = "session/invitation", input = leptos::server_fn::codec::GetUrl)]
pub async fn invitation(link: String) -> Result<LinkView> {
    let doorway = read_doorway().await?;
    let tenant = crate::door::host()?.tenant.ok_or(Refusal::LinkGone)?;
    let whose =
        domain::recovery::invitation(&crate::door::services().db, &bytes_of(&link)?, tenant)
            .await?;
    Ok(LinkView { doorway, whose })
}

/// Accepts an invitation, with a password where the person has none yet.
#[server(endpoint = "session/accept")]
pub async fn accept(link: String, #[server(default)] password: String) -> Result<()> {
    use crate::door;
    let (services, host) = (door::services(), door::host()?);
    let tenant = host.tenant.ok_or(Refusal::LinkGone)?;
    let new = (!password.is_empty()).then_some(password.as_str());
    domain::recovery::accept(
        &services.db,
        &services.hasher,
        &bytes_of(&link)?,
        tenant,
        &host.name,
        new,
    )
    .await?;
    door::send_to("/sign-in?why=joined");
    Ok(())
}

/// The bytes of a link's token: base 64 for addresses (RFC 4648 §5), 32 bytes.
#[cfg(feature = "ssr")]
fn bytes_of(link: &str) -> std::result::Result<Vec<u8>, Refusal> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD
        .decode(link)
        .ok()
        .filter(|bytes| bytes.len() == 32)
        .ok_or(Refusal::LinkGone)
}

/// A page before sign-in: waits for what it shows, and shows the refusal where it gets none.
fn page_of<T>(
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

fn card(doorway: &Doorway, title: &str, lead: &str, content: impl IntoView) -> AnyView {
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

/// `/sign-in/enrol`: setting up the second step, for those who must have one.
#[component]
pub fn EnrolPage() -> impl IntoView {
    let answer = Resource::new(|| (), |()| read_doorway());
    let enrolment = Resource::new(|| (), |()| enrolment());
    view! {
        <Transition>
            {move || Suspend::new(async move {
                // Once the code was right the answer holds the recovery codes, and there is nothing to enrol any more.
                let codes = answer.await.ok().and_then(|door| Some((door.echo.answer_of::<Vec<String>>("session/enrol")?, door.place)));
                match (codes, enrolment.await) {
                    (Some((codes, place)), _) => carded(&place, true, view! { <Notice text="Your second step is on." /> {codes_shown(codes)} }.into_any()),
                    (None, Ok(view)) => enrol_card(view),
                    (None, Err(refused)) => ui::refused(&refused.0),
                }
            })}
        </Transition>
    }
}

fn enrol_card(shown: EnrolmentView) -> AnyView {
    let EnrolmentView {
        doorway,
        typed,
        squares,
    } = shown;
    let refusal = doorway.echo.of("session/enrol");
    carded(&doorway.place, true, view! {
        <Title text="Set up your second step" />
        <section class="card">
            <div class="body">
                <div>
                    <h1>"Set up your second step"</h1>
                    <p class="lead">
                        "Everyone who can see records signs in with a password and a code from an app. Setting it up takes two minutes."
                    </p>
                </div>
                <Refusals refusal=refusal.clone() />
                <form class="form" method="post">
                    <Act name="session/enrol" />
                    <ol class="steps" role="list">
                        <li>
                            <h2>"Get an authenticator app"</h2>
                            <p>"Any will do: the one in your phone’s passwords, Google Authenticator, Microsoft Authenticator or another."</p>
                        </li>
                        <li>
                            <h2>"Scan this with the app"</h2>
                            {qr(&squares)}
                            <p>"Or type this key into the app:"</p>
                            <p class="secret">{typed.split(' ').map(|group| view! { <span>{group.to_owned()}</span> " " }).collect_view()}</p>
                        </li>
                        <li><h2>"Type the code it shows"</h2><CodeField refusal=refusal.clone() /></li>
                    </ol>
                    <button class="button primary">"Turn it on"</button>
                </form>
                <div class="links"><SignOutLink /></div>
            </div>
        </section>
    }.into_any())
}

/// The QR code as one path; the quiet zone of four squares belongs to it (ISO/IEC 18004).
fn qr(squares: &[bool]) -> impl IntoView + use<> {
    let width = squares.len().isqrt();
    let path: String = squares
        .iter()
        .enumerate()
        .filter(|(_, dark)| **dark)
        .map(|(n, _)| format!("M{} {}h1v1h-1z", n % width + 4, n / width + 4))
        .collect();
    view! {
        <svg class="qr" viewBox=format!("0 0 {0} {0}", width + 8) role="img" shape-rendering="crispEdges"
            aria-label="QR code for your authenticator app. If you cannot scan it, type the key below it.">
            <path fill="currentColor" d=path></path>
        </svg>
    }
}

/// The recovery codes, shown once.
pub fn codes_shown(codes: Vec<String>) -> impl IntoView {
    view! {
        <Title text="Keep these recovery codes" />
        <section class="card narrow">
            <div class="body">
                <div>
                    <h1>"Keep these recovery codes"</h1>
                    <p class="lead">
                        "If you lose your phone, one of these lets you in. Each works once. " <b>"This is the only time they are shown."</b>
                    </p>
                </div>
                <ol class="codes">{codes.into_iter().map(|code| view! { <li>{code}</li> }).collect_view()}</ol>
                <p class="muted">"Keep them away from your phone: printed in a drawer, or in a password manager."</p>
                <div class="actions"><a class="button primary" href="/" rel="external">"I have kept them"</a></div>
            </div>
        </section>
    }
}

/// `/forgotten`
#[component]
pub fn ForgottenPage() -> impl IntoView {
    let doorway = Resource::new(|| (), |()| read_doorway());
    let query = use_query_map();
    page_of(doorway, move |doorway| {
        if query.read_untracked().get("sent").is_some() {
            return card(
                &doorway,
                "Look in your e-mail",
                "If that address has an account here, a link is on its way. It works once, for 30 minutes.",
                view! {
                    <p>"Nothing after five minutes? Look in the junk folder, then ask the school office."</p>
                    <div class="actions"><a class="button" href="/sign-in">"Back to sign in"</a></div>
                },
            );
        }
        let refusal = doorway.echo.of("session/forgotten");
        card(
            &doorway.clone(),
            "Choose a new password",
            "We send a link to your e-mail address. Your second step stays as it is.",
            view! {
                <Refusals refusal=refusal.clone() />
                <form class="form" method="post">
                    <Act name="session/forgotten" />
                    <Field name="email" label="E-mail address" kind="email" autocomplete="username" inputmode="email"
                        value=doorway.echo.value("email").unwrap_or_default() refusal=refusal.clone() />
                    <button class="button primary">"Send the link"</button>
                </form>
                <div class="links"><a href="/sign-in">"Back to sign in"</a></div>
            },
        )
    })
}

/// `/reset/:link`
#[component]
pub fn ResetPage() -> impl IntoView {
    let params = use_params_map();
    let link = params.read_untracked().get("link").unwrap_or_default();
    let asked = link.clone();
    let shown = Resource::new(move || asked.clone(), reset_link);
    page_of(shown, move |shown| {
        let refusal = shown.doorway.echo.of("session/reset");
        let link = link.clone();
        card(
            &shown.doorway,
            "Choose a new password",
            "You are signed out everywhere when it is changed.",
            view! {
                <Refusals refusal=refusal.clone() />
                <form class="form" method="post">
                    <Act name="session/reset" />
                    <input type="hidden" name="link" value=link />
                    <NewPassword email=shown.whose.email.clone() refusal=refusal.clone() />
                    <button class="button primary">"Change the password"</button>
                </form>
            },
        )
    })
}

/// `/invitation/:link`
#[component]
pub fn InvitationPage() -> impl IntoView {
    let params = use_params_map();
    let link = params.read_untracked().get("link").unwrap_or_default();
    let asked = link.clone();
    let shown = Resource::new(move || asked.clone(), invitation);
    page_of(shown, move |shown| {
        let refusal = shown.doorway.echo.of("session/accept");
        let LinkView { doorway, whose } = shown;
        let link = link.clone();
        let lead = if whose.has_password {
            "You have an account already. Join with it; your password stays as it is."
        } else {
            "You have been added. Choose a password to begin."
        };
        card(
            &doorway,
            &format!("Welcome to {}", doorway.place),
            lead,
            view! {
                <div class="who-is">
                    <span class="face" aria-hidden="true">{domain::membership::initials(&whose.name)}</span>
                    <div><b>{whose.name.clone()}</b><small>{whose.email.clone()}</small></div>
                </div>
                <Refusals refusal=refusal.clone() />
                <form class="form" method="post">
                    <Act name="session/accept" />
                    <input type="hidden" name="link" value=link />
                    {(!whose.has_password).then(|| view! { <NewPassword email=whose.email.clone() refusal=refusal.clone() /> })}
                    <button class="button primary">"Join"</button>
                </form>
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

/// A new password with the rules in words; the hidden address tells a password manager whose it is.
#[component]
pub fn NewPassword(
    /// Whose password.
    email: String,
    /// The refusal of the form.
    refusal: Option<Refusal>,
) -> impl IntoView {
    view! {
        <input type="text" class="hidden-text" name="username" autocomplete="username" value=email readonly tabindex="-1" aria-hidden="true" />
        <Field name="password" label="New password" kind="password" autocomplete="new-password" most=128 refusal=refusal
            hint="At least 15 characters. Three or four unrelated words are good." />
        <ul class="rules" role="list">
            <li><Icon name="dot" /><span>"Not one of the passwords that are guessed first, and not your name, the school’s or a season and a year."</span></li>
            <li><Icon name="dot" /><span>"Capitals, digits and signs are welcome and not required. Spaces count."</span></li>
        </ul>
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
