//! Where a log stood at a moment, signed with Ed25519 (RFC 8032).

use crate::{
    Break, Hash, Id, Why,
    chain::Point,
    line::{as_text, exact},
};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, fmt, str::FromStr};

/// Begins what is signed, so that no signature of it can pass for one of anything else.
const DOMAIN: &[u8] = b"quorate checkpoint v1\n";
/// The same for a whole file.
const FILE_DOMAIN: &[u8] = b"quorate export v1\n";
/// The same for the certificate of an approval.
const CERTIFICATE_DOMAIN: &[u8] = b"quorate certificate v1\n";

/// "The log of this tenant had this hash at this line": one line of a checkpoint file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Whose log.
    pub tenant: Id,
    /// The line.
    pub seq: i64,
    /// Its hash, which vouches for every line before it too.
    pub hash: Hash,
    /// When it was signed, in microseconds since 1970 (UTC).
    pub at: i64,
    /// Which key signed it.
    pub key: KeyId,
    signature: Signature,
}

impl Checkpoint {
    /// Where the log stood.
    pub const fn point(&self) -> Point {
        Point {
            seq: self.seq,
            hash: self.hash,
        }
    }

    /// Whether this key signed it.
    pub fn check(&self, key: &PublicKey) -> Result<(), Break> {
        let broken = |why| Err(Break { seq: self.seq, why });
        if self.key != key.id() {
            return broken(Why::OtherKey);
        }
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature.0);
        match key.0.verify_strict(&self.signed(), &signature) {
            Ok(()) => Ok(()),
            Err(_) => broken(Why::SignatureBad),
        }
    }

    /// Every part has its length, so that no two checkpoints are signed as the same bytes.
    fn signed(&self) -> [u8; DOMAIN.len() + 16 + 8 + 32 + 8 + 8] {
        let mut bytes = [0; DOMAIN.len() + 16 + 8 + 32 + 8 + 8];
        let mut rest = &mut bytes[..];
        for part in [
            DOMAIN,
            self.tenant.bytes(),
            &self.seq.to_be_bytes(),
            self.hash.bytes(),
            &self.at.to_be_bytes(),
            &self.key.0,
        ] {
            let (here, after) = rest.split_at_mut(part.len());
            here.copy_from_slice(part);
            rest = after;
        }
        bytes
    }
}

/// Names a key: the first eight bytes of its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyId([u8; 8]);

/// 64 bytes of Ed25519.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

/// What a checkpoint is checked with: 64 hexadecimal digits, as `quorate audit key` prints them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Its name in a checkpoint.
    pub fn id(&self) -> KeyId {
        let digest = Sha256::digest(self.0.as_bytes());
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        KeyId(id)
    }

    /// Whether this key signed a file with that SHA-256.
    pub fn sealed(&self, file: &Hash, signature: &Signature) -> bool {
        self.fits(FILE_DOMAIN, file, signature)
    }

    /// Whether this key signed a certificate that had this SHA-256 before it was signed.
    pub fn certified(&self, certificate: &Hash, signature: &Signature) -> bool {
        self.fits(CERTIFICATE_DOMAIN, certificate, signature)
    }

    fn fits(&self, domain: &[u8], digest: &Hash, signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        let signed = [domain, digest.bytes()].concat();
        // Strictly: RFC 8032, 5.1.7, and no key of small order, under which one signature would fit many messages.
        self.0.verify_strict(&signed, &signature).is_ok()
    }
}

/// What signs checkpoints. It lives in the server and never in a file.
#[derive(Clone)]
pub struct Signer(SigningKey);

impl Signer {
    /// From the 32 bytes of the secret key (RFC 8032, 5.1.5).
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// What its signatures are checked with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Says where a log stood. Whoever calls this has walked there from the last checkpoint.
    pub fn sign(&self, tenant: Id, point: Point, at: i64) -> Checkpoint {
        let mut checkpoint = Checkpoint {
            tenant,
            seq: point.seq,
            hash: point.hash,
            at,
            key: self.public().id(),
            signature: Signature([0; 64]),
        };
        checkpoint.signature = Signature(self.0.sign(&checkpoint.signed()).to_bytes());
        checkpoint
    }

    /// Signs a file with that SHA-256.
    pub fn seal(&self, file: &Hash) -> Signature {
        self.of(FILE_DOMAIN, file)
    }

    /// Signs a certificate that has this SHA-256 while it is not signed.
    pub fn certify(&self, certificate: &Hash) -> Signature {
        self.of(CERTIFICATE_DOMAIN, certificate)
    }

