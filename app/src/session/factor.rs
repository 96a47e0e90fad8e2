//! Setting up the second step, and the recovery codes.

#[cfg(feature = "ssr")]
use domain::Refusal;
use leptos::prelude::*;
use leptos_meta::Title;
use serde::{Deserialize, Serialize};

use super::{CodeField, Doorway, SignOutLink, read_doorway};
use crate::{
    error::Result,
    form::{Act, Refusals},
    ui::{self, Notice, carded},
};

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
