//! Files on their way in: they lie in a folder of this process until they are whole and have been looked at. Nothing of them is
//! anybody's to read before that, and what nobody goes on with is thrown away.
//!
//! A file that comes in parts can go on after its connection was lost: where it stands is the length of what lies here.

use std::{
    collections::HashSet,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use domain::{MembershipId, Refusal, TenantId, file::Fault};
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::{
    fs::{self, File, OpenOptions},
    io::AsyncWriteExt,
    time::timeout,
};
use uuid::Uuid;

/// How long an upload may rest before it is thrown away.
pub const REST: Duration = Duration::from_hours(24);

/// What is read at once, bytes: each piece is a turn of another thread.
pub const PIECE: usize = 256 * 1024;
/// Longest silence in the middle of a part; whoever was cut off goes on where the bytes end.
const SILENCE: Duration = Duration::from_secs(30);
/// Most uploads that one person has on their way.
const OF_ONE: usize = 20;
/// After so long without a byte one of them makes room for another.
const LEFT: Duration = Duration::from_mins(10);

/// What an upload is to become, as it was said when it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meant {
    /// Whose school.
    pub tenant: TenantId,
    /// Who uploads.
    pub by: MembershipId,
    /// What the file is called, as the browser sent it.
    pub name: String,
    /// Bytes, as the browser said.
    pub size: u64,
    /// What it becomes: the fields of the form.
    pub fields: Vec<(String, String)>,
}

impl Meant {
    /// A field of the form; empty where it was not sent.
    pub fn field(&self, name: &str) -> &str {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map_or("", |(_, value)| value)
    }
}

/// The folder.
#[derive(Clone, Debug)]
pub struct Staging {
    folder: PathBuf,
    held: Arc<Mutex<HashSet<Uuid>>>,
}

/// An upload that one request is at. While it is held no other adds to it, gives it up or finishes it.
#[derive(Debug)]
pub struct Hold {
    id: Uuid,
    held: Arc<Mutex<HashSet<Uuid>>>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        lock(&self.held).remove(&self.id);
    }
}

