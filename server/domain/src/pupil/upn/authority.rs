//! Which local authorities have numbers that UPNs begin with.

/// Whether a local authority of England or Wales, or another body that allocates UPNs, has or had that number. A list goes out
/// of date with each reorganisation, so what is not in it is a warning and never an error.
pub fn is_known_la(la: &str) -> bool {
    la.len() == 3
        && la.parse::<u16>().is_ok_and(|la| {
            AUTHORITIES
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&la))
        })
}

/// Numbers of authorities, each pair from and to. Merged and divided ones stay: pupils keep the number that they were given.
const AUTHORITIES: &[(u16, u16)] = &[
    (1, 5),
    // London.
    (201, 213),
    (301, 320),
    // Metropolitan districts.
    (330, 336),
    (340, 344),
    (350, 359),
    (370, 373),
    (380, 384),
    (390, 394),
    // Isles of Scilly.
    (420, 420),
    // Wales.
    (660, 681),
    // Islands, and schools of the armed forces.
    (701, 708),
    // Unitary authorities and counties; 838 and 839 Dorset and Bournemouth, Christchurch and Poole from 2019.
    (800, 803),
    (805, 808),
    (810, 813),
    (815, 816),
    (820, 823),
    (825, 826),
    (830, 831),
    (835, 841),
    (845, 846),
    (850, 852),
    (855, 857),
    (860, 861),
    (865, 896),
    (908, 909),
    (916, 916),
    (919, 919),
    (921, 921),
    (925, 926),
    (928, 929),
    (931, 931),
    (933, 933),
    (935, 938),
    // North and West Northamptonshire from 2021, Cumberland, Westmorland and Furness from 2023.
    (940, 943),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_known_old_and_new_and_no_others() {
        for known in [
            "001", "005", "201", "420", "660", "681", "708", "801", "938", "940", "943",
        ] {
            assert!(is_known_la(known), "{known}");
        }
        for unknown in [
            "000", "006", "214", "682", "709", "804", "944", "999", "1", "80", "8010", "+80",
        ] {
            assert!(!is_known_la(unknown), "{unknown}");
        }
    }
}
