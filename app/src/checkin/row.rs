//! `/check-in`: the form for a row of pupils. Which domains are asked for is chosen on the page itself, so that nothing typed is lost by
//! it; the keys are those of `public/checkin/checkin.js`.

use domain::{
    Refusal, day,
    db::Read,
    pupil as roll,
    wellbeing::{
        Domain, Fault, Level,
        caseload::{self, Latest, Order, Which},
        record::{BODY_MOST, PUPILS_MOST},
    },
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{caseload::where_taught, whom};
use crate::{
    door,
    form::{Act, Echo, Field, TextArea},
    membership::crumbs,
    pupil::{staff_only, to_pupils},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, counted},
    wellbeing::note::{self, NoteArea, Reminder},
};

/// The form's server function.
const ACT: &str = "pupils/check-in";

/// A pupil of the row, with what was typed about them before it was refused.
struct One {
    latest: Latest,
    /// Domain and level, as they were sent.
    levels: Vec<(Domain, String)>,
    note: String,
    wrong: Option<&'static str>,
}

/// The row, and what was typed about those who are not in it any more.
struct Row {
    ones: Vec<One>,
    lost: Vec<String>,
    /// How many were asked for, where that is more than one row holds.
    of: Option<usize>,
}

/// `/check-in`
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    staff_only(around)?;
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of(ACT);
    let row = if refusal.is_some() {
        again(read, &echo).await?
    } else {
        match asked_for(read, around, asked).await? {
            Some(row) if !row.ones.is_empty() => row,
            gone => return whom::page(read, around, gone.is_some()).await,
        }
    };
    let chosen = domains(read, &row, &echo).await?;
    let title = match &row.ones[..] {
        [] => "Check in".to_owned(),
        [one] => format!("Check in with {}", one.latest.called),
        many => format!(
            "Check in with {}",
            counted(many.len(), "pupil", "pupils").to_lowercase()
        ),
    };
    let wrong = faults(refusal.as_ref(), &row);
    let of = row.of.map(|of| {
        format!("They are {of}, and one row holds {PUPILS_MOST}: here are those who have not been seen for longest. The others come next.")
    });
    let pupils: Vec<_> = row
        .ones
        .iter()
        .enumerate()
        .map(|(n, one)| pupil(n, one))
        .collect();
    let lost = row.lost;
    let lead = note::lead(read).await?;
    let page = view! {
        {crumbs(vec![to_pupils(around), ("/check-in".to_owned(), "Check in".to_owned())])}
        <Heading title=title.clone() lead="As they seem to you: what you saw, not why. Leave out whom you did not see." />
        {(!wrong.is_empty()).then(|| summary(wrong))}
        {(!lost.is_empty()).then(|| left_over(lost))}
        {of.map(|text| view! { <div class="notice wait" role="note"><Icon name="info" /><p>{text}</p></div> })}
        {(!pupils.is_empty()).then(|| view! {
            <Reminder lead=lead />
            <form class="check-in" method="post" data-checkin="">
                <Act name=ACT />
                {which(&chosen)}
                {ladders()}
                <ol role="list" class="row-of-pupils">{pupils}</ol>
                {when(&echo, refusal.as_ref())}
                <div class="actions save">
                    <button class="button primary">"Save the check-in"</button>
                    <a class="button" href="/caseload">"Cancel"</a>
                </div>
            </form>
        })}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// Those that the address asks for; none where it asks for nobody.
async fn asked_for(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
) -> Result<Option<Row>, Refusal> {
    let most = usize::from(PUPILS_MOST);
    let school = roll::sees_school(&around.roles);
    let ticked = asked.every("pupil");
    let (year, group) = (
        roll::year::YearGroup::from_code(asked.query("year")),
        Uuid::try_parse(asked.query("group")).ok(),
    );
    let unseen = asked.query("who") == "unseen";
    let which = if ticked.is_empty() {
        // Of a whole school nobody makes one row.
        let mine =
            roll::has_caseload(&around.roles) && (!school || asked.query("whose") != "school");
        if year.is_none() && group.is_none() && !(mine && unseen) {
            return Ok(None);
        }
        Which {
            mine: mine && (unseen || !school),
            year,
            group,
            unseen,
            ..Which::default()
        }
    } else {
        let ids = ticked.iter().filter_map(|id| Uuid::try_parse(id).ok());
        Which {
            pupils: Some(ids.collect()),
            ..Which::default()
        }
    };
    let listed = caseload::latest(read, &which, Order::Row, 1, door::today()).await?;
    let of = (listed.matching > most).then_some(listed.matching);
    let ones = listed.rows.into_iter().map(|latest| One {
        latest,
        levels: vec![],
        note: String::new(),
        wrong: None,
    });
    Ok(Some(Row {
        ones: ones.collect(),
        lost: vec![],
        of,
    }))
}

/// The row that was refused, in its own order and with all that was typed.
async fn again(read: &mut Read, echo: &Echo) -> Result<Row, Refusal> {
    let sent: Vec<(&str, Option<Uuid>)> = echo
        .fields
        .iter()
        .filter_map(|(name, id)| {
            let key = name.strip_prefix("pupils[")?.strip_suffix(']')?;
            Some((key, Uuid::try_parse(id).ok()))
        })
        .collect();
    let which = Which {
        pupils: Some(sent.iter().filter_map(|(_, id)| *id).collect()),
        ..Which::default()
    };
    let mut seen = caseload::latest(read, &which, Order::Surname, 1, door::today())
        .await?
        .rows;
    let (mut ones, mut lost) = (vec![], vec![]);
    for (key, id) in sent {
        let note = echo.value(&format!("notes[{key}]")).unwrap_or_default();
        let Some(at) = seen.iter().position(|one| Some(one.pupil) == id) else {
            if !note.trim().is_empty() {
                lost.push(note);
            }
            continue;
        };
        let levels: Vec<(Domain, String)> = Domain::ALL
            .into_iter()
            .filter_map(|domain| {
                let level = echo.value(&format!("levels[{key}][{}]", domain.code()))?;
                (!level.is_empty()).then_some((domain, level))
            })
            .collect();
        let empty = note.trim().is_empty();
        let wrong = if levels.is_empty() && !empty {
            Some("Choose a level too, or take the note away.")
        } else if domain::text::block(&note, BODY_MOST).is_err() {
            Some(
                "The note is longer than 4,000 characters or has hidden ones. Shorten it, or type it anew.",
            )
        } else {
            None
        };
        ones.push(One {
            latest: seen.swap_remove(at),
            levels,
            note,
            wrong,
        });
    }
    Ok(Row {
        ones,
        lost,
        of: None,
    })
}

/// The domains that are open to begin with: those that were chosen before a refusal, else those of the last check-in.
async fn domains(read: &mut Read, row: &Row, echo: &Echo) -> Result<Chosen, Refusal> {
    let sent = echo.values("domains");
    if echo.of(ACT).is_some() {
        return Ok(Chosen {
            all: sent.iter().any(|code| code == "all"),
            domains: sent
                .iter()
                .filter_map(|code| Domain::from_code(code))
                .collect(),
        });
    }
    let pupils: Vec<Uuid> = row.ones.iter().map(|one| one.latest.pupil).collect();
    let mut domains = caseload::domains_before(read, &pupils).await?;
    if domains.is_empty() {
        domains.push(Domain::Settled);
    }
    let all = domains.len() == Domain::ALL.len();
    Ok(Chosen { all, domains })
}

struct Chosen {
    all: bool,
    domains: Vec<Domain>,
}

/// What was not right, each with the place that it is about.
fn faults(refusal: Option<&Refusal>, row: &Row) -> Vec<(Option<String>, String)> {
    let Some(refusal) = refusal else {
        return vec![];
    };
    let mut wrong: Vec<(Option<String>, String)> = row
        .ones
        .iter()
        .enumerate()
        .filter_map(|(n, one)| {
            Some((
                Some(format!("pupil-{n}")),
                format!("{}: {}", one.latest.called, one.wrong?),
            ))
        })
        .collect();
    if !wrong.is_empty() {
        return wrong;
    }
    wrong.push(match refusal {
        Refusal::NotFound => (
            None,
            "Nothing was saved: one of the pupils is not yours to see any more. The others are as you left them; save them again.".to_owned(),
        ),
        Refusal::Wellbeing(Fault::NoLevel) => (
            row.ones.first().map(|_| "pupil-0".to_owned()),
            "Choose a level for at least one pupil. Those without any are left out.".to_owned(),
        ),
        refusal if of_time(refusal) => (Some("happened_at".to_owned()), refusal.to_string()),
        other => (None, other.to_string()),
    });
    wrong
}

fn of_time(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::DateFormat | Refusal::Pupil(roll::Fault::Time) | Refusal::Wellbeing(Fault::Ahead)
    )
}

