//! The approval on a document's page: how it stands as a ring with names and words, and the two buttons of who is asked.

use domain::{
    Refusal,
    approval::{self, Answer, Approval, Last, Own, Place, Rule, Standing, State, Whom},
    board::Named,
    day,
    db::Read,
    document::{self, Document, Version},
};
use leptos::prelude::*;

use crate::{
    form::{Act, Echo, ProofBeside, Refusals, TextArea},
    ui::{Icon, Moment, counted},
};

/// What a page says of a document's approvals.
pub struct Shown {
    /// Above the document.
    pub notice: AnyView,
    /// Beside it.
    pub card: AnyView,
    /// The last day of an answer that is wanted of the reader about the version that is shown.
    pub wanted: Option<time::Date>,
}

/// The approvals of a document as the page of one of its versions shows them.
pub async fn shown(
    read: &mut Read,
    document: &Document,
    version: &Version,
) -> Result<Shown, Refusal> {
    let all = approval::of_document(read, document.id).await?;
    let newest = document.versions.first().map_or(0, |one| one.number);
    let asks = document.folder.files
        && document.state == document::State::Current
        && version.number == newest;
    // Of the version that is looked at, the last; else the last of all.
    let own = all
        .iter()
        .find(|one| one.version == version.number && one.state != State::Withdrawn);
    let before: Vec<&Approval> = all
        .iter()
        .filter(|one| {
            one.version < version.number && !matches!(one.state, State::Withdrawn | State::Lapsed)
        })
        .collect();
    // What was decided about these very bytes says more than what was asked last.
    let before = before
        .iter()
        .find(|one| is_of(one, version))
        .or(before.first())
        .copied();
    let notice = match (own, before) {
        (None, Some(before)) => outdated(before, version, asks),
        _ => ().into_any(),
    };
    let section = match own {
        Some(one) => {
            let places = approval::places(read, one.id).await?;
            card(one, &places, document.folder.files).into_any()
        }
        None => ().into_any(),
    };
    let older: Vec<_> = all
        .iter()
        .filter(|one| own.is_none_or(|own| own.id != one.id))
        .map(|one| {
            view! {
                <li><a href=format!("/approvals/{}", one.id)><b>{format!("Version {}", one.version)}</b></a> " " {tag(one)}
                    <small><Moment at=one.closed.clone().unwrap_or_else(|| one.at.clone()) day=true /></small></li>
            }
        })
        .collect();
    let nothing = own.is_none() && older.is_empty();
    let may_ask = asks && own.is_none_or(|own| own.state != State::Open);
    let card = (!nothing || may_ask).then(|| {
        view! {
            <section class="card" aria-labelledby="approval">
                <header><h2 id="approval">"Approval"</h2></header>
                <div class="body stack">
                    {own.is_none().then(|| view! { <p>{if newest == version.number { "Nobody has been asked to approve this version." } else { "Nobody was asked to approve this version." }}</p> })}
                    {section}
                    {may_ask.then(|| view! { <div class="actions"><a class="button" href=format!("/papers/{}/ask", document.id)>"Ask for approval"</a></div> })}
                    {(!older.is_empty()).then(|| view! { <details><summary>"Other approvals"</summary><ul role="list" class="lines">{older}</ul></details> })}
                </div>
            </section>
        }
    });
    Ok(Shown {
        notice,
        card: card.into_any(),
        wanted: own.filter(|one| one.waits_for_caller()).map(|one| one.due),
    })
}

/// Whether an approval was decided about the bytes of a version, whichever number they had then.
fn is_of(one: &Approval, version: &Version) -> bool {
    one.sha256 == version.sha256 && one.state != State::Stale
}

