//! Questions, comments and notes beside a document, and what is done about them.

use leptos::prelude::*;

use crate::error::Result;

/// Asks or says something about a version of a document: on a sentence, or about the whole where there is none. To everybody who
/// reads it, or to named people.
#[server(endpoint = "questions/ask")]
pub async fn ask(
    document: String,
    version: u32,
    words: String,
    #[server(default)] kind: String,
    #[server(default)] audience: String,
    #[server(default)] hearers: Vec<String>,
    #[server(default)] exact: String,
    #[server(default)] prefix: String,
    #[server(default)] suffix: String,
    #[server(default)] page: String,
    #[server(default)] position: String,
) -> Result<()> {
    use domain::question::{Audience, Kind, asking};
    let kind = Kind::from_code(&kind).unwrap_or(Kind::Question);
    let audience = match audience.as_str() {
        "named" => Audience::Named(
            hearers
                .iter()
                .filter_map(|one| uuid::Uuid::try_parse(one).ok())
                .collect(),
        ),
        _ => Audience::Readers,
    };
    let chosen = chosen(exact, prefix, suffix, &page, &position);
    let mut write = crate::door::write().await?;
    let id = super::id_of(&document)?;
    let (_, act) = asking::ask(&mut write, id, version, kind, &audience, &words, &chosen).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/papers/{document}?version={version}&done=asked"));
    Ok(())
}

/// Keeps a note that nobody else reads.
#[server(endpoint = "questions/note")]
pub async fn note(
    document: String,
    version: u32,
    words: String,
    #[server(default)] exact: String,
    #[server(default)] prefix: String,
    #[server(default)] suffix: String,
    #[server(default)] page: String,
    #[server(default)] position: String,
) -> Result<()> {
    let chosen = chosen(exact, prefix, suffix, &page, &position);
    let mut write = crate::door::write().await?;
    let id = super::id_of(&document)?;
    let (_, act) =
        domain::question::asking::keep_note(&mut write, id, version, &words, &chosen).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/papers/{document}?version={version}&done=noted"));
    Ok(())
}

/// Replies to a question; `answers` says that this answers it.
#[server(endpoint = "questions/reply")]
pub async fn reply(
    document: String,
    version: u32,
    question: String,
    words: String,
    #[server(default)] answers: String,
) -> Result<()> {
    use domain::question::asking;
    let mut write = crate::door::write().await?;
    let id = super::id_of(&question)?;
    let act = if answers.is_empty() {
        asking::reply(&mut write, id, &words).await?
    } else {
        asking::answer(&mut write, id, &words).await?
    };
    write.commit(act).await?;
    crate::door::send_to(&format!(
        "/papers/{document}?version={version}&done=replied"
    ));
    Ok(())
}

/// Says that a question is answered.
#[server(endpoint = "questions/answer")]
pub async fn answer(document: String, version: u32, question: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::question::asking::answer(&mut write, super::id_of(&question)?, "").await?;
    write.commit(act).await?;
    crate::door::send_to(&format!(
        "/papers/{document}?version={version}&done=answered"
    ));
    Ok(())
}

