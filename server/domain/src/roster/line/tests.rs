use super::*;
use crate::{
    pupil::code::mapping_key,
    roster::{column, twice},
};
use time::macros::date;

const HEADER: &[&str] = &[
    "UPN",
    "Adno",
    "Legal Forename",
    "Legal Surname",
    "Preferred name",
    "DOB",
    "Sex",
    "Year",
    "Reg",
    "Class",
    "Class code",
    "Teacher",
    "Supervisor",
    "Ethnicity",
    "FSM",
    "FSM Ever 6",
    "In Care",
    "Pupil Premium",
    "SEN Status",
    "Service child",
    "Traveller",
    "Home language",
    "More able",
];

/// Zoë Smith, born on 9 May 2016, who is in Year 6 in 2026/27, with nothing wrong.
const ZOE: &[(&str, &str)] = &[
    ("UPN", "B801200005001"),
    ("Adno", "001234"),
    ("Legal Forename", "Zoë"),
    ("Legal Surname", "Smith"),
    ("DOB", "09/05/2016"),
    ("Sex", "F"),
    ("Year", "Year 6"),
    ("Reg", "6B"),
    ("Class", "Year 6 Mathematics"),
    ("Teacher", "Mr P Rao"),
    ("Supervisor", "Mrs J Hall"),
    ("SEN Status", "K"),
];

fn against() -> Against {
    Against {
        today: date!(2026 - 11 - 22),
        school_year: SchoolYear::of(date!(2026 - 11 - 22)),
        ethnicities: BTreeMap::new(),
        day_first: true,
    }
}

/// Zoë's line with some of its cells written otherwise.
fn zoe_but(changes: &[(&str, &str)]) -> Line {
    judged(HEADER, changes, &against())
}

fn judged(header: &[&str], changes: &[(&str, &str)], against: &Against) -> Line {
    for (name, _) in changes {
        assert!(header.contains(name), "there is no column {name}");
    }
    let said = |name: &str| {
        let mut both = changes.iter().chain(ZOE);
        both.find(|(other, _)| *other == name)
            .map_or("", |(_, cell)| cell)
            .to_owned()
    };
    let cells: Vec<String> = header.iter().map(|name| said(name)).collect();
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    judge(
        7,
        &cells,
        &column::guess(&header, &BTreeMap::new()),
        against,
    )
}

/// The only finding of a line.
fn only(line: &Line) -> (Option<Field>, Severity, Code) {
    assert_eq!(line.faults.len(), 1, "{:?}", line.faults);
    let fault = &line.faults[0];
    (fault.field, fault.severity, fault.code)
}

#[test]
fn a_line_with_nothing_wrong_is_kept_whole() {
    let line = zoe_but(&[]);
    assert_eq!(line.faults, []);
    assert!(!line.is_bad());
    assert_eq!(line.number, 7);
    let fields = &line.fields;
    assert_eq!(fields.upn.as_ref().map(Upn::as_str), Some("B801200005001"));
    assert_eq!(fields.admission_number.as_deref(), Some("001234"));
    assert_eq!(fields.first_name.as_deref(), Some("Zoë"));
    assert_eq!(fields.last_name.as_deref(), Some("Smith"));
    assert_eq!(fields.preferred_name, None);
    assert_eq!(fields.born, Some(date!(2016 - 05 - 09)));
    assert_eq!(fields.sex, Some(Sex::Female));
    assert_eq!(fields.year_group, Some(YearGroup::Y6));
    assert_eq!(fields.registration_group.as_deref(), Some("6B"));
    assert_eq!(fields.class_name.as_deref(), Some("Year 6 Mathematics"));
    assert_eq!(fields.teacher.as_deref(), Some("Mr P Rao"));
    assert_eq!(fields.supervisor.as_deref(), Some("Mrs J Hall"));
    // Of what is not written nothing is kept.
    assert_eq!(line.tags, BTreeMap::from([(TagKind::Sen, "K".to_owned())]));
}

#[test]
fn a_line_is_sent_and_read_back_as_it_was() {
    let line = zoe_but(&[
        ("UPN", "A801200005001"),
        ("Ethnicity", "WBRI"),
        ("In Care", "N"),
    ]);
    let sent = serde_json::to_string(&line).unwrap();
    assert_eq!(serde_json::from_str::<Line>(&sent).unwrap(), line);
    assert!(sent.contains("\"looked_after\":\"N\""), "{sent}");
    assert!(sent.contains("\"upn_check\""), "{sent}");
}