/// "Version 2 was approved by 4. Those answers do not count for version 3." Or that version 3 is the same file.
fn outdated(before: &Approval, version: &Version, asks: bool) -> AnyView {
    let agreed = before.standing.agreed as usize;
    let what = match before.state {
        State::Adopted => format!(
            "Version {} was approved by {}.",
            before.version,
            counted(agreed, "person", "people")
        ),
        State::Rejected => format!("Version {} was not approved.", before.version),
        _ => format!(
            "Version {} was still being approved: {} had agreed.",
            before.version,
            counted(agreed, "person", "people")
        ),
    };
    let number = version.number;
    if is_of(before, version) {
        return view! {
            <div class="notice"><Icon name="info" />
                <p><b>{what}</b>" "{format!("Version {number} is the same file, byte for byte.")}</p>
            </div>
        }
        .into_any();
    }
    let again = asks.then(|| format!("/papers/{}/ask?again={}", before.document, before.id));
    view! {
        <div class="notice wait" data-stale=before.version.to_string()><Icon name="warning" />
            <p><b>{what}</b>" "{format!("Those answers do not count for version {number}.")}</p>
            {again.map(|href| view! { <a class="button quiet" href=href>"Ask the same people again"</a> })}
        </div>
    }
    .into_any()
}

/// How an approval is called in a list: its state, and whether something newer is there.
pub fn tag(one: &Approval) -> impl IntoView + use<> {
    let last = Last {
        state: one.state,
        version: one.version,
        same_bytes: one.same_bytes,
    };
    state_tag(last, Some(one.newest))
}

/// The same where documents are listed, with the number of the newest version where the list knows it.
pub fn state_tag(last: Last, newest: Option<u32>) -> impl IntoView + use<> {
    let (class, words) = state_words(last, newest);
    view! { <span class=class>{words}</span> }
}

/// As what it is marked, and the words: of other bytes than are read now those of which version it was.
fn state_words(last: Last, newest: Option<u32>) -> (&'static str, String) {
    let version = last.version;
    let newer = newest.map_or_else(
        || "a newer version".to_owned(),
        |newest| format!("version {newest}"),
    );
    match (last.state, last.same_bytes) {
        (State::Adopted, true) => ("tag good", "Adopted".to_owned()),
        (State::Rejected, true) => ("tag bad", "Rejected".to_owned()),
        (State::Open, true) => ("tag info", "Being approved".to_owned()),
        (State::Lapsed | State::Withdrawn, true) => ("tag", last.state.name().to_owned()),
        (State::Adopted, false) => ("tag wait", adopted_before(newest)),
        (State::Rejected, false) => ("tag wait", format!("Version {version} was rejected")),
        (State::Lapsed, false) => ("tag wait", format!("Lapsed: asked of version {version}")),
        (State::Withdrawn, false) => ("tag wait", format!("Withdrawn: asked of version {version}")),
        (State::Open | State::Stale, false) => ("tag wait", format!("Replaced by {newer}")),
        // Its bytes are back, and it was closed all the same.
        (State::Stale, true) => ("tag wait", "Replaced meanwhile".to_owned()),
    }
}

fn adopted_before(newest: Option<u32>) -> String {
    match newest {
        Some(newest) => format!("Adopted; version {newest} is newer"),
        None => "Adopted; there is a newer version".to_owned(),
    }
}

/// One approval: ring, names, and what the reader can do.
pub fn card(one: &Approval, places: &[Place], files: bool) -> impl IntoView + use<> {
    let open = one.state == State::Open;
    let id = one.id.to_string();
    let when = if open {
        format!("Closes at the end of {}.", day::words(one.due))
    } else {
        String::new()
    };
    let by = one.by.called();
    let reason = (!one.reason.is_empty()).then(|| one.reason.clone());
    let stand_in =
        one.stand_in.as_ref().filter(|_| open).map(|(who, from)| {
            format!("{} may stand in from {}.", who.called(), day::words(*from))
        });
    view! {
        <div class="standing">
            {ring(one)}
            <div><b>{words(one)}</b>
                <small>{open.then(|| rule_words(one.rule, one.standing))} " " {when}</small>
                {(!open).then(|| tag(one))}
                {one.closed.clone().map(|at| view! { <small>"Closed "<Moment at=at /></small> })}
            </div>
        </div>
        {reason.map(|reason| view! { <p>{reason}</p> })}
        <p class="muted">{by} " asked " {whom(one)} " on " <Moment at=one.at.clone() /> ". " {stand_in}</p>
        {form(one)}
        <details class="names"><summary>"Who was asked, and what they said"</summary>{answers(places, open)}</details>
        <div class="actions">
            <a class="button quiet" href=format!("/approvals/{id}")>"All of it"</a>
            {(!open).then(|| view! { <a class="button quiet" href=format!("/approvals/{id}/certificate") rel="external" download="">"Certificate"</a> })}
            {(open && files).then(|| view! {
                <form method="post">
                    <Act name="approvals/withdraw" />
                    <input type="hidden" name="approval" value=id.clone() />
                    <button class="button quiet">"Withdraw the request"</button>
                </form>
            })}
        </div>
    }
}

