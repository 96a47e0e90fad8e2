use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const POLICY: [&str; 3] = [
    "Behaviour policy. 1. Aims. Every pupil has the right to learn, and every teacher the right to teach. The governing board reviews this policy each year.",
    "5. Suspension and exclusion. The head teacher may suspend a pupil for one or more fixed periods, up to a maximum of forty-five school days in a single academic year. A suspension of more than five school days is reported to the governing board without delay, with the reasons and the arrangements made for the pupil’s education. Parents are told in writing on the same day, including how they may make representations. The governing board reviews the pattern of suspensions each term.",
    "6. Records. A suspension of more than fifteen school days is reported to the local authority without delay, and so is each permanent exclusion. The governing board keeps the records for six years.",
];

fn text(pages: &[&str]) -> Text {
    Text::new((1..).zip(pages.iter().copied()))
}

/// As the reader quotes.
fn quote(pages: &[&str], page: usize, exact: &str) -> (Quotation, Hint) {
    let body = pages[page - 1]
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let from = body.find(exact).expect("it stands there");
    let before: Vec<char> = body[..from].chars().collect();
    let quotation = Quotation {
        exact: exact.to_owned(),
        prefix: before[before.len().saturating_sub(AROUND)..]
            .iter()
            .collect(),
        suffix: body[from + exact.len()..].chars().take(AROUND).collect(),
    };
    let hint = Hint {
        page: u32::try_from(page).ok(),
        start: before.len(),
    };
    (quotation, hint)
}

const SENTENCE: &str =
    "A suspension of more than five school days is reported to the governing board without delay";

fn with(page: usize, from: &str, to: &str) -> [String; 3] {
    let mut pages = POLICY.map(str::to_owned);
    assert!(pages[page - 1].contains(from));
    pages[page - 1] = pages[page - 1].replace(from, to);
    pages
}

fn found(pages: &[String; 3], quotation: &Quotation, hint: Hint) -> Option<Place> {
    text(&pages.each_ref().map(String::as_str)).attach(quotation, hint)
}

#[test]
fn a_quotation_is_found_where_it_was_made() {
    let (quotation, hint) = quote(&POLICY, 2, SENTENCE);
    let place = text(&POLICY).attach(&quotation, hint).unwrap();
    assert_eq!((place.page, place.start), (2, hint.start));
    assert_eq!(place.end - place.start, SENTENCE.chars().count());
    assert_eq!(place.quotation, quotation);
}

#[test]
fn a_sentence_with_a_word_changed_is_found_and_told_as_it_is_now() {
    let (quotation, hint) = quote(&POLICY, 2, SENTENCE);
    for (from, to) in [
        ("more than five school days", "more than ten school days"),
        (
            "more than five school days",
            "more than five whole school days",
        ),
        ("governing board without delay,", "governing board at once,"),
        ("A suspension of more", "Any suspension of more"),
    ] {
        let now = with(2, from, to);
        let place = found(&now, &quotation, hint).unwrap_or_else(|| panic!("{to}"));
        assert_eq!(place.page, 2, "{to}");
        let middle = "school days is reported to the governing board";
        assert!(
            place.quotation.exact.contains(middle),
            "{:?}",
            place.quotation
        );
        assert!(
            place
                .quotation
                .exact
                .chars()
                .count()
                .abs_diff(SENTENCE.len())
                < 16
        );
    }
}

#[test]
fn a_sentence_that_is_gone_is_not_taken_for_a_similar_one() {
    let (quotation, hint) = quote(&POLICY, 2, SENTENCE);
    let now = with(
        2,
        &format!(
            "{SENTENCE}, with the reasons and the arrangements made for the pupil’s education. "
        ),
        "",
    );
    assert!(now[2].contains("A suspension of more than fifteen school days is reported"));
    assert_eq!(found(&now, &quotation, hint), None);
}

#[test]
fn a_sentence_that_moved_to_another_page_is_found_there() {
    let (quotation, hint) = quote(&POLICY, 2, SENTENCE);
    let now = [
        POLICY[0].to_owned(),
        "Something new that stands before it.".to_owned(),
        format!("An inserted page pushed it here. {}", POLICY[1]),
    ];
    assert_eq!(found(&now, &quotation, hint).unwrap().page, 3);
}

#[test]
fn the_same_words_elsewhere_are_told_apart_by_what_stands_around_them() {
    for page in [1, 2, 3] {
        let exact = "The governing board";
        let (quotation, hint) = quote(&POLICY, page, exact);
        let place = text(&POLICY).attach(&quotation, hint).unwrap();
        assert_eq!(u32::try_from(page), Ok(place.page));
        // A wrong hint does not mislead.
        let astray = Hint {
            page: Some(1),
            start: 0,
        };
        let place = text(&POLICY).attach(&quotation, astray).unwrap();
        assert_eq!(u32::try_from(page), Ok(place.page));
    }
    // And where its own sentence is gone, another one with these words is not it.
    let (quotation, hint) = quote(&POLICY, 2, "The governing board");
    let now = with(
        2,
        " The governing board reviews the pattern of suspensions each term.",
        "",
    );
    let now = [
        now[0].clone(),
        now[1].replace("make representations.", "appeal."),
        now[2].clone(),
    ];
    assert_eq!(found(&now, &quotation, hint), None);
}