fn lock(held: &Mutex<HashSet<Uuid>>) -> std::sync::MutexGuard<'_, HashSet<Uuid>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Staging {
    /// Over a folder, which is made and is nobody else's.
    pub fn new(folder: PathBuf) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        Ok(Self {
            folder,
            held: Arc::default(),
        })
    }

    /// Takes an upload for one request. Refuses [`Refusal::UploadBusy`] while another has it: bytes that come while it is looked at
    /// would be filed, and nobody would have looked at them.
    pub fn hold(&self, id: Uuid) -> Result<Hold, Refusal> {
        if lock(&self.held).insert(id) {
            let held = self.held.clone();
            Ok(Hold { id, held })
        } else {
            Err(Refusal::UploadBusy)
        }
    }

    /// Where the bytes of an upload lie.
    pub fn path(&self, id: Uuid) -> PathBuf {
        self.folder.join(id.simple().to_string())
    }

    fn beside(&self, id: Uuid, what: &str) -> PathBuf {
        self.folder.join(format!("{}.{what}", id.simple()))
    }

    /// Begins an upload. Refuses an empty file and one that is too large before a byte of it is sent, and
    /// [`Refusal::ManyUploads`].
    pub async fn begin(&self, meant: &Meant) -> Result<Uuid, Refusal> {
        if meant.size == 0 {
            return Err(Fault::Empty.into());
        }
        if meant.size > domain::file::MOST {
            return Err(Fault::TooLarge.into());
        }
        self.make_room(meant).await?;
        let id = Uuid::new_v4();
        let said = serde_json::to_vec(meant).map_err(|_| Refusal::Broken)?;
        fs::write(self.beside(id, "meant"), said)
            .await
            .map_err(full)?;
        File::create(self.path(id)).await.map_err(full)?;
        Ok(id)
    }

    /// Refuses [`Refusal::ManyUploads`] to somebody who has so many on their way; what they left lying goes first.
    async fn make_room(&self, meant: &Meant) -> Result<(), Refusal> {
        let now = SystemTime::from(crate::clock::now());
        let held = lock(&self.held).clone();
        let (mut under_way, mut left) = (0, Vec::new());
        let mut entries = fs::read_dir(&self.folder).await.map_err(full)?;
        while let Some(entry) = entries.next_entry().await.map_err(full)? {
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".meant"));
            let Some(id) = id.and_then(|id| Uuid::try_parse(id).ok()) else {
                continue;
            };
            if self.meant(id, meant.tenant, meant.by).await.is_err() {
                continue;
            }
            // Without bytes it is finished, and only what became of it is kept.
            let Ok(lies) = fs::metadata(self.path(id)).await else {
                continue;
            };
            under_way += 1;
            let still = lies
                .modified()
                .ok()
                .and_then(|at| now.duration_since(at).ok());
            if still.is_some_and(|still| still > LEFT) && !held.contains(&id) {
                left.push(id);
            }
        }
        if under_way < OF_ONE {
            return Ok(());
        }
        for id in &left {
            self.drop(*id).await;
        }
        if under_way - left.len() < OF_ONE {
            Ok(())
        } else {
            Err(Refusal::ManyUploads)
        }
    }

    /// A file here that has no name: it is gone with its handle, however this process ends. Nobody else reads it.
    pub async fn nameless(&self) -> Result<File, Refusal> {
        let path = self.path(Uuid::new_v4());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .await
            .map_err(full)?;
        remove(&path).await.map_err(full)?;
        Ok(file)
    }

    /// What an upload is to become. Refuses [`Refusal::UploadLost`] where there is none, or it is somebody else's.
    pub async fn meant(
        &self,
        id: Uuid,
        tenant: TenantId,
        by: MembershipId,
    ) -> Result<Meant, Refusal> {
        let said = fs::read(self.beside(id, "meant"))
            .await
            .map_err(|_| Refusal::UploadLost)?;
        let meant: Meant = serde_json::from_slice(&said).map_err(|_| Refusal::UploadLost)?;
        if (meant.tenant, meant.by) == (tenant, by) {
            Ok(meant)
        } else {
            Err(Refusal::UploadLost)
        }
    }

    /// How many bytes of it lie here.
    pub async fn length(&self, id: Uuid) -> Result<u64, Refusal> {
        fs::metadata(self.path(id))
            .await
            .map(|file| file.len())
            .map_err(|_| Refusal::UploadLost)
    }

    /// Writes what comes behind what lies here, piece by piece, and returns how much lies here then. What came before the stream
    /// broke off stays.
    ///
    /// Refuses bytes beyond `most`, and leaves them out.
    pub async fn append<E>(
        &self,
        id: Uuid,
        most: u64,
        mut stream: impl Stream<Item = Result<bytes::Bytes, E>> + Unpin,
    ) -> Result<Came, Refusal> {
        let written = self.write(id, most, &mut stream).await;
        if written.is_err() {
            // Whoever is answered before all of it was sent sees a broken connection, and no sentence.
            let mut came = 0;
            while let Ok(Some(Ok(piece))) = timeout(SILENCE, stream.next()).await {
                came += piece.len() as u64;
                if came > domain::file::MOST {
                    break;
                }
            }
        }
        written
    }

    async fn write<E>(
        &self,
        id: Uuid,
        most: u64,
        stream: &mut (impl Stream<Item = Result<bytes::Bytes, E>> + Unpin),
    ) -> Result<Came, Refusal> {
        let mut file = OpenOptions::new()
            .append(true)
            .open(self.path(id))
            .await
            .map_err(|_| Refusal::UploadLost)?;
        let mut length = self.length(id).await?;
        let came = loop {
            match timeout(SILENCE, stream.next()).await {
                Ok(Some(Ok(piece))) => {
                    let piece_length = piece.len() as u64;
                    if length + piece_length > most {
                        return Err(Fault::TooLarge.into());
                    }
                    file.write_all(&piece).await.map_err(full)?;
                    length += piece_length;
                }
                Ok(None) => break Came::Whole(length),
                Ok(Some(Err(_))) | Err(_) => break Came::BrokenOff(length),
            }
        };
        file.flush().await.map_err(full)?;
        Ok(came)
    }

    /// What the bytes add up to.
    pub async fn sum(&self, id: Uuid) -> Result<(u64, [u8; 32]), Refusal> {
        let file = File::open(self.path(id))
            .await
            .map_err(|_| Refusal::UploadLost)?;
        added_up(file).await.map_err(full)
    }

    /// What became of an upload that was finished, so that asking twice does nothing twice.
    pub async fn outcome(&self, id: Uuid) -> Option<Vec<u8>> {
        fs::read(self.beside(id, "outcome")).await.ok()
    }

    /// Keeps what became of it, and throws its bytes away.
    pub async fn finish(&self, id: Uuid, outcome: &[u8]) {
        if let Err(error) = fs::write(self.beside(id, "outcome"), outcome).await {
            tracing::warn!(%error, "what became of an upload could not be kept");
        }
        let _ = fs::remove_file(self.path(id)).await;
    }

    /// Throws an upload away.
    pub async fn drop(&self, id: Uuid) {
        for path in [
            self.path(id),
            self.beside(id, "meant"),
            self.beside(id, "outcome"),
        ] {
            let _ = fs::remove_file(path).await;
        }
    }

    /// Throws away what has rested for longer than [`REST`]; returns how many files that were.
    pub async fn sweep(&self, now: SystemTime) -> io::Result<usize> {
        let (mut entries, mut gone) = (fs::read_dir(&self.folder).await?, 0);
        while let Some(entry) = entries.next_entry().await? {
            let rested = entry
                .metadata()
                .await
                .and_then(|file| file.modified())
                .is_ok_and(|at| now.duration_since(at).is_ok_and(|rest| rest > REST));
            if rested {
                remove(&entry.path()).await?;
                gone += 1;
            }
        }
        Ok(gone)
    }
}