    fn of(&self, domain: &[u8], digest: &Hash) -> Signature {
        Signature(self.0.sign(&[domain, digest.bytes()].concat()).to_bytes())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public().id())
    }
}

macro_rules! as_hex {
    ($type:ident, $this:ident => $bytes:expr, $made:expr) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $this = self;
                f.write_str(&hex::encode($bytes))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $type {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                exact(text).and_then($made)
            }
        }
    };
}
as_hex!(KeyId, this => this.0, |bytes| Ok(Self(bytes)));
as_hex!(Signature, this => this.0, |bytes| Ok(Self(bytes)));
as_hex!(PublicKey, this => this.0.as_bytes(), |bytes| VerifyingKey::from_bytes(&bytes)
    .map(Self)
    .map_err(|_| "64 hexadecimal digits that are an Ed25519 key"));
as_text!(KeyId, Signature, PublicKey);

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> (Signer, Checkpoint) {
        let signer = Signer::from_secret(&[7; 32]);
        let point = Point {
            seq: 1204,
            hash: Hash::from_bytes([9; 32]),
        };
        let signed = signer.sign(Id::from_bytes([1; 16]), point, 1_781_805_600_000_000);
        (signer, signed)
    }

    #[test]
    fn a_checkpoint_stands_as_it_was_signed_and_in_no_other_way() {
        let (signer, good) = checkpoint();
        let key = signer.public();
        assert_eq!(good.check(&key), Ok(()));
        let broken = |why| Err(Break { seq: 1204, why });
        let mut other = good.clone();
        other.hash = Hash::from_bytes([8; 32]);
        assert_eq!(other.check(&key), broken(Why::SignatureBad));
        other = good.clone();
        other.at += 1;
        assert_eq!(other.check(&key), broken(Why::SignatureBad));
        other = good.clone();
        other.tenant = Id::from_bytes([2; 16]);
        assert_eq!(other.check(&key), broken(Why::SignatureBad));
        other = good.clone();
        other.signature.0[40] ^= 1;
        assert_eq!(other.check(&key), broken(Why::SignatureBad));
        other = good.clone();
        other.seq = 1205;
        assert_eq!(other.check(&key).unwrap_err().why, Why::SignatureBad);
        // Another key, under its own name and under this one's.
        let another = Signer::from_secret(&[8; 32]);
        assert_eq!(good.check(&another.public()), broken(Why::OtherKey));
        let mut forged = another.sign(good.tenant, good.point(), good.at);
        forged.key = key.id();
        assert_eq!(forged.check(&key), broken(Why::SignatureBad));
    }

    #[test]
    fn a_checkpoint_travels_as_one_line_of_json() {
        let (signer, good) = checkpoint();
        let text = serde_json::to_string(&good).unwrap();
        assert!(!text.contains('\n'));
        assert_eq!(serde_json::from_str::<Checkpoint>(&text).unwrap(), good);
        for bad in [
            text.replace("1204", "1204.0"),
            text.replace("1204", "12041204120412041204"),
            text.replace("1204", "\"1204\""),
            text.replace("\"seq\"", "\"seq\":1,\"seq\""),
            text.replace("\"seq\"", "\"note\":1,\"seq\""),
            text.replace("\"signature\":\"", "\"signature\":\"00"),
        ] {
            assert!(serde_json::from_str::<Checkpoint>(&bad).is_err(), "{bad}");
        }
        let printed = signer.public().to_string();
        assert_eq!(printed.parse::<PublicKey>().unwrap(), signer.public());
        assert!(!format!("{signer:?}").contains("07"));
        // Not a point of the curve.
        assert!(
            format!("02{}", "00".repeat(31))
                .parse::<PublicKey>()
                .is_err()
        );
    }

    #[test]
    fn what_is_signed_as_a_certificate_passes_for_nothing_else() {
        let signer = Signer::from_secret(&[7; 32]);
        let (key, digest) = (signer.public(), Hash::from_bytes([9; 32]));
        let signature = signer.certify(&digest);
        assert!(key.certified(&digest, &signature));
        assert!(!key.sealed(&digest, &signature));
        assert!(!key.certified(&digest, &signer.seal(&digest)));
        assert!(!key.certified(&Hash::from_bytes([8; 32]), &signature));
    }

    /// RFC 8032, 7.1, test 1: the key of a secret.
    #[test]
    fn the_key_is_the_one_of_the_standard() {
        let secret =
            exact("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        assert_eq!(
            Signer::from_secret(&secret).public().to_string(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
    }
}