#[test]
fn with_the_same_around_it_the_nearer_one_is_it() {
    let line = "Signed by the chair of governors on behalf of the whole board.";
    let pages = [line, line, line];
    let quotation = Quotation {
        exact: "chair of governors on behalf".into(),
        ..Quotation::default()
    };
    for page in [1, 2, 3] {
        let hint = Hint {
            page: Some(page),
            start: 14,
        };
        assert_eq!(text(&pages).attach(&quotation, hint).unwrap().page, page);
    }
}

#[test]
fn how_it_is_set_makes_no_difference() {
    let (quotation, hint) = quote(
        &POLICY,
        2,
        "the reasons and the arrangements made for the pupil’s education",
    );
    let now = with(
        2,
        "the reasons and the arrangements made for the pupil’s education",
        "the rea-\n   sons and the arrange\u{ad}ments\u{a0}made\n\nfor the pupil's edu\u{2010}\ncation",
    );
    assert_eq!(found(&now, &quotation, hint).unwrap().page, 2);
    let pages = ["The ofﬁce keeps the ﬁle in efﬁcient ways, said “Zoë”."];
    let typed = Quotation {
        exact: "the office keeps the file in efficient ways, said \"Zoe\"".into(),
        ..Quotation::default()
    };
    let place = text(&pages).attach(&typed, Hint::default()).unwrap();
    assert_eq!(
        place.quotation.exact,
        "The ofﬁce keeps the ﬁle in efﬁcient ways, said “Zoë”"
    );
}

#[test]
fn a_sentence_that_goes_over_the_page_ends_where_the_page_does() {
    let pages = [
        "It is reported to the governing",
        "board without delay, each time.",
    ];
    let quotation = Quotation {
        exact: "reported to the governing board without delay".into(),
        ..Quotation::default()
    };
    let place = text(&pages).attach(&quotation, Hint::default()).unwrap();
    assert_eq!(
        (place.page, place.quotation.exact.as_str()),
        (1, "reported to the governing")
    );
}

#[test]
fn what_somebody_typed_from_a_print_may_have_a_slip() {
    let typed = Quotation {
        exact: "A suspenson of more than five school days is reported to the governing board"
            .into(),
        ..Quotation::default()
    };
    assert_eq!(
        text(&POLICY).attach(&typed, Hint::default()).unwrap().page,
        2
    );
    let other = Quotation {
        exact: "Pupils may keep a wombat in the cloakroom on Fridays".into(),
        ..Quotation::default()
    };
    assert_eq!(text(&POLICY).attach(&other, Hint::default()), None);
}

#[test]
fn any_writing_and_any_length() {
    let pages = [
        "财务委员会每年审查本政策。校长可以停学。",
        "لجنة المال تراجع هذه السياسة كل عام 👩‍🏫 ثم تنشرها.",
    ];
    for (page, exact) in [
        (1, "每年审查本政策"),
        (2, "هذه السياسة كل عام 👩‍🏫"),
        (1, "校"),
    ] {
        let (quotation, hint) = quote(&pages, page, exact);
        let place = text(&pages).attach(&quotation, hint).unwrap();
        assert_eq!(
            (place.page, place.quotation.exact.as_str()),
            (u32::try_from(page).unwrap(), exact)
        );
    }
    let long: String = (0..400).map(|n| format!("word{n} ")).collect();
    let exact: String = long
        .chars()
        .take(2000)
        .collect::<String>()
        .trim()
        .to_owned();
    let (quotation, hint) = quote(&[&long], 1, &exact);
    let now = long.replace("word77 ", "sentence ");
    let place = text(&[&now]).attach(&quotation, hint).unwrap();
    assert!(place.quotation.exact.contains("sentence"));
    let (quotation, hint) = quote(&POLICY, 2, "5");
    assert_eq!(
        text(&POLICY).attach(&quotation, hint).unwrap().start,
        hint.start
    );
}

#[test]
fn where_there_is_no_text_there_is_no_place() {
    let (quotation, hint) = quote(&POLICY, 2, SENTENCE);
    assert_eq!(text(&[]).attach(&quotation, hint), None);
    assert_eq!(
        text(&["", " \n", "\u{200b}"]).attach(&quotation, hint),
        None
    );
    assert!(text(&["", " "]).is_empty());
    for nothing in ["", " ", "-", "\u{ad}"] {
        let quotation = Quotation {
            exact: nothing.into(),
            ..Quotation::default()
        };
        assert_eq!(text(&POLICY).attach(&quotation, hint), None);
    }
}

