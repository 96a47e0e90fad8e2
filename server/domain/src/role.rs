//! The roles that a membership may carry, and what follows from them.

use serde::{Deserialize, Serialize};

macro_rules! roles {
    ($($variant:ident $code:literal $name:literal $meaning:literal;)*) => {
        /// What a person is in a tenant. A membership carries one or more.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Role { $(#[doc = $meaning] $variant,)* }

        impl Role {
            /// Every role, in the order in which pages list them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As stored and as sent in forms.
            pub const fn code(self) -> &'static str { match self { $(Self::$variant => $code),* } }

            /// As people read it.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),* } }

            /// What the role may do, in one sentence.
            pub const fn meaning(self) -> &'static str { match self { $(Self::$variant => $meaning),* } }

            /// The role of a stored code; none for a code that is not in the list.
            pub fn from_code(code: &str) -> Option<Self> { match code { $($code => Some(Self::$variant),)* _ => None } }
        }
    };
}

roles! {
    SchoolAdmin "school_admin" "School administrator" "Runs the school’s Quorate: people, settings and the audit log.";
    SeniorLeader "senior_leader" "Senior leader" "Sees the school-wide picture.";
    Senco "senco" "SENCO" "Sees every pupil’s needs and support.";
    Teacher "teacher" "Teacher" "Keeps the records of the pupils on their caseload.";
    TeachingAssistant "teaching_assistant" "Teaching assistant" "Adds to the records of the pupils on their caseload.";
    Clerk "clerk" "Clerk to governors" "Adds and removes people, and prepares meetings and papers.";
    Chair "chair" "Chair of governors" "Leads the board and signs its minutes.";
    Governor "governor" "Governor" "Reads, questions and approves the board’s papers.";
    Associate "associate" "Associate member" "Sits on committees and reads their papers.";
    Parent "parent" "Parent" "Sees what is on record for their own children.";
    Member "member" "Young person" "Logs experiences and sees them approved.";
    TrustAdmin "trust_admin" "Trust administrator" "Runs the trust’s Quorate.";
    TrustLead "trust_lead" "Trust leader" "Sees the schools of the trust side by side.";
    OrgAdmin "org_admin" "Organisation administrator" "Runs the organisation’s Quorate.";
    OrgStaff "org_staff" "Organisation staff" "Checks and approves young people’s experiences.";
}

/// Which kind of tenant it is; decides which roles exist there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantKind {
    /// One school.
    School,
    /// A trust of several schools.
    Trust,
    /// A volunteering organisation.
    Organisation,
}

impl TenantKind {
    /// The kind of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "school" => Self::School,
            "trust" => Self::Trust,
            "organisation" => Self::Organisation,
            _ => return None,
        })
    }
}

impl Role {
    /// Whether the role runs the tenant. A clerk never touches one who has it.
    pub const fn is_admin(self) -> bool {
        matches!(self, Self::SchoolAdmin | Self::TrustAdmin | Self::OrgAdmin)
    }

    /// Whether the role manages people.
    pub const fn manages_people(self) -> bool {
        self.is_admin() || matches!(self, Self::Clerk)
    }

    /// Whether the role exists in that kind of tenant.
    pub const fn fits(self, kind: TenantKind) -> bool {
        match kind {
            TenantKind::School => !matches!(
                self,
                Self::TrustAdmin | Self::TrustLead | Self::OrgAdmin | Self::OrgStaff
            ),
            TenantKind::Trust => matches!(self, Self::TrustAdmin | Self::TrustLead | Self::Clerk),
            TenantKind::Organisation => {
                matches!(self, Self::OrgAdmin | Self::OrgStaff | Self::Member)
            }
        }
    }

    /// The roles a holder of `own` may give or take in that kind of tenant.
    pub fn given_by(own: &[Self], kind: TenantKind) -> Vec<Self> {
        let admin = own.iter().any(|role| role.is_admin());
        let clerk = own.contains(&Self::Clerk);
        Self::ALL
            .iter()
            .copied()
            .filter(|role| role.fits(kind) && (admin || (clerk && !role.is_admin())))
            .collect()
    }
}

/// The roles of a list of codes, unknown ones left out, sorted and single.
pub fn parse<'a>(codes: impl IntoIterator<Item = &'a str>) -> Vec<Role> {
    let mut roles: Vec<Role> = codes.into_iter().filter_map(Role::from_code).collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_leads_back_to_its_role() {
        for role in Role::ALL {
            assert_eq!(Role::from_code(role.code()), Some(*role));
        }
        assert_eq!(Role::from_code("platform_admin"), None);
    }

    #[test]
    fn a_clerk_gives_every_role_of_a_school_but_the_administrator() {
        let given = Role::given_by(&[Role::Clerk], TenantKind::School);
        assert!(given.contains(&Role::Governor));
        assert!(!given.contains(&Role::SchoolAdmin));
        assert!(
            Role::given_by(&[Role::SchoolAdmin], TenantKind::School).contains(&Role::SchoolAdmin)
        );
        assert!(Role::given_by(&[Role::Governor], TenantKind::School).is_empty());
    }
}
