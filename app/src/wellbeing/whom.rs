//! Whom a record is about: the pupil on whose page one stands, and others by name, each with a part of their own.

use domain::{
    Refusal,
    db::Read,
    pupil::{self, Filter, Whole, Whose, group},
    wellbeing::{
        record::{Linked, New, Part, WORDS_MOST},
        typed,
    },
};
use leptos::prelude::*;

use super::{note::NoteArea, sent::Written};
use crate::{
    door,
    form::{Choice, Echo, id_of},
    ui::{Around, Icon},
};

/// Others that a form asks for.
const OTHERS: usize = 3;
/// And more of them, folded away.
const MORE: usize = 5;

/// Those whose names the browser offers while one is typed: the author's own caseload, or for who sees the school the pupil's
/// registration group. Any other pupil whom they see can be typed in full.
pub(super) async fn offered(
    read: &mut Read,
    around: &Around,
    whole: &Whole,
) -> Result<Vec<String>, Refusal> {
    let (whose, group) = if pupil::has_caseload(&around.roles) {
        (Whose::Mine, None)
    } else {
        let group = whole
            .groups
            .iter()
            .find(|one| one.kind == group::Kind::Registration);
        match group {
            Some(group) => (Whose::Seen, Some(group.id)),
            None => return Ok(vec![]),
        }
    };
    let filter = Filter {
        group,
        ..Filter::default()
    };
    let listed = pupil::list(read, whose, &filter, 1).await?;
    Ok(listed
        .rows
        .iter()
        .filter(|one| one.id != whole.pupil.id)
        .map(typed::called)
        .collect())
}

impl Written {
    /// The pupil first, and then the others that were typed, with their parts and the words about them.
    pub(super) async fn linked(&self) -> Result<Vec<Linked<'_>>, Refusal> {
        let mut linked = vec![Linked {
            pupil: id_of(&self.pupil)?,
            part: Part::from_code(&self.part).unwrap_or(Part::Subject),
            words: &self.words,
        }];
        if self.other.iter().all(|typed| typed.trim().is_empty()) {
            return Ok(linked);
        }
        let mut read = door::read().await.map_err(|refused| refused.0)?;
        for (n, name) in self.other.iter().enumerate() {
            if name.trim().is_empty() {
                continue;
            }
            let part = self.other_part.get(n);
            let part = part.and_then(|part| Part::from_code(part));
            linked.push(Linked {
                pupil: typed::pupil_called(&mut read, name).await?,
                part: part.unwrap_or(Part::Other),
                words: self.other_words.get(n).map_or("", String::as_str),
            });
        }
        Ok(linked)
    }

    /// The record that is meant, about those of [`Written::linked`].
    pub(super) fn meant<'a>(&'a self, linked: &'a [Linked<'a>]) -> Result<New<'a>, Refusal> {
        let now = door::now().map_err(|refused| refused.0)?;
        Ok(New {
            happened_at: typed::happened_at(&self.happened_at, &self.time, now)?,
            body: &self.body,
            linked,
        })
    }
}

/// The part of the form in which others are named. Folded away, since most records are about one pupil.
pub(super) fn fields(
    called: &str,
    offered: Vec<String>,
    echo: &Echo,
    refusal: Option<&Refusal>,
) -> impl IntoView + use<> {
    let typed = |name: &str| refusal.and_then(|_| echo.value(name)).unwrap_or_default();
    let parts = || -> Vec<(String, String)> {
        Part::ALL
            .iter()
            .map(|part| (part.code().to_owned(), part.name().to_owned()))
            .collect()
    };
    let row = |n: usize| {
        let (name, part, words) = (
            format!("other[{n}]"),
            format!("other_part[{n}]"),
            format!("other_words[{n}]"),
        );
        let chosen = Some(typed(&part)).filter(|part| !part.is_empty());
        let chosen = chosen.unwrap_or_else(|| Part::Other.code().to_owned());
        view! {
            <fieldset class="field boxed">
                <legend>{format!("Another pupil {}", n + 1)}</legend>
                <div class="field">
                    <label for=name.clone()>"Name"</label>
                    <input id=name.clone() name=name.clone() list="pupils-seen" autocomplete="off" spellcheck="false" maxlength="250" value=typed(&name) />
                </div>
                <Choice name=part label="Their part" options=parts() chosen=chosen />
                <NoteArea name=words.clone() label="About their own part" value=typed(&words) rows=2 most=WORDS_MOST />
            </fieldset>
        }
    };
    let wrong = refusal
        .filter(|refusal| refusal.field() == Some("pupils"))
        .map(ToString::to_string);
    let any = |from: usize, to: usize| {
        (from..to).any(|n| {
            !typed(&format!("other[{n}]")).is_empty()
                || !typed(&format!("other_words[{n}]")).is_empty()
        })
    };
    let own_part = Some(typed("part")).filter(|part| !part.is_empty());
    let own_part = own_part.unwrap_or_else(|| Part::Subject.code().to_owned());
    let open = wrong.is_some()
        || any(0, OTHERS + MORE)
        || !typed("words").is_empty()
        || own_part != Part::Subject.code();
    let few: Vec<_> = (0..OTHERS).map(row).collect();
    let more: Vec<_> = (OTHERS..OTHERS + MORE).map(row).collect();
    let offered: Vec<_> = offered
        .into_iter()
        .map(|name| view! { <option value=name></option> })
        .collect();
    view! {
        <details class="whom" id="pupils" open=open>
            <summary>"Other pupils had a part in it"</summary>
            <div class="form">
                <p class="hint">"Who may not see a pupil reads “another pupil” in place of their name, in the text above as well. What stands under a pupil’s own part is read only by those who may see that pupil."</p>
                {wrong.map(|wrong| view! {
                    <p class="error"><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p>
                })}
                <fieldset class="field boxed">
                    <legend>{called.to_owned()}</legend>
                    <Choice name="part" label="Their part" options=parts() chosen=own_part />
                    <NoteArea name="words" label="About their own part" value=typed("words") rows=2 most=WORDS_MOST
                        refusal=refusal.cloned() />
                </fieldset>
                {few}
                <details open=any(OTHERS, OTHERS + MORE)>
                    <summary>"More pupils"</summary>
                    <div class="form">{more}</div>
                </details>
                <datalist id="pupils-seen">{offered}</datalist>
            </div>
        </details>
    }
}
