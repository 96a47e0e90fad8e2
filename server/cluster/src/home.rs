//! Where the embedded PostgreSQL lives and as whom it runs.
//!
//! PostgreSQL refuses to run as root. So under root it runs as `postgres` or `nobody`, who must be able to reach its
//! folders: a data directory below `/root` (which is closed to others) keeps its cluster in `/var/lib/quorate`.

use crate::error::{Error, Result, While};
use crate::secrets::Secrets;
use nix::{
    sys::statvfs::statvfs,
    unistd::{Uid, User},
};
use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Room in a socket's address, less the byte that ends it.
const LONGEST_SOCKET: usize = 107;
const SOCKET_NAME: &str = ".s.PGSQL.5432";
/// Where root keeps what another user must reach.
const SHARED: &str = "/var/lib/quorate";

/// What a start of PostgreSQL and the next files of its log (16 MiB each) ask for.
const ROOM: u64 = 64 << 20;

/// The folders of one cluster, and the user that owns them.
#[derive(Clone, Debug)]
pub struct Home {
    /// The cluster itself, `PGDATA`.
    pub cluster: PathBuf,
    /// The folder of the socket: private, and short enough for a socket's address.
    pub socket: PathBuf,
    /// The programs.
    pub binaries: PathBuf,
    /// Another user than ours, under root.
    pub user: Option<(u32, u32)>,
}

impl Home {
    /// Finds or makes the folders that belong to a data directory, and records the choice in its secrets.
    pub fn settle(data: &Path, binaries: &Path, secrets: &mut Secrets) -> Result<Self> {
        require_programs(binaries)?;
        let user = other_user()?;
        if user.is_some_and(|user| !can_reach(binaries, user)) {
            return Err(Error::Refused(format!(
                "PostgreSQL refuses to run as root, and nobody else can reach {}; set QUORATE_POSTGRES to a copy outside root's home.",
                binaries.display()
            )));
        }
        let base = match secrets.get("home") {
            Some(home) => PathBuf::from(home),
            None => choose_base(data, user)?,
        };
        if secrets.get("home").is_some() && !base.is_dir() {
            return Err(Error::Refused(format!(
                "{} says that the database is in {}, which is not there; put it back, or remove {} to begin anew.",
                data.join("secrets.toml").display(),
                base.display(),
                data.display()
            )));
        }
        make_folder(&base, 0o711, None)?;
        let cluster = base.join("postgres");
        if secrets.is_empty() && cluster.exists() {
            if base.starts_with(SHARED) {
                // Its data directory was deleted, and with it the passwords: nobody can ever open this one again.
                fs::remove_dir_all(&cluster)
                    .while_(format!("Cannot remove {}", cluster.display()))?;
            } else {
                return Err(Error::Refused(format!(
                    "{} is there but its passwords in {} are not; put that file back, or remove {} to begin anew.",
                    cluster.display(),
                    data.join("secrets.toml").display(),
                    cluster.display()
                )));
            }
        }
        let socket = choose_socket(&base, user, secrets.get("socket"))?;
        secrets.set("home", base.display().to_string());
        secrets.set("socket", socket.display().to_string());
        secrets.save()?;
        Ok(Self {
            cluster,
            socket,
            binaries: binaries.to_owned(),
            user,
        })
    }

    /// Gives a file or folder of the cluster to the user that runs it.
    pub(crate) fn own(&self, path: &Path) -> Result<()> {
        give(path, self.user)
    }

    /// The socket itself.
    pub fn socket_file(&self) -> PathBuf {
        self.socket.join(SOCKET_NAME)
    }
}

/// Refuses a folder that is not the `bin` of a `PostgreSQL`, before anything is made.
pub(crate) fn require_programs(binaries: &Path) -> Result<()> {
    if binaries.join("postgres").exists() {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "There is no PostgreSQL at {}; run scripts/setup, set QUORATE_POSTGRES to the bin folder of PostgreSQL 18, or set DATABASE_URL.",
        binaries.display()
    )))
}

fn give(path: &Path, user: Option<(u32, u32)>) -> Result<()> {
    let Some((uid, gid)) = user else {
        return Ok(());
    };
    std::os::unix::fs::chown(path, Some(uid), Some(gid)).while_(format!(
        "Cannot give {} to the database's user",
        path.display()
    ))
}

/// Whether the disk that a folder lies on has room for a while. One that cannot be asked is taken to.
pub fn has_room(folder: &Path) -> bool {
    statvfs(folder).map_or(true, |disk| {
        disk.blocks_available() * disk.fragment_size() >= ROOM
    })
}

