//! `/roster/:import`: what a roster would change and what is wrong with it, until somebody takes it in or throws it away; and after
//! that, what was taken.

use domain::{
    Refusal,
    db::Read,
    roster::{
        difference::{self, Absent, ROWS, Teacher},
        import::{self, Import, State, UNDO_DAYS, Verdict},
        plan::{self, Fate},
        taking::Taken,
    },
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{
    column,
    difference::{filter, table},
    list::{stands, taken},
    pager, to_rosters,
};
use crate::{
    door,
    form::{Act, Echo, Field, ProofBeside, Refusals, id_of},
    membership::crumbs,
    pupil::{keepers_only, to_pupils},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Moment, Notice, counted},
};

/// `/roster/:import`
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let one = import::one(read, id_of(id)?).await?;
    let columns = plan::columns(read, one.id).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.refusal.clone();
    let done = match asked.query("done") {
        "read" => Some("The file has been read. Nothing is on the roll yet."),
        "settled" => Some("Your answer is kept."),
        "compared" => Some("Compared with the roll as it is now."),
        "left" => Some("It is recorded that they left."),
        "undone" => Some("What was taken from this roster is undone."),
        _ => None,
    };
    let just_taken: Option<Taken> = echo
        .answer_of::<String>("roster/take-in")
        .and_then(|json| serde_json::from_str(&json).ok());
    let title = one.file_name.clone();
    let body = match one.state {
        State::Read => waiting(read, asked, &one, &columns, &echo).await?,
        State::Committed | State::Undone | State::Dropped => {
            over(&one, &columns, just_taken.as_ref())
        }
    };
    let page = view! {
        {crumbs(vec![to_pupils(around), to_rosters()])}
        {done.filter(|_| refusal.is_none()).map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() />
        <p class="roster-stands">{stands(&one)} " Read by " {one.by.clone()} ", " <Moment at=one.at.clone() /></p>
        <Refusals refusal=refusal.clone() />
        <ProofBeside refusal=refusal />
        {body}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// Of one from which nothing was taken yet.
async fn waiting(
    read: &mut Read,
    asked: &Asked,
    one: &Import,
    columns: &[(String, Fate)],
    echo: &Echo,
) -> Result<AnyView, Refusal> {
    let counts = difference::counts(read, one.id).await?;
    let counts: Vec<(Verdict, usize)> = Verdict::ALL
        .iter()
        .map(|verdict| (*verdict, counts.get(verdict).copied().unwrap_or_default()))
        .collect();
    let chosen = Verdict::from_code(asked.query("verdict"));
    let page = number(asked.query("page"));
    let secrets = door::services().secrets;
    let lines = difference::difference(read, &secrets, one.id, chosen, before(page)).await?;
    let gone_page = number(asked.query("gone"));
    let gone = difference::absent(read, one.id, before(gone_page)).await?;
    let teachers = difference::teachers(read, one.id).await?;
    let other = difference::other_school(read, one.id).await?;
    let of = |verdict: Verdict| {
        counts
            .iter()
            .find(|(known, _)| *known == verdict)
            .map_or(0, |(_, many)| *many)
    };
    let (bad, unsure) = (of(Verdict::Bad), of(Verdict::Unsure));
    let view = view! {
        {other.map(|other| view! { <div class="notice bad" role="status"><Icon name="warning" /><p>{other.sentence()}</p></div> })}
        {decide(one.id, of(Verdict::New), of(Verdict::Changed), bad, unsure)}
        <section class="card" id="lines" aria-labelledby="lines-title">
            <header><h2 id="lines-title">"What it would change"</h2></header>
            <div class="filter">{filter(one.id, &counts, chosen)}</div>
            {if lines.rows.is_empty() {
                view! { <div class="empty"><Icon name="search" /><h3>"No such lines"</h3><p>"Choose other lines above."</p></div> }.into_any()
            } else {
                table(one.id, &lines, chosen, page).into_any()
            }}
        </section>
        {unknown_teachers(&teachers)}
        {absent(one.id, gone, gone_page, echo)}
        {columns_card(one.id, columns, true)}
    };
    Ok(view.into_any())
}

/// A page as it stands in an address, from 1.
fn number(asked: &str) -> usize {
    asked.parse().unwrap_or(1).clamp(1, 100_000)
}

/// As the domain counts pages, from 0.
fn before(page: usize) -> u32 {
    u32::try_from(page - 1).unwrap_or_default()
}

/// What can be done with it now.
fn decide(
    import: Uuid,
    new: usize,
    changed: usize,
    bad: usize,
    unsure: usize,
) -> impl IntoView + use<> {
    let nothing = new == 0 && changed == 0;
    let button = match (new, changed) {
        (0, 0) => "Take in".to_owned(),
        (new, 0) => format!("Take in {}", counted(new, "new pupil", "new pupils")),
        (0, changed) => format!("Take in {}", counted(changed, "change", "changes")),
        (new, changed) => format!(
            "Take in {} and {}",
            counted(new, "new pupil", "new pupils"),
            counted(changed, "change", "changes")
        ),
    };
    let lead = if nothing {
        "The roll says so already, as far as the lines can be taken. Taking it in would still put classes on the caseloads of the teachers it names, where they are not yet."
    } else {
        "All of it is taken in at once, or nothing is."
    };
    let left = |many: usize, why: &str| {
        (many > 0).then(|| format!("{} left out: {why}", counted(many, "line is", "lines are")))
    };
    let left_out: Vec<String> = [
        left(bad, "they cannot be taken as they are."),
        left(
            unsure,
            "somebody has to say first whether they are of the pupil of that name.",
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    view! {
        <section class="card narrow" aria-labelledby="decide">
            <header><h2 id="decide">{if nothing { "No pupil would change" } else { "Ready to be taken in" }}</h2></header>
            <div class="body stack">
                <p>{lead} " It can be undone for " {UNDO_DAYS} " days, also after later edits."</p>
                {left_out.into_iter().map(|line| view! { <p>{line}</p> }).collect_view()}
                <div class="actions">
                    <form method="post">
                        <Act name="roster/take-in" />
                        <input type="hidden" name="import" value=import.to_string() />
                        <button class="button" class:primary=!nothing>{button}</button>
                    </form>
                    <form method="post">
                        <Act name="roster/compare" />
                        <input type="hidden" name="import" value=import.to_string() />
                        <button class="button">"Compare again"</button>
                    </form>
                </div>
                {(bad > 0).then(|| view! {
                    <div class="actions"><a class="button" href=format!("/roster/{import}/not-taken.csv") rel="external" download=""><Icon name="download" class="icon small" />"Download the lines that cannot be taken, with a reason each"</a></div>
                    <p class="hint">"Do it before you take the roster in: its lines are deleted then. Put them right in that file and read it as a roster of its own. It holds what your file held, so keep it as you keep that."</p>
                })}
                <details>
                    <summary>"Throw this roster away"</summary>
                    <form class="form" method="post">
                        <Act name="roster/drop" />
                        <input type="hidden" name="import" value=import.to_string() />
                        <p>"Its lines are deleted at once, and nothing is changed on the roll. Otherwise it waits for seven days and goes by itself."</p>
                        <div class="actions"><button class="button danger">"Throw it away"</button></div>
                    </form>
                </details>
            </div>
        </section>
    }
}

fn unknown_teachers(teachers: &[Teacher]) -> Option<AnyView> {
    let unknown: Vec<_> = teachers
        .iter()
        .filter(|teacher| teacher.person.is_none())
        .map(|teacher| view! { <li>{teacher.name.clone()}</li> })
        .collect();
    (!unknown.is_empty()).then(|| {
        view! {
            <section class="card narrow" aria-labelledby="teachers">
                <header><h2 id="teachers">"Teachers who are not known here"</h2></header>
                <div class="body stack">
                    <p>"Nobody here with the role of a teacher is called so, or more than one is. Their classes are made, and go on nobody’s caseload: give them by hand afterwards, or add the teacher and compare again."</p>
                    <ul class="said">{unknown}</ul>
                </div>
            </section>
        }
        .into_any()
    })
}

/// Pupils whom it does not have: perhaps they left.
fn absent(
    import: Uuid,
    (gone, matching): (Vec<Absent>, usize),
    page: usize,
    echo: &Echo,
) -> Option<AnyView> {
    let refusal = echo.of("roster/leavers");
    let chosen = echo.values("pupils");
    let last = refusal
        .as_ref()
        .and_then(|_| echo.value("last"))
        .unwrap_or_default();
    let boxes: Vec<_> = gone
        .into_iter()
        .enumerate()
        .map(|(n, one)| {
            let id = one.id.to_string();
            let checked = chosen.contains(&id);
            view! {
                <label class="option">
                    <input type="checkbox" name=format!("pupils[{n}]") value=id checked=checked />
                    <b>{one.name}</b>
                    <small>"On the roll, and not in this file"</small>
                </label>
            }
        })
        .collect();
    let link = move |page: usize| format!("/roster/{import}?gone={page}#absent");
    (matching > 0).then(|| {
        view! {
            <section class="card narrow" id="absent" aria-labelledby="absent-title">
                <header><h2 id="absent-title">{counted(matching, "pupil is", "pupils are")} " not in this file"</h2></header>
                <div class="body stack">
                    <p>"Perhaps they left. Taking the roster in changes nothing of them. If they did leave, tick them and record their last day."</p>
                    <form class="form" method="post">
                        <Act name="roster/leavers" />
                        <input type="hidden" name="import" value=import.to_string() />
                        <fieldset class="field" id="of">
                            <legend>"Who left"</legend>
                            <div class="options">{boxes}</div>
                        </fieldset>
                        <Field name="last" label="Last day here" kind="date" value=last refusal=refusal />
                        <div class="actions"><button class="button">"Record that they left"</button></div>
                    </form>
                    {pager("Pages of pupils who are not in it", page, matching.div_ceil(ROWS), link)}
                </div>
            </section>
        }
        .into_any()
    })
}

fn columns_card(import: Uuid, columns: &[(String, Fate)], waits: bool) -> AnyView {
    view! {
        <section class="card" aria-labelledby="columns">
            <header><h2 id="columns">"Its columns"</h2></header>
            {column::table(columns)}
            {waits.then(|| view! {
                <div class="body">
                    <details>
                        <summary>"A column is not what it was taken for"</summary>
                        <form class="form" method="post" action="/roster" enctype="multipart/form-data">
                            <p>"Say what each column is, and choose the file again; it was not kept. Your answers are remembered for the next file, and this reading is thrown away when the new one is there."</p>
                            <input type="hidden" name="instead" value=import.to_string() />
                            {column::choices(columns)}
                            {column::file(None)}
                            <div class="actions"><button class="button">"Read the file again"</button></div>
                        </form>
                    </details>
                </div>
            })}
        </section>
    }
    .into_any()
}

/// Of one that is taken in, undone or thrown away.
fn over(one: &Import, columns: &[(String, Fate)], just: Option<&Taken>) -> AnyView {
    let import = one.id;
    let (title, text) = match one.state {
        State::Committed => ("What was taken", format!("{}.", taken(one))),
        State::Undone => (
            "It was undone",
            format!("What had been taken: {}.", taken(one)),
        ),
        State::Dropped | State::Read => (
            "Nothing was taken from it",
            "It was thrown away, and its lines are deleted. That happens by itself after seven days, and when an optional field is switched off that it was read with.".to_owned(),
        ),
    };
    view! {
        <section class="card narrow" aria-labelledby="taken">
            <header><h2 id="taken">{title}</h2></header>
            <div class="body stack">
                <p>{text}</p>
                {just.map(result)}
                {one.undoable.then(|| view! {
                    <p>"It can be undone for " {UNDO_DAYS} " days after it was taken in."</p>
                    <div class="actions"><a class="button" href=format!("/roster/{import}/undo")><Icon name="undo" />"Undo it"</a></div>
                })}
            </div>
        </section>
        {columns_card(import, columns, false)}
    }
    .into_any()
}

/// What has just been taken, and what is still to be done by hand.
fn result(taken: &Taken) -> impl IntoView + use<> {
    let mut lines = vec![];
    if taken.is_nothing() {
        lines.push("Nothing has changed: the roll said all of it already.".to_owned());
    }
    if taken.groups > 0 {
        lines.push(format!(
            "{} made.",
            counted(
                taken.groups,
                "class or registration group was",
                "classes and registration groups were"
            )
        ));
    }
    if taken.caseloads > 0 {
        lines.push(format!(
            "{} put on the caseload of the teacher whom the file names.",
            counted(taken.caseloads, "class was", "classes were")
        ));
    }
    if !taken.moved.is_empty() {
        let moved: Vec<String> = taken.moved.iter().take(20).map(u32::to_string).collect();
        let more = if taken.moved.len() > moved.len() {
            " and others"
        } else {
            ""
        };
        lines.push(format!(
            "The roll had changed since it was shown, so these lines were left out: {}{more}. Read the file again to see what would become of them now.",
            moved.join(", ")
        ));
    }
    if !taken.teachers_unknown.is_empty() {
        lines.push(format!(
            "Give the classes of these teachers by hand, since nobody here is called so or more than one is: {}.",
            taken.teachers_unknown.join(", ")
        ));
    }
    let lines: Vec<_> = lines
        .into_iter()
        .map(|line| view! { <li>{line}</li> })
        .collect();
    view! { <ul role="list" class="lines" aria-label="What came of it">{lines}</ul> }
}
