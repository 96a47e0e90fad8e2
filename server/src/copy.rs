//! Copies for reading: a PDF of each office file, made by LibreOffice, one after the other. The file is a stranger's and so is what
//! comes of it: the one is opened in a cage only, the other inspected as an upload is.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use domain::{
    Refusal,
    db::MailDb,
    document::copy::{Claim, Made, Why},
    file::Kind,
};
use inspect::{Inspector, NoPdf, Office};
use sha2::{Digest, Sha256};
use tokio::{
    fs::File,
    io::AsyncWriteExt as _,
    sync::{Notify, watch},
    task::JoinHandle,
    time::timeout,
};
use uuid::Uuid;

use crate::{clock, staging, storage::Storage};

/// How long one file may take on the clock.
pub const WALL: Duration = Duration::from_mins(2);
/// How long the store may take to hand a file out.
const FETCH_WAIT: Duration = Duration::from_mins(3);
/// What was not the file's fault is tried again after so many minutes.
const AGAIN_MINUTES: i32 = 5;
/// What a process that was killed left in the folder is nobody's after so long.
const LEFT: Duration = Duration::from_hours(1);

/// How often it is looked; the defaults are for real life.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Whether there is a copy to make, also when no bell rings: another process may have filed something.
    pub look: Duration,
    /// Rest before what was away is tried again.
    pub retry: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(20),
            retry: Duration::from_secs(20),
        }
    }
}

/// What making copies needs.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The application database, as the worker sees it.
    pub db: MailDb,
    /// Where documents lie.
    pub store: Storage,
    /// Looks at what LibreOffice made.
    pub inspector: Inspector,
    /// LibreOffice.
    pub office: Office,
    /// Where it works; what lies there for long is thrown away.
    pub folder: PathBuf,
    /// How often it is looked.
    pub pace: Pace,
}

/// The job of this process.
#[derive(Debug)]
pub struct Copier {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Copier {
    /// Starts it. `bell` is [`domain::db::Db::bell`].
    pub fn start(parts: Parts, bell: Arc<Notify>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(parts, bell, stopped));
        Self { stop, task }
    }

