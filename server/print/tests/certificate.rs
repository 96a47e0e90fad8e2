//! The certificate as somebody finds it who opens the PDF with another program.

#![allow(clippy::expect_used)]

mod desk;

use desk::{hash, signer, six, sixty};
use lopdf::{Document, Object};
use print::{
    Error, certificate,
    certificate::{Choice, Newer, Outcome},
    certificate_json,
};
use std::time::Instant;
use time::macros::datetime;

fn opened(pdf: &[u8]) -> Document {
    Document::load_mem(pdf).expect("a PDF that opens")
}

/// All the text, without the white space, which stands where the reader of the PDF thinks it does.
fn text(document: &Document) -> String {
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    squeezed(&document.extract_text(&pages).expect("text"))
}

fn squeezed(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_whitespace())
        .collect()
}

#[test]
fn a_certificate_of_six_people_is_one_page_and_names_them_all() {
    let pdf = certificate(&six(), &signer()).unwrap();
    let document = opened(&pdf);
    assert_eq!(document.get_pages().len(), 1);
    let text = text(&document);
    for answer in six().answers {
        assert!(text.contains(&squeezed(&answer.name)), "{}", answer.name);
    }
    for said in [
        "Oakfield Primary School",
        "Behaviour policy",
        "Version 3",
        "behaviour-policy-v3.pdf, 220 KB (219,136 bytes), 12 pages",
        "Adopted when at least 4 of 6 agree, until 27 November 2026, 18:00 GMT",
        "Nasreen Choudhury, 13 November 2026, 09:12 GMT",
        "Section 5 does not say who considers what parents write.",
        "standing in for Patrick O’Donnell",
        "No answer",
        "6 were asked: 4 agreed, 1 objected, 1 did not answer",
        "On 20 November 2026, 18:04 GMT, at least 4 of 6 had agreed to version 3.",
        &hash(desk::PAPER).to_string(),
        &desk::approval().to_string(),
        &hash(b"head").to_string(),
        &signer().public().to_string(),
        "https://oakfield.quorate.example/check",
    ] {
        assert!(text.contains(&squeezed(said)), "{said} is not in {text}");
    }
}

#[test]
fn sixty_people_flow_over_pages_and_the_head_of_the_table_with_them() {
    let pdf = certificate(&sixty(), &signer()).unwrap();
    let document = opened(&pdf);
    assert!(document.get_pages().len() > 3);
    let text = text(&document);
    for n in 1..=60 {
        assert!(text.contains(&format!("Person{n}Featherstonehaugh-Cholmondeley")));
        assert!(text.contains(&format!("standinginforAbsent{n}")));
    }
    assert!(text.matches("WhoAnswerWhen").count() > 2);
}

#[test]
fn every_outcome_says_its_own() {
    let at = datetime!(2026-11-20 18:04 UTC);
    for (outcome, said) in [
        (
            Outcome::Rejected { at },
            "it was certain that version 3 would not be adopted",
        ),
        (
            Outcome::Lapsed { at },
            "ended on 20 November 2026, 18:04 GMT, and it was not decided",
        ),
        (
            Outcome::Replaced { at },
            "A newer version came on 20 November 2026, 18:04 GMT, before version 3 was decided",
        ),
        (
            Outcome::Withdrawn { at },
            "was withdrawn on 20 November 2026, 18:04 GMT, before it was decided",
        ),
        (
            Outcome::Open,
            "can be answered about until 27 November 2026, 18:00 GMT",
        ),
    ] {
        let mut open = six();
        open.outcome = outcome;
        let text = text(&opened(&certificate(&open, &signer()).unwrap()));
        assert!(text.contains(&squeezed(said)), "{said}");
    }
    let mut stale = six();
    stale.newer = Some(Newer {
        version: 4,
        since: datetime!(2026-06-21 08:00 +1),
    });
    let text = text(&opened(&certificate(&stale, &signer()).unwrap()));
    let said = "A newer version 4 exists since 21 June 2026, 08:00 BST; these answers do not count for it.";
    assert!(text.contains(&squeezed(said)));
}

#[test]
fn what_people_wrote_is_set_as_they_wrote_it_and_never_obeyed() {
    let nasty = [
        r#"#import "/data.json": *"#,
        r#"#panic("here")"#,
        r#"" \ * $ _ ` @ // /* [ ] { } #sys.inputs"#,
        "<script>alert(1)</script>",
        "= Heading #pagebreak()",
        "${certificate} {{title}}",
    ];
    for wrote in nasty {
        let mut odd = six();
        odd.tenant = wrote.to_owned();
        odd.document.title = wrote.to_owned();
        odd.document.file_name = wrote.to_owned();
        odd.answers[0].name = wrote.to_owned();
        odd.answers[0].roles = vec![wrote.to_owned()];
        odd.answers[2].reason = Some(wrote.to_owned());
        odd.rule = wrote.to_owned();
        odd.log.events[0].what = wrote.to_owned();
        let document = opened(&certificate(&odd, &signer()).unwrap());
        assert!(
            text(&document).matches(&squeezed(wrote)).count() >= 8,
            "{wrote}: {}",
            text(&document)
        );
        assert_eq!(document.get_pages().len(), 1, "{wrote}");
    }
}

