use proptest::prelude::*;

use super::*;

fn sdq() -> &'static Instrument {
    from_code("sdq").unwrap()
}

fn points(scores: &[(&'static str, i16)]) -> Vec<(&'static str, Points)> {
    scores
        .iter()
        .map(|(code, points)| (*code, Points::whole(*points)))
        .collect()
}

/// A teacher's answers about Elliot, who is nine.
const ELLIOT: [(&str, i16); 5] = [
    ("emotional", 4),
    ("conduct", 2),
    ("hyperactivity", 8),
    ("peer", 6),
    ("prosocial", 4),
];

#[test]
fn a_teachers_scores_are_banded_each_by_its_own_column() {
    let scores = scored(sdq(), Informant::Teacher, 9, &points(&ELLIOT), None).unwrap();
    let shown: Vec<_> = scores
        .iter()
        .map(|score| {
            (
                score.scale.code,
                score.points.to_string(),
                score.band.unwrap().name,
            )
        })
        .collect();
    let shown: Vec<_> = shown
        .iter()
        .map(|(code, points, band)| (*code, points.as_str(), *band))
        .collect();
    assert_eq!(
        shown,
        [
            ("emotional", "4", "Slightly raised"),
            ("conduct", "2", "Close to average"),
            ("hyperactivity", "8", "High"),
            ("peer", "6", "Very high"),
            ("prosocial", "4", "Low"),
            ("total", "20", "Very high"),
        ]
    );
}

#[test]
fn the_total_leaves_prosocial_out_and_must_be_the_sum() {
    let entered = points(&ELLIOT);
    let with = |total| {
        scored(
            sdq(),
            Informant::Teacher,
            9,
            &entered,
            Some(Points::whole(total)),
        )
    };
    assert!(with(20).is_ok());
    let fault = with(24).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "The sub-scales that count towards the total add up to 20, not 24. Check each number."
    );
}

#[test]
fn a_total_without_its_parts_cannot_be_checked() {
    let some = points(&ELLIOT[1..]);
    let total = Some(Points::whole(16));
    assert_eq!(
        scored(sdq(), Informant::Teacher, 9, &some, total),
        Err(Fault::TotalAlone)
    );
    let scores = scored(sdq(), Informant::Teacher, 9, &some, None).unwrap();
    assert!(scores.iter().all(|score| score.scale.code != "total"));
    let level = points(&[("wellbeing", 3)]);
    let leuven = from_code("leuven_wellbeing").unwrap();
    assert_eq!(
        scored(leuven, Informant::Teacher, 4, &level, total),
        Err(Fault::NoTotal)
    );
    assert_eq!(
        scored(leuven, Informant::Pupil, 4, &level, None),
        Err(Fault::Informant)
    );
}

#[test]
fn what_is_not_verified_is_not_banded() {
    for (informant, age) in [
        (Informant::Parent, 9),
        (Informant::Pupil, 12),
        (Informant::Teacher, 3),
        (Informant::Teacher, 18),
    ] {
        let scores = scored(sdq(), informant, age, &points(&ELLIOT), None).unwrap();
        assert_eq!(scores.len(), 6);
        assert!(
            scores.iter().all(|score| score.band.is_none()),
            "{informant:?} {age}"
        );
    }
}

#[test]
fn every_score_of_a_banded_scale_has_one_band() {
    for instrument in TABLE {
        for scale in instrument.scales.iter().chain(&instrument.total) {
            for banding in scale.bandings {
                for score in scale.least..=scale.most {
                    let bands = banding.bands.iter();
                    let mine = bands.filter(|band| (band.from..=band.to).contains(&score));
                    assert_eq!(mine.count(), 1, "{} {score}", scale.name);
                }
                let ends = |band: &Band| band.from >= scale.least && band.to <= scale.most;
                assert!(banding.bands.iter().all(ends), "{}", scale.name);
            }
        }
    }
}

#[test]
fn a_score_outside_its_range_twice_or_of_another_instrument_is_refused() {
    let one = |code, tenths| {
        let entered = [(code, Points(tenths))];
        scored(sdq(), Informant::Teacher, 9, &entered, None)
    };
    assert_eq!(
        one("peer", 110).unwrap_err().to_string(),
        "Peer goes from 0 to 10. Check the number."
    );
    assert_eq!(one("peer", 35), Err(Fault::Whole("Peer".to_owned())));
    assert_eq!(one("total", 200), Err(Fault::NoScale));
    assert_eq!(one("Peer", 30), Err(Fault::NoScale));
    let twice = points(&[("peer", 3), ("peer", 3)]);
    assert_eq!(
        scored(sdq(), Informant::Teacher, 9, &twice, None),
        Err(Fault::Twice("Peer".to_owned()))
    );
    assert_eq!(
        scored(sdq(), Informant::Teacher, 9, &[], None),
        Err(Fault::Nothing)
    );
}

#[test]
fn an_instrument_that_is_not_in_the_table_is_kept_by_name_and_without_bands() {
    let boxall = named(
        " Boxall Profile,  norms of 2017 ",
        &[
            ("Developmental strands", Points(1035)),
            ("Diagnostic profile", Points(-20)),
        ],
    )
    .unwrap();
    assert_eq!(boxall.name, "Boxall Profile, norms of 2017");
    assert_eq!(boxall.scales[0].1.to_string(), "103.5");
    let one = Points::whole(1);
    assert_eq!(named("", &[("Strand", one)]), Err(Fault::Name));
    assert_eq!(named("Profile", &[(" ", one)]), Err(Fault::Name));
    assert_eq!(named("Profile", &[]), Err(Fault::Nothing));
    assert_eq!(
        named("Profile", &[("Strand", one), ("strand", one)]),
        Err(Fault::Twice("strand".to_owned()))
    );
    assert_eq!(named("Profile", &[("Strand", one); 21]), Err(Fault::Many));
    assert_eq!(
        named("Profile", &[("Strand", Points::whole(1001))]),
        Err(Fault::Far("Strand".to_owned()))
    );
}

#[test]
fn a_score_is_a_number_with_at_most_one_digit_after_the_point() {
    for (typed, tenths) in [
        ("7", 70),
        (" 3.5 ", 35),
        ("-2", -20),
        ("−0.5", -5),
        ("0", 0),
    ] {
        assert_eq!(
            Points::parse(typed).map(Points::tenths),
            Ok(tenths),
            "{typed}"
        );
    }
    for typed in [
        "", "-", ".", "3.", ".5", "3.55", "1e3", "+3", "3,5", "12345", "NaN", "٣",
    ] {
        assert_eq!(Points::parse(typed), Err(Fault::NoNumber), "{typed:?}");
    }
}

#[test]
fn codes_are_known_and_stand_once() {
    for (n, instrument) in TABLE.iter().enumerate() {
        assert_eq!(from_code(instrument.code), Some(instrument));
        assert!(
            TABLE[n + 1..]
                .iter()
                .all(|other| other.code != instrument.code)
        );
        for (n, scale) in instrument.scales.iter().enumerate() {
            assert!(
                instrument.scales[n + 1..]
                    .iter()
                    .all(|other| other.code != scale.code)
            );
        }
    }
    for informant in Informant::ALL {
        assert_eq!(Informant::from_code(informant.code()), Some(informant));
    }
    assert_eq!(from_code("boxall"), None);
}

proptest! {
    #[test]
    fn what_is_shown_is_read_back(tenths in -9_999_i32..=9_999) {
        prop_assert_eq!(Points::parse(&Points(tenths).to_string()), Ok(Points(tenths)));
    }
}
