//! What stands around the numbers of a picture: one mark for every hidden one, how much a number moved, and what is counted.

use domain::{
    day,
    suppression::Cell,
    wellbeing::picture::{BACK_WEEKS, Frozen, WEEKS},
};
use leptos::prelude::*;

use crate::ui::Icon;

/// A number, or the mark that stands for every hidden one, with its word for who hears it.
pub(super) fn hidden_or(cell: Cell) -> AnyView {
    match cell.count() {
        Some(count) => view! { <b>{number(count)}</b> }.into_any(),
        None => view! {
            <span aria-hidden="true">{Cell::MARKER}</span><span class="hidden-text">"hidden"</span>
        }
        .into_any(),
    }
}

/// How much a number moved; the mark where one of the two is hidden.
pub(super) fn movement(by: Option<i64>) -> AnyView {
    let (shown, said) = match by {
        None => return hidden_or(Cell::Hidden),
        Some(0) => ("±0".to_owned(), "as many as before".to_owned()),
        Some(more @ 1..) => (format!("+{more}"), format!("{more} more")),
        Some(less) => (
            format!("−{}", less.unsigned_abs()),
            format!("{} fewer", less.unsigned_abs()),
        ),
    };
    view! { <span class="moved"><span aria-hidden="true">{shown}</span><span class="hidden-text">{said}</span></span> }
        .into_any()
}

/// Of two numbers that were both told.
pub(super) fn difference(now: Cell, before: Cell) -> Option<i64> {
    Some(i64::from(now.count()?) - i64::from(before.count()?))
}

/// "Thu 18 June 2026".
pub(super) fn day_words(field: &str) -> String {
    day::parse(field).map_or_else(|_| field.to_owned(), day::words)
}

/// "year group" of "Year group", and "SEN provision" as it is.
pub(super) fn lower(name: &str) -> String {
    let abbreviated = name.chars().take(2).all(char::is_uppercase);
    let mut rest = name.chars();
    match rest.next() {
        Some(first) if !abbreviated => first.to_lowercase().chain(rest).collect(),
        _ => name.to_owned(),
    }
}

/// "1,188 pupils"
pub(super) fn pupils(total: Cell) -> String {
    let many = total.count().map_or_else(|| total.text(), number);
    format!("{many} pupils")
}

/// "1,188": as numbers stand on a page. In a file they stand as they are.
fn number(count: u32) -> String {
    match count {
        ..1_000 => count.to_string(),
        _ => format!("{},{:03}", count / 1_000, count % 1_000),
    }
}

/// What the signed numbers are held against.
pub(super) fn since(earlier: Option<&Frozen>) -> String {
    earlier.map_or_else(
        || format!("What moved is shown once there is a picture that is {BACK_WEEKS} weeks older."),
        |earlier| {
            format!(
                "Signed numbers are what moved since {}.",
                day_words(&earlier.day)
            )
        },
    )
}

/// The one sentence about what is hidden.
pub(super) fn marker() -> impl IntoView {
    view! {
        <p class="marked"><Icon name="lock" />
            <span><b>{Cell::MARKER}</b>" stands for every number that is not shown: fewer than five pupils, or hidden so that nobody can work out another."</span>
        </p>
    }
}

/// What is counted, and who else sees it.
pub(super) fn meaning(trust: Option<String>) -> impl IntoView {
    let line =
        |name: &'static str, words: String| view! { <div><dt>{name}</dt><dd>{words}</dd></div> };
    view! {
        <section class="card narrow" aria-labelledby="counted">
            <header><h2 id="counted">"What is counted"</h2></header>
            <div class="body">
                <dl class="details">
                    {line("Levels", format!("Each pupil’s newest check-in in a domain of the last {WEEKS} weeks. Who has none is “not seen”."))}
                    {line("Circumstances", "Those that the school has switched on, of SEN provision, pupil premium, free school meals and service children. Who is looked after is never counted here.".to_owned())}
                    {line("When it changes", format!("A number is counted anew once five pupils or more stand elsewhere, or after {WEEKS} weeks; until then it stands. So nobody can tell from two days what one child’s check-in said."))}
                    {line("Percent", "Of all pupils of the school. Almost all and almost none are told as “>95 %” and “<5 %”.".to_owned())}
                </dl>
                {trust.map(|trust| view! {
                    <p class="muted">"Leaders of " {trust} " see the line of each domain for the whole school, with the same numbers hidden. They see no year group, no circumstance and no name."</p>
                })}
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_movement_is_of_two_numbers_that_were_told() {
        let (shown, hidden) = (Cell::Shown(12), Cell::Hidden);
        assert_eq!(difference(shown, Cell::Shown(9)), Some(3));
        assert_eq!(difference(Cell::Shown(9), shown), Some(-3));
        for (now, before) in [(shown, hidden), (hidden, shown), (hidden, hidden)] {
            assert_eq!(difference(now, before), None);
        }
    }

    #[test]
    fn a_thousand_has_its_comma() {
        assert_eq!(pupils(Cell::Shown(210)), "210 pupils");
        assert_eq!(pupils(Cell::Shown(1_008)), "1,008 pupils");
    }

    #[test]
    fn a_name_goes_on_in_small_letters_unless_it_is_an_abbreviation() {
        assert_eq!(lower("Year group"), "year group");
        assert_eq!(lower("SEN provision"), "SEN provision");
    }
}
