//! What is true of a school: its types and rules, and, with feature `db`, its queries. Never axum, never leptos.
//!
//! Without `db` the crate compiles to wasm, so a rule that the server enforces is the rule the browser explains.

#![forbid(unsafe_code)]
// sqlx 0.9.0 calls a deprecated function of its own wherever both `time` and `chrono` are in the build, also where
// sqlx.toml has chosen; graphile_worker brings chrono.
#![cfg_attr(feature = "db", allow(deprecated))]

pub mod anchor;
pub mod approval;
pub mod audit;
pub mod board;
pub mod budget;
pub mod day;
pub mod document;
pub mod factor;
pub mod file;
pub mod folder;
pub mod live;
pub mod membership;
pub mod notice;
pub mod overview;
pub mod password;
pub mod pupil;
pub mod question;
pub mod reading;
pub mod recovery;
pub mod refusal;
pub mod role;
pub mod roster;
pub mod session;
pub mod suppression;
pub mod tenancy;
pub mod text;
pub mod wellbeing;

#[cfg(feature = "db")]
pub mod db;
#[cfg(feature = "db")]
pub mod demo;
#[cfg(feature = "db")]
pub mod event;
#[cfg(feature = "db")]
pub mod mailing;
#[cfg(feature = "db")]
pub mod operator;
#[cfg(feature = "db")]
pub mod secret;
#[cfg(feature = "db")]
pub mod trail;
#[cfg(feature = "db")]
pub mod waiting;
#[cfg(feature = "db")]
mod work;

pub use refusal::Refusal;

/// A tenant: school, trust or volunteering organisation.
pub type TenantId = uuid::Uuid;
/// A person's account, one for the whole installation.
pub type AccountId = uuid::Uuid;
/// A person's place in one tenant.
pub type MembershipId = uuid::Uuid;
/// Position in a tenant's log: gap-free, from 1.
pub type Seq = i64;
