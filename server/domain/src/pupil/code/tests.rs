use super::*;

#[test]
fn sex_is_read_as_files_carry_it_and_what_is_not_m_or_f_is_noted() {
    for (cell, sex, noted) in [
        ("M", Sex::Male, false),
        (" f ", Sex::Female, false),
        ("Female", Sex::Female, false),
        ("MALE", Sex::Male, false),
        ("Girl", Sex::Female, false),
        ("1", Sex::Male, true),
        ("2", Sex::Female, true),
        ("0", Sex::NotRecorded, true),
        ("9", Sex::NotRecorded, true),
        ("U", Sex::NotRecorded, true),
        ("N", Sex::NotRecorded, true),
        ("Non-binary", Sex::NotRecorded, true),
    ] {
        let read = Sex::parse(cell).unwrap();
        assert_eq!((read.value, read.note.is_some()), (sex, noted), "{cell}");
    }
    assert_eq!(Sex::parse(" "), Err(CodeFault::NoSex));
    // Never worked out from a title or a name.
    for other in ["Miss", "Mr", "Ann", "3", "MF"] {
        assert_eq!(Sex::parse(other), Err(CodeFault::Sex(other.to_owned())));
    }
    for sex in Sex::ALL {
        assert_eq!(Sex::from_code(sex.code()), Some(*sex));
    }
}

#[test]
fn there_are_twenty_main_ethnicity_codes_and_each_is_read_by_code_and_by_name() {
    assert_eq!(Ethnicity::ALL.len(), 20);
    for known in Ethnicity::ALL {
        for cell in [known.code().to_lowercase(), known.name().to_uppercase()] {
            let read = Ethnicity::parse(&cell, &BTreeMap::new()).unwrap().unwrap();
            assert_eq!(read, Read::plain(*known), "{cell}");
        }
        let sent = serde_json::to_string(known).unwrap();
        assert_eq!(sent, format!("\"{}\"", known.code()));
    }
    let hyphened = Ethnicity::parse("White - British", &BTreeMap::new());
    assert_eq!(hyphened, Ok(Some(Read::plain(Ethnicity::Wbri))));
}

#[test]
fn an_authoritys_own_code_is_a_question_until_the_school_has_placed_it() {
    let mut mappings = BTreeMap::new();
    assert_eq!(
        Ethnicity::parse("Afgh", &mappings),
        Err(CodeFault::EthnicityUnmapped("Afgh".to_owned()))
    );
    mappings.insert(mapping_key(" afgh"), Ethnicity::Aoth);
    let read = Ethnicity::parse("AFGH", &mappings).unwrap().unwrap();
    assert_eq!(read.value, Ethnicity::Aoth);
    assert!(read.note.is_some_and(|note| !note.contains("AOTH")));
    // A main code means what it means, whatever was placed.
    mappings.insert("WBRI".to_owned(), Ethnicity::Woth);
    let main = Ethnicity::parse("WBRI", &mappings);
    assert_eq!(main, Ok(Some(Read::plain(Ethnicity::Wbri))));
}

#[test]
fn refused_and_not_yet_obtained_are_different_answers_and_an_empty_cell_is_none() {
    let none = BTreeMap::new();
    let refused = Ethnicity::parse("Refused", &none).unwrap().unwrap().value;
    let not_yet = Ethnicity::parse("NOBT", &none).unwrap().unwrap().value;
    assert_eq!((refused, not_yet), (Ethnicity::Refu, Ethnicity::Nobt));
    assert!(!refused.is_group() && !not_yet.is_group());
    assert!(Ethnicity::Ooth.is_group());
    assert_eq!(Ethnicity::parse("  ", &none), Ok(None));
}

#[test]
fn a_sentence_repeats_no_more_of_a_cell_than_fits_and_nothing_that_does_not_show() {
    assert_eq!(shown(" Miss\u{7} "), "Miss");
    assert_eq!(shown(&"x".repeat(2000)), format!("{}…", "x".repeat(40)));
    assert_eq!(shown("a\u{202e}b"), "…");
}

#[test]
fn the_traveller_codes_are_two() {
    let codes: Vec<&str> = Ethnicity::ALL
        .iter()
        .filter(|known| known.is_traveller())
        .map(|known| known.code())
        .collect();
    assert_eq!(codes, ["WIRT", "WROM"]);
}

#[test]
fn sen_provision_is_read_and_a_retired_code_is_a_fault() {
    for (cell, sen, noted) in [
        ("N", Sen::None, false),
        ("k", Sen::Support, false),
        ("SEN Support", Sen::Support, false),
        ("K - SEN support", Sen::Support, false),
        ("E", Sen::Plan, false),
        ("EHCP", Sen::Plan, false),
        ("Education, health and care plan", Sen::Plan, false),
        ("Monitoring", Sen::None, true),
        ("", Sen::None, true),
    ] {
        let read = Sen::parse(cell).unwrap();
        assert_eq!((read.value, read.note.is_some()), (sen, noted), "{cell}");
    }
    for retired in ["S", "A", "p", "Statement", "School Action Plus"] {
        assert_eq!(Sen::parse(retired), Err(CodeFault::SenRetired), "{retired}");
    }
    assert!(CodeFault::SenRetired.to_string().contains("retired"));
    // The kind of need is not the provision.
    for other in ["Y", "SEMH", "ASD", "?"] {
        assert_eq!(Sen::parse(other), Err(CodeFault::Sen), "{other}");
    }
}

#[test]
fn yes_and_no_are_read_in_every_spelling_and_silence_is_neither() {
    for yes in ["Y", "yes", "T", "TRUE", "1", " ✓ "] {
        assert_eq!(yes_no(yes), Ok(Some(Read::plain(true))), "{yes}");
    }
    for no in ["n", "No", "F", "false", "0"] {
        assert_eq!(yes_no(no), Ok(Some(Read::plain(false))), "{no}");
    }
    assert_eq!(yes_no("  "), Ok(None));
    for other in ["maybe", "Yes since 2019", "2", "X", "?"] {
        assert_eq!(yes_no(other), Err(CodeFault::YesNo), "{other}");
        assert!(!CodeFault::YesNo.to_string().contains(other));
    }
}
