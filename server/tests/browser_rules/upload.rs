//! A list that comes as a file, and what else may be sent in its place.

use axum::http::Method;
use testing::Stand;

use crate::{
    CLERK, events,
    site::{Answer, Served},
};

const EDGE: &str = "a line that no file of these has";

/// What a browser sends of the form: the act, the box, and a file.
async fn send(served: &Served, path: &str, cookie: &str, typed: &str, file: &[u8]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in [("act", "people/check-many"), ("text", typed)] {
        body.extend(
            format!(
                "--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
            .bytes(),
        );
    }
    body.extend(
        format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\nContent-Type: text/csv\r\n\r\n")
            .bytes(),
    );
    body.extend(file);
    body.extend(format!("\r\n--{EDGE}--\r\n").bytes());
    served
        .ask(Method::POST, "oakfield", path)
        .cookie(cookie)
        .header(
            "content-type",
            &format!("multipart/form-data; boundary=\"{EDGE}\""),
        )
        .body(body)
        .send()
        .await
}

fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect()
}

#[tokio::test]
async fn a_file_is_a_list_like_a_pasted_one_and_anything_else_is_refused_in_a_sentence() {
    let mut served = Served::here().await;
    let clerk = served.cookie(Some("oakfield"), CLERK, Stand::Full).await;
    let (path, before) = ("/people/add-many", events(&mut served).await);
    let list = "sian@x.example;Siân O’Neil <i>;governor\r\nnot an address;B;governor\r\n";
    for file in [list.as_bytes().to_vec(), utf16(list)] {
        let answer = send(&served, path, &clerk, "", &file).await;
        let page = answer.text();
        assert_eq!(answer.status, 200, "{page}");
        for part in [
            "Siân O’Neil &lt;i&gt; &lt;sian@x.example&gt;",
            "Enter an e-mail address like name@school.org.",
            "One line is wrong and is left out.",
            "not an address;B;governor",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("O’Neil <i>"));
    }
    for (typed, file, sentence) in [
        (
            "typed here",
            &b"PK\x03\x04\x00\x00"[..],
            "This file is not a text.",
        ),
        (
            "typed here",
            b"a@x.example,A,governor",
            "Paste the list or choose a file, not both.",
        ),
        ("", b"", "Paste at least one line, or choose a file."),
    ] {
        let answer = send(&served, path, &clerk, typed, file).await;
        assert_eq!(answer.status, 422, "{sentence}");
        let page = answer.text();
        assert!(page.contains(sentence) && page.contains(typed), "{page}");
    }
    // Only this page takes a file, and nothing so long.
    let elsewhere = send(&served, "/people/add", &clerk, "", b"").await;
    assert_eq!(elsewhere.status, 415);
    let long = send(&served, path, &clerk, "", &vec![b'x'; 1 << 20]).await;
    assert_eq!(long.status, 413);
    let form = [("act", "people/add"), ("name", &*"x".repeat(65_537))];
    let elsewhere = served.post("oakfield", "/people/add", &clerk, &form).await;
    assert_eq!(elsewhere.status, 413);
    // Nor from another site's page.
    let foreign = served
        .ask(Method::POST, "oakfield", path)
        .cookie(&clerk)
        .header(
            "content-type",
            &format!("multipart/form-data; boundary=\"{EDGE}\""),
        )
        .header("origin", "https://evil.example")
        .send()
        .await;
    assert_eq!(foreign.status, 403);
    assert_eq!(events(&mut served).await, before, "looking changed nothing");
}

#[tokio::test]
async fn a_list_that_was_added_says_so_and_gives_back_what_is_wrong() {
    let mut served = Served::here().await;
    let clerk = served.cookie(Some("oakfield"), CLERK, Stand::Full).await;
    let text = "sian@x.example;Siân;governor\nnobody;</textarea><script>alert(1)</script>;governor\nclerk@oakfield.example;Me;clerk\n";
    let form = [("act", "people/add-many"), ("text", text)];
    let answer = served
        .post("oakfield", "/people/add-many", &clerk, &form)
        .await;
    assert_eq!(answer.status, 200);
    let page = answer.text();
    assert!(page.contains("One person was added and invited. One line was not; put it right below and check it again."), "{page}");
    assert!(
        page.contains("nobody;&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;;governor")
    );
    assert!(!page.contains("<script>alert"));
    let list = page.split("<textarea").nth(1).unwrap();
    let list = list.split("</textarea>").next().unwrap();
    assert!(
        list.contains("nobody;") && !list.contains("sian@"),
        "{list}"
    );
    let page = served
        .post("oakfield", "/people/add-many", &clerk, &form)
        .await
        .text();
    assert!(page.contains("Nobody was added."), "{page}");
}
