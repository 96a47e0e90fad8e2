//! What is made at the first start and must not be lost: a few lines of `name = "value"`, readable by its owner alone.

use crate::error::{Result, While};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// The values of one data directory's `secrets.toml`.
pub struct Secrets {
    path: PathBuf,
    values: BTreeMap<String, String>,
}

impl Secrets {
    /// Reads them; a folder without the file has none yet.
    pub fn read(data: &Path) -> Result<Self> {
        let path = data.join("secrets.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).while_(format!("Cannot read {}", path.display())),
        };
        let values = text.lines().filter_map(parse_line).collect();
        Ok(Self { path, values })
    }

    /// Whether there is nothing yet.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// One value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Sets a value; `save` keeps it.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// One value, made by `make` and kept when it was not there.
    pub fn get_or_make(&mut self, name: &str, make: impl FnOnce() -> String) -> Result<String> {
        if let Some(value) = self.get(name) {
            return Ok(value.to_owned());
        }
        let value = make();
        self.set(name, value.clone());
        self.save()?;
        Ok(value)
    }

    /// Writes all of them, so that a crash leaves either the old file or the new one.
    pub fn save(&self) -> Result<()> {
        let mut text = String::from(
            "# Made by Quorate. Whoever reads this can read every school: keep it private and in the backup.\n",
        );
        for (name, value) in &self.values {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            let _ = writeln!(text, "{name} = \"{value}\"");
        }
        let next = self.path.with_extension("toml.new");
        let write = || {
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&next)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&next, &self.path)?;
            self.path
                .parent()
                .map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
        };
        write().while_(format!("Cannot write {}", self.path.display()))
    }
}

fn parse_line(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
    if name.starts_with('#') {
        return None;
    }
    Some((
        name.to_owned(),
        value.replace("\\\"", "\"").replace("\\\\", "\\"),
    ))
}

/// A password nobody types: 192 bits in hex.
pub(crate) fn password() -> Result<String> {
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes)
        .map_err(|error| std::io::Error::other(error.to_string()))
        .while_("The machine gives no random numbers")?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_come_back_as_they_were_and_only_the_owner_can_read_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mut secrets = Secrets::read(folder.path()).unwrap();
        assert!(secrets.is_empty());
        secrets.set("home", r#"/srv/a "b" \c"#);
        secrets.set("web", "pass");
        secrets.save().unwrap();
        let again = Secrets::read(folder.path()).unwrap();
        assert_eq!(again.get("home"), Some(r#"/srv/a "b" \c"#));
        assert_eq!(again.get("web"), Some("pass"));
        assert_eq!(again.get("worker"), None);
        let mode = std::fs::metadata(folder.path().join("secrets.toml"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
