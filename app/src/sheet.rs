//! Sheets: pages that the server draws, also when what they show changes while somebody looks. Nothing of what stands on them
//! is in the browser's program, which would otherwise grow with every page; it only puts a new drawing in the place of the old.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    live,
    membership::kept,
    ui::{Page, Rail, framed},
};

/// A sheet as it is sent to a page that is open already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Its address, as it was asked for.
    pub address: String,
    /// The document's title.
    pub title: String,
    /// Its place in the rail.
    pub rail: Rail,
    /// The page between the frame. Empty where it stands in the document already.
    pub html: String,
}

/// An address of sheets: its pattern, where a part that begins with `:` stands for any; its place in the rail; and the topics whose
/// changes it follows, in which such a part stands for what the path has there. One with a form to fill in follows none.
pub type Address = (&'static str, Rail, &'static [&'static str]);

/// The sheet at a path.
pub fn at(path: &str) -> Option<&'static Address> {
    crate::SHEETS.iter().find(|(pattern, ..)| {
        let (mut parts, mut wanted) = (path.split('/'), pattern.split('/'));
        loop {
            match (parts.next(), wanted.next()) {
                (None, None) => return true,
                (Some(part), Some(want)) if part == want => {}
                (Some(part), Some(want)) if want.starts_with(':') && !part.is_empty() => {}
                _ => return false,
            }
        }
    })
}

/// The topics that the sheet at a path follows.
fn topics(path: &str) -> Vec<String> {
    let Some((pattern, _, follows)) = at(path) else {
        return vec![];
    };
    let part = |name: &str| {
        pattern
            .split('/')
            .zip(path.split('/'))
            .find_map(|(wanted, part)| (wanted == name).then_some(part))
    };
    let topic = |topic: &&str| match topic.split_once('/') {
        Some((noun, name)) => {
            part(name).map_or_else(|| (*topic).to_owned(), |id| format!("{noun}/{id}"))
        }
        None => (*topic).to_owned(),
    };
    follows.iter().map(topic).collect()
}

/// Whether only a part of the sheet shows the topic: that part is marked with it, and `public/redraw` draws it anew by itself.
fn is_part(topic: &str) -> bool {
    topic.starts_with("readers/")
}

/// What was asked for: the parts of the path, and the query.
#[cfg(feature = "ssr")]
#[derive(Debug)]
pub struct Asked {
    path: String,
    query: Vec<(String, String)>,
}

#[cfg(feature = "ssr")]
impl Asked {
    fn of(address: &str) -> Self {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        Self {
            path: path.to_owned(),
            query: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        }
    }

    /// The path, part by part.
    pub fn parts(&self) -> Vec<&str> {
        self.path.split('/').skip(1).collect()
    }

    /// The address without its query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether it shows of one pupil, or of many side by side, more than who they are: that somebody looks is put down before they see
    /// anything.
    fn is_look(&self) -> bool {
        let of = |id: &str| uuid::Uuid::try_parse(id).is_ok();
        match self.parts()[..] {
            ["pupils", id, ..] | ["roster", id] | ["roster", id, "undo"] => of(id),
            ["caseload" | "check-in"] => true,
            _ => false,
        }
    }

    /// A field of the query; empty where it is not there.
    pub fn query(&self, name: &str) -> &str {
        self.query
            .iter()
            .find(|(field, _)| field == name)
            .map_or("", |(_, value)| value)
    }

    /// Everything that the query has under a name.
    pub fn every(&self, name: &str) -> Vec<&str> {
        let named = self.query.iter().filter(|(field, _)| field == name);
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// What a page draws: the document's title, and the page.
#[cfg(feature = "ssr")]
pub struct Drawing {
    /// Also the document's.
    pub title: String,
    /// Between the frame.
    pub page: AnyView,
}

/// A sheet, drawn for the reader. Refuses what the page refuses.
#[server(endpoint = "sheet", input = leptos::server_fn::codec::GetUrl)]
pub async fn read_sheet(address: String) -> Result<Page<Sheet>> {
    use crate::door;
    let asked = Asked::of(&address);
    let (_, rail, _) = at(asked.path()).ok_or(domain::Refusal::NotFound)?;
    let looks = asked.is_look();
    let mut read = if looks {
        door::look().await?
    } else {
        door::read().await?
    };
    let around = door::around(&read)?;
    let drawing = crate::drawn(&mut read, &around, &asked).await?;
    let page = Page {
        around,
        body: Sheet {
            address,
            title: drawing.title,
            rail: *rail,
            html: drawing.page.to_html(),
        },
    };
    // Where it could not be put down, nothing is shown.
    if looks {
        read.end().await?;
    }
    Ok(page)
}

/// Every sheet; and, being the last of the pages, what is shown where there is none.
#[component]
pub fn SheetPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let path = Memo::new(move |_| {
        params.with(|params| format!("/{}", params.get("sheet").unwrap_or_default()))
    });
    // Another address, other topics: those of the one before are let go with its signals.
    let news = Memo::new_with_compare(
        move |_| {
            path.with(|path| {
                let heard = |topic: String| (is_part(&topic), live::version(topic));
                topics(path).into_iter().map(heard).collect::<Vec<_>>()
            })
        },
        |_, _| true,
    );
    let drawn = StoredValue::new(None);
    // The address of the sheet that somebody has before them.
    let seen = StoredValue::new(String::new());
    let shown = Resource::new(
        move || {
            let query = query.with(leptos_router::params::ParamsMap::to_query_string);
            let whole = |(part, count): &(bool, ArcSignal<u64>)| (!part).then(|| count.get());
            let news: u64 = news.with(|news| news.iter().filter_map(whole).sum());
            (path.get() + &query, news)
        },
        move |(address, _)| async move {
            let answer = read_sheet(address.clone()).await;
            // It was there a moment ago: they are told what has become of it.
            #[cfg(feature = "hydrate")]
            if matches!(&answer, Err(refused) if refused.0 == domain::Refusal::NotFound)
                && seen.try_with_value(|seen| *seen == address) == Some(true)
            {
                live::leave_closed(&address);
            }
            #[cfg_attr(not(feature = "ssr"), allow(unused_mut))]
            let mut page = answer?;
            // It stands in the document once, not a second time in what the browser's program is given.
            #[cfg(feature = "ssr")]
            drawn.set_value(Some(std::mem::take(&mut page.body.html)));
            Ok(page)
        },
    );
    kept(
        shown,
        move |Page {
                  around,
                  body: sheet,
              }| {
            seen.set_value(sheet.address);
            let page = view! {
                <Title text=sheet.title />
                {content(sheet.html, drawn)}
            };
            framed(&around, sheet.rail, page.into_any())
        },
    )
}

/// On the server the sheet itself.
#[cfg(not(feature = "hydrate"))]
fn content(_: String, drawn: StoredValue<Option<String>>) -> impl IntoView {
    view! { <div id="sheet" inner_html=drawn.get_value().unwrap_or_default()></div> }
}

/// In the browser the place of a sheet, which leptos leaves as it is: what stands in it is put there by [`redraw`], the first time and
/// every other, so that nothing but a new drawing ever changes it.
#[cfg(feature = "hydrate")]
fn content(html: String, _: StoredValue<Option<String>>) -> impl IntoView {
    // Once the place is on the page.
    request_animation_frame(move || redraw(&html));
    view! { <div id="sheet"></div> }
}

/// Puts a drawing in its place and sets its times to the reader's own zone. An empty one stands there already.
#[cfg(feature = "hydrate")]
fn redraw(html: &str) {
    let Some(place) = document().get_element_by_id("sheet") else {
        return;
    };
    if !html.is_empty() {
        match live::script("redraw") {
            Some(redraw) if place.has_child_nodes() => {
                let _ = redraw.call2(&window(), &place, &html.into());
            }
            _ => place.set_inner_html(html),
        }
    }
    let times = place.get_elements_by_tag_name("time");
    for n in 0..times.length() {
        if let Some(time) = times.item(n) {
            crate::ui::localise(&time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_sheet_or_is_none() {
        assert!(at("/board").is_some());
        assert!(at("/audit/12").is_some());
        assert!(at("/audit/").is_none());
        assert!(at("/people").is_none());
        assert!(at("/people/1/roles").is_some());
        assert!(at("/").is_none());
    }

    #[test]
    fn a_sheet_follows_what_its_own_address_names() {
        assert_eq!(topics("/papers/7"), ["paper/7", "library", "readers/7"]);
        assert_eq!(topics("/papers/7/changes"), ["paper/7"]);
        assert_eq!(topics("/library/8"), ["folder/8", "me"]);
        assert_eq!(topics("/pupils/9"), ["pupil/9", "caseload", "me"]);
        assert_eq!(topics("/library/policies"), ["library", "approvals"]);
        assert_eq!(topics("/papers/7/add"), [] as [&str; 0]);
        assert_eq!(topics("/nowhere"), [] as [&str; 0]);
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn whatever_is_shown_of_pupils_is_drawn_where_looking_is_put_down() {
        let one = uuid::Uuid::from_u128(7).to_string();
        let asked = |path: &str| Asked::of(path).is_look();
        let of_many = [
            "/caseload",
            "/check-in",
            "/roster/:import",
            "/roster/:import/undo",
        ];
        let mut looks = 0;
        for (pattern, ..) in crate::SHEETS {
            let look = pattern.contains("/:pupil") || of_many.contains(pattern);
            let parts = pattern.split('/');
            let path: Vec<_> = parts
                .map(|part| if part.starts_with(':') { &*one } else { part })
                .collect();
            let path = path.join("/");
            assert_eq!(asked(&path), look, "{pattern}");
            assert_eq!(asked(&format!("{path}?done=added")), look, "{pattern}");
            looks += usize::from(look);
        }
        assert!(looks > of_many.len());
    }

    #[test]
    fn every_topic_of_a_sheet_is_one_that_the_server_knows() {
        let id = uuid::Uuid::from_u128(7).to_string();
        for (pattern, ..) in crate::SHEETS {
            let parts: Vec<_> = pattern
                .split('/')
                .map(|part| {
                    if part.starts_with(':') {
                        id.as_str()
                    } else {
                        part
                    }
                })
                .collect();
            for topic in topics(&parts.join("/")) {
                assert!(
                    domain::live::Topic::from_name(&topic).is_some(),
                    "{pattern} follows {topic}"
                );
            }
        }
    }

    #[test]
    fn every_sheet_is_found_at_its_own_address() {
        for (pattern, ..) in crate::SHEETS {
            assert_eq!(at(pattern).map(|(found, ..)| found), Some(pattern));
        }
    }
}
