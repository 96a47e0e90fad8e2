//! More than one school on a page: a trust's schools side by side, and what waits at each of one's places.

use crate::{ADMIN, CLERK, site::Served};
use testing::Stand;

const CATRIONA: &str = "lead@beacon.example";
const JOAN: &str = "clerk@beacon.example";

/// What is read: the page without its tags and what is between them of blanks.
fn words(page: &str) -> String {
    page.split('<')
        .map(|part| part.split_once('>').map_or(part, |(_, text)| text))
        .flat_map(str::split_whitespace)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The part of a page from one mark to the next.
fn part<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("{from}"));
    rest.split_once(to).unwrap_or_else(|| panic!("{to}")).0
}

async fn at(served: &mut Served, label: Option<&str>, email: &str) -> String {
    served.cookie(label, email, Stand::SteppedUp).await
}

#[tokio::test]
async fn who_leads_a_trust_sees_its_schools_side_by_side_in_words_and_nobodys_name() {
    let mut served = Served::here().await;
    let lead = at(&mut served, Some("beacon"), CATRIONA).await;
    let answer = served.get("beacon", "/overview", &lead).await;
    assert_eq!(answer.status.as_u16(), 200);
    let page = answer.text();
    let table = part(&page, "<table", "</table>");
    for (school, rest) in [
        ("Oakfield Primary School", "22 people 3 vacant seats"),
        ("Northgate Academy", "22 people"),
        ("All 2 schools", "44 people"),
    ] {
        let row = words(part(table, school, "</tr>"));
        assert!(row.starts_with(rest), "{school}: {row}");
        assert!(row.contains("never signed in"), "{row}");
    }
    assert!(!table.contains("<form"), "she has no place at either");
    let names: Vec<String> = sqlx::query_scalar(
        "select m.name from membership m join tenant t on t.id = m.tenant_id where t.kind = 'school'",
    )
    .fetch_all(&mut *served.behind)
    .await
    .unwrap();
    assert!(names.len() > 40);
    for name in names {
        assert!(!page.contains(&name), "{name}");
    }
    // The way there is on every page of the trust, and its own is marked.
    assert!(part(&page, "href=\"/overview\"", "</a>").contains("aria-current=\"page\""));
    for path in ["/", "/me", "/people", "/schools"] {
        let page = served.get("beacon", path, &lead).await.text();
        assert!(page.contains("href=\"/overview\""), "{path}");
    }
}

#[tokio::test]
async fn a_schools_host_has_no_such_page_nor_a_way_to_it() {
    let mut served = Served::here().await;
    for email in [ADMIN, CLERK] {
        let cookie = at(&mut served, Some("oakfield"), email).await;
        let answer = served.get("oakfield", "/overview", &cookie).await;
        let never = served.get("oakfield", "/no-such-page", &cookie).await;
        assert_eq!(answer.status.as_u16(), 404);
        assert_eq!(
            answer.plain().replace("/overview", ""),
            never.plain().replace("/no-such-page", "")
        );
        for path in ["/", "/me", "/board"] {
            let page = served.get("oakfield", path, &cookie).await.text();
            assert!(!page.contains("/overview"), "{email} {path}");
        }
    }
    let joan = at(&mut served, None, JOAN).await;
    assert_eq!(
        served.get("", "/overview", &joan).await.status.as_u16(),
        404
    );
}

#[tokio::test]
async fn a_school_tells_its_people_what_the_trust_sees_and_one_without_a_trust_does_not() {
    let mut served = Served::here().await;
    let governor = at(&mut served, Some("oakfield"), "governor1@oakfield.example").await;
    let page = served.get("oakfield", "/board", &governor).await.text();
    assert!(
        words(&page).contains("Beacon Learning Trust sees how many people there are here"),
        "{}",
        words(&page)
    );
    served.behind.open("solo", "Solo School", "school").await;
    served
        .behind
        .join("solo", "a@solo.example", "Ada", &["governor"])
        .await;
    let ada = at(&mut served, Some("solo"), "a@solo.example").await;
    let page = served.get("solo", "/board", &ada).await;
    assert_eq!(page.status.as_u16(), 200);
    assert!(!page.text().contains("What the trust sees"));
}

#[tokio::test]
async fn a_trust_may_have_no_school_yet_or_forty_with_long_names() {
    let mut served = Served::here().await;
    served
        .behind
        .open("harbour", "Harbour Trust", "trust")
        .await;
    served
        .behind
        .join(
            "harbour",
            "lead@harbour.example",
            "Hana Novak",
            &["trust_lead"],
        )
        .await;
    let hana = at(&mut served, Some("harbour"), "lead@harbour.example").await;
    let page = served.get("harbour", "/overview", &hana).await.text();
    assert!(words(&page).contains("No schools yet") && !page.contains("<table"));
    sqlx::query(
        "select sec.make_tenant('quay-' || n, repeat('Saint Ethelburga’s ', 5) || 'School ' || n, 'school', trust => t.id)
         from generate_series(1, 40) n, tenant t where t.label = 'harbour'",
    )
    .execute(&mut *served.behind)
    .await
    .unwrap();
    let page = served.get("harbour", "/overview", &hana).await.text();
    assert_eq!(part(&page, "<table", "</table>").matches("<tr").count(), 42);
    assert!(words(&page).contains("40 schools side by side"));
    assert!(words(&page).contains("0 people 0 vacant seats"));
}

