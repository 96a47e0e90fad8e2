//! `/pupils/circumstances`: what is known of pupils and ends within thirty days, and renewing many of it at once.

use domain::{
    Refusal,
    db::Read,
    pupil::{
        self,
        tag::{
            self,
            ending::{self, Ending, SOON},
        },
    },
};
use leptos::prelude::*;

use super::one::last_day;
use crate::{
    door,
    form::{Act, Echo, Refusals},
    membership::crumbs,
    pupil::{there_is, to_pupils},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Notice, counted},
};

/// `/pupils/circumstances`: for those who see the school; in it, what each of them may read.
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    there_is(pupil::sees_school(&around.roles))?;
    let today = door::today();
    let soon = ending::ending(read, today).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.refusal.clone();
    let done = asked.query("done") == "renewed";
    let title = "Circumstances that end soon".to_owned();
    let lead = format!(
        "What is known of pupils ends with the school year. Here is what ends within {SOON} days."
    );
    let page = view! {
        {crumbs(vec![to_pupils(around)])}
        {done.then(|| view! { <Notice text="What you chose holds for the next school year too." /> })}
        <Heading title=title.clone() lead=lead />
        <Refusals refusal=refusal />
        <section class="card" aria-label="What ends">
            {if soon.is_empty() {
                view! { <div class="empty"><Icon name="check" /><h2>"Nothing ends soon"</h2><p>"From August on, what is not renewed yet is listed here."</p></div> }.into_any()
            } else {
                choose(&soon, tag::may_renew(today), &echo).into_any()
            }}
        </section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// The list. What each says is on the pupil's own page, where looking is put down.
fn choose(soon: &[Ending], renews: bool, echo: &Echo) -> impl IntoView + use<> {
    let chosen = echo.values("tags");
    let wrong = echo
        .of("pupils/renew-tags")
        .filter(|refusal| refusal.field() == Some("of"))
        .map(|_| "Choose at least one.");
    let rows: Vec<_> = soon
        .iter()
        .enumerate()
        .map(|(n, one)| {
            let value = format!("{}:{}", one.pupil, one.kind.code());
            let checked = chosen.contains(&value);
            let name = format!("tags[{n}]");
            let label = format!("{}: {}", one.called, one.kind.name());
            view! {
                <tr>
                    {renews.then(|| view! {
                        <td class="act"><label class="check"><input type="checkbox" name=name value=value checked=checked /><span class="hidden-text">{label}</span></label></td>
                    })}
                    <th scope="row"><a class="open" href=format!("/pupils/{}/circumstances", one.pupil)>{one.called.clone()}</a></th>
                    <td data-label="Group">{one.registration.clone().unwrap_or_else(|| "None".to_owned())}</td>
                    <td data-label="Which">{one.kind.name()}</td>
                    <td data-label="Until">{last_day(&one.expires_on)}</td>
                </tr>
            }
        })
        .collect();
    let caption = format!(
        "{}, by surname.",
        counted(soon.len(), "circumstance", "circumstances")
    );
    view! {
        <form method="post" id="of" tabindex="-1" aria-describedby=wrong.map(|_| "of-error")>
            <Act name="pupils/renew-tags" />
            {wrong.map(|wrong| view! { <p class="error" id="of-error"><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p> })}
            <table class="table">
                <caption>{caption}</caption>
                <thead><tr>
                    {renews.then(|| view! { <th scope="col"><span class="hidden-text">"Renew"</span></th> })}
                    <th scope="col">"Pupil"</th><th scope="col">"Group"</th><th scope="col">"Which"</th><th scope="col">"Until"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
            {renews.then(|| view! { <div class="body"><div class="actions"><button class="button primary">"Renew what is chosen"</button></div></div> })}
        </form>
    }
}
