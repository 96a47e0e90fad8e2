//! `/pupils/looked/weeks`: the weekly lists of unusual looks, which are signed and which are not; and that some wait, where that is told.

use domain::{
    Refusal, day,
    db::Read,
    pupil::{
        access,
        unusual::{self, Week},
    },
};
use leptos::prelude::*;

use crate::{
    door,
    membership::crumbs,
    pupil::{staff_only, to_pupils},
    sheet::Drawing,
    tenancy::{Duty, waiting_words},
    ui::{Around, Heading, Icon, Moment, counted},
};

/// The way back to who looked at whom.
pub(super) fn to_looked() -> (String, String) {
    ("/pupils/looked".to_owned(), "Who looked at whom".to_owned())
}

/// `/pupils/looked/weeks`
pub async fn page(read: &mut Read, around: &Around) -> Result<Drawing, Refusal> {
    staff_only(around)?;
    let weeks = unusual::weeks(read).await?;
    let rows: Vec<_> = weeks.iter().map(row).collect();
    let title = "Unusual looks, week by week".to_owned();
    let page = view! {
        {crumbs(vec![to_pupils(around), to_looked()])}
        <Heading title=title.clone() lead="When a week is over, a list of what was out of the ordinary is made. Somebody who goes through it signs it. Being in a list is a question, and no verdict." />
        {strip(&weeks)}
        <section class="card" aria-label="Weeks">
            {if rows.is_empty() {
                view! { <div class="empty"><Icon name="shield" /><h2>"No list yet"</h2><p>"The first one is made on the Monday after somebody has looked at a pupil’s record."</p></div> }.into_any()
            } else {
                view! {
                    <table class="table">
                        <caption>{counted(weeks.len(), "week", "weeks")} ", newest first."</caption>
                        <thead><tr>
                            <th scope="col">"Week"</th><th scope="col">"Looks"</th><th scope="col">"Unusual"</th>
                            <th scope="col">"To follow up"</th><th scope="col">"Signed"</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                }.into_any()
            }}
        </section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn row(week: &Week) -> impl IntoView + use<> {
    let path = format!("/pupils/looked/weeks/{}", day::field(week.monday));
    let signed = match &week.signed {
        Some((by, at)) => {
            view! { <span>{by.clone()} ", " <Moment at=at.clone() day=true /></span> }.into_any()
        }
        None if week.findings == 0 => {
            view! { <span class="muted">"Nothing to sign"</span> }.into_any()
        }
        None if week.overdue(door::today()) => {
            view! { <span class="tag wait">"Waits for more than a week"</span> }.into_any()
        }
        None => view! { <span class="tag">"Not yet"</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row"><a class="open" href=path>{week.words()}</a></th>
            <td data-label="Looks">{week.looks}</td>
            <td data-label="Unusual">{week.findings}</td>
            <td data-label="To follow up">{week.follow_ups}</td>
            <td data-label="Signed">{signed}</td>
        </tr>
    }
}

/// That lists have waited for more than a week, with the way to the oldest of them.
pub(crate) fn strip(weeks: &[Week]) -> Option<AnyView> {
    let today = door::today();
    let waiting: Vec<&Week> = weeks.iter().filter(|week| week.overdue(today)).collect();
    let oldest = waiting.last()?;
    let path = format!("/pupils/looked/weeks/{}", day::field(oldest.monday));
    let text = format!(
        "{} for more than a week.",
        counted(
            waiting.len(),
            "list of unusual looks has waited",
            "lists of unusual looks have waited"
        )
    );
    Some(
        view! {
            <div class="notice wait" role="note"><Icon name="clock" /><p>{text} " " <a href=path>"Go through the oldest one"</a></p></div>
        }
        .into_any(),
    )
}

/// What waits for the reader on their home, where they go through the lists.
pub(crate) async fn duties(read: &mut Read) -> Result<Vec<Duty>, Refusal> {
    if !access::reviews(read).await? {
        return Ok(vec![]);
    }
    let today = door::today();
    Ok(unusual::weeks(read)
        .await?
        .into_iter()
        .filter(|week| week.overdue(today))
        .map(|week| {
            let made = week.monday.saturating_add(time::Duration::days(7));
            Duty {
                what: "Go through who looked at pupils’ records".to_owned(),
                detail: format!(
                    "{} in the week of {}.",
                    counted(week.findings, "unusual look", "unusual looks"),
                    week.words()
                ),
                waits: waiting_words(made, today),
                href: format!("/pupils/looked/weeks/{}", day::field(week.monday)),
                since: day::field(made),
            }
        })
        .collect())
}
