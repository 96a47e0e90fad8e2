use super::*;

fn columns(header: &[&str]) -> Vec<Column> {
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    guess(&header, &BTreeMap::new())
}

#[test]
fn columns_are_known_as_information_systems_and_people_name_them() {
    for (name, field) in [
        ("UPN", Field::Upn),
        ("Unique Pupil Number", Field::Upn),
        ("Pupil UPN", Field::Upn),
        ("Admission No.", Field::AdmissionNumber),
        ("Adno", Field::AdmissionNumber),
        ("Student Admission Number", Field::AdmissionNumber),
        ("Forename", Field::FirstName),
        ("Legal Forename", Field::FirstName),
        ("First name", Field::FirstName),
        ("Legal Surname", Field::LastName),
        ("LAST NAME", Field::LastName),
        ("Chosen Forename", Field::PreferredName),
        ("Preferred forename", Field::PreferredName),
        ("DOB", Field::Born),
        ("Date of birth", Field::Born),
        ("Sex", Field::Sex),
        ("Gender", Field::Sex),
        ("Year", Field::YearGroup),
        ("NC Year", Field::YearGroup),
        ("NC year", Field::YearGroup),
        ("Year_Group", Field::YearGroup),
        ("Reg", Field::RegistrationGroup),
        ("Reg Group", Field::RegistrationGroup),
        ("Tutor group", Field::RegistrationGroup),
        ("Class", Field::ClassName),
        ("Class name", Field::ClassName),
        ("Class code", Field::ClassCode),
        ("Class teacher", Field::Teacher),
        ("Supervisor", Field::Supervisor),
        ("Ethnicity", Field::Ethnicity),
        ("SEN Status", Field::Sen),
        ("SEN provision", Field::Sen),
        ("FSM", Field::Fsm),
        ("FSM Ever 6", Field::Fsm6),
        ("Pupil Premium", Field::PupilPremium),
        ("In Care", Field::LookedAfter),
        ("LAC", Field::LookedAfter),
        ("Home language", Field::HomeLanguage),
        ("First Language", Field::HomeLanguage),
        ("Service child?", Field::ServiceChild),
        ("Traveller", Field::Traveller),
        ("Gifted & Talented", Field::MoreAble),
    ] {
        assert_eq!(columns(&[name]), [Column::Field(field)], "{name}");
    }
}

#[test]
fn what_is_near_a_field_and_is_not_it_is_not_taken_for_it() {
    for name in [
        "EAL",
        "SEN Need",
        "SEN Type",
        "Ever in care",
        "Legal Name Change",
        "ID",
        "Child protection",
        "Teacher email",
        "Year of entry",
        "Date of admission",
        "Medical",
        "Address",
        "Pupil",
    ] {
        assert_eq!(
            columns(&[name]),
            [Column::Unknown(Why::NotAField)],
            "{name}"
        );
    }
    assert_eq!(columns(&[" - "]), [Column::Unknown(Why::NoName)]);
}

#[test]
fn every_field_is_known_by_the_name_that_pages_give_it() {
    for field in Field::ALL {
        assert_eq!(
            columns(&[field.name()]),
            [Column::Field(*field)],
            "{}",
            field.name()
        );
    }
}

#[test]
fn two_columns_for_one_field_are_nobodys_until_a_person_has_chosen() {
    let found = columns(&["Surname", "Legal Surname", "Forename"]);
    assert_eq!(
        found,
        [
            Column::Unknown(Why::Twice(Field::LastName)),
            Column::Unknown(Why::Twice(Field::LastName)),
            Column::Field(Field::FirstName)
        ]
    );
    assert!(Why::Twice(Field::LastName).sentence().contains("“Surname”"));
    assert!(missing(&found).contains(&Field::LastName));
}

#[test]
fn what_a_school_said_of_a_column_goes_before_its_name() {
    let header = ["Surname", "Legal Surname", "House", "Colour", "Sex"].map(str::to_owned);
    let remembered = BTreeMap::from([
        (remembered_key("SURNAME "), Column::Ignore),
        (
            remembered_key("House"),
            Column::Field(Field::RegistrationGroup),
        ),
        (remembered_key("Colour"), Column::Unknown(Why::NotAField)),
        // That nobody had chosen is no choice.
        (remembered_key("Sex"), Column::Unknown(Why::NotAField)),
    ]);
    assert_eq!(
        guess(&header, &remembered),
        [
            Column::Ignore,
            Column::Field(Field::LastName),
            Column::Field(Field::RegistrationGroup),
            Column::Unknown(Why::NotAField),
            Column::Field(Field::Sex)
        ]
    );
}

#[test]
fn a_full_name_stands_for_both_names_unless_they_are_there_too() {
    for name in ["Name", "Pupil Name", "Surname Forename", "Full name"] {
        assert_eq!(columns(&[name]), [Column::FullName], "{name}");
    }
    let found = columns(&["Name", "DOB"]);
    assert!(!missing(&found).contains(&Field::FirstName));
    assert!(missing(&found).contains(&Field::Sex));
    assert_eq!(
        columns(&["Name", "Surname", "Forename"]).first(),
        Some(&Column::Unknown(Why::NamesApart))
    );
    assert_eq!(
        columns(&["Name", "Full name"]),
        [Column::Unknown(Why::FullNameTwice); 2]
    );
}

#[test]
fn a_header_lacks_what_no_column_is_and_a_upn_may_be_awaited() {
    assert_eq!(
        missing(&[]),
        [
            Field::AdmissionNumber,
            Field::FirstName,
            Field::LastName,
            Field::Born,
            Field::Sex,
            Field::YearGroup
        ]
    );
    let whole = columns(&["Adno", "Forename", "Surname", "DOB", "Sex", "Year"]);
    assert_eq!(missing(&whole), []);
    assert!(unlisted(&whole).contains(&Field::Upn));
    assert!(!unlisted(&whole).contains(&Field::Ethnicity));
}

#[test]
fn of_forty_columns_the_known_ones_are_found_and_the_others_left_alone() {
    let mut header: Vec<String> = (1..=40).map(|n| format!("Custom {n}")).collect();
    for (place, name) in [
        (0, "UPN"),
        (4, "Legal Surname"),
        (9, "Legal Forename"),
        (14, "DOB"),
        (19, "Sex"),
        (24, "NC Year"),
        (29, "Reg Group"),
        (34, "Adno"),
        (38, "EAL"),
        (39, ""),
    ] {
        name.clone_into(&mut header[place]);
    }
    let found = guess(&header, &BTreeMap::new());
    assert_eq!(found.len(), 40);
    assert_eq!(
        found
            .iter()
            .filter(|column| column.field().is_some())
            .count(),
        8
    );
    assert_eq!(found[38], Column::Unknown(Why::NotAField));
    assert_eq!(found[39], Column::Unknown(Why::NoName));
    assert_eq!(missing(&found), []);
}

#[test]
fn a_choice_is_sent_and_stored_by_its_code_and_an_unknown_column_is_none() {
    let fields = Field::ALL.iter().copied().map(Column::Field);
    for column in fields.chain([Column::FullName, Column::Ignore]) {
        let code = column.code().unwrap();
        assert_eq!(Column::from_code(code), Some(column), "{code}");
    }
    assert_eq!(Column::Unknown(Why::NoName).code(), None);
    assert_eq!(Column::from_code("shoe_size"), None);
}
