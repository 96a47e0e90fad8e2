//! What happened, in words: the feed on other pages, and for clerks and administrators the log itself, with a receipt for each line.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ui::Moment;

/// One line of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Who did it.
    pub by: String,
    /// What was done, to follow the name.
    pub words: String,
    /// RFC 3339 in UTC.
    pub at: String,
    /// Where more of it stands.
    pub href: Option<String>,
}

/// What happened, one line each.
pub fn feed(lines: Vec<Line>) -> AnyView {
    view! {
        <ul role="list" class="feed">
            {lines.into_iter().map(|line| view! {
                <li>
                    <span class="face" aria-hidden="true">{domain::membership::initials(&line.by)}</span>
                    <span><b>{line.by.clone()}</b> " " {match line.href {
                        Some(href) => view! { <a href=href>{line.words}</a> }.into_any(),
                        None => line.words.into_any(),
                    }}</span>
                    <Moment at=line.at />
                </li>
            }).collect_view()}
        </ul>
    }
    .into_any()
}

#[cfg(feature = "ssr")]
pub(crate) use pages::{entry, line, timeline, words};

#[cfg(feature = "ssr")]
mod pages {
    use domain::{
        Refusal, Seq,
        audit::{Entry, EntryDetail, Filter, Kind, Receipt, Who},
        db::Read,
        tenancy::Change,
    };
    use leptos::prelude::*;
    use uuid::Uuid;

    use super::Line;
    use crate::{
        door,
        membership::crumbs,
        sheet::{Asked, Drawing},
        ui::{Around, Heading, Icon, Moment, Notice, counted},
    };

    /// A change as a line; `about` names whom it was done to, where the feed is of more than one person.
    pub fn line(change: Change, about: bool) -> Line {
        let own = change.by.is_some() && change.by == change.about;
        let whom = (about && !own).then(|| change.about.unwrap_or_else(|| "somebody".to_owned()));
        Line {
            words: words(&change.act, whom.as_deref(), None),
            by: change.by.unwrap_or_else(|| "Quorate".to_owned()),
            at: change.at,
            href: None,
        }
    }