#[test]
fn what_every_pupil_must_have_is_an_error_where_it_is_empty() {
    for (name, field) in [
        ("Adno", Field::AdmissionNumber),
        ("Legal Forename", Field::FirstName),
        ("Legal Surname", Field::LastName),
        ("DOB", Field::Born),
        ("Sex", Field::Sex),
        ("Year", Field::YearGroup),
    ] {
        let line = zoe_but(&[(name, " ")]);
        assert_eq!(only(&line), (Some(field), Severity::Error, Code::Missing));
        assert!(line.is_bad());
        // And where there is no such column, or the line is shorter than the header.
        let header: Vec<&str> = HEADER
            .iter()
            .copied()
            .filter(|other| *other != name)
            .collect();
        let line = judged(&header, &[], &against());
        assert_eq!(only(&line), (Some(field), Severity::Error, Code::Missing));
    }
    let header = ["Adno", "Forename", "Surname", "DOB", "Sex", "Year"].map(str::to_owned);
    let columns = column::guess(&header, &BTreeMap::new());
    let line = judge(2, &["1234".to_owned()], &columns, &against());
    let errors = line
        .faults
        .iter()
        .filter(|fault| fault.severity == Severity::Error);
    assert_eq!(errors.count(), 5);
}

#[test]
fn what_a_pupil_may_be_without_for_a_while_is_a_warning_where_it_is_empty() {
    for (name, field) in [
        ("Reg", Field::RegistrationGroup),
        ("Class", Field::ClassName),
        ("Teacher", Field::Teacher),
        ("Supervisor", Field::Supervisor),
    ] {
        let line = zoe_but(&[(name, "")]);
        assert_eq!(only(&line), (Some(field), Severity::Warning, Code::Missing));
        assert!(!line.is_bad());
        // A roster without the column is told so once, and not in every line.
        let header: Vec<&str> = HEADER
            .iter()
            .copied()
            .filter(|other| *other != name && *other != "Class code")
            .collect();
        assert_eq!(judged(&header, &[], &against()).faults, [], "{name}");
    }
    assert_eq!(
        zoe_but(&[("Class", ""), ("Class code", "6x/Ma1")]).faults,
        []
    );
}

#[test]
fn a_pupil_without_a_upn_awaits_one() {
    let header: Vec<&str> = HEADER[1..].to_vec();
    for line in [zoe_but(&[("UPN", "")]), judged(&header, &[], &against())] {
        assert_eq!(
            only(&line),
            (Some(Field::Upn), Severity::Warning, Code::UpnAwaiting)
        );
        assert!(line.faults[0].sentence.contains("awaiting"));
        assert_eq!(line.fields.upn, None);
        assert!(!line.is_bad());
    }
}

#[test]
fn a_wrong_upn_is_an_error_with_the_number_that_was_probably_meant() {
    for (cell, code, repair) in [
        ("A801200005001", Code::UpnCheck, Some("B801200005001")),
        ("B8O1200005001", Code::UpnCharacter, Some("B801200005001")),
        ("801200005001", Code::UpnLength, Some("B801200005001")),
        ("not known", Code::UpnLength, None),
    ] {
        let line = zoe_but(&[("UPN", cell)]);
        assert_eq!(
            only(&line),
            (Some(Field::Upn), Severity::Error, code),
            "{cell}"
        );
        assert_eq!(line.faults[0].repair.as_deref(), repair, "{cell}");
        assert_eq!(line.fields.upn, None);
        assert!(line.is_bad());
    }
}

#[test]
fn a_temporary_upn_is_a_note_and_a_strange_one_a_warning() {
    let line = zoe_but(&[("UPN", "M80120000500A")]);
    assert_eq!(
        only(&line),
        (Some(Field::Upn), Severity::Note, Code::UpnTemporary)
    );
    for (rest, code) in [
        ("999200005001", Code::UpnAuthority),
        ("801200030001", Code::UpnYear),
    ] {
        let letter = crate::pupil::upn::check_letter(&format!("A{rest}")).unwrap();
        let line = zoe_but(&[("UPN", &format!("{letter}{rest}"))]);
        assert_eq!(
            only(&line),
            (Some(Field::Upn), Severity::Warning, code),
            "{rest}"
        );
        assert!(line.fields.upn.is_some());
    }
}