fn summary(wrong: Vec<(Option<String>, String)>) -> impl IntoView {
    let lines: Vec<_> = wrong
        .into_iter()
        .map(|(place, text)| match place {
            Some(id) => {
                view! { <li><a href=format!("#{id}") rel="external">{text}</a></li> }.into_any()
            }
            None => view! { <li>{text}</li> }.into_any(),
        })
        .collect();
    view! {
        <div class="errors" role="alert" tabindex="-1" aria-labelledby="errors-title">
            <h2 id="errors-title">"This was not done"</h2>
            <ul role="list">{lines}</ul>
        </div>
    }
}

/// What somebody wrote about pupils who are not theirs to see any more: their own words, without the names.
fn left_over(lost: Vec<String>) -> impl IntoView {
    let texts: Vec<_> = lost
        .into_iter()
        .enumerate()
        .map(|(n, text)| view! { <TextArea name=format!("lost-{n}") label="What you wrote" value=text most=u32::from(BODY_MOST) /> })
        .collect();
    view! {
        <section class="card" aria-labelledby="lost">
            <header><h2 id="lost">"Not saved, and not to be saved here"</h2></header>
            <div class="body"><p>"You wrote this about a pupil who is not on your caseload any more. Copy it if it is needed, and give it to who teaches them."</p>{texts}</div>
        </section>
    }
}