/// How a part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// As it was meant to; so much lies here now.
    Whole(u64),
    /// In the middle; so much lies here now.
    BrokenOff(u64),
}

/// How many bytes a file has, and what they add up to.
pub async fn added_up(file: File) -> io::Result<(u64, [u8; 32])> {
    let mut file = file.into_std().await;
    tokio::task::spawn_blocking(move || {
        let (mut sum, mut size) = (Sha256::new(), 0);
        let mut piece = vec![0; PIECE];
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                return Ok((size, sum.finalize().into()));
            }
            size += read as u64;
            sum.update(&piece[..read]);
        }
    })
    .await
    .map_err(io::Error::other)?
}

async fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
pub(crate) fn full(error: io::Error) -> Refusal {
    tracing::error!(%error, "an upload cannot be written down");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Refusal::NoRoom,
        _ => Refusal::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant() -> Meant {
        Meant {
            tenant: Uuid::from_u128(1),
            by: Uuid::from_u128(2),
            name: "Minutes.pdf".to_owned(),
            size: 6,
            fields: vec![("title".to_owned(), "Minutes".to_owned())],
        }
    }

    fn pieces(
        of: &[Result<&'static str, ()>],
    ) -> impl Stream<Item = Result<bytes::Bytes, ()>> + Unpin {
        futures::stream::iter(
            of.iter()
                .map(|piece| piece.map(|text| bytes::Bytes::from_static(text.as_bytes())))
                .collect::<Vec<_>>(),
        )
    }

    #[tokio::test]
    async fn an_upload_goes_on_where_its_connection_was_lost() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::new(folder.path().join("uploads")).unwrap();
        let id = staging.begin(&meant()).await.unwrap();
        let came = staging
            .append(id, 6, pieces(&[Ok("abc"), Err(())]))
            .await
            .unwrap();
        assert_eq!(came, Came::BrokenOff(3));
        assert_eq!(staging.length(id).await, Ok(3));
        let came = staging.append(id, 6, pieces(&[Ok("def")])).await.unwrap();
        assert_eq!(came, Came::Whole(6));
        let (size, sum) = staging.sum(id).await.unwrap();
        assert_eq!((size, sum), (6, Sha256::digest("abcdef").into()));
        assert_eq!(
            staging.append(id, 6, pieces(&[Ok("g")])).await,
            Err(Fault::TooLarge.into())
        );
        assert_eq!(staging.length(id).await, Ok(6));
    }

    #[tokio::test]
    async fn one_request_at_a_time_is_at_an_upload() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::new(folder.path().to_owned()).unwrap();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let held = staging.hold(one).unwrap();
        assert_eq!(staging.clone().hold(one).err(), Some(Refusal::UploadBusy));
        assert!(staging.hold(other).is_ok(), "another upload is free");
        drop(held);
        assert!(staging.hold(one).is_ok());
    }

    #[tokio::test]
    async fn an_upload_is_its_owners_and_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::new(folder.path().to_owned()).unwrap();
        let id = staging.begin(&meant()).await.unwrap();
        let (tenant, by) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(staging.meant(id, tenant, by).await, Ok(meant()));
        for (tenant, by) in [(Uuid::from_u128(3), by), (tenant, Uuid::from_u128(3))] {
            assert_eq!(
                staging.meant(id, tenant, by).await,
                Err(Refusal::UploadLost)
            );
        }
        assert_eq!(
            staging.meant(Uuid::new_v4(), tenant, by).await,
            Err(Refusal::UploadLost)
        );
    }

    #[tokio::test]
    async fn what_nobody_goes_on_with_is_thrown_away_after_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::new(folder.path().to_owned()).unwrap();
        let id = staging.begin(&meant()).await.unwrap();
        let now = SystemTime::from(crate::clock::now());
        assert_eq!(
            staging
                .sweep(now + REST - Duration::from_mins(1))
                .await
                .unwrap(),
            0
        );
        assert_eq!(
            staging
                .sweep(now + REST + Duration::from_mins(1))
                .await
                .unwrap(),
            2
        );
        assert_eq!(staging.length(id).await, Err(Refusal::UploadLost));
    }

    #[tokio::test]
    async fn one_person_has_so_many_under_way_and_others_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::new(folder.path().to_owned()).unwrap();
        let mut begun = Vec::new();
        for _ in 0..OF_ONE {
            begun.push(staging.begin(&meant()).await.unwrap());
        }
        assert_eq!(staging.begin(&meant()).await, Err(Refusal::ManyUploads));
        let other = Meant {
            by: Uuid::from_u128(3),
            ..meant()
        };
        staging.begin(&other).await.unwrap();
        // One that is finished, and one that is given up, make room for one each.
        staging.finish(begun[0], b"{}").await;
        staging.drop(begun[1]).await;
        for _ in 0..2 {
            staging.begin(&meant()).await.unwrap();
        }
        assert_eq!(staging.begin(&meant()).await, Err(Refusal::ManyUploads));
        // So do those that nothing comes for any more.
        let long_ago = SystemTime::from(crate::clock::now()) - LEFT - Duration::from_secs(1);
        let file = std::fs::File::options()
            .write(true)
            .open(staging.path(begun[2]))
            .unwrap();
        file.set_modified(long_ago).unwrap();
        staging.begin(&meant()).await.unwrap();
        assert_eq!(staging.length(begun[2]).await, Err(Refusal::UploadLost));
        assert_eq!(staging.begin(&meant()).await, Err(Refusal::ManyUploads));
    }

    #[tokio::test]
    async fn an_empty_file_and_one_too_large_are_refused_before_a_byte_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::new(folder.path().to_owned()).unwrap();
        for (size, fault) in [(0, Fault::Empty), (domain::file::MOST + 1, Fault::TooLarge)] {
            let refused = staging.begin(&Meant { size, ..meant() }).await;
            assert_eq!(refused, Err(fault.into()));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