#[test]
fn a_cell_like_a_formula_is_kept_as_text_and_asked_about_in_a_name() {
    let formula = "=HYPERLINK(\"https://example.org\",\"Zoë\")";
    for cell in [formula, "+Zoë", "@Zoë", "-Zoë"] {
        let line = zoe_but(&[("Legal Forename", cell)]);
        assert_eq!(
            only(&line),
            (Some(Field::FirstName), Severity::Warning, Code::Formula)
        );
        assert_eq!(line.fields.first_name.as_deref(), Some(cell));
    }
    let line = zoe_but(&[("Reg", "-6B")]);
    assert_eq!(
        (line.faults.len(), line.fields.registration_group.as_deref()),
        (0, Some("-6B"))
    );
}

#[test]
fn a_name_with_characters_that_do_not_show_is_an_error() {
    let line = zoe_but(&[("Legal Surname", "Smi\u{202e}ht")]);
    assert_eq!(
        only(&line),
        (Some(Field::LastName), Severity::Error, Code::Text)
    );
    assert_eq!(line.fields.last_name, None);
}

#[test]
fn a_full_name_is_divided_at_its_comma_and_nowhere_else() {
    let header: Vec<&str> = HEADER
        .iter()
        .map(|name| match *name {
            "Legal Surname" => "Name",
            "Legal Forename" => "House",
            other => other,
        })
        .collect();
    let line = judged(&header, &[("Name", "van der Berg, Ann Marie")], &against());
    assert_eq!(line.faults, []);
    assert_eq!(line.fields.last_name.as_deref(), Some("van der Berg"));
    assert_eq!(line.fields.first_name.as_deref(), Some("Ann Marie"));
    for name in ["Ann Smith", "Smith, Ann, Marie"] {
        let line = judged(&header, &[("Name", name)], &against());
        assert_eq!(
            only(&line),
            (Some(Field::LastName), Severity::Error, Code::FullName)
        );
        assert_eq!(line.fields.first_name, None);
    }
    let line = judged(&header, &[("Name", "Smith,")], &against());
    assert_eq!(
        only(&line),
        (Some(Field::FirstName), Severity::Error, Code::Missing)
    );
}

#[test]
fn a_date_of_birth_is_read_or_says_what_is_wrong() {
    for (cell, severity, code, repair) in [
        ("31/02/2016", Severity::Error, Code::Date, None),
        (
            "05/13/2016",
            Severity::Error,
            Code::Date,
            Some("2016-05-13"),
        ),
        ("tomorrow", Severity::Error, Code::Date, None),
        ("23/11/2026", Severity::Error, Code::BornWhen, None),
        ("09/05/1916", Severity::Error, Code::BornWhen, None),
        ("9/5/16", Severity::Note, Code::DateYear, None),
    ] {
        let line = zoe_but(&[("DOB", cell)]);
        assert_eq!(only(&line), (Some(Field::Born), severity, code), "{cell}");
        assert_eq!(line.faults[0].repair.as_deref(), repair, "{cell}");
        assert_eq!(line.fields.born.is_none(), line.is_bad(), "{cell}");
    }
    let line = zoe_but(&[("DOB", "09/05/2000"), ("Year", "X")]);
    assert_eq!(
        only(&line),
        (Some(Field::Born), Severity::Warning, Code::BornWhen)
    );
    assert!(line.fields.born.is_some());
    let month_first = Against {
        day_first: false,
        ..against()
    };
    let line = judged(HEADER, &[("DOB", "05/09/2016")], &month_first);
    assert_eq!(line.fields.born, Some(date!(2016 - 05 - 09)));
}

