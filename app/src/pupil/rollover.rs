//! The turn of the school year: what is sent, and the pages that show what will happen and what undoing does.

#[cfg(feature = "ssr")]
pub(crate) mod back;
#[cfg(feature = "ssr")]
pub(crate) mod form;
#[cfg(feature = "ssr")]
pub(crate) mod year;

use std::collections::BTreeMap;

#[cfg(feature = "ssr")]
use domain::{
    Refusal, day,
    pupil::{
        Fault,
        rollover::{self, doing, undo},
        year::YearGroup,
    },
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::Result;
#[cfg(feature = "ssr")]
use crate::{
    door,
    form::{Echo, id_of},
};

/// What the form says, by the keys of groups and pupils, and which page of the pupils is to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// A date as people type it.
    pub last_day: String,
    /// The code of a year group.
    pub top: String,
    /// What becomes of a group.
    pub fate: BTreeMap<String, String>,
    /// What it is called then.
    pub called: BTreeMap<String, String>,
    /// Whether its caseloads go on; there for those that do.
    pub goes_on: BTreeMap<String, String>,
    /// What a pupil does instead.
    pub except: BTreeMap<String, String>,
    /// From 1.
    pub page: usize,
}

/// Works out what would happen (`step` is empty, or `page:2` for another page of the pupils), or does it (`do`), if it is what
/// was shown.
#[server(endpoint = "pupils/year")]
pub async fn turn_year(
    #[server(default)] last_day: String,
    #[server(default)] top: String,
    #[server(default)] fate: BTreeMap<String, String>,
    #[server(default)] called: BTreeMap<String, String>,
    #[server(default)] goes_on: BTreeMap<String, String>,
    #[server(default)] except: BTreeMap<String, String>,
    #[server(default)] shown: String,
    #[server(default)] step: String,
) -> Result<Typed> {
    let typed = Typed {
        last_day,
        top,
        fate,
        called,
        goes_on,
        except,
        page: page_of(&step),
    };
    let wish = typed.wish()?;
    if step == "do" {
        let mut write = door::write().await?;
        let (_, act) = doing::roll_over(&mut write, &wish, &shown, door::today()).await?;
        write.commit(act).await?;
        door::send_to("/pupils/year?done=up");
    } else {
        let mut read = door::read().await?;
        read.standing.require_step_up()?;
        // Only whether it can be worked out; the page does it again, to draw it.
        rollover::plan::dry_run(&mut read, &wish, door::today()).await?;
    }
    Ok(typed)
}

/// Undoes moving the roll up.
#[server(endpoint = "pupils/year-back")]
pub async fn turn_back(rollover: String) -> Result<()> {
    let mut write = door::write().await?;
    let (undone, act) = undo::undo(&mut write, id_of(&rollover)?).await?;
    write.commit(act).await?;
    let left = undone.conflicts.len();
    door::send_to(&format!("/pupils/year?done=back&left={left}"));
    Ok(())
}

/// The page that a button asks for.
#[cfg(feature = "ssr")]
fn page_of(step: &str) -> usize {
    step.strip_prefix("page:")
        .and_then(|page| page.parse().ok())
        .unwrap_or(1)
}

/// The name of a field that is about one group or pupil. The letter keeps a key that begins with a digit from being read as a
/// place in a list.
#[cfg(feature = "ssr")]
fn field(name: &str, id: uuid::Uuid) -> String {
    format!("{name}[g{id}]")
}

#[cfg(feature = "ssr")]
fn key(key: &str) -> Option<uuid::Uuid> {
    uuid::Uuid::try_parse(key.strip_prefix('g')?).ok()
}

#[cfg(feature = "ssr")]
impl Typed {
    /// What was posted, where it was refused.
    fn of_echo(echo: &Echo) -> Self {
        let map = |name: &str| {
            let fields = echo.fields.iter().filter_map(|(field, value)| {
                let key = field
                    .strip_prefix(name)?
                    .strip_prefix('[')?
                    .strip_suffix(']')?;
                Some((key.to_owned(), value.clone()))
            });
            fields.collect()
        };
        let value = |name: &str| echo.value(name).unwrap_or_default();
        Self {
            last_day: value("last_day"),
            top: value("top"),
            fate: map("fate"),
            called: map("called"),
            goes_on: map("goes_on"),
            except: map("except"),
            page: page_of(&value("step")),
        }
    }

    /// The same, as it is meant. Refuses a day that is none, and a year group that is none.
    fn wish(&self) -> std::result::Result<rollover::Wish, Refusal> {
        let last_day = match self.last_day.trim() {
            "" => None,
            typed => {
                let day = day::parse(typed);
                Some(day.map_err(|_| Fault::Rollover(rollover::Fault::LastDay))?)
            }
        };
        let top = match self.top.as_str() {
            "" => None,
            code => Some(YearGroup::from_code(code).ok_or(Fault::Rollover(rollover::Fault::Top))?),
        };
        Ok(rollover::Wish {
            last_day,
            top,
            groups: self.groups(),
            pupils: self.pupils(),
        })
    }

    /// What holds of it whatever is wrong with the days.
    fn rest(&self) -> rollover::Wish {
        rollover::Wish {
            groups: self.groups(),
            pupils: self.pupils(),
            ..rollover::Wish::default()
        }
    }

    fn groups(&self) -> BTreeMap<uuid::Uuid, rollover::GroupWish> {
        let groups = self.fate.iter().filter_map(|(of, fate)| {
            let wish = rollover::GroupWish {
                fate: rollover::Fate::from_code(fate)?,
                name: self.called.get(of).cloned().unwrap_or_default(),
                goes_on: self.goes_on.contains_key(of),
            };
            Some((key(of)?, wish))
        });
        groups.collect()
    }

    fn pupils(&self) -> BTreeMap<uuid::Uuid, rollover::Exception> {
        let pupils = self
            .except
            .iter()
            .filter_map(|(of, code)| Some((key(of)?, rollover::Exception::from_code(code)?)));
        pupils.collect()
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_posted_says_the_same_in_an_echo() {
        let (group, pupil) = (uuid::Uuid::from_u128(7), uuid::Uuid::from_u128(8));
        let fields = [
            ("last_day".to_owned(), "22 July 2026".to_owned()),
            ("top".to_owned(), "6".to_owned()),
            (field("fate", group), "carry".to_owned()),
            (field("called", group), "5B".to_owned()),
            (field("goes_on", group), "yes".to_owned()),
            (field("except", pupil), "repeats".to_owned()),
            (field("except", group), String::new()),
            ("step".to_owned(), "page:3".to_owned()),
        ];
        let echo = Echo {
            fields: fields.to_vec(),
            ..Echo::default()
        };
        let typed = Typed::of_echo(&echo);
        assert_eq!(typed.page, 3);
        let wish = typed.wish().unwrap();
        assert_eq!(wish.last_day, day::parse("2026-07-22").ok());
        assert_eq!(wish.top, Some(YearGroup::Y6));
        let of_group = &wish.groups[&group];
        assert_eq!(of_group.fate, rollover::Fate::Carry);
        assert_eq!((of_group.name.as_str(), of_group.goes_on), ("5B", true));
        assert_eq!(wish.pupils.len(), 1);
        assert_eq!(wish.pupils[&pupil], rollover::Exception::Repeats);
        let wrong = Typed {
            last_day: "soon".to_owned(),
            ..typed
        };
        assert_eq!(
            wrong.wish().unwrap_err(),
            Fault::Rollover(rollover::Fault::LastDay).into()
        );
    }
}