/// Slow and fast machines differ by less than this: unoptimised it is under a second here.
const SOON: Duration = Duration::from_secs(8);

#[test]
fn a_hundred_questions_on_a_long_paper_take_no_time() {
    let sentence = |n: usize| {
        let word = |k: usize| {
            [
                "pupil", "school", "board", "policy", "teacher", "parent", "record", "report",
            ][(n * 7 + k * 13 + n / (k + 3)) % 8]
        };
        format!(
            "In case {n} the {} and the {} tell the {} of every {} and keep its {}. ",
            word(1),
            word(2),
            word(3),
            word(4),
            word(5)
        )
    };
    let pages: Vec<String> = (0..60)
        .map(|page| (0..45).map(|line| sentence(page * 45 + line)).collect())
        .collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    assert!(pages.iter().map(|page| page.len()).sum::<usize>() > 200_000);
    let asked: Vec<_> = (0..100)
        .map(|n| quote(&pages, n % 60 + 1, sentence((n % 60) * 45 + n % 45).trim()))
        .collect();
    let now: Vec<String> = pages
        .iter()
        .map(|page| page.replace("of every", "about each"))
        .collect();
    let began = Instant::now();
    let now = Text::new((1..).zip(now.iter().map(String::as_str)));
    let found = asked
        .iter()
        .filter(|(quotation, hint)| {
            now.attach(quotation, *hint)
                .is_some_and(|place| Some(place.page) == hint.page)
        })
        .count();
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(found, 100);
}

#[test]
fn hostile_text_takes_no_time_either() {
    let same = "a".repeat(400_000);
    let nearly = "ab".repeat(200_000);
    let began = Instant::now();
    for body in [same.as_str(), nearly.as_str()] {
        let text = text(&[body]);
        for exact in [
            "a".repeat(500),
            "ab".repeat(250),
            format!("{}b{}", "a".repeat(250), "a".repeat(249)),
            "c".repeat(500),
        ] {
            let quotation = Quotation {
                exact,
                prefix: "a".repeat(32),
                suffix: "b".repeat(32),
            };
            let _ = text.attach(&quotation, Hint::default());
        }
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn a_quotation_that_was_made_to_take_long_takes_no_more_steps_than_there_are() {
    let long: String = (0..4_000).map(|n| format!("word{n} ")).collect();
    let near = long.replace("word77 ", "sentence ");
    // A form can send any number of letters around it.
    let around = "word ".repeat(100_000);
    let text = text(&[&near, POLICY[1], &near]);
    let made = Quotation {
        exact: long,
        prefix: around.clone(),
        suffix: around.clone(),
    };
    let mut budget = Budget::of(STEPS);
    let known = text.attach_within(&made, Hint::default(), &mut budget);
    assert_eq!(known, Err(Spent));
    assert_eq!(text.attach(&made, Hint::default()), None);
    // What people quote takes a hundredth, also where what is around it is of any length.
    let (mut quotation, hint) = quote(&POLICY, 2, SENTENCE);
    quotation.prefix = around + &quotation.prefix;
    quotation.exact = quotation.exact.replace("five", "ten whole");
    let mut budget = Budget::of(STEPS);
    let place = text.attach_within(&quotation, hint, &mut budget).unwrap();
    assert_eq!(place.unwrap().page, 2);
    assert!(STEPS - budget.left() < STEPS / 100, "{}", budget.left());
    // And without work left it does not say that the sentence has gone.
    let few = text.attach_within(&quotation, hint, &mut Budget::of(1_000));
    assert_eq!(few, Err(Spent));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is quoted of whatever text is found where it was, and is told as it stands there.
    #[test]
    fn what_is_quoted_is_found(page in "[a-zé’ﬁ财0-9 .,\\-]{40,200}", from in 0usize..40, length in 1usize..150) {
        let body: Vec<char> = page.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect();
        let (from, to) = (from.min(body.len()), (from + length).min(body.len()));
        let said = |from: usize, to: usize| body[from..to].iter().collect::<String>();
        let quotation = Quotation {
            exact: said(from, to),
            prefix: said(from.saturating_sub(AROUND), from),
            suffix: said(to, (to + AROUND).min(body.len())),
        };
        let mut key = String::new();
        quotation.exact.chars().for_each(|letter| fold(letter, &mut key));
        let place = text(&[&page]).attach(&quotation, Hint { page: Some(1), start: from });
        prop_assert_eq!(place.is_some(), !key.is_empty());
    }

    /// Nothing that anybody sends makes it fall over.
    #[test]
    fn anything_goes(page in "\\PC{0,300}", exact in "\\PC{0,60}", prefix in "\\PC{0,40}", suffix in "\\PC{0,40}", at in 0u32..5) {
        let quotation = Quotation { exact, prefix, suffix };
        let text = text(&[&page, "", &page]);
        if let Some(place) = text.attach(&quotation, Hint { page: Some(at), start: 7 }) {
            prop_assert!(place.start < place.end);
        }
    }
}