#[test]
fn a_year_group_other_than_that_of_the_age_is_lawful_and_asked_about() {
    let line = zoe_but(&[("Year", "5")]);
    assert_eq!(
        only(&line),
        (Some(Field::YearGroup), Severity::Warning, Code::Cohort)
    );
    assert!(
        line.faults[0].sentence.contains("Year 6 in 2026/27"),
        "{:?}",
        line.faults
    );
    assert_eq!(line.fields.year_group, Some(YearGroup::Y5));
    assert!(!line.is_bad());
    assert_eq!(zoe_but(&[("Year", "X")]).faults, []);
    // Born on 31 August and the day after.
    assert_eq!(zoe_but(&[("DOB", "31/08/2016")]).faults, []);
    assert_eq!(only(&zoe_but(&[("DOB", "01/09/2016")])).2, Code::Cohort);
    let line = zoe_but(&[("Year", "Class 6")]);
    assert_eq!(
        only(&line),
        (Some(Field::YearGroup), Severity::Error, Code::YearGroup)
    );
}

#[test]
fn a_sex_of_another_kind_is_noted_and_one_that_is_none_an_error() {
    let line = zoe_but(&[("Sex", "2")]);
    assert_eq!(only(&line), (Some(Field::Sex), Severity::Note, Code::Sex));
    assert_eq!(line.fields.sex, Some(Sex::Female));
    let line = zoe_but(&[("Sex", "Miss")]);
    assert_eq!(only(&line), (Some(Field::Sex), Severity::Error, Code::Sex));
    assert_eq!(line.fields.sex, None);
}

#[test]
fn tags_are_kept_as_codes_however_they_are_written() {
    let line = zoe_but(&[
        ("Ethnicity", "White British"),
        ("FSM", "TRUE"),
        ("FSM Ever 6", "1"),
        ("In Care", "no"),
        ("Pupil Premium", "Yes"),
        ("SEN Status", "EHCP"),
        ("Service child", "F"),
        ("Traveller", "0"),
        ("Home language", " Welsh "),
        ("More able", "y"),
    ]);
    assert_eq!(line.faults, []);
    let tags: Vec<(&str, &str)> = line
        .tags
        .iter()
        .map(|(tag, said)| (tag.code(), said.as_str()))
        .collect();
    assert_eq!(
        tags,
        [
            ("ethnicity", "WBRI"),
            ("fsm", "Y"),
            ("fsm6", "Y"),
            ("looked_after", "N"),
            ("pupil_premium", "Y"),
            ("sen", "E"),
            ("service_child", "N"),
            ("traveller", "N"),
            ("home_language", "Welsh"),
            ("more_able", "Y")
        ]
    );
}

#[test]
fn an_authoritys_own_ethnicity_code_waits_until_it_is_placed() {
    let line = zoe_but(&[("Ethnicity", "WENG")]);
    assert_eq!(
        only(&line),
        (
            Some(Field::Ethnicity),
            Severity::Error,
            Code::EthnicityMapping
        )
    );
    assert!(line.faults[0].sentence.contains("WENG"));
    let mut placed = against();
    placed
        .ethnicities
        .insert(mapping_key("weng"), Ethnicity::Wbri);
    let line = judged(HEADER, &[("Ethnicity", "WENG")], &placed);
    assert_eq!(
        only(&line),
        (
            Some(Field::Ethnicity),
            Severity::Note,
            Code::EthnicityMapping
        )
    );
    assert_eq!(line.tags[&TagKind::Ethnicity], "WBRI");
}

#[test]
fn a_retired_or_unreadable_code_is_an_error_and_its_sentence_does_not_repeat_it() {
    for (name, cell, field, code) in [
        ("SEN Status", "S", Field::Sen, Code::Sen),
        ("SEN Status", "autism", Field::Sen, Code::Sen),
        ("In Care", "since March", Field::LookedAfter, Code::YesNo),
        ("FSM", "perhaps", Field::Fsm, Code::YesNo),
    ] {
        let line = zoe_but(&[(name, cell)]);
        assert_eq!(only(&line), (Some(field), Severity::Error, code), "{cell}");
        assert!(
            !line.faults[0].sentence.contains(&format!("“{cell}”")),
            "{cell}"
        );
        assert!(!line.tags.contains_key(&field.tag().unwrap()), "{cell}");
    }
    let line = zoe_but(&[("SEN Status", "")]);
    assert_eq!(only(&line), (Some(Field::Sen), Severity::Note, Code::Sen));
    assert_eq!(line.tags[&TagKind::Sen], "N");
}

