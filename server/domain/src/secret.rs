//! Values that the database keeps but must not be able to read: sealed with a key derived from the master key.

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use quorate_verify::Signer;
use sha2::Sha256;

use crate::{Refusal, TenantId, db::random_bytes};

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

    /// A new key of a tenant's own, and the same wrapped for the database to keep.
    pub fn tenant_key(
        &self,
        tenant: TenantId,
        number: u8,
    ) -> Result<(TenantKey, Vec<u8>), Refusal> {
        let secret: [u8; 32] = random_bytes()?;
        let wrapped = self.seal(&wrapping(tenant, number), &secret)?;
        Ok((TenantKey::new(tenant, number, &secret), wrapped))
    }

    /// The key of a tenant's own that the database keeps. Refuses [`Refusal::Broken`] for another tenant's or number's.
    pub fn unwrap(
        &self,
        tenant: TenantId,
        number: u8,
        wrapped: &[u8],
    ) -> Result<TenantKey, Refusal> {
        let secret = self.open(&wrapping(tenant, number), wrapped)?;
        Ok(TenantKey::new(tenant, number, &secret))
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

fn wrapping(tenant: TenantId, number: u8) -> String {
    format!("tenant_key.wrapped|{tenant}|{number}")
}

/// A key of a tenant's own. Who destroys the wrapped one in the database makes all that was sealed with it unreadable, in every copy.
pub struct TenantKey {
    tenant: TenantId,
    number: u8,
    own: Hkdf<Sha256>,
}

/// Bytes of a value before it is sealed: shorter ones are filled up, so that their length tells nothing.
const VALUE: usize = 64;

impl TenantKey {
    fn new(tenant: TenantId, number: u8, secret: &[u8]) -> Self {
        Self {
            tenant,
            number,
            own: Hkdf::new(None, secret),
        }
    }

    /// Seals a short text. `column` is table and column ("tag sealed"), which has a derived key of its own, and `row` what tells it
    /// from the others of its column; neither opens in another place, nor in another tenant's.
    ///
    /// Refuses a text of more than 63 bytes.
    pub fn seal(&self, column: &str, row: &str, value: &str) -> Result<Vec<u8>, Refusal> {
        let mut filled = [0; VALUE];
        let length = u8::try_from(value.len()).map_err(|_| Refusal::Broken)?;
        let room = filled.get_mut(1..=value.len()).ok_or(Refusal::Broken)?;
        room.copy_from_slice(value.as_bytes());
        filled[0] = length;
        let nonce: [u8; NONCE] = random_bytes()?;
        let aad = self.place(column, row);
        let sealed = self
            .cipher(column)?
            .encrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: &filled,
                    aad: aad.as_bytes(),
                },
            )
            .map_err(|_| Refusal::Broken)?;
        Ok([&[self.number], &nonce[..], &sealed].concat())
    }

    /// Opens what [`TenantKey::seal`] made for the same place; refuses [`Refusal::Broken`] for anything else.
    pub fn open(&self, column: &str, row: &str, sealed: &[u8]) -> Result<String, Refusal> {
        let aad = self.place(column, row);
        let opened = sealed
            .split_first()
            .filter(|(number, _)| **number == self.number)
            .and_then(|(_, rest)| {
                let (nonce, text) = rest.split_first_chunk::<NONCE>()?;
                let payload = Payload {
                    msg: text,
                    aad: aad.as_bytes(),
                };
                self.cipher(column)
                    .ok()?
                    .decrypt(&Nonce::from(*nonce), payload)
                    .ok()
            })
            .and_then(|filled| {
                let (length, rest) = filled.split_first()?;
                String::from_utf8(rest.get(..usize::from(*length))?.to_vec()).ok()
            });
        opened.ok_or_else(|| {
            tracing::error!("a sealed value does not open with its tenant's key");
            Refusal::Broken
        })
    }

    fn place(&self, column: &str, row: &str) -> String {
        format!("{}|{column}|{row}|{}", self.tenant, self.number)
    }

    fn cipher(&self, column: &str) -> Result<Aes256Gcm, Refusal> {
        let mut key = [0; 32];
        self.own
            .expand(column.as_bytes(), &mut key)
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

    #[test]
    fn a_tenants_value_opens_in_its_own_place_with_its_own_key_and_is_as_long_as_any_other() {
        let secrets = Secrets::new(&[7; 32]);
        let (oakfield, northgate) = (TenantId::from_u128(1), TenantId::from_u128(2));
        let (key, wrapped) = secrets.tenant_key(oakfield, 1).unwrap();
        let again = secrets.unwrap(oakfield, 1, &wrapped).unwrap();
        let sealed = key.seal("tag sealed", "ann|sen", "E").unwrap();
        assert_eq!(again.open("tag sealed", "ann|sen", &sealed).unwrap(), "E");
        for (column, row) in [
            ("tag sealed", "bo|sen"),
            ("tag sealed", "ann|fsm"),
            ("tag was", "ann|sen"),
        ] {
            assert!(key.open(column, row, &sealed).is_err(), "{column} {row}");
        }
        assert!(secrets.unwrap(northgate, 1, &wrapped).is_err());
        assert!(secrets.unwrap(oakfield, 2, &wrapped).is_err());
        assert!(
            Secrets::new(&[8; 32])
                .unwrap(oakfield, 1, &wrapped)
                .is_err()
        );
        let (other, _) = secrets.tenant_key(northgate, 1).unwrap();
        assert!(other.open("tag sealed", "ann|sen", &sealed).is_err());
        let long = key.seal("tag sealed", "ann|sen", &"x".repeat(63)).unwrap();
        assert_eq!(long.len(), sealed.len());
        assert!(key.seal("tag sealed", "ann|sen", &"x".repeat(64)).is_err());
        assert_eq!(key.open("tag sealed", "ann|sen", &long).unwrap().len(), 63);
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
