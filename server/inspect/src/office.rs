//! A PDF of an office file, made by LibreOffice in a cage of its own ([`crate::cage`]).

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{fs, process::Command, time::timeout};

use crate::{Kind, cage};

/// Bytes that may lie in the folder of one run.
const SCRATCH_MOST: u64 = 1024 * 1024 * 1024;
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long a check may take whether the cage holds.
const CHECK_WAIT: Duration = Duration::from_secs(10);

/// What LibreOffice is told before it reads anything: no macro runs, whatever a file asks for, no link is followed, nothing is
/// fetched. Where it asks somebody, nobody answers.
const SETTINGS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableActiveContent" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Misc"><prop oor:name="UseLocking" oor:op="fuse"><value>false</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>2</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>2</value></prop></item>
</oor:items>
"#;

/// Why there is no PDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPdf {
    /// It took longer than it may.
    Slow,
    /// The program ended early: by itself, or because it went beyond a limit.
    Ended,
    /// It ended in order and left nothing.
    Nothing,
    /// Not the file's fault: the program could not be started, or the disk is full.
    Unready,
}

/// LibreOffice, and how it is started.
#[derive(Clone, Debug)]
pub struct Office {
    soffice: PathBuf,
    cage: PathBuf,
    arguments: Vec<OsString>,
    wall: Duration,
}

impl Office {
    /// With the program that becomes it (and what that is told before `--scratch`), and how long one file may take on the clock.
    pub fn new<A: Into<OsString>>(
        soffice: &Path,
        cage: &Path,
        arguments: impl IntoIterator<Item = A>,
        wall: Duration,
    ) -> Self {
        Self {
            soffice: soffice.to_owned(),
            cage: cage.to_owned(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            wall,
        }
    }

    /// Whether this system holds a program to one folder: without that no file is given to one.
    pub async fn is_held(&self, scratch: &Path) -> bool {
        let arguments: [&str; 0] = [];
        matches!(
            self.run(scratch, Path::new("/bin/true"), arguments, CHECK_WAIT).await,
            Ok(Some(status)) if status.success()
        )
    }

    /// Makes a PDF of `file`, which lies in `scratch`, a folder that nothing else uses and whoever calls removes. Where the PDF lies.
    ///
    /// Dropping the answer ends all that was started.
    pub async fn to_pdf(&self, scratch: &Path, file: &Path, kind: Kind) -> Result<PathBuf, NoPdf> {
        let unready = |error: io::Error| {
            tracing::error!(%error, "no copy of an office file can be made");
            NoPdf::Unready
        };
        let (profile, out) = (scratch.join("profile"), scratch.join("out"));
        for folder in [&profile.join("user"), &out, &home(scratch), &spare(scratch)] {
            fs::create_dir_all(folder).await.map_err(unready)?;
        }
        fs::write(profile.join("user/registrymodifications.xcu"), SETTINGS)
            .await
            .map_err(unready)?;
        let arguments: [OsString; 9] = [
            format!("-env:UserInstallation={}", address(&profile)).into(),
            "--headless".into(),
            "--norestore".into(),
            "--nolockcheck".into(),
            "--nodefault".into(),
            "--convert-to".into(),
            "pdf".into(),
            "--outdir".into(),
            out.clone().into(),
        ];
        let line = arguments.into_iter().chain([file.as_os_str().to_owned()]);
        let status = self
            .run(scratch, &self.soffice, line, self.wall)
            .await
            .map_err(unready)?;
        let Some(status) = status else {
            tracing::info!(
                kind = kind.code(),
                "making a copy took too much time or room and was ended"
            );
            return Err(NoPdf::Slow);
        };
        if status.code() == Some(i32::from(cage::UNREADY)) {
            return Err(unready(io::Error::other("the cage does not hold")));
        }
        if !status.success() {
            tracing::info!(%status, kind = kind.code(), "making a copy ended early");
            return Err(NoPdf::Ended);
        }
        let pdf = file
            .file_stem()
            .map(|stem| out.join(stem).with_extension("pdf"))
            .ok_or(NoPdf::Nothing)?;
        // What lies there is a stranger's: no link is followed.
        match fs::symlink_metadata(&pdf).await {
            Ok(made) if made.is_file() && made.len() > 0 => Ok(pdf),
            _ => {
                tracing::info!(kind = kind.code(), "an office file came to no copy");
                Err(NoPdf::Nothing)
            }
        }
    }

    /// Runs a program in the cage, with nothing of our environment. None where it took too long. Public for the tests of the cage.
    #[doc(hidden)]
    pub async fn run<A: Into<OsString>>(
        &self,
        scratch: &Path,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        wall: Duration,
    ) -> io::Result<Option<ExitStatus>> {
        let mut child = Command::new(&self.cage)
            .args(&self.arguments)
            .arg("--scratch")
            .arg(scratch)
            .arg("--")
            .arg(program)
            .args(arguments.into_iter().map(Into::<OsString>::into))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home(scratch))
            .env("TMPDIR", spare(scratch))
            .env("LANG", "C.UTF-8")
            .env("SAL_USE_VCLPLUGIN", "svp")
            .current_dir(scratch)
            // What it says names the file.
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = Group::of(&child);
        let ended = tokio::select! {
            ended = timeout(wall, child.wait()) => ended.ok(),
            () = filled(scratch) => None,
        };
        // Also where its first process ended by itself: none that it left behind goes on.
        drop(group);
        match ended {
            Some(status) => status.map(Some),
            None => {
                child.wait().await?;
                Ok(None)
            }
        }
    }
}

/// Ends when the folder holds more than one run may write: each of its files has a limit, and their number has none.
async fn filled(scratch: &Path) {
    loop {
        tokio::time::sleep(LOOK).await;
        let folder = scratch.to_owned();
        let size = tokio::task::spawn_blocking(move || size(&folder)).await;
        if size.is_ok_and(|size| size > SCRATCH_MOST) {
            tracing::warn!("making a copy filled its folder and was ended");
            return;
        }
    }
}

/// Bytes that lie in a folder. What is gone while it is looked at counts for nothing; links are not followed.
fn size(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let (mut folders, mut sum) = (vec![folder.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(one) if one.is_dir() => folders.push(entry.path()),
                Ok(one) => sum += one.blocks() * 512,
                Err(_) => {}
            }
        }
    }
    sum
}

/// The processes of one run, which cannot leave their group. Ended with it, however it ends.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &tokio::process::Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn home(scratch: &Path) -> PathBuf {
    scratch.join("home")
}

fn spare(scratch: &Path) -> PathBuf {
    scratch.join("tmp")
}

/// A folder as LibreOffice wants its profile named (RFC 8089).
fn address(folder: &Path) -> String {
    use std::{fmt::Write as _, os::unix::ffi::OsStrExt as _};
    let mut address = "file://".to_owned();
    for byte in folder.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
            address.push(char::from(*byte));
        } else {
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_any_name_has_an_address() {
        assert_eq!(
            address(Path::new("/srv/our data/ü%")),
            "file:///srv/our%20data/%C3%BC%25"
        );
    }
}