/// Of whom it was asked, in words.
pub fn whom(one: &Approval) -> String {
    match &one.whom {
        Whom::People => counted(one.standing.asked as usize, "person", "people"),
        Whom::Role(role) => format!(
            "everybody with the role {} ({})",
            role.name(),
            one.standing.asked
        ),
        Whom::Committee(_, committee) => format!("{committee} ({})", one.standing.asked),
    }
}

/// "3 agreed, 1 objected, 2 to come"; of one that is closed nothing comes any more: "2 did not answer".
pub fn words(one: &Approval) -> String {
    standing_words(one.standing, one.state == State::Open)
}

fn standing_words(standing: Standing, open: bool) -> String {
    let mut said = vec![format!("{} agreed", standing.agreed)];
    if standing.objected > 0 {
        said.push(format!("{} objected", standing.objected));
    }
    if standing.abstained > 0 {
        said.push(format!("{} abstained", standing.abstained));
    }
    if standing.waiting > 0 {
        let what = if open { "to come" } else { "did not answer" };
        said.push(format!("{} {what}", standing.waiting));
    }
    said.join(", ")
}

/// "Adopted when 4 of 6 agree."
pub fn rule_words(rule: Rule, standing: Standing) -> String {
    let (needed, counted) = (standing.needed, standing.counted);
    match rule {
        Rule::Everyone => format!("Adopted when all {counted} agree."),
        Rule::AtLeast(_) | Rule::Majority => {
            format!("Adopted when {needed} of {counted} agree.")
        }
    }
}

/// Agreed, objected and still to come, of those who count; the numbers stand beside it in words.
fn ring(one: &Approval) -> impl IntoView + use<> {
    let standing = one.standing;
    // In hundredths of the way round.
    let share = |n: u32| n.min(standing.counted) * 100 / standing.counted.max(1);
    let (agreed, objected) = (share(standing.agreed), share(standing.objected));
    view! {
        <svg class="ring" viewBox="0 0 36 36" role="img" aria-label=words(one)>
            <circle cx="18" cy="18" r="15.9155" />
            <circle class="done" cx="18" cy="18" r="15.9155" stroke-dasharray=format!("{agreed} 100") />
            <circle class="against" cx="18" cy="18" r="15.9155" stroke-dasharray=format!("{objected} 100") stroke-dashoffset=format!("-{agreed}") />
        </svg>
    }
}

/// What the reader can answer, or take back.
fn form(one: &Approval) -> AnyView {
    let echo: Echo = use_context().unwrap_or_default();
    let id = one.id.to_string();
    let refusal = echo
        .of("approvals/answer")
        .filter(|_| echo.value("approval").as_deref() == Some(&id));
    let places = match &one.own {
        Own::Nothing => return ().into_any(),
        Own::Answered { answer, by } => {
            let said = match answer {
                Answer::Agree => "agreed",
                Answer::Object => "objected",
                Answer::Abstain => "abstained",
            };
            let said = match by {
                Some(who) => format!("{} stood in for you and {said}.", who.called()),
                None => format!("You {said}."),
            };
            let refusal = echo
                .of("approvals/take-back")
                .filter(|_| echo.value("approval").as_deref() == Some(&id));
            return view! {
                <form method="post" class="form">
                    <Act name="approvals/take-back" />
                    <Refusals refusal=refusal.clone() />
                    <ProofBeside refusal=refusal />
                    <input type="hidden" name="approval" value=id />
                    <div class="actions">
                        <b>{said}</b>
                        <button class="button quiet">{if by.is_some() { "Take it back, and answer yourself" } else { "Take it back" }}</button>
                    </div>
                </form>
            }
            .into_any();
        }
        Own::Asked => None,
        Own::StandsIn(people) => Some(
            people
                .iter()
                .map(|person| (person.id.to_string(), person.called()))
                .collect::<Vec<_>>(),
        ),
    };
    let version = one.version;
    view! {
        <form method="post" class="form" id="answer">
            <Act name="approvals/answer" />
            <Refusals refusal=refusal.clone() />
            <ProofBeside refusal=refusal.clone() />
            <input type="hidden" name="approval" value=id />
            {places.map(|options| view! {
                <crate::form::Choice name="place" label="You stand in for" options=options chosen=echo.value("place").unwrap_or_default() />
            })}
            <TextArea name="reason" label="Reason, if you object, or your interest, if you abstain" value=echo.value("reason").unwrap_or_default() rows=2 refusal=refusal />
            <p class="hint">"Your answer is recorded with your name, the time and this version. You may be asked for your password first."</p>
            <div class="actions">
                <button class="button primary" name="answer" value="agree">{format!("I agree to version {version}")}</button>
                <button class="button" name="answer" value="object">"I object"</button>
                <button class="button quiet" name="answer" value="abstain">"I have an interest and abstain"</button>
            </div>
        </form>
    }
    .into_any()
}

