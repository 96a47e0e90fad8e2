//! One's own account: where one is signed in, password, second step.

use domain::{Refusal, session::Elsewhere};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    form::{Act, Echo, Field, Refusals},
    membership::page_of,
    session::codes_shown,
    ui::{Head, Icon, Moment, Notice, Page, Rail},
};

/// One's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Where one is signed in, this browser first.
    pub sessions: Vec<Elsewhere>,
    /// One's own address.
    pub email: String,
    /// Whether a second step is on.
    pub factor: bool,
    /// The refused form this page is drawn for.
    pub echo: Echo,
}

/// One's account.
#[server(endpoint = "account/show", input = leptos::server_fn::codec::GetUrl)]
pub async fn read_account() -> Result<Page<Account>> {
    use crate::door;
    let live = door::session()?;
    let sessions = domain::session::elsewhere(&door::services().db, door::token()?).await?;
    let body = Account {
        sessions,
        email: live.email,
        factor: live.factor_enrolled,
        echo: use_context().unwrap_or_default(),
    };
    Ok(Page {
        around: door::around_session()?,
        body,
    })
}

/// Ends one of one's own sessions.
#[server(endpoint = "account/end-session")]
pub async fn end_session(session: String) -> Result<()> {
    use crate::door;
    door::session()?;
    let session = uuid::Uuid::try_parse(&session).map_err(|_| Refusal::Stale)?;
    domain::session::end(&door::services().db, door::token()?, session).await?;
    door::send_to("/me?done=ended");
    Ok(())
}

/// Changes one's own password; one is signed out everywhere else.
#[server(endpoint = "account/change-password")]
pub async fn change_password(old: String, password: String) -> Result<()> {
    use crate::door;
    let (services, live) = (door::services(), door::session()?);
    domain::session::change_password(
        &services.db,
        &services.hasher,
        door::token()?,
        &live,
        &door::host()?.name,
        &old,
        &password,
    )
    .await?;
    door::send_to("/me?done=password");
    Ok(())
}

/// Makes a new set of recovery codes; answers with them, this once.
#[server(endpoint = "account/new-codes")]
pub async fn new_codes() -> Result<Vec<String>> {
    use crate::door;
    door::session()?;
    Ok(domain::factor::new_codes(&door::services().db, door::token()?).await?)
}

fn places_words(n: usize) -> String {
    if n == 1 {
        "You are signed in here only.".to_owned()
    } else {
        format!("You are signed in in {n} places.")
    }
}

/// The symbol of a browser that calls itself so.
fn device(agent: &str) -> &'static str {
    if ["iPad", "iPhone", "Android"]
        .iter()
        .any(|name| agent.contains(name))
    {
        "phone"
    } else {
        "computer"
    }
}

/// `/me`
#[component]
pub fn AccountPage() -> impl IntoView {
    let query = use_query_map();
    let shown = Resource::new(|| (), |()| read_account());
    page_of(shown, Rail::Account, move |around, account| {
        if let Some(codes) = account.echo.answer_of::<Vec<String>>("account/new-codes") {
            return codes_shown(codes).into_any();
        }
        let done = query
            .with_untracked(|query| query.get("done"))
            .and_then(|done| {
                Some(match done.as_str() {
                    "ended" => "That session has ended.",
                    "password" => "Your password is changed. You are signed out everywhere else.",
                    _ => return None,
                })
            });
        let Account {
            sessions,
            email,
            factor,
            echo,
        } = account;
        let password = echo.of("account/change-password");
        let codes = echo.of("account/new-codes");
        let ended = echo.of("account/end-session");
        let tenant = around.tenant;
        view! {
            <Head title="My account" lead=email.clone()>
                {tenant.then(|| view! {
                    <a class="button" href="/me/notices">"Letters about what is new"</a>
                    <a class="button" href="/me/reading">"While I read"</a>
                })}
            </Head>
            {done.map(|text| view! { <Notice text=text /> })}
            <Refusals refusal=ended.or(codes.clone()) />
            {(codes == Some(Refusal::StepUpNeeded)).then(|| view! {
                <p><a class="button primary" href="/step-up?next=/me" rel="external">"Enter my password"</a></p>
            })}
            <section class="card" aria-labelledby="where">
                <header><h2 id="where">"Where I am signed in"</h2></header>
                <table class="table">
                    <caption>{format!("{} End any you do not know, then change your password.", places_words(sessions.len()))}</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Browser"</th><th scope="col">"Place"</th><th scope="col">"Signed in"</th><th scope="col">"Last used"</th>
                            <th scope="col"><span class="hidden-text">"End"</span></th>
                        </tr>
                    </thead>
                    <tbody>
                        {sessions.into_iter().map(|session| view! {
                            <tr>
                                <th scope="row">
                                    <div class="person"><Icon name=device(&session.agent) /><div><b>{session.agent.clone()}</b></div></div>
                                </th>
                                <td data-label="Place">{session.place.clone().unwrap_or_else(|| "My schools".to_owned())}</td>
                                <td data-label="Signed in"><Moment at=session.since /></td>
                                <td data-label="Last used"><Moment at=session.seen /></td>
                                <td class="act">
                                    {if session.this {
                                        view! { <span class="tag good">"This one"</span> }.into_any()
                                    } else {
                                        view! { <form method="post">
                                            <Act name="account/end-session" />
                                            <input type="hidden" name="session" value=session.id.to_string() />
                                            <button class="button small">"End" <span class="hidden-text">" " {session.agent.clone()}</span></button>
                                        </form> }.into_any()
                                    }}
                                </td>
                            </tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </section>
            <div class="split">
                <section class="card" aria-labelledby="change">
                    <header><h2 id="change">"Change my password"</h2><p>"you are signed out everywhere else"</p></header>
                    <div class="body">
                        <Refusals refusal=password.clone() />
                        <form class="form" method="post">
                            <Act name="account/change-password" />
                            <input type="text" class="hidden-text" name="username" autocomplete="username" value=email readonly tabindex="-1" aria-hidden="true" />
                            <Field name="old" label="Your password now" kind="password" autocomplete="current-password" refusal=password.clone() />
                            <Field name="password" label="New password" kind="password" autocomplete="new-password" most=128 refusal=password.clone()
                                hint=if factor {
                                    "At least 12 characters, as your second step is on. Three or four unrelated words are good."
                                } else {
                                    "At least 15 characters. Three or four unrelated words are good."
                                } />
                            <div class="actions"><button class="button primary">"Change the password"</button></div>
                        </form>
                    </div>
                </section>
                <section class="card" aria-labelledby="second">
                    <header><h2 id="second">"Second step"</h2></header>
                    <div class="body stack">
                        {if factor {
                            view! {
                                <p><span class="tag good"><Icon name="check" />"On"</span> " An authenticator app"</p>
                                <form method="post">
                                    <Act name="account/new-codes" />
                                    <button class="button">"Make new recovery codes"</button>
                                </form>
                            }.into_any()
                        } else {
                            view! {
                                <p>"Off. A code from an app keeps your account yours, even if somebody learns your password."</p>
                                <a class="button" href="/me/second-step" rel="external">"Set it up"</a>
                            }.into_any()
                        }}
                    </div>
                </section>
            </div>
        }
        .into_any()
    })
}
