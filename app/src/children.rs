//! Parents: how they are asked in, what they read of their own children and say to it, and what the school has chosen for that.

#[cfg(feature = "ssr")]
pub(crate) mod child;
#[cfg(feature = "ssr")]
pub(crate) mod setting;
#[cfg(feature = "ssr")]
pub(crate) mod whole;

use leptos::prelude::*;

use crate::error::Result;
#[cfg(feature = "ssr")]
use crate::{door, form::id_of};

/// Asks a parent in by their address and links them to a child.
#[server(endpoint = "pupils/add-parent")]
pub async fn add_parent(
    pupil: String,
    name: String,
    email: String,
    #[server(default)] relation: String,
) -> Result<()> {
    use domain::pupil::guardian::{self, Relation};
    let relation = Relation::from_code(&relation).ok_or(domain::Refusal::Stale)?;
    let pupil = id_of(&pupil)?;
    let mut write = door::write().await?;
    let (asked, acts) = guardian::ask_in(&mut write, pupil, &name, &email, relation).await?;
    write.commit_all(acts).await?;
    door::send_to(&format!("/pupils/{pupil}?done={}", asked.code()));
    Ok(())
}

/// Says something, as a parent, to an entry about one's own child.
#[server(endpoint = "children/say")]
pub async fn say(child: String, entry: String, #[server(default)] words: String) -> Result<()> {
    let (child, entry) = (id_of(&child)?, id_of(&entry)?);
    let mut write = door::write().await?;
    let act = domain::wellbeing::onrecord::state_to(&mut write, entry, &words).await?;
    write.commit(act).await?;
    door::send_to(&format!("/children/{child}?done=said"));
    Ok(())
}

/// Says how entries are put on record for parents. `cooling` in minutes; `trend` is anything or nothing.
#[server(endpoint = "pupils/parents-rule")]
pub async fn set_rule(
    cooling: String,
    #[server(default)] trend: String,
    #[server(default)] talk_to: String,
) -> Result<()> {
    use domain::{
        Refusal,
        wellbeing::{
            Fault,
            onrecord::{self, Rule},
        },
    };
    let rule = Rule {
        cooling: cooling
            .trim()
            .parse()
            .map_err(|_| Refusal::from(Fault::Cooling))?,
        trend: !trend.is_empty(),
        talk_to,
    };
    let mut write = door::write().await?;
    write.standing.require_step_up()?;
    let act = onrecord::set_rule(&mut write, &rule).await?;
    write.commit(act).await?;
    door::send_to("/settings/pupils/parents?done=saved");
    Ok(())
}

#[cfg(feature = "ssr")]
pub(crate) use pages::{HOME, duty};

#[cfg(feature = "ssr")]
mod pages {
    use domain::{Refusal, db::Read, role::Role, wellbeing::onrecord};
    use leptos::prelude::*;

    use crate::{
        audit::Line,
        tenancy::Duty,
        ui::{Around, Icon},
    };

    /// Where a parent reads of their children.
    pub const HOME: &str = "/children";

    /// The pages of parents do not exist for anybody else.
    pub fn parents_only(around: &Around) -> Result<(), Refusal> {
        if around.tenant && around.roles.contains(&Role::Parent) {
            Ok(())
        } else {
            Err(Refusal::NotFound)
        }
    }

    /// On a parent's home: that something is new, and the way to it.
    pub fn duty(around: &Around, own: &[Line]) -> Option<Duty> {
        let newest = own.iter().find(|line| line.href.as_deref() == Some(HOME))?;
        Some(Duty {
            what: "Look at what is new under Children".to_owned(),
            detail: format!("{} put it there for you.", around.place),
            waits: "new".to_owned(),
            href: HOME.to_owned(),
            since: domain::day::of(&newest.at)
                .map(domain::day::field)
                .unwrap_or_default(),
        })
    }

    /// Whom a parent can ask, and where else they go: papers are in the rail of those alone who do more here than read of a child.
    pub async fn beside(read: &mut Read, around: &Around) -> Result<AnyView, Refusal> {
        let words = onrecord::who_to_talk_to(read).await?;
        let words = if words.is_empty() {
            "Ask the school office. They find somebody who can help.".to_owned()
        } else {
            words
        };
        let papers = !around.sees_people()
            && domain::folder::all(read)
                .await?
                .iter()
                .any(|folder| folder.reads && !folder.archived);
        Ok(view! {
            <section class="card" aria-labelledby="talk">
                <header><h2 id="talk">"Who to talk to"</h2></header>
                <div class="body"><p class="as-written">{words}</p></div>
            </section>
            {papers.then(|| view! { <p><a class="button" href="/library"><Icon name="folder" />"Papers for parents"</a></p> })}
        }
        .into_any())
    }
}
