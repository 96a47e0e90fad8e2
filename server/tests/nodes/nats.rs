//! NATS, which `make test` installs where it may: started, killed and started again at the same place.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

const NAME: &str = "quorate";
const PASSWORD: &str = "quiet/otter@4222";

/// A place for a server, and the server while it runs. It lets in whoever knows its password. Ends with the test.
pub struct Nats {
    program: PathBuf,
    address: SocketAddr,
    child: Option<Child>,
    /// Where its certificate and key are, if it speaks TLS only.
    tls: Option<TempDir>,
}

impl Nats {
    /// A place where none runs yet. None, and said, where it is not installed; where everything is tested that is a failure.
    pub fn at_rest() -> Option<Self> {
        let cache = std::env::var_os("QUORATE_CACHE").map(PathBuf::from);
        let program = cache.map(|cache| cache.join("bus/nats-server"));
        let Some(program) = program.filter(|program| program.exists()) else {
            assert!(std::env::var_os("CI").is_none(), "the bus is not installed");
            eprintln!("NATS is not installed: no two processes are tried over it");
            return None;
        };
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        Some(Self {
            program,
            address,
            child: None,
            tls: None,
        })
    }

    /// One that speaks TLS only, with a certificate that nobody knows.
    pub fn with_tls() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(
            folder.path().join("key.pem"),
            made.signing_key.serialize_pem(),
        )
        .unwrap();
        let tls = Some(folder);
        Self::at_rest().map(|mut nats| {
            nats.tls = tls;
            nats
        })
    }

    /// Its certificate.
    pub fn certificate(&self) -> PathBuf {
        self.tls.as_ref().unwrap().path().join("cert.pem")
    }

    /// As `QUORATE_BUS` has it.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "tls" } else { "nats" };
        format!("{scheme}://{NAME}:quiet%2Fotter%404222@{}", self.address)
    }

    /// The same for who does not know the password.
    pub fn bare_url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// A client that knows it and is nobody of ours.
    pub async fn stranger(&self) -> async_nats::Client {
        let options =
            async_nats::ConnectOptions::with_user_and_password(NAME.into(), PASSWORD.into());
        options.connect(self.bare_url()).await.unwrap()
    }

    /// Starts it, and returns once it takes connections.
    pub async fn start(&mut self) {
        let port = self.address.port().to_string();
        let mut command = Command::new(&self.program);
        command.args([
            "-a",
            "127.0.0.1",
            "-p",
            &port,
            "--user",
            NAME,
            "--pass",
            PASSWORD,
        ]);
        if let Some(folder) = &self.tls {
            command
                .args(["--tls", "--tlscert", "cert.pem", "--tlskey", "key.pem"])
                .current_dir(folder.path());
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "NATS does not start"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its death without a word.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}
