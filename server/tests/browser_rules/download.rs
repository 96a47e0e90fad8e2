//! Tables for a spreadsheet: the list of people, and the school’s picture.

use axum::http::Method;
use testing::Stand;

use crate::{ADMIN, site::Served};

#[tokio::test]
async fn the_table_is_the_list_as_it_is_filtered_and_no_cell_is_a_formula() {
    let mut served = Served::here().await;
    let admin = served
        .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
        .await;
    for (name, email, role) in [
        (
            "=HYPERLINK(\"//evil.example\")",
            "one@elsewhere.example",
            "governor",
        ),
        ("Quoted, \"Ann\"", "two@elsewhere.example", "governor"),
        ("Łukasz Ünal 李", "three@elsewhere.example", "teacher"),
    ] {
        let done = served
            .post(
                "oakfield",
                "/people/add",
                &admin,
                &[
                    ("act", "people/add"),
                    ("name", name),
                    ("email", email),
                    ("roles[0]", role),
                ],
            )
            .await;
        assert_eq!(done.status.as_u16(), 303, "{}", done.text());
    }
    let whole = served.get("oakfield", "/people.csv", &admin).await;
    assert_eq!(whole.status.as_u16(), 200);
    assert_eq!(whole.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert!(
        whole
            .header("content-disposition")
            .starts_with("attachment")
    );
    assert!(
        whole
            .body
            .starts_with("\u{feff}Name,E-mail,Roles,".as_bytes())
    );
    let rows = |answer: &crate::site::Answer| -> Vec<Vec<String>> {
        csv::Reader::from_reader(&answer.body[3..])
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect()
    };
    let people = rows(&whole);
    assert!(people.len() > 20, "{}", people.len());
    for row in &people {
        for cell in row {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t']),
                "{cell} is a formula"
            );
        }
    }
    let row = |name: &str| people.iter().find(|row| row[0] == name);
    assert!(row("'=HYPERLINK(\"//evil.example\")").is_some());
    assert!(row("Quoted, \"Ann\"").is_some());
    assert!(row("Łukasz Ünal 李").is_some());
    let dilip = row("Dilip Parmar").unwrap();
    assert_eq!(dilip[5], "Parent governor 1");
    assert!(!dilip[7].is_empty() && !dilip[8].is_empty(), "{dilip:?}");

    // Filtered: the outsider is in the whole list and not in this one.
    let staff = rows(
        &served
            .get("oakfield", "/people.csv?show=staff", &admin)
            .await,
    );
    assert!(staff.iter().any(|row| row[0] == "Łukasz Ünal 李"));
    assert!(!staff.iter().any(|row| row[0] == "Dilip Parmar"));
    let parents = rows(
        &served
            .get("oakfield", "/people.csv?category=parent", &admin)
            .await,
    );
    assert_eq!(parents.len(), 3, "{parents:?}");
    let found = rows(
        &served
            .get("oakfield", "/people.csv?q=quoted+ann", &admin)
            .await,
    );
    assert_eq!(found.len(), 1);
    let ending = rows(
        &served
            .get("oakfield", "/people.csv?show=ending", &admin)
            .await,
    );
    assert!(ending.iter().any(|row| row[0] == "Dilip Parmar"));
    assert!(!ending.iter().any(|row| row[0] == "Siân Edwards"));

    for email in ["governor1@oakfield.example", "parent1@oakfield.example"] {
        let cookie = served
            .cookie(Some("oakfield"), email, Stand::SteppedUp)
            .await;
        let answer = served
            .ask(Method::GET, "oakfield", "/people.csv")
            .cookie(&cookie)
            .send()
            .await;
        assert_eq!(answer.status.as_u16(), 404, "{email}");
        assert!(!answer.text().contains("Dilip"), "{email}");
    }
}

#[tokio::test]
async fn the_table_of_the_schools_picture_says_what_its_page_says_and_nothing_small() {
    let mut served = Served::here().await;
    sqlx::raw_sql(
        "insert into pupil (tenant_id, first_name, last_name, born, year_group)
         select t.id, 'Robin', 'Price ' || n, '2016-05-09', case when n <= 30 then '4' else '5' end
         from tenant t, generate_series(1, 33) n where t.label = 'oakfield'",
    )
    .execute(&mut *served.behind)
    .await
    .unwrap();
    let senco = served
        .cookie(Some("oakfield"), "senco@oakfield.example", Stand::SteppedUp)
        .await;
    let table = served.get("oakfield", "/picture.csv", &senco).await;
    assert_eq!(table.status.as_u16(), 200);
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    let rows: Vec<Vec<String>> = csv::Reader::from_reader(&table.body[3..])
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    // Two years and their total, for each of eight domains.
    assert_eq!(rows.len(), 24, "{rows:?}");
    let of_year_5 = rows.iter().find(|row| row[2] == "Year 5").unwrap();
    assert_eq!(of_year_5[4..], ["–"; 5]);
    for cell in rows.iter().flat_map(|row| &row[4..]) {
        let small = cell.parse::<u32>().is_ok_and(|count| count < 5);
        assert!(!small, "{cell}");
    }
    assert!(rows.iter().any(|row| row[2] == "Total" && row[8] == "33"));

    let page = served.get("oakfield", "/picture", &senco).await.text();
    assert_eq!(
        page.matches("stands for every number that is not shown")
            .count(),
        1
    );
    assert!(page.contains("33 pupils") && !page.contains("Price"));
    for email in [
        "teacher1@oakfield.example",
        "clerk@oakfield.example",
        "governor1@oakfield.example",
        "parent1@oakfield.example",
    ] {
        let cookie = served
            .cookie(Some("oakfield"), email, Stand::SteppedUp)
            .await;
        for address in ["/picture", "/picture.csv"] {
            let answer = served
                .ask(Method::GET, "oakfield", address)
                .cookie(&cookie)
                .send()
                .await;
            assert_eq!(answer.status.as_u16(), 404, "{email} at {address}");
        }
    }
}
