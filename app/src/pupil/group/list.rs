//! `/groups`: the groups and classes in use, and who has them on their caseload.

use domain::{
    Refusal,
    db::Read,
    pupil::{
        self,
        caseload::{self, Given, Of},
        field::GROUP_MOST,
        group::{self, Group, Kind, Named},
    },
};
use leptos::prelude::*;

use crate::{
    form::{Act, Choice, Echo, Field, Refusals},
    membership::crumbs,
    pupil::{staff_only, to_pupils},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Notice, counted},
};

/// `/groups`
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    staff_only(around)?;
    let keeps = pupil::keeps(&around.roles);
    let school = pupil::sees_school(&around.roles);
    let groups = group::all(read).await?;
    let given = caseload::given(read).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("groups/open");
    let typed = |name: &str| {
        refusal
            .as_ref()
            .and_then(|_| echo.value(name))
            .unwrap_or_default()
    };
    let closed = asked.query("done") == "closed";
    let kinds = Kind::ALL
        .iter()
        .map(|kind| (kind.code().to_owned(), kind.name().to_owned()))
        .collect();
    let title = "Groups and classes".to_owned();
    let lead = if school {
        "Whoever has a group on their caseload sees the pupils in it, on the days they are in it."
    } else {
        "You see how many of your own pupils are in each."
    };
    let page = view! {
        {crumbs(vec![to_pupils(around)])}
        {closed.then(|| view! { <Notice text="The group is closed. Nobody is in it any more, and it is on nobody’s caseload." /> })}
        <Heading title=title.clone() lead=lead />
        <div class=if keeps { "split" } else { "stack" }>
            <section class="card" aria-label="Groups">
                {if groups.is_empty() {
                    view! {
                        <div class="empty"><Icon name="people" /><h2>"No groups yet"</h2>
                            <p>{if keeps { "Open a registration group, put pupils into it, then put it on its teacher’s caseload." } else { "Registration groups and classes are here once the office has opened them." }}</p>
                        </div>
                    }.into_any()
                } else {
                    table(&groups, &given, school).into_any()
                }}
            </section>
            {keeps.then(|| view! {
                <aside class="stack" aria-label="Open a group">
                    <section class="card" aria-labelledby="open">
                        <header><h2 id="open">"Open a group"</h2></header>
                        <div class="body">
                            <Refusals refusal=refusal.clone() />
                            <form class="form" method="post">
                                <Act name="groups/open" />
                                <Choice name="kind" label="Kind" options=kinds chosen=typed("kind")
                                    hint="Each pupil has one registration group and any number of classes." refusal=refusal.clone() />
                                <Field name="name" label="Name" most=GROUP_MOST class="short" hint="Like 4W, or Maths 2." value=typed("name") refusal=refusal.clone() />
                                <div class="actions"><button class="button primary">"Open the group"</button></div>
                            </form>
                        </div>
                    </section>
                </aside>
            })}
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// Who has a group on their caseload now.
fn teachers(given: &[Given], group: &Named) -> Vec<String> {
    given
        .iter()
        .filter(|one| one.of == Of::Group(group.id) && one.now)
        .map(|one| {
            if one.cover {
                format!("{} (cover)", one.name)
            } else {
                one.name.clone()
            }
        })
        .collect()
}

fn table(groups: &[Group], given: &[Given], school: bool) -> impl IntoView + use<> {
    let rows: Vec<_> = groups
        .iter()
        .map(|one| {
            let teachers = teachers(given, &one.group);
            let who = match (teachers.is_empty(), school) {
                (false, _) => teachers.join(", "),
                (true, true) => "Nobody yet".to_owned(),
                (true, false) => "Not you".to_owned(),
            };
            view! {
                <tr>
                    <th scope="row"><a class="open" href=format!("/groups/{}", one.group.id)>{one.group.name.clone()}</a></th>
                    <td data-label="Kind">{one.group.kind.name()}</td>
                    <td data-label="Pupils">{counted(one.pupils, "pupil", "pupils")}</td>
                    <td data-label="On the caseload of">{who}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <table class="table">
            <caption>{counted(groups.len(), "group or class", "groups and classes")} ", by kind and name."</caption>
            <thead><tr><th scope="col">"Name"</th><th scope="col">"Kind"</th><th scope="col">"Pupils"</th><th scope="col">"On the caseload of"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}