    /// What was done, to follow the name of who did it. `whom` is named, or "you", or it is the person whose page it stands on;
    /// `named` is the committee, the
    /// folder or the document that it is about, where the reader may know which it was.
    pub fn words(act: &str, whom: Option<&str>, named: Option<&str>) -> String {
        let them = whom.unwrap_or("them");
        let theirs = match whom {
            None => "their".to_owned(),
            Some("you") => "your".to_owned(),
            Some(whom) => format!("{whom}’s"),
        };
        let a_folder = named.map_or_else(
            || "a folder".to_owned(),
            |name| format!("the folder {name}"),
        );
        let a_paper = named.map_or_else(|| "a document".to_owned(), |title| format!("“{title}”"));
        let a_committee = named.map_or_else(
            || "a committee".to_owned(),
            |name| format!("the committee {name}"),
        );
        let in_place = whom.map_or_else(String::new, |_| format!(" in {theirs} place"));
        match act {
            "membership.added" => format!("added {them}"),
            "membership.invited" => format!("added and invited {them}"),
            "membership.reinvited" => format!("sent the invitation again to {them}"),
            "membership.accepted" => "accepted the invitation".to_owned(),
            "membership.role_given" => format!("gave {them} a role"),
            "membership.role_dropped" => format!("took a role from {them}"),
            "membership.renamed" => format!("changed {theirs} name"),
            "membership.address_corrected" => format!("corrected {theirs} address"),
            "membership.suspended" => format!("suspended {them}"),
            "membership.restored" => format!("restored {them}"),
            "membership.removed" => format!("removed {them}"),
            "mail.undeliverable" => format!("could not deliver a letter to {them}"),
            "mail.delivered" => format!("delivered a letter to {them} again"),
            "notice.seen" => "marked what is new as seen".to_owned(),
            "notice.choice_set" => "chose how often to get letters".to_owned(),
            "reading.choice_set" => "chose whether others see what they read".to_owned(),
            "contact.phone_set" => format!("changed {theirs} telephone number"),
            "seat.opened" => "opened a seat on the board".to_owned(),
            "seat.closed" => "closed a seat on the board".to_owned(),
            "term.started" => format!("recorded {theirs} term of office"),
            "term.ended" => format!("ended {theirs} term of office"),
            "term.dropped" => format!("took back {theirs} term of office, which had not begun"),
            "term.suspended" => format!("recorded that {them} may not attend meetings for a time"),
            "term.reinstated" => format!("recorded that {them} may attend meetings again"),
            "committee.opened" => "opened a committee".to_owned(),
            "committee.renamed" => "renamed a committee".to_owned(),
            "committee.closed" => "closed a committee".to_owned(),
            "committee.joined" => format!("put {them} on {a_committee}"),
            "committee.left" => format!("took {them} off {a_committee}"),
            "committee.remit_set" => "said what a committee is for".to_owned(),
            "committee.chair_chosen" if whom == Some("you") => {
                format!("chose you to chair {a_committee}")
            }
            "committee.chair_chosen" => format!("said who chairs {a_committee}"),
            "declaration.made" => format!("declared {theirs} interests"),
            "dbs_check.recorded" => format!("recorded {theirs} DBS check"),
            "training.recorded" => format!("recorded {theirs} training"),
            "session.opened" => "signed in".to_owned(),
            "session.closed" => "signed out".to_owned(),
            "password.changed" => "changed their password".to_owned(),
            "password.reset" => "chose a new password by a link".to_owned(),
            "reset.asked" => format!("sent {them} a link to choose a new password"),
            "factor.enrolled" => "set up their second step".to_owned(),
            "factor.codes_replaced" => "made new recovery codes".to_owned(),
            "factor.recovered" => "signed in with a recovery code".to_owned(),
            "factor.reset" => "took away a lost second step".to_owned(),
            "account.unlocked" => "lifted a lock after too many attempts".to_owned(),
            "tenant.opened" => "opened this place".to_owned(),
            "tenant.factor_rule_set" => "said who must have a second step".to_owned(),
            "board.rule_set" => "said by which rule the quorum is counted".to_owned(),
            "audit.exported" => "took a copy of the log".to_owned(),
            "folder.opened" => "made a folder".to_owned(),
            "folder.renamed" => {
                "changed the name of a folder, what it is for, or whether it may be printed"
                    .to_owned()
            }
            "folder.archived" => "took a folder out of use".to_owned(),
            "folder.reopened" => "took a folder into use again".to_owned(),
            "folder.reader_added" if whom.is_some() => format!("let {them} read {a_folder}"),
            "folder.reader_added" => format!("said who else reads {a_folder}"),
            "folder.reader_removed" if whom.is_some() => format!("took {a_folder} from {them}"),
            "folder.reader_removed" => format!("said who reads {a_folder} no more"),
            "folder.change_asked" => format!("asked to change who reads {a_folder}"),
            "folder.change_dropped" => format!("dropped a change to who reads {a_folder}"),
            "document.added" => format!("added {a_paper}"),
            "document.version_added" => format!("added a new version of {a_paper}"),
            "document.version_restored" => format!("brought back an older version of {a_paper}"),
            "document.described" => format!("changed what is said of {a_paper}"),
            "document.moved" => format!("moved {a_paper} to another folder"),
            "document.archived" => format!("took {a_paper} out of use"),
            "document.reinstated" => format!("took {a_paper} into use again"),
            "document.binned" => format!("put {a_paper} into the bin"),
            "document.unbinned" => format!("took {a_paper} out of the bin"),
            "document.purged" => "deleted a document that lay in the bin for 30 days".to_owned(),
            "document.opened" => format!("opened {a_paper}"),
            "document.copy_made" => format!("made a copy for reading of {a_paper}"),
            "document.copy_failed" => format!("could not make a copy for reading of {a_paper}"),
            "approval.asked" => format!("asked for the approval of {a_paper}"),
            "approval.agreed" => format!("agreed to {a_paper}{in_place}"),
            "approval.objected" => format!("objected to {a_paper}{in_place}"),
            "approval.abstained" => format!("abstained about {a_paper}{in_place}"),
            "approval.answer_withdrawn" => format!("took back an answer about {a_paper}"),
            "approval.closed" => format!("closed the approval of {a_paper}"),
            "approval.withdrawn" => format!("withdrew the request to approve {a_paper}"),
            "approval.nudged" => format!("reminded {them} that {a_paper} waits for an answer"),
            "approval.stand_in_called" => {
                format!("called {them} to stand in for the approval of {a_paper}")
            }
            "question.asked" => format!("asked or remarked something about {a_paper}"),
            "question.put" => {
                format!("asked or remarked something about {a_paper}, to named people")
            }
            "question.replied" => format!("replied to a question about {a_paper}"),
            "question.answered" => format!("answered a question about {a_paper}"),
            "question.reopened" => format!("opened a question about {a_paper} again"),
            "question.withdrawn" => format!("took back a question about {a_paper}"),
            "note.kept" => "kept a note".to_owned(),
            "note.dropped" => "threw a note away".to_owned(),
            "pupil.added" => "put a pupil on the roll".to_owned(),
            "pupil.corrected" => "corrected what the roll says of a pupil".to_owned(),
            "pupil.left" => "recorded that a pupil left".to_owned(),
            "pupil.returned" => "took a pupil onto the roll again".to_owned(),
            "pupil.removed" => "took a pupil off the roll who was there by mistake".to_owned(),
            "pupil.rolled_over" => "moved the roll up for a new school year".to_owned(),
            "pupil.rolled_back" => "undid moving the roll up for a new school year".to_owned(),
            "pupil.sought" => "looked for a pupil beyond their caseload, and said why".to_owned(),
            "pupil.opened" => {
                "opened a pupil’s records beyond their caseload, and said why".to_owned()
            }
            "pupil.closed" => {
                format!(
                    "closed a pupil’s records, which {them} had opened for a reason, after an hour"
                )
            }
            "group.opened" => "made a class or registration group".to_owned(),
            "group.renamed" => "renamed a class or registration group".to_owned(),
            "group.closed" => "closed a class or registration group".to_owned(),
            "group.joined" => "put a pupil into a class or registration group".to_owned(),
            "group.left" => "took a pupil out of a class or registration group".to_owned(),
            "caseload.given" => format!("put pupils on {theirs} caseload"),
            "caseload.ended" => format!("took pupils off {theirs} caseload"),
            "guardian.linked" => format!("linked {them} to a child"),
            "guardian.unlinked" => "ended a parent’s link to a child".to_owned(),
            "restriction.made" => "recorded a contact restriction".to_owned(),
            "restriction.lifted" => "lifted a contact restriction".to_owned(),
            "record.checked_in" => "checked in with pupils".to_owned(),
            "record.observed" => "wrote an observation of a pupil".to_owned(),
            "record.conversed" => "put down a conversation about a pupil".to_owned(),
            "record.planned" => "made a plan for a pupil".to_owned(),
            "record.intervened" => "recorded an intervention for a pupil".to_owned(),
            "record.scored" => "entered a pupil’s scores of an instrument".to_owned(),
            "record.revised" => "revised a record of a pupil, and said why".to_owned(),
            "record.withdrawn" => "withdrew a record of a pupil, and said why".to_owned(),
            "record.put_on_record" => "put an entry on record for a pupil’s parents".to_owned(),
            "record.taken_back" => {
                "took back an entry before a pupil’s parents could see it".to_owned()
            }
            "record.taken_off" => "took an entry off a pupil’s record, and said why".to_owned(),
            "record.opened" if whom == Some("you") => {
                "showed you what is new on record for your child".to_owned()
            }
            "record.opened" => format!("showed {them} what is new on record for their child"),
            "record.rule_set" => "set how entries are put on record for parents".to_owned(),
            "statement.made" => "made a statement to an entry about their child".to_owned(),
            "picture.released" => {
                "looked at the school’s picture first, which made that day’s".to_owned()
            }
            "roster.read" => "read a roster, which nothing was taken from yet".to_owned(),
            "roster.settled" => "said of a line of a roster which pupil it is of".to_owned(),
            "roster.dropped" => "dropped a roster that nothing was taken from".to_owned(),
            "roster.imported" => "took pupils and changes from a roster".to_owned(),
            "roster.undone" => "undid what was taken from a roster".to_owned(),
            "field.switched_on" => "switched on a field that is kept of pupils".to_owned(),
            "field.switched_off" => {
                "switched off a field that was kept of pupils, and deleted it".to_owned()
            }
            "tag.set" => "set what is known of a pupil’s circumstances".to_owned(),
            "tag.removed" => "took away what was known of a pupil’s circumstances".to_owned(),
            "tag.renewed" => {
                "renewed what is known of pupils’ circumstances for a school year".to_owned()
            }
            "tag.expired" => {
                "ended what was known of pupils’ circumstances with the school year".to_owned()
            }
            "access.reviewed" => {
                "signed a week’s list of unusual looks at pupils’ records".to_owned()
            }
            "access.noted" => {
                "added to what was said of a list of unusual looks at pupils’ records".to_owned()
            }
            "duty.given" if whom == Some("you") => {
                "said that you answer for safeguarding or data protection".to_owned()
            }
            "duty.given" => format!("said that {them} answer for safeguarding or data protection"),
            // As it is recorded, where a newer version has acts that this one has no words for.
            other => format!("did “{other}”"),
        }
    }

