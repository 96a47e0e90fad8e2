//! `/library/policies`: the register of policies: what is to be reviewed and when, who answers for it, and what nobody does.

use domain::{
    Refusal,
    board::Named,
    day,
    db::Read,
    document::{self, Listed},
};
use leptos::prelude::*;
use time::{Date, Duration};

use super::folder::{approval, to_library};
use crate::{
    membership::crumbs,
    sheet::Drawing,
    ui::{Heading, Icon, counted},
};

/// How long before its day a review is due, in days.
pub const DUE_DAYS: i64 = 60;

/// Where a policy stands in its review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Review {
    Over,
    Due,
    Later,
    Never,
}

fn review(by: Option<Date>, today: Date) -> Review {
    match by {
        None => Review::Never,
        Some(by) if by < today => Review::Over,
        Some(by) if by <= today + Duration::days(DUE_DAYS) => Review::Due,
        Some(_) => Review::Later,
    }
}

/// `/library/policies`
pub async fn page(read: &mut Read) -> Result<Drawing, Refusal> {
    let policies = document::register(read).await?;
    let today = crate::door::today();
    let count = |which: Review| {
        policies
            .iter()
            .filter(|one| review(one.review_by, today) == which)
            .count()
    };
    let (over, due) = (count(Review::Over), count(Review::Due));
    let orphans = policies.iter().filter(|one| one.owner.is_none()).count();
    let rows: Vec<_> = policies.iter().map(|one| row(one, today)).collect();
    let caption = format!(
        "{}, the next to be reviewed first. On {}.",
        counted(policies.len(), "policy", "policies"),
        day::words(today)
    );
    let page = view! {
        {crumbs(vec![to_library()])}
        <Heading title="Policy register" lead="The policies that you read, with the day of their next review." />
        {if policies.is_empty() {
            view! {
                <section class="card"><div class="empty"><Icon name="folder" /><h2>"No policies yet"</h2>
                    <p>"A document whose kind is Policy stands here, with its owner and the day of its next review."</p>
                </div></section>
            }.into_any()
        } else {
            view! {
                <dl class="facts">
                    <div><dt>"Overdue"</dt><dd>{over}<small>{if over == 1 { "review" } else { "reviews" }}</small></dd></div>
                    <div><dt>"Due"</dt><dd>{due}<small>{format!("within {DUE_DAYS} days")}</small></dd></div>
                    <div><dt>"No date"</dt><dd>{count(Review::Never)}<small>"set"</small></dd></div>
                    <div><dt>"No owner"</dt><dd>{orphans}<small>"named"</small></dd></div>
                </dl>
                <section class="card" aria-label="Policies">
                    <table class="table papers">
                        <caption>{caption}</caption>
                        <thead><tr>
                            <th scope="col">"Policy"</th><th scope="col">"Review by"</th><th scope="col">"Stands"</th><th scope="col">"Owner"</th><th scope="col">"Version"</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </section>
            }.into_any()
        }}
    };
    Ok(Drawing {
        title: "Policy register".to_owned(),
        page: page.into_any(),
    })
}

/// "18 Jun 2026", as a table has room for; in full it is under the pointer.
fn short(day: Date) -> String {
    let month = day.month().to_string();
    let month = month.get(..3).unwrap_or(&month);
    format!("{} {month} {}", day.day(), day.year())
}

fn row(one: &Listed, today: Date) -> impl IntoView + use<> {
    let stands = match review(one.review_by, today) {
        Review::Over => view! { <span class="tag bad">"Overdue"</span> }.into_any(),
        Review::Due => view! { <span class="tag wait">"Due"</span> }.into_any(),
        Review::Later => view! { <span class="tag good">"In date"</span> }.into_any(),
        Review::Never => view! { <span class="tag wait">"No date"</span> }.into_any(),
    };
    let owner = one.owner.as_ref().map(Named::called);
    view! {
        <tr>
            <th scope="row"><a class="open" href=format!("/papers/{}", one.id)>{one.title.clone()}</a></th>
            <td data-label="Review by">{one.review_by.map_or_else(|| "Not set".into_any(), |by| view! { <time datetime=day::field(by) title=day::words(by)>{short(by)}</time> }.into_any())}</td>
            <td data-label="Stands">{stands}</td>
            <td data-label="Owner">{match owner {
                Some(owner) => owner.into_any(),
                None => view! { <span class="tag wait">"Nobody"</span> }.into_any(),
            }}</td>
            <td data-label="Version">{one.newest} {approval(one.approval, Some(one.newest))}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn a_day_is_short_in_a_table() {
        assert_eq!(short(date!(2026 - 06 - 18)), "18 Jun 2026");
    }

    #[test]
    fn a_review_is_due_sixty_days_before_and_over_the_day_after() {
        let by = date!(2026 - 06 - 18);
        let on = |today| review(Some(by), today);
        assert_eq!(on(date!(2026 - 04 - 18)), Review::Later);
        assert_eq!(on(date!(2026 - 04 - 19)), Review::Due);
        assert_eq!(on(by), Review::Due);
        assert_eq!(on(date!(2026 - 06 - 19)), Review::Over);
        assert_eq!(review(None, by), Review::Never);
    }
}