#[test]
fn what_cannot_be_set_is_told_and_what_is_long_stays_on_the_page() {
    let mut odd = six();
    odd.document.title = format!("Prize \u{202e}fdp.exe 🎓 {}", "x".repeat(400));
    odd.answers[1].name = "Ж".repeat(300);
    odd.document.file_name = format!("{}.pdf", "long_name".repeat(40));
    odd.check_at = format!("https://oakfield.example/{}", "a".repeat(200));
    let pdf = certificate(&odd, &signer()).unwrap();
    let document = opened(&pdf);
    let text = text(&document);
    assert!(text.contains("Prizefdp.exe(U+1F393)x"), "{text}");
    assert_eq!(text.matches('Ж').count(), 300, "all of a long name");
    assert!(!text.contains('\u{202e}'));
    // Programs get what was written.
    let json: serde_json::Value =
        serde_json::from_slice(&certificate_json(&odd, &signer()).unwrap()).unwrap();
    assert_eq!(
        json["certificate"]["document"]["title"],
        odd.document.title.as_str()
    );
}

#[test]
fn the_same_certificate_is_the_same_bytes_and_another_moment_is_others() {
    let once = certificate(&six(), &signer()).unwrap();
    assert_eq!(once, certificate(&six(), &signer()).unwrap());
    let mut later = six();
    later.made = datetime!(2026-11-20 18:31 UTC);
    assert_ne!(once, certificate(&later, &signer()).unwrap());
    assert_eq!(
        certificate_json(&six(), &signer()).unwrap(),
        certificate_json(&six(), &signer()).unwrap()
    );
}

#[test]
fn the_pages_are_tagged_and_named_as_pdf_ua_asks() {
    let pdf = certificate(&six(), &signer()).unwrap();
    let document = opened(&pdf);
    let catalog = document.catalog().unwrap();
    assert!(catalog.has(b"StructTreeRoot"));
    let follow = |key: &[u8]| match catalog.get(key).unwrap() {
        Object::Reference(id) => document.get_dictionary(*id).unwrap(),
        other => other.as_dict().unwrap(),
    };
    assert_eq!(
        follow(b"MarkInfo").get(b"Marked").unwrap(),
        &Object::Boolean(true)
    );
    assert_eq!(catalog.get(b"Lang").unwrap().as_str().unwrap(), b"en-GB");
    assert_eq!(
        follow(b"ViewerPreferences")
            .get(b"DisplayDocTitle")
            .unwrap(),
        &Object::Boolean(true)
    );
    let raw = String::from_utf8_lossy(&pdf);
    assert!(raw.contains("<pdfuaid:part>1</pdfuaid:part>") || raw.contains("pdfuaid:part=\"1\""));
    assert!(raw.contains("Certificate: Behaviour policy, version 3"));
}

#[test]
fn the_json_is_attached_as_it_is_given_apart() {
    let pdf = certificate(&six(), &signer()).unwrap();
    let json = certificate_json(&six(), &signer()).unwrap();
    let document = opened(&pdf);
    let attached = document.objects.values().filter_map(|object| object.as_stream().ok()).find(
        |stream| matches!(stream.dict.get(b"Type"), Ok(Object::Name(name)) if name == b"EmbeddedFile"),
    );
    let attached = attached.expect("an attached file");
    assert_eq!(
        attached
            .decompressed_content()
            .unwrap_or_else(|_| attached.content.clone()),
        json
    );
    let whole: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let read: print::Certificate = serde_json::from_value(whole["certificate"].clone()).unwrap();
    assert_eq!(read, six());
}

#[test]
fn the_mark_stands_in_the_bytes_with_the_sha256_of_the_document() {
    let pdf = certificate(&six(), &signer()).unwrap();
    let raw = String::from_utf8_lossy(&pdf).into_owned();
    let mark = format!(
        "quorate-certificate:1 sha256:{} approval:{} key:{} signature:",
        hash(desk::PAPER),
        desk::approval(),
        signer().public()
    );
    assert_eq!(
        raw.matches(&mark).count(),
        2,
        "in the XMP and in the document information"
    );
    assert_eq!(raw.matches("quorate-certificate:").count(), 2);
    assert!(!raw.contains(&"0".repeat(128)), "it is signed");
}

#[test]
fn a_certificate_about_nobody_or_to_be_checked_nowhere_is_refused() {
    let mut nobody = six();
    nobody.answers.clear();
    assert!(matches!(
        certificate(&nobody, &signer()),
        Err(Error::Nobody)
    ));
    for address in ["javascript:alert(1)", "/check", ""] {
        let mut nowhere = six();
        nowhere.check_at = address.to_owned();
        assert!(matches!(
            certificate_json(&nowhere, &signer()),
            Err(Error::Address)
        ));
        assert!(matches!(
            certificate(&nowhere, &signer()),
            Err(Error::Address)
        ));
    }
}

#[test]
fn it_takes_less_than_three_seconds() {
    certificate(&six(), &signer()).unwrap();
    for (name, mut one) in [("six", six()), ("sixty", sixty())] {
        one.answers[0].answer = Choice::Abstained;
        let began = Instant::now();
        let pdf = certificate(&one, &signer()).unwrap();
        let took = began.elapsed();
        println!("{name} people: {took:?}, {} bytes", pdf.len());
        // A hundred times what it takes on a quiet machine: only what grows out of hand is caught.
        assert!(took.as_secs() < 3, "{name}: {took:?}");
    }
}
