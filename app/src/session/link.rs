//! What a mailed link leads to: a new password, and a place somebody was invited to.

use domain::{Refusal, recovery::Addressee};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use serde::{Deserialize, Serialize};

use super::{Doorway, card, page_of, read_doorway};
use crate::{
    error::Result,
    form::{Act, Field, Refusals},
    ui::Icon,
};

/// What the page of a mailed link shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// The host and the echo.
    pub doorway: Doorway,
    /// Whose link it is.
    pub whose: Addressee,
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
    domain::recovery::reset(
        &services.db,
        &services.hasher,
        &bytes_of(&link)?,
        &door::host()?.name,
        &password,
    )
    .await?;
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
