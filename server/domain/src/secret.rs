//! Values that the database keeps but must not be able to read: sealed with a key derived from the master key.

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use quorate_verify::Signer;
use sha2::Sha256;

use crate::{Refusal, db::random_bytes};

/// The master key, 32 bytes. One key per purpose is derived from it (RFC 5869), so that two purposes never share one.
#[derive(Clone)]
pub struct Secrets {
    master: Hkdf<Sha256>,
}

/// Names the master key inside a sealed value, so that a second one can be brought in beside it.
const KEY_ID: u8 = 1;
const NONCE: usize = 12;

impl Secrets {
    /// From 32 bytes of key.
    pub fn new(master: &[u8; 32]) -> Self {
        Self {
            master: Hkdf::new(None, master),
        }
    }

    /// Seals `value`; `place` names the column and row it belongs to ("factor.secret|<account>"), so that a value copied to
    /// another row does not open (AES-256-GCM, random nonce).
    pub fn seal(&self, place: &str, value: &[u8]) -> Result<Vec<u8>, Refusal> {
        let nonce: [u8; NONCE] = random_bytes()?;
        let sealed = self
            .cipher(place)?
            .encrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: value,
                    aad: place.as_bytes(),
                },
            )
            .map_err(|_| Refusal::Broken)?;
        Ok([&[KEY_ID], &nonce[..], &sealed].concat())
    }

    /// Opens what [`Secrets::seal`] made for the same place; refuses [`Refusal::Broken`] for anything else.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Refusal> {
        let opened = sealed
            .split_first()
            .filter(|(id, _)| **id == KEY_ID)
            .and_then(|(_, rest)| {
                let (nonce, text) = rest.split_first_chunk::<NONCE>()?;
                self.cipher(place)
                    .ok()?
                    .decrypt(
                        &Nonce::from(*nonce),
                        Payload {
                            msg: text,
                            aad: place.as_bytes(),
                        },
                    )
                    .ok()
            });
        opened.ok_or_else(|| {
            tracing::error!(
                "a sealed value does not open: wrong master key, or the row was tampered with"
            );
            Refusal::Broken
        })
    }

    /// What signs where a log stood. Derived as the other keys are, so that whoever keeps the master key keeps it too; with
    /// another master key, what was signed before is checked with the public key of then.
    pub fn signer(&self) -> Result<Signer, Refusal> {
        let mut secret = [0; 32];
        self.master
            .expand(b"checkpoint.sign", &mut secret)
            .map_err(|_| Refusal::Broken)?;
        Ok(Signer::from_secret(&secret))
    }

    fn cipher(&self, place: &str) -> Result<Aes256Gcm, Refusal> {
        let purpose = place.split('|').next().unwrap_or_default();
        let mut key = [0; 32];
        self.master
            .expand(purpose.as_bytes(), &mut key)
            .map_err(|_| Refusal::Broken)?;
        Ok(Aes256Gcm::new(&key.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_in_its_own_place_and_untouched() {
        let secrets = Secrets::new(&[7; 32]);
        let sealed = secrets.seal("factor.secret|joan", b"otter").unwrap();
        assert_eq!(
            secrets.open("factor.secret|joan", &sealed).unwrap(),
            b"otter"
        );
        assert!(secrets.open("factor.secret|dilip", &sealed).is_err());
        assert!(secrets.open("other|joan", &sealed).is_err());
        let mut touched = sealed.clone();
        *touched.last_mut().unwrap() ^= 1;
        assert!(secrets.open("factor.secret|joan", &touched).is_err());
        assert!(
            Secrets::new(&[8; 32])
                .open("factor.secret|joan", &sealed)
                .is_err()
        );
        assert_ne!(
            sealed,
            secrets.seal("factor.secret|joan", b"otter").unwrap()
        );
    }

    /// Schools have the public key in their files: it must not change by accident.
    #[test]
    fn the_key_of_checkpoints_follows_from_the_master_key_and_stays() {
        let key = |master| Secrets::new(&[master; 32]).signer().unwrap().public();
        assert_eq!(
            key(7).to_string(),
            "43b194aaea5715be71545735f38621c8ff4ba831b117af7ca467566550168893"
        );
        assert_ne!(key(8), key(7));
    }
}
