//! Text stays text in letters, and in the pages that show them on a developer's machine.

use domain::mailing::{Kind, Letter, LinkToken};
use mail_parser::MessageParser;
use server::mail::{Links, Mailer};
use time::{OffsetDateTime, macros::datetime};

use crate::{html, site::Served, text::BREAKOUTS};

const NOW: OffsetDateTime = datetime!(2026-11-21 15:42:10 UTC);
/// What a letter's own headers are; a name or a school's must not add another.
const HEADERS: &[&str] = &[
    "Auto-Submitted",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Subject",
    "To",
];

#[tokio::test]
async fn a_name_that_looks_like_markup_or_a_header_is_only_a_name_in_a_letter() {
    let served = Served::here().await;
    let links = Links {
        scheme: served.scheme.to_owned(),
        host: served.host.clone(),
    };
    let mailer = Mailer::folder(&served.folder.path().join("mail"), links).unwrap();
    let injected = [
        "Joan\r\nBcc: everybody@evil.example",
        "Joan\nSubject: qx(1)\n\n<script>qx(1)</script>",
        "\"Joan\" <joan@evil.example>, qx",
        "=?utf-8?q?=0D=0ABcc:_everybody=40evil.example?=",
        "Joan\u{2028}Bcc: everybody@evil.example",
    ];
    for text in BREAKOUTS.iter().chain(&injected) {
        for kind in [Kind::Invitation, Kind::Reset] {
            let letter = Letter {
                kind,
                email: "joan@oakfield.example".to_owned(),
                name: (*text).to_owned(),
                place: (*text).to_owned(),
                label: "oakfield".to_owned(),
                as_parent: true,
            };
            let token = LinkToken::random().unwrap();
            let message = mailer.compose(&letter, &token, NOW).unwrap();
            let to: Vec<String> = message
                .envelope()
                .to()
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(to, ["joan@oakfield.example"], "{text}");
            let sent = message.formatted();
            mailer.send(&message, NOW).await.unwrap();
            let mail = MessageParser::default().parse(&sent).unwrap();
            let mut headers: Vec<&str> = mail
                .headers()
                .iter()
                .map(mail_parser::Header::name)
                .collect();
            headers.sort_unstable();
            assert_eq!(headers, HEADERS, "{text}");
            let addressees = mail.to().unwrap().clone().into_list();
            assert_eq!(addressees.len(), 1, "{text}");
            assert_eq!(
                addressees[0].address(),
                Some("joan@oakfield.example"),
                "{text}"
            );
            let html = mail.body_html(0).unwrap();
            assert_eq!(html::breaks_out(&html), None, "{text}");
            assert!(
                html.contains("qx") || html.contains("evil.example"),
                "{text}: is told as text"
            );
            let link = format!(
                "http://oakfield.localhost:3000/{}/{}",
                page_of(kind),
                token.text()
            );
            let hrefs: Vec<&str> = html
                .split("href=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .collect();
            assert_eq!(hrefs, [link.as_str()], "{text}");
        }
    }
    let list = served.get("", "/dev/mail", "").await;
    assert_eq!(list.status.as_u16(), 200);
    assert_eq!(html::breaks_out(&list.text()), None);
    let files: Vec<String> = std::fs::read_dir(served.folder.path().join("mail"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files.len(), 2 * (BREAKOUTS.len() + injected.len()));
    for file in files {
        let page = served.get("", &format!("/dev/mail/{file}"), "").await;
        assert_eq!(page.status.as_u16(), 200, "{file}");
        assert_eq!(html::breaks_out(&page.text()), None, "{file}");
        assert!(
            page.text().contains("Joan")
                || page.text().contains("qx")
                || page.text().contains("evil")
        );
    }
}

const fn page_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Invitation => "invitation",
        Kind::Reset => "reset",
    }
}