#[tokio::test]
async fn who_has_a_place_at_a_school_of_the_trust_goes_to_its_people_from_there() {
    let mut served = Served::here().await;
    served
        .behind
        .join("beacon", JOAN, "Joan Whitlock", &["clerk"])
        .await;
    let joan = at(&mut served, Some("beacon"), JOAN).await;
    let page = served.get("beacon", "/overview", &joan).await.text();
    assert_eq!(page.matches("name=\"label\"").count(), 2);
    let fields = [
        ("act", "tenancy/go"),
        ("label", "northgate"),
        ("next", "/people"),
    ];
    let sent = served.post("beacon", "/schools", &joan, &fields).await;
    let (host, way) = sent.location().split_once("/arrive").unwrap();
    assert!(host.contains("northgate."), "{host}");
    let arrived = served.get("northgate", &format!("/arrive{way}"), "").await;
    assert_eq!(
        (arrived.status.as_u16(), arrived.location()),
        (303, "/people")
    );
    // A way that leads off the site leads home, wherever it was written.
    for next in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let fields = [
            ("act", "tenancy/go"),
            ("label", "northgate"),
            ("next", next),
        ];
        let sent = served.post("beacon", "/schools", &joan, &fields).await;
        assert!(!sent.location().contains("evil"), "{}", sent.location());
        let (_, way) = sent.location().split_once("/arrive").unwrap();
        let ticket = way.split('&').next().unwrap();
        let forged = format!(
            "/arrive{ticket}&{}",
            form_urlencoded::Serializer::new(String::new())
                .append_pair("next", next)
                .finish()
        );
        let arrived = served.get("northgate", &forged, "").await;
        assert_eq!(
            (arrived.status.as_u16(), arrived.location()),
            (303, "/"),
            "{next}"
        );
    }
}

#[tokio::test]
async fn the_bare_host_says_what_waits_at_each_school_and_a_school_nothing_of_others() {
    let mut served = Served::here().await;
    let outside = at(&mut served, None, JOAN).await;
    for path in ["/", "/schools"] {
        let page = served.get("", path, &outside).await.text();
        let card = part(&page, "<h2>Oakfield Primary School", "</article>");
        assert!(
            words(card).contains("3 seats are vacant"),
            "{}",
            words(card)
        );
        assert!(card.contains("Open"));
        let named = sqlx::query_scalar::<_, String>(
            "select m.name from membership m join account a on a.id = m.account_id where a.email <> $1",
        )
        .bind(JOAN)
        .fetch_all(&mut *served.behind)
        .await
        .unwrap();
        assert!(named.iter().all(|name| !page.contains(name)));
    }
    let inside = at(&mut served, Some("northgate"), JOAN).await;
    let page = served.get("northgate", "/schools", &inside).await.text();
    assert!(page.contains("Oakfield Primary School"));
    assert!(!page.contains("vacant") && !page.contains("waits for you here"));

    // A teacher has nothing to do with the board.
    let teacher = at(&mut served, None, "teacher1@oakfield.example").await;
    let page = served.get("", "/", &teacher).await.text();
    assert!(words(&page).contains("Nothing waits for you here."));

    let place = served.behind.membership("oakfield", JOAN).await;
    sqlx::query("update membership set state = 'suspended' where id = $1")
        .bind(place)
        .execute(&mut *served.behind)
        .await
        .unwrap();
    let page = served.get("", "/", &outside).await.text();
    let card = part(&page, "<h2>Oakfield Primary School", "</article>");
    assert!(words(card).contains("You were suspended here on"));
    assert!(!card.contains("vacant") && !card.contains("<form"));
    assert!(words(&page).contains("You have a place at one school."));
}

#[tokio::test]
async fn without_the_second_step_that_one_place_asks_for_the_bare_host_says_nothing_of_any() {
    let mut served = Served::here().await;
    let cookie = served.cookie(None, JOAN, Stand::Password).await;
    for path in ["/", "/schools"] {
        let answer = served.get("", path, &cookie).await;
        assert_eq!(
            (answer.status.as_u16(), answer.location()),
            (303, "/sign-in/factor"),
            "{path}"
        );
        assert!(answer.body.is_empty());
    }
    let answer = served.get("", "/api/tenancy/schools", &cookie).await;
    assert!(!answer.text().contains("Oakfield"), "{}", answer.text());
}
