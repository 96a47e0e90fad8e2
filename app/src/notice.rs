//! What is new for the reader, and how they want to be told of it.

use leptos::prelude::*;

use crate::error::Result;

/// Marks what is new as seen, from the oldest to the newest that the page showed.
#[server(endpoint = "notices/seen")]
pub async fn mark_seen(oldest: i64, newest: i64) -> Result<()> {
    let mut write = crate::door::write().await?;
    match domain::notice::mark_seen(&mut write, oldest, newest).await {
        Ok(act) => write.commit(act).await.map(drop)?,
        // Seen already, in another window.
        Err(domain::Refusal::Stale) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    crate::door::send_to("/");
    Ok(())
}

/// Says how often the reader wants letters about what is new.
#[server(endpoint = "notices/choose")]
pub async fn choose_mail(mail: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let mail = domain::notice::Mail::from_code(&mail).ok_or(domain::Refusal::Stale)?;
    match domain::notice::choose(&mut write, mail).await {
        Ok(act) => write.commit(act).await.map(drop)?,
        // Saved already: whoever presses the button twice is told the same twice.
        Err(domain::Refusal::Stale) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    crate::door::send_to("/me/notices?done=saved");
    Ok(())
}

#[cfg(feature = "ssr")]
pub(crate) use pages::{line, page};

#[cfg(feature = "ssr")]
mod pages {
    use domain::{
        Refusal,
        board::Named,
        db::Read,
        notice::{Mail, Notice},
    };
    use leptos::prelude::*;

    use crate::{
        audit::{self, Line},
        form::{Act, Echo, Refusals},
        membership::crumbs,
        sheet::{Asked, Drawing},
        ui::{Around, Heading, Notice as Done},
    };

    /// A notice as a line that leads to what it is about.
    pub fn line(notice: Notice, around: &Around, own: domain::MembershipId) -> Line {
        let of = |named: &Named| named.name.clone().unwrap_or_else(|| "somebody".to_owned());
        let whom = notice.about.as_ref().map(|about| {
            if about.id == own {
                "you".to_owned()
            } else {
                of(about)
            }
        });
        let by = notice.by.as_ref().map(of);
        let self_done = notice.by.is_some() && notice.by == notice.about;
        let named = [&notice.document, &notice.folder, &notice.committee]
            .into_iter()
            .find_map(|one| one.as_ref().map(|(_, name)| name.as_str()));
        let words = audit::words(&notice.act, whom.as_deref().filter(|_| !self_done), named);
        let href = match (&notice.committee, &notice.about) {
            _ if notice.document.is_some() => notice
                .document
                .as_ref()
                .map(|(id, _)| format!("/papers/{id}")),
            _ if notice.folder.is_some() => notice
                .folder
                .as_ref()
                .map(|(id, _)| format!("/library/{id}")),
            _ if matches!(notice.act.as_str(), "record.opened" | "guardian.linked") => {
                Some(crate::children::HOME.to_owned())
            }
            _ if !around.sees_people() => None,
            (Some((id, _)), _) => Some(format!("/board/committees/{id}")),
            (None, Some(about)) => Some(format!("/people/{}", about.id)),
            (None, None) => None,
        };
        Line {
            by: by.unwrap_or_else(|| "Quorate".to_owned()),
            words,
            at: notice.at,
            href,
        }
    }

    /// `/me/notices`
    pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
        let chosen = domain::notice::mail(read).await?;
        let saved = !asked.query("done").is_empty();
        let echo: Echo = use_context().unwrap_or_default();
        let refusal = echo.of("notices/choose");
        let option = |one: Mail| {
            let (name, meaning) = words(one);
            view! {
                <label class="option">
                    <input type="radio" name="mail" value=one.code() checked=one == chosen />
                    <b>{name}</b>
                    <small>{meaning}</small>
                </label>
            }
        };
        let options: Vec<_> = Mail::ALL.iter().map(|one| option(*one)).collect();
        let hears: Vec<_> = heard_of(around)
            .into_iter()
            .map(|what| view! { <li>{what}</li> })
            .collect();
        let title = "Letters about what is new".to_owned();
        let page = view! {
            {crumbs(vec![("/me".to_owned(), "My account".to_owned())])}
            {saved.then(|| view! { <Done text="Saved." /> })}
            <Heading title=title.clone() lead=format!("How {} writes to you. What is new stands on your home page in any case.", around.place) />
            <Refusals refusal=refusal />
            <div class="split">
                <section class="card" aria-labelledby="often">
                    <header><h2 id="often">"How often"</h2></header>
                    <div class="body">
                        <form class="form" method="post">
                            <Act name="notices/choose" />
                            <fieldset class="field">
                                <legend>"Letters about what is new"</legend>
                                <p class="hint">"What waits for you is told once a week at least, whatever you choose here."</p>
                                <div class="options">{options}</div>
                            </fieldset>
                            <div class="actions"><button class="button primary">"Save"</button></div>
                        </form>
                    </div>
                </section>
                <aside class="stack" aria-label="What letters say">
                    <section class="card" aria-labelledby="what">
                        <header><h2 id="what">"What you hear of"</h2></header>
                        <div class="body">
                            <ul role="list" class="lines">{hears}</ul>
                            <p class="muted">"Never of what you did yourself. A letter says how many of which, and neither whom it is about nor why: that stands here only."</p>
                        </div>
                    </section>
                </aside>
            </div>
        };
        Ok(Drawing {
            title,
            page: page.into_any(),
        })
    }

    /// A choice and what it means.
    const fn words(mail: Mail) -> (&'static str, &'static str) {
        match mail {
            Mail::AtOnce => ("At once", "A letter for each, when it happens."),
            Mail::Daily => (
                "Each morning",
                "One letter at seven, on days when something is new.",
            ),
            Mail::Weekly => (
                "On Mondays",
                "One letter at seven on Monday, in weeks when something is new.",
            ),
            Mail::Never => ("Never", "You look here yourself."),
        }
    }

    /// What the reader is told of, by what they are here.
    fn heard_of(around: &Around) -> Vec<&'static str> {
        use domain::role::Role::{Associate, Chair, Clerk, Governor, Parent};
        let on_board = around
            .roles
            .iter()
            .any(|role| matches!(role, Chair | Governor | Associate | Clerk));
        let lines = [
            (
                true,
                "What others change about your place: roles, name, telephone number, second step.",
            ),
            (
                true,
                "New papers and new versions in folders that you read.",
            ),
            (
                true,
                "Replies to what you asked about a paper, and questions that are put to you.",
            ),
            (
                around.roles.contains(&Parent),
                "That something is new on record for your child, and that you were linked to one.",
            ),
            (around.sees_people(), "Your checks and training."),
            (on_board, "Your term of office and your committees."),
            (on_board, "Terms of office on the board that begin or end."),
            (on_board, "Who joins and leaves a committee that you chair."),
            (
                around.manages_people(),
                "Who accepted an invitation, who was removed, who declared interests, and letters that came back.",
            ),
        ];
        lines
            .into_iter()
            .filter_map(|(holds, what)| holds.then_some(what))
            .collect()
    }
}
