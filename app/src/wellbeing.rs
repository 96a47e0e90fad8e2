//! Records of how pupils are, as pages show them.

#[cfg(feature = "ssr")]
pub(crate) mod shown;