/// Everybody who was asked, and what they answered.
pub fn answers(places: &[Place], open: bool) -> impl IntoView + use<> {
    let lines: Vec<_> = places
        .iter()
        .map(|place| {
            let said = match &place.given {
                None if place.left => {
                    view! { <span class="tag">"Left before answering"</span> }.into_any()
                }
                None => {
                    let word = if open { "To come" } else { "Did not answer" };
                    view! { <span class="tag">{word}</span> }.into_any()
                }
                Some(given) => {
                    let (class, word) = match given.answer {
                        Answer::Agree => ("tag good", "Agreed"),
                        Answer::Object => ("tag bad", "Objected"),
                        Answer::Abstain => ("tag", "Abstained"),
                    };
                    let reason = (!given.reason.is_empty()).then(|| given.reason.clone());
                    let for_them = given
                        .stand_in
                        .as_ref()
                        .map(|(who, _)| view! { "by " {named(who)} ", who stood in, " });
                    view! {
                        <span class=class>{word}</span>
                        {reason.map(|reason| view! { <p class="why">{reason}</p> })}
                        <small>{for_them}<Moment at=given.at.clone() /></small>
                    }
                    .into_any()
                }
            };
            view! { <li><b>{named(&place.person)}</b> " " {said}</li> }
        })
        .collect();
    view! { <ul role="list" class="lines">{lines}</ul> }
}

/// Somebody who was asked, by name where the reader sees it.
fn named(person: &Named) -> AnyView {
    match &person.name {
        Some(name) => name.clone().into_any(),
        None => view! { <span class="muted">"Somebody you cannot see here"</span> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_about_other_bytes_says_about_which_version() {
        let of = |state, same_bytes| {
            let last = Last {
                state,
                version: 1,
                same_bytes,
            };
            state_words(last, Some(3))
        };
        let said = State::ALL.map(|state| {
            let ((now, words), (then, old)) = (of(state, true), of(state, false));
            assert_eq!(then, "tag wait", "{state:?} of an older version stands out");
            (now, words, old)
        });
        let line = |class, words: &str, old: &str| (class, words.to_owned(), old.to_owned());
        assert_eq!(
            said,
            [
                line("tag info", "Being approved", "Replaced by version 3"),
                line("tag good", "Adopted", "Adopted; version 3 is newer"),
                line("tag bad", "Rejected", "Version 1 was rejected"),
                line("tag", "Lapsed", "Lapsed: asked of version 1"),
                line("tag wait", "Replaced meanwhile", "Replaced by version 3"),
                line("tag", "Withdrawn", "Withdrawn: asked of version 1"),
            ]
        );
    }

    #[test]
    fn of_what_is_closed_nothing_is_to_come() {
        let standing = Standing {
            asked: 3,
            counted: 3,
            needed: 2,
            agreed: 2,
            waiting: 1,
            ..Standing::default()
        };
        assert_eq!(standing_words(standing, true), "2 agreed, 1 to come");
        assert_eq!(
            standing_words(standing, false),
            "2 agreed, 1 did not answer"
        );
    }
}