#[test]
fn free_school_meals_now_and_not_in_the_last_six_years_contradict_each_other() {
    let line = zoe_but(&[("FSM", "Y"), ("FSM Ever 6", "N")]);
    assert_eq!(
        only(&line),
        (Some(Field::Fsm6), Severity::Warning, Code::FsmContradiction)
    );
    for (fsm, ever) in [("Y", "Y"), ("N", "Y"), ("N", "N"), ("Y", ""), ("", "N")] {
        assert_eq!(
            zoe_but(&[("FSM", fsm), ("FSM Ever 6", ever)]).faults,
            [],
            "{fsm} {ever}"
        );
    }
}

#[test]
fn traveller_and_ethnicity_say_the_same_or_are_asked_about() {
    for (traveller, ethnicity, agree) in [
        ("Y", "WIRT", true),
        ("Y", "WROM", true),
        ("N", "WBRI", true),
        ("Y", "WBRI", false),
        ("N", "WROM", false),
        ("N", "WIRT", false),
        // Who refused, was not asked, or said nothing contradicts nothing.
        ("Y", "REFU", true),
        ("Y", "NOBT", true),
        ("Y", "", true),
        ("", "WIRT", true),
    ] {
        let line = zoe_but(&[("Traveller", traveller), ("Ethnicity", ethnicity)]);
        if agree {
            assert_eq!(line.faults, [], "{traveller} {ethnicity}");
        } else {
            let expected = (
                Some(Field::Traveller),
                Severity::Warning,
                Code::TravellerContradiction,
            );
            assert_eq!(only(&line), expected, "{traveller} {ethnicity}");
        }
    }
}

#[test]
fn of_a_column_that_is_left_out_nothing_is_kept_and_nothing_said() {
    let header: Vec<String> = HEADER.iter().map(|name| (*name).to_owned()).collect();
    let mut columns = column::guess(&header, &BTreeMap::new());
    for column in &mut columns {
        if column.field().is_some_and(|field| field.switch().is_some()) {
            *column = Column::Ignore;
        }
    }
    let canary = "canary-Q7";
    let cells: Vec<String> = HEADER
        .iter()
        .zip(&columns)
        .map(|(name, column)| match column {
            Column::Ignore => canary,
            _ => ZOE
                .iter()
                .find(|(other, _)| other == name)
                .map_or("", |(_, cell)| cell),
        })
        .map(str::to_owned)
        .collect();
    assert!(cells.iter().filter(|cell| *cell == canary).count() == 11);
    let line = judge(7, &cells, &columns, &against());
    assert_eq!((line.faults.as_slice(), line.tags.len()), (&[][..], 0));
    assert!(!serde_json::to_string(&line).unwrap().contains("canary"));
}

#[test]
fn of_forty_columns_of_which_most_are_unknown_the_known_ones_are_read() {
    let header: Vec<String> = (0..40)
        .map(|n| {
            HEADER
                .get(n / 4)
                .filter(|_| n % 4 == 0)
                .map_or(format!("Custom {n}"), |name| (*name).to_owned())
        })
        .collect();
    let columns = column::guess(&header, &BTreeMap::new());
    assert_eq!(
        columns
            .iter()
            .filter(|column| column.field().is_some())
            .count(),
        10
    );
    let cells: Vec<String> = header
        .iter()
        .map(|name| {
            ZOE.iter()
                .find(|(other, _)| other == name)
                .map_or("=1+1", |(_, cell)| cell)
                .to_owned()
        })
        .collect();
    let line = judge(7, &cells, &columns, &against());
    // The preferred name is the one known column that is not among Zoë's cells.
    assert_eq!(
        only(&line),
        (Some(Field::PreferredName), Severity::Warning, Code::Formula)
    );
    assert_eq!(line.fields.last_name.as_deref(), Some("Smith"));
}

#[test]
fn twins_on_two_lines_are_two_pupils() {
    let twin = |first: &str, upn: &str, admission: &str| {
        zoe_but(&[("Legal Forename", first), ("UPN", upn), ("Adno", admission)])
    };
    let mut lines = [
        twin("Zoë", "B801200005001", "1001"),
        twin("Max", "P207000016049", "1002"),
    ];
    twice::find(&mut lines);
    assert!(lines.iter().all(|line| line.faults.is_empty()), "{lines:?}");
}
