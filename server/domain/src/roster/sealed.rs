//! What of a line the database keeps and cannot read: its cells as they stood in the file, context tags among them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fault::Fault;
use crate::{Refusal, TenantId, db::broken, pupil::field::TagKind, secret::Secrets};

/// Lengths are filled up to a multiple of this, so that the length of a sealed value does not tell what it says.
const STEP: usize = 512;

/// The sealed part of a line.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sealed {
    /// Of the columns that are kept, as the file has them.
    pub cells: Vec<String>,
    /// What the line says of a pupil's circumstances.
    pub tags: BTreeMap<TagKind, String>,
    /// What is wrong with those: that FSM and FSM6 contradict each other tells what they say.
    pub faults: Vec<Fault>,
}

fn place(tenant: TenantId, import: Uuid, line: i32) -> String {
    format!("roster_row.tags|{tenant}|{import}|{line}")
}

impl Sealed {
    pub(super) fn seal(
        &self,
        secrets: &Secrets,
        tenant: TenantId,
        import: Uuid,
        line: i32,
    ) -> Result<Vec<u8>, Refusal> {
        let mut text =
            serde_json::to_vec(self).map_err(|error| broken("writing a line", &error))?;
        text.resize(text.len().next_multiple_of(STEP), b' ');
        secrets.seal(&place(tenant, import, line), &text)
    }

    pub(super) fn open(
        sealed: &[u8],
        secrets: &Secrets,
        tenant: TenantId,
        import: Uuid,
        line: i32,
    ) -> Result<Self, Refusal> {
        let text = secrets.open(&place(tenant, import, line), sealed)?;
        serde_json::from_slice(&text).map_err(|error| broken("reading a sealed line", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_line_opens_in_its_own_place_and_is_as_long_with_tags_as_without() {
        let secrets = Secrets::new(&[7; 32]);
        let (tenant, import) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let said = Sealed {
            tags: BTreeMap::from([(TagKind::LookedAfter, "Y".to_owned())]),
            ..Sealed::default()
        };
        let sealed = said.seal(&secrets, tenant, import, 3).unwrap();
        let nothing = Sealed::default().seal(&secrets, tenant, import, 3).unwrap();
        assert_eq!(sealed.len(), nothing.len());
        let open = |line| Sealed::open(&sealed, &secrets, tenant, import, line);
        assert_eq!(open(3).unwrap(), said);
        assert_eq!(open(4).unwrap_err(), Refusal::Broken);
    }
}