    /// To whom it was done, where that is somebody else.
    fn whom<'a>(by: &Who, about: Option<&'a Who>) -> Option<&'a str> {
        about
            .filter(|about| about.id != by.id)
            .map(|about| about.name.as_str())
    }

    /// The first digits of a hash, enough to tell two lines apart by eye and to check a receipt with.
    fn short(hash: &str) -> String {
        hash.chars().take(12).collect()
    }

    /// `/audit`
    pub async fn timeline(
        read: &mut Read,
        around: &Around,
        asked: &Asked,
    ) -> Result<Drawing, Refusal> {
        let day = |name: &str| {
            let typed = asked.query(name);
            if typed.trim().is_empty() {
                return (None, None);
            }
            match domain::day::parse(typed) {
                Ok(day) => (Some(day), None),
                Err(refusal) => (None, Some(refusal)),
            }
        };
        let ((from, bad_from), (to, bad_to)) = (day("from"), day("to"));
        let filter = Filter {
            by: Uuid::try_parse(asked.query("by")).ok(),
            about: Uuid::try_parse(asked.query("about")).ok(),
            kind: Kind::from_code(asked.query("kind")),
            from,
            to,
        };
        let before: Option<Seq> = asked.query("before").parse().ok();
        let timeline = domain::audit::timeline(read, &filter, before).await?;
        let people = domain::membership::list(read).await?;
        let filtered = filter != Filter::default();
        let rows = timeline.entries.len();
        let head = read.standing.seq;
        let caption = match rows {
            0 => "Nothing matches.".to_owned(),
            n if timeline.older.is_some() => format!("The newest {n} that match, newest first."),
            n if before.is_some() => format!("The last {n} that match, newest first."),
            n => format!("{}, newest first.", counted(n, "line", "lines")),
        };
        let older = timeline.older.map(|older| {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(
                    ["by", "about", "kind", "from", "to"]
                        .into_iter()
                        .filter(|name| !asked.query(name).is_empty())
                        .map(|name| (name, asked.query(name))),
                )
                .append_pair("before", &older.to_string())
                .finish();
            format!("/audit?{query}")
        });
        let person_choice = |name: &'static str, label: &'static str, any: &'static str| {
            let chosen = asked.query(name).to_owned();
            view! {
                <div class="field fixed">
                    <label for=name>{label}</label>
                    <select id=name name=name>
                        <option value="" selected=chosen.is_empty()>{any}</option>
                        {people.iter().map(|person| {
                            let id = person.id.to_string();
                            view! { <option value=id.clone() selected=id == chosen>{person.name.clone()}</option> }
                        }).collect_view()}
                    </select>
                </div>
            }
        };
        let date = |name: &'static str, label: &'static str, wrong: Option<Refusal>| {
            let error = format!("{name}-error");
            view! {
                <div class="field fixed">
                    <label for=name>{label}</label>
                    {wrong.as_ref().map(|wrong| view! {
                        <p class="error" id=error.clone()><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong.to_string()}</span></p>
                    })}
                    <input id=name name=name type=if wrong.is_some() { "text" } else { "date" } value=asked.query(name).to_owned()
                        aria-invalid=wrong.is_some().then_some("true") aria-describedby=wrong.is_some().then(|| error.clone()) />
                </div>
            }
        };
        let page = view! {
            <Heading title="The log" lead=format!("Everything that was done at {}: {}, none of which can be changed or taken out.", around.place, counted(usize::try_from(head).unwrap_or_default(), "line", "lines")) />
            <section class="card">
                <form class="filter" method="get" action="/audit">
                    {person_choice("by", "Done by", "Anybody")}
                    {person_choice("about", "Done to", "Anybody")}
                    <div class="field fixed">
                        <label for="kind">"About"</label>
                        <select id="kind" name="kind">
                            <option value="" selected=filter.kind.is_none()>"Everything"</option>
                            {Kind::ALL.iter().map(|kind| view! {
                                <option value=kind.code() selected=filter.kind == Some(*kind)>{kind.name()}</option>
                            }).collect_view()}
                        </select>
                    </div>
                    {date("from", "From", bad_from)}
                    {date("to", "To", bad_to)}
                    <button class="button"><Icon name="search" />"Show"</button>
                    {filtered.then(|| view! { <a class="button quiet" href="/audit">"Show everything"</a> })}
                </form>
                {if rows == 0 {
                    view! {
                        <div class="empty"><Icon name="history" /><h2>"Nothing matches"</h2><p>"Try a longer time, or leave out one of the choices."</p></div>
                    }.into_any()
                } else {
                    view! {
                        <table class="table log">
                            <caption>{caption}</caption>
                            <thead><tr>
                                <th scope="col">"What was done"</th><th scope="col">"When"</th><th scope="col">"Line"</th><th scope="col">"Hash"</th>
                            </tr></thead>
                            <tbody>{timeline.entries.into_iter().map(row).collect_view()}</tbody>
                        </table>
                    }.into_any()
                }}
                {older.map(|older| view! {
                    <nav class="pager" aria-label="Older lines"><a class="button" rel="next" href=older>"Older lines"</a></nav>
                })}
            </section>
            {copy()}
        };
        Ok(Drawing {
            title: "The log".to_owned(),
            page: page.into_any(),
        })
    }

    fn row(entry: Entry) -> impl IntoView {
        let Entry {
            seq,
            at,
            act,
            by,
            about,
            hash,
        } = entry;
        let done = words(&act, whom(&by, about.as_ref()), None);
        view! {
            <tr>
                <th scope="row"><a class="open" href=format!("/audit/{seq}")><span><b>{by.name}</b> " " {done}</span></a></th>
                <td data-label="When"><Moment at=at /></td>
                <td data-label="Line">{seq}</td>
                <td data-label="Hash"><code>{short(&hash)}</code></td>
            </tr>
        }
    }

    /// Where one takes a copy of the log that can be checked without us.
    fn copy() -> impl IntoView {
        view! {
            <section class="card narrow" aria-labelledby="copy">
                <header><h2 id="copy">"Take a copy that can be checked"</h2></header>
                <div class="body">
                    <p>"One file with every line of a period and our signatures. The small program quorate-verify checks it without us. That a copy was taken is written into the log."</p>
                    <form class="form" method="post" action="/audit/export">
                        <div class="field"><label for="copy-from">"From"</label><input class="short" id="copy-from" name="from" type="date" /></div>
                        <div class="field"><label for="copy-to">"To"</label><input class="short" id="copy-to" name="to" type="date" /></div>
                        <p class="hint">"Leave both empty for the whole log."</p>
                        <div class="actions"><button class="button">"Download"</button></div>
                    </form>
                </div>
            </section>
        }
    }

    /// `/audit/:seq`: one line whole; of a removal or a suspension, the receipt.
    pub async fn entry(
        read: &mut Read,
        around: &Around,
        asked: &Asked,
        seq: &str,
    ) -> Result<Drawing, Refusal> {
        let seq: Seq = seq.parse().map_err(|_| Refusal::NotFound)?;
        let EntryDetail {
            entry,
            prev,
            detail,
            receipt,
        } = domain::audit::entry(read, seq).await?;
        let about = entry.about.clone();
        let whom = about.as_ref().map(|who| who.name.as_str());
        let title = match (&receipt, whom) {
            (Some(_), Some(name)) if entry.act == "membership.removed" => {
                format!("Receipt: {name} was removed")
            }
            (Some(_), Some(name)) => format!("Receipt: {name} was suspended"),
            _ => format!("Line {seq} of the log"),
        };
        let done = (asked.query("done") == "removed").then(|| {
            format!(
                "{} is removed. Everything of theirs that was open here has ended.",
                whom.unwrap_or("This person")
            )
        });
        let name = |who: Who| match who.id {
            Some(id) => view! { <a href=format!("/people/{id}")>{who.name}</a> }.into_any(),
            None => who.name.into_any(),
        };
        let recorded = serde_json::to_string_pretty(&detail).unwrap_or_default();
        let host = door::host().map_err(|refused| refused.0)?;
        let page = view! {
            {crumbs(vec![("/audit".to_owned(), "The log".to_owned())])}
            {done.map(|text| view! { <Notice text=text /> })}
            <Heading title=title.clone() lead=format!("{} {}.", entry.by.name, words(&entry.act, self::whom(&entry.by, about.as_ref()), None))>
                <button class="button needs-script" type="button" data-print="">"Print"</button>
            </Heading>
            {receipt.map(|receipt| ended(receipt, &around.place))}
            <section class="card narrow" aria-labelledby="line">
                <header><h2 id="line">"What was recorded"</h2></header>
                <div class="body">
                    <dl class="details">
                        <div><dt>"Where"</dt><dd>{around.place.clone()} " (" {host.label} ")"</dd></div>
                        <div><dt>"When"</dt><dd><Moment at=entry.at.clone() /></dd></div>
                        <div><dt>"Done by"</dt><dd>{name(entry.by)}</dd></div>
                        {about.map(|who| view! { <div><dt>"Done to"</dt><dd>{name(who)}</dd></div> })}
                        <div><dt>"Act"</dt><dd><code>{entry.act.clone()}</code></dd></div>
                        <div><dt>"Line"</dt><dd>{seq}</dd></div>
                        <div><dt>"Hash"</dt><dd><code class="hash">{entry.hash.clone()}</code></dd></div>
                        <div><dt>"Hash before it"</dt><dd><code class="hash">{prev}</code></dd></div>
                        <div><dt>"Details"</dt><dd><code class="recorded">{recorded}</code></dd></div>
                    </dl>
                    <p class="muted">
                        "Keep this page: whoever has a copy of the log can check that this line is in it, and that nothing before it was changed, with "
                        <code>{format!("quorate-verify --head {seq}:{}", short(&entry.hash))}</code> "."
                    </p>
                </div>
            </section>
        };
        Ok(Drawing {
            title,
            page: page.into_any(),
        })
    }

    /// What ended, each with its count, also where it is nought: that nothing was open is worth a line on paper.
    fn ended(receipt: Receipt, place: &str) -> impl IntoView + use<> {
        let rows = [
            ("Devices signed out", receipt.sessions),
            ("Invitations that stopped working", receipt.invitations),
            (
                "Links to choose a password that stopped working",
                receipt.resets,
            ),
            ("Letters that waited and are not sent", receipt.letters),
            (
                "Ways over from another school that stopped working",
                receipt.tickets,
            ),
            ("Terms of office that ended", receipt.terms),
            ("Places on committees that ended", receipt.committees),
        ];
        view! {
            <section class="card narrow" aria-labelledby="ended">
                <header><h2 id="ended">"What ended"</h2></header>
                <div class="body">
                    <p>{format!("All of this ended at {place} in one step, before anything else could be done with it.")}</p>
                    <dl class="details counts">
                        {rows.into_iter().map(|(what, count)| view! { <div><dt>{what}</dt><dd>{count}</dd></div> }).collect_view()}
                    </dl>
                </div>
            </section>
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::words;

    #[test]
    fn every_act_has_words_and_a_kind_to_look_for_it_by() {
        // The inventory of acts: each with who hears of it, which a test of the domain holds to the acts that are written.
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/application");
        let mut acts = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for part in text.split("('").skip(1) {
                if let Some((act, rest)) = part.split_once("', '")
                    && act.contains('.')
                    && [
                        "person", "chair", "keeper", "board", "reader", "owner", "asker", "hearer",
                        "filer", "nobody",
                    ]
                    .iter()
                    .any(|hears| rest.starts_with(&format!("{hears}')")))
                {
                    acts.push(act.to_owned());
                }
            }
        }
        assert!(acts.len() > 50, "{acts:?}");
        for act in acts {
            assert!(!words(&act, None, None).contains('“'), "{act} has no words");
            assert!(domain::audit::Kind::of(&act).is_some(), "{act} has no kind");
        }
    }

    #[test]
    fn what_was_done_to_the_reader_is_told_to_the_reader() {
        let told = |act, committee| words(act, Some("you"), committee);
        assert_eq!(told("membership.renamed", None), "changed your name");
        assert_eq!(
            told("committee.chair_chosen", Some("Premises")),
            "chose you to chair the committee Premises"
        );
        assert_eq!(
            words("committee.left", Some("Aoife Keyes"), None),
            "took Aoife Keyes off a committee"
        );
    }
}
