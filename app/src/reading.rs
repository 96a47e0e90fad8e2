//! Who else has a paper open, at the head of its page; and `/me/reading`, where everybody says whether they are seen there.

use leptos::prelude::*;

use crate::error::Result;

/// Who else has a paper open just now, as it stands at the head of its page: that part alone is drawn anew when they turn a page.
#[server(endpoint = "papers/readers", input = leptos::server_fn::codec::GetUrl)]
pub async fn read_readers(paper: String) -> Result<String> {
    let paper = uuid::Uuid::try_parse(&paper).map_err(|_| domain::Refusal::NotFound)?;
    let mut read = crate::door::read().await?;
    Ok(pages::others(&mut read, paper).await?.to_html())
}

/// Says whether others see what the reader has open.
#[server(endpoint = "reading/choose")]
pub async fn choose_shown(#[server(default)] shown: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    match domain::reading::choose(&mut write, !shown.is_empty()).await {
        Ok(act) => write.commit(act).await.map(drop)?,
        // Saved already: whoever presses the button twice is told the same twice.
        Err(domain::Refusal::Stale) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    crate::door::send_to("/me/reading?done=saved");
    Ok(())
}

#[cfg(feature = "ssr")]
pub(crate) use pages::{page, readers};

#[cfg(feature = "ssr")]
mod pages {
    use domain::{
        Refusal,
        db::Read,
        membership::initials,
        reading::{self, Reader},
    };
    use leptos::prelude::*;
    use uuid::Uuid;

    use crate::{
        form::{Act, Echo, Refusals},
        membership::crumbs,
        sheet::{Asked, Drawing},
        ui::{Around, Heading, Notice as Done, counted},
    };

    /// Faces that are shown; of the others it is said how many they are.
    const FACES_MOST: usize = 5;

    /// The part of a paper's page, which follows a topic of its own. It says nothing by itself: whoever wants to know looks.
    pub async fn readers(
        read: &mut Read,
        paper: Uuid,
    ) -> std::result::Result<impl IntoView + use<>, Refusal> {
        let others = others(read, paper).await?;
        Ok(view! {
            <div class="readers" data-topic=format!("readers/{paper}") data-src=format!("/api/papers/readers?paper={paper}") aria-live="off">{others}</div>
        })
    }

    pub async fn others(read: &mut Read, paper: Uuid) -> std::result::Result<AnyView, Refusal> {
        let open = crate::door::services()
            .readings
            .of(read.standing.tenant, paper);
        let others = reading::others(read, paper, &open).await?;
        if others.is_empty() {
            return Ok(().into_any());
        }
        let name = |one: &Reader| one.person.called();
        let faces: Vec<_> = others
            .iter()
            .take(FACES_MOST)
            .map(|one| {
                let said = format!("{}, page {}", name(one), one.page);
                let title = said.clone();
                view! { <li title=title><span class="face" data-here="" aria-hidden="true">{initials(&name(one))}</span><span class="hidden-text">{said}</span></li> }
            })
            .collect();
        let more = others.len().saturating_sub(FACES_MOST);
        let words = words(&others);
        Ok(view! {
            <ul role="list" aria-label="Others who are reading this">
                {faces}
                {(more > 0).then(|| view! { <li><span class="face" aria-hidden="true">{format!("+{more}")}</span><span class="hidden-text">{counted(more, "more person", "more people")}</span></li> })}
            </ul>
            <small>{words}</small>
        }
        .into_any())
    }

    /// "2 others reading, page 4 and page 7": each page once, and no more of them than faces.
    fn words(others: &[Reader]) -> String {
        let mut pages: Vec<String> = Vec::new();
        for one in others.iter().take(FACES_MOST) {
            let page = format!("page {}", one.page);
            if !pages.contains(&page) {
                pages.push(page);
            }
        }
        let pages = match pages.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, before)) => format!("{} and {last}", before.join(", ")),
            None => String::new(),
        };
        format!(
            "{} reading, {pages}",
            counted(others.len(), "other", "others")
        )
    }

    /// `/me/reading`
    pub async fn page(
        read: &mut Read,
        around: &Around,
        asked: &Asked,
    ) -> std::result::Result<Drawing, Refusal> {
        let shown = reading::shown(read).await?;
        let saved = !asked.query("done").is_empty();
        let echo: Echo = use_context().unwrap_or_default();
        let title = "While I read".to_owned();
        let page = view! {
            {crumbs(vec![("/me".to_owned(), "My account".to_owned())])}
            {saved.then(|| view! { <Done text="Saved." /> })}
            <Heading title=title.clone() lead=format!("What others at {} see while you have a paper open.", around.place) />
            <Refusals refusal=echo.of("reading/choose") />
            <section class="card narrow" aria-labelledby="seen">
                <header><h2 id="seen">"Others who read the same paper"</h2></header>
                <div class="body">
                    <form class="form" method="post">
                        <Act name="reading/choose" />
                        <label class="option">
                            <input type="checkbox" name="shown" value="yes" checked=shown />
                            <b>"They see that I have it open, and on which page"</b>
                            <small>"Only those who read the same paper, and only while it is open in front of you."</small>
                        </label>
                        <p class="muted">"Nobody keeps this, whatever you choose: it is in no database and in no log, and it is gone when you close the page. That you have opened a version, and when first, is recorded; the paper’s own page says so."</p>
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

    #[cfg(test)]
    mod tests {
        use domain::board::Named;

        use super::*;

        #[test]
        fn each_page_is_said_once() {
            let on = |pages: &[u32]| {
                let others: Vec<_> = pages
                    .iter()
                    .map(|page| Reader {
                        person: Named {
                            id: Uuid::nil(),
                            name: None,
                        },
                        page: *page,
                    })
                    .collect();
                words(&others)
            };
            assert_eq!(on(&[4]), "1 other reading, page 4");
            assert_eq!(on(&[4, 7]), "2 others reading, page 4 and page 7");
            assert_eq!(
                on(&[2, 2, 4, 7]),
                "4 others reading, page 2, page 4 and page 7"
            );
            assert!(on(&[1, 2, 3, 4, 5, 6]).ends_with("page 4 and page 5"));
        }
    }
}