/// Makes a folder, or takes one that is there and is ours.
pub(crate) fn make_folder(path: &Path, mode: u32, user: Option<(u32, u32)>) -> Result<()> {
    let what = || format!("Cannot make {}", path.display());
    if !path.is_dir() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(path)
            .while_(what())?;
    }
    give(path, user)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).while_(what())
}

fn other_user() -> Result<Option<(u32, u32)>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name).while_("Cannot read the list of users")? {
            return Ok(Some((user.uid.as_raw(), user.gid.as_raw())));
        }
    }
    Err(Error::Refused("PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor `nobody`.".to_owned()))
}

/// Whether a user may pass through every folder above and into a path, by the permission bits.
fn can_reach(path: &Path, (uid, gid): (u32, u32)) -> bool {
    path.ancestors().all(|folder| {
        let Ok(facts) = fs::metadata(folder) else {
            return folder.as_os_str().is_empty();
        };
        let shift = if facts.uid() == uid {
            6
        } else if facts.gid() == gid {
            3
        } else {
            0
        };
        !facts.is_dir() || facts.mode() >> shift & 1 == 1
    })
}

fn choose_base(data: &Path, user: Option<(u32, u32)>) -> Result<PathBuf> {
    let Some(user) = user else {
        return Ok(data.to_owned());
    };
    // The data directory is ours to open; the folders above it are not.
    if data.parent().is_none_or(|above| can_reach(above, user)) {
        return Ok(data.to_owned());
    }
    make_folder(Path::new(SHARED), 0o711, None)?;
    Ok(Path::new(SHARED).join(format!(
        "{:016x}",
        fingerprint(data.as_os_str().as_encoded_bytes())
    )))
}

fn choose_socket(base: &Path, user: Option<(u32, u32)>, recorded: Option<&str>) -> Result<PathBuf> {
    let fits = |folder: &Path| folder.join(SOCKET_NAME).as_os_str().len() <= LONGEST_SOCKET;
    if let Some(folder) = recorded
        .map(PathBuf::from)
        .filter(|folder| fits(folder) && folder.is_dir() && is_private(folder, user))
    {
        return Ok(folder);
    }
    let beside = base.join("socket");
    if fits(&beside) {
        make_folder(&beside, 0o700, user)?;
        return Ok(beside);
    }
    // /tmp belongs to everybody, so the name is a new one each time and never one that is there already.
    loop {
        let folder = PathBuf::from(format!(
            "/tmp/quorate-{}",
            &crate::secrets::password()?[..16]
        ));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => {
                give(&folder, user)?;
                return Ok(folder);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).while_(format!("Cannot make {}", folder.display())),
        }
    }
}

fn is_private(folder: &Path, user: Option<(u32, u32)>) -> bool {
    let owner = user.map_or_else(|| Uid::effective().as_raw(), |(uid, _)| uid);
    fs::symlink_metadata(folder).is_ok_and(|facts| {
        facts.is_dir() && facts.uid() == owner && facts.mode().trailing_zeros() >= 6
    })
}

/// FNV-1a: a short name for something long, the same in every build.
pub(crate) fn fingerprint<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_deep_or_spaced_data_path_gets_a_short_private_socket_folder() {
        let folder = tempfile::tempdir().unwrap();
        let near = choose_socket(&folder.path().join("a b"), None, None).unwrap();
        assert!(near.ends_with("a b/socket"));

        let deep = folder.path().join("x".repeat(100));
        let far = choose_socket(&deep, None, None).unwrap();
        assert!(far.join(SOCKET_NAME).as_os_str().len() <= LONGEST_SOCKET);
        assert!(is_private(&far, None));
        assert_eq!(
            choose_socket(&deep, None, far.to_str()).unwrap(),
            far,
            "the recorded one is used again"
        );

        fs::set_permissions(&far, fs::Permissions::from_mode(0o755)).unwrap();
        let other = choose_socket(&deep, None, far.to_str()).unwrap();
        assert_ne!(other, far, "a folder that others can enter is not trusted");
        fs::remove_dir(far).unwrap();
        fs::remove_dir(other).unwrap();
    }

    #[test]
    fn reach_follows_the_permission_bits_of_every_folder_above() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
        let stranger = (4_000_000, 4_000_000);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!can_reach(&inner, stranger));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        assert!(can_reach(&inner, stranger));
    }
}