/// Says that a question is not answered yet.
#[server(endpoint = "questions/reopen")]
pub async fn reopen(document: String, version: u32, question: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::question::asking::reopen(&mut write, super::id_of(&question)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/papers/{document}?version={version}&done=open"));
    Ok(())
}

/// Takes back what one asked.
#[server(endpoint = "questions/withdraw")]
pub async fn withdraw(document: String, version: u32, question: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::question::asking::withdraw(&mut write, super::id_of(&question)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!(
        "/papers/{document}?version={version}&done=withdrawn"
    ));
    Ok(())
}

/// Throws a note away.
#[server(endpoint = "questions/drop-note")]
pub async fn drop_note(document: String, version: u32, note: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let (_, act) = domain::question::asking::drop_note(&mut write, super::id_of(&note)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!(
        "/papers/{document}?version={version}&done=dropped"
    ));
    Ok(())
}

/// A sentence as the form sends it: the page may be left out, the position comes from the reader only.
#[cfg(feature = "ssr")]
fn chosen(
    exact: String,
    prefix: String,
    suffix: String,
    page: &str,
    position: &str,
) -> domain::question::asking::Chosen {
    domain::question::asking::Chosen {
        quotation: domain::anchor::Quotation {
            exact,
            prefix,
            suffix,
        },
        page: page.trim().parse().ok(),
        start: position
            .split('-')
            .next()
            .and_then(|start| start.parse().ok())
            .unwrap_or_default(),
    }
}

#[cfg(feature = "ssr")]
pub(crate) use pages::{beside, done};

#[cfg(feature = "ssr")]
mod pages {
    use domain::{
        Refusal,
        anchor::EXACT_MOST,
        board::Named,
        db::Read,
        document::{Document, State as Standing, Version},
        file::Division,
        question::{self, Kind, Note, Quoted, Reply, Stands, State, TEXT_MOST, Thread},
    };
    use leptos::prelude::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use crate::{
        form::{Act, Echo, TextArea},
        sheet::Asked,
        ui::{Moment, counted},
    };

    /// From so many on those that are answered are folded.
    const FOLDED_LEAST: usize = 3;

    /// What stands beside a document: the card, and the marks on its pages.
    pub struct Beside {
        /// Threads, notes and forms.
        pub card: AnyView,
        /// As the reader of papers takes them.
        pub marks: String,
    }

    /// What was just done, in a sentence.
    pub fn done(asked: &Asked) -> Option<String> {
        Some(
            match asked.query("done") {
                "asked" => "It is asked, and those who should answer are told.",
                "noted" => "Your note is kept. Nobody else reads it.",
                "replied" => "Your reply is there.",
                "answered" => "It is marked as answered.",
                "open" => "It is open again.",
                "withdrawn" => "You have taken it back. Its words are gone.",
                "dropped" => "Your note is gone.",
                _ => return None,
            }
            .to_owned(),
        )
    }

    /// Which paper, in which version, each form is about.
    #[derive(Clone, Copy)]
    struct On {
        document: Uuid,
        version: u32,
        /// What its text is divided into.
        division: Division,
        /// Whether anything can be said here.
        open: bool,
    }

    impl On {
        fn fields(self) -> impl IntoView {
            view! {
                <input type="hidden" name="document" value=self.document.to_string() />
                <input type="hidden" name="version" value=self.version.to_string() />
            }
        }
    }

    pub async fn beside(
        read: &mut Read,
        document: &Document,
        shown: &Version,
        echo: &Echo,
    ) -> Result<Beside, Refusal> {
        let margin = question::list(read, document, shown).await?;
        let on = On {
            document: document.id,
            version: shown.number,
            division: shown.format.division(),
            open: document.state != Standing::Binned,
        };
        let people = if on.open {
            question::hearers(read, document.folder.id).await?
        } else {
            vec![]
        };
        let marks = marks(
            &on,
            shown.format.is_office(),
            &margin.threads,
            &margin.notes,
        );
        let count = margin.threads.len();
        let (here, gone): (Vec<_>, Vec<_>) = margin
            .threads
            .into_iter()
            .partition(|one| one.stands != Stands::Gone);
        // One or two take less room than the line that would hide them.
        let answered = here.iter().filter(|one| one.state != State::Open).count();
        let (done, here): (Vec<_>, Vec<_>) = here
            .into_iter()
            .partition(|one| answered >= FOLDED_LEAST && one.state != State::Open);
        let done: Vec<_> = done.into_iter().map(|one| thread(on, one, echo)).collect();
        let many = done.len();
        // The field that was refused may be in one of them.
        let refused = echo.refusal.is_some() && echo.act.starts_with("questions/");
        let here: Vec<_> = here.into_iter().map(|one| thread(on, one, echo)).collect();
        let gone: Vec<_> = gone.into_iter().map(|one| thread(on, one, echo)).collect();
        let notes: Vec<_> = margin.notes.into_iter().map(|one| note(on, one)).collect();
        let list = |heading: Option<&'static str>, lines: Vec<AnyView>| {
            (!lines.is_empty()).then(|| {
                view! {
                    {heading.map(|heading| view! { <h3>{heading}</h3> })}
                    <ul role="list" class="threads">{lines}</ul>
                }
            })
        };
        let card = view! {
            <section class="card questions" aria-labelledby="questions">
                <header><h2 id="questions">{counted(count, "question or comment", "questions and comments")}</h2></header>
                <div class="body">
                    {list(None, here)}
                    {(many > 0).then(|| view! { <details class="names" open=refused><summary>{format!("{many} answered")}</summary>{list(None, done)}</details> })}
                    {list(Some("The sentence has gone"), gone)}
                    {list(Some("Your notes"), notes)}
                    {on.open.then(|| asking(on, &people, echo))}
                    {on.open.then(|| noting(on, echo))}
                </div>
            </section>
        };
        Ok(Beside {
            card: card.into_any(),
            marks,
        })
    }

    /// The number by which the reader of papers knows a page: a text without pages is one.
    fn shown_page(division: Division, page: u32) -> u32 {
        match division {
            Division::Part => 1,
            Division::Page | Division::Slide => page,
        }
    }

    /// Those over a copy have no page: it has others than the text in which they were found.
    fn marks(on: &On, copy: bool, threads: &[Thread], notes: &[Note]) -> String {
        let mark = |id: Uuid, stands: &Stands, state: &str, number: Option<usize>| match stands {
            Stands::Here(place) => Some(json!({
                "id": id, "page": (!copy).then_some(shown_page(on.division, place.page)), "exact": place.quotation.exact, "prefix": place.quotation.prefix,
                "suffix": place.quotation.suffix, "state": state, "number": number,
            })),
            _ => None,
        };
        let threads = threads.iter().zip(1..).filter_map(|(one, number)| {
            let state = if one.state == State::Open {
                "open"
            } else {
                "answered"
            };
            mark(one.id, &one.stands, state, Some(number))
        });
        let notes = notes
            .iter()
            .filter_map(|one| mark(one.id, &one.stands, "note", None));
        Value::from(threads.chain(notes).collect::<Vec<_>>()).to_string()
    }

    /// "asked on version 2, still on its sentence".
    fn whereabouts(on: On, asked_on: u32, verb: &str, stands: &Stands) -> String {
        let name = on.division.name();
        match stands {
            Stands::Whole if asked_on == on.version => "about the document as a whole".to_owned(),
            Stands::Whole => format!("{verb} on version {asked_on}, about the document as a whole"),
            // Parts are ours: nobody sees them in the document, and the sentence itself stands above.
            Stands::Here(_) if on.division == Division::Part && asked_on == on.version => {
                "about a sentence".to_owned()
            }
            Stands::Here(_) if on.division == Division::Part => {
                format!("{verb} on version {asked_on}, still on its sentence")
            }
            Stands::Here(place) if asked_on == on.version => {
                format!("on {name} {}", place.page)
            }
            Stands::Here(place) => format!(
                "{verb} on version {asked_on}, still on its sentence, on {name} {}",
                place.page
            ),
            Stands::Gone => format!("{verb} on version {asked_on}"),
            Stands::Unknown if asked_on == on.version => "about a sentence".to_owned(),
            Stands::Unknown => {
                format!("{verb} on version {asked_on}, not looked for in this one just now")
            }
        }
    }

    /// The way to a sentence that has gone, in the version that has it: "Read it on version 1, page 2".
    fn before(on: On, asked_on: u32, quoted: Option<&Quoted>, stands: &Stands) -> Option<AnyView> {
        let elsewhere =
            *stands == Stands::Gone || (*stands == Stands::Unknown && asked_on != on.version);
        let page = quoted.filter(|_| elsewhere)?.page;
        let (place, name) = match on.division {
            Division::Part => (String::new(), String::new()),
            paged => (
                format!("#page={page}"),
                format!(", {} {page}", paged.name()),
            ),
        };
        let address = format!("/papers/{}?version={asked_on}{place}", on.document);
        let words = format!("Read it on version {asked_on}{name}");
        Some(view! { " · " <a href=address rel="external">{words}</a> }.into_any())
    }

    fn quotation(on: On, id: Uuid, quoted: Option<&Quoted>, stands: &Stands) -> Option<AnyView> {
        let quoted = quoted?;
        Some(match stands {
            Stands::Here(place) => view! {
                <blockquote><a href=format!("#page={}", shown_page(on.division, place.page)) data-mark=id.to_string() rel="external">{place.quotation.exact.clone()}</a></blockquote>
            }
            .into_any(),
            _ => view! { <blockquote>{quoted.quotation.exact.clone()}</blockquote> }.into_any(),
        })
    }

    fn thread(on: On, one: Thread, echo: &Echo) -> AnyView {
        let (open, id) = (one.state == State::Open, one.id);
        let whereabouts = whereabouts(on, one.asked_on, "asked", &one.stands);
        let before = before(on, one.asked_on, one.quoted.as_ref(), &one.stands);
        let to = one.hearers.as_ref().map(|people| {
            let names: Vec<String> = people.iter().map(Named::called).collect();
            format!("Only to {}", names.join(", "))
        });
        let tag = match (&one.state, one.kind) {
            (State::Answered(..), _) => {
                Some(view! { <span class="tag good">"Answered"</span> }.into_any())
            }
            (State::Open, Kind::Question) => {
                Some(view! { <span class="tag wait">"Open"</span> }.into_any())
            }
            (State::Open, Kind::Comment) => None,
        };
        let answered = match &one.state {
            State::Answered(who, at) => {
                let who = who.called();
                Some(
                    view! { <small class="muted">"Marked as answered by " {who} ", " <Moment at=at.clone() day=true /></small> },
                )
            }
            State::Open => None,
        };
        let by = one.by.called();
        let replies: Vec<_> = one.replies.into_iter().map(said).collect();
        let button = move |act: &'static str, label: &'static str| {
            view! {
                <form method="post">
                    <Act name=act />{on.fields()}
                    <input type="hidden" name="question" value=id.to_string() />
                    <button class="button quiet small">{label}</button>
                </form>
            }
        };
        let (may_answer, may_withdraw) = (one.may_answer && on.open, one.may_withdraw && on.open);
        view! {
            <li id=format!("mark-{id}") class=if open { "thread" } else { "thread answered" } tabindex="-1">
                {quotation(on, id, one.quoted.as_ref(), &one.stands)}
                <div class="said">
                    <span class="face" aria-hidden="true">{domain::membership::initials(&by)}</span>
                    <div><p>{one.text}</p><small>{by} ", " <Moment at=one.at day=true /> " · " {whereabouts} {before}</small>{to.map(|to| view! { <small>{to}</small> })}</div>
                </div>
                {replies}
                {tag.map(|tag| view! { <div class="steps">{tag} {answered}</div> })}
                {on.open.then(|| replying(on, id, may_answer && open, echo))}
                {(may_answer || may_withdraw).then(|| view! {
                    <div class="steps">
                        {(may_answer && open).then(|| button("questions/answer", "Mark as answered"))}
                        {(may_answer && !open).then(|| button("questions/reopen", "Open again"))}
                        {may_withdraw.then(|| button("questions/withdraw", "Take back"))}
                    </div>
                })}
            </li>
        }
        .into_any()
    }

    fn said(one: Reply) -> impl IntoView {
        let by = one.by.called();
        view! {
            <div class="said">
                <span class="face" aria-hidden="true">{domain::membership::initials(&by)}</span>
                <div><p>{one.text}</p><small>{by} ", " <Moment at=one.at /></small></div>
            </div>
        }
    }

    fn replying(on: On, id: Uuid, may_answer: bool, echo: &Echo) -> impl IntoView + use<> {
        let refused =
            echo.act == "questions/reply" && echo.value("question") == Some(id.to_string());
        let typed = if refused { echo.value("words") } else { None };
        let answers = refused && echo.value("answers").is_some();
        let refusal = if refused { echo.refusal.clone() } else { None };
        view! {
            <details open=refused>
                <summary>"Reply"</summary>
                <form method="post">
                    <Act name="questions/reply" />{on.fields()}
                    <input type="hidden" name="question" value=id.to_string() />
                    <TextArea name="words" id=if refused { "words".to_owned() } else { format!("reply-{id}") } label="Your reply" value=typed.unwrap_or_default() most=u32::from(TEXT_MOST) refusal=refusal />
                    {may_answer.then(|| view! { <label class="option"><input type="checkbox" name="answers" value="yes" checked=answers /><b>"This answers it"</b></label> })}
                    <button class="button">"Send the reply"</button>
                </form>
            </details>
        }
    }

    fn note(on: On, one: Note) -> AnyView {
        let whereabouts = whereabouts(on, one.kept_on, "kept", &one.stands);
        let before = before(on, one.kept_on, one.quoted.as_ref(), &one.stands);
        let gone = (one.stands == Stands::Gone).then_some(" · the sentence has gone");
        view! {
            <li id=format!("mark-{}", one.id) class="thread note" tabindex="-1">
                {quotation(on, one.id, one.quoted.as_ref(), &one.stands)}
                <div class="said"><span class="tag">"Only you"</span><div><p>{one.text}</p><small><Moment at=one.at day=true /> " · " {whereabouts} {gone} {before}</small></div></div>
                <form method="post">
                    <Act name="questions/drop-note" />{on.fields()}
                    <input type="hidden" name="note" value=one.id.to_string() />
                    <button class="button quiet small">"Throw it away"</button>
                </form>
            </li>
        }
        .into_any()
    }

    /// The sentence, filled in by the reader of papers from what was selected, or typed.
    fn sentence(
        on: On,
        form: &'static str,
        echo: &Echo,
        refusal: Option<Refusal>,
    ) -> impl IntoView + use<> {
        let value = |field: &str| {
            if echo.act == form {
                echo.value(field).unwrap_or_default()
            } else {
                String::new()
            }
        };
        // The refusal at the top of the page leads to the field by its name.
        let refused = echo.act == form;
        let id = move |field: &str| {
            if refused {
                field.to_owned()
            } else {
                format!("{}-{field}", form.trim_start_matches("questions/"))
            }
        };
        view! {
            <TextArea name="exact" id=id("exact") label="The sentence it is about" rows=2 most=u32::from(EXACT_MOST) value=value("exact") refusal=refusal
                hint="Select it in the document, or copy it here. Leave it empty for the document as a whole." />
            {if on.division == Division::Part {
                // Nobody who reads it sees where a part ends.
                view! { <input type="hidden" name="page" value=value("page") /> }.into_any()
            } else {
                view! {
                    <div class="field"><label for=id("page")>{format!("On {}", on.division.name())}</label>
                        <input class="short" id=id("page") name="page" type="text" inputmode="numeric" autocomplete="off" maxlength="6" value=value("page") /></div>
                }.into_any()
            }}
            <input type="hidden" name="prefix" value=value("prefix") />
            <input type="hidden" name="suffix" value=value("suffix") />
            <input type="hidden" name="position" value=value("position") />
        }
    }

    fn asking(on: On, people: &[Named], echo: &Echo) -> impl IntoView + use<> {
        const ASK: &str = "questions/ask";
        let refusal = echo.of(ASK);
        let value = |field: &str| {
            if refusal.is_some() {
                echo.value(field).unwrap_or_default()
            } else {
                String::new()
            }
        };
        let named = value("audience") == "named";
        let comment = value("kind") == "comment";
        let chosen = if refusal.is_some() {
            echo.values("hearers")
        } else {
            vec![]
        };
        let wrong = refusal
            .clone()
            .filter(|refusal| refusal.field() == Some("hearers"))
            .map(|refusal| refusal.to_string());
        let radio = |name: &'static str,
                     value: &'static str,
                     label: &'static str,
                     checked: bool| {
            view! { <label class="option"><input type="radio" name=name value=value checked=checked /><b>{label}</b></label> }
        };
        let people: Vec<_> = people
            .iter()
            .enumerate()
            .map(|(n, one)| {
                let id = one.id.to_string();
                let checked = chosen.contains(&id);
                view! { <label class="option"><input type="checkbox" name=format!("hearers[{n}]") value=id checked=checked /><b>{one.called()}</b></label> }
            })
            .collect();
        view! {
            <details id="ask-box" data-quote-box="" open=refusal.is_some()>
                <summary>"Ask or say something"</summary>
                <form id="ask-form" method="post" data-quote="ask">
                    <Act name=ASK />{on.fields()}
                    <TextArea name="words" id=if refusal.is_some() { "words" } else { "ask-words" } label="Your question or comment" value=value("words") rows=3 most=u32::from(TEXT_MOST) refusal=refusal.clone() />
                    {sentence(on, ASK, echo, refusal.clone())}
                    <fieldset class="field"><legend>"What it is"</legend>
                        <div class="options">{radio("kind", "question", "A question", !comment)}{radio("kind", "comment", "A comment", comment)}</div></fieldset>
                    <fieldset class="field"><legend>"Who reads it"</legend>
                        <div class="options">{radio("audience", "readers", "Everybody who reads this document", !named)}{radio("audience", "named", "Only the people I choose", named)}</div></fieldset>
                    <details open=named><summary>"Choose people"</summary>
                        <fieldset class="field" id="hearers"><legend class="hidden-text">"The people who read it"</legend>
                            {wrong.map(|wrong| view! { <p class="error">{wrong}</p> })}
                            <div class="options">{people}</div></fieldset>
                    </details>
                    <div class="actions"><button class="button primary">"Ask"</button></div>
                </form>
            </details>
        }
    }

    fn noting(on: On, echo: &Echo) -> impl IntoView + use<> {
        const NOTE: &str = "questions/note";
        let refusal = echo.of(NOTE);
        let refused = refusal.is_some();
        let words = if refusal.is_some() {
            echo.value("words").unwrap_or_default()
        } else {
            String::new()
        };
        view! {
            <details id="note-box" data-quote-box="" open=refused>
                <summary>"Keep a note only for yourself"</summary>
                <form id="note-form" method="post" data-quote="note">
                    <Act name=NOTE />{on.fields()}
                    <TextArea name="words" id=if refused { "words" } else { "note-words" } label="Your note" value=words rows=3 most=u32::from(TEXT_MOST) refusal=refusal.clone()
                        hint="Nobody else reads it: not who keeps the library, and not an administrator." />
                    {sentence(on, NOTE, echo, refusal)}
                    <div class="actions"><button class="button primary">"Keep the note"</button></div>
                </form>
            </details>
        }
    }
}