/// Which domains the row is about.
fn which(chosen: &Chosen) -> impl IntoView + use<> {
    let boxes: Vec<_> = Domain::ALL
        .into_iter()
        .map(|domain| {
            let checked = chosen.domains.contains(&domain);
            view! {
                <label class="choice" title=domain.look()>
                    <input type="checkbox" name="domains[]" value=domain.code() checked=checked />{domain.name()}
                </label>
            }
        })
        .collect();
    view! {
        <fieldset class="which">
            <legend>"About"</legend>
            <div class="choices">
                {boxes}
                <label class="choice"><input type="checkbox" name="domains[]" value="all" checked=chosen.all />"All eight"</label>
            </div>
        </fieldset>
    }
}

/// What an adult sees at each level, of the domains that are chosen; and the keys, where there is a script to hear them.
fn ladders() -> impl IntoView {
    let ladders: Vec<_> = Domain::ALL
        .into_iter()
        .map(|domain| {
            let steps: Vec<_> = Level::ALL
                .into_iter()
                .map(|level| view! { <li><span class="cell" data-level=level.to_string()>{level.to_string()}</span> {domain.seen(level)}</li> })
                .collect();
            view! {
                <section class="ladder" data-domain=domain.code() aria-label=format!("Levels of {}", domain.name())>
                    <h2>{domain.name()} " " <small>{domain.look()}</small></h2>
                    <ol role="list">{steps}</ol>
                </section>
            }
        })
        .collect();
    view! {
        <div class="helps">
            <details class="help"><summary>"What the levels mean"</summary><div class="ladders">{ladders}</div></details>
            <details class="help keys"><summary>"Keys"</summary>
                <dl>
                    <div><dt><kbd>"1"</kbd>"–"<kbd>"5"</kbd></dt><dd>"choose a level and go on"</dd></div>
                    <div><dt><kbd>"↑"</kbd>" "<kbd>"↓"</kbd></dt><dd>"the one before, the next one"</dd></div>
                    <div><dt><kbd>"←"</kbd>" "<kbd>"→"</kbd></dt><dd>"a level lower, a level higher"</dd></div>
                    <div><dt><kbd>"0"</kbd>" or "<kbd>"Backspace"</kbd></dt><dd>"take the level away"</dd></div>
                    <div><dt><kbd>"n"</kbd></dt><dd>"write a note; "<kbd>"Esc"</kbd>" goes back"</dd></div>
                    <div><dt><kbd>"Enter"</kbd></dt><dd>"save all of them"</dd></div>
                    <div><dt><kbd>"?"</kbd></dt><dd>"show these keys"</dd></div>
                </dl>
            </details>
        </div>
    }
}

