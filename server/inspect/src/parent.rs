//! Starting the child, waiting for what it says, and ending it where it says nothing.

use crate::{Fault, Kind, Report, child};
use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// The most bytes of an answer: the words that are kept, each line break of them in two.
const ANSWER_MOST: u64 = 2 * crate::report::TEXT_MOST as u64 + 1024 * 1024;
/// The most bytes of what the child complains of.
pub(crate) const COMPLAINT_MOST: u64 = 64 * 1024;
/// How it ends after a panic.
const PANICKED: i32 = 101;

/// How much may be spent on looking.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long one file may take on the clock, however busy the machine is.
    pub wall: Duration,
    /// How many files are looked at at once; the others wait.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(60),
            at_once: 2,
        }
    }
}

/// Looks at files in children, of which so many run at once.
#[derive(Clone, Debug)]
pub struct Inspector {
    program: PathBuf,
    arguments: Vec<OsString>,
    wall: Duration,
    places: Arc<Semaphore>,
}

impl Inspector {
    /// With the program that becomes the child, and what it is told before the kind of the file.
    pub fn new<A: Into<OsString>>(
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        limits: Limits,
    ) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            wall: limits.wall,
            places: Arc::new(Semaphore::new(limits.at_once)),
        }
    }

    /// What a file is, or why it is not taken.
    ///
    /// However the child ends, this is about the file; only where none could be started is it [`Fault::Unchecked`], with the
    /// cause in the log.
    pub async fn look(&self, file: &Path, kind: Kind) -> Result<Report, Fault> {
        let unchecked = |error: std::io::Error| {
            tracing::error!(%error, "a file could not be looked at");
            Fault::Unchecked
        };
        let file = File::open(file).await.map_err(unchecked)?;
        self.look_at(file.into_std().await, kind)
            .await
            .map_err(unchecked)?
    }

    /// How long a child may be waited for.
    pub(crate) fn wall(&self) -> Duration {
        self.wall
    }

    /// Waits for one of the places.
    pub(crate) async fn place(&self) -> std::io::Result<OwnedSemaphorePermit> {
        let places = Arc::clone(&self.places);
        places.acquire_owned().await.map_err(std::io::Error::other)
    }

    /// Starts a child that reads a file, with nothing of our environment. It ends with what holds it.
    pub(crate) fn start(&self, told: &str, file: std::fs::File) -> std::io::Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            .arg(told)
            .env_clear()
            // Its allocator (mimalloc, where the program has that) takes a gigabyte of addresses at once; that shall count against
            // the limit of memory as it is used, and not all of it at the beginning.
            .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
            .current_dir("/")
            .stdin(file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    async fn look_at(
        &self,
        file: std::fs::File,
        kind: Kind,
    ) -> std::io::Result<Result<Report, Fault>> {
        let _place = self.place().await?;
        let mut child = self.start(kind.code(), file)?;
        let (answer, complaint) = (child.stdout.take(), child.stderr.take());
        let ending = async {
            let said = tokio::try_join!(read(answer, ANSWER_MOST), read(complaint, COMPLAINT_MOST));
            match said {
                Ok((answer, complaint)) => Ok((answer, complaint, child.wait().await?)),
                Err(error) => Err(error),
            }
        };
        let (answer, complaint, status) = match timeout(self.wall, ending).await {
            Ok(Ok(ended)) => ended,
            late_or_loud => {
                child.kill().await?;
                let late = late_or_loud.is_err();
                return Ok(Err(if late { Fault::Slow } else { Fault::Damaged }));
            }
        };
        if status.success() {
            return Ok(serde_json::from_slice(&answer).unwrap_or(Err(Fault::Damaged)));
        }
        if status.code() == Some(i32::from(child::UNREADY)) && !ran_out(&complaint) {
            return Err(std::io::Error::other("the child could not begin"));
        }
        let fault = fault(status, &complaint);
        tracing::info!(%status, ?fault, kind = kind.code(), "looking at a file ended early");
        Ok(Err(fault))
    }
}

/// What a child's end says of the file.
pub(crate) fn fault(status: ExitStatus, complaint: &[u8]) -> Fault {
    const KILL: i32 = 9;
    const PROCESSOR: i32 = 24;
    match (status.code(), status.signal()) {
        _ if ran_out(complaint) => Fault::Memory,
        (Some(PANICKED), _) => Fault::Damaged,
        (_, Some(PROCESSOR)) => Fault::Slow,
        // Not by us: the kernel, for want of memory, or of time where the first signal came to nothing.
        (_, Some(KILL)) => Fault::Memory,
        // Any other signal is a fault that the file brought about.
        _ => Fault::Damaged,
    }
}

/// Rust says so and aborts; the standard library's own readers return the error instead.
pub(crate) fn ran_out(complaint: &[u8]) -> bool {
    String::from_utf8_lossy(complaint).contains("memory allocation of")
}

/// All that is written, or an error as soon as it is more than is listened to.
async fn read(from: Option<impl AsyncRead + Unpin>, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(most + 1).read_to_end(&mut bytes).await?;
    }
    if bytes.len() as u64 > most {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}
