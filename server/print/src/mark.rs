//! The mark of a certificate: one line of plain letters, found in its bytes without understanding the file.
//!
//! `quorate-certificate:1 sha256:<of the document> approval:<its id> key:<public key> signature:<Ed25519>`, the id as a UUID is
//! written and all else in hexadecimal digits.
//!
//! What is signed is the SHA-256 of the whole certificate with 128 zeros for the digits of the signature, wherever its mark
//! stands. A PDF carries it twice, in its XMP and its document information; both are the same.

use quorate_verify::{Hash, Id, PublicKey, Signer};
use sha2::{Digest as _, Sha256};

use crate::Error;

/// What every mark begins with. No other text of a certificate may hold it.
pub(crate) const BEGINS: &str = "quorate-certificate:";
const DIGITS: usize = 128;

/// A mark that is not signed yet.
pub(crate) fn blank(document: &Hash, approval: &Id, key: &PublicKey) -> String {
    format!(
        "{BEGINS}1 sha256:{document} approval:{approval} key:{key} signature:{}",
        "0".repeat(DIGITS)
    )
}

/// Signs a certificate that carries this blank mark. Refuses one without it.
pub(crate) fn sign(
    mut certificate: Vec<u8>,
    blank: &str,
    signer: &Signer,
) -> Result<Vec<u8>, Error> {
    let places = places(&certificate, blank.as_bytes());
    if places.is_empty() {
        return Err(Error::Unmarked);
    }
    let digest = Hash::from_bytes(Sha256::digest(&certificate).into());
    let signature = signer.certify(&digest).to_string();
    for place in places {
        let end = place + blank.len();
        if let Some(digits) = certificate.get_mut(end - DIGITS..end) {
            digits.copy_from_slice(signature.as_bytes());
        }
    }
    Ok(certificate)
}

fn places(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut from = 0;
    // From one first letter to the next: a window at every byte of a long file takes its time in a build for tests.
    while let Some(next) = bytes
        .get(from..)
        .and_then(|rest| rest.iter().position(|byte| Some(byte) == wanted.first()))
    {
        let place = from + next;
        if bytes[place..].starts_with(wanted) {
            places.push(place);
        }
        from = place + 1;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_of_the_mark_gets_the_signature_of_all_the_rest() {
        let signer = Signer::from_secret(&[7; 32]);
        let blank = blank(
            &Hash::from_bytes([9; 32]),
            &Id::from_bytes([9; 16]),
            &signer.public(),
        );
        let whole = format!("one {blank} two {blank} three");
        let signed =
            String::from_utf8(sign(whole.clone().into_bytes(), &blank, &signer).unwrap()).unwrap();
        let digits = &signed[4 + blank.len() - DIGITS..4 + blank.len()];
        assert_eq!(signed.matches(digits).count(), 2);
        assert_eq!(signed.replace(digits, &"0".repeat(DIGITS)), whole);
        let digest = Hash::from_bytes(Sha256::digest(whole).into());
        assert!(signer.public().certified(&digest, &digits.parse().unwrap()));
    }

    #[test]
    fn what_carries_no_mark_is_not_signed() {
        let signer = Signer::from_secret(&[7; 32]);
        let blank = blank(
            &Hash::from_bytes([9; 32]),
            &Id::from_bytes([9; 16]),
            &signer.public(),
        );
        assert!(matches!(
            sign(b"nothing".to_vec(), &blank, &signer),
            Err(Error::Unmarked)
        ));
    }
}