fn pupil(n: usize, one: &One) -> impl IntoView + use<> {
    let called = one.latest.called.clone();
    let scales: Vec<_> = Domain::ALL
        .into_iter()
        .map(|domain| {
            let chosen = one.levels.iter().find(|(of, _)| *of == domain);
            scale(
                n,
                domain,
                chosen.map_or("", |(_, level)| level.as_str()),
                &called,
            )
        })
        .collect();
    let (wrong_id, note) = (format!("pupil-{n}-error"), one.note.clone());
    let wrong = one.wrong.map(|wrong| {
        view! {
            <p class="error" id=wrong_id><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p>
        }
    });
    let has_note = !note.is_empty();
    view! {
        <li class="pupil" id=format!("pupil-{n}") tabindex="-1" data-error=one.wrong.map(|_| "")>
            <input type="hidden" name=format!("pupils[{n}]") value=one.latest.pupil.to_string() />
            <div class="whom"><h2>{called.clone()}</h2><small>{where_taught(&one.latest)}</small>{wrong}</div>
            <div class="scales">{scales}</div>
            <details class="note" open=has_note>
                <summary>"Note" <span class="hidden-text">" about " {called.clone()}</span></summary>
                <NoteArea name=format!("notes[{n}]") id=format!("note-{n}") label=format!("Note about {called}") value=note rows=2
                    most=u32::from(BODY_MOST) hint="It stays inside the school unless somebody puts it on record." />
            </details>
        </li>
    }
}

/// Five levels of one domain, and none of them; what each means stands under the one that is chosen.
fn scale(n: usize, domain: Domain, chosen: &str, called: &str) -> impl IntoView + use<> {
    let name = format!("levels[{n}][{}]", domain.code());
    let none = chosen.is_empty();
    let steps: Vec<_> = Level::ALL
        .into_iter()
        .map(|level| {
            let number = level.to_string();
            let checked = number == chosen;
            view! {
                <label data-level=number.clone()>
                    <input type="radio" name=name.clone() value=number.clone() checked=checked />
                    <b>{number.clone()}</b><span class="says">{domain.seen(level)}</span>
                </label>
            }
        })
        .collect();
    view! {
        <fieldset class="scale" data-domain=domain.code()>
            <legend>{domain.name()} " " <small>{domain.look()}</small><span class="hidden-text">", " {called.to_owned()}</span></legend>
            <div class="steps">
                <label><input type="radio" name=name.clone() value="" checked=none /><b aria-hidden="true">"–"</b><span class="says">"Left out"</span></label>
                {steps}
            </div>
        </fieldset>
    }
}

/// Today and now, or an earlier time.
fn when(echo: &Echo, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let typed = |name: &str| refusal.and_then(|_| echo.value(name));
    let now = door::now().ok().map(day::in_england);
    let on = typed("happened_on").unwrap_or_else(|| day::field(door::today()));
    let at = typed("happened_time").unwrap_or_else(|| {
        now.map(|now| format!("{:02}:{:02}", now.hour(), now.minute()))
            .unwrap_or_default()
    });
    let wrong = refusal
        .filter(|refusal| of_time(refusal))
        .map(ToString::to_string);
    let (is_wrong, described) = match &wrong {
        Some(_) => (Some(""), Some("happened_at-error")),
        None => (None, None),
    };
    view! {
        <details class="when-it-was" open=is_wrong.is_some()>
            <summary>"Today, just now" <span class="hidden-text">": enter another time"</span></summary>
            <fieldset class="field when" id="happened_at" tabindex="-1" data-error=is_wrong aria-describedby=described>
                <legend>"When it was"</legend>
                {wrong.map(|wrong| view! {
                    <p class="error hint" id="happened_at-error"><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p>
                })}
                <Field name="happened_on" label="Day" kind="date" optional=true value=on />
                <Field name="happened_time" label="Time" most=5 optional=true value=at />
            </fieldset>
        </details>
    }
}