    /// Ends what is under way, with all that was started for it, and gives it back.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

/// Makes the folder in which LibreOffice works, and throws away what lies there from before.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let now = std::time::SystemTime::from(clock::now());
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let rested = entry
            .metadata()
            .and_then(|one| one.modified())
            .is_ok_and(|at| now.duration_since(at).is_ok_and(|rest| rest > LEFT));
        if rested {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// There was nothing to make.
    Nothing,
    /// One was made, or it was found that it cannot be.
    One,
    /// Something that is needed is away, or the job ends.
    Away,
}

async fn run(parts: Parts, bell: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
    let mut stuck = false;
    while !*stopped.borrow() {
        let looked = parts.look(&mut stopped).await;
        match looked {
            Looked::Away if !stuck && !*stopped.borrow() => {
                stuck = true;
                tracing::warn!("copies for reading wait; they are tried again");
            }
            Looked::Nothing | Looked::One if stuck => {
                stuck = false;
                tracing::info!("copies for reading are made again");
            }
            _ => {}
        }
        let rest = match looked {
            Looked::One => continue,
            Looked::Nothing => parts.pace.look,
            Looked::Away => parts.pace.retry,
        };
        tokio::select! {
            () = bell.notified(), if looked == Looked::Nothing => {}
            () = tokio::time::sleep(rest) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// Why there is no copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Not {
    /// The file's own fault.
    File(Why),
    /// It says nothing of the file.
    Now,
}

impl Parts {
    /// Makes the next copy, if there is one to make, and says so. Ended before, it gives the copy back.
    pub async fn look(&self, stopped: &mut watch::Receiver<bool>) -> Looked {
        let claim = match self.db.claim_copy().await {
            Ok(Some(claim)) => claim,
            Ok(None) => return Looked::Nothing,
            Err(Refusal::Unavailable) => return Looked::Away,
            Err(error) => {
                tracing::error!(%error, "the next copy for reading cannot be looked up");
                return Looked::Away;
            }
        };
        let made = tokio::select! {
            made = self.make(&claim) => Some(made),
            _ = stopped.wait_for(|stopped| *stopped) => None,
        };
        let told = match made {
            Some(Ok(made)) => self.keep(&claim, &made).await,
            Some(Err(Not::File(why))) => {
                tracing::info!(tenant = %claim.tenant, version = %claim.version, ?why, "no copy came of an office file");
                self.db.copy_failed(&claim, why).await
            }
            Some(Err(Not::Now)) => {
                let _ = self.db.copy_put_back(&claim, AGAIN_MINUTES).await;
                return Looked::Away;
            }
            None => {
                let _ = self.db.copy_put_back(&claim, 0).await;
                return Looked::Away;
            }
        };
        match told {
            Ok(()) => Looked::One,
            // It is claimed again when its ten minutes are over; an object that nothing points at is swept.
            Err(error) => {
                tracing::warn!(%error, "what came of a copy for reading could not be recorded");
                Looked::Away
            }
        }
    }

    async fn keep(&self, claim: &Claim, made: &Made) -> Result<(), Refusal> {
        if self.db.copy_made(claim, made).await? {
            tracing::info!(tenant = %claim.tenant, version = %claim.version, "a copy for reading is made");
            return Ok(());
        }
        tracing::info!(tenant = %claim.tenant, version = %claim.version, "a copy for reading came too late");
        if let Err(error) = self.store.remove(&made.key).await {
            tracing::warn!(%error, "an object that nothing points at stays until it is swept");
        }
        Ok(())
    }

    async fn make(&self, claim: &Claim) -> Result<Made, Not> {
        let scratch = Scratch::within(&self.folder).map_err(no_room)?;
        let file = scratch
            .0
            .join(format!("paper.{}", claim.format.extension()));
        timeout(FETCH_WAIT, self.fetch(claim, &file))
            .await
            .map_err(|_| Not::Now)??;
        let pdf = self
            .office
            .to_pdf(&scratch.0, &file, claim.format)
            .await
            .map_err(|none| match none {
                NoPdf::Slow => Not::File(Why::Slow),
                NoPdf::Ended => Not::File(Why::Ended),
                NoPdf::Nothing => Not::File(Why::Nothing),
                NoPdf::Unready => Not::Now,
            })?;
        let report = self
            .inspector
            .look(&pdf, Kind::Pdf)
            .await
            .map_err(|fault| {
                tracing::info!(?fault, "a copy for reading is not taken");
                if fault.passes() {
                    Not::Now
                } else {
                    Not::File(Why::Refused)
                }
            })?;
        let opened = File::open(&pdf).await.map_err(no_room)?;
        let (size, sha256) = staging::added_up(opened).await.map_err(no_room)?;
        let key = claim.key(Uuid::now_v7());
        let store_version = self
            .store
            .put(&key, &pdf, size, &sha256)
            .await
            .map_err(|error| {
                tracing::warn!(%error, "a copy for reading could not be stored");
                Not::Now
            })?;
        Ok(Made {
            key,
            store_version,
            size,
            sha256,
            pages: report.pages,
        })
    }

    /// Brings the file out of the store, the one that was put there and no other.
    async fn fetch(&self, claim: &Claim, to: &Path) -> Result<(), Not> {
        let mut bytes = self
            .store
            .get(&claim.key, claim.store_version.as_deref(), None)
            .await
            .map_err(|error| {
                tracing::warn!(%error, "a file cannot be read to make a copy of it");
                if error.is_missing() {
                    Not::File(Why::Altered)
                } else {
                    Not::Now
                }
            })?;
        let mut file = File::create(to).await.map_err(no_room)?;
        let (mut sum, mut size) = (Sha256::new(), 0_u64);
        while let Some(piece) = bytes.next().await {
            let piece = piece.map_err(|_| Not::Now)?;
            size += piece.len() as u64;
            if size > claim.size {
                break;
            }
            sum.update(&piece);
            file.write_all(&piece).await.map_err(no_room)?;
        }
        file.flush().await.map_err(no_room)?;
        let found: [u8; 32] = sum.finalize().into();
        if size != claim.size || found != claim.sha256 {
            tracing::error!("a file in the store is not the one that was put there");
            return Err(Not::File(Why::Altered));
        }
        Ok(())
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn no_room(error: io::Error) -> Not {
    tracing::error!(%error, "a copy for reading cannot be made here");
    Not::Now
}

/// A folder for one file, gone when it is done with.
struct Scratch(PathBuf);

impl Scratch {
    fn within(folder: &Path) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        // As the kernel knows it: a link on the way would not be ours to allow.
        let path = folder
            .canonicalize()?
            .join(Uuid::new_v4().simple().to_string());
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A process that was just ended may still have written a file meanwhile.
        for _ in 0..3 {
            match std::fs::remove_dir_all(&self.0) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {}
                _ => return,
            }
        }
        tracing::warn!("a folder in which a copy was made stays until the next start");
    }
}
